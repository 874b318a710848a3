"""Calls asked for from outside: appended to the list of their campaign's live run under the WOMBATID that is promised.

All that came together is one transaction, which locks the rows of the runs first and then those of the lists. The list,
``<campaign>/AUTO``, is made when it is needed and put at the end of the run's lists: from its present end on, so that
what earlier runs dialled is not dialled again. A call that is not to be placed yet is taken from the list at once and
waits as an open retry, however much the run has before it.

The system log is told in the same transaction: one line for all that somebody added to a run in it, with each WOMBATID.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import NamedTuple

from wombat_ari.core import validate
from wombat_ari.core.numbers import number_of_attempt, numbers_of
from wombat_ari.model.calls import AddedCall, NewCall, RunList, SystemLogEntry
from wombat_ari.model.entities import CallList
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.reports import CallInfo
from wombat_ari.store import saving
from wombat_ari.store.claims import allocate_ids, lock_runs
from wombat_ari.store.database import Database, Transaction, chunks, marks
from wombat_ari.store.entities import LIST
from wombat_ari.store.journal import write_system_log
from wombat_ari.store.rows import dump, load

AUTO = "/AUTO"
_MAX_NAME = 80
_BY_ID = "record_by_list_id_id"


class CampaignOfCalls(NamedTuple):
    """What is asked of a campaign that calls are added to."""

    id: int
    name: str
    security_key: str
    zone: str  #: of its active period; empty: the dialer's


class _Target(NamedTuple):
    """Where the calls of a run go."""

    list_id: int
    end: int  #: last record of the list before them
    attached: RunList | None  #: if the list came to the run by this


def campaign_of_calls(db: Database, name: str) -> CampaignOfCalls | None:
    """By its exact name. Asked hundreds of times a second: one row, whatever else there is."""
    with db.transaction(write=False) as tx:
        row = tx.row("SELECT id, name, security_key, zone FROM campaign WHERE name = %s", (name,))
    return CampaignOfCalls(*row) if row is not None and row[1] == name else None


def add_calls(db: Database, calls: Sequence[NewCall], *, now: float) -> list[AddedCall | UserError]:
    """One answer for each call, in order; a UserError for those whose run is not live. Durable when it returns."""
    if not calls:
        return []
    try:
        return _Batch(calls, now).add(db)
    except UserError as error:
        if error.code != saving.NAME_TAKEN:
            raise
        return _Batch(calls, now).add(db)  # somebody made the list at the same moment


def add_within(db: Database, tx: Transaction, call: NewCall, *, now: float) -> AddedCall | UserError:
    """One, in a transaction of somebody else's."""
    return _Batch([call], now).add_within(db, tx)[0]


def auto_list(campaign: str) -> str:
    """``Sales`` -> ``Sales/AUTO``; the name of a campaign that is too long for that is cut, but stays distinct."""
    name = campaign + AUTO
    if len(name) <= _MAX_NAME:
        return name
    tail = f"~{sha256(campaign.encode()).hexdigest()[:8]}{AUTO}"
    return campaign[: _MAX_NAME - len(tail)].rstrip() + tail


class _Batch:
    """The calls that are added in one transaction."""

    def __init__(self, calls: Sequence[NewCall], now: float) -> None:
        self._calls = calls
        self._now = now
        self._targets: dict[int, _Target] = {}
        self._ids: list[int | None] = []  #: of each call; None where its run is not live
        self._at_commit = False

    def add(self, db: Database) -> list[AddedCall | UserError]:
        try:
            with db.transaction() as tx:
                answers = self.add_within(db, tx)
                self._at_commit = True
        except StoreError as error:
            if not (self._at_commit and self._is_stored(db, error)):
                raise
        return answers

    def add_within(self, db: Database, tx: Transaction) -> list[AddedCall | UserError]:
        self._add(db, tx)
        return [self._answer(call, wombatid) for call, wombatid in zip(self._calls, self._ids, strict=True)]

    def _add(self, db: Database, tx: Transaction) -> None:
        counts = Counter(call.run_id for call in self._calls)
        runs = lock_runs(tx, counts)
        live = {run_id: run for run_id, run in runs.items() if run.live}
        for run_id, run in live.items():
            name = auto_list(run.campaign_name)
            self._targets[run_id] = _target(db, tx, run_id, name, count=counts[run_id], now=self._now)
        first = allocate_ids(tx, sum(counts[run_id] for run_id in live), self._now)
        ids = iter(range(first, first + len(self._calls)))
        self._ids = [next(ids) if call.run_id in live else None for call in self._calls]
        tx.many(
            "INSERT INTO record (list_id, number, input_attributes, output_attributes, wombatid, not_before) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            [
                (
                    self._targets[call.run_id].list_id,
                    call.number,
                    dump(call.attributes),
                    "{}",
                    wombatid,
                    call.not_before,
                )
                for call, wombatid in zip(self._calls, self._ids, strict=True)
                if wombatid is not None
            ],
        )
        for run_id in live:
            self._postpone(tx, run_id)
        write_system_log(tx, self._lines({run_id: run.campaign_name for run_id, run in live.items()}))

    def _lines(self, campaigns: dict[int, str]) -> Iterator[SystemLogEntry]:
        groups: dict[tuple[str, str, int], list[tuple[int, str]]] = {}
        for call, wombatid in zip(self._calls, self._ids, strict=True):
            if call.by and wombatid is not None:
                groups.setdefault((call.by, call.origin, call.run_id), []).append((wombatid, call.number))
        for (by, origin, run_id), added in groups.items():
            one = f"call {added[0][0]} to {added[0][1]}"
            what = one if len(added) == 1 else f"{len(added)} calls: {_ranges([each for each, _ in added])}"
            text = "; ".join(filter(None, (what, origin)))
            yield SystemLogEntry(self._now, by, "calls added", campaigns[run_id], text)

    def _postpone(self, tx: Transaction, run_id: int) -> None:
        """Take those that are to be placed later from the list."""
        due = {
            wombatid: call.not_before
            for call, wombatid in zip(self._calls, self._ids, strict=True)
            if call.run_id == run_id and call.not_before is not None
        }
        if not due:
            return
        list_id, end, _ = self._targets[run_id]
        sql = f"SELECT id, wombatid FROM record {tx.by_index(_BY_ID)} WHERE list_id = %s AND id > %s"
        later = [row for row in tx.rows(sql, (list_id, end)) if row[1] in due]
        tx.many(
            "INSERT INTO open_retry (run_id, record_id, due_at, attempt, wombatid) VALUES (%s, %s, %s, %s, %s)",
            [(run_id, record_id, due[wombatid], 1, wombatid) for record_id, wombatid in later],
        )
        for ids in chunks((record_id for record_id, _ in later), 1000):
            tx.run(f"UPDATE record SET wombatid = NULL WHERE id IN ({marks(len(ids))})", ids)
        sql = "UPDATE run SET taken = taken + %s, open_retries = open_retries + %s WHERE id = %s"
        tx.run(sql, (len(later), len(later), run_id))
        tx.run(
            "UPDATE run_list SET taken = taken + %s WHERE run_id = %s AND list_id = %s", (len(later), run_id, list_id)
        )

    def _is_stored(self, db: Database, error: StoreError) -> bool:
        """After a commit that was not answered. All of it is there, or nothing: one call tells."""
        pairs = zip(self._calls, self._ids, strict=True)
        found = next(((call, wombatid) for call, wombatid in pairs if wombatid is not None), None)
        if found is None:
            return True
        call, wombatid = found
        list_id, end, _ = self._targets[call.run_id]
        try:
            with db.transaction(write=False) as tx:
                if call.not_before is not None:
                    sql = "SELECT COUNT(*) FROM open_retry WHERE run_id = %s AND wombatid = %s"
                    return bool(tx.value(sql, (call.run_id, wombatid)))
                new = "list_id = %s AND id > %s AND wombatid = %s"
                sql = f"SELECT COUNT(*) FROM record {tx.by_index(_BY_ID)} WHERE {new}"
                return bool(tx.value(sql, (list_id, end, wombatid)))
        except StoreError:
            text = f"{error}; whether the call was added is not known"
            raise StoreError(text, code=error.code, transient=True) from error

    def _answer(self, call: NewCall, wombatid: int | None) -> AddedCall | UserError:
        if wombatid is None:
            return UserError(f"run {call.run_id} has ended", code="no-run")
        target = self._targets[call.run_id]
        return AddedCall(wombatid, target.list_id, target.attached)


def _target(db: Database, tx: Transaction, run_id: int, name: str, *, count: int, now: float) -> _Target:
    """The list, locked and counted as having ``count`` records more, in the run."""
    grow = "UPDATE call_list SET records = records + %s WHERE name = %s"
    if not tx.run(grow, (count, name)):
        checked, _ = validate.check_list(CallList(None, name))
        saving.save(db, tx, LIST, checked, by="dialer", now=now)
        tx.run(grow, (count, name))
    last = f"SELECT id FROM record {tx.by_index(_BY_ID)} WHERE list_id = call_list.id ORDER BY id DESC LIMIT 1"
    sql = (
        f"SELECT id, COALESCE(({last}), 0), "
        "(SELECT COUNT(*) FROM run_list WHERE run_id = %s AND list_id = call_list.id) FROM call_list WHERE name = %s"
    )
    list_id, end, attached = tx.rows(sql, (run_id, name))[0]
    if attached:
        return _Target(list_id, end, None)
    position = tx.value("SELECT COALESCE(MAX(position), -1) + 1 FROM run_list WHERE run_id = %s", (run_id,))
    sql = "INSERT INTO run_list (run_id, list_id, position, paused, high_water, taken) VALUES (%s, %s, %s, 0, %s, 0)"
    tx.run(sql, (run_id, list_id, position, end))
    return _Target(list_id, end, RunList(run_id, list_id, name, position, False, end, 0, 0, end))


def _ranges(ids: Sequence[int]) -> str:
    """``7-9, 11`` of ids that grow."""
    parts: list[list[int]] = []
    for each in ids:
        if parts and parts[-1][1] == each - 1:
            parts[-1][1] = each
        else:
            parts.append([each, each])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def find_call(db: Database, wombatid: int) -> CallInfo | None:
    """What the database knows of a call: on the list of a live run, waiting for its time, open, or ended."""
    with db.transaction(write=False) as tx:
        for sql, where in _PLACES:
            row = tx.row(f"SELECT {sql} WHERE {where} = %s", (wombatid,))
            if row is not None:
                *head, inputs, outputs = row
                found = CallInfo(wombatid, *head, load(inputs), load(outputs))  # type: ignore[call-arg]
                return _with_next_number(found) if found.state in ("ON_LIST", "WAITING") else found
    return None


def record_of(db: Database, wombatid: int) -> tuple[int, int] | None:
    """Run and record of a call that was taken from its list; None: not yet, or there is none."""
    with db.transaction(write=False) as tx:
        for table in ("call_log", "attempt", "open_retry"):
            row = tx.row(f"SELECT run_id, record_id FROM {table} WHERE wombatid = %s", (wombatid,))
            if row is not None:
                return int(row[0]), int(row[1])
    return None


def _with_next_number(found: CallInfo) -> CallInfo:
    numbers = numbers_of(found.number, found.input_attributes)
    return replace(found, number=number_of_attempt(numbers, found.attempt))


_RUN = "run.campaign_name, run.id, run.name"
_RECORD = "record.input_attributes, record.output_attributes"
#: where a call may be, the latest first; columns as those of CallInfo
_PLACES = (
    (
        "'ENDED', campaign_name, run_id, run_name, list_name, number, attempt, NULL, attempted_at, ended_at, outcome, "
        "extended_status, retry_in_s, agent, input_attributes, output_attributes FROM call_log",
        "wombatid",
    ),
    (
        f"attempt.state, {_RUN}, list_name, number, attempt, NULL, requested_at, NULL, '', '', 0, COALESCE(agent, ''), "
        "input_attributes, output_attributes FROM attempt JOIN run ON run.id = run_id",
        "wombatid",
    ),
    (
        f"'WAITING', {_RUN}, call_list.name, record.number, attempt, due_at, NULL, NULL, '', '', 0, '', {_RECORD} "
        "FROM open_retry JOIN run ON run.id = run_id JOIN record ON record.id = record_id "
        "JOIN call_list ON call_list.id = record.list_id",
        "open_retry.wombatid",
    ),
    (
        f"'ON_LIST', {_RUN}, call_list.name, record.number, 1, NULL, NULL, NULL, '', '', 0, '', {_RECORD} "
        "FROM run JOIN run_list ON run_list.run_id = run.id JOIN call_list ON call_list.id = run_list.list_id "
        "JOIN record ON record.list_id = run_list.list_id AND record.id > run_list.high_water",
        "run.live_campaign_id IS NOT NULL AND call_list.name LIKE '%%/AUTO' AND record.wombatid",
    ),
)
