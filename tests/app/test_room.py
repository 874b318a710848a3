"""Room for what people send: bounded for all together, given back, also for bodies that are still coming."""

from __future__ import annotations

import gc
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from wombat_ari.app import room, serve
from wombat_ari.app.room import NO_ROOM, Room
from wombat_ari.app.serve import Bounded, Quiet
from wombat_ari.model.errors import UserError


def test_nobody_takes_more_than_there_is() -> None:
    here = Room(100)
    first, second = here.take(60), here.take(40)
    for size in (1, 1 << 40):
        with pytest.raises(UserError, match="try again") as refused:
            here.take(size)
        assert refused.value.code == NO_ROOM
    first.give_back()
    first.give_back()
    assert here.taken == 40
    with pytest.raises(UserError):
        second.more(61)
    second.more(60)
    second.give_back()
    assert here.taken == 0


def test_a_file_takes_room_as_long_as_somebody_holds_it() -> None:
    here = Room(100)
    for kind in (tempfile.TemporaryFile, tempfile.SpooledTemporaryFile):
        file = kind()
        here.take_for(file, 100)
        file.close()
        assert here.taken == 100
        del file
        gc.collect()
        assert here.taken == 0


def test_many_threads() -> None:
    here = Room(10)

    def come_and_go(_: int) -> bool:
        try:
            share = here.take(3)
        except UserError:
            return False
        assert here.taken <= 10
        share.give_back()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert any(pool.map(come_and_go, range(2000)))
    assert here.taken == 0


class Slow(Resource):
    """Answers when it is told to."""

    isLeaf = True

    def render_POST(self, request: Any) -> int:
        self.request = request
        return NOT_DONE_YET


@pytest.fixture
def coming(monkeypatch: pytest.MonkeyPatch) -> Room:
    here = Room(250_000)
    monkeypatch.setattr(room, "COMING", here)
    return here


def begin(root: Resource, length: int, sent: int) -> tuple[Any, StringTransport]:
    channel = Quiet(root, Bounded, parsePOSTFormSubmission=False, reactor=Clock()).buildProtocol(None)
    transport = StringTransport()
    channel.makeConnection(transport)
    channel.dataReceived(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length + b"x" * sent)
    return channel, transport


def test_bodies_that_come_share_the_room(coming: Room) -> None:
    root = Slow()
    first, answered = begin(root, 200_000, 200_000)
    _, refused = begin(Slow(), 200_000, 150_000)
    assert refused.value().startswith(b"HTTP/1.1 503 ")
    assert b"Content-Security-Policy" in refused.value()
    assert coming.taken == 200_000, "what was refused takes none"
    root.request.finish()
    assert b"200 OK" in answered.value()
    assert coming.taken == 0
    gone, _ = begin(Slow(), 250_000, 200_000)
    assert coming.taken == 200_000
    gone.connectionLost(Failure(ConnectionDone()))
    assert coming.taken == 0, "who goes away in the middle"
    first.connectionLost(Failure(ConnectionDone()))
    assert coming.taken == 0


def test_a_body_in_chunks_is_cut_off_where_it_is_too_long(coming: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its length is told by nobody."""
    monkeypatch.setattr(serve, "MAX_BODY", 100_000)
    root = Slow()
    channel = Quiet(root, Bounded, parsePOSTFormSubmission=False, reactor=Clock()).buildProtocol(None)
    transport = StringTransport()
    channel.makeConnection(transport)
    channel.dataReceived(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(20):
        channel.dataReceived(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
    assert transport.value().startswith(b"HTTP/1.1 413 ")
    assert not hasattr(root, "request"), "it was never asked"
    assert coming.taken <= 100_000
    channel.connectionLost(Failure(ConnectionDone()))
    assert coming.taken == 0
