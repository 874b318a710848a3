"""ARI beside the drivers: it comes and goes with the configuration, and nobody waits for it to dial."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from tests.engine.several import Several
from wombat_ari.model.entities import Server
from wombat_ari.model.events import StatusSet
from wombat_ari.model.secret import Secret
from wombat_ari.pbx.driver import Listener, SetVariable

URL = {"ari_url": "http://pbx:8088/ari", "ari_user": "wombat"}


class FakeAri:
    """That of one server, from ``start`` to ``stop``."""

    app = "wombat-123"
    calls = 0

    def __init__(self, server: Server, set_variable: SetVariable) -> None:
        self.server = server
        self.set_variable = set_variable
        self.connected = False
        self.last_error = "connecting"
        self.listener: Listener | None = None
        self.running = False

    def start(self, listener: Listener) -> None:
        self.listener, self.running = listener, True

    def stop(self) -> "Deferred[None]":
        self.running = False
        return succeed(None)


class Site(Several):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.aris: list[FakeAri] = []
        self.make_ari = self._ari

    def _ari(self, server: Server, set_variable: SetVariable) -> FakeAri | None:
        if not server.ari_url:
            return None
        self.aris.append(FakeAri(server, set_variable))
        return self.aris[-1]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    site.begin(30)
    site.advance(1)
    yield site
    site.finish()
    site.check()


def test_without_a_url_there_is_none(world: Site) -> None:
    assert world.aris == []
    assert world.shown("two")["ari"] is None


def test_it_comes_changes_and_goes_while_the_link_stays(world: Site) -> None:
    def shown() -> Any:
        return world.shown("two")["ari"]

    sessions = len(world.fakes["two"].sessions)
    world.change("two", **URL)
    (first,) = world.aris
    assert first.running
    assert shown() == {"connected": False, "error": "connecting", "application": "wombat-123", "calls": 0}
    world.change("two", description="two", max_messages_per_unit=4)
    assert world.aris == [first], "it is left alone"
    world.change("two", ari_password=Secret("other"))
    assert [each.running for each in world.aris] == [False, True]
    world.change("two", password=Secret("dials"), ari_url="")
    assert [each.running for each in world.aris] == [False, False]
    assert shown() is None
    assert len(world.fakes["two"].sessions) == sessions, "nobody hears of it"


def test_it_goes_with_its_server_and_with_the_dialer(world: Site) -> None:
    world.change("two", **URL)
    world.change("three", **URL)
    world.change("two", enabled=False)
    world.advance_until(lambda: not world.aris[0].running, 30)  # with its last call
    assert world.aris[1].running
    world.stop()
    assert not world.aris[1].running
    world.start()


def test_a_link_that_is_made_anew_brings_its_ari_anew(world: Site) -> None:
    world.change("two", **URL)
    world.fakes["two"].users = {"wombat": "new"}
    world.change("two", password=Secret("new"))
    assert [each.running for each in world.aris] == [False, True]


def test_what_it_tells_is_of_calls(world: Site) -> None:
    world.change("two", **URL)
    world.advance(3)
    (ari,) = world.aris
    call = next(flight.call for flight in world.dialer.board.flights.values() if flight.call.connected_at)
    assert ari.listener is not None
    ari.listener(StatusSet(call.wombatid, "7"))
    assert call.extended_status == "7"


def test_it_is_told_in_a_call_only_while_it_is_connected(world: Site) -> None:
    """The dialer dials all the time."""
    world.change("two", **URL)
    (ari,) = world.aris
    pbx = world.pbx_of("two")
    assert pbx.stasis == ""
    ari.connected = True
    assert pbx.stasis == "wombat-123"


def test_variables_go_over_the_link_that_is_there_now(world: Site) -> None:
    world.change("two", **URL)
    (ari,) = world.aris
    asked = []
    world.pbx_of("two").driver.set_variable = lambda *given: asked.append(given) or succeed(None)  # type: ignore[method-assign]
    ari.set_variable("wbt-1", "NAME", "value")
    assert asked == [("wbt-1", "NAME", "value")]
