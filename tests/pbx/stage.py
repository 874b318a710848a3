"""Where a driver is tested: a fake PBX on a clock that the test moves, or a real Asterisk on the real reactor.

Tests wait for conditions: ``stage.wait(lambda: ...)`` fails with what was heard when the condition does not come true.
"""

import itertools
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from twisted.internet.defer import Deferred

from tools.fake_pbx import FakePbx, QuickClock
from wombat_ari.model.calls import OriginateRequest
from wombat_ari.model.entities import Server
from wombat_ari.model.events import CallEvent, LinkUp
from wombat_ari.model.secret import Secret
from wombat_ari.pbx.ami import AMIFactory, AMIProtocol
from wombat_ari.pbx.ami_driver import AmiDriver
from wombat_ari.pbx.link import LinkSettings

E = TypeVar("E")
SETTINGS = LinkSettings()

# Ids of this test run; a real Asterisk and its AstDB outlive one test.
_calls = itertools.count(random.SystemRandom().randrange(2**51))


class Heard(list[Any]):
    """A listener that keeps what it was told."""

    def __call__(self, event: Any) -> None:
        self.append(event)

    def of(self, kind: type[E], call: int | None = None) -> list[E]:
        return [event for event in self if isinstance(event, kind) and (call is None or event.call == call)]

    def kinds(self, call: int) -> list[str]:
        return [type(event).__name__ for event in self if isinstance(event, CallEvent) and event.call == call]


class Stage:
    """What the two have in common."""

    heard: Heard
    driver: AmiDriver
    is_fake = False

    def __init__(self) -> None:
        self._drivers: list[AmiDriver] = []
        self._ports: list[Any] = []

    def new_driver(self, **changes: Any) -> tuple[AmiDriver, Heard]:
        """A driver of the same PBX with its own listener, started."""
        heard, driver = Heard(), self._made(**changes)
        self._drivers.append(driver)
        driver.start(heard)
        return driver, heard

    def connected(self) -> "Stage":
        self.driver, self.heard = self.new_driver()
        self.wait(lambda: self.driver.connected)
        return self

    def place(
        self, number: str, *, extension: str = "101", timeout: float = 20, call: int | None = None, **variables: str
    ) -> int:
        """Originate a call to a number of the simulated network; returns its WOMBATID, a fresh one unless given."""
        call = self.next_call() if call is None else call
        given = {"WOMBATID": str(call), **variables}
        channel = f"Local/{number}@simulated-network/n"
        request = OriginateRequest(
            call, channel, "simulated-endpoints", extension, int(timeout * 1000), variables=tuple(given.items())
        )
        self.driver.originate(request)
        return call

    def next_call(self) -> int:
        """A WOMBATID that nobody has had."""
        return next(_calls)

    def result(self, deferred: "Deferred[Any]") -> Any:
        """Wait for a Deferred; its failure is raised."""
        got: list[Any] = []
        deferred.addBoth(got.append)
        self.wait(lambda: bool(got))
        if hasattr(got[0], "raiseException"):
            got[0].raiseException()
        return got[0]

    def adopt(self, driver: AmiDriver, *ports: Any) -> None:
        """Stop these too at the end."""
        self._drivers.append(driver)
        self._ports += ports

    def close(self) -> None:
        for driver in self._drivers:
            self.result(driver.stop())
        for port in self._ports:
            port.stopListening()

    def wait(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        raise NotImplementedError

    def pass_time(self, seconds: float) -> None:
        """Let the PBX live so long; only for what cannot be waited for (that something does not happen)."""
        raise NotImplementedError

    def ami(self) -> AMIProtocol:
        """Another AMI session of the same user, logged in."""
        raise NotImplementedError

    def cut(self) -> None:
        """The driver's connection breaks; the PBX goes on."""
        raise NotImplementedError

    def _made(self, *, secret: str = "", settings: LinkSettings = SETTINGS) -> AmiDriver:
        raise NotImplementedError

    def _fail(self) -> None:
        told = "\n".join(map(repr, getattr(self, "heard", [])))
        pytest.fail(f"the condition did not come true; heard:\n{told}", pytrace=True)


class FakeStage(Stage):
    is_fake = True

    def __init__(self) -> None:
        super().__init__()
        self.clock = QuickClock()
        self.clock.advance(1_000_000)
        self.pbx = FakePbx(self.clock)

    def _made(self, *, secret: str = "", settings: LinkSettings = SETTINGS) -> AmiDriver:
        server = Server(1, "fake", login="wombat", password=Secret(secret or "dials"))
        return AmiDriver(server, clock=self.clock, endpoint=self.pbx.endpoint(), settings=settings)

    def wait(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        end = self.clock.seconds() + seconds
        while not condition():
            if self.clock.seconds() > end:
                self._fail()
            self.clock.advance(0.02)

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.05)):
            self.clock.advance(0.05)

    def ami(self) -> AMIProtocol:
        factory = AMIFactory("wombat", "dials", clock=self.clock)
        protocol: AMIProtocol = self.pbx.connect_in_memory(factory)
        self.result(protocol.login())
        return protocol

    def cut(self) -> None:
        self.pbx.cut()


class RealStage(Stage):
    def __init__(self, asterisk: Any) -> None:
        super().__init__()
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.asterisk = asterisk
        if not self.reactor.running:
            self.reactor.startRunning(installSignalHandlers=False)

    def _made(self, *, secret: str = "", settings: LinkSettings = SETTINGS) -> AmiDriver:
        pbx = self.asterisk
        password = Secret(secret or pbx.ami_secret)
        server = Server(1, "real", address=pbx.host, port=pbx.ami_port, login=pbx.ami_user, password=password)
        return AmiDriver(server, settings=settings)

    def wait(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                self._fail()
            self.reactor.iterate(0.01)

    def pass_time(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.reactor.iterate(0.01)

    def ami(self) -> AMIProtocol:
        factory = AMIFactory(self.asterisk.ami_user, self.asterisk.ami_secret)
        protocol: AMIProtocol = self.result(factory.login(self.asterisk.host, self.asterisk.ami_port))
        return protocol

    def cut(self) -> None:
        ami = self.driver._ami
        assert ami is not None
        ami.transport.abortConnection()


def link_ups(heard: Heard) -> int:
    return len(heard.of(LinkUp))
