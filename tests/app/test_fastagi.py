"""Who may connect to the FastAGI port follows the configured servers while the dialer runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet import defer
from twisted.internet.error import DNSLookupError
from twisted.internet.task import Clock

from wombat_ari.app.config import load_settings
from wombat_ari.app.fastagi import NAME_S, RENEW_S, DialplanPort
from wombat_ari.model.errors import StoreError, WombatError


class Desk:
    """The configured servers' addresses, or the database's trouble."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.trouble: Exception | None = None

    def server_addresses(self) -> defer.Deferred[list[str]]:
        return defer.fail(self.trouble) if self.trouble else defer.succeed(list(self.addresses))


class Reactor(Clock):
    """A clock that resolves names and opens the real reactor's ports."""

    def __init__(self) -> None:
        super().__init__()
        from twisted.internet import reactor

        self._real: Any = reactor
        self.names: dict[str, str] = {}
        self.asked = 0

    def resolve(self, name: str, timeout: Any = None) -> defer.Deferred[str]:
        self.asked += 1
        return defer.succeed(self.names[name]) if name in self.names else defer.fail(DNSLookupError(name))

    def addReader(self, reader: Any) -> None:
        self._real.addReader(reader)

    def removeReader(self, reader: Any) -> None:
        self._real.removeReader(reader)

    def removeWriter(self, writer: Any) -> None:
        self._real.removeWriter(writer)


class Opened:
    def __init__(self, **environment: str) -> None:
        self.reactor, self.desk = Reactor(), Desk()
        settings = load_settings(environ={"WOMBAT_ARI_FASTAGI_PORT": "0", **environment})
        nobody: Any = type("Nobody", (), {"on_event": None, "add_call": None, "run_agi": None})
        self.port = DialplanPort(self.reactor, settings, desk=self.desk, follow=nobody, flows=nobody)  # type: ignore[arg-type]

    def open(self) -> Opened:
        done: list[Any] = []
        defer.Deferred.fromCoroutine(self.port.open()).addBoth(done.append)
        assert done == [None]
        return self

    def later(self, seconds: float = RENEW_S) -> None:
        self.reactor.pump([RENEW_S] * int(seconds / RENEW_S))

    def knows(self, *hosts: str) -> list[bool]:
        return [host in self.port.allowed for host in hosts]


@pytest.fixture
def opened() -> Iterator[Opened]:
    opened = Opened(WOMBAT_ARI_FASTAGI_ALLOW="10.9.0.0/16")
    yield opened
    defer.Deferred.fromCoroutine(opened.port.close())


def test_a_server_that_is_added_moved_or_removed(opened: Opened) -> None:
    opened.desk.addresses = ["10.0.0.1"]
    opened.open()
    assert opened.knows("127.0.0.1", "::1", "10.0.0.1", "10.9.1.1", "10.0.0.2") == [True, True, True, True, False]
    opened.desk.addresses = ["10.0.0.2"]
    opened.later()
    assert opened.knows("10.0.0.1", "10.0.0.2", "10.9.1.1", "127.0.0.1") == [False, True, True, True]


def test_names_are_looked_up_now_and_then(opened: Opened) -> None:
    opened.desk.addresses = ["pbx.example"]
    opened.reactor.names["pbx.example"] = "10.0.0.1"
    opened.open()
    opened.later(NAME_S - RENEW_S)
    assert opened.reactor.asked == 1
    opened.reactor.names["pbx.example"] = "10.0.0.2"
    opened.later()
    assert opened.knows("10.0.0.1", "10.0.0.2") == [False, True]
    del opened.reactor.names["pbx.example"]  # the name server is away
    opened.later(NAME_S + RENEW_S)
    assert opened.reactor.asked == 3
    assert opened.knows("10.0.0.2") == [True]


def test_while_the_database_is_away_nothing_changes(opened: Opened) -> None:
    opened.desk.addresses = ["10.0.0.1"]
    opened.open()
    opened.desk.trouble = StoreError("away", transient=True)
    opened.later()
    assert opened.knows("10.0.0.1") == [True]
    opened.desk.trouble, opened.desk.addresses = None, []
    opened.later()
    assert opened.knows("10.0.0.1") == [False]


def test_a_port_that_is_taken(opened: Opened) -> None:
    opened.open()
    taken = opened.port._port.getHost().port
    other = Opened(WOMBAT_ARI_FASTAGI_PORT=str(taken))
    trouble: list[Any] = []
    defer.Deferred.fromCoroutine(other.port.open()).addErrback(lambda failure: trouble.append(failure.value))
    assert isinstance(trouble[0], WombatError)
    assert f"cannot listen on 127.0.0.1:{taken}" in str(trouble[0])
