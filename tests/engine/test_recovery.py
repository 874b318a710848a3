"""Crashes and losses on a virtual clock: nobody is called twice within an attempt, nobody is lost."""

from pathlib import Path

import pytest

from tests.engine.world import World, rule
from wombat_ari.model.errors import StoreError


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def _all_accounted_for(world: World, numbers: list[str]) -> None:
    world.check_ledger()
    assert sorted(world.outcomes()) == sorted(numbers)
    assert world.rows("SELECT COUNT(*) FROM attempt") == [(0,)]
    ids = world.dialled_ids()
    assert len(ids) == len(set(ids)), "an attempt was dialled twice"


def _campaign(world: World, count: int = 30) -> list[str]:
    numbers = [f"5551{20 + n % 20}60{n:03}" for n in range(count)]
    trunk, waits = world.add_trunk("t", capacity=8), world.add_end_point("waits", exten="101")
    world.add_campaign(
        "c", numbers, trunk_ids=(trunk.id,), end_point_ids=(waits.id,), rules=(rule("RS_LOST", times=2, after=5),)
    )
    return numbers


def test_a_killed_dialer_takes_up_its_live_calls(world: World) -> None:
    numbers = _campaign(world)
    world.start()
    world.run("c")
    world.advance(3)
    live = set(world.pbx.live)
    assert live
    world.kill()
    world.start()
    taken_up = {flight.call.unique_id for flight in world.dialer.board.flights.values()}
    assert taken_up & live
    world.finish()
    _all_accounted_for(world, numbers)
    assert {outcomes[-1] for outcomes in world.outcomes().values()} == {"TERMINATED"}


def test_a_run_that_was_just_started_goes_on(world: World) -> None:
    numbers = _campaign(world, 3)
    world.start()
    world.run("c")
    assert world.rows("SELECT state FROM run") == [("RUNNABLE",)], "its state is written behind"
    world.kill()
    world.start()
    world.finish()
    _all_accounted_for(world, numbers)
    assert world.rows("SELECT state FROM run") == [("COMPLETED",)]


def test_what_ended_while_the_dialer_was_dead_is_told_by_the_notes(world: World) -> None:
    numbers = _campaign(world, 8)
    world.start()
    world.run("c")
    world.advance(1)
    world.kill()
    world.advance(20)  # every call ends meanwhile
    assert world.pbx.notes
    world.start()
    world.finish()
    _all_accounted_for(world, numbers)
    assert all(outcomes == ["TERMINATED"] for outcomes in world.outcomes().values())
    assert not world.pbx.notes, "the notes are deleted once the ends are in the database"


def test_notes_do_not_pile_up_while_the_dialer_listens(world: World) -> None:
    numbers = _campaign(world, 8)
    world.start()
    world.run("c")
    world.finish()
    assert world.pbx.notes
    world.advance(601, step=0.5)
    assert not world.pbx.notes
    _all_accounted_for(world, numbers)


def test_without_notes_it_is_lost_and_the_rule_calls_again(world: World) -> None:
    numbers = _campaign(world, 8)
    world.pbx.leaves_notes = False
    world.start()
    world.run("c")
    world.advance(1)
    world.kill()
    world.advance(20)
    world.start()
    world.finish()
    _all_accounted_for(world, numbers)
    assert all(outcomes == ["RS_LOST", "TERMINATED"] for outcomes in world.outcomes().values())


def test_a_restarted_pbx_has_lost_its_calls(world: World) -> None:
    numbers = _campaign(world)
    world.start()
    world.run("c")
    world.advance(3)
    world.pbx.up_again_after = 4.0
    world.pbx.restart()
    world.finish()
    _all_accounted_for(world, numbers)
    assert any("RS_LOST" in outcomes for outcomes in world.outcomes().values())


def test_an_orderly_shutdown_is_not_taken_for_answered_calls_that_ended(world: World) -> None:
    numbers = _campaign(world, 8)
    world.start()
    world.run("c")
    world.advance_until(lambda: any(call.up for call in world.pbx.live.values()))
    world.pbx.shut_down()
    world.advance(3)
    world.pbx.restart()
    world.finish()
    _all_accounted_for(world, numbers)
    assert any("RS_LOST" in outcomes for outcomes in world.outcomes().values())


def test_a_broken_link_loses_nothing(world: World) -> None:
    numbers = _campaign(world)
    world.start()
    world.run("c")
    for _ in range(4):
        world.advance(2)
        world.pbx.cut()
    world.finish()
    _all_accounted_for(world, numbers)
    assert {tuple(outcomes) for outcomes in world.outcomes().values()} == {("TERMINATED",)}


def test_a_pbx_that_is_frozen_is_noticed_and_recovers(world: World) -> None:
    numbers = _campaign(world, 12)
    world.start()
    world.run("c")
    world.advance(2)
    world.pbx.freeze()
    world.advance_until(lambda: not next(iter(world.dialer.board.pbxs.values())).ready)
    world.pbx.freeze(False)
    world.finish()
    _all_accounted_for(world, numbers)


def test_notes_are_swept_once_what_they_tell_is_stored(world: World) -> None:
    _campaign(world, 8)
    world.start()
    world.run("c")
    world.advance(2)
    world.pool.trouble = StoreError("the database is away", transient=True)
    world.advance(20)
    told = set(world.pbx.notes)
    assert len(told) == 8
    for pbx in world.dialer.board.pbxs.values():
        pbx.swept_at = -1e9
    world.advance(20)
    assert set(world.pbx.notes) == told
    world.pool.trouble = None
    world.finish()
    assert not world.pbx.notes


@pytest.mark.parametrize("away_s", [0.5, 20.0])
def test_nobody_is_dialled_while_the_database_is_away(world: World, away_s: float) -> None:
    numbers = _campaign(world)
    world.start()
    world.run("c")
    world.advance(2)
    world.pool.trouble = StoreError("the database is away", transient=True)
    world.advance(0.2)
    dialled = len(world.dialled_ids())
    world.advance(away_s)
    assert len(world.dialled_ids()) == dialled
    world.pool.trouble = None
    world.finish()
    _all_accounted_for(world, numbers)
    assert {tuple(outcomes) for outcomes in world.outcomes().values()} == {("TERMINATED",)}


def test_a_stop_leaves_live_calls_to_the_next_start(world: World) -> None:
    numbers = _campaign(world)
    world.start()
    world.run("c")
    world.advance(3)
    live = len(world.pbx.live)
    assert live
    world.stop()
    assert len(world.pbx.live) >= live / 2
    world.start()
    world.finish()
    _all_accounted_for(world, numbers)
    assert {tuple(outcomes) for outcomes in world.outcomes().values()} == {("TERMINATED",)}


def test_calls_of_a_removed_run_are_accounted_for_after_a_crash(world: World) -> None:
    _campaign(world)
    world.start()
    world.run("c")
    world.advance(2)
    world.command("pause", "c")
    world.command("remove", "c")
    world.kill()
    world.start()
    world.finish()
    world.check_ledger()
    assert world.rows("SELECT COUNT(*) FROM attempt") == [(0,)]


@pytest.mark.parametrize("seed", range(6))
def test_disorder_and_double_events_change_nothing(tmp_path: Path, seed: int) -> None:
    import random

    world = World(tmp_path)
    world.pbx._random = random.Random(seed)
    world.pbx.disorder = world.pbx.twice = True
    numbers = [
        f"555{behaviour}{ring:02}05{n:02}"
        for n, (behaviour, ring) in enumerate([(b, r) for b in range(1, 7) for r in (0, 5)])
    ]
    world.add_campaign("c", numbers, answer_timeout_ms=3000)
    world.start()
    world.run("c")
    world.finish()
    _all_accounted_for(world, numbers)
    expected = {
        "1": "TERMINATED",
        "2": "RS_BUSY",
        "3": "RS_NOANSWER",
        "4": "RS_NUMBER",
        "5": "RS_REJECTED",
        "6": "RS_REJECTED",
    }
    assert {number: [expected[number[3]]] for number in numbers} == world.outcomes()
    assert all(lines.used == 0 for lines in world.dialer.board.trunk_lines.values())
