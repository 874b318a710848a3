"""Lists out again, as native text or CSV, piece by piece: memory does not grow with the list.

Pages are read by primary key, each in a transaction of its own; records added meanwhile come along. CSV needs to know
all attribute names first, so it reads the list twice. Output attributes carry a leading ``>``.
"""

import csv
from collections.abc import Iterator
from io import StringIO

from wombat_ari.core.csvlines import check_delimiter
from wombat_ari.core.numbers import OUTPUT_MARK, format_native
from wombat_ari.model.entities import Record
from wombat_ari.store import saving, tables
from wombat_ari.store.database import Database
from wombat_ari.store.lists import page_of_records

PAGE = 5000


def export_native(db: Database, list_id: int) -> Iterator[str]:
    """Lines of native text, some thousand a piece."""
    for page in _pages(db, list_id):
        lines = [format_native(r.number, r.input_attributes, r.output_attributes) for r in page]
        yield "\n".join(lines) + "\n"


def export_csv(db: Database, list_id: int, *, delimiter: str = ",") -> Iterator[str]:
    """The line of labels, then the records; lines end with CR LF as RFC 4180 says."""
    check_delimiter(delimiter)
    inputs: dict[str, None] = {}
    outputs: dict[str, None] = {}
    for page in _pages(db, list_id):
        for record in page:
            inputs.update(dict.fromkeys(record.input_attributes))
            outputs.update(dict.fromkeys(record.output_attributes))
    yield _csv([["NUMBER", *inputs, *(OUTPUT_MARK + name for name in outputs)]], delimiter)
    for page in _pages(db, list_id):
        yield _csv([_cells(record, inputs, outputs=outputs) for record in page], delimiter)


def _pages(db: Database, list_id: int) -> Iterator[list[Record]]:
    with db.transaction(write=False) as tx:
        saving.require(tx, tables.CallList, "list", [list_id])
    after = 0
    while page := page_of_records(db, list_id, after=after, limit=PAGE):
        yield page
        after = page[-1].id or 0


def _cells(record: Record, inputs: dict[str, None], *, outputs: dict[str, None]) -> list[str]:
    cells = [record.input_attributes.get(name, "") for name in inputs]
    return [record.number, *cells, *(record.output_attributes.get(name, "") for name in outputs)]


def _csv(rows: list[list[str]], delimiter: str) -> str:
    text = StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()
