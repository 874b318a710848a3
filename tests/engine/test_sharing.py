"""Equal campaigns (spec 03 "Whose turn"): looked at every 50 ms, by what the PBX was told."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.engine.sharing import Shared, change, live, looks, placed, run_of
from tests.engine.world import START, World
from wombat_ari.engine.board import Flight
from wombat_ari.model.entities import ActivePeriod
from wombat_ari.model.errors import StoreError
from wombat_ari.store import campaigns


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def level(shared: Shared, digits: range) -> bool:
    return shared.far(*digits) == 0


@pytest.mark.parametrize("how", ["10505", "10112", "20000", "10003"])
@pytest.mark.parametrize("campaigns_", [2, 3])
def test_equals_place_the_same_number_within_one_at_every_look(world: World, how: str, campaigns_: int) -> None:
    shared = Shared(world, *"abc"[:campaigns_], how=how, batch_size=20)
    world.start()
    for name in shared.names:
        world.run(name)
        shared.begin()
    for _ in looks(world, 40):
        assert shared.far() <= 1, placed(world)
    assert min(placed(world).values()) > 20


@pytest.mark.parametrize("lines", range(1, 8))
def test_however_many_lines_there_are(world: World, lines: int) -> None:
    shared = Shared(world, "a", "b", batch_size=10)
    trunk = world.add_trunk("other", capacity=lines)
    for name in shared.names:
        campaign = campaigns.load_campaign(world.database, name)
        campaigns.set_campaign_trunks(world.database, campaign.id or 0, trunk_ids=[trunk.id or 0], by="test", now=START)
    world.start()
    for name in shared.names:
        world.run(name)
        shared.begin()
    for _ in looks(world, 12):
        assert shared.far() <= 1


def test_who_starts_later_does_not_make_up_for_it(world: World) -> None:
    shared = Shared(world, "a", "b", "c")
    world.start()
    world.run("a")
    world.advance(20)
    for name in ("b", "c"):
        digits = range(shared.names.index(name) + 1)
        world.advance_until(partial(level, shared, digits[:-1]), 5)
        world.run(name)
        shared.begin()
        for _ in looks(world, 15):
            assert shared.far(*digits) <= 1


@pytest.mark.parametrize("how", ["paused", "out of its hours", "idle", "of another priority"])
def test_who_comes_back_does_not_make_up_for_it(world: World, how: str) -> None:
    """From the moment it is there again both place the same number: its equal is not starved meanwhile."""
    shared = Shared(world, "a", "b", idles_on_termination=True)
    world.start()
    world.run("a"), world.run("b")
    world.advance(5)
    go, back = COMING_BACK[how](world)
    go()
    world.advance(10)
    assert shared.far() > 10, "b placed nothing meanwhile"
    back()
    world.advance_until(lambda: live(world)[1], 5)
    shared.begin()
    for _ in looks(world, 15):
        assert shared.far() <= 1, placed(world) - shared.before


def _paused(world: World) -> tuple[Callable[[], object], Callable[[], object]]:
    return lambda: world.command("pause", "b"), lambda: world.command("resume", "b")


def _hours(world: World) -> tuple[Callable[[], object], Callable[[], object]]:
    closed = ActivePeriod(0, 60, "1234567", "UTC")
    return lambda: change(world, "b", active_period=closed), lambda: change(world, "b", active_period=ActivePeriod())


def _idle(world: World) -> tuple[Callable[[], object], Callable[[], object]]:
    def go() -> None:
        world._now(world.dialer.obey.pause_list("b", "list 2", paused=True))
        run_of(world, "b").hopper.drain()  # what it had is gone: this test looks at the turns only

    return go, lambda: world._now(world.dialer.obey.pause_list("b", "list 2", paused=False))


def _priority(world: World) -> tuple[Callable[[], object], Callable[[], object]]:
    return lambda: change(world, "b", priority=20), lambda: change(world, "b", priority=10)


COMING_BACK = {"paused": _paused, "out of its hours": _hours, "idle": _idle, "of another priority": _priority}


def test_what_was_given_and_not_placed_does_not_count(world: World) -> None:
    """Seven times a call of the one is taken back just before it is written: its turn comes again and again."""
    shared = Shared(world, "a", "b")
    world.start()
    for name in shared.names:
        world.run(name)
        shared.begin()
    dial, spared = world.dialer._dial, 0
    wanted = dial._wanted

    def spoiled(flight: Flight) -> bool:
        nonlocal spared
        spared += flight.run.name == "a"
        return wanted(flight) and not (flight.run.name == "a" and spared <= 7)

    dial._wanted = spoiled  # type: ignore[method-assign]
    world.advance(10)
    assert spared > 30
    assert shared.far() <= 1


def test_a_lost_link_or_a_database_that_is_away_favours_nobody(world: World) -> None:
    """What was given out and not placed goes back; afterwards both are still level."""
    shared = Shared(world, "a", "b", batch_size=20)
    world.start()
    for name in shared.names:
        world.run(name)
        shared.begin()
    for turn in range(8):
        if turn % 2:
            world.pbx.cut()
        else:
            world.pool.trouble = StoreError("the database is away", transient=True)
            world.advance(0.4)
            world.pool.trouble = None
        world.advance(4)
        assert shared.far() <= 1, placed(world)
    assert min(placed(world).values()) > 10
