"""What is changed of a live run, and when it takes effect: lists, black lists, boost, a campaign configured anew."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.world import START, World, rule
from wombat_ari.model.entities import Campaign
from wombat_ari.model.states import ListUse
from wombat_ari.store import campaigns, entities

RINGS = "5553000{:03}"  #: rings for ever
TALKS = "55510110{:03}"  #: answers after a tenth of a second, talks one second
BY: dict[str, Any] = {"by": "test", "now": START}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def ways(world: World, *, lines: int = 2) -> dict[str, Any]:
    trunk, wait = world.add_trunk("t", capacity=lines), world.add_end_point("waits", exten="101")
    return {"trunk_ids": (trunk.id,), "end_point_ids": (wait.id,)}


def do(world: World, name: str, *arguments: Any, **named: Any) -> Any:
    return world._now(getattr(world.dialer.obey, name)(*arguments, **named))


def configured(world: World, campaign: Campaign, **values: Any) -> None:
    """Only the campaign is saved: nothing tells the dialer."""
    campaigns.save_campaign(world.database, replace(campaign, **values), **BY)


# Lists


def test_a_list_that_is_added_wakes_an_idle_run(world: World) -> None:
    world.add_campaign("c", [TALKS.format(0)], idles_on_termination=True)
    extra = world.add_list([TALKS.format(n) for n in (7, 8)])
    world.start()
    run = world.run("c")
    world.advance_until(lambda: run.machine.state == "IDLE", 30)
    do(world, "add_list", "c", extra.name)
    world.advance_until(lambda: run.machine.state == "RUNNING", 2)
    world.advance_until(lambda: run.machine.state == "IDLE" and not world.journal.waiting, 30)
    assert [number for number, *_ in world.log()] == [TALKS.format(n) for n in (0, 7, 8)]


def test_of_a_paused_run_lists_are_changed_without_a_call(world: World) -> None:
    world.add_campaign("c", [TALKS.format(n) for n in range(9)], batch_size=1, **ways(world))
    extra = world.add_list([TALKS.format(n) for n in (97, 98)])
    world.start()
    world.run("c")
    world.advance(0.2)
    world.command("pause", "c")
    world.advance(3)
    dialled = len(world.dialled_ids())
    do(world, "add_list", "c", extra.name)
    do(world, "order_lists", "c", [extra.name, "list 1"])
    world.advance(5)
    assert len(world.dialled_ids()) == dialled
    world.command("resume", "c")
    world.finish()
    order = [number for number, *_ in world.log()]
    assert sorted(order) == sorted(TALKS.format(n) for n in (*range(9), 97, 98))
    assert {order.index(TALKS.format(n)) for n in (97, 98)} <= {dialled, dialled + 1, dialled + 2}


def test_what_was_taken_from_a_list_that_is_paused_is_dialled_and_tried_again(world: World) -> None:
    """Its position stands still; it goes on from there."""
    numbers = [f"5552020{n:03}" for n in range(30)]
    world.add_campaign("c", numbers, rules=(rule("RS_BUSY", times=1, after=3),), batch_size=8, **ways(world))
    other = world.add_list([TALKS.format(n) for n in range(40)])
    world.start()
    run = world.run("c")
    do(world, "add_list", "c", other.name)
    world.advance(1)
    (paused, _) = do(world, "pause_list", "c", "list 1", paused=True)
    world.advance(12)
    (now, _) = do(world, "run_lists", "c")
    assert now == paused
    assert now["taken"] < 30
    mine = [attempt for number, _, attempt in world.log() if number in numbers]
    assert (mine.count(1), mine.count(2)) == (now["taken"], now["taken"])
    shown = world.dialer.publish.snapshot()["runs"][0]["lists"]
    assert (shown[0]["name"], shown[0]["paused"], shown[0]["taken"]) == ("list 1", True, now["taken"])
    do(world, "pause_list", "c", "list 1", paused=False)
    world.finish()
    assert run.tally.closed == 70
    assert len(world.log()) == 100


def test_how_far_each_list_is_is_told_alike_everywhere(world: World) -> None:
    first = world.add_list([TALKS.format(n) for n in range(12)])
    second = world.add_list([TALKS.format(n) for n in range(20, 30)])
    world.add_campaign("c", first, lists=(first, second), batch_size=3, **ways(world))
    world.start()
    run = world.run("c")
    while run.machine.state == "RUNNING":
        told = do(world, "run_lists", "c")
        shown = world.dialer.publish.snapshot()["runs"][0]["lists"]
        assert [{key: each[key] for key in shown[0]} for each in told] == shown
        assert [each["taken"] + each["remaining"] for each in told] == [12, 10]
        assert not told[1]["taken"] or not told[0]["remaining"], "in order"
        world.advance(0.4)


# Black lists


def test_a_black_list_counts_for_what_is_taken_after_it_grew(world: World) -> None:
    """Later additions do not touch what is loaded, nor its retries; they need no reload."""
    black = replace(world.add_list([]), use=ListUse.BLACK)
    numbers = [f"5552020{n:03}" for n in range(30)]
    listed = world.add_list(numbers)
    rules = (rule("RS_BUSY", times=1, after=3),)
    world.add_campaign("c", listed, lists=(listed, black), rules=rules, batch_size=6, **ways(world, lines=1))
    world.start()
    run = world.run("c")
    world.advance_until(lambda: run.tally.taken == 6)
    world.append(black.list_id, numbers)
    world.finish()
    outcomes = world.outcomes()
    assert [outcomes[number] for number in numbers[:6]] == [["RS_BUSY", "RS_BUSY"]] * 6
    assert [outcomes[number] for number in numbers[6:]] == [["RS_BLACKLIST"]] * 24
    world.check_ledger()


# Boost


def test_a_boost_counts_from_the_next_pass(world: World) -> None:
    """Four agents: four calls ring; half as many again; with half of it none is placed until two are left."""
    queue, trunk = world.add_queue("400", boost_factor=1.0), world.add_trunk("t", capacity=50)
    for n in range(4):
        world.pbx.queues["400"].log_on(f"Local/{n}@agents")
    world.add_campaign("c", [RINGS.format(n) for n in range(60)], trunk_ids=(trunk.id,), end_point_ids=(queue.id,),
                       answer_timeout_ms=60_000)  # fmt: skip
    world.start()
    run = world.run("c")
    world.advance(1)
    assert len(world.pbx.live) == 4
    for factor, calls in ((1.5, 6), (2.0, 8), (0.5, 8), (1.0, 8)):
        do(world, "boost", "c", factor)
        world.advance(0.3)
        assert (len(world.pbx.live), run.boost) == (calls, factor)


# A campaign that is configured anew


def live(world: World) -> int:
    return len(world.pbx.live)


def test_nothing_takes_effect_before_the_reload(world: World) -> None:
    campaign = world.add_campaign("c", [RINGS.format(n) for n in range(60)], answer_timeout_ms=4000, **ways(world))
    world.start()
    run = world.run("c")
    configured(world, campaign, priority=1, answer_timeout_ms=60_000)
    campaigns.set_campaign_trunks(world.database, campaign.id or 0, trunk_ids=[world.trunk.id or 0], **BY)
    world.advance(30)
    assert (run.contender.priority, live(world)) == (10, 2)
    assert [round(wait / 1000) for (wait,) in world.log("wait_after_ms")[:4]] == [4] * 4


def test_rules_count_for_attempts_that_end_from_then_on(world: World) -> None:
    campaign = world.add_campaign("c", ["5552100001"], **ways(world))
    world.start()
    world.run("c")
    world.advance(0.3)
    campaigns.set_campaign_rules(world.database, campaign.id or 0, rules=[rule("RS_BUSY", after=2)], **BY)
    do(world, "reload", "c")
    assert live(world) == 1, "it was placed before"
    world.finish()
    assert world.log("outcome, attempt, retry_in_s") == [("RS_BUSY", 1, 2), ("RS_BUSY", 2, 0)]


def test_time_limits_count_for_calls_that_are_placed_from_then_on(world: World) -> None:
    """Also for those that were loaded before; the dialer's own deadline and what the PBX is told agree."""
    campaign = world.add_campaign("c", [RINGS.format(n) for n in range(6)], answer_timeout_ms=3000, **ways(world))
    world.start()
    world.run("c")
    world.advance(1)
    configured(world, campaign, answer_timeout_ms=30_000)
    do(world, "reload", "c")
    world.finish()
    assert [headers["timeout"] for headers in world.pbx.originates] == ["3000"] * 2 + ["30000"] * 4
    assert [round(wait / 1000) for (wait,) in world.log("wait_after_ms")] == [3] * 2 + [30] * 4
    assert [outcome for _, outcome, _ in world.log()] == ["RS_NOANSWER"] * 6
    assert not [name for name, _ in world.pbx.actions if name in ("Getvar", "Status")], "nobody asked whether they live"


def _other_trunk(world: World, campaign: Campaign) -> None:
    other = world.add_trunk("other", capacity=5)
    campaigns.set_campaign_trunks(world.database, campaign.id or 0, trunk_ids=[other.id or 0], **BY)


def _more_lines(world: World, campaign: Campaign) -> None:
    (trunk_id,) = campaign.trunk_ids
    entities.save_trunk(world.database, replace(world.dialer.board.trunks[trunk_id], capacity=7), **BY)


def _fewer_lines(world: World, campaign: Campaign) -> None:
    (trunk_id,) = campaign.trunk_ids
    entities.save_trunk(world.database, replace(world.dialer.board.trunks[trunk_id], capacity=1), **BY)


def _small_end_point(world: World, campaign: Campaign) -> None:
    one = world.add_end_point("one", exten="101", channels=1)
    campaigns.set_campaign_end_points(world.database, campaign.id or 0, end_point_ids=[one.id or 0], **BY)


@pytest.mark.parametrize(
    ("change", "at_once", "later"),
    [(_other_trunk, 2 + 5, 5), (_more_lines, 7, 7), (_fewer_lines, 2, 1), (_small_end_point, 2, 1)],
    ids=["another trunk", "more lines", "fewer lines", "another end point, with one channel"],
)
def test_lines_count_from_the_next_pass_and_nothing_is_cut(
    world: World, change: Callable[[World, Campaign], None], at_once: int, later: int
) -> None:
    campaign = world.add_campaign("c", [RINGS.format(n) for n in range(60)], answer_timeout_ms=9000, **ways(world))
    world.start()
    world.run("c")
    world.advance(1)
    assert live(world) == 2
    before = set(world.pbx.live)
    change(world, campaign)
    do(world, "reload", "c")
    world.advance(1)
    assert before <= set(world.pbx.live), "calls in progress go on"
    assert live(world) == at_once
    world.advance(10)
    assert live(world) == later
    world.command("pause", "c")
    world.advance(20)
    assert all(lines.used == 0 for lines in world.dialer.board.trunk_lines.values())
    assert all(lines.used == 0 for lines in world.dialer.board.end_point_lines.values())


def test_texts_count_for_calls_and_the_batch_size_for_refills_from_then_on(world: World) -> None:
    campaign = world.add_campaign(
        "c", [RINGS.format(n) for n in range(60)], answer_timeout_ms=1000, batch_size=20, **ways(world)
    )
    world.start()
    run = world.run("c")
    world.advance(0.5)
    assert len(run.hopper) > 10
    configured(world, campaign, dial_clid="${campaign} <123>", batch_size=4)
    do(world, "reload", "c")
    told = len(world.pbx.originates)
    world.advance_until(lambda: len(run.hopper) <= 4)
    most = 0
    while run.remaining:
        world.advance(0.05)
        most = max(most, len(run.hopper))
    assert most == 4
    assert {headers.get("callerid") for headers in world.pbx.originates[told:]} == {"c <123>"}
