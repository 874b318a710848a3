"""Results, states and amendments written in batches; a batch that comes twice changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.store.builders import add_campaign, add_list, result_of
from tests.store.conftest import NOW
from tests.store.test_claims import start, take
from wombat_ari.model.calls import Amendment, CallProgress, Claim, DialMark, RunChange, SystemLogEntry
from wombat_ari.model.errands import Errand, ErrandKind
from wombat_ari.model.errors import StoreError
from wombat_ari.model.states import CallState, Outcome, RunState
from wombat_ari.store import claims, journal, outbox, runs
from wombat_ari.store.database import Database
from wombat_ari.store.ledger import check_ledger
from wombat_ari.store.rows import LOG_COLUMNS


def claimed(db: Database, count: int) -> tuple[int, tuple[Claim, ...]]:
    run = start(db, add_campaign(db, normal=[add_list(db, "a", [str(n) for n in range(count)])]).id)
    return run, take(db, run, count).claims


def logged(db: Database, columns: str) -> list[tuple]:
    with db.transaction(write=False) as tx:
        return tx.rows(f"SELECT {columns} FROM call_log ORDER BY wombatid")


def test_every_column_of_a_result_is_logged(database: Database) -> None:
    run, (claim,) = claimed(database, 1)
    result = replace(
        result_of(claim, Outcome.RS_ERROR, at=NOW + 9.25, retry_in_s=60),
        extended_status="CÀLL-BACK", output_attributes={"Q": 'ja, "so" \\ ist\'s 😀'}, attempted_at=NOW + 1.5,
        agent="SIP/200", sip_code="SIP 486 Busy Here", message="x" * 300, server_id=7, cause=None,
    )  # fmt: skip
    journal.write(database, [result])
    (row,) = logged(database, LOG_COLUMNS)
    names = runs.run(database, run)
    assert row == (
        claim.wombatid, run, names.name, names.campaign_id, "Sales", claim.list_id, "a", claim.record_id, "0", 1,
        "RS_ERROR", "CÀLL-BACK", NOW + 1.5, NOW + 9.25, 120, 3400, 0, 60, 7, 1, "t1", 1, "e1", "SIP/200",
        "PJSIP/carrier-00000001", "wbt-0000000000000001", None, "SIP 486 Busy Here", "BUSY", "x" * 255, '{"N":"0"}',
        '{"Q":"ja, \\"so\\" \\\\ ist\'s 😀"}',
    )  # fmt: skip


def test_a_result_closes_or_reschedules_its_record(database: Database) -> None:
    run, (one, two, three) = claimed(database, 3)
    journal.write(database, [result_of(one, Outcome.TERMINATED), result_of(two, at=NOW + 5, retry_in_s=60)])
    assert [a.claim for a in claims.open_attempts(database, run)] == [three]
    with database.transaction(write=False) as tx:
        assert tx.rows("SELECT run_id, record_id, due_at, attempt FROM open_retry") == [
            (run, two.record_id, NOW + 65, 2)
        ]
    counted = check_ledger(database, run)
    assert (counted.attempts, counted.answered, counted.closed, counted.rescheduled) == (2, 1, 1, 1)


def test_a_batch_that_comes_twice_counts_once(database: Database) -> None:
    run, (one, two, three) = claimed(database, 3)
    batch = [result_of(one, retry_in_s=60), CallProgress(two.wombatid, CallState.DIALLING, NOW), result_of(three)]
    journal.write(database, batch)
    before = check_ledger(database, run)
    journal.write(database, batch)
    journal.write(database, [*batch, *batch])
    assert check_ledger(database, run) == before
    (again,) = take(database, run, now=NOW + 100).claims
    journal.write(database, batch)  # still: the retry's own attempt is not closed by the old result
    assert check_ledger(database, run).open_attempts == 2
    assert again.attempt == 2


def test_two_results_of_one_attempt_in_a_batch_count_once(database: Database) -> None:
    run, (one,) = claimed(database, 1)
    journal.write(database, [result_of(one, Outcome.TERMINATED), result_of(one, Outcome.RS_BUSY, retry_in_s=5)])
    assert logged(database, "outcome") == [("TERMINATED",)]
    assert check_ledger(database, run).closed == 1


def test_a_result_of_an_unknown_attempt_poisons_its_batch_only(database: Database) -> None:
    run, (one, two) = claimed(database, 2)
    stray = result_of(replace(two, wombatid=2**52))
    with pytest.raises(StoreError, match=str(2**52)) as caught:
        journal.write(database, [result_of(one), stray])
    assert not caught.value.transient
    assert logged(database, "wombatid") == []
    journal.write(database, [result_of(one)])
    assert check_ledger(database, run).closed == 1


def test_values_no_column_takes_are_not_transient(database: Database) -> None:
    run, (one, two) = claimed(database, 2)
    for bad in (replace(result_of(one), talk_ms=2**70), replace(result_of(one), agent="\ud800")):
        with pytest.raises(StoreError) as caught:
            journal.write(database, [bad, result_of(two)])
        assert not caught.value.transient
    assert check_ledger(database, run).open_attempts == 2


def test_the_state_of_a_live_call_is_kept(database: Database) -> None:
    run, (one, two, three) = claimed(database, 3)
    claims.mark_requested(database, [DialMark(c.wombatid, 1, 1, 1) for c in (one, two, three)], now=NOW + 1)
    journal.write(
        database,
        [
            CallProgress(one.wombatid, CallState.DIALLING, NOW + 2),
            CallProgress(two.wombatid, CallState.DIALLING, NOW + 2.5),
            CallProgress(one.wombatid, CallState.CONNECTED, NOW + 3),
        ],
    )
    journal.write(
        database,
        [
            CallProgress(one.wombatid, CallState.DIALLING, NOW + 2),  # late: older than what is stored
            CallProgress(4711, CallState.DIALLING, NOW + 9),  # not open (any more)
        ],
    )
    found = claims.open_attempts(database, run)
    assert [(a.state, a.dialling_at, a.connected_at) for a in found] == [
        (CallState.CONNECTED, NOW + 2, NOW + 3),
        (CallState.DIALLING, NOW + 2.5, None),
        (CallState.REQUESTED, None, None),
    ]


def test_output_attributes_are_merged_into_the_record(database: Database) -> None:
    run, (one, two) = claimed(database, 2)
    with database.transaction() as tx:
        tx.run("UPDATE record SET output_attributes = %s WHERE id = %s", ('{"A":"1","B":"1"}', one.record_id))
    journal.write(
        database, [replace(result_of(one, retry_in_s=1), output_attributes={"B": "2", "C": "é"}), result_of(two)]
    )
    (again,) = take(database, run, now=NOW + 10).claims
    assert again.output_attributes == {"A": "1", "B": "2", "C": "é"}


@pytest.mark.parametrize(
    ("before", "after", "due"),
    [(0, 30, [30.0]), (60, 30, [30.0]), (60, 0, []), (60, 60, [60.0]), (0, 0, [])],
    ids=["made", "moved", "taken back", "as it is", "none"],
)
def test_a_late_status_decides_again(database: Database, before: int, after: int, due: list[float]) -> None:
    run, (one, two) = claimed(database, 2)
    journal.write(database, [result_of(one, retry_in_s=before), result_of(two, retry_in_s=before)])
    letter = Errand(ErrandKind.EMAIL, "e-mail", {}, NOW, NOW)
    amendment = Amendment(one.wombatid, "X", {}, (letter,), run_id=run, retry_in_s=after)
    for _ in range(2):  # the second time after a commit that nobody heard of
        journal.write(database, [amendment])
        with database.transaction(write=False) as tx:
            sql = "SELECT due_at, attempt FROM open_retry WHERE record_id = %s"
            assert tx.rows(sql, (one.record_id,)) == [(NOW + seconds, 2) for seconds in due]
        assert logged(database, "extended_status, retry_in_s") == [("X", after), ("", before)]
        assert len(outbox.listing(database)) == 1
        check_ledger(database, run)


def test_a_retry_that_was_taken_is_not_decided_again(database: Database) -> None:
    run, (one,) = claimed(database, 1)
    journal.write(database, [result_of(one, retry_in_s=10)])
    (again,) = take(database, run, now=NOW + 10).claims
    for retry_in_s in (0, 30):
        journal.write(database, [Amendment(one.wombatid, f"X{retry_in_s}", {}, run_id=run, retry_in_s=retry_in_s)])
        check_ledger(database, run)
    journal.write(database, [result_of(again, at=NOW + 20)])
    journal.write(database, [Amendment(one.wombatid, "Y", {}, run_id=run, retry_in_s=0)])
    assert logged(database, "extended_status, retry_in_s") == [("Y", 10), ("", 0)]
    check_ledger(database, run)


def test_a_run_that_has_ended_is_not_reopened_by_a_late_status(database: Database) -> None:
    run, (one,) = claimed(database, 1)
    journal.write(database, [result_of(one), RunChange(run, RunState.COMPLETED, NOW)])
    journal.write(database, [Amendment(one.wombatid, "X", {}, run_id=run, retry_in_s=30)])
    assert logged(database, "extended_status, retry_in_s") == [("X", 0)]
    check_ledger(database, run)


def test_what_is_decided_and_the_end_of_the_run_in_one_batch(database: Database) -> None:
    """The result, the word that reopens the record, and the removal: in this order, whatever the batch holds."""
    run, (one,) = claimed(database, 1)
    journal.write(
        database,
        [
            result_of(one),
            Amendment(one.wombatid, "X", {}, run_id=run, retry_in_s=30),
            RunChange(run, RunState.REMOVED, NOW + 1),
        ],
    )
    assert logged(database, "extended_status, retry_in_s") == [("X", 30)]
    assert check_ledger(database, run).closed == 1
    assert runs.run(database, run).counters.open_retries == 0


def test_late_words_are_added_within_a_minute(database: Database) -> None:
    _, (one,) = claimed(database, 1)
    late = Amendment(one.wombatid, "CALLBACK", {"NOTE": "later"})
    assert journal.amend(database, late, now=NOW) is False
    journal.write(database, [replace(result_of(one), extended_status="X", output_attributes={"A": "1"})])
    assert journal.amend(database, late, now=NOW + 59) is True
    journal.write(database, [Amendment(one.wombatid, None, {"MORE": "1"})])
    assert journal.amend(database, Amendment(one.wombatid, "TOO LATE", {}), now=NOW + 61) is False
    assert logged(database, "extended_status, output_attributes") == [
        ("CALLBACK", '{"A":"1","NOTE":"later","MORE":"1"}')
    ]
    with database.transaction(write=False) as tx:
        assert tx.value("SELECT output_attributes FROM record") == '{"A":"1","NOTE":"later","MORE":"1"}'
    with pytest.raises(StoreError):
        journal.write(database, [Amendment(4711, "X", {})])


def test_changes_of_a_run_and_lines_of_the_system_log(database: Database) -> None:
    run, (one,) = claimed(database, 1)
    line = SystemLogEntry(NOW, "dialer", "PBX up", "pbx1", "Asterisk 22")
    journal.write(
        database,
        [RunChange(run, RunState.RUNNING, NOW + 1), line, RunChange(run, RunState.IDLE, NOW + 2), result_of(one)],
    )
    assert runs.run(database, run).state is RunState.IDLE
    journal.write(database, [RunChange(run, RunState.RUNNING, NOW + 1)])
    assert runs.run(database, run).state is RunState.IDLE
    journal.write(database, [RunChange(run, RunState.COMPLETED, NOW + 3)])
    journal.write(database, [RunChange(run, RunState.RUNNING, NOW + 4)])
    ended = runs.run(database, run)
    assert (ended.state, ended.ended_at) == (RunState.COMPLETED, NOW + 3)
    with database.transaction(write=False) as tx:
        assert tx.rows("SELECT at, login, action, object, detail FROM system_log") == [
            (NOW, "dialer", "PBX up", "pbx1", "Asterisk 22")
        ]


def test_no_retry_is_opened_for_a_run_that_has_ended(database: Database) -> None:
    run, (one, two, three) = claimed(database, 3)
    claims.mark_requested(database, [DialMark(one.wombatid, 1, 1, 1)], now=NOW)
    journal.write(database, [result_of(two, retry_in_s=60)])
    runs.set_run_state(database, run, state=RunState.REMOVED, now=NOW + 1)
    assert [a.claim for a in claims.open_attempts(database, run)] == [one]
    journal.write(database, [result_of(one, retry_in_s=60)])
    counted = check_ledger(database, run)
    assert (counted.taken, counted.closed, counted.open_attempts, counted.open_retries) == (3, 3, 0, 0)
    assert logged(database, "retry_in_s") == [(0,), (60,)]
    assert three.attempt == 1


def test_the_latest_progress_says_when_the_state_before_was_entered(database: Database) -> None:
    """The bridge keeps only the latest of a call: a quick DIALLING and CONNECTED must not lose the first."""
    run, (claim,) = claimed(database, 1)
    claims.mark_requested(database, [DialMark(claim.wombatid, 1, 1, 1)], now=NOW)
    journal.write(database, [CallProgress(claim.wombatid, CallState.CONNECTED, NOW + 3, NOW + 1)])
    (attempt,) = claims.open_attempts(database, run)
    assert (attempt.state, attempt.dialling_at, attempt.connected_at) == (CallState.CONNECTED, NOW + 1, NOW + 3)


def test_in_reverse_dialling_the_callee_is_requested_later_than_the_agent(database: Database) -> None:
    run, (claim,) = claimed(database, 1)
    claims.mark_requested(database, [DialMark(claim.wombatid, 1, 1, 1, CallState.RD_AGENTREQ)], now=NOW)
    journal.write(database, [CallProgress(claim.wombatid, CallState.RD_REQUESTED, NOW + 2, requested_at=NOW + 2)])
    (attempt,) = claims.open_attempts(database, run)
    assert (attempt.state, attempt.requested_at, attempt.dialling_at) == (CallState.RD_REQUESTED, NOW + 2, None)
    journal.write(database, [CallProgress(claim.wombatid, CallState.CONNECTED, NOW + 9, NOW + 3)])
    (attempt,) = claims.open_attempts(database, run)
    assert (attempt.requested_at, attempt.dialling_at, attempt.connected_at) == (NOW + 2, NOW + 3, NOW + 9)


def errand(about: int | None = None) -> Errand:
    return Errand(ErrandKind.NOTIFY, "crm.example", {"num": "1"}, created_at=NOW, due_at=NOW, wombatid=about)


def waiting(db: Database) -> list[int | None]:
    with db.transaction(write=False) as tx:
        return [row[0] for row in tx.rows("SELECT wombatid FROM outbox ORDER BY id")]


def test_errands_are_stored_with_what_they_are_about(database: Database) -> None:
    run, (one, _) = claimed(database, 2)
    result = replace(result_of(one, Outcome.TERMINATED), errands=(errand(one.wombatid),))
    journal.write(database, [result])
    journal.write(database, [result, Amendment(one.wombatid, "LATE", {}, (errand(7),))])
    assert waiting(database) == [one.wombatid, 7], "a result that comes twice brings its errands once"
    journal.write(database, [RunChange(run, RunState.REMOVED, NOW + 2, (errand(8),))])
    journal.write(database, [RunChange(run, RunState.REMOVED, NOW + 3, (errand(9),))])
    assert waiting(database) == [one.wombatid, 7, 8], "a change that changed nothing brings none"
