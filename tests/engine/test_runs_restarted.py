"""Runs over a ``kill -9`` of the dialer (spec 02): state, positions, open retries and counters are as they were."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.engine.world import START, World, rule
from wombat_ari.engine.board import LiveRun
from wombat_ari.engine.equip import Equip
from wombat_ari.model.entities import ActivePeriod
from wombat_ari.store import campaigns

BUSY = "5552000{:03}"
SHORT = "5551010{:03}"
TALKS = "555101{}0{:03}"  #: answers after a tenth of a second, talks one or two seconds
SHOWN = ("state", "taken", "closed", "attempts", "open_retries", "cached", "remaining", "lists", "name", "started_at")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def shown(world: World) -> dict[str, Any]:
    (run,) = world.dialer.publish.snapshot()["runs"]
    return {key: run[key] for key in SHOWN}


def again(world: World) -> LiveRun:
    """Killed, and started again when all is written down."""
    world.advance(1)
    world.kill()
    world.advance(5)
    world.start()
    (run,) = world.dialer.board.runs.values()
    return run


def two_lines(world: World) -> dict[str, Any]:
    trunk, wait = world.add_trunk("t", capacity=2), world.add_end_point("waits", exten="101")
    return {"trunk_ids": (trunk.id,), "end_point_ids": (wait.id,)}


def closed_now(world: World, opens_in: float) -> ActivePeriod:
    """Open at all times but for a while before that moment."""
    second = int(world.clock.seconds() % 86400)
    return ActivePeriod((second + int(opens_in)) % 86400, (second - 1) % 86400, "1234567", "UTC")


@pytest.mark.parametrize("state", ["PAUSED", "IDLE", "WRONG_TIME"])
def test_a_run_that_places_nothing_is_as_it_was(world: World, state: str) -> None:
    numbers = [TALKS.format(1, n) for n in range(4 if state == "IDLE" else 40)]
    campaign = world.add_campaign("c", numbers, idles_on_termination=True, batch_size=5, **two_lines(world))
    world.start()
    run = world.run("c")
    world.advance(4)
    if state == "PAUSED":
        world.command("pause", "c")
    elif state == "WRONG_TIME":
        later = replace(campaign, active_period=closed_now(world, 600))
        campaigns.save_campaign(world.database, later, by="test", now=START)
        world._now(world.dialer.obey.reload("c"))
    world.advance_until(lambda: run.machine.state == state and not run.flights and not world.journal.waiting)
    before, dialled = shown(world), len(world.dialled_ids())
    assert before["remaining"] or state == "IDLE"
    again(world)
    world.advance(10)
    assert (shown(world), len(world.dialled_ids())) == (before, dialled)
    world.check_ledger()


def test_out_of_its_hours_nothing_is_placed_though_the_database_says_running(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was killed before its new state was written; the PBX may be connected before the first tick."""
    world.add_campaign("c", [SHORT.format(n) for n in range(60)], active_period=closed_now(world, 86390))
    world.start()
    run = world.run("c")
    world.advance_until(lambda: run.machine.state == "WRONG_TIME", 20)
    world.kill()
    with world.database.transaction() as tx:
        tx.run("UPDATE run SET state = 'RUNNING'")
    dialled = len(world.dialled_ids())
    connecting: list[str] = []
    listen = Equip.listen

    def noted(equip: Equip, hears: Any) -> None:
        connecting.extend(str(each.machine.state) for each in world.dialer.board.runs.values())
        listen(equip, hears)

    monkeypatch.setattr(Equip, "listen", noted)
    world.start()
    assert connecting == ["WRONG_TIME"], "when links are made it is known already"
    world.advance(5)
    assert len(world.dialled_ids()) == dialled
    assert shown(world)["state"] == "WRONG_TIME"


def test_retries_that_fell_due_meanwhile_are_made_at_once_the_others_in_their_time(world: World) -> None:
    numbers = [BUSY.format(n) for n in range(6)]
    world.add_campaign("c", numbers, rules=(rule("RS_BUSY", times=1, after=4), rule("RS_BUSY", times=3, after=20)))
    world.start()
    run = world.run("c")
    world.advance_until(lambda: run.tally.open_retries == 6)
    run = again(world)  # killed for five seconds: all six are due
    back = world.clock.seconds()
    world.advance_until(lambda: run.tally.attempts == 12, 5)
    run = again(world)  # none is due
    assert (run.tally.open_retries, run.hopper.next_retry_at is not None) == (6, True)
    world.finish()
    attempts = world.log("number, attempt, attempted_at, ended_at")
    ended = {(number, attempt): end for number, attempt, _, end in attempts}
    assert len(attempts) == len(set(world.dialled_ids())) == len(world.dialled_ids()) == 24
    for number, attempt, at, _ in attempts:
        if attempt == 2:
            assert -1.1 <= at - back < 1.5, "start() itself took a second"
        if attempt > 1:
            assert at - ended[number, attempt - 1] >= (4 if attempt == 2 else 20)
    assert {number: max(a for n, a, *_ in attempts if n == number) for number in numbers} == dict.fromkeys(numbers, 4)
    world.check_ledger()


def test_the_position_of_each_list_is_kept(world: World) -> None:
    first, second = (world.add_list([TALKS.format(who, n) for n in range(30)]) for who in "12")
    world.add_campaign("c", first, lists=(first, second), batch_size=4, **two_lines(world))
    world.start()
    world.run("c")
    for taken in (10, 34, 47):
        world.advance_until(partial(_has_taken, world, taken))
        run = again(world)
        marks = world.rows("SELECT high_water, taken FROM run_list ORDER BY position")
        assert [(each.high_water, each.taken) for each in run.lists.values()] == marks
    world.finish()
    order = [number for number, *_ in world.log()]
    assert order == [TALKS.format(who, n) for who in "12" for n in range(30)], "each once, in the order of the lists"
    world.check_ledger()


def _has_taken(world: World, taken: int) -> bool:
    (run,) = world.dialer.board.runs.values()
    return run.tally.taken >= taken
