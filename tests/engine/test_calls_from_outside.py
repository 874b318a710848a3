"""Calls from outside on a virtual clock: placed at once or when they are due, each once, whatever the run is doing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import deferLater

from tests.engine.world import World, rule
from wombat_ari.engine.append import Append
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.store import lists


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def idle(world: World) -> World:
    """The campaign ``c`` is IDLE, after one call."""
    waits = world.add_end_point("waits", exten="101")
    world.add_campaign("c", ["5551000500"], idles_on_termination=True, end_point_ids=(waits.id,))
    world.start()
    world.run("c")
    world.advance_until(lambda: state(world) == "IDLE" and not world.journal.waiting)
    return world


def state(world: World) -> str:
    (run,) = world.dialer.board.runs.values()
    return str(run.machine.state)


def add(world: World, number: str, *, after: float | None = None, campaign: str = "c", **attributes: str) -> int:
    due = None if after is None else world.clock.seconds() + after
    added: int = world._now(world.dialer.obey.add_call(campaign, number, attributes, due))
    return added


def do(world: World, name: str, *args: Any) -> Any:
    return getattr(world.dialer.obey, name)(*args)


def about(world: World, wombatid: int) -> dict[str, Any]:
    return dict(world._now(world.dialer.obey.call_info(wombatid)))


def logged(world: World) -> dict[int, tuple[Any, ...]]:
    return {row[0]: row[1:] for row in world.log("wombatid, number, outcome, attempted_at, list_name")}


def settled(world: World, count: int) -> None:
    world.advance_until(lambda: len(logged(world)) == count and state(world) == "IDLE")
    world.check_ledger()


def test_an_idle_run_places_it_at_once(idle: World) -> None:
    before = idle.clock.seconds()
    added = add(idle, "(555) 100-0501", NAME="Zoë")
    assert state(idle) == "RUNNING"
    idle.advance_until(lambda: len(idle.dialled_ids()) == 2, 0.3)
    settled(idle, 2)
    number, outcome, attempted_at, name = logged(idle)[added]
    assert (number, outcome, name) == ("5551000501", "TERMINATED", "c/AUTO")
    assert attempted_at - before < 0.3


def test_a_scheduled_one_is_placed_when_it_is_due(idle: World) -> None:
    due = idle.clock.seconds() + 600
    added = add(idle, "5551000501", after=600)
    assert state(idle) == "RUNNING", "it has something to do, later"
    assert about(idle, added)["state"] == "WAITING"
    assert about(idle, added)["due_at"] == due
    idle.advance(590)
    assert len(idle.dialled_ids()) == 1
    idle.check_ledger()
    settled(idle, 2)
    assert 0 <= logged(idle)[added][2] - due < 0.3


def test_a_scheduled_one_goes_before_the_numbers_of_the_lists(world: World) -> None:
    numbers = [f"55510005{n:02}" for n in range(60)]
    world.add_campaign("c", numbers, trunk_ids=(world.add_trunk("one line", capacity=1).id,))
    world.start()
    world.run("c")
    due = world.clock.seconds() + 5
    added = add(world, "5551000599", after=5)
    world.finish()
    assert 0 <= logged(world)[added][2] - due < 2, "as soon as the one line is free"
    assert len(world.log()) == 61
    world.check_ledger()


def test_time_that_has_passed_means_at_once(idle: World) -> None:
    added = add(idle, "5551000501", after=-100)
    settled(idle, 2)
    assert added in logged(idle)


def test_both_are_kept_over_a_crash(idle: World) -> None:
    later = add(idle, "5551000501", after=60)
    soon = add(idle, "5551000502")
    idle.kill()
    idle.start()
    settled(idle, 3)
    assert {logged(idle)[later][0], logged(idle)[soon][0]} == {"5551000501", "5551000502"}
    assert len(idle.dialled_ids()) == len(set(idle.dialled_ids())) == 3


def test_many_at_once_are_all_placed_once(idle: World) -> None:
    from twisted.internet.defer import Deferred

    answers: list[int] = []
    for n in range(200):
        adding = Deferred.fromCoroutine(idle.dialer.obey.add_call("c", f"55510001{n:03}", {}, None))
        adding.addCallback(answers.append)
    settled(idle, 201)
    assert len(set(answers)) == 200
    assert set(answers) <= set(logged(idle))
    assert len(idle.dialled_ids()) == len(set(idle.dialled_ids()))


def test_its_retries_follow_the_rules(world: World) -> None:
    world.add_campaign("c", [], idles_on_termination=True, rules=(rule("RS_BUSY", times=1, after=5),))
    world.start()
    world.run("c")
    added = add(world, "5552000001")
    world.advance_until(lambda: len(world.log()) == 2)
    assert [(row[0], row[1]) for row in world.log("number, attempt")] == [("5552000001", 1), ("5552000001", 2)]
    assert world.log("wombatid")[0] == (added,)


def test_a_paused_run_takes_it_when_it_is_resumed(idle: World) -> None:
    idle.command("pause", "c")
    soon, later = add(idle, "5551000501"), add(idle, "5551000502", after=5)
    idle.advance(20)
    assert (len(idle.dialled_ids()), state(idle)) == (1, "PAUSED")
    assert [about(idle, added)["state"] for added in (soon, later)] == ["ON_LIST", "WAITING"]
    idle.command("resume", "c")
    settled(idle, 3)
    assert {soon, later} <= set(logged(idle))


def test_a_removed_run_ends_with_what_it_did_not_place(idle: World) -> None:
    idle.command("pause", "c")
    add(idle, "5551000501")
    add(idle, "5551000502", after=5)
    idle.command("remove", "c")
    idle.run("c")
    idle.advance_until(lambda: state(idle) == "IDLE")
    added = add(idle, "5551000503")
    settled(idle, 3)
    assert sorted(row[0] for row in logged(idle).values()) == ["5551000500", "5551000500", "5551000503"]
    assert added in logged(idle)


def test_a_run_does_not_complete_over_a_call_that_is_being_added(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its writing takes a while, and meanwhile the last number is done."""
    from twisted.internet import defer

    world.add_campaign("c", ["5551000500"])
    world.start()
    run = world.run("c")
    write: list[Any] = []
    desk = world.dialer._desk
    real = desk.add_calls

    def slow(new: Any, *, now: float) -> Any:
        answer: defer.Deferred[Any] = defer.Deferred()
        write.append(lambda: real(new, now=now).chainDeferred(answer))
        return answer

    monkeypatch.setattr(desk, "add_calls", slow)
    adding = defer.Deferred.fromCoroutine(world.dialer.obey.add_call("c", "5551000501", {}, None))
    world.advance_until(lambda: len(world.log()) == 1)
    world.advance(10)
    assert str(run.machine.state) == "RUNNING"
    write.pop()()
    added: list[int] = []
    adding.addCallback(added.append)
    world.finish()
    assert added[0] in logged(world)
    world.check_ledger()


def test_who_asks_is_answered_before_the_dialer_stops(idle: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from twisted.internet import defer

    desk = idle.dialer._desk
    real = desk.add_calls

    def slow(*args: Any, **values: Any) -> Any:
        return deferLater(idle.clock, 1.0, real, *args, **values)  # type: ignore[arg-type]

    monkeypatch.setattr(desk, "add_calls", slow)
    answers: list[int] = []
    for n in range(3):
        defer.Deferred.fromCoroutine(idle.dialer.obey.add_call("c", f"555100050{n}", {}, None)).addCallback(
            answers.append
        )
        idle.advance(0.3)
    stopping = defer.Deferred.fromCoroutine(idle.dialer.stop())
    idle.advance(0.5)
    assert (len(answers), stopping.called) == (1, False)
    idle.advance(1.5)
    assert (len(answers), stopping.called) == (3, True)


def test_numbers_of_a_record_are_tried_in_order_by_the_rules(world: World) -> None:
    rules = (rule("RS_NUMBER", times=2, after=1), rule("RS_BUSY", times=1, after=30))
    world.add_campaign("c", [], idles_on_termination=True, rules=rules)
    world.start()
    world.run("c")
    added = add(world, "5554000001", MULTINUM1="5552 000 002", MULTINUM2="5551000503")
    world.advance_until(lambda: len(world.log()) == 2)
    world.advance(60)
    tried = world.log("wombatid, number, outcome, attempt, retry_in_s")
    assert tried[0] == (added, "5554000001", "RS_NUMBER", 1, 1)
    assert tried[1][1:] == ("5552000002", "RS_BUSY", 2, 0), "a BUSY is tried again once only, and this was the second"
    assert [headers["channel"] for headers in world.pbx.originates] == [
        "Local/5554000001@simulated-network/n", "Local/5552000002@simulated-network/n",
    ]  # fmt: skip
    world.check_ledger()


def test_appended_numbers_of_others_wake_it_at_once_when_they_are_told(idle: World) -> None:
    (call_list,) = (each for each in next(iter(idle.dialer.board.runs.values())).lists.values())
    lists.import_native(idle.database, call_list.list_id, source="5551000501\n", by="test", now=0.0)
    do(idle, "numbers_came", "another list")
    assert state(idle) == "IDLE"
    do(idle, "numbers_came", call_list.name)
    assert state(idle) == "RUNNING"
    settled(idle, 2)


def test_appended_numbers_of_others_are_found_within_moments(idle: World) -> None:
    (run,) = idle.dialer.board.runs.values()
    (call_list,) = run.lists.values()
    lists.import_native(idle.database, call_list.list_id, source="5551000501\n", by="test", now=0.0)
    idle.advance_until(lambda: len(idle.dialled_ids()) == 2, 2.2)


def test_an_idle_run_stays_idle_while_it_is_looked_at(idle: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its state is stored and told at each change: looking for numbers is none, also when it takes a while."""
    desk = idle.dialer._desk
    real = desk.take

    def slow(*args: Any, **values: Any) -> Any:
        return deferLater(idle.clock, 1.5, real, *args, **values)  # type: ignore[arg-type]

    monkeypatch.setattr(desk, "take", slow)
    before = idle.rows("SELECT COUNT(*) FROM system_log")
    idle.advance(20)
    assert idle.rows("SELECT COUNT(*) FROM system_log") == before


class TestRefusals:
    def refused(self, world: World, *args: Any, **values: Any) -> UserError:
        with pytest.raises(UserError) as caught:
            add(world, *args, **values)
        return caught.value

    def test_without_a_live_run(self, world: World) -> None:
        world.add_campaign("c", [])
        world.start()
        error = self.refused(world, "5551")
        assert (str(error), error.code) == (
            "campaign 'c' has no live run: start it, then its calls can be added", "no-run",
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("number", "values", "text"),
        [
            ("", {}, "the number is empty"),
            ("no way", {}, "only digits, letters"),
            ("5551", {"A B": "x"}, "attribute name 'A B'"),
            ("5551", {"A": "x\ny"}, "must not hold LF"),
            ("5551", {"MULTINUM1": "no way"}, "MULTINUM1: number 'no way'"),
            ("5551", {"after": 4e8}, "more than a year ahead"),
        ],
    )
    def test_of_what_cannot_be(self, idle: World, number: str, values: Any, text: str) -> None:
        assert text in str(self.refused(idle, number, **values))
        assert idle.rows("SELECT COUNT(*) FROM record") == [(1,)]

    def test_while_the_dialer_stops(self, idle: World) -> None:
        idle.stop()
        assert self.refused(idle, "5551").code == "not-ready"

    def test_when_the_run_has_ended_in_the_database(self, idle: World) -> None:
        with idle.database.transaction() as tx:
            tx.run("UPDATE run SET live_campaign_id = NULL")
        assert self.refused(idle, "5551").code == "no-run"

    def test_while_the_database_is_away(self, idle: World) -> None:
        idle.pool.trouble = StoreError("the database is away", transient=True)
        with pytest.raises(StoreError, match="away"):
            add(idle, "5551")
        idle.pool.trouble = None
        added = add(idle, "5551000501")
        settled(idle, 2)
        assert added in logged(idle)


class TestWords:
    """Extended status and attributes from outside."""

    def test_of_a_live_call(self, idle: World) -> None:
        added = add(idle, "5551003001", A="1")
        idle.advance_until(lambda: added in idle.dialer.board.flights and about(idle, added)["state"] == "CONNECTED")
        do(idle, "set_status", added, " SALE ")
        do(idle, "set_attribute", added, "NOTE", "one")
        do(idle, "append_attribute", added, "NOTE", " two")
        do(idle, "set_attribute", added, "GONE", "x")
        do(idle, "clear_attribute", added, "GONE")
        found = about(idle, added)
        assert (found["is_live"], found["extended_status"]) == (True, "SALE")
        assert (found["input_attributes"], found["output_attributes"]["NOTE"]) == ({"A": "1"}, "one two")
        settled(idle, 2)
        found = about(idle, added)
        assert (found["is_live"], found["state"], found["outcome"]) == (False, "ENDED", "TERMINATED")
        assert (found["extended_status"], found["output_attributes"]["NOTE"]) == ("SALE", "one two")

    def test_of_one_that_ended_within_a_minute(self, idle: World) -> None:
        added = add(idle, "5551000501")
        settled(idle, 2)
        idle.advance(50)
        do(idle, "set_status", added, "LATE")
        do(idle, "set_attribute", added, "NOTE", "late")
        found = about(idle, added)
        assert (found["extended_status"], found["output_attributes"]["NOTE"]) == ("LATE", "late")
        idle.advance(15)
        with pytest.raises(UserError, match="nor has one that ended within a minute"):
            do(idle, "set_status", added, "TOO LATE")
        assert about(idle, added)["extended_status"] == "LATE"

    def test_of_none(self, idle: World) -> None:
        later = add(idle, "5551000501", after=60)
        for wombatid in (4711, later):
            with pytest.raises(UserError, match="no live call has the WOMBATID") as caught:
                do(idle, "set_status", wombatid, "X")
            assert caught.value.code == "no-call"
        with pytest.raises(UserError, match="no call has the WOMBATID 4711"):
            about(idle, 4711)

    def test_that_cannot_be(self, idle: World) -> None:
        for args in (("set_status", 1, "x" * 81), ("set_status", 1, "a\nb"), ("set_attribute", 1, "A B", "x")):
            with pytest.raises(UserError) as caught:
                do(idle, *args)
            assert caught.value.code == "user"


def test_append_is_what_obey_offers(idle: World) -> None:
    assert isinstance(idle.dialer.obey.add_call.__self__, Append)  # type: ignore[attr-defined]
