"""Runs: start, state, lists, and what can be asked of them.

A live run holds its campaign's id in ``live_campaign_id``, which is unique: the database itself forbids a second one.
A run that has ended never changes its state again. Removing a run gives up what was never dialled and what waits for
a retry; those records count as closed (and as ``dropped``), so the ledger holds.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from wombat_ari.model.calls import RunCounters, RunList, RunRow
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.states import LIVE_RUN_STATES, CampaignStatus, RunState
from wombat_ari.store.claims import lock_run
from wombat_ari.store.database import Database, Row, Transaction, marks

_COLUMNS = (
    "id, campaign_id, campaign_name, state, started_at, ended_at, taken, closed, attempts, answered, rescheduled, "
    "open_retries, name, boost"
)
_BY_ID = "record_by_list_id_id"
_NEVER_WRITTEN = ("IN_HOPPER", "SCHEDULED", "RD_RESERVED", "RD_SCHEDULED")


def start_run(db: Database, campaign_id: int, *, now: float, by: str) -> RunRow:
    """A new run with the campaign's normal lists: RUNNABLE, or PAUSED if it says so. UserError says why it may not."""
    try:
        with db.transaction() as tx:
            begin = _startable(tx, campaign_id)
            run_id = _insert(tx, campaign_id, begin, now=now, by=by)
            tx.run(
                "INSERT INTO run_list (run_id, list_id, position, paused, high_water, taken) "
                "SELECT %s, list_id, position, 0, 0, 0 FROM campaign_list "
                "WHERE campaign_id = %s AND list_use = 'NORMAL'",
                (run_id, campaign_id),
            )
            return _one(tx, run_id)
    except StoreError as error:
        if error.code != "store_duplicate":
            raise
        raise UserError(
            f"campaign {campaign_id} was started by somebody else at the same moment", code="has-run"
        ) from None


def run(db: Database, run_id: int) -> RunRow:
    with db.transaction(write=False) as tx:
        return _one(tx, run_id)


def live_runs(db: Database) -> list[RunRow]:
    """In the order in which they were started."""
    return _query(db, "live_campaign_id IS NOT NULL ORDER BY id")


def runs_with_open_attempts(db: Database) -> list[RunRow]:
    """Live runs, and ended ones whose calls were still open: what a start has to recover."""
    return _query(db, "live_campaign_id IS NOT NULL OR id IN (SELECT run_id FROM attempt) ORDER BY id")


def recently_closed(db: Database, *, since: float, limit: int = 100) -> list[RunRow]:
    """Ended at ``since`` or later, the latest first."""
    return _query(
        db, "live_campaign_id IS NULL AND ended_at >= %s ORDER BY ended_at DESC, id DESC LIMIT %s", (since, limit)
    )


def find_runs(
    db: Database, *, from_at: float = 0.0, to_at: float = 1e12, campaign_id: int | None = None, limit: int = 1000
) -> list[RunRow]:
    """Started in the period, the latest first."""
    where, params = "started_at >= %s AND started_at < %s", [from_at, to_at]
    if campaign_id is not None:
        where, params = f"{where} AND campaign_id = %s", [*params, campaign_id]
    return _query(db, f"{where} ORDER BY started_at DESC, id DESC LIMIT %s", [*params, limit])


def search(
    db: Database, campaign_ids: Sequence[int], *, from_at: float = 0.0, to_at: float = 1e12, limit: int = 100
) -> list[RunRow]:
    """Runs of these campaigns that were started in the period, the latest first."""
    if not campaign_ids:
        return []
    where = f"started_at >= %s AND started_at < %s AND campaign_id IN ({marks(len(campaign_ids))})"
    return _query(db, f"{where} ORDER BY started_at DESC, id DESC LIMIT %s", [from_at, to_at, *campaign_ids, limit])


def some(db: Database, run_ids: Sequence[int]) -> list[RunRow]:
    """Those of them that there are, in the order in which they were started."""
    return _query(db, f"id IN ({marks(len(run_ids))}) ORDER BY id", run_ids) if run_ids else []


def page_of_runs(
    db: Database, campaign_ids: Sequence[int], *, after: int = 0, limit: int = 100, live: bool = False
) -> list[RunRow]:
    """Runs of these campaigns, the latest first, behind the one with the id ``after`` (0: from the latest on)."""
    if not campaign_ids:
        return []
    where, params = f"campaign_id IN ({marks(len(campaign_ids))})", list(campaign_ids)
    if after:
        where, params = f"{where} AND id < %s", [*params, after]
    if live:
        where = f"{where} AND live_campaign_id IS NOT NULL"
    return _query(db, f"{where} ORDER BY id DESC LIMIT %s", [*params, limit])


def run_by_name(db: Database, name: str) -> RunRow | None:
    """The live run of the campaign of that name, else the latest run that has it for its own name, else None."""
    live = _query(db, "live_campaign_id = (SELECT id FROM campaign WHERE name = %s)", (name,))
    found = live or _query(db, "name = %s ORDER BY id DESC LIMIT 1", (name,))
    return found[0] if found else None


def set_run_state(db: Database, run_id: int, *, state: RunState, now: float) -> RunRow:
    """UserError when there is no such run; a run that has ended stays as it is."""
    with db.transaction() as tx:
        lock_run(tx, run_id)
        change_state(tx, run_id, state=state, at=now)
        return _one(tx, run_id)


def set_boost(db: Database, run_id: int, *, factor: float) -> RunRow:
    if not 0 < factor <= 100:
        raise UserError(f"boost {factor:g}: it must be above 0, up to 100")
    with db.transaction() as tx:
        tx.run("UPDATE run SET boost = %s WHERE id = %s", (factor, run_id))
        return _one(tx, run_id)


def run_lists(db: Database, run_id: int) -> list[RunList]:
    """Lists of a run in order, with how far they are and how much remains."""
    with db.transaction(write=False) as tx:
        return _lists(tx, run_id)


def appended(db: Database, ends: Iterable[tuple[int, int]]) -> dict[tuple[int, int], tuple[int, int]]:
    """For pairs of a list and its last record known: how many came since, and which is the last now. Those without are
    left out. What was there before is not counted again, so it costs the same however long the lists are.
    """
    found = {}
    with db.transaction(write=False) as tx:
        for list_id, end in ends:
            sql = f"SELECT COUNT(*), MAX(id) FROM record {tx.by_index(_BY_ID)} WHERE list_id = %s AND id > %s"
            count, last = tx.row(sql, (list_id, end)) or (0, None)
            if count:
                found[list_id, end] = (count, last)
    return found


def add_run_list(db: Database, run_id: int, list_id: int) -> list[RunList]:
    """Append a list to a live run; UserError when it is there already."""
    with db.transaction() as tx:
        _require_live(tx, run_id)
        if tx.value("SELECT COUNT(*) FROM call_list WHERE id = %s", (list_id,)) == 0:
            raise UserError(f"there is no list {list_id}")
        if tx.value("SELECT COUNT(*) FROM run_list WHERE run_id = %s AND list_id = %s", (run_id, list_id)):
            raise UserError(f"list {list_id} is in run {run_id} already")
        _refuse_black(tx, run_id, list_id)
        last = tx.value("SELECT COALESCE(MAX(position), -1) FROM run_list WHERE run_id = %s", (run_id,))
        tx.run(
            "INSERT INTO run_list (run_id, list_id, position, paused, high_water, taken) VALUES (%s, %s, %s, 0, 0, 0)",
            (run_id, list_id, last + 1),
        )
        return _lists(tx, run_id)


def _refuse_black(tx: Transaction, run_id: int, list_id: int) -> None:
    """A slip of the hand must not dial those who are never to be dialled."""
    black = tx.value(
        "SELECT l.name FROM campaign_list x JOIN run r ON r.campaign_id = x.campaign_id JOIN call_list l "
        "ON l.id = x.list_id WHERE r.id = %s AND x.list_id = %s AND x.list_use = 'BLACK'",
        (run_id, list_id),
    )
    if black is not None:
        raise UserError(f"list {black} is a black list of this campaign: its numbers are not dialled")


def pause_run_list(db: Database, run_id: int, *, list_id: int, paused: bool) -> list[RunList]:
    """Nothing new is taken from a paused list; retries of its records go on."""
    with db.transaction() as tx:
        _require_live(tx, run_id)
        sql = "UPDATE run_list SET paused = %s WHERE run_id = %s AND list_id = %s"
        if tx.run(sql, (int(paused), run_id, list_id)) == 0:
            raise UserError(f"that list is not one of the run, which has {_names(tx, run_id)}")
        return _lists(tx, run_id)


def _names(tx: Transaction, run_id: int) -> str:
    return ", ".join(repr(each.name) for each in _lists(tx, run_id))


def order_run_lists(db: Database, run_id: int, *, list_ids: Sequence[int]) -> list[RunList]:
    """``list_ids`` are all lists of the run in their new order."""
    with db.transaction() as tx:
        _require_live(tx, run_id)
        have = {row[0] for row in tx.rows("SELECT list_id FROM run_list WHERE run_id = %s", (run_id,))}
        if have != set(list_ids) or len(have) != len(list_ids):
            raise UserError(f"the order must name each list of the run once: {_names(tx, run_id)}")
        sql = "UPDATE run_list SET position = %s WHERE run_id = %s AND list_id = %s"
        tx.many(sql, [(n, run_id, list_id) for n, list_id in enumerate(list_ids)])
        return _lists(tx, run_id)


def change_state(tx: Transaction, run_id: int, *, state: RunState, at: float) -> bool:
    """For the journal too: the run's row is locked. A change older than the state, or after the end, is ignored.

    Whether it was made.
    """
    live = state in LIVE_RUN_STATES
    end = "" if live else ", ended_at = %s, live_campaign_id = NULL"
    params = (state.value, at) if live else (state.value, at, at)
    current = "id = %s AND live_campaign_id IS NOT NULL AND state_at <= %s"
    changed = tx.run(f"UPDATE run SET state = %s, state_at = %s{end} WHERE {current}", (*params, run_id, at))
    if changed and state is RunState.REMOVED:
        _give_up(tx, run_id)
    return bool(changed)


def give_up(db: Database, run_id: int) -> None:
    """What came back to the hopper after its run was removed is given up too; nothing for a run that lives."""
    with db.transaction() as tx:
        if not lock_run(tx, run_id).live:
            _give_up(tx, run_id)


def _give_up(tx: Transaction, run_id: int) -> None:
    never_written = f"state IN ({marks(len(_NEVER_WRITTEN))})"
    attempts = tx.run(f"DELETE FROM attempt WHERE run_id = %s AND {never_written}", (run_id, *_NEVER_WRITTEN))
    retries = tx.run("DELETE FROM open_retry WHERE run_id = %s", (run_id,))
    tx.run(
        "UPDATE run SET closed = closed + %s, dropped = dropped + %s, open_retries = 0 WHERE id = %s",
        (attempts + retries, attempts + retries, run_id),
    )


class _Begin(NamedTuple):
    """What a campaign says of how its run begins."""

    name: str
    zone: str
    boost: float
    paused: bool


def _startable(tx: Transaction, campaign_id: int) -> _Begin:
    """Of a campaign that may start now."""
    sql = f"SELECT name, zone, status, boost, starts_paused FROM campaign WHERE id = %s{tx.for_update}"
    row = tx.row(sql, (campaign_id,))
    if row is None:
        raise UserError(f"there is no campaign {campaign_id}")
    name, zone, status, boost, paused = row
    if tx.value("SELECT COUNT(*) FROM run WHERE live_campaign_id = %s", (campaign_id,)):
        raise UserError(
            f"campaign {name} has a live run already; remove that one or wait until it completes", code="has-run"
        )
    if status != CampaignStatus.RUNNABLE:
        raise UserError(f"campaign {name} is {status}; only a RUNNABLE one can be started")
    missing = [
        word
        for word, table in (("trunk", "campaign_trunk"), ("end point", "campaign_end_point"))
        if tx.value(f"SELECT COUNT(*) FROM {table} WHERE campaign_id = %s", (campaign_id,)) == 0
    ]
    if missing:
        raise UserError(f"campaign {name} cannot start: it has no {' and no '.join(missing)}")
    return _Begin(name, zone, boost, bool(paused))


def _insert(tx: Transaction, campaign_id: int, begin: _Begin, *, now: float, by: str) -> int:
    state = RunState.PAUSED if begin.paused else RunState.RUNNABLE
    values = {
        "campaign_id": campaign_id, "campaign_name": begin.name, "name": run_name(begin.name, begin.zone, now=now),
        "state": state.value, "live_campaign_id": campaign_id, "boost": begin.boost, "started_at": now,
        "started_by": by, "state_at": now, "ended_at": None,
        **dict.fromkeys(("taken", "closed", "attempts", "answered", "rescheduled", "open_retries", "dropped"), 0),
    }  # fmt: skip
    return tx.insert(f"INSERT INTO run ({', '.join(values)}) VALUES ({marks(len(values))})", tuple(values.values()))


def run_name(campaign_name: str, zone: str, *, now: float) -> str:
    """``Sales 2025-10-09 08:53:20``, in the campaign's zone, else the machine's."""
    moment = datetime.fromtimestamp(now, ZoneInfo(zone)) if zone else datetime.fromtimestamp(now).astimezone()
    return f"{campaign_name} {moment:%Y-%m-%d %H:%M:%S}"


def _require_live(tx: Transaction, run_id: int) -> None:
    if not lock_run(tx, run_id).live:
        raise UserError(f"run {run_id} has ended")


def _one(tx: Transaction, run_id: int) -> RunRow:
    row = tx.row(f"SELECT {_COLUMNS} FROM run WHERE id = %s", (run_id,))
    if row is None:
        raise UserError(f"there is no run {run_id}")
    return _run_of(row)


def _query(db: Database, where: str, params: Sequence[object] = ()) -> list[RunRow]:
    with db.transaction(write=False) as tx:
        return [_run_of(row) for row in tx.rows(f"SELECT {_COLUMNS} FROM run WHERE {where}", params)]


def _run_of(row: Row) -> RunRow:
    taken, closed, attempts, answered, rescheduled, retries = row[6:12]
    counters = RunCounters(taken, closed, attempts, answered, rescheduled, taken - closed - retries, retries)
    return RunRow(row[0], row[1], row[2], RunState(row[3]), row[4], row[5], counters, row[12], row[13])


def _lists(tx: Transaction, run_id: int) -> list[RunList]:
    """What remains is what the list has less what was taken from it: nothing is counted, however long the list.

    Except of a list of calls from outside: the run came to it when it was longer, and some are taken when they come.
    """
    last = f"SELECT r.id FROM record r {tx.by_index(_BY_ID)} WHERE r.list_id = rl.list_id ORDER BY r.id DESC LIMIT 1"
    behind = (
        f"SELECT COUNT(*) FROM record r {tx.by_index(_BY_ID)} "
        "WHERE r.list_id = rl.list_id AND r.id > rl.high_water AND r.not_before IS NULL"
    )
    rows = tx.rows(
        "SELECT rl.run_id, rl.list_id, l.name, rl.position, rl.paused, rl.high_water, rl.taken, "
        f"CASE WHEN l.name LIKE '%%/AUTO' THEN ({behind}) ELSE l.records - rl.taken END, COALESCE(({last}), 0) "
        "FROM run_list rl JOIN call_list l ON l.id = rl.list_id WHERE rl.run_id = %s ORDER BY rl.position, rl.list_id",
        (run_id,),
    )
    return [RunList(row[0], row[1], row[2], row[3], bool(row[4]), *row[5:]) for row in rows]
