"""What was done, for reports: statistics of runs in one pass over the log, and what is known of a record's attempts."""

from collections import defaultdict
from collections.abc import Sequence
from heapq import merge
from typing import NamedTuple

from wombat_ari.core.numbers import number_of_attempt, numbers_of
from wombat_ari.model.errors import UserError
from wombat_ari.model.reports import Hour, LoggedCall, OutcomeShare, RunStatistics, Share, WaitingRetry
from wombat_ari.store.attempts import call_of
from wombat_ari.store.database import Database, Row, Transaction, chunks, marks
from wombat_ari.store.rows import ANSWERED, LOG_COLUMNS, load

_EXAMPLES = 500  #: attempts of one question
_SLOT = {"mysql": "FLOOR(attempted_at / {0})", "sqlite": "CAST(attempted_at / {0} AS INTEGER)"}
_HOUR_S = 3600


def statistics(db: Database, run_ids: Sequence[int], *, slot_s: int = _HOUR_S) -> RunStatistics:
    """Over all attempts of these runs: one aggregate and a small one for the agents, the rest is adding up.

    ``slot_s``: how long its hours are (``core/breakdown`` says when an hour is too long). A trunk or end point that was
    renamed meanwhile is counted under one of its names.
    """
    with db.transaction(write=False) as tx:
        groups = _named_groups(tx, run_ids, slot_s) if run_ids else []
        agents = _agents(tx, run_ids) if run_ids else []
        servers: dict[int, str] = dict(tx.rows("SELECT id, description FROM asterisk_server"))
    calls = sum(group.calls for group in groups)
    return RunStatistics(
        calls=calls,
        answered=sum(int(group.answered) for group in groups),
        rescheduled=sum(int(group.rescheduled) for group in groups),
        talk_ms=sum(int(group.talk_ms) for group in groups),
        wait_pre_ms=sum(int(group.wait_pre_ms) for group in groups),
        wait_after_ms=sum(int(group.wait_after_ms) for group in groups),
        outcomes=_outcomes(groups, calls),
        trunks=_shares(calls, [(_trunk(group, servers), group.calls, group.talk_ms) for group in groups]),
        end_points=_shares(calls, [(group.end_point, group.calls, group.talk_ms) for group in groups]),
        agents=_shares(calls, agents),
        hours=_hours(groups, slot_s),
    )


def page_of_attempts(db: Database, run_ids: Sequence[int], *, after: int = 0, limit: int = 100) -> list[LoggedCall]:
    """Attempts behind the WOMBATID ``after`` in its order."""
    sql = f"SELECT {LOG_COLUMNS} FROM call_log WHERE run_id = %s AND wombatid > %s ORDER BY wombatid LIMIT %s"
    with db.transaction(write=False) as tx:
        pages = [tx.rows(sql, (run_id, after, limit)) for run_id in run_ids]
    return [call_of(row) for row in list(merge(*pages))[:limit]]


def logged_call(db: Database, wombatid: int) -> LoggedCall:
    with db.transaction(write=False) as tx:
        row = tx.row(f"SELECT {LOG_COLUMNS} FROM call_log WHERE wombatid = %s", (wombatid,))
    if row is None:
        raise UserError(f"there is no logged call {wombatid}", code="missing")
    return call_of(row)


def calls_of_record(db: Database, record_id: int) -> list[LoggedCall]:
    """All its attempts in all runs, the latest first."""
    sql = f"SELECT {LOG_COLUMNS} FROM call_log WHERE record_id = %s ORDER BY wombatid DESC"
    with db.transaction(write=False) as tx:
        return [call_of(row) for row in tx.rows(sql, (record_id,))]


def calls_of_record_in(db: Database, run_id: int, record_id: int) -> list[LoggedCall]:
    """Its attempts in one run, the first first."""
    sql = f"SELECT {LOG_COLUMNS} FROM call_log WHERE record_id = %s AND run_id = %s ORDER BY attempt, wombatid"
    with db.transaction(write=False) as tx:
        return [call_of(row) for row in tx.rows(sql, (record_id, run_id))]


def retry_of(db: Database, run_id: int, record_id: int) -> WaitingRetry | None:
    """The next try of a record in a run."""
    sql = (
        "SELECT o.run_id, o.record_id, r.number, l.name, o.attempt, o.due_at, r.input_attributes FROM open_retry o "
        "JOIN record r ON r.id = o.record_id JOIN call_list l ON l.id = r.list_id "
        "WHERE o.run_id = %s AND o.record_id = %s"
    )
    with db.transaction(write=False) as tx:
        row = tx.row(sql, (run_id, record_id))
    return None if row is None else _waiting(row)


def waiting_retries(db: Database, run_id: int, *, limit: int = 1000) -> list[WaitingRetry]:
    """The next ones first."""
    with db.transaction(write=False) as tx:
        join = tx.straight_join
        rows = tx.rows(
            "SELECT o.run_id, o.record_id, r.number, l.name, o.attempt, o.due_at, r.input_attributes "
            f"FROM open_retry o {tx.by_index('open_retry_by_run_id_due_at')} "
            f"{join} record r ON r.id = o.record_id {join} call_list l ON l.id = r.list_id "
            "WHERE o.run_id = %s ORDER BY o.due_at, o.record_id LIMIT %s",
            (run_id, limit),
        )
    return [_waiting(row) for row in rows]


class _Group(NamedTuple):
    outcome: str
    extended_status: str
    server: int | None
    trunk: str
    end_point: str
    slot: int
    calls: int
    answered: int
    rescheduled: int
    talk_ms: int
    wait_pre_ms: int
    wait_after_ms: int


def _named_groups(tx: Transaction, run_ids: Sequence[int], slot_s: int) -> list[_Group]:
    """Grouped by ids, with the names of one attempt of each pair: by names it would take half as long again."""
    rows = _groups(tx, run_ids, slot_s)
    examples = {(row[3], row[4]): row[-1] for row in rows}
    names: dict[int, tuple[str, str]] = {}
    for part in chunks(sorted(examples.values()), _EXAMPLES):
        sql = f"SELECT wombatid, trunk_name, end_point_name FROM call_log WHERE wombatid IN ({marks(len(part))})"
        names.update({wombatid: (trunk, end_point) for wombatid, trunk, end_point in tx.rows(sql, part)})
    return [_Group._make((*row[:3], *names[examples[row[3], row[4]]], *row[5:-1])) for row in rows]


def _groups(tx: Transaction, run_ids: Sequence[int], slot_s: int) -> list[Row]:
    """The columns of ``_Group`` with ids for names, and the WOMBATID of one attempt."""
    keys = f"outcome, extended_status, server_id, trunk_id, end_point_id, {_SLOT[tx.kind].format(slot_s)}"
    sums = f"SUM({ANSWERED}), SUM(retry_in_s > 0), SUM(talk_ms), SUM(wait_pre_ms), SUM(wait_after_ms)"
    where = f"run_id IN ({marks(len(run_ids))})"
    return tx.rows(
        f"SELECT {keys}, COUNT(*), {sums}, MIN(wombatid) FROM call_log WHERE {where} GROUP BY {keys}", list(run_ids)
    )


def _agents(tx: Transaction, run_ids: Sequence[int]) -> list[Row]:
    where = f"run_id IN ({marks(len(run_ids))}) AND agent <> ''"
    return tx.rows(f"SELECT agent, COUNT(*), SUM(talk_ms) FROM call_log WHERE {where} GROUP BY agent", list(run_ids))


def _trunk(group: _Group, servers: dict[int, str]) -> str:
    return f"{servers.get(group.server or 0, '?')}/{group.trunk}" if group.trunk else ""


def _outcomes(groups: list[_Group], calls: int) -> tuple[OutcomeShare, ...]:
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for group in groups:
        counts[group.outcome, group.extended_status] += group.calls
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(OutcomeShare(*key, n, n / calls) for key, n in ordered)


def _shares(calls: int, named: Sequence[Row]) -> tuple[Share, ...]:
    """Of (name, calls, talk). Calls without such a thing (black-listed: no trunk) are left out; shares are of all."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, some, talk_ms in named:
        if name:
            counts[name][0] += some
            counts[name][1] += int(talk_ms)
    ordered = sorted(counts.items(), key=lambda item: (-item[1][0], item[0]))
    return tuple(Share(name, n, n / calls, talk) for name, (n, talk) in ordered)


def _hours(groups: list[_Group], slot_s: int) -> tuple[Hour, ...]:
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for group in groups:
        hour = counts[int(group.slot)]
        for place, some in enumerate((group.calls, group.answered, group.talk_ms)):
            hour[place] += int(some)
    return tuple(Hour(float(slot * slot_s), *numbers) for slot, numbers in sorted(counts.items()))


def _waiting(row: Row) -> WaitingRetry:
    """With the number whose turn it is, of a record that has several."""
    run_id, record_id, number, list_name, attempt, due_at, inputs = row
    number = number_of_attempt(numbers_of(number, load(inputs)), attempt)
    return WaitingRetry(run_id, record_id, number, list_name, attempt, due_at)
