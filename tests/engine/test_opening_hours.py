"""Opening hours on a virtual clock: outside of them nothing is dialled, also no retry; a run may begin paused."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.engine.world import START, World, rule
from wombat_ari.model.entities import ActivePeriod, OpeningHours, OpeningRule
from wombat_ari.model.states import RunState
from wombat_ari.store import campaigns, opening_hours

NOON = START - START % 86400 + 12 * 3600


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def add_hours(world: World, name: str, *rules: OpeningRule) -> OpeningHours:
    hours = OpeningHours(None, name, rules=rules)
    return opening_hours.save_opening_hours(world.database, hours, by="test", now=START)


def closed(start_s: int, end_s: int) -> OpeningRule:
    return OpeningRule(open=False, start_s=start_s, end_s=end_s)


def second_of(moment: float) -> int:
    return int(moment % 86400)


def shown(world: World) -> dict[str, Any]:
    (run,) = world.dialer.publish.snapshot()["runs"]
    return run


def test_all_of_them_must_be_open_and_retries_wait_for_them(world: World) -> None:
    break_at = second_of(START) + 60
    lunch = add_hours(world, "lunch", closed(break_at, break_at + 599))
    coffee = add_hours(world, "coffee", closed(break_at + 300, break_at + 899))
    ids = (coffee.id or 0, lunch.id or 0)
    world.add_campaign("c", ["5557101001"], rules=(rule("RS_BUSY", times=2, after=120),), opening_hours_ids=ids)
    world.start()
    run = world.run("c")
    world.advance_until(lambda: run.machine.state == RunState.WRONG_TIME, 90)
    opens = START - START % 86400 + break_at + 900
    world.advance(2)
    assert shown(world)["opens_at"] == opens
    assert (
        shown(world)["why_not"]
        == f"out of its hours until {datetime.fromtimestamp(opens, UTC):%a %Y-%m-%d %H:%M:%S} UTC"
    )
    world.advance_until(lambda: world.clock.seconds() >= opens - 2, 1000)
    assert len(world.log()) == 1, "the retry was due long before"
    world.finish()
    (first, second) = world.log("attempted_at")
    assert second[0] >= opens > first[0]
    assert second[0] < opens + 5
    world.check_ledger()


def test_changed_hours_count_after_a_reload(world: World) -> None:
    office = add_hours(world, "office")
    world.add_campaign("c", ["5551990001"], opening_hours_ids=(office.id or 0,), idles_on_termination=True)
    world.start()
    run = world.run("c")
    shut = replace(office, rules=(OpeningRule(open=False, to_date="2027-03-01"),))
    opening_hours.save_opening_hours(world.database, shut, by="test", now=START)
    world.advance(5)
    assert run.machine.state == RunState.RUNNING
    world._now(world.dialer.obey._steer.reload("c"))
    world.advance(2)
    assert run.machine.state == RunState.WRONG_TIME
    assert shown(world)["opens_at"] == 1803945600.0, "midnight of 2 March 2027"
    campaign = campaigns.load_campaign(world.database, "c")
    campaigns.set_campaign_opening_hours(world.database, campaign.id or 0, opening_hours_ids=[], by="test", now=START)
    world._now(world.dialer.obey._steer.reload("c"))
    world.advance(2)
    assert run.machine.state == RunState.IDLE
    assert shown(world)["opens_at"] is None


def test_hours_that_never_open_again_are_shown_so(world: World) -> None:
    gone = add_hours(world, "gone", OpeningRule(open=False))
    period = ActivePeriod(zone="Europe/Rome")
    world.add_campaign("c", ["5551010001"], opening_hours_ids=(gone.id or 0,), active_period=period)
    world.start()
    run = world.run("c")
    world.advance(5)
    assert run.machine.state == RunState.WRONG_TIME
    assert shown(world)["opens_at"] is None
    assert shown(world)["why_not"] == "out of its hours, for more than a year"
    assert world.dialled_ids() == []


def test_a_restart_keeps_to_them(world: World) -> None:
    gone = add_hours(world, "gone", OpeningRule(open=False))
    world.add_campaign("c", ["5551010001"], opening_hours_ids=(gone.id or 0,))
    world.start()
    world.run("c")
    world.advance(2)
    world.stop()
    world.start()
    world.advance(5)
    assert [run.machine.state for run in world.dialer.board.runs.values()] == [RunState.WRONG_TIME]
    assert world.dialled_ids() == []


def test_a_run_begins_paused_and_with_its_boost(world: World) -> None:
    world.add_campaign("c", ["5551010001"], starts_paused=True, boost=1.5)
    world.start()
    run = world.run("c")
    world.advance(5)
    assert (run.machine.state, run.boost) == (RunState.PAUSED, 1.5)
    assert world.dialled_ids() == []
    assert ("PAUSED", "campaign c") in world.rows("SELECT action, object FROM system_log")
    world.command("resume", "c")
    world.finish()
    assert world.outcomes() == {"5551010001": ["TERMINATED"]}
