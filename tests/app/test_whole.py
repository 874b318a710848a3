"""Requests that come whole: what is one, and that a connection answers in order whichever way each is answered."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from wombat_ari.app.channel import Channel
from wombat_ari.app.whole import MOST, Whole, head_of, whole_in

GET = b"GET /calls?n=1 HTTP/1.1\r\nHost: a.example:8080\r\nUser-Agent: x/1\r\naccept:*/*\r\n\r\n"
NO_LENGTH = b"HTTP/1.1 204 No Content\r\n\r\n"


class Twisteds(Resource):
    """What goes Twisted's way: it waits until the test answers."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Any] = []

    def render(self, request: Any) -> Any:
        self.asked.append(request)
        return NOT_DONE_YET


class Line:
    """A connection, its two ways, and a clock."""

    def __init__(self) -> None:
        self.twisted, self.whole = Twisteds(), list[Whole]()
        self.clock, self.transport = Clock(), StringTransport()
        site: Any = Site(self.twisted, reactor=self.clock)
        site.protocol, site.take_whole = Channel, self._take
        self.channel = site.buildProtocol(None)
        self.channel.callLater = self.clock.callLater
        self.channel.makeConnection(self.transport)

    def said(self) -> bytes:
        value: bytes = self.transport.value()
        self.transport.clear()
        return value

    def _take(self, request: Whole) -> Any:
        return (lambda: self.whole.append(request)) if request.path == b"/calls" else None


@pytest.fixture
def line() -> Line:
    return Line()


def test_it_is_known_by_its_parts(line: Line) -> None:
    request = whole_in(line.channel, GET)
    assert request is not None
    assert (request.path, request.query) == (b"/calls", b"n=1")
    assert dict(request.requestHeaders.getAllRawHeaders()) == {
        b"Host": [b"a.example:8080"], b"User-Agent": [b"x/1"], b"Accept": [b"*/*"],
    }  # fmt: skip
    assert request.getRequestHostname() == b"a.example"
    assert request.getClientAddress() == line.transport.getPeer()
    assert not request.isSecure()


OTHERS = {
    "not all of it": GET[:-2],
    "more than it": GET + b"G",
    "two": GET + GET,
    "a body": GET.replace(b"accept:*/*", b"Content-Length: 0"),
    "a body in chunks": GET.replace(b"accept:*/*", b"Transfer-Encoding: chunked"),
    "to be closed": GET.replace(b"accept:*/*", b"Connection: close"),
    "another protocol": GET.replace(b"accept:*/*", b"Upgrade: h2c"),
    "a cookie": GET.replace(b"accept:*/*", b"Cookie: sid=1"),
    "a page of a browser": GET.replace(b"accept:*/*", b"Origin: http://x"),
    "a header that goes on": GET.replace(b"accept:*/*", b"accept: a,\r\n b"),
    "a blank before the colon": GET.replace(b"accept:", b"accept :"),
    "a line end of its own": GET.replace(b"x/1", b"x\n/1"),
    "raw bytes": GET.replace(b"n=1", b"n=\xe9"),
    "POST": GET.replace(b"GET", b"POST"),
    "HEAD": GET.replace(b"GET", b"HEAD"),
    "of before": GET.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "no address": GET.replace(b"/calls", b"calls"),
    "a proxy's": GET.replace(b"/calls", b"http://x/calls"),
    "long": GET.replace(b"n=1", b"n=" + b"1" * MOST),
}


@pytest.mark.parametrize("case", OTHERS)
def test_all_others_go_the_usual_way(line: Line, case: str) -> None:
    assert whole_in(line.channel, OTHERS[case]) is None


def test_one_that_nobody_wants_goes_the_usual_way(line: Line) -> None:
    line.channel.dataReceived(GET.replace(b"/calls", b"/other"))
    assert line.twisted.asked[0].uri == b"/other?n=1"
    assert line.twisted.asked[0].getHeader(b"user-agent") == b"x/1"


def test_what_comes_meanwhile_waits_for_its_turn(line: Line) -> None:
    line.channel.dataReceived(GET)
    line.channel.dataReceived(GET.replace(b"/calls", b"/other"))
    line.channel.dataReceived(GET.replace(b"n=1", b"n=2")[:20])
    line.channel.dataReceived(GET.replace(b"n=1", b"n=2")[20:])
    assert (len(line.whole), line.twisted.asked, line.said()) == (1, [], b"")
    line.whole[0].answer(NO_LENGTH)
    assert line.said() == NO_LENGTH
    (other,) = line.twisted.asked
    other.finish()
    assert line.said().startswith(b"HTTP/1.1 200 OK\r\n")
    assert [request.query for request in line.whole] == [b"n=1", b"n=2"], "played back, it is whole again"
    line.whole[1].answer(NO_LENGTH)
    assert line.said() == NO_LENGTH


def test_a_connection_is_kept(line: Line) -> None:
    for turn in range(3):
        line.channel.dataReceived(GET)
        line.whole[turn].answer(NO_LENGTH)
        assert line.said() == NO_LENGTH
        line.channel.dataReceived(GET.replace(b"/calls", b"/other"))
        line.twisted.asked[turn].finish()
        assert line.said().startswith(b"HTTP/1.1 200 OK\r\n")
    assert not line.transport.disconnecting


def test_one_that_comes_in_pieces_goes_the_usual_way(line: Line) -> None:
    line.channel.dataReceived(GET[:30])
    line.channel.dataReceived(GET[30:])
    assert line.twisted.asked[0].uri == b"/calls?n=1"


def test_a_body_that_reads_like_one_is_a_body(line: Line) -> None:
    head = b"POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(GET)
    line.channel.dataReceived(head)
    line.channel.dataReceived(GET)
    assert not line.whole
    assert line.twisted.asked[0].content.read() == GET


def test_nobody_waits_any_more(line: Line) -> None:
    line.channel.dataReceived(GET)
    line.channel.connectionLost(Failure(ConnectionDone()))
    line.whole[0].answer(NO_LENGTH)
    assert line.said() == b""


def test_an_answer_may_take_its_time_and_an_idle_connection_is_closed(line: Line) -> None:
    line.channel.dataReceived(GET)
    line.clock.advance(line.channel.timeOut + 1)
    assert not line.transport.disconnecting
    line.whole[0].answer(NO_LENGTH)
    line.clock.advance(line.channel.timeOut + 1)
    assert line.transport.disconnecting


def test_the_head_of_an_answer() -> None:
    lines = head_of(b"200 OK", [("Content-Length", "3"), ("X-A", "b")]).split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 200 OK"
    assert lines[1].startswith(b"Date: ")
    assert lines[2:] == [b"Content-Length: 3", b"X-A: b", b"", b""]
