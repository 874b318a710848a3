"""Records of a list: searched, paged, edited; what was tried of each."""

from __future__ import annotations

import json
from hashlib import sha256
from types import MappingProxyType

from flask import request
from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from webui.console.forms import EntityForm
from webui.console.pages import STATUS, Answer, Pages, Visit
from wombat_ari.app.service import lists, records
from wombat_ari.app.service.rights import Right
from wombat_ari.core.numbers import OUTPUT_MARK, attribute_of_label, check_attribute
from wombat_ari.model.entities import Record
from wombat_ari.model.errors import UserError

PAGE = 50
SEE, CHANGE = (Right.SEE_RECORDS,), (Right.CHANGE_LISTS,)


class RecordForm(EntityForm):
    number = StringField("Number", [DataRequired(), Length(max=64)])
    attributes = TextAreaField(
        "Attributes",
        description="NAME:value, one a line. A leading > is one that calls have left.",
        render_kw={"rows": 8},
    )

    said = MappingProxyType({"attribute": "attributes"})


def add_to(pages: Pages) -> None:
    @pages.get("/lists/<int:which>/records", *SEE)
    def list_records(visit: Visit, which: int) -> Answer:
        return _page(visit, which)

    @pages.get("/lists/<int:which>/records/new", *CHANGE)
    def record_new(visit: Visit, which: int) -> Answer:
        return _page(visit, which, form=RecordForm())

    @pages.post("/lists/<int:which>/records/new", *CHANGE)
    def record_make(visit: Visit, which: int) -> Answer:
        return _store(visit, Record(None, which, ""))

    @pages.get("/records/<int:record_id>", *SEE)
    def record(visit: Visit, record_id: int) -> Answer:
        found = records.find_record(visit.caller, visit.db, record_id)
        return _page(visit, found.list_id, found, form=_filled(found))

    @pages.post("/records/<int:record_id>", *CHANGE)
    def record_save(visit: Visit, record_id: int) -> Answer:
        return _store(visit, records.find_record(visit.caller, visit.db, record_id))


def _store(visit: Visit, old: Record) -> Answer:
    form = RecordForm(request.form)
    kept = None if old.id is None else old
    if not form.validate():
        return _page(visit, old.list_id, kept, form=form, status=400)
    try:
        inputs, outputs = parsed(form.attributes.data or "")
        new = Record(old.id, old.list_id, form.number.data or "", inputs, outputs)
        if request.form.get("was", mark_of(old)) != mark_of(old):
            raise UserError(f"{old.number} was changed in the meantime; load it again", code="conflict")
        saved = records.save_record(visit.caller, visit.db, new, was=kept)
    except UserError as refusal:
        form.complain(refusal)
        return _page(visit, old.list_id, kept, form=form, status=STATUS.get(refusal.code, 400))
    visit.say(f"{saved.number} is saved.")
    return visit.go("record", record_id=saved.id, **_kept())


def parsed(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Input and output attributes of lines ``NAME:value``. UserError names the line that is none."""
    inputs: dict[str, str] = {}
    outputs: dict[str, str] = {}
    for place, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        label, colon, value = line.partition(":")
        if not colon:
            raise UserError(f"attributes, line {place}: it must be NAME:value")
        is_output, name = attribute_of_label(label)
        check_attribute(name, value)
        (outputs if is_output else inputs)[name] = value
    return inputs, outputs


def mark_of(record: Record) -> str:
    """A form brings back the mark of what it was filled with: records have no version, and calls change them too."""
    words = [record.number, sorted(record.input_attributes.items()), sorted(record.output_attributes.items())]
    return sha256(json.dumps(words).encode()).hexdigest()


def _filled(record: Record) -> RecordForm:
    lines = [f"{name}:{value}" for name, value in record.input_attributes.items()]
    lines += [f"{OUTPUT_MARK}{name}:{value}" for name, value in record.output_attributes.items()]
    return RecordForm(data={"number": record.number, "attributes": "\n".join(lines)})


def _page(
    visit: Visit, which: int, record: Record | None = None, *, form: RecordForm | None = None, status: int = 200
) -> Answer:
    call_list = lists.seen_list(visit.caller, visit.db, which)
    query, text = request.args.get("q", "").strip(), request.args.get("page", "1")
    page = max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 9 else 1
    found = records.slice_of_records(
        visit.caller, visit.db, which, skip=(page - 1) * PAGE, limit=PAGE, number=query
    )  # fmt: skip
    calls = records.calls_of_record(visit.caller, visit.db, record.id) if record and record.id else []
    return visit.page(
        "records.html", status, call_list=call_list, records=found.records, total=found.total, page=page,
        pages=max(1, -(-found.total // PAGE)), query=query, kept=_kept(), record=record, form=form, calls=calls,
        mark=request.form.get("was", "") or (mark_of(record) if record else ""),
        may_change=visit.may(*CHANGE), may_add=visit.may(Right.ADD_NUMBERS), may_report=visit.may(Right.SEE_REPORTS),
    )  # fmt: skip


def _kept() -> dict[str, str]:
    return {name: request.args[name] for name in ("q", "page") if request.args.get(name)}
