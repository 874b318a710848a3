"""The FastAGI port on real sockets: many at once, strangers, the lame and the wicked. Nothing of them stays."""

from __future__ import annotations

import gc
import os
import resource
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet.defer import maybeDeferred

from wombat_ari.model.events import CallEvent, StatusSet
from wombat_ari.pbx.fastagi import FastAGIFactory, FastAGIProtocol
from wombat_ari.pbx.fastagi_verbs import Verbs
from wombat_ari.pbx.prompt import PromptPort

MANY = 1000
ENVIRONMENT = b"agi_network: yes\nagi_network_script: %s\nagi_uniqueid: wbt-%016d\n\n"


class Served:
    """A port of the verbs, whose times are short; ``hold`` is a script that waits for one command's answer."""

    def __init__(self, **options: Any) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.told: list[CallEvent] = []
        self.verbs = Verbs(self.told.append, run_flow=self._hold)
        given = {"envTimeout": 0.5, "sessionTimeout": 5.0, "lingers": True, **options}
        self.factory = FastAGIFactory(self.verbs.serve, **given)
        self.port = PromptPort(0, self.factory, 1024, "127.0.0.1", self.reactor)
        self.port.startListening()
        self.address = ("127.0.0.1", self.port.getHost().port)
        self.held: list[str] = []

    async def _hold(self, agi: FastAGIProtocol, call: int, name: str) -> str:
        self.held.append(await agi.getVariable("X"))
        return ""

    def connect(self, data: bytes = b"", source: str = "127.0.0.1") -> socket.socket:
        link = socket.socket()
        link.bind((source, 0))
        link.connect(self.address)
        link.setblocking(False)
        if data:
            link.sendall(data)
        return link

    def until(self, condition: Callable[[], Any], limit: float = 20) -> None:
        late = time.monotonic() + limit
        while not condition():
            assert time.monotonic() < late
            self.reactor.iterate(0.005)

    def said(self, link: socket.socket) -> bytes:
        """All that is said until the port closes."""
        found: list[bytes] = []

        def ended() -> bool:
            try:
                while data := link.recv(65536):
                    found.append(data)
            except BlockingIOError:
                return False
            except ConnectionError:
                pass
            return True

        self.until(ended)
        link.close()
        return b"".join(found)

    def close(self) -> None:
        done: list[Any] = []
        maybeDeferred(self.port.stopListening).addBoth(done.append)
        self.until(lambda: done)

    def leaves_nothing(self, files: int) -> None:
        self.until(lambda: not self.factory.sessions)
        self.until(lambda: _files() <= files)
        self.until(lambda: not [call for call in self.reactor.getDelayedCalls() if _ours(call)])
        gc.collect()
        assert [each for each in gc.get_objects() if isinstance(each, FastAGIProtocol)] == [], "in memory"


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    yield served
    served.close()


def _files() -> int:
    return len(os.listdir("/proc/self/fd"))


def _ours(call: Any) -> bool:
    return "fastagi" in repr(call.func) or "prompt" in repr(call.func)


def test_a_verb_over_a_socket(served: Served) -> None:
    link = served.connect(ENVIRONMENT % (b"callstatus?V=7", 42))
    assert served.said(link) == b'SET VARIABLE "WOMBAT_AGI_RESULT" "OK"\n'
    assert StatusSet(42, "7") in served.told


@pytest.mark.parametrize("pieces", [1, 2, 7, 1000])
def test_the_environment_may_come_in_pieces(served: Served, pieces: int) -> None:
    data = ENVIRONMENT % (b"callstatus?V=%C5%BB%20", 42)
    link = served.connect()
    size = -(-len(data) // pieces)
    for start in range(0, len(data), size):
        link.sendall(data[start : start + size])
        served.reactor.iterate(0)
    assert b'"OK"' in served.said(link)
    assert StatusSet(42, "Ż") in served.told


def test_a_thousand_sessions_at_once(served: Served) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    served.factory.envTimeout = 20.0
    gc.collect()
    files = _files()
    links = []
    for number in range(MANY):
        links.append(served.connect(ENVIRONMENT % (b"flow/hold", number + 1)))
        if number % 50 == 0:
            served.reactor.iterate(0)
    served.until(lambda: len(served.factory.sessions) == MANY)
    for link in links:
        served.until(lambda link=link: _has(link, b"GET FULL VARIABLE"))  # type: ignore[misc]
    for number, link in enumerate(links):
        link.sendall(b"200 result=1 (%d)\n" % number)
    served.until(lambda: len(served.held) == MANY)
    assert sorted(served.held, key=int) == [str(number) for number in range(MANY)]
    for link in links:
        assert b'"OK"' in served.said(link)
    served.leaves_nothing(files)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _has(link: socket.socket, text: bytes) -> bool:
    try:
        return text in link.recv(65536)
    except BlockingIOError:
        return False


def test_a_strangers_connection_is_closed() -> None:
    served = Served(allow=["127.0.0.1/32"])
    files = _files()
    assert b"OK" in served.said(served.connect(ENVIRONMENT % (b"callstatus?V=7", 42)))
    told = len(served.told)
    for _ in range(50):
        stranger = served.connect(ENVIRONMENT % (b"callstatus?V=8", 42), source="127.0.0.9")
        assert served.said(stranger) in (b"FAILURE\n", b"")
    assert len(served.told) == told
    served.factory.allowed.replace(["127.0.0.9"])
    assert b"OK" in served.said(served.connect(ENVIRONMENT % (b"callstatus?V=8", 42), source="127.0.0.9"))
    served.leaves_nothing(files)
    served.close()


@pytest.mark.parametrize("before", [b"", b"agi_network: yes\n", ENVIRONMENT % (b"flow/hold", 1)])
def test_a_line_of_a_megabyte_is_not_kept(served: Served, before: bytes) -> None:
    def poured() -> None:
        link = served.connect(before)
        served.reactor.iterate(0)
        _pour(served, link, 1 << 20)
        served.until(lambda: not served.factory.sessions, 3)
        link.close()

    files = _files()
    assert _grown(poured) < 8 << 20, "not while it comes"
    assert _grown(poured, 10) < 2 << 20, "and nothing of it stays"
    served.leaves_nothing(files)
    assert served.held == []


def _pour(served: Served, link: socket.socket, size: int) -> None:
    sent = 0
    while sent < size:
        try:
            sent += link.send(b"x" * min(65536, size - sent))
        except BlockingIOError:
            pass
        except ConnectionError:
            return
        served.reactor.iterate(0)


def _grown(act: Callable[[], None], times: int = 1) -> int:
    """Bytes of memory that the process has more afterwards."""
    gc.collect()
    before = _memory()
    for _ in range(times):
        act()
    gc.collect()
    return _memory() - before


def _memory() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def test_half_a_line_and_silence(served: Served) -> None:
    halves = (b"", b"a", b"agi_network: yes\nagi_req", (ENVIRONMENT % (b"flow/hold", 1))[:-1])

    def silent() -> None:
        links = [served.connect(data) for data in halves * 50]
        served.until(lambda: len(served.factory.sessions) == len(links), 5)
        served.until(lambda: not served.factory.sessions, 10)
        for link in links:
            assert served.said(link) == b""

    files = _files()
    silent()
    assert _grown(silent) < 2 << 20
    served.leaves_nothing(files)


def test_who_never_closes_is_closed(served: Served) -> None:
    """Ours is closed for writing; the other side says nothing and stays."""
    files = _files()
    links = [served.connect(ENVIRONMENT % (b"callstatus?V=7", 42)) for _ in range(50)]
    served.until(lambda: len(served.told) == 100)
    served.until(lambda: not served.factory.sessions, 10)
    for link in links:
        link.close()
    served.leaves_nothing(files)


def test_an_answer_that_does_not_come(served: Served) -> None:
    served.factory.commandTimeout = 0.3
    link = served.connect(ENVIRONMENT % (b"flow/hold", 1))
    served.until(lambda: _has(link, b"GET FULL VARIABLE"))
    served.until(lambda: not served.factory.sessions, 5)
    link.close()


def test_sessions_leave_no_memory(served: Served) -> None:
    def thousand() -> None:
        for _ in range(20):
            links = [served.connect(ENVIRONMENT % (b"callstatus?V=7", 42)) for _ in range(50)]
            for link in links:
                served.said(link)
        served.told.clear()

    thousand()
    grown = _grown(thousand, 3)
    assert grown < 2 << 20


def test_callers_who_hang_up_in_a_flow_leave_nothing(served: Served) -> None:
    """In the middle of a command, with and without the word for it, and by the end of the connection alone."""

    def hundred() -> None:
        links = [served.connect(ENVIRONMENT % (b"flow/hold", number + 1)) for number in range(100)]
        for number, link in enumerate(links):
            served.until(lambda link=link: _has(link, b"GET FULL VARIABLE"))  # type: ignore[misc]
            if number % 3 == 0:
                link.close()
            else:
                link.sendall(b"HANGUP\n" if number % 3 == 1 else b"200 result=-1\nHANGUP\n")
        served.until(lambda: not served.factory.sessions)
        for link in links:
            link.close()
        served.told.clear()
        served.held.clear()

    hundred()
    files = _files()
    grown = _grown(hundred, 5)
    assert grown < 2 << 20
    served.leaves_nothing(files)
