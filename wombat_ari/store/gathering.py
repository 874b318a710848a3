"""Numbers of past attempts onto a new list, so that a list with its name is whole.

Until all are on it, the list is called ``NAME (unfinished)`` and is hidden; the last transaction gives it its name.
Each transaction is of some thousand records, so that the dialer's own writing goes on. Whatever ends the work before,
what has been written has the name that says so; ``discard`` takes it away.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from wombat_ari.core import validate
from wombat_ari.core.numbers import ParsedRecord
from wombat_ari.model.entities import CallList, Record
from wombat_ari.model.errors import UserError
from wombat_ari.model.reports import Wanted
from wombat_ari.model.states import RunState
from wombat_ari.store import entities, lists, saving
from wombat_ari.store.database import Database, Row, Transaction, marks
from wombat_ari.store.rows import load

UNFINISHED = " (unfinished)"
_MAX_NAME = 80
_PAGE = 4000  #: attempts of one question; records of one transaction of ``discard``
_OVER = (RunState.COMPLETED, RunState.REMOVED)

Heard = Callable[[int], None]  #: attempts read so far


@dataclass(frozen=True, slots=True)
class Gathered:
    """``read``: attempts that are wanted; ``added``: numbers, each once."""

    read: int
    added: int


def begin(db: Database, call_list: CallList, *, by: str, now: float) -> CallList:
    """The list to be filled, under its name of before. UserError when one of the two names is taken."""
    checked, _ = validate.check_list(call_list)
    staging = unfinished(checked.name)
    with db.transaction(write=False) as tx:
        taken = [
            row[0] for row in tx.rows("SELECT name FROM call_list WHERE name IN (%s, %s)", (checked.name, staging))
        ]
    if checked.name in taken:
        raise UserError(f"list {checked.name}: there is one of that name already", code=saving.NAME_TAKEN)
    if staging in taken:
        raise _under_way(staging)
    try:
        filled = CallList(None, staging, hidden=True, security_key=checked.security_key)
        return entities.save_list(db, filled, by=by, now=now)
    except UserError as error:
        if error.code != saving.NAME_TAKEN:
            raise
        raise _under_way(staging) from None  # begun by somebody else at the same moment


def count(db: Database, run_ids: Sequence[int], wanted: Wanted) -> int:
    """Attempts that are wanted."""
    with db.transaction(write=False) as tx:
        found = 0
        for run_id in run_ids:
            condition, params = _condition(tx, run_id, wanted)
            found += int(tx.value(f"SELECT COUNT(*) FROM call_log c WHERE {condition}", params))
    return found


def fill(
    db: Database, list_id: int, run_ids: Sequence[int], *, wanted: Wanted, by: str, now: float, heard: Heard
) -> Gathered:  # fmt: skip
    """Numbers as they were dialled, with their input attributes then; of a number that comes again, the first.

    What ``heard`` raises ends it; what was committed stays on the list.
    """
    items = (ParsedRecord(number, load(inputs)) for number, inputs in _attempts(db, run_ids, wanted))
    summary = lists.add_parsed(
        db, list_id, items, by=by, now=now, dedupe=True, progress=lambda summary: heard(summary.read)
    )
    return Gathered(summary.read, summary.added)


def copy(db: Database, list_id: int, source_id: int, *, by: str, now: float, heard: Heard) -> Gathered:
    """All that stands on another list, in its order: numbers with their input and output attributes. ``heard`` as for
    ``fill``."""
    items = (
        ParsedRecord(record.number, record.input_attributes, record.output_attributes)
        for record in _records(db, source_id)
    )
    summary = lists.add_parsed(db, list_id, items, by=by, now=now, progress=lambda summary: heard(summary.read))
    return Gathered(summary.read, summary.added)


def finish(db: Database, list_id: int, call_list: CallList, *, by: str, now: float) -> CallList:
    """It is whole: from now on it is called as it was to be."""
    whole = CallList(list_id, call_list.name, hidden=call_list.hidden, security_key=call_list.security_key)
    return entities.save_list(db, whole, by=by, now=now)


def discard(db: Database, list_id: int, *, by: str, now: float) -> None:
    """Take the list away, some thousand records a transaction. UserError when somebody uses it already."""
    while True:
        with db.transaction() as tx:
            if any(tx.rows(sql, (list_id,)) for _, sql in entities.LIST.referrers):
                break  # it is refused below, in words
            ids = [row[0] for row in tx.rows("SELECT id FROM record WHERE list_id = %s LIMIT %s", (list_id, _PAGE))]
            if ids:
                tx.run(f"DELETE FROM record WHERE id IN ({marks(len(ids))})", ids)
                lists.grow(tx, list_id, -len(ids))
        if len(ids) < _PAGE:
            break
    entities.delete_list(db, list_id, by=by, now=now)


def unfinished(name: str) -> str:
    """``Leads`` -> ``Leads (unfinished)``; a name that is too long for that is cut, but stays distinct."""
    if len(name) + len(UNFINISHED) <= _MAX_NAME:
        return name + UNFINISHED
    tail = f"~{sha256(name.encode()).hexdigest()[:8]}{UNFINISHED}"
    return name[: _MAX_NAME - len(tail)].rstrip() + tail


def _under_way(staging: str) -> UserError:
    return UserError(
        f"list {staging}: an export to this name is under way or was broken off; wait for it, or delete that list "
        "(it is hidden), or take another name",
        code=saving.NAME_TAKEN,
    )


def _records(db: Database, list_id: int) -> Iterator[Record]:
    """Each page in a transaction of its own."""
    after = 0
    while page := lists.page_of_records(db, list_id, after=after, limit=_PAGE):
        yield from page
        after = page[-1].id or 0


def _attempts(db: Database, run_ids: Sequence[int], wanted: Wanted) -> Iterator[Row]:
    """Number and input attributes, run by run, each page in a transaction of its own."""
    for run_id in run_ids:
        after = 0
        while True:
            with db.transaction(write=False) as tx:
                condition, params = _condition(tx, run_id, wanted)
                sql = (
                    f"SELECT c.wombatid, c.number, c.input_attributes FROM call_log c WHERE {condition} "
                    "AND c.wombatid > %s ORDER BY c.wombatid LIMIT %s"
                )
                rows = tx.rows(sql, (*params, after, _PAGE))
            yield from (row[1:] for row in rows)
            if len(rows) < _PAGE:
                break
            after = rows[-1][0]


def _condition(tx: Transaction, run_id: int, wanted: Wanted) -> tuple[str, list[object]]:
    """An attempt is final when no other was to follow; in a run that is over, also when no other did."""
    pairs = sorted(wanted.outcomes)
    either = " OR ".join(["(c.outcome = %s AND c.extended_status = %s)"] * len(pairs)) or "0 = 1"
    condition, params = f"c.run_id = %s AND ({either})", [run_id, *(word for pair in pairs for word in pair)]
    if not wanted.final:
        return condition, params
    if tx.value("SELECT state FROM run WHERE id = %s", (run_id,)) not in _OVER:
        return f"{condition} AND c.retry_in_s = 0", params
    later = "SELECT 1 FROM call_log d WHERE d.record_id = c.record_id AND d.run_id = c.run_id AND d.attempt > c.attempt"
    return f"{condition} AND (c.retry_in_s = 0 OR NOT EXISTS ({later}))", params
