"""Records into the hopper, durable before anything is dialled.

The lists are read by primary key from where the run has got to, never by OFFSET, so the millionth record costs what the
first did. Every transaction here locks the row of the run first: two dialers, or a dialer and a console, queue there.
"""

import secrets
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from wombat_ari.model.calls import Claim, ClaimBatch, DialMark, OpenAttempt
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.ids import MAX_SERIES, SERIES, series_of
from wombat_ari.model.states import CallState
from wombat_ari.store.database import Database, Row, Transaction, chunks, marks
from wombat_ari.store.rows import ATTEMPT_COLUMNS, RunNames, blacklist_row, claim_of, insert_log

_IN_HOPPER = CallState.IN_HOPPER.value
_SCAN_FACTOR = 10  #: with everything on a black list, so many times the wanted records are read before it returns
_BLACK_CHUNK = 500  #: numbers looked up in one statement
_YEAR_2025 = 1735689600


class _Fresh(NamedTuple):
    """A record about to be claimed."""

    record_id: int
    list_id: int
    list_name: str
    number: str
    attempt: int
    inputs: str
    outputs: str


def take(db: Database, run_id: int, *, fresh: int, retries: int, now: float) -> ClaimBatch:
    """Claim up to ``retries`` retries that are due, oldest first, and ``fresh`` new records in the order of the lists.

    ``exhausted`` is certain when True; when False (always, when nothing fresh is wanted) the next call may still bring
    nothing. A run that has ended gives nothing.
    """
    with db.transaction() as tx:
        run = lock_run(tx, run_id)
        if not run.live:
            return ClaimBatch((), 0, True, None)
        again = _take_retries(tx, run_id, limit=retries, now=now)
        new, exhausted = _take_new(tx, run_id, campaign_id=run.campaign_id, wanted=fresh)
        claims = _store(tx, run_id, run, dialled=[*again, *new.dial], black=new.black, now=now)
        black = len(new.black)
        tx.run(
            "UPDATE run SET taken = taken + %s, closed = closed + %s, attempts = attempts + %s, "
            "open_retries = open_retries - %s WHERE id = %s",
            (len(new.dial) + black, black, black, len(again), run_id),
        )
        next_retry = tx.value("SELECT MIN(due_at) FROM open_retry WHERE run_id = %s", (run_id,))
        return ClaimBatch(claims, black, exhausted, next_retry, tuple(new.steps))


def mark_requested(db: Database, dials: Sequence[DialMark], *, now: float) -> None:
    """Make durable that these attempts may be dialled now. Returns only after the commit; may be repeated.

    StoreError (not transient) when one of them is not open any more: then none is marked.
    """
    # Many calls go over few lines: one statement for each place, not a row of values for each call.
    places: dict[Row, set[int]] = {}
    for dial in dials:
        agent = (dial.agent[:80], dial.agent_interface[:255]) if dial.agent_interface else (None, None)
        place = (dial.server_id, dial.trunk_id, dial.end_point_id, dial.state.value, *agent)
        places.setdefault(place, set()).add(dial.wombatid)
    with db.transaction() as tx:
        for place, wombatids in places.items():
            for ids in chunks(sorted(wombatids), 1000):
                found = tx.run(
                    "UPDATE attempt SET server_id = %s, trunk_id = %s, end_point_id = %s, state = %s, agent = %s, "
                    "agent_interface = %s, state_at = %s, "
                    f"requested_at = %s WHERE wombatid IN ({marks(len(ids))})",
                    (*place, now, now, *ids),
                )
                if found != len(ids):
                    raise StoreError(f"{len(ids) - found} of the attempts {ids} are not open")


def release(db: Database, wombatids: Iterable[int]) -> None:
    """These were never written to a PBX: they are in the hopper again. Ids that are not open are ignored."""
    with db.transaction() as tx:
        for ids in chunks(wombatids, 1000):
            tx.run(
                "UPDATE attempt SET state = %s, server_id = NULL, trunk_id = NULL, end_point_id = NULL, "
                "requested_at = NULL, dialling_at = NULL, connected_at = NULL, agent = NULL, agent_interface = NULL "
                f"WHERE wombatid IN ({marks(len(ids))})",
                (_IN_HOPPER, *ids),
            )


def open_attempts(db: Database, run_id: int) -> list[OpenAttempt]:
    """All open attempts of a run in the order of their ids, as the database knows them."""
    columns = ATTEMPT_COLUMNS.removesuffix(", state_at")
    with db.transaction(write=False) as tx:
        rows = tx.rows(
            f"SELECT {columns}, server_id, trunk_id, end_point_id, requested_at, dialling_at, connected_at, "
            "COALESCE(agent, ''), COALESCE(agent_interface, '') FROM attempt WHERE run_id = %s ORDER BY wombatid",
            (run_id,),
        )
    return [OpenAttempt(claim_of(row), CallState(row[9]), *row[10:]) for row in rows]


def lock_run(tx: Transaction, run_id: int) -> RunNames:
    """Names of a run, its row locked until the commit. UserError when there is none."""
    found = lock_runs(tx, [run_id])
    if not found:
        raise UserError(f"there is no run {run_id}")
    return found[run_id]


def lock_runs(tx: Transaction, run_ids: Iterable[int]) -> dict[int, RunNames]:
    """In the order of their ids, so that two transactions never wait for each other."""
    ids = sorted(set(run_ids))
    rows = tx.rows(
        "SELECT id, campaign_id, campaign_name, name, live_campaign_id IS NOT NULL FROM run "
        f"WHERE id IN ({marks(len(ids))}) ORDER BY id{tx.for_update}",
        ids,
    )
    return {row[0]: RunNames(row[1], row[2], row[3], bool(row[4])) for row in rows}


def allocate_ids(tx: Transaction, count: int, now: float) -> int:
    """The first of ``count`` WOMBATIDs in a row.

    All are of the database's series, which is drawn at the first call. Never below the milliseconds since 2025, so that
    a database restored from an old backup does not give out again what was used after it.
    """
    free = int(tx.value(f"SELECT next_id FROM id_block WHERE name = 'wombatid'{tx.for_update}"))
    series = series_of(free) or secrets.randbelow(MAX_SERIES) + 1
    first = max(free, series * SERIES + max(0, int((now - _YEAR_2025) * 1000)))
    tx.run("UPDATE id_block SET next_id = %s WHERE name = 'wombatid'", (first + count,))
    return first


def series(db: Database, *, now: float) -> int:
    """The series of this database's WOMBATIDs (``model/ids``): its own, so that its dialer knows its calls."""
    with db.transaction() as tx:
        return series_of(allocate_ids(tx, 0, now))


def _take_retries(tx: Transaction, run_id: int, *, limit: int, now: float) -> list[_Fresh]:
    if limit <= 0:
        return []
    rows = tx.rows(
        "SELECT o.record_id, r.list_id, l.name, r.number, o.attempt, r.input_attributes, r.output_attributes "
        "FROM open_retry o JOIN record r ON r.id = o.record_id JOIN call_list l ON l.id = r.list_id "
        "WHERE o.run_id = %s AND o.due_at <= %s ORDER BY o.due_at, o.record_id LIMIT %s",
        (run_id, now, limit),
    )
    for part in chunks(rows, 1000):
        ids = [row[0] for row in part]
        tx.run(f"DELETE FROM open_retry WHERE run_id = %s AND record_id IN ({marks(len(ids))})", (run_id, *ids))
    return [_Fresh(*row) for row in rows]


class _Harvest:
    """What a pass over the lists brings: records to dial and records on a black list, until there is enough."""

    def __init__(self, wanted: int) -> None:
        self.dial: list[_Fresh] = []
        self.black: list[_Fresh] = []
        self.steps: list[tuple[int, int, int]] = []
        self._wanted = wanted

    @property
    def room(self) -> int:
        """How many records may be read yet."""
        return min(self._wanted - len(self.dial), self._wanted * _SCAN_FACTOR - len(self.dial) - len(self.black))


def _take_new(tx: Transaction, run_id: int, *, campaign_id: int, wanted: int) -> tuple[_Harvest, bool]:
    """New records from the lists in order, and whether all lists are at their ends."""
    harvest = _Harvest(wanted)
    if wanted <= 0:
        return harvest, False
    lists = tx.rows(
        "SELECT rl.list_id, l.name, rl.high_water FROM run_list rl JOIN call_list l ON l.id = rl.list_id "
        "WHERE rl.run_id = %s AND rl.paused = 0 ORDER BY rl.position, rl.list_id",
        (run_id,),
    )
    black_lists = _black_lists(tx, campaign_id) if lists else []
    for list_id, name, high_water in lists:
        if harvest.room <= 0:
            return harvest, False
        at_end, position, taken = _read_list(tx, (list_id, name), harvest, after=high_water, black_lists=black_lists)
        if taken:
            tx.run(
                "UPDATE run_list SET high_water = %s, taken = taken + %s WHERE run_id = %s AND list_id = %s",
                (position, taken, run_id, list_id),
            )
            harvest.steps.append((list_id, position, taken))
        if not at_end:
            return harvest, False
    return harvest, True


def _read_list(
    tx: Transaction, call_list: tuple[int, str], harvest: _Harvest, *, after: int, black_lists: list[int]
) -> tuple[bool, int, int]:
    """Read one list until there is enough: whether its end was reached, the last id, how many records."""
    taken = 0
    while (room := harvest.room) > 0:
        rows = _read(tx, call_list[0], after=after, limit=room)
        hits = on_black_list(tx, black_lists, {row[1] for row in rows})
        for record_id, number, inputs, outputs in rows:
            target = harvest.black if number in hits else harvest.dial
            target.append(_Fresh(record_id, *call_list, number, 1, inputs, outputs))
        taken += len(rows)
        after = rows[-1][0] if rows else after
        if len(rows) < room:
            return True, after, taken
    return False, after, taken


def _read(tx: Transaction, list_id: int, *, after: int, limit: int) -> list[Row]:
    sql = f"SELECT id, number, input_attributes, output_attributes FROM record {tx.by_index('record_by_list_id_id')}"
    return tx.rows(f"{sql} WHERE list_id = %s AND id > %s ORDER BY id LIMIT %s", (list_id, after, limit))


def _black_lists(tx: Transaction, campaign_id: int) -> list[int]:
    rows = tx.rows("SELECT list_id FROM campaign_list WHERE campaign_id = %s AND list_use = 'BLACK'", (campaign_id,))
    return [row[0] for row in rows]


def on_black_list(tx: Transaction, lists: list[int], numbers: set[str]) -> set[str]:
    """By the index (list_id, number): what it costs does not grow with the lists."""
    if not lists or not numbers:
        return set()
    index = tx.by_index("record_by_list_id_number")
    found: set[str] = set()
    for part in chunks(sorted(numbers), _BLACK_CHUNK):
        wanted = f"list_id IN ({marks(len(lists))}) AND number IN ({marks(len(part))})"
        sql = f"SELECT number FROM record {index} WHERE {wanted}"
        found.update(row[0] for row in tx.rows(sql, (*lists, *part)))
    return found


def _store(
    tx: Transaction, run_id: int, run: RunNames, *, dialled: list[_Fresh], black: list[_Fresh], now: float
) -> tuple[Claim, ...]:
    """Write the attempts and the log rows of the black-listed under new ids."""
    if not dialled and not black:
        return ()
    first = allocate_ids(tx, len(dialled) + len(black), now)
    heads: list[Row] = [(first + n, run_id, *fresh) for n, fresh in enumerate([*dialled, *black])]
    mine = heads[: len(dialled)]
    tx.many(
        f"INSERT INTO attempt ({ATTEMPT_COLUMNS}) VALUES ({marks(11)})", [(*head, _IN_HOPPER, now) for head in mine]
    )
    insert_log(tx, [blacklist_row(head, run, now) for head in heads[len(dialled) :]])
    return tuple(claim_of(head) for head in mine)
