"""Campaigns from the first number to the last on a virtual clock: outcomes, retries, capacities, the ledger."""

from itertools import pairwise
from pathlib import Path

import pytest

from tests.engine.world import World, rule
from wombat_ari.model.errors import UserError


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


ONE_OF_EACH = {
    "5551100001": ["TERMINATED"],
    "5551051002": ["TERMINATED"],
    "5552100003": ["RS_BUSY"],
    "5553000004": ["RS_NOANSWER"],
    "5554050005": ["RS_NUMBER"],
    "5555050006": ["RS_REJECTED"],
    "5556050007": ["RS_REJECTED"],
    "nobody": ["RS_NUMBER"],
}


def test_each_number_ends_as_it_behaves(world: World) -> None:
    world.add_campaign("c", list(ONE_OF_EACH))
    world.start()
    world.run("c")
    world.finish()
    assert world.outcomes() == ONE_OF_EACH
    world.check_ledger()


def test_a_busy_becomes_a_retry_and_then_is_answered(world: World) -> None:
    world.add_campaign("c", ["5557101001"], rules=(rule("RS_BUSY", times=2, after=30),))
    world.start()
    world.run("c")
    world.finish()
    (first, second) = world.log("outcome, attempt, retry_in_s, attempted_at, ended_at")
    assert (first[0], first[1], first[2]) == ("RS_BUSY", 1, 30)
    assert (second[0], second[1], second[2]) == ("TERMINATED", 2, 0)
    assert 30 <= second[3] - first[4] < 30.5
    world.check_ledger()


@pytest.mark.parametrize("ring", range(0, 20, 4))
def test_a_short_retry_is_placed_when_it_is_due(world: World, ring: int) -> None:
    """Also when the lists were looked at between the end of the call and the writing of its retry."""
    world.add_campaign("c", [f"5552{ring:02}00001"], rules=(rule("RS_BUSY", times=3, after=1),))
    world.start()
    world.run("c")
    world.finish()
    attempts = world.log("attempted_at, ended_at")
    assert len(attempts) == 4
    for before, after in pairwise(attempts):
        assert 1 <= after[0] - before[1] < 1.3


def test_waits_and_talk_are_what_the_network_did(world: World) -> None:
    world.add_campaign("c", ["5551203001"], end_point_ids=(world.add_end_point("wait", exten="101").id,))
    world.start()
    world.run("c")
    world.finish()
    ((pre, after, talk),) = world.log("wait_pre_ms, wait_after_ms, talk_ms")
    assert 0 <= pre <= 150
    assert 1900 <= after <= 2150
    assert 2900 <= talk <= 3150


def test_capacities_are_never_exceeded(world: World) -> None:
    trunk = world.add_trunk("small", capacity=3)
    world.add_campaign("c", [f"55510505{n:02}" for n in range(20)], trunk_ids=(trunk.id,))
    world.start()
    world.run("c")
    world.finish()
    assert world.pbx.max_live == 3
    assert len(world.log()) == 20


def test_the_congestion_budget_limits_the_rate(world: World) -> None:
    server = world.add_server("slow", world.pbx, unit_length_ms=1000, max_messages_per_unit=2)
    trunk, end_point = (
        world.add_trunk("t2", server=server, capacity=50),
        world.add_end_point("e2", server=server, channels=50),
    )
    world.add_campaign(
        "c", [f"55520000{n:02}" for n in range(10)], trunk_ids=(trunk.id,), end_point_ids=(end_point.id,)
    )
    world.start()
    began = world.clock.seconds()
    world.run("c")
    world.finish()
    assert world.clock.seconds() - began >= 4


def test_equal_campaigns_place_the_same_number(world: World) -> None:
    trunk = world.add_trunk("shared", capacity=4)
    for name in ("a", "b"):
        world.add_campaign(name, [f"555105{n:04}" for n in range(200)], trunk_ids=(trunk.id,))
    world.start()
    world.run("a")
    world.run("b")
    world.advance(30)
    placed = [run.tally.attempts + len(run.flights) for run in world.dialer.board.runs.values()]
    assert abs(placed[0] - placed[1]) <= 1
    assert min(placed) > 10


def test_a_more_urgent_campaign_goes_first(world: World) -> None:
    trunk = world.add_trunk("shared", capacity=4)
    numbers = [f"5551050{n:03}" for n in range(30)]
    world.add_campaign("urgent", numbers, priority=1, trunk_ids=(trunk.id,))
    world.add_campaign("other", numbers, priority=10, trunk_ids=(trunk.id,))
    world.start()
    world.run("other")
    world.run("urgent")
    world.advance_until(lambda: world.dialer.board.run_of("urgent") is None)
    other = world.dialer.board.run_of("other")
    assert other is not None
    assert other.tally.attempts <= 8


def test_black_listed_numbers_are_logged_and_never_dialled(world: World) -> None:
    from dataclasses import replace

    from wombat_ari.model.states import ListUse

    black = replace(world.add_list(["5551050002"]), use=ListUse.BLACK)
    wanted = world.add_list(["5551050001", "5551050002", "5551050003"])
    world.add_campaign("c", wanted, lists=(wanted, black))
    world.start()
    world.run("c")
    world.finish()
    assert world.outcomes()["5551050002"] == ["RS_BLACKLIST"]
    assert len(world.dialled_ids()) == 2
    world.check_ledger()


def test_forced_closure_ends_a_long_call(world: World) -> None:
    world.add_campaign(
        "c", ["5551050001"], forced_closure_s=20, end_point_ids=(world.add_end_point("w", exten="101").id,)
    )
    world.start()
    world.run("c")
    world.finish()
    ((outcome, talk),) = world.log("outcome, talk_ms")
    assert outcome == "RS_TIMEOUT"
    assert 20_000 <= talk <= 20_500


def test_an_idle_campaign_wakes_when_numbers_come(world: World) -> None:
    numbers = world.add_list(["5552000001"])
    world.add_campaign("c", numbers, idles_on_termination=True)
    world.start()
    run = world.run("c")
    world.advance_until(lambda: run.machine.state == "IDLE")
    world.append(numbers.list_id, ["5552000002"])
    world.advance_until(lambda: run.tally.attempts == 2)
    world.advance_until(lambda: run.machine.state == "IDLE")
    world.command("remove", "c")
    assert not world.dialer.board.runs
    world.advance(2)
    world.check_ledger()


def test_outside_its_hours_a_run_waits(world: World) -> None:
    from wombat_ari.model.entities import ActivePeriod

    world.add_campaign("c", ["5552000001"], active_period=ActivePeriod(0, 60, "1234567", "UTC"))
    world.start()
    run = world.run("c")
    world.advance(3)
    assert run.machine.state == "WRONG_TIME"
    assert not world.dialled_ids()


def test_paused_runs_place_nothing_and_removed_ones_give_up(world: World) -> None:
    trunk = world.add_trunk("small", capacity=2)
    world.add_campaign("c", [f"5551053{n:03}" for n in range(50)], trunk_ids=(trunk.id,))
    world.start()
    run = world.run("c")
    world.advance(2)
    world.command("pause", "c")
    world.advance(8)
    dialled = len(world.dialled_ids())
    assert not run.flights
    world.advance(5)
    assert len(world.dialled_ids()) == dialled
    world.command("resume", "c")
    world.advance(2)
    assert len(world.dialled_ids()) > dialled
    world.command("pause", "c")
    world.command("remove", "c")
    world.advance(10)
    world.check_ledger()
    assert world.rows("SELECT COUNT(*) FROM attempt") == [(0,)]


def test_refusals_say_why(world: World) -> None:
    world.add_campaign("c", ["5551050001"], trunk_ids=())
    world.start()
    with pytest.raises(UserError, match="no trunk"):
        world.run("c")
    with pytest.raises(UserError, match="no campaign x"):
        world.run("x")
    with pytest.raises(UserError, match="no live run"):
        world.command("pause", "c")


def test_a_value_with_a_line_break_is_an_error_that_names_it(world: World) -> None:
    numbers = world.add_list(["5551050001"], attributes='{"NOTE": "a\\nb"}')
    world.add_campaign("c", numbers)
    world.start()
    world.run("c")
    world.finish()
    ((outcome, message),) = world.log("outcome, message")
    assert outcome == "RS_ERROR"
    assert "NOTE" in message
    assert not world.pbx.originates


def test_status_and_attributes_from_the_dialplan_are_logged(world: World) -> None:
    world.add_campaign("c", ["5551050001"])
    world.start()
    world.run("c")
    world.finish()
    assert world.log("extended_status, output_attributes") == [("1", '{"HEARD":"yes"}')]


def test_late_words_are_added_to_the_log(world: World) -> None:
    from wombat_ari.model import events as ev

    world.add_campaign("c", ["5551050001"])
    world.start()
    world.run("c")
    world.finish()
    ((wombatid,),) = world.log("wombatid")
    for event in (ev.StatusSet(wombatid, "9"), ev.AttributeAppended(wombatid, "HEARD", "!"), ev.EndPointSeen(wombatid)):
        world.dialer.follow.on_event(event)
    world.advance(2)
    assert world.log("extended_status, output_attributes") == [("9", '{"HEARD":"yes!"}')]
    world.advance(61)
    world.dialer.follow.on_event(ev.StatusSet(wombatid, "too late"))
    world.advance(2)
    assert world.log("extended_status") == [("9",)]


def test_a_call_that_is_hung_up_before_it_was_placed_is_never_placed(world: World) -> None:
    from twisted.internet.defer import Deferred

    held: list[Deferred[None]] = []
    world.add_campaign("c", ["5551050001"])
    world.start()
    mark = world.dialer._schedule._desk.mark
    world.dialer._schedule._desk.mark = lambda *args, **kwargs: held.append(Deferred()) or held[-1]  # type: ignore[method-assign]
    world.run("c")
    world.advance(1)
    (wombatid,) = world.dialer.board.flights
    world.dialer.obey.hang_up(wombatid)
    world.dialer._schedule._desk.mark = mark  # type: ignore[method-assign]
    held[0].callback(None)
    world.finish()
    assert world.log("outcome") == [("RS_REJECTED",)]
    assert not world.dialled_ids()
    assert all(lines.used == 0 for lines in world.dialer.board.trunk_lines.values())
