"""Numbers into lists and out of them, as files of any length; how a CSV would be read."""

from contextlib import suppress
from typing import BinaryIO

from flask import Response, request
from pydantic import Field

from webui.api import importing
from webui.api.frame import Answer, Call, Reply, Route
from webui.api.importing import Heard, Import
from webui.api.shapes import Query, Told, told
from wombat_ari.app.service import lists, records
from wombat_ari.app.service.rights import Right, missing
from wombat_ari.model.errors import UserError
from wombat_ari.model.lists import ImportSummary

TAG = "Lists"
CSV, NATIVE = "text/csv", "text/plain"
DELIMITER = Field("", max_length=1, description="of CSV; empty: found out by the first line")


class LineTold(Told):
    line: int
    detail: str


class ImportTold(Told):
    """An import. read = added + duplicates + refused; of the refused lines the first hundred are told."""

    id: str
    list_id: int
    state: str = Field(description="WAITING, RUNNING, DONE, CANCELLED, or FAILED: see error; what was added stays")
    error: str
    began_at: float
    ended_at: float | None
    size: int = Field(description="bytes sent")
    bytes_read: int
    read: int
    added: int
    duplicates: int
    refused: int
    refusals: list[LineTold]
    remarked: int = Field(description="lines that were taken though something in them is of no use")
    remarks: list[LineTold]


class ImportPage(Told):
    items: list[ImportTold]


class ImportQuery(Query):
    dedupe: bool = Field(False, description="leave out numbers that are on the list already")
    delimiter: str = DELIMITER


class PreviewQuery(Query):
    delimiter: str = DELIMITER


class CsvPreviewTold(Told):
    """The first column is the number; labels of columns that are left out are empty."""

    delimiter: str
    labels: list[str]
    rows: list[list[str]]


class ExportQuery(Query):
    format: str = Field("native", pattern="^(native|csv)$")
    delimiter: str = Field(",", min_length=1, max_length=1, description="of CSV")


def import_numbers(call: Call) -> Answer:
    """Add numbers to a list: native text (text/plain) or CSV (text/csv) as the body.

    The good lines are added, the others told. Up to 1 MB is done at once (200); a longer body is taken (202), and
    Location tells how far it is.
    """
    list_id, query, file = call.ids["list_id"], call.query, call.file
    assert file is not None
    found = lists.seen_list(call.caller, call.db, list_id)
    is_csv = _is_csv()
    if is_csv:
        records.preview_csv(call.caller, file, delimiter=query.delimiter or None)
        file.seek(0)

    def work(source: BinaryIO, heard: Heard) -> ImportSummary:
        summary = records.import_numbers(
            call.caller, call.db, list_id, source=source, csv=is_csv, delimiter=query.delimiter or None,
            dedupe=query.dedupe, progress=heard,
        )  # fmt: skip
        with suppress(UserError):  # without a dialer no run looks
            call.ask.numbers_came(found.name)
        return summary

    one = importing.run(call.caller, call.db, found, file=file, work=work)
    return Reply(_told(one), location=f"/imports/{one.id}", status=200 if one.state == "DONE" else 202)


def read_import(call: Call) -> Answer:
    """How far an import is.

    Known as long as the process lives that does it.
    """
    one = importing.find(call.db, call.ids["import_id"])
    if one is None:
        raise missing("import", call.ids["import_id"])
    lists.seen_list(call.caller, call.db, one.list_id)
    return _told(one)


def imports_of(call: Call) -> Answer:
    """Imports into a list, the latest first."""
    lists.seen_list(call.caller, call.db, call.ids["list_id"])
    return ImportPage(items=[_told(one) for one in importing.of_list(call.db, call.ids["list_id"])])


def preview(call: Call) -> Answer:
    """How a CSV would be read: its delimiter, labels and first rows.

    Nothing is added.
    """
    assert call.file is not None
    with call.file as file:
        return told(CsvPreviewTold, records.preview_csv(call.caller, file, delimiter=call.query.delimiter or None))


def export(call: Call) -> Answer:
    """All records of a list with all their attributes, streamed, as native text or CSV."""
    as_csv = call.query.format == "csv"
    pieces = records.export(call.caller, call.db, call.ids["list_id"], csv=as_csv, delimiter=call.query.delimiter)
    name = f"list-{call.ids['list_id']}.{'csv' if as_csv else 'txt'}"
    answer = Response((piece.encode() for piece in pieces), mimetype=CSV if as_csv else NATIVE)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _is_csv() -> bool:
    return request.mimetype == CSV


def _told(one: Import) -> ImportTold:
    summary = one.summary
    return told(
        ImportTold, one, bytes_read=summary.bytes_read, read=summary.read, added=summary.added,
        duplicates=summary.duplicates, refused=summary.refused, remarked=summary.remarked,
        refusals=[LineTold(line=each.line, detail=each.reason) for each in summary.refusals],
        remarks=[LineTold(line=each.line, detail=each.text) for each in summary.remarks],
    )  # fmt: skip


ADD, SEE = (Right.ADD_NUMBERS,), (Right.SEE_RECORDS,)
ROUTES = (
    Route(
        "POST", "/lists/{list_id}/imports", import_numbers, ADD, TAG, ImportTold, query=ImportQuery, acts=True,
        file=(NATIVE, CSV), also={202: "Taken; Location tells how far it is"},
    ),
    Route("GET", "/lists/{list_id}/imports", imports_of, ADD, TAG, ImportPage),
    Route("GET", "/imports/{import_id}", read_import, ADD, TAG, ImportTold),
    Route("POST", "/csv-previews", preview, ADD, TAG, CsvPreviewTold, query=PreviewQuery, file=(CSV,)),
    Route("GET", "/lists/{list_id}/export", export, SEE, TAG, query=ExportQuery, media=(NATIVE, CSV)),
)  # fmt: skip
