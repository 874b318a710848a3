"""What is shown of a run (spec 02): compared at many looks with what the PBX was told and what the database has."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.engine.world import START, World, rule
from wombat_ari.model.states import ListUse


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def shown(world: World) -> dict[str, Any]:
    (run,) = world.dialer.publish.snapshot()["runs"]
    return dict(run)


def two_lines(world: World) -> dict[str, Any]:
    trunk, wait = world.add_trunk("t", capacity=2), world.add_end_point("waits", exten="101")
    return {"trunk_ids": (trunk.id,), "end_point_ids": (wait.id,)}


def one(world: World, sql: str) -> Any:
    ((value,),) = world.rows(sql)
    return value


def test_a_story_told_to_the_last_figure(world: World) -> None:
    """Four answer, two are busy and are tried again after half an hour, one has no number."""
    numbers = ["5551010001", "5551010002", "5552000003", "5554000004", "5552000005", "5551010006", "5551010007"]
    listed = world.add_list(numbers)
    world.add_campaign("c", listed, rules=(rule("RS_BUSY", times=1, after=1800),), priority=7)
    world.start()
    began = world.clock.seconds()
    world.run("c")
    world.advance(600 - (world.clock.seconds() - began))
    now = shown(world)
    assert now["name"] == f"c {datetime.fromtimestamp(now['started_at'], UTC):%Y-%m-%d %H:%M:%S}"
    assert 0 <= now["started_at"] - began < 1.1
    assert {key: now[key] for key in STORY} == STORY
    assert now["running_for_s"] == pytest.approx(600, abs=1)
    assert now["attempts_per_hour"] == pytest.approx(42, rel=0.01)
    assert now["completions_per_hour"] == pytest.approx(30, rel=0.01)
    assert now["completes_in_s"] == pytest.approx(3 / 42 * 3600, rel=0.01)
    (each,) = now["lists"]
    last = one(world, "SELECT MAX(id) FROM record")
    assert each == {"name": "list 1", "paused": False, "taken": 7, "remaining": 0, "high_water": last}


STORY: dict[str, Any] = {
    "state": "RUNNING", "priority": 7, "placed": 7, "attempts": 7, "cached": 2, "in_hopper": 0, "open_retries": 2,
    "closed": 5, "termination_rate": pytest.approx(5 / 7), "reschedule_rate": pytest.approx(2 / 7),
    "estimated_remaining": 3,  # two records, of which each needs 7 / 5 attempts
    "remaining": 0, "taken": 7, "answered": 4,
}  # fmt: skip


def test_at_every_look_it_is_what_the_pbx_and_the_database_have(world: World) -> None:
    """Through retries, a black list, numbers that come meanwhile, a list that is paused, and a restart."""
    first = world.add_list([f"555{'1277'[n % 4]}0{n % 5}05{n:04}" for n in range(60)])
    second = world.add_list([f"555101{1 + n % 3}0{n:04}" for n in range(60, 90)])
    black = replace(world.add_list([f"555{'1277'[n % 4]}0{n % 5}05{n:04}" for n in range(0, 60, 7)]), use=ListUse.BLACK)
    rules = (rule("RS_BUSY", times=2, after=6),)
    world.add_campaign("c", first, lists=(first, second, black), rules=rules, batch_size=15, **two_lines(world))
    world.start()
    run = world.run("c")
    looks = 0
    while run.machine.state == "RUNNING":
        world.advance(0.5)
        looks += world.dialer.board.run_of("c") is not None and _look(world)
        if looks == 20:
            world.append(second.list_id, [f"555100051{n:04}" for n in range(25)])
            world.advance(6)  # by then it is known of
        if looks in (24, 34):
            world._now(world.dialer.obey.pause_list("c", "list 2", paused=looks == 24))
        if looks == 44:
            world.advance(1)
            world.kill()
            world.start()
            (run,) = world.dialer.board.runs.values()
    assert looks > 60
    world.finish()
    assert run.tally.taken == run.tally.closed == 60 + 30 + 25
    world.check_ledger()


def _look(world: World) -> bool:
    """Compare, when nothing is on its way to the database."""
    world.dialer._journal.drain()
    now = shown(world)
    hopper, flights = now["in_hopper"], len(next(iter(world.dialer.board.runs.values())).flights)
    counted = {
        "attempts": one(world, "SELECT COUNT(*) FROM call_log"),
        "open_retries": one(world, "SELECT COUNT(*) FROM open_retry"),
        "taken": one(world, "SELECT SUM(taken) FROM run_list"),
        "closed": one(world, "SELECT COUNT(*) FROM call_log WHERE retry_in_s = 0"),
        "answered": one(world, "SELECT COUNT(*) FROM call_log WHERE outcome = 'TERMINATED'"),
    }
    assert {key: now[key] for key in counted} == counted
    assert now["cached"] == hopper + counted["open_retries"]
    black = one(world, "SELECT COUNT(*) FROM call_log WHERE outcome = 'RS_BLACKLIST'")
    unsettled = flights - now["open_calls"]
    assert now["placed"] - black + unsettled >= len(world.pbx.originates) >= now["placed"] - black - flights
    assert now["taken"] == now["closed"] + hopper + flights + now["open_retries"], "every number once"
    again = one(world, "SELECT COUNT(*) FROM call_log WHERE retry_in_s > 0")
    if counted["attempts"]:
        assert now["reschedule_rate"] == pytest.approx(again / counted["attempts"])
        assert now["termination_rate"] == pytest.approx(1 - again / counted["attempts"])
    lists = world.rows("SELECT paused, taken, high_water FROM run_list ORDER BY position")
    assert [(each["paused"], each["taken"], each["high_water"]) for each in now["lists"]] == lists
    behind = "SELECT COUNT(*) FROM record r WHERE r.list_id = rl.list_id AND r.id > rl.high_water"
    remaining = world.rows(f"SELECT ({behind}) FROM run_list rl ORDER BY position")
    assert [each["remaining"] for each in now["lists"]] == [n for (n,) in remaining]
    assert now["remaining"] == sum(each["remaining"] for each in now["lists"] if not each["paused"])
    assert now["estimated_remaining"] >= now["remaining"] + now["cached"]
    return True


def test_the_estimate_comes_to_nothing_with_the_run(world: World) -> None:
    """It may rise while there are more retries than was thought; at its end there is nothing to come."""
    numbers = [f"555{'12'[n % 2]}010500{n:02}" for n in range(40)]
    world.add_campaign("c", numbers, rules=(rule("RS_BUSY", times=1, after=5),), **two_lines(world))
    world.start()
    run = world.run("c")
    seen = [(shown(world)["estimated_remaining"], shown(world)["completes_in_s"])]
    assert seen == [(40, None)]
    while run.machine.state == "RUNNING":
        now = world.dialer.publish.snapshot()["runs"]
        seen += [(each["estimated_remaining"], each["completes_in_s"]) for each in now]
        world.advance(0.25)
    assert seen[-1][0] <= 2
    assert all(later is None or later >= 0 for _, later in seen)


def test_numbers_that_were_appended_are_counted_wherever_the_run_is(world: World) -> None:
    listed = world.add_list([f"5553000{n:03}" for n in range(50)])
    world.add_campaign("c", listed, batch_size=10, answer_timeout_ms=60_000)
    world.start()
    world.run("c")
    world.command("pause", "c")
    before = shown(world)
    world.append(listed.list_id, [f"5553001{n:03}" for n in range(30)])
    world.advance(6)
    assert shown(world)["remaining"] == before["remaining"] + 30
    world.command("resume", "c")
    world.append(listed.list_id, ["5553002000"])
    world.advance(6)
    assert shown(world)["taken"] + shown(world)["remaining"] == 81


def test_before_and_after_there_is_nothing_to_show(world: World) -> None:
    world.add_campaign("c", ["5551010001"])
    world.start()
    assert world.dialer.publish.snapshot()["runs"] == []
    world.run("c")
    world.finish()
    assert world.dialer.publish.snapshot()["runs"] == []
    assert one(world, "SELECT name FROM run").startswith("c ")
    assert one(world, "SELECT ended_at FROM run") > START
