"""Reports by the wall clock of who looks, one attempt in full, numbers to a list as a job: and for whom."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.app.service.conftest import BOTH, caller
from tests.store.builders import add_campaign, add_list, result_of
from tests.store.conftest import NOW
from tests.store.test_claims import start, take
from tests.system.site import until
from wombat_ari.app.service import gathering, jobs, reports
from wombat_ari.app.service.jobs import Job, JobState
from wombat_ari.app.service.rights import FORBIDDEN, MISSING
from wombat_ari.model.entities import CallList, RescheduleRule
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.reports import AttemptFilter, Hour, Span, Wanted
from wombat_ari.model.states import Outcome, RetryMode
from wombat_ari.store import entities, journal, lists, syslog
from wombat_ari.store import gathering as store
from wombat_ari.store.database import Database

ROME = ZoneInfo("Europe/Rome")
BOSS = caller("boss", "REPORT", "LISTS")
DONE, BUSY = ("TERMINATED", ""), ("RS_BUSY", "")
#: 26 October 2025, the clock of Rome goes back: 02:30 the first time and the second time
FIRST, SECOND = 1_761_438_600.0, 1_761_442_200.0


def run_of(database: Database, name: str, *, key: str = "", at: float = NOW) -> int:
    """101 answered, 102 busy and tried again by a rule, 103 busy for good."""
    numbers = add_list(database, f"numbers of {name}", ["101", "102", "103"])
    campaign = add_campaign(database, name, normal=[numbers])
    if key:
        entities.save_campaign(database, replace(campaign, security_key=key), by="boss of it", now=NOW)
    rules = (RescheduleRule("RS_BUSY", "", 1, 60), RescheduleRule("RS_BUSY", "", 3, 300, RetryMode.MULTI))
    entities.set_campaign_rules(database, campaign.id or 0, rules=rules, by="x", now=NOW)
    run = start(database, campaign.id)
    one, two, three = take(database, run).claims
    journal.write(database, [
        replace(result_of(one, Outcome.TERMINATED), attempted_at=at),
        replace(result_of(two, retry_in_s=60), attempted_at=at + 3600), replace(result_of(three), attempted_at=at),
    ])  # fmt: skip
    return run


def over(database: Database, job: Job) -> Job:
    def look() -> Job | None:
        found = jobs.of(database).find(job.id)
        return found if found is not None and found.over else None

    return until(look, 30, "the job is over")


def numbers_to(database: Database, run_ids: list[int], name: str = "new", **options: Any) -> Job:
    wanted = Wanted(frozenset({DONE, BUSY}), **options)
    return gathering.numbers_to_list(BOSS, database, run_ids, wanted=wanted, call_list=CallList(None, name))


def names(database: Database) -> list[str]:
    return [one.name for one in entities.list_lists(database)]


@BOTH
def test_a_report_by_the_clock_of_who_looks(database: Database) -> None:
    run = run_of(database, "Sales", at=FIRST)
    found = reports.report(BOSS, database, [run], zone=ROME)
    hours = (Hour(FIRST - 1800, 2, 1, 5000), Hour(SECOND - 1800, 1, 0, 0))
    assert found.statistics.hours == found.timeline == hours
    assert found.span is Span.HOUR
    assert [(int(each.at) // 3600, each.calls) for each in found.hours_of_day if each.calls] == [(2, 3)]
    assert [one.id for one in found.runs] == [run]
    in_india = reports.report(BOSS, database, [run], zone=ZoneInfo("Asia/Kolkata"))
    assert [int(each.at) for each in in_india.timeline] == [FIRST, SECOND], "06:00 and 07:00"
    assert replace(in_india.statistics, hours=()) == replace(reports.statistics(BOSS, database, [run]), hours=())


def test_runs_are_searched_by_campaign_and_period(database: Database) -> None:
    sales, other = run_of(database, "Sales"), run_of(database, "Other")
    assert [run.id for run in reports.search_runs(BOSS, database)] == [other, sales]
    assert [run.id for run in reports.search_runs(BOSS, database, campaign=" sAL")] == [sales]
    assert reports.search_runs(BOSS, database, campaign="%") == []
    assert reports.search_runs(BOSS, database, to_at=NOW) == []
    assert [run.id for run in reports.chosen_runs(BOSS, database, [other, sales])] == [sales, other]
    with pytest.raises(UserError, match="at most 500"):
        reports.chosen_runs(BOSS, database, range(501))


def test_a_hidden_campaign_is_in_no_report(database: Database) -> None:
    hidden, open_one = run_of(database, "Hidden", key="VIP"), run_of(database, "Open")
    holder = caller("holder", "REPORT", "LISTS", "VIP")
    assert [run.id for run in reports.search_runs(BOSS, database)] == [open_one]
    assert [campaign.name for campaign in reports.campaigns_to_choose(BOSS, database)] == ["Open"]
    wombatid = reports.find_attempts(holder, database, [hidden]).calls[0].wombatid
    new, wanted = CallList(None, "new"), Wanted(frozenset({DONE}))
    asks: list[Any] = [
        lambda who, run: reports.report(who, database, [open_one, run], zone=ROME),
        lambda who, run: reports.find_attempts(who, database, [run]),
        lambda who, run: list(reports.export_attempts(who, database, [run])),
        lambda who, run: gathering.keys_of_runs(who, database, [run]),
        lambda who, run: gathering.numbers_to_list(who, database, [run], wanted=wanted, call_list=new),
    ]
    for ask in asks:
        for run in (hidden, 4711):
            with pytest.raises(UserError, match=f"there is no run {run}") as refusal:
                ask(BOSS, run)
            assert refusal.value.code == MISSING
        assert ask(holder, hidden)
    with pytest.raises(UserError, match="there is no logged call"):
        reports.attempt_story(BOSS, database, wombatid)
    assert gathering.keys_of_runs(holder, database, [hidden, open_one]) == ["VIP"]


@pytest.mark.parametrize("keys", [("LISTS",), ("REPORT",), ()])
def test_numbers_to_a_list_need_both_keys(database: Database, keys: tuple[str, ...]) -> None:
    run = run_of(database, "Sales")
    with pytest.raises(UserError) as refusal:
        gathering.numbers_to_list(
            caller("some", *keys), database, [run], wanted=Wanted(frozenset({DONE})), call_list=CallList(None, "new")
        )
    assert refusal.value.code == FORBIDDEN
    assert names(database) == ["numbers of Sales"]


def test_one_attempt_in_full(database: Database) -> None:
    run = run_of(database, "Sales")
    done, busy, _ = reports.find_attempts(BOSS, database, [run]).calls
    story = reports.attempt_story(BOSS, database, busy.wombatid)
    assert (story.call, story.run.id, story.siblings, story.unseen) == (busy, run, (busy,), 0)
    assert story.rule is not None
    assert (story.rule.max_attempts, story.rule.retry_after_s) == (1, 60)
    assert story.waiting is not None
    assert (story.waiting.attempt, story.waiting.due_at) == (2, NOW + 60)
    (again,) = take(database, run, now=NOW + 400).claims
    journal.write(database, [result_of(again, Outcome.TERMINATED)])
    story = reports.attempt_story(BOSS, database, again.wombatid)
    assert [one.attempt for one in story.siblings] == [1, 2]
    assert (story.rule, story.waiting) == (None, None)
    assert reports.attempt_story(BOSS, database, done.wombatid).rule is None
    entities.set_campaign_rules(database, story.call.campaign_id, rules=(), by="x", now=NOW)
    assert reports.attempt_story(BOSS, database, busy.wombatid).rule is None, "the rules are others now"


def test_attempts_of_a_record_in_runs_that_are_not_seen(database: Database) -> None:
    run = run_of(database, "Sales")
    call = reports.find_attempts(BOSS, database, [run]).calls[0]
    hidden = add_campaign(database, "Hidden", normal=[call.list_id])
    entities.save_campaign(database, replace(hidden, security_key="VIP"), by="x", now=NOW)
    journal.write(database, [result_of(claim) for claim in take(database, start(database, hidden.id)).claims])
    story = reports.attempt_story(BOSS, database, call.wombatid)
    assert (len(story.siblings), story.unseen) == (1, 1)
    assert len(reports.attempt_story(caller("holder", "REPORT", "VIP"), database, call.wombatid).siblings) == 2


def test_what_is_exported_is_what_was_found(database: Database) -> None:
    run = run_of(database, "Sales")
    found = list(reports.export_attempts(BOSS, database, [run], AttemptFilter(outcome="RS_BUSY")))
    assert [call.number for call in found] == ["102", "103"]
    assert found == reports.find_attempts(BOSS, database, [run], AttemptFilter(outcome="RS_BUSY")).calls


@BOTH
def test_numbers_go_to_a_new_list(database: Database) -> None:
    first, second = run_of(database, "Sales"), run_of(database, "Other")
    job = over(database, numbers_to(database, [first, second]))
    assert (job.state, job.error, job.title) == (JobState.DONE, "", "Numbers to list new")
    assert (job.result.read, job.result.added, job.done, job.total) == (4, 2, 4, 4)
    found = entities.load_list(database, "new")
    assert (job.about, found.hidden) == (f"list {found.id}", False)
    assert [record.number for record in lists.page_of_records(database, found.id or 0)] == ["101", "103"]
    (entry,) = syslog.read(database, action="numbers exported to a list")
    assert (entry.user, entry.object) == ("boss", "new")
    assert entry.detail.startswith("2 of 4 calls of Sales")
    with pytest.raises(UserError, match="list new: there is one of that name"):
        numbers_to(database, [first])
    again = over(database, numbers_to(database, [first], "all attempts", final=False))
    assert again.result.added == 3


def test_nothing_is_left_of_one_that_finds_nothing(database: Database) -> None:
    run = run_of(database, "Sales")
    wanted = Wanted(frozenset({("RS_FAX", "")}))
    job = gathering.numbers_to_list(BOSS, database, [run], wanted=wanted, call_list=CallList(None, "new"))
    job = over(database, job)
    assert (job.state, job.message) == (JobState.FAILED, "")
    assert "no call of these runs" in job.error
    assert names(database) == ["numbers of Sales"]
    for run_ids, outcomes in (([], {DONE}), ([run], set())):
        with pytest.raises(UserError, match="choose at least one outcome"):
            gathering.numbers_to_list(
                BOSS, database, run_ids, wanted=Wanted(frozenset(outcomes)), call_list=CallList(None, "new")
            )


class Held:
    """``lists.append`` waits after its first batch."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lists, "BATCH", 1)
        self.inside, self.go_on = threading.Event(), threading.Event()
        self.fails: Exception | None = None
        self._append = lists.append
        monkeypatch.setattr(lists, "append", self.append)

    def append(self, *args: Any, **options: Any) -> int:
        if self.inside.is_set():
            assert self.go_on.wait(30)
            if self.fails is not None:
                raise self.fails
        added = self._append(*args, **options)
        self.inside.set()
        return added


@BOTH
def test_one_that_is_called_off_leaves_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    held, run = Held(monkeypatch), run_of(database, "Sales")
    job = numbers_to(database, [run])
    assert held.inside.wait(30)
    assert "new (unfinished)" in names(database)
    assert "new" not in names(database)
    with pytest.raises(UserError, match="under way"):
        numbers_to(database, [run])
    jobs.cancel(BOSS, database, job.id)
    held.go_on.set()
    assert over(database, job).state is JobState.CANCELLED
    assert names(database) == ["numbers of Sales"]
    assert over(database, numbers_to(database, [run])).state is JobState.DONE, "the name is free"


def test_one_that_fails_leaves_nothing_and_says_why(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    held, run = Held(monkeypatch), run_of(database, "Sales")
    held.fails = StoreError("the disk is full")
    job = numbers_to(database, [run])
    held.go_on.set()
    ended = over(database, job)
    assert (ended.state, names(database)) == (JobState.FAILED, ["numbers of Sales"])
    assert "the disk is full" in ended.error


def test_a_database_that_stays_away_leaves_a_list_that_says_what_it_is(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, run = Held(monkeypatch), run_of(database, "Sales")
    held.fails = StoreError("away")

    def away(*args: Any, **options: Any) -> None:
        raise StoreError("away")

    monkeypatch.setattr(store, "discard", away)
    job = numbers_to(database, [run])
    held.go_on.set()
    assert over(database, job).state is JobState.FAILED
    assert names(database) == ["new (unfinished)", "numbers of Sales"]
    assert entities.load_list(database, "new (unfinished)").hidden


KILLED = """
import os, signal, sys, time
from pathlib import Path
from tests.app.service.test_reports import numbers_to
from wombat_ari.store import lists
from wombat_ari.store.database import open_database

append, added = lists.append, []

def killed(*args, **options):
    if added:
        os.kill(os.getpid(), signal.SIGKILL)
    added.append(append(*args, **options))
    return added[-1]

lists.BATCH, lists.append = 1, killed
database = open_database(sys.argv[1], key_file=Path(sys.argv[2]))
numbers_to(database, [int(sys.argv[3])])
time.sleep(60)
"""


def test_a_process_that_is_killed_leaves_a_list_that_says_what_it_is(database: Database, tmp_path: Path) -> None:
    run = run_of(database, "Sales")
    arguments = [f"sqlite:///{tmp_path / 'wombat.db'}", str(tmp_path / "secret.key"), str(run)]
    done = subprocess.run([sys.executable, "-c", KILLED, *arguments], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert names(database) == ["new (unfinished)", "numbers of Sales"]
    left = entities.load_list(database, "new (unfinished)")
    assert (left.hidden, lists.count_records(database, left.id or 0)) == (True, 1)
    with pytest.raises(UserError, match="was broken off"):
        numbers_to(database, [run])
    entities.delete_list(database, left.id or 0, by="boss", now=NOW)
    assert over(database, numbers_to(database, [run])).result.added == 2


def test_a_name_taken_in_the_meantime(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    run, finish = run_of(database, "Sales"), store.finish

    def taken(*args: Any, **options: Any) -> CallList:
        add_list(database, "new")
        return finish(*args, **options)

    monkeypatch.setattr(store, "finish", taken)
    ended = over(database, numbers_to(database, [run]))
    assert (ended.state, names(database)) == (JobState.FAILED, ["new", "numbers of Sales"])
    assert "there is one of that name already" in ended.error
    assert lists.count_records(database, entities.load_list(database, "new").id or 0) == 0
