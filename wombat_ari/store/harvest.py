"""What a claim takes: retries that are due, and new records in the order of the lists. Inside ``store/claims.take``.

The lists are read by primary key from where the run has got to, never by OFFSET, so the millionth record costs what the
first did. Of a record with several numbers it is the one whose turn it is; numbers on a black list are passed over, and
a record that has no other is closed. A black list counts when a record is taken first, and for alternative numbers each
time; a retry of a record with one number is not asked about again.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from wombat_ari.core.numbers import number_of_attempt, numbers_of
from wombat_ari.store.database import Row, Transaction, chunks, marks
from wombat_ari.store.rows import load

_SCAN_FACTOR = 10  #: with everything on a black list, so many times the wanted records are read before it returns
_BLACK_CHUNK = 500  #: numbers looked up in one statement
_ALTERNATIVE = '"MULTINUM'  #: stands in the stored attributes of whoever has one


class Pick(NamedTuple):
    """A record about to be claimed, or to be closed. The first seven are columns of its attempt."""

    record_id: int
    list_id: int
    list_name: str
    number: str
    attempt: int
    inputs: str
    outputs: str
    wombatid: int | None = None  #: promised for this try


class Harvest:
    """What one claim of a run brings: records to dial, on a black list, and to be dialled later."""

    def __init__(self, tx: Transaction, run_id: int, *, campaign_id: int, now: float) -> None:
        self.dial: list[Pick] = []
        self.black: list[Pick] = []
        self.later: list[tuple[int, float, int | None]] = []  #: record, when it is due, its promised id
        self.steps: list[tuple[int, int, int]] = []  #: list, where the run has got to, how many were taken
        self._woken: set[int] = set()  #: records whose open retries were taken
        self._tx = tx
        self._run_id = run_id
        self._campaign_id = campaign_id
        self._now = now
        self._black_lists: list[int] | None = None

    @property
    def more_retries(self) -> int:
        """How many more open retries there are by this, or (below 0) fewer."""
        return len(self.later) - len(self._woken)

    def take_due(self, limit: int) -> None:
        """Open retries that are due, the oldest first; also records that wait for their first try."""
        if limit <= 0:
            return
        picks = [Pick(*row) for row in self._due(limit)]
        for ids in chunks((pick.record_id for pick in picks), 1000):
            where = f"run_id = %s AND record_id IN ({marks(len(ids))})"
            self._tx.run(f"DELETE FROM open_retry WHERE {where}", (self._run_id, *ids))
        self._sort(picks)
        self._woken = {pick.record_id for pick in picks}

    def _due(self, limit: int) -> list[Row]:
        """By the index of what is due, then record by record: left to choose, MariaDB may read all records first."""
        columns = "o.record_id, r.list_id, l.name, r.number, o.attempt, r.input_attributes, r.output_attributes"
        join = self._tx.straight_join
        return self._tx.rows(
            f"SELECT {columns}, o.wombatid FROM open_retry o {self._tx.by_index('open_retry_by_run_id_due_at')} "
            f"{join} record r ON r.id = o.record_id {join} call_list l ON l.id = r.list_id "
            "WHERE o.run_id = %s AND o.due_at <= %s ORDER BY o.due_at, o.record_id LIMIT %s",
            (self._run_id, self._now, limit),
        )

    def take_new(self, wanted: int) -> bool:
        """New records in the order of the lists until ``wanted`` are to be dialled; whether all lists are at an end."""
        if wanted <= 0:
            return False
        lists = self._tx.rows(
            "SELECT rl.list_id, l.name, rl.high_water FROM run_list rl JOIN call_list l ON l.id = rl.list_id "
            "WHERE rl.run_id = %s AND rl.paused = 0 ORDER BY rl.position, rl.list_id",
            (self._run_id,),
        )
        quota = _Quota(wanted, wanted * _SCAN_FACTOR)
        return all(self._read_list((list_id, name), quota, after=position) for list_id, name, position in lists)

    def _read_list(self, call_list: tuple[int, str], quota: "_Quota", *, after: int) -> bool:
        """Read one list until there is enough, and keep where it is; whether its end was reached."""
        before, taken, at_end = after, 0, False
        while not at_end and (room := quota.room) > 0:
            rows = self._read(call_list[0], after=after, limit=room)
            at_end = len(rows) < room
            after = rows[-1][0] if rows else after
            fresh = self._without_taken(rows)
            dialled = self._sort_new(call_list, fresh)
            quota.spend(len(rows), dialled)
            taken += len(fresh)
        if after != before:
            self._tx.run(
                "UPDATE run_list SET high_water = %s, taken = taken + %s WHERE run_id = %s AND list_id = %s",
                (after, taken, self._run_id, call_list[0]),
            )
            self.steps.append((call_list[0], after, taken))
        return at_end

    def _read(self, list_id: int, *, after: int, limit: int) -> list[Row]:
        columns = "id, number, input_attributes, output_attributes, wombatid, not_before"
        source = f"record {self._tx.by_index('record_by_list_id_id')}"
        sql = f"SELECT {columns} FROM {source} WHERE list_id = %s AND id > %s ORDER BY id LIMIT %s"
        return self._tx.rows(sql, (list_id, after, limit))

    def _without_taken(self, rows: list[Row]) -> list[Row]:
        """A record with a time may be of a call that was added to this very run: then it was taken at once."""
        dated = [row[0] for row in rows if row[5] is not None]
        if not dated:
            return rows
        taken = set(self._woken)
        for source in ("open_retry", "attempt", f"call_log {self._tx.by_index('call_log_by_record_id')}"):
            for ids in chunks(dated, 1000):
                where = f"run_id = %s AND record_id IN ({marks(len(ids))})"
                rows_of = self._tx.rows(f"SELECT record_id FROM {source} WHERE {where}", (self._run_id, *ids))
                taken.update(row[0] for row in rows_of)
        return [row for row in rows if row[0] not in taken]

    def _sort_new(self, call_list: tuple[int, str], rows: list[Row]) -> int:
        """How many of them are to be dialled now."""
        promised = self._redeem([row[0] for row in rows if row[4] is not None])
        picks = []
        for record_id, number, inputs, outputs, _, not_before in rows:
            if not_before is not None and not_before > self._now:
                self.later.append((record_id, not_before, promised.get(record_id)))
            else:
                picks.append(Pick(record_id, *call_list, number, 1, inputs, outputs, promised.get(record_id)))
        before = len(self.dial)
        self._sort(picks)
        return len(self.dial) - before

    def _redeem(self, record_ids: list[int]) -> dict[int, int]:
        """The ids promised for records, which are theirs no more: of two runs that take one record, one gets its id."""
        promised: dict[int, int] = {}
        for ids in chunks(record_ids, 1000):
            where = f"id IN ({marks(len(ids))})"
            sql = f"SELECT id, wombatid FROM record WHERE {where} AND wombatid IS NOT NULL{self._tx.for_update}"
            promised.update(self._tx.rows(sql, ids))
            self._tx.run(f"UPDATE record SET wombatid = NULL WHERE {where}", ids)
        return promised

    def _sort(self, picks: Sequence[Pick]) -> None:
        """To the number whose turn it is, or to the black ones."""
        asked = [(pick, _numbers(pick)) for pick in picks]
        hits = self._hits({number for pick, numbers in asked if _is_asked(pick, numbers) for number in numbers})
        for pick, numbers in asked:
            if not _is_asked(pick, numbers):
                self.dial.append(pick)
                continue
            allowed = [number for number in numbers if number not in hits]
            target = self.dial if allowed else self.black
            number = number_of_attempt(allowed or numbers, pick.attempt)
            target.append(pick if number == pick.number else pick._replace(number=number))

    def _hits(self, numbers: set[str]) -> set[str]:
        if not numbers:
            return set()
        if self._black_lists is None:
            sql = "SELECT list_id FROM campaign_list WHERE campaign_id = %s AND list_use = 'BLACK'"
            self._black_lists = [row[0] for row in self._tx.rows(sql, (self._campaign_id,))]
        return on_black_list(self._tx, self._black_lists, numbers)


class _Quota:
    """How much of the lists is read yet."""

    def __init__(self, dialled: int, read: int) -> None:
        self._dialled = dialled
        self._read = read

    @property
    def room(self) -> int:
        return min(self._dialled, self._read)

    def spend(self, read: int, dialled: int) -> None:
        self._read -= read
        self._dialled -= dialled


def on_black_list(tx: Transaction, lists: list[int], numbers: Iterable[str]) -> set[str]:
    """By the index (list_id, number): what it costs does not grow with the lists."""
    if not lists:
        return set()
    index = tx.by_index("record_by_list_id_number")
    found: set[str] = set()
    for part in chunks(sorted(numbers), _BLACK_CHUNK):
        wanted = f"list_id IN ({marks(len(lists))}) AND number IN ({marks(len(part))})"
        sql = f"SELECT number FROM record {index} WHERE {wanted}"
        found.update(row[0] for row in tx.rows(sql, (*lists, *part)))
    return found


def _numbers(pick: Pick) -> tuple[str, ...]:
    return numbers_of(pick.number, load(pick.inputs)) if _ALTERNATIVE in pick.inputs else (pick.number,)


def _is_asked(pick: Pick, numbers: tuple[str, ...]) -> bool:
    return pick.attempt == 1 or len(numbers) > 1
