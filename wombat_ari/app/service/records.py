"""Records of a list and their calls. Who sees the list sees them; each change is in the audit trail."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from wombat_ari.app.service import lists as list_service
from wombat_ari.app.service.asks import Asks
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.rights import Right, demand, missing
from wombat_ari.core.csvlines import check_delimiter
from wombat_ari.core.numbers import progression
from wombat_ari.model.entities import CallList, Record
from wombat_ari.model.errors import UserError
from wombat_ari.model.lists import CsvPreview, ImportSummary
from wombat_ari.model.reports import LoggedCall
from wombat_ari.store import entities, exporting, lists, paging, reading, reports
from wombat_ari.store.database import Database

MOST_GENERATED = 1_000_000
_NUMBER = re.compile("[0-9A-Za-z*#+._@-]{1,40}")  #: characters that numbers are of


@dataclass(frozen=True, slots=True)
class Slice:
    """Some records of a list, and how many there are in all."""

    records: list[Record]
    total: int


def page_of_records(
    caller: Caller, db: Database, list_id: int, *, after: int = 0, limit: int = 100, number: str = ""
) -> list[Record]:
    """Records behind the one with the id ``after``; ``number``: only those that begin so."""
    demand(caller, Right.SEE_RECORDS)
    list_service.seen_list(caller, db, list_id)
    return lists.page_of_records(db, list_id, after=after, limit=limit, number=number)


def slice_of_records(
    caller: Caller, db: Database, list_id: int, *, skip: int = 0, limit: int = 100, number: str = ""
) -> Slice:
    """The same by offset."""
    demand(caller, Right.SEE_RECORDS)
    list_service.seen_list(caller, db, list_id)
    if number and not _NUMBER.fullmatch(number):
        return Slice([], 0)
    total = paging.count_found(db, list_id, number)
    after = paging.record_before(db, list_id, skip=skip, number=number)
    found = [] if after is None else lists.page_of_records(db, list_id, after=after, limit=limit, number=number)
    return Slice(found, total)


def count_records(caller: Caller, db: Database, list_id: int) -> int:
    demand(caller, Right.SEE_RECORDS)
    list_service.seen_list(caller, db, list_id)
    return lists.count_records(db, list_id)


def counts(caller: Caller, db: Database, seen: Iterable[CallList]) -> dict[int, int]:
    """How many are on each of these lists, which the caller was shown, by its id."""
    demand(caller, Right.SEE_RECORDS)
    every = lists.counts(db)
    return {one.id or 0: every.get(one.id or 0, 0) for one in seen}


def find_record(caller: Caller, db: Database, record_id: int) -> Record:
    demand(caller, Right.SEE_RECORDS)
    return _seen(caller, db, record_id)


def save_record(caller: Caller, db: Database, record: Record, *, was: Record | None = None) -> Record:
    """Append one, or change number and attributes of one; a record never goes to another list. ``was``: as it was when
    somebody began to change it; refused when it is another by now."""
    demand(caller, Right.CHANGE_LISTS)
    if record.id is None:
        list_service.seen_list(caller, db, record.list_id)
    elif _seen(caller, db, record.id).list_id != record.list_id:
        raise UserError(f"record {record.id}: it stays on its list; add the number to the other one")
    return lists.save_record(db, record, by=caller.login, now=caller.at, was=was)


def add_numbers(
    caller: Caller, db: Database, name: str, *, source: BinaryIO | str, separator: str = "\n", dedupe: bool = False,
    progress: lists.Progress | None = None,
) -> tuple[CallList, ImportSummary]:  # fmt: skip
    """Native text onto the list of that name, which is made when there is none. Streams; the good lines are added,
    ``progress`` hears of it."""
    call_list = list_service.list_for_numbers(caller, db, name)
    assert call_list.id is not None
    summary = lists.import_native(
        db, call_list.id, source=source, separator=separator, dedupe=dedupe, by=caller.login, now=caller.at,
        progress=progress,
    )  # fmt: skip
    note(caller, db, "numbers added", about=call_list.name, detail=f"{summary.added} of {summary.read}")
    return call_list, summary


def import_numbers(
    caller: Caller, db: Database, list_id: int, *, source: BinaryIO, csv: bool = False, delimiter: str | None = None,
    labels: Sequence[str] | None = None, dedupe: bool = False, progress: lists.Progress | None = None,
) -> ImportSummary:  # fmt: skip
    """Native text or CSV onto a list that is there. Streams; the good lines are added, ``progress`` hears of it.
    ``labels``: other ones than the first line of the CSV has, an empty one leaves its column out."""
    demand(caller, Right.ADD_NUMBERS)
    found = list_service.seen_list(caller, db, list_id)
    if csv:
        summary = lists.import_csv(
            db, list_id, source=source, delimiter=delimiter, labels=labels, dedupe=dedupe, by=caller.login,
            now=caller.at, progress=progress,
        )  # fmt: skip
    else:
        summary = lists.import_native(
            db, list_id, source=source, dedupe=dedupe, by=caller.login, now=caller.at, progress=progress
        )
    note(caller, db, "numbers added", about=found.name, detail=f"{summary.added} of {summary.read}")
    return summary


def generate_numbers(
    caller: Caller, db: Database, list_id: int, *, first: str, count: int, dedupe: bool = False,
    progress: lists.Progress | None = None,
) -> ImportSummary:  # fmt: skip
    """``count`` progressive numbers from ``first`` on, leading zeros kept."""
    demand(caller, Right.ADD_NUMBERS)
    found = list_service.seen_list(caller, db, list_id)
    require_progression(first, count)
    summary = lists.generate(
        db, list_id, first=first, count=count, dedupe=dedupe, by=caller.login, now=caller.at, progress=progress
    )
    note(caller, db, "numbers added", about=found.name, detail=f"{summary.added} generated from {first}")
    return summary


def require_progression(first: str, count: int) -> None:
    """UserError when there are no such numbers, or too many of them at once."""
    if not 1 <= count <= MOST_GENERATED:
        raise UserError(f"count {count}: it must be a whole number from 1 to {MOST_GENERATED}")
    progression(first, count)


def numbers_came(caller: Caller, db: Database, ask: Asks, name: str) -> None:
    """Runs that have the list look at once, and listeners hear of it; nothing when no dialer runs."""
    with suppress(UserError):
        ask.numbers_came(name)


def preview_csv(caller: Caller, source: BinaryIO, *, delimiter: str | None = None) -> CsvPreview:
    """How a CSV would be read; nothing is added."""
    demand(caller, Right.ADD_NUMBERS)
    return reading.preview_csv(source, delimiter=delimiter)


def export(caller: Caller, db: Database, list_id: int, *, csv: bool = False, delimiter: str = ",") -> Iterator[str]:
    """All records with all attributes, streamed; the rights are checked before the first is read."""
    demand(caller, Right.SEE_RECORDS)
    found = list_service.seen_list(caller, db, list_id)
    if csv:
        check_delimiter(delimiter)
    note(caller, db, "list exported", about=found.name)
    return exporting.export_csv(db, list_id, delimiter=delimiter) if csv else exporting.export_native(db, list_id)


def calls_of_record(caller: Caller, db: Database, record_id: int) -> list[LoggedCall]:
    """All its attempts in all runs, the latest first."""
    demand(caller, Right.SEE_RECORDS)
    _seen(caller, db, record_id)
    return reports.calls_of_record(db, record_id)


def _seen(caller: Caller, db: Database, record_id: int) -> Record:
    """A record of a list that is not to be seen does not exist either."""
    record = lists.load_record(db, record_id)
    owner = entities.load_list(db, record.list_id)
    try:
        list_service.seen_list(caller, db, owner.id or 0)
    except UserError:
        raise missing("record", record_id) from None
    return record
