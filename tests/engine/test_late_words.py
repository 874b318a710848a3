"""A status that an agent sets after the hang-up counts: the rules are asked again, and the ledger stays right."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.world import World, rule
from wombat_ari.core.run import RunEvent
from wombat_ari.engine.board import LiveRun
from wombat_ari.model import events as ev
from wombat_ari.model.errors import StoreError
from wombat_ari.model.states import CallLogging, RunState

PHONE = "5551010001"  #: answers after a tenth of a second; the message ends the call with status 1
AGAIN, NEVER = "AGAIN", "NEVER"
RULES = (rule("TERMINATED", extended_status=AGAIN, times=2, after=20),)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def one_call(world: World, numbers: list[str] | None = None, **values: Any) -> tuple[LiveRun, int]:
    """A run whose only call has ended; it stays live, since it idles."""
    world.add_campaign("c", numbers or [PHONE], **{"idles_on_termination": True, "rules": RULES, **values})
    world.start()
    run = world.run("c")
    world.advance_until(lambda: len(world.log()) == 1)
    ((wombatid,),) = world.log("wombatid")
    return run, wombatid


def say(world: World, wombatid: int, code: str) -> None:
    world.dialer.follow.on_event(ev.StatusSet(wombatid, code))


def test_a_closed_record_gets_its_retry(world: World) -> None:
    run, wombatid = one_call(world)
    assert (run.tally.closed, run.tally.open_retries) == (1, 0)
    say(world, wombatid, AGAIN)
    assert (run.tally.closed, run.tally.open_retries, run.tally.rescheduled) == (0, 1, 1)
    world.advance(2)
    assert world.log("extended_status, retry_in_s") == [(AGAIN, 20)]
    assert run.machine.state == RunState.RUNNING, "it has work again"
    world.check_ledger()
    world.advance_until(lambda: len(world.log()) == 2)
    (first, second) = world.log("ended_at, attempted_at, attempt")
    assert second[2] == 2
    assert 20 <= second[1] - first[0] < 25
    world.check_ledger()


def test_it_is_tried_only_as_often_as_the_rules_say(world: World) -> None:
    _, wombatid = one_call(world)
    for tries in (1, 2, 3):
        say(world, max(row[0] for row in world.log("wombatid")), AGAIN)
        world.advance(40)
        assert len(world.log()) == min(tries + 1, 3)
    assert [row[0] for row in world.log("retry_in_s")] == [20, 20, 0]
    say(world, wombatid, AGAIN)  # over a minute ago
    world.advance(40)
    assert len(world.log()) == 3
    world.check_ledger()


def test_a_retry_is_taken_back_or_moved(world: World) -> None:
    rules = (rule("TERMINATED", extended_status="*", after=30), rule("TERMINATED", extended_status="SOON", after=10))
    run, wombatid = one_call(world, rules=(*rules, *RULES))
    assert run.tally.open_retries == 1
    say(world, wombatid, "SOON")
    world.advance(2)
    assert world.log("retry_in_s") == [(10,)]
    world.advance_until(lambda: len(world.log()) == 2, 20)
    world.check_ledger()
    second = max(row[0] for row in world.log("wombatid"))
    assert world.log("retry_in_s")[1] == (0,)
    say(world, second, AGAIN)
    say(world, second, NEVER)
    world.advance(2)
    assert run.tally.open_retries == 0
    assert world.rows("SELECT COUNT(*) FROM open_retry") == [(0,)]
    world.advance(60)
    assert len(world.log()) == 2
    world.check_ledger()


def test_a_retry_that_is_taken_stays(world: World) -> None:
    rules = (rule("TERMINATED", extended_status="1", after=5),)
    run, wombatid = one_call(world, ["5551010001"], rules=rules)
    world.advance_until(lambda: len(run.flights) == 1, 20)
    say(world, wombatid, NEVER)
    world.advance(10)
    assert world.log("extended_status, retry_in_s") == [(NEVER, 5), ("1", 0)]
    say(world, wombatid, "OTHER")
    world.advance(2)
    assert world.log("extended_status, retry_in_s") == [("OTHER", 5), ("1", 0)], "nor when it has ended"
    world.check_ledger()


def test_a_run_that_has_completed_stays_so_and_the_status_is_logged(world: World) -> None:
    _, wombatid = one_call(world, idles_on_termination=False)
    world.finish()
    say(world, wombatid, AGAIN)
    world.advance(60)
    assert world.log("extended_status, retry_in_s") == [(AGAIN, 0)]
    assert world.rows("SELECT state FROM run") == [("COMPLETED",)]
    world.check_ledger()


def test_a_run_does_not_complete_under_a_retry(world: World) -> None:
    """Another call is still on when the status comes; then the run has only the retry left, and waits for it."""
    world.add_campaign("c", [PHONE, "5553000004"], rules=RULES)
    world.start()
    run = world.run("c")
    world.advance_until(lambda: len(world.log()) == 1)
    say(world, world.log("wombatid")[0][0], AGAIN)
    world.finish()
    assert sorted(world.log("number, attempt")) == [(PHONE, 1), (PHONE, 2), ("5553000004", 1)]
    assert run.machine.state == RunState.COMPLETED
    world.check_ledger()


def test_while_claims_are_under_way_words_wait_and_keep_their_order(world: World) -> None:
    run, wombatid = one_call(world)
    run.hopper.filling = True
    for code in (AGAIN, "MIDDLE", NEVER):
        say(world, wombatid, code)
    world.dialer.follow.on_event(ev.AttributeSet(wombatid, "A", "1"))
    world.advance(1)
    assert world.log("extended_status") == [("1",)]
    run.hopper.filling = False
    world.advance(2)
    assert world.log("extended_status, retry_in_s") == [(NEVER, 0)]
    assert '"A":"1"' in world.log("output_attributes")[0][0]
    world.check_ledger()


def test_a_run_does_not_complete_over_a_word_that_waits(world: World) -> None:
    run, wombatid = one_call(world, idles_on_termination=True)
    run.hopper.filling = True
    run.campaign = replace(run.campaign, idles_on_termination=False)
    world.dialer._supervise._happened(run, RunEvent.NUMBERS_CAME)
    say(world, wombatid, AGAIN)
    run.hopper.filling = False
    world.dialer._supervise.look_at(run)  # the claims have just brought nothing
    world.finish()
    assert world.log("extended_status, attempt") == [(AGAIN, 1), ("1", 2)]
    assert run.appending == 0
    world.check_ledger()


def test_late_words_are_told_in_the_queue_log(world: World) -> None:
    told = {"logging": CallLogging.QM_COMPATIBLE, "logging_attributes": "NOTE,HEARD"}
    _, wombatid = one_call(world, **told)
    say(world, wombatid, "7")
    for name, value in (("NOTE", "call|back"), ("OTHER", "x")):
        world.dialer.follow.on_event(ev.AttributeSet(wombatid, name, value))
    world.dialer.follow.on_event(ev.AttributeAppended(wombatid, "NOTE", "!"))
    world.advance(2)
    lines = [headers for name, headers in world.pbx.actions if name == "QueueLog"]
    assert [(line["event"], line["message"]) for line in lines][2:] == [
        ("COMPLETECALLER", "0|0|1"),
        ("CALLSTATUS", "1"),
        ("INFO", "HEARD|yes"),
        ("CALLSTATUS", "7"),
        ("INFO", "NOTE|call/back"),
        ("INFO", "NOTE|call/back!"),
    ]
    assert len({line["uniqueid"] for line in lines}) == 1


def test_what_is_decided_anew_is_written_before_anything_is_claimed(world: World) -> None:
    """The retry falls due while the database is away for a moment: it must not be claimed before it is taken back."""
    run, wombatid = one_call(world, rules=(rule("TERMINATED", extended_status="1", after=20),))
    assert run.hopper.next_retry_at is not None
    world.advance_until(lambda: world.clock.seconds() >= run.hopper.next_retry_at - 0.1)
    world.pool.trouble = StoreError("away", transient=True)
    say(world, wombatid, NEVER)
    world.advance(0.1)
    world.pool.trouble = None
    world.advance(20)
    assert world.log("retry_in_s") == [(0,)]
    assert run.tally.closed == 1
    world.check_ledger()


def test_the_database_may_be_away(world: World) -> None:
    run, wombatid = one_call(world)
    world.pool.trouble = StoreError("away", transient=True)
    say(world, wombatid, AGAIN)
    world.advance(30)
    assert run.machine.state in (RunState.IDLE, RunState.RUNNING)
    world.pool.trouble = None
    world.advance_until(lambda: len(world.log()) == 2, 60)
    world.check_ledger()


codes = st.sampled_from(["1", AGAIN, NEVER, "LATER"])
steps = st.lists(st.tuples(st.integers(0, 3), codes, st.sampled_from([0.05, 0.3, 1.0, 5.0, 14.0])), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_whatever_is_said_when_the_ledger_holds_and_nobody_is_called_too_often(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str, float]]
) -> None:
    world = World(tmp_path_factory.mktemp("late"))
    later = rule("TERMINATED", extended_status="LATER", times=3, after=5)
    rules = (*RULES, later, rule("TERMINATED", extended_status="1", after=7))
    world.add_campaign("c", [PHONE, "5551010002", "5552010003"], rules=rules, idles_on_termination=True)
    world.start()
    run = world.run("c")
    for which, code, pause in steps:
        ids = [row[0] for row in world.log("wombatid")]
        if ids:
            say(world, ids[which % len(ids)], code)
        world.advance(pause)
        if not world.journal.waiting:
            world.check_ledger()
            ((closed, retries, rescheduled),) = world.rows("SELECT closed, open_retries, rescheduled FROM run")
            assert (run.tally.closed, run.tally.open_retries, run.tally.rescheduled) == (closed, retries, rescheduled)
    world.advance(60)
    assert world.rows("SELECT COUNT(*) FROM open_retry") == [(0,)]
    for number, attempts in world.outcomes().items():
        assert len(attempts) <= 4, f"{number}: the rules allow three retries at most"
    assert len(world.dialled_ids()) == len(set(world.dialled_ids())) == len(world.log())
    world.check_ledger()
    world.database.close()
