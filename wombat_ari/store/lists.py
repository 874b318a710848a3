"""Step 1: records onto lists, from text, CSV or a progression, and out again. Streams of any length, constant memory.

An import commits every some thousand records, so that it does not hold up the dialer's own writing; when it breaks off,
what was committed stays and the error says how many. Duplicates are looked up by the index (list_id, number): what one
costs does not grow with the list. Who appends locks the row of the list first: ids of a list become visible in their
order, so a run that has taken one never has an earlier one still to come.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from io import BytesIO
from typing import BinaryIO

from wombat_ari.core import validate
from wombat_ari.core.numbers import ParsedRecord, progression
from wombat_ari.model.entities import CallList, Record
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.lists import ImportSummary, Refusal, Remark
from wombat_ari.store import saving, tables
from wombat_ari.store.database import Database, Row, Transaction, chunks, marks
from wombat_ari.store.entities import LIST
from wombat_ari.store.reading import Item, Lines, read_csv, read_native
from wombat_ari.store.rows import dump_texts, load

BATCH = 4000  #: records of one transaction
KEEP_REFUSALS = 100  #: and so many remarks
_LOOK_UP = 500  #: numbers of one question
_COLUMNS = "id, list_id, number, input_attributes, output_attributes"

Progress = Callable[[ImportSummary], None]


def import_native(
    db: Database, list_id: int, *, source: BinaryIO | str, by: str, now: float, dedupe: bool = False,
    separator: str = "\n", progress: Progress | None = None,
) -> ImportSummary:  # fmt: skip
    """Native text, one record a line; ``separator="|"`` as the API sends them. ``progress`` hears of each batch."""
    stream = BytesIO(source.encode()) if isinstance(source, str) else source
    lines = Lines(stream, separator.encode())
    return _import(db, list_id, read_native(lines), lines=lines, by=by, now=now, dedupe=dedupe, progress=progress)


def import_csv(
    db: Database, list_id: int, *, source: BinaryIO | str, by: str, now: float, dedupe: bool = False,
    delimiter: str | None = None, labels: Sequence[str] | None = None, progress: Progress | None = None,
) -> ImportSummary:  # fmt: skip
    """CSV whose first label is NUM or NUMBER. UserError, and nothing imported, when the line of labels is wrong."""
    stream = BytesIO(source.encode()) if isinstance(source, str) else source
    lines = Lines(stream)
    items = read_csv(lines, delimiter=delimiter, labels=labels)
    return _import(db, list_id, items, lines=lines, by=by, now=now, dedupe=dedupe, progress=progress)


def generate(
    db: Database, list_id: int, *, first: str, count: int, by: str, now: float, dedupe: bool = False,
    progress: Progress | None = None,
) -> ImportSummary:  # fmt: skip
    """``count`` progressive numbers from ``first``, leading zeros kept."""
    items = (ParsedRecord(number) for number in progression(first, count))
    return add_parsed(db, list_id, items, by=by, now=now, dedupe=dedupe, progress=progress)


def add_parsed(
    db: Database, list_id: int, items: Iterable[Item], *, by: str, now: float, dedupe: bool = False,
    progress: Progress | None = None,
) -> ImportSummary:  # fmt: skip
    """Records that are parsed already. ``items`` may read from the database itself."""
    return _import(db, list_id, items, lines=None, by=by, now=now, dedupe=dedupe, progress=progress)


def list_named(db: Database, name: str, *, by: str, now: float) -> CallList:
    """The list of that name, made when there is none. Two who ask at once get the same."""
    try:
        return _found_or_made(db, name, by=by, now=now)
    except UserError as error:
        if error.code != saving.NAME_TAKEN:
            raise
        return _found_or_made(db, name, by=by, now=now)


def count_records(db: Database, list_id: int) -> int:
    """As it is kept with the list; 0 when there is no such list."""
    with db.transaction(write=False) as tx:
        return int(tx.value("SELECT records FROM call_list WHERE id = %s", (list_id,)) or 0)


def counts(db: Database) -> dict[int, int]:
    """Of all lists, by their ids."""
    with db.transaction(write=False) as tx:
        return {int(which): int(count) for which, count in tx.rows("SELECT id, records FROM call_list")}


def page_of_records(db: Database, list_id: int, *, after: int = 0, limit: int = 100, number: str = "") -> list[Record]:
    """Records behind the one whose id is ``after``, in the order of their ids; ``number``: only those that begin so, in
    the order of their numbers. Each page is read from an index where the one before ended: the last costs no more.
    """
    with db.transaction(write=False) as tx:
        if number:
            return [_record(row) for row in _found(tx, list_id, number, after=after, limit=limit)]
        source = f"record {tx.by_index('record_by_list_id_id')}"
        sql = f"SELECT {_COLUMNS} FROM {source} WHERE list_id = %s AND id > %s ORDER BY id LIMIT %s"
        return [_record(row) for row in tx.rows(sql, (list_id, after, limit))]


def load_record(db: Database, record_id: int) -> Record:
    with db.transaction(write=False) as tx:
        return _one(tx, record_id)


def save_record(db: Database, record: Record, *, by: str, now: float, was: Record | None = None) -> Record:
    """Append a record (id None) or change number and attributes of one; the list of a record never changes. ``was``:
    refuse when it is not as this any more (UserError, code ``conflict``)."""
    record, _ = validate.check_record(record)
    new = {"number": record.number, "inputs": record.input_attributes, "outputs": record.output_attributes}
    with db.transaction() as tx:
        if record.id is None:
            saving.require(tx, tables.CallList, "list", [record.list_id])
            grow(tx, record.list_id, 1)
            record_id, old = tx.insert(_INSERT, _row(record.list_id, record)), {}
        else:
            record_id, before = record.id, _one(tx, record.id)
            if was is not None and before != was:
                raise UserError(f"{before.number} was changed in the meantime; load it again", code=saving.CONFLICT)
            old = {"number": before.number, "inputs": before.input_attributes, "outputs": before.output_attributes}
            sql = "UPDATE record SET number = %s, input_attributes = %s, output_attributes = %s WHERE id = %s"
            tx.run(sql, (*_row(record.list_id, record)[1:], record_id))
        changed = [name for name in new if new[name] != old.get(name)]
        saving.audit(
            tx, tables.Record, record_id, action="CHANGED" if old else "CREATED", by=by, now=now,
            old={name: old[name] for name in changed if name in old}, new={name: new[name] for name in changed},
        )  # fmt: skip
        return _one(tx, record_id)


_INSERT = "INSERT INTO record (list_id, number, input_attributes, output_attributes) VALUES (%s, %s, %s, %s)"


def _found(tx: Transaction, list_id: int, prefix: str, *, after: int, limit: int) -> list[Row]:
    last = tx.value("SELECT number FROM record WHERE id = %s", (after,)) if after else None
    start, after = (last, after) if last and last.startswith(prefix) else (prefix, 0)
    source = f"record {tx.by_index('record_by_list_id_number')}"
    where = "list_id = %s AND number >= %s AND number < %s AND (number > %s OR id > %s)"
    params = (list_id, start, prefix[:-1] + chr(ord(prefix[-1]) + 1), start, after, limit)
    return tx.rows(f"SELECT {_COLUMNS} FROM {source} WHERE {where} ORDER BY number, id LIMIT %s", params)


def _found_or_made(db: Database, name: str, *, by: str, now: float) -> CallList:
    checked, _ = validate.check_list(CallList(None, name))
    with db.transaction() as tx:
        list_id = tx.value("SELECT id FROM call_list WHERE name = %s", (checked.name,))
        if list_id is None:
            list_id = saving.save(db, tx, LIST, checked, by=by, now=now)
        return saving.load(db, tx, LIST, list_id)


def _import(
    db: Database, list_id: int, items: Iterable[Item], *, lines: Lines | None, by: str, now: float, dedupe: bool,
    progress: Progress | None,
) -> ImportSummary:  # fmt: skip
    with db.transaction(write=False) as tx:
        saving.require(tx, tables.CallList, "list", [list_id])
    total = ImportSummary()
    try:
        for batch in chunks(items, BATCH):
            total = _add_batch(db, list_id, batch, total=total, dedupe=dedupe)
            total = replace(total, bytes_read=lines.bytes_read if lines else 0)
            if progress:
                progress(total)
    except StoreError as error:
        text = f"{error}; the import broke off: {total.added} records of the first {total.read} were added and stay"
        raise StoreError(text, code=error.code, transient=error.transient) from error
    finally:
        _note(db, list_id, total, by=by, now=now)
    return total


def _add_batch(db: Database, list_id: int, batch: list[Item], *, total: ImportSummary, dedupe: bool) -> ImportSummary:
    records = [item for item in batch if isinstance(item, ParsedRecord)]
    refusals = [item for item in batch if isinstance(item, Refusal)]
    remarks = [item for item in batch if isinstance(item, Remark)]
    with db.transaction() as tx:
        added = append(tx, list_id, records, dedupe=dedupe)
    return ImportSummary(
        read=total.read + len(batch) - len(remarks),
        added=total.added + added,
        duplicates=total.duplicates + len(records) - added,
        refused=total.refused + len(refusals),
        refusals=(*total.refusals, *refusals[: KEEP_REFUSALS - len(total.refusals)]),
        remarked=total.remarked + len(remarks),
        remarks=(*total.remarks, *remarks[: KEEP_REFUSALS - len(total.remarks)]),
    )


def append(tx: Transaction, list_id: int, records: list[ParsedRecord], *, dedupe: bool = False) -> int:
    """In a transaction of somebody else's; answers how many. ``dedupe``: no number that is on the list already."""
    _lock(tx, list_id)
    fresh = _without_duplicates(tx, list_id, records) if dedupe else records
    grow(tx, list_id, len(fresh))
    tx.many(_INSERT, [_row(list_id, record) for record in fresh])
    return len(fresh)


def _lock(tx: Transaction, list_id: int) -> None:
    """Until the commit nobody else appends to the list: see above. Then nor is a duplicate added meanwhile."""
    tx.row(f"SELECT id FROM call_list WHERE id = %s{tx.for_update}", (list_id,))


def grow(tx: Transaction, list_id: int, records: int) -> None:
    """Count what is about to be appended; that locks the list as well."""
    tx.run("UPDATE call_list SET records = records + %s WHERE id = %s", (records, list_id))


def _without_duplicates(tx: Transaction, list_id: int, records: list[ParsedRecord]) -> list[ParsedRecord]:
    first: dict[str, ParsedRecord] = {}
    for record in records:
        first.setdefault(record.number, record)
    for part in chunks(sorted(first), _LOOK_UP):
        sql = f"SELECT DISTINCT number FROM record WHERE list_id = %s AND number IN ({marks(len(part))})"
        for (number,) in tx.rows(sql, (list_id, *part)):
            del first[number]
    return list(first.values())


def _note(db: Database, list_id: int, total: ImportSummary, *, by: str, now: float) -> None:
    if total.added:
        new = {"records added": total.added, "duplicates": total.duplicates, "refused": total.refused}
        with db.transaction() as tx:
            saving.audit(tx, tables.CallList, list_id, action="IMPORTED", old={}, new=new, by=by, now=now)


def _row(list_id: int, record: ParsedRecord | Record) -> Row:
    return (list_id, record.number, dump_texts(record.input_attributes), dump_texts(record.output_attributes))


def _record(row: Row) -> Record:
    return Record(row[0], row[1], row[2], load(row[3]), load(row[4]))


def _one(tx: Transaction, record_id: int) -> Record:
    row = tx.row(f"SELECT {_COLUMNS} FROM record WHERE id = %s", (record_id,))
    if row is None:
        raise UserError(f"there is no record {record_id}", code=saving.MISSING)
    return _record(row)
