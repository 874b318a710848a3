"""A run that is paused, out of its hours or removed: what it does not place any more, what goes on (spec 02)."""

from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from tests.engine.world import FlakyPool, World, rule
from wombat_ari.engine.board import PLACEABLE
from wombat_ari.engine.schedule import HOLD_S

SHORT = "5551010{:03}"  #: answers after a tenth of a second; the message ends the call


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


class UrgentLane(FlakyPool):
    """Its marks and releases are written when the test says so: ``held`` is what waits, in order."""

    def __init__(self) -> None:
        self.held: list[tuple[Deferred[Any], Any, Any, Any]] | None = None

    def urgent(self, job: Any, *args: Any, **kwargs: Any) -> Any:
        if self.held is None:
            return super().urgent(job, *args, **kwargs)
        self.held.append((Deferred(), job, args, kwargs))
        return self.held[-1][0]

    def let_go(self) -> None:
        held, self.held = self.held or [], None
        for waiting, job, args, kwargs in held:
            super().urgent(job, *args, **kwargs).chainDeferred(waiting)


def test_after_a_pause_is_answered_nothing_is_placed_though_it_was_on_its_way(world: World) -> None:
    """The calls had their lines, and their marks were being written: they go back and are the first ones later."""
    lane = world.pool = UrgentLane()
    world.add_campaign("c", [SHORT.format(n) for n in range(20)])
    world.start()
    lane.held = []
    run = world.run("c")
    world.advance(0.3)
    assert [flight.call.state in PLACEABLE for flight in run.flights.values()] == [True] * 10
    world.command("pause", "c")
    assert (len(run.flights), len(run.hopper)) == (0, 20)
    assert all(lines.used == 0 for lines in world.dialer.board.trunk_lines.values())
    lane.let_go()
    world.advance(5)
    assert not world.dialled_ids()
    assert world.rows("SELECT DISTINCT state FROM attempt") == [("IN_HOPPER",)], "nobody was called, and it says so"
    world.command("resume", "c")
    world.finish()
    assert [number for number, *_ in world.log()][:10] == [SHORT.format(n) for n in range(10)]
    assert len(set(world.dialled_ids())) == len(world.dialled_ids()) == 20
    world.check_ledger()


def test_a_call_that_was_taken_back_and_given_a_line_again_waits_for_its_new_mark(world: World) -> None:
    lane = world.pool = UrgentLane()
    server = world.add_server("slow", world.pbx, unit_length_ms=2000, max_messages_per_unit=1)
    world.add_campaign(
        "c", [SHORT.format(n) for n in range(4)], trunk_ids=(world.add_trunk("t", server=server).id,),
        end_point_ids=(world.add_end_point("e", server=server).id,),
    )  # fmt: skip
    world.start()
    world.run("c")
    world.advance_until(lambda: len(world.pbx.originates) == 1)
    world.advance(0.5)
    pbx = world.dialer.board.pbxs[server.id or 0]
    assert pbx.orders, "an Originate waits for the budget"
    world.command("pause", "c")
    lane.held = []
    world.command("resume", "c")
    world.advance(10)
    assert len(world.pbx.originates) == 1, "not by the order that was given before the pause"
    lane.let_go()
    world.finish()
    ids = [headers["channelid"] for headers in world.pbx.originates]
    assert len(set(ids)) == len(ids) == 4


@pytest.mark.parametrize("held", [False, True], ids=["marks are quick", "marks are slow"])
def test_a_run_is_removed_right_after_it_was_paused(world: World, held: bool) -> None:
    """Another run's marks, in the same batch, do not suffer; nothing is held up, nothing is left."""
    lane = world.pool = UrgentLane()
    for name in ("c", "other"):
        world.add_campaign(name, [SHORT.format(n) for n in range(40)])
    world.start()
    world.run("other")
    run = world.run("c")
    world.advance(0.5)
    lane.held = [] if held else None
    world.advance(0.3)
    if held:
        world.clock.callLater(0.2, lane.let_go)
    world.command("pause", "c")
    world.command("remove", "c")
    board = world.dialer.board
    until = world.clock.seconds() + HOLD_S + 1
    while world.clock.seconds() < until:
        world.advance(0.05)
        assert (board.database_trouble, world.dialer._schedule._hold_until) == ("", 0.0)
    world.advance_until(lambda: not run.flights and not world.journal.waiting)
    assert world.rows(f"SELECT COUNT(*) FROM attempt WHERE run_id = {run.id}") == [(0,)]
    world.check_ledger()
    world.finish()
    assert world.rows("SELECT campaign_name, state FROM run ORDER BY id") == [("other", "COMPLETED"), ("c", "REMOVED")]
    assert world.rows("SELECT COUNT(*) FROM call_log WHERE campaign_name = 'other'") == [(40,)]
    world.check_ledger()


def test_a_removal_that_comes_while_it_is_resumed_is_refused(world: World) -> None:
    """Waiting for marks takes a moment; what was allowed before must be so after it."""
    lane = world.pool = UrgentLane()
    world.add_campaign("c", ["5553000001"], answer_timeout_ms=60_000)
    world.start()
    run = world.run("c")
    world.command("pause", "c")
    lane.held = []
    removing = Deferred.fromCoroutine(world.dialer.obey.remove_run("c", "test"))
    world.command("resume", "c")
    lane.let_go()
    failed: list[Any] = []
    removing.addErrback(failed.append)
    world.advance(1)
    assert "is RUNNING and cannot be removed" in failed[0].getErrorMessage()
    assert run.machine.state == "RUNNING"


def test_calls_in_progress_go_on_when_their_run_is_removed(world: World) -> None:
    trunk, wait = world.add_trunk("t", capacity=3), world.add_end_point("w", exten="101")
    again = rule("TERMINATED", times=9, after=1, extended_status="")
    numbers = [f"555100{90 + n}{n:03}" for n in range(9)]
    world.add_campaign("c", numbers, trunk_ids=(trunk.id,), end_point_ids=(wait.id,), rules=(again,))
    world.start()
    run = world.run("c")
    world.advance_until(lambda: sum(call.up for call in world.pbx.live.values()) == 3)
    world.command("pause", "c")
    world.command("remove", "c")
    assert len(world.pbx.live) == 3
    shown = world.dialer.publish.snapshot()
    assert [call["state"] for call in shown["calls"]] == ["CONNECTED"] * 3
    assert shown["channels_in_use"] == 3
    world.advance_until(lambda: not run.flights and not world.journal.waiting)
    assert world.log("outcome, retry_in_s") == [("TERMINATED", 0)] * 3, "of a run that has ended nothing is tried again"
    assert all(lines.used == 0 for lines in world.dialer.board.trunk_lines.values())
    world.check_ledger()
