"""Lists and the records on them."""

from dataclasses import replace
from typing import Any

from pydantic import Field

from webui.api import shapes_config as shapes
from webui.api.frame import Answer, Call, Reply, Route
from webui.api.shapes import Page, PageQuery, page_of, told
from webui.api.shapes_work import LoggedCall
from webui.api.things import Thing, partial
from wombat_ari.app.service import lists, records
from wombat_ari.app.service.rights import Right
from wombat_ari.model.entities import CallList, Record

TAG = "Lists"


def _save_list(call: Call, value: CallList, *, version: int | None, clear: tuple[str, ...]) -> CallList:
    return lists.save_list(call.caller, call.db, value, version=version)


LISTS: Thing[CallList] = Thing(
    path="/lists", label="list", tag=TAG, see=(Right.SEE_LISTS,), change=(Right.CHANGE_LISTS,), sent=shapes.CallList,
    told=shapes.CallListTold, everything=lists.list_lists, infos=lists.list_infos, find=lists.find_list,
    save=_save_list, delete=lists.delete_list, blank=lambda body: CallList(None, ""),
)  # fmt: skip


class RecordQuery(PageQuery):
    number: str = Field("", pattern="^[0-9A-Za-z*#+._@-]{0,40}$", description="only numbers that begin so")


class RecordPage(Page[shapes.RecordTold]):
    """Records in the order of their ids; those of a ``number`` in the order of their numbers."""

    total: int = Field(description="records on the list, whatever was asked for")


def page(call: Call) -> Answer:
    """Records of a list, a page at a time."""
    query, list_id = call.query, call.ids["list_id"]
    found = records.page_of_records(
        call.caller, call.db, list_id, after=query.after, limit=query.limit + 1, number=query.number
    )
    made: Any = page_of(Page[shapes.RecordTold], [_told(record) for record in found], limit=query.limit)
    return RecordPage(items=made.items, next=made.next, total=records.count_records(call.caller, call.db, list_id))


def add(call: Call) -> Answer:
    """Append a record to a list.

    Many of them: import. The same number may stand on a list several times.
    """
    body = call.body
    saved = records.save_record(
        call.caller, call.db,
        Record(None, call.ids["list_id"], body.number, body.input_attributes, body.output_attributes),
    )  # fmt: skip
    return Reply(_told(saved), location=f"/records/{saved.id}")


def read(call: Call) -> Answer:
    """Read a record."""
    return _told(records.find_record(call.caller, call.db, call.ids["record_id"]))


def edit(call: Call) -> Answer:
    """Change number and attributes of a record.

    It stays on its list, and is never deleted.
    """
    old = records.find_record(call.caller, call.db, call.ids["record_id"])
    given = {name: getattr(call.body, name) for name in call.body.model_fields_set}
    return _told(records.save_record(call.caller, call.db, replace(old, **given)))


def calls_of(call: Call) -> Answer:
    """All attempts of a record in all runs, the latest first."""
    found = records.calls_of_record(call.caller, call.db, call.ids["record_id"])
    return Page[LoggedCall](items=[told(LoggedCall, one) for one in found])


def _told(record: Record) -> shapes.RecordTold:
    return told(shapes.RecordTold, record)


SEE, CHANGE = (Right.SEE_RECORDS,), (Right.CHANGE_LISTS,)
ROUTES = (
    *LISTS.routes(),
    Route("GET", "/lists/{list_id}/records", page, SEE, TAG, RecordPage, query=RecordQuery),
    Route("POST", "/lists/{list_id}/records", add, CHANGE, TAG, shapes.RecordTold, 201, shapes.Record, acts=True),
    Route("GET", "/records/{record_id}", read, SEE, TAG, shapes.RecordTold),
    Route("PATCH", "/records/{record_id}", edit, CHANGE, TAG, shapes.RecordTold, body=partial(shapes.Record)),
    Route("GET", "/records/{record_id}/calls", calls_of, SEE, TAG, Page[LoggedCall]),
)
