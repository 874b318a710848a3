"""Statistics, attempts in pages, the system log, pruning, and the queries of sql/reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.store.builders import add_campaign, add_list, result_of
from tests.store.conftest import NOW
from tests.store.test_claims import start, take
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.model.errors import UserError
from wombat_ari.model.reports import Hour, OutcomeShare, RunStatistics, Share, WaitingRetry
from wombat_ari.model.states import Outcome, RunState
from wombat_ari.store import attempts, journal, pruning, reports, runs, syslog
from wombat_ari.store.database import Database

QUERIES = Path(__file__).parents[2] / "sql" / "reports"
HOUR = 3600.0
FIRST_HOUR = NOW // HOUR * HOUR


@pytest.fixture
def run(database: Database) -> int:
    """Two answered by agents, one busy with a retry, one black-listed, one open."""
    numbers = add_list(database, "numbers", ["11", "12", "13", "14", "15"])
    campaign = add_campaign(database, normal=[numbers], black=[add_list(database, "black", ["14"])])
    run = start(database, campaign.id)
    one, two, three, _ = take(database, run).claims
    base = replace(result_of(one, Outcome.TERMINATED), attempted_at=FIRST_HOUR, server_id=1, trunk_name="t")
    journal.write(
        database,
        [
            replace(base, agent="SIP/1", extended_status="SALE", talk_ms=5000, wait_pre_ms=100, wait_after_ms=2000),
            replace(
                base, claim=two, agent="SIP/2", attempted_at=FIRST_HOUR + HOUR, end_point_id=2, end_point_name="e2",
                talk_ms=7000,
            ),
            replace(
                result_of(three, retry_in_s=300), attempted_at=FIRST_HOUR + HOUR, trunk_id=2, trunk_name="u",
                server_id=99, output_attributes={"Q": "1"},
            ),
        ],
    )  # fmt: skip
    return run


def test_statistics_of_a_run(database: Database, run: int) -> None:
    found = reports.statistics(database, [run])
    assert found == RunStatistics(
        calls=4, answered=2, rescheduled=1, talk_ms=12000, wait_pre_ms=340, wait_after_ms=8800,
        outcomes=(
            OutcomeShare("RS_BLACKLIST", "", 1, 0.25), OutcomeShare("RS_BUSY", "", 1, 0.25),
            OutcomeShare("TERMINATED", "", 1, 0.25), OutcomeShare("TERMINATED", "SALE", 1, 0.25),
        ),
        trunks=(Share("pbx of Sales/t", 2, 0.5, 12000), Share("?/u", 1, 0.25, 0)),
        end_points=(Share("e1", 2, 0.5, 5000), Share("e2", 1, 0.25, 7000)),
        agents=(Share("SIP/1", 1, 0.25, 5000), Share("SIP/2", 1, 0.25, 7000)),
        hours=(Hour(FIRST_HOUR, 2, 1, 5000), Hour(FIRST_HOUR + HOUR, 2, 1, 7000)),
    )  # fmt: skip
    assert found.used_ms == 12000 + 340 + 8800


def test_statistics_by_the_quarter_of_an_hour(database: Database, run: int) -> None:
    by_quarters = reports.statistics(database, [run], slot_s=900).hours
    assert by_quarters == (
        Hour(FIRST_HOUR, 1, 1, 5000), Hour(NOW // 900 * 900, 1, 0, 0), Hour(FIRST_HOUR + HOUR, 2, 1, 7000)
    )  # fmt: skip


def test_statistics_of_several_runs_and_of_none(database: Database, run: int) -> None:
    other = start(database, add_campaign(database, "Other", normal=[add_list(database, "more", ["1"])]).id)
    (claim,) = take(database, other).claims
    journal.write(database, [result_of(claim)])
    assert reports.statistics(database, [run, other]).calls == 5
    assert reports.statistics(database, [other]).calls == 1
    assert reports.statistics(database, []) == RunStatistics(0, 0, 0, 0, 0, 0, (), (), (), (), ())
    assert reports.statistics(database, [4711]).calls == 0


def test_attempts_come_in_pages(database: Database, run: int) -> None:
    everything = reports.page_of_attempts(database, [run])
    assert [call.number for call in everything] == ["11", "12", "13", "14"]
    assert (everything[2].retry_in_s, everything[2].retry, everything[2].output_attributes) == (300, 0, {"Q": "1"})
    first = reports.page_of_attempts(database, [run], limit=2)
    assert first + reports.page_of_attempts(database, [run], after=first[-1].wombatid) == everything
    assert list(attempts.stream(database, [run])) == everything
    assert reports.logged_call(database, everything[0].wombatid) == everything[0]
    with pytest.raises(UserError, match="no logged call 4711"):
        reports.logged_call(database, 4711)


def test_attempts_of_several_runs_are_in_one_order(
    database: Database, run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "_PAGE", 2)
    other = start(database, add_campaign(database, "Other", normal=[add_list(database, "more", list("123"))]).id)
    journal.write(database, [result_of(claim) for claim in take(database, other).claims])
    found = reports.page_of_attempts(database, [other, run], limit=6)
    assert len(found) == 6
    assert all(a.wombatid < b.wombatid for a, b in pairwise(found))
    assert len(list(attempts.stream(database, [other, run]))) == 7
    assert attempts.page(database, [other, run], limit=6) == found
    assert attempts.page(database, [other, run], skip=6) == attempts.page(database, [other, run], descending=True)[:1]


def test_calls_and_retries_of_a_record(database: Database, run: int) -> None:
    (waiting,) = reports.waiting_retries(database, run)
    assert waiting == WaitingRetry(run, waiting.record_id, "13", "numbers", 2, NOW + 300)
    (again,) = take(database, run, now=NOW + 400).claims
    journal.write(database, [result_of(again, Outcome.TERMINATED)])
    assert [c.attempt for c in reports.calls_of_record(database, waiting.record_id)] == [2, 1]
    assert reports.waiting_retries(database, run) == []


def test_the_system_log(database: Database) -> None:
    entries = [SystemLogEntry(NOW + n, f"user{n % 2}", f"action{n % 3}", "x", "é" * 3000) for n in range(6)]
    syslog.write(database, entries)
    assert syslog.read(database) == entries[::-1]
    assert syslog.read(database, user="user1", action="action2") == [entries[5]]
    assert syslog.read(database, from_at=NOW + 2, to_at=NOW + 4) == [entries[3], entries[2]]
    assert syslog.read(database, skip=1, limit=2) == [entries[4], entries[3]]
    assert syslog.actions(database) == ["action0", "action1", "action2"]


def test_pruning(database: Database, run: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "_STEP", 3)
    assert pruning.prune_call_log(database, before=NOW + 9999) == 0, "the run is live"
    runs.set_run_state(database, run, state=RunState.REMOVED, now=NOW + 1)
    assert pruning.prune_call_log(database, before=FIRST_HOUR + HOUR) == 2
    assert pruning.prune_call_log(database, before=NOW + 9999) == 2
    assert pruning.prune_call_log(database, before=NOW + 9999) == 0
    syslog.write(database, [SystemLogEntry(NOW + n, "u", "a", "") for n in range(4)])
    assert [pruning.prune_system_log(database, before=NOW + 4) for _ in range(3)] == [3, 1, 0]


@pytest.mark.parametrize("path", sorted(QUERIES.glob("*.sql")), ids=lambda path: path.name)
def test_report_queries_run(database: Database, run: int, path: Path) -> None:
    if path.name.count(".") > 1 and f".{database.kind}." not in path.name:
        return  # of the other database
    with database.transaction(write=False) as tx:
        rows = tx.rows(path.read_text().replace("%", "%%").replace(":run", str(run)).rstrip().rstrip(";"))
    check = EXPECTED[path.name.partition(".")[0]]
    assert check(rows, run), rows


EXPECTED: dict[str, Callable[[list[tuple], int], bool]] = {
    "outcomes_of_a_run": lambda rows, run: (
        [(r[0], r[1], r[2], float(r[3])) for r in rows]
        == [
            ("RS_BLACKLIST", "", 1, 25),
            ("RS_BUSY", "", 1, 25),
            ("TERMINATED", "", 1, 25),
            ("TERMINATED", "SALE", 1, 25),
        ]
    ),
    "attempts_per_hour": lambda rows, run: (
        [(str(r[0])[14:19], r[1], int(r[2]), int(r[3])) for r in rows] == [("00:00", 2, 1, 5), ("00:00", 2, 1, 7)]
    ),
    "calls_per_trunk": lambda rows, run: (
        [(r[0], r[1], r[2], int(r[3])) for r in rows] == [("pbx of Sales", "t", 2, 2), ("?", "u", 1, 0)]
    ),
    "progress_of_lists": lambda rows, run: [tuple(r[2:]) for r in rows] == [("numbers", 0, 5, 0, "15")],
    "open_retries": lambda rows, run: [tuple(r[1:6]) for r in rows] == [("numbers", "13", 2, NOW + 300, "RS_BUSY")],
    "ledger": lambda rows, run: [tuple(r[3:]) for r in rows] == [(5, 3, 1, 1, 0)],
    "changes": lambda rows, run: len(rows) >= 6,
}
