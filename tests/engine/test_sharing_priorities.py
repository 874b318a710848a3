"""Campaigns of different priorities, and limits that all share (spec 03): looked at every 50 ms."""

from collections import Counter
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.engine.sharing import LINES, Shared, change, live, looks, numbers, placed
from tests.engine.world import START, World, rule
from tools.fake_pbx import FakePbx
from wombat_ari.store import campaigns


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_who_is_first_takes_every_line_while_it_has_numbers(world: World) -> None:
    """From its start on nothing else is placed; its last number gone, the next one has all lines again."""
    shared = Shared(world, "urgent", "other")
    _prioritised(world, urgent=1, other=10)
    world.start()
    world.run("other")
    world.advance(5)
    urgent = world.run("urgent")
    world.advance(0.1)
    shared.begin()
    for _ in looks(world, 30):
        assert len(urgent.hopper), "it always has something to dial"
        assert shared.far(1) == 0
        assert (placed(world) - shared.before)[1] == 0, "the other is starved, as the spec says"
    assert (placed(world) - shared.before)[0] > 100
    world.command("pause", "urgent")
    world.advance_until(lambda: live(world)[1] == LINES, 2)


def test_what_the_first_cannot_use_goes_to_the_next(world: World) -> None:
    """It has two channels of its own end point: at every look two lines are its, the other three the next one's."""
    shared = Shared(world, "urgent", "other")
    two = world.add_end_point("two", exten="101", channels=2)
    urgent = campaigns.load_campaign(world.database, "urgent")
    campaigns.set_campaign_end_points(world.database, urgent.id or 0, end_point_ids=[two.id or 0], by="test", now=START)
    _prioritised(world, urgent=1, other=10)
    world.start()
    world.run("urgent"), world.run("other")
    world.advance(2)
    shared.begin()
    seen: Counter[tuple[int, int]] = Counter()
    for _ in looks(world, 40):
        seen[live(world)[0], live(world)[1]] += 1
    assert {first for first, _ in seen} <= {0, 1, 2}
    assert {first + second for first, second in seen} <= set(range(LINES + 1))
    assert seen.most_common(1)[0][0] == (2, 3), "lines that are free for a moment apart, all are used"
    gained = placed(world) - shared.before
    assert 1.3 <= gained[1] / gained[0] <= 1.7, gained


@pytest.mark.parametrize("why", ["paused", "out of numbers", "waiting for retries", "its PBX is down"])
def test_the_next_has_all_lines_while_the_first_cannot_dial(world: World, why: str) -> None:
    Shared(world, "urgent", "other")
    _prioritised(world, urgent=1, other=10)
    urgent = campaigns.load_campaign(world.database, "urgent")
    if why == "waiting for retries":
        rules = [rule("RS_BUSY", times=9, after=30)]
        campaigns.set_campaign_rules(world.database, urgent.id or 0, rules=rules, by="test", now=START)
        _few(world, 3, busy=True)
    elif why == "out of numbers":
        _few(world, 0)
    elif why == "its PBX is down":
        pbx = FakePbx(world.clock)
        pbx.refuse = True
        server = world.add_server("down", pbx)
        way: dict[str, Any] = {"by": "test", "now": START}
        trunk_ids, ids = (
            [world.add_trunk("t2", server=server).id or 0],
            [world.add_end_point("e2", server=server).id or 0],
        )
        campaigns.set_campaign_trunks(world.database, urgent.id or 0, trunk_ids=trunk_ids, **way)
        campaigns.set_campaign_end_points(world.database, urgent.id or 0, end_point_ids=ids, **way)
    world.start()
    world.run("urgent"), world.run("other")
    if why == "paused":
        world.command("pause", "urgent")
    world.advance(3)
    before = placed(world)
    most = 0
    for _ in looks(world, 20):
        most = max(most, live(world)[1])
    gained = placed(world) - before
    assert (gained[0], most) == (0, LINES)
    assert gained[1] > 60


def test_a_retry_of_the_first_gets_the_next_line_that_is_free(world: World) -> None:
    Shared(world, "urgent", "other")
    _prioritised(world, urgent=1, other=10)
    urgent = campaigns.load_campaign(world.database, "urgent")
    rules = [rule("RS_BUSY", times=5, after=7)]
    campaigns.set_campaign_rules(world.database, urgent.id or 0, rules=rules, by="test", now=START)
    _few(world, 0)
    world.append(1, ["5552000009000"])
    world.start()
    run = world.run("urgent")
    world.run("other")
    world.advance_until(lambda: run.tally.closed, 120)
    assert len(world.rows("SELECT 1 FROM call_log WHERE campaign_name = 'urgent'")) >= 5
    rows = world.rows("SELECT attempted_at, ended_at FROM call_log WHERE campaign_name = 'urgent' ORDER BY wombatid")
    for before, after in pairwise(rows):
        assert 7 <= after[0] - before[1] < 8.2, "a line is free within a second, the length of the others' calls"


def test_more_priorities_than_two(world: World) -> None:
    """Each has two channels of its own: in their order they take what there is, five lines for six channels."""
    shared = Shared(world, "a", "b", "c")
    for name in shared.names:
        end_point = world.add_end_point(f"two of {name}", exten="101", channels=2)
        campaign = campaigns.load_campaign(world.database, name)
        campaigns.set_campaign_end_points(
            world.database, campaign.id or 0, end_point_ids=[end_point.id or 0], by="test", now=START
        )
    _prioritised(world, a=3, b=2, c=1)
    world.start()
    for name in shared.names:
        world.run(name)
    world.advance(2)
    seen: Counter[tuple[int, ...]] = Counter()
    for _ in looks(world, 20):
        now = live(world)
        seen[now[2], now[1], now[0]] += 1
    assert seen.most_common(1)[0][0] == (2, 2, 1)


def test_a_priority_that_is_changed_counts_from_the_next_pass(world: World) -> None:
    shared = Shared(world, "a", "b")
    world.start()
    world.run("a"), world.run("b")
    world.advance(5)
    change(world, "b", priority=1)
    world.advance(0.1)
    shared.begin()
    for _ in looks(world, 10):
        assert (placed(world) - shared.before)[0] == 0
    assert (placed(world) - shared.before)[1] > 30


# Limits


def test_no_trunk_no_end_point_and_no_budget_is_passed_by_all_together(world: World) -> None:
    """Three campaigns on overlapping trunks and end points."""
    trunks = [world.add_trunk(f"t{n}", capacity=n + 1) for n in range(3)]
    ends = [world.add_end_point(f"e{n}", exten="101", channels=n + 1) for n in range(3)]
    for digit, (some, others) in enumerate(zip(combinations(trunks, 2), combinations(ends, 2), strict=True)):
        ways = {"trunk_ids": tuple(t.id for t in some), "end_point_ids": tuple(e.id for e in others)}
        world.add_campaign(f"c{digit}", numbers(digit), priority=digit // 2, **ways)
    world.start()
    for digit in range(3):
        world.run(f"c{digit}")
    board, used = world.dialer.board, 0
    lines = [*board.trunk_lines.values(), *board.end_point_lines.values()]
    for _ in looks(world, 20):
        assert all(line.used <= line.capacity for line in lines)
        used = max(used, sum(line.used for line in board.trunk_lines.values()))
    assert used == 6
    assert world.pbx.max_live == 6


def _prioritised(world: World, **priorities: int) -> None:
    for name, priority in priorities.items():
        campaign = replace(campaigns.load_campaign(world.database, name), priority=priority)
        campaigns.save_campaign(world.database, campaign, by="test", now=START)


def _few(world: World, left: int, *, busy: bool = False) -> None:
    """Leave only so many numbers to the first campaign, ``busy`` ones if so wanted."""
    with world.database.transaction() as tx:
        if busy:
            tx.run("UPDATE record SET number = '55520000' || substr(number, 9) WHERE list_id = 1")
        tx.run("DELETE FROM record WHERE list_id = 1 AND id > %s", (left,))
