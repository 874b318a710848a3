"""``edit/list``, ``edit/list/record``, ``edit/list/logs``: lists, their numbers, the calls of a number."""

from dataclasses import replace
from typing import Any

from webui.compat.calls import call_object
from webui.compat.edit import Part, Subject, Window, address_of, parent_of
from webui.compat.frame import Call
from webui.compat.things import Thing
from webui.compat.values import MARKS, Field, Object, flag, ident, reference, text
from wombat_ari.app.service import lists, records
from wombat_ari.core.numbers import format_native, parse_native
from wombat_ari.model.entities import CallList, Record
from wombat_ari.model.errors import UserError

LIST: Thing[CallList] = Thing(
    path="list",
    label="list",
    id_name="listId",
    name=lambda call_list: call_list.name,
    fields=(
        Field("name", "name", text),
        Field("isHidden", "hidden", flag),
        Field("securityKey", "security_key", text),
    ),
    everything=lists.list_lists,
    infos=lists.list_infos,
    find=lists.find_list,
    save=lists.save_list,
    delete=lists.delete_list,
    blank=lambda call, data: CallList(None, ""),
)


def _page(call: Call, window: Window) -> Part:
    """``query``: the beginning of a number. A listing asks for ``items``, else it has the first thousand."""
    list_id = parent_of(call)
    limit = min(window.limit, call.params.whole("items", 1000) or 1000)
    skip, number = window.start, window.query
    found = records.slice_of_records(call.caller, call.db, list_id, skip=skip, limit=limit, number=number)
    holder = LIST.objects(call, [lists.find_list(call.caller, call.db, list_id)])[0]
    return Part([_object(record, holder) for record in found.records], found.total)


def _save(call: Call, data: Object) -> dict[str, Any]:
    key = ident(data, "callId")
    if key is None:
        list_id = reference(data, "listId", "listId") or parent_of(call)
        record = Record(None, list_id, "")
    else:
        record = records.find_record(call.caller, call.db, key)
    saved = records.save_record(call.caller, call.db, _read(record, data))
    return _object(saved, LIST.objects(call, [lists.find_list(call.caller, call.db, saved.list_id)])[0])


def _read(record: Record, data: Object) -> Record:
    """Attributes are told twice: who lists an object and sends it back has changed one of the two. Both: the list."""
    record = replace(record, number=text(data, "number") or record.number)
    if data.get("attributes") is not None:
        told = _with_attributes(record, data["attributes"])
        if told != record:
            return told
    spelled = text(data, "attributesAsString")
    if spelled is None or spelled == _spelled(record):
        return record
    parsed = parse_native(f"{record.number},{spelled}" if spelled.strip() else record.number)
    return replace(record, input_attributes=parsed.input_attributes, output_attributes=parsed.output_attributes)


def _with_attributes(record: Record, given: Any) -> Record:
    if not (isinstance(given, list) and all(isinstance(one, dict) for one in given)):
        raise UserError('attributes must be a list: [{"isInput": true, "attrName": "A", "attrValue": "1"}]')
    inputs: dict[str, str] = {}
    outputs: dict[str, str] = {}
    for one in given:
        name = text(one, "attrName")
        if not name:
            raise UserError("attributes: one has no attrName")
        is_input = flag(one, "isInput")
        (outputs if is_input is False else inputs)[name] = text(one, "attrValue") or ""
    return replace(record, input_attributes=inputs, output_attributes=outputs)


def _spelled(record: Record) -> str:
    native = format_native(record.number, record.input_attributes, record.output_attributes)
    return native[len(record.number) + 1 :]


def _object(record: Record, holder: dict[str, Any]) -> dict[str, Any]:
    attributes = [
        {"isInput": is_input, "attrName": name, "attrValue": value}
        for is_input, pairs in ((True, record.input_attributes), (False, record.output_attributes))
        for name, value in pairs.items()
    ]
    return {
        "callId": record.id,
        "number": record.number,
        "listId": holder,
        "attributes": attributes,
        "attributesAsString": _spelled(record),
        **{name: holder[name] for name in MARKS if name in holder},
    }


def _logs(call: Call, window: Window) -> Part:
    """Of the record whose ``callId`` is the parent."""
    found = records.calls_of_record(call.caller, call.db, parent_of(call))
    return Part([call_object(one, call.zone) for one in window.cut(found)], len(found))


RECORD = Subject("list/record", "record", _page, _save, cannot="records are edited but never moved or deleted")
LOGS = Subject("list/logs", "logs", _logs, cannot="what was logged stays as it is")

ADDRESSES = tuple(address_of(subject) for subject in (LIST.subject(), RECORD, LOGS))
