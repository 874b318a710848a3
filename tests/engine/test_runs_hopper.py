"""The hopper of a live run (spec 03): in batches, before it runs dry, due retries first; passes without being asked."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.engine.world import FlakyPool, World, rule
from wombat_ari.engine.schedule import Schedule

NUMBERS = [f"5552000{n:04}" for n in range(400)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


class Counted(FlakyPool):
    """Counts jobs by their names."""

    def __init__(self) -> None:
        self.jobs: Counter[str] = Counter()

    def write(self, job: Any, *arguments: Any, **named: Any) -> Any:
        self.jobs[job.__name__] += 1
        return super().write(job, *arguments, **named)

    read = write


def lines(world: World, count: int) -> dict[str, Any]:
    trunk, end_point = world.add_trunk("t", capacity=count), world.add_end_point("e", channels=count)
    return {"trunk_ids": (trunk.id,), "end_point_ids": (end_point.id,)}


def test_no_query_is_made_for_each_call(world: World) -> None:
    pool = world.pool = Counted()
    world.add_campaign("c", NUMBERS, batch_size=100, **lines(world, 50))
    world.start()
    pool.jobs.clear()
    began = world.clock.seconds()
    run = world.run("c")
    world.advance_until(lambda: run.tally.closed == len(NUMBERS))
    took = world.clock.seconds() - began
    print(f"{len(NUMBERS)} calls in {took:.1f} s: {dict(pool.jobs)}")
    assert pool.jobs["take"] <= len(NUMBERS) / 50 + 2
    assert sum(pool.jobs.values()) <= len(NUMBERS) / 2
    assert world.pbx.max_live > 4


def test_it_is_refilled_before_it_runs_dry(world: World) -> None:
    world.add_campaign("c", NUMBERS, batch_size=20, **lines(world, 10))
    world.start()
    run = world.run("c")
    world.advance(0.1)
    while run.remaining:
        assert len(run.hopper) > 0
        assert len(run.hopper) <= 2 * 20, "memory stays within two batches"
        world.advance(0.05)


def test_a_retry_that_is_due_goes_before_new_numbers(world: World) -> None:
    """One line, a full hopper: the retry is the very next call."""
    numbers = ["5552000900", *(f"55510003{n:04}" for n in range(60))]
    waits = world.add_end_point("waits", exten="101")
    ways = {**lines(world, 1), "end_point_ids": (waits.id,)}
    world.add_campaign("c", numbers, rules=(rule("RS_BUSY", times=5, after=4),), **ways)
    world.start()
    run = world.run("c")
    world.advance_until(lambda: run.tally.closed == 61)
    world.advance(2)
    busy = [row for row in world.log("number, attempted_at, ended_at") if row[0] == "5552000900"]
    assert len(busy) == 6
    for before, after in pairwise(busy):
        assert 4 <= after[1] - before[2] < 4.6, "when the call that had the line has ended, three tenths long"


def test_a_pass_comes_at_least_every_tenth_of_a_second(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[float] = []
    plain = Schedule._pass

    def noted(schedule: Schedule) -> None:
        passes.append(world.clock.seconds())
        plain(schedule)

    monkeypatch.setattr(Schedule, "_pass", noted)
    world.start()
    passes.clear()
    world.advance(5, step=0.01)
    assert max(after - before for before, after in pairwise(passes)) <= 0.1


def test_a_line_that_is_freed_is_used_at_once(world: World) -> None:
    """Not with the next tick: the time between is what the PBX takes."""
    world.add_campaign("c", NUMBERS[:30], **lines(world, 1))
    world.start()
    run = world.run("c")
    while run.tally.closed < 30:
        world.clock.advance(0.005)
    world.advance(1)
    spans = world.log("attempted_at, ended_at")
    waits = [after[0] - before[1] for before, after in pairwise(spans)]
    assert max(waits) < 0.045
