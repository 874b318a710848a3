"""What happened, written behind in batches: one transaction, a handful of statements, whatever the batch holds.

A batch may come again (its commit was ambiguous): a result that is in the log already changes nothing. StoreError with
``transient`` False means that some entry of the batch can never be written; nothing of the batch was, and the caller
cuts it in halves to find which. Locks are taken in one order: runs by id, then attempts, then records.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from wombat_ari.model.calls import Amendment, CallProgress, CallResult, JournalEntry, RunChange, SystemLogEntry
from wombat_ari.model.errors import StoreError
from wombat_ari.model.states import CallState
from wombat_ari.store import outbox
from wombat_ari.store.claims import lock_runs
from wombat_ari.store.database import Database, Row, Transaction, chunks, marks
from wombat_ari.store.rows import RunNames, dump, insert_log, load, log_row, was_answered
from wombat_ari.store.runs import change_state

AMENDABLE_S = 60.0  #: so long after the hang-up a late word is still added
_EACH = 250  #: rows of one update


def write(db: Database, entries: Sequence[JournalEntry]) -> None:
    """Write a batch (up to some hundred entries) in one transaction."""
    results: dict[int, CallResult] = {}
    for entry in entries:
        if isinstance(entry, CallResult):
            results.setdefault(entry.claim.wombatid, entry)
    changes = [entry for entry in entries if isinstance(entry, RunChange)]
    amendments = [entry for entry in entries if isinstance(entry, Amendment)]
    with db.transaction() as tx:
        run_ids = {result.claim.run_id for result in results.values()} | {change.run_id for change in changes}
        run_ids |= {each.run_id for each in amendments if each.run_id is not None}
        runs = lock_runs(tx, run_ids) if run_ids else {}
        _progress(tx, [e for e in entries if isinstance(e, CallProgress) and e.wombatid not in results])
        _settle(tx, results, runs)
        for amendment in amendments:
            _amend(tx, amendment, runs)
        for change in changes:
            if change_state(tx, change.run_id, state=change.state, at=change.at):
                outbox.add(tx, change.errands)
        write_system_log(tx, [entry for entry in entries if isinstance(entry, SystemLogEntry)])


def amend(db: Database, amendment: Amendment, *, now: float) -> bool:
    """A late word on a logged attempt. False, and nothing changed, when it is not logged or ended over a minute ago."""
    with db.transaction() as tx:
        ended_at = tx.value("SELECT ended_at FROM call_log WHERE wombatid = %s", (amendment.wombatid,))
        if ended_at is None or now > ended_at + AMENDABLE_S:
            return False
        runs = lock_runs(tx, [amendment.run_id]) if amendment.run_id is not None else {}
        _amend(tx, amendment, runs)
        return True


def write_system_log(tx: Transaction, entries: Iterable[SystemLogEntry]) -> None:
    rows = [(e.at, e.user[:80], e.action[:80], e.object[:255], e.detail) for e in entries]
    tx.many("INSERT INTO system_log (at, login, action, object, detail) VALUES (%s, %s, %s, %s, %s)", rows)


def _progress(tx: Transaction, entries: Sequence[CallProgress]) -> None:
    """Only the last state of each attempt is written, and it never replaces a later one."""
    last: dict[int, list[object]] = {}
    for entry in entries:
        row = last.setdefault(entry.wombatid, ["", 0.0, None, None, None])
        if entry.at >= row[1]:  # type: ignore[operator]
            row[:2] = entry.state.value, entry.at
        if entry.dialling_at is not None or entry.state is CallState.DIALLING:
            row[2] = entry.at if entry.dialling_at is None else entry.dialling_at
        if entry.state is CallState.CONNECTED:
            row[3] = entry.at
        if entry.requested_at is not None:
            row[4] = entry.requested_at
    rows = [(wombatid, *row) for wombatid, row in sorted(last.items())]
    for part in chunks(rows, _EACH):
        tx.update_each(
            "attempt",
            "wombatid",
            columns=("call_id", "new_state", "new_at", "new_dialling_at", "new_connected_at", "new_requested_at"),
            assign="requested_at = COALESCE(new_requested_at, requested_at), "
            "dialling_at = COALESCE(dialling_at, new_dialling_at), "
            "connected_at = COALESCE(connected_at, new_connected_at), "
            "state = CASE WHEN state_at <= new_at THEN new_state ELSE state END, "
            "state_at = CASE WHEN state_at <= new_at THEN new_at ELSE state_at END",
            rows=part,
        )


def _settle(tx: Transaction, results: dict[int, CallResult], runs: dict[int, RunNames]) -> None:
    news = _not_yet_settled(tx, results)
    if not news:
        return
    for result in news:
        if result.claim.run_id not in runs:
            raise StoreError(f"attempt {result.claim.wombatid}: there is no run {result.claim.run_id}")
    again = [r for r in news if r.retry_in_s > 0 and runs[r.claim.run_id].live]
    waiting = {result.claim.wombatid for result in again}
    insert_log(
        tx,
        [log_row(r, runs[r.claim.run_id], r.retry_in_s if r.claim.wombatid in waiting else 0) for r in news],
    )
    ids = [result.claim.wombatid for result in news]
    tx.run(f"DELETE FROM attempt WHERE wombatid IN ({marks(len(ids))})", ids)
    tx.many(
        "INSERT INTO open_retry (run_id, record_id, due_at, attempt) VALUES (%s, %s, %s, %s)",
        [_retry(r) for r in again],
    )
    _merge_outputs(
        tx, [(r.claim.record_id, r.output_attributes) for r in news if r.output_attributes != r.claim.output_attributes]
    )
    _count(tx, news, waiting)
    outbox.add(tx, (errand for result in news for errand in result.errands))


def _not_yet_settled(tx: Transaction, results: dict[int, CallResult]) -> list[CallResult]:
    """Those whose attempt is open. The others must be in the log already, else the entry is wrong."""
    if not results:
        return []
    ids = sorted(results)
    found = {row[0] for row in tx.rows(f"SELECT wombatid FROM attempt WHERE wombatid IN ({marks(len(ids))})", ids)}
    others = [wombatid for wombatid in ids if wombatid not in found]
    if others:
        _require_logged(tx, others)
    return [results[wombatid] for wombatid in ids if wombatid in found]


def _require_logged(tx: Transaction, ids: list[int]) -> None:
    rows = tx.rows(f"SELECT wombatid FROM call_log WHERE wombatid IN ({marks(len(ids))})", ids)
    unknown = set(ids) - {row[0] for row in rows}
    if unknown:
        raise StoreError(f"attempts {sorted(unknown)}: neither open nor in the log, their results cannot be written")


def _retry(result: CallResult) -> Row:
    claim = result.claim
    return (claim.run_id, claim.record_id, result.ended_at + result.retry_in_s, claim.attempt + 1)


def _merge_outputs(tx: Transaction, news: Sequence[tuple[int, dict[str, str]]]) -> None:
    """Add the attributes to those that the records have."""
    if not news:
        return
    ids = sorted({record_id for record_id, _ in news})
    rows = tx.rows(f"SELECT id, output_attributes FROM record WHERE id IN ({marks(len(ids))}){tx.for_update}", ids)
    before: dict[int, str] = dict(rows)
    after = {record_id: load(text) for record_id, text in rows}
    for record_id, attributes in news:
        after.get(record_id, {}).update(attributes)
    texts = [(record_id, dump(attributes)) for record_id, attributes in after.items()]
    changed = [row for row in texts if row[1] != before[row[0]]]
    for part in chunks(changed, _EACH):
        columns = ("changed_id", "new_outputs")
        tx.update_each("record", "id", columns=columns, assign="output_attributes = new_outputs", rows=part)


def _count(tx: Transaction, news: Sequence[CallResult], waiting: set[int]) -> None:
    attempts, answered, again = Counter[int](), Counter[int](), Counter[int]()
    for result in news:
        run_id = result.claim.run_id
        attempts[run_id] += 1
        answered[run_id] += was_answered(result)
        again[run_id] += result.claim.wombatid in waiting
    tx.many(
        "UPDATE run SET attempts = attempts + %s, answered = answered + %s, closed = closed + %s, "
        "rescheduled = rescheduled + %s, open_retries = open_retries + %s WHERE id = %s",
        [(n, answered[i], n - again[i], again[i], again[i], i) for i, n in sorted(attempts.items())],
    )


def _amend(tx: Transaction, amendment: Amendment, runs: dict[int, RunNames]) -> None:
    """Errands go with what is new: an amendment that comes again after an uncertain commit makes none."""
    row = tx.row(
        "SELECT run_id, record_id, attempt, ended_at, retry_in_s, extended_status, output_attributes FROM call_log "
        f"WHERE wombatid = %s{tx.for_update}",
        (amendment.wombatid,),
    )
    if row is None:
        raise StoreError(f"attempt {amendment.wombatid}: it is not in the log, nothing can be added to it")
    ended = _Ended(*row)
    status = ended.status if amendment.extended_status is None else amendment.extended_status[:80]
    outputs = dump({**load(ended.outputs), **amendment.output_attributes})
    retry_in_s = ended.retry_in_s
    if amendment.retry_in_s is not None and ended.run_id in runs and runs[ended.run_id].live:
        retry_in_s = _decide_anew(tx, ended, amendment.retry_in_s)
    if (status, outputs, retry_in_s) == (ended.status, ended.outputs, ended.retry_in_s):
        return
    tx.run(
        "UPDATE call_log SET extended_status = %s, output_attributes = %s, retry_in_s = %s WHERE wombatid = %s",
        (status, outputs, retry_in_s, amendment.wombatid),
    )
    if amendment.output_attributes:
        _merge_outputs(tx, [(ended.record_id, amendment.output_attributes)])
    outbox.add(tx, amendment.errands)


class _Ended(NamedTuple):
    """An attempt as it is in the log."""

    run_id: int
    record_id: int
    attempt: int
    ended_at: float
    retry_in_s: int
    status: str
    outputs: str


def _decide_anew(tx: Transaction, ended: _Ended, wanted: int) -> int:
    """Make, move or take back its retry; answers what holds now: a retry that was taken already stays as it was.

    The ledger of the run, whose row is locked, is moved along.
    """
    place = (ended.run_id, ended.record_id)
    mine = "run_id = %s AND record_id = %s AND attempt = %s"
    due_at = ended.ended_at + wanted
    if wanted == ended.retry_in_s:
        return wanted
    if not ended.retry_in_s:
        if _goes_on(tx, ended):
            return 0
        sql = "INSERT INTO open_retry (run_id, record_id, due_at, attempt) VALUES (%s, %s, %s, %s)"
        tx.run(sql, (*place, due_at, ended.attempt + 1))
        _shift(tx, ended.run_id, 1)
    elif wanted:
        if not tx.run(f"UPDATE open_retry SET due_at = %s WHERE {mine}", (due_at, *place, ended.attempt + 1)):
            return ended.retry_in_s
    else:
        if not tx.run(f"DELETE FROM open_retry WHERE {mine}", (*place, ended.attempt + 1)):
            return ended.retry_in_s
        _shift(tx, ended.run_id, -1)
    return wanted


def _goes_on(tx: Transaction, ended: _Ended) -> bool:
    """Whether a record that was closed by this attempt is open nevertheless: it must not be so twice."""
    place = (ended.run_id, ended.record_id)
    return any(
        tx.value(sql, params)
        for sql, params in (
            ("SELECT COUNT(*) FROM open_retry WHERE run_id = %s AND record_id = %s", place),
            ("SELECT COUNT(*) FROM attempt WHERE run_id = %s AND record_id = %s", place),
            (
                "SELECT COUNT(*) FROM call_log WHERE record_id = %s AND run_id = %s AND attempt > %s",
                (ended.record_id, ended.run_id, ended.attempt),
            ),
        )
    )


def _shift(tx: Transaction, run_id: int, reopened: int) -> None:
    """So many records are not closed any more but wait for a retry."""
    tx.run(
        "UPDATE run SET closed = closed - %s, rescheduled = rescheduled + %s, open_retries = open_retries + %s "
        "WHERE id = %s",
        (reopened, reopened, reopened, run_id),
    )
