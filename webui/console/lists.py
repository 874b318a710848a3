"""Lists: the editor, adding numbers (pasted, a file, a progression), taking them out again."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from typing import Any, BinaryIO

from flask import Response, g, request
from wtforms import BooleanField, StringField
from wtforms.validators import DataRequired, Length

from webui.api import importing
from webui.api.importing import Heard
from webui.console.editor import Column, Editor, yes
from webui.console.filters import count
from webui.console.forms import EntityForm
from webui.console.pages import STATUS, Answer, Pages, Visit
from webui.console.uploads import Upload, Uploads, copied
from wombat_ari.app.service import gathering, jobs, lists, records
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.rights import MISSING, Right
from wombat_ari.model.entities import CallList
from wombat_ari.model.errors import UserError
from wombat_ari.model.lists import ImportSummary

SEE, CHANGE, ADD = (Right.SEE_RECORDS,), (Right.CHANGE_LISTS,), (Right.ADD_NUMBERS,)
DELIMITERS = {",": "comma ,", ";": "semicolon ;", "\t": "tab", "|": "bar |"}
KINDS = {"native": "text/plain; charset=utf-8", "csv": "text/csv; charset=utf-8"}
_HOW_MANY = f"it must be a whole number from 1 to {records.MOST_GENERATED:,}"
AT_ONCE = 10_000  #: generated numbers that are not worth a job


class ListForm(EntityForm):
    name = StringField("Name", [DataRequired(), Length(max=80)])
    hidden = BooleanField("Hidden: found with ~ only")
    security_key = StringField("Security key", [Length(max=80)], description="Who sees it must hold this key.")


def add_to(pages: Pages) -> None:
    EDITOR.add_to(pages)
    uploads = Uploads()

    @pages.post("/lists/<int:which>/clone", Right.CHANGE_LISTS)
    def lists_clone(visit: Visit, which: int) -> Answer:
        name = request.form.get("name", "")
        try:
            job = gathering.clone_list(visit.caller, visit.db, which, name=name)
        except UserError as refusal:
            if refusal.code == MISSING:
                raise
            status = STATUS.get(refusal.code, 400)
            return EDITOR.show_one(visit, which, status, clone_name=name, clone_refused=str(refusal))
        return visit.go("job", job_id=job.id)

    @pages.get("/lists/<int:which>/add", *ADD)
    def lists_add(visit: Visit, which: int) -> Answer:
        return _add_page(visit, which)

    @pages.post("/lists/<int:which>/paste", *ADD)
    def lists_paste(visit: Visit, which: int) -> Answer:
        """Native text, a record a line."""
        text = request.form.get("numbers", "")
        if not text.strip():
            return _add_page(visit, which, 400, paste_error="Paste at least one number.")
        file = BytesIO(text.encode("utf-8", "replace"))
        return _import(visit, which, file, csv=False)

    @pages.post("/lists/<int:which>/upload", *ADD)
    def lists_upload(visit: Visit, which: int) -> Answer:
        """Native text is taken at once; a CSV is looked at first."""
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            return _add_page(visit, which, 400, file_error="Choose a file.")
        lists.seen_list(visit.caller, visit.db, which)
        if request.form.get("kind") == "native":
            return _import(visit, which, copied(sent.stream), csv=False)  # type: ignore[arg-type]
        upload = uploads.keep(sent.stream, owner=visit.caller.login, list_id=which, name=sent.filename)  # type: ignore[arg-type]
        return visit.go("lists_csv", which=which, token=upload.token, dedupe=request.form.get("dedupe"))

    @pages.get("/lists/<int:which>/csv/<token>", *ADD)
    def lists_csv(visit: Visit, which: int, token: str) -> Answer:
        """How the file is read, with the delimiter that was found out or chosen."""
        return _preview(visit, which, uploads.find(token, owner=visit.caller.login, list_id=which))

    @pages.post("/lists/<int:which>/csv/<token>", *ADD)
    def lists_csv_import(visit: Visit, which: int, token: str) -> Answer:
        """Taken first: who clicks twice imports once."""
        delimiter, labels = request.form.get("delimiter", ","), request.form.getlist("label")
        upload = uploads.take(token, owner=visit.caller.login, list_id=which)
        try:
            return _import(visit, which, copied(upload.file), csv=True, delimiter=delimiter, labels=["NUMBER", *labels])
        except UserError as refusal:
            uploads.put_back(upload)
            return _preview(visit, which, upload, 400, trouble=str(refusal))

    @pages.post("/lists/<int:which>/generate", *ADD)
    def lists_generate(visit: Visit, which: int) -> Answer:
        first, text = request.form.get("first", "").strip(), request.form.get("count", "").strip()
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            return _add_page(visit, which, 400, generate_error=f"how many, {text[:40]!r}: {_HOW_MANY}")
        count = int(text)
        call_list = lists.seen_list(visit.caller, visit.db, which)
        dedupe = bool(request.form.get("dedupe"))

        def work(progress: jobs.Progress) -> ImportSummary:
            summary = records.generate_numbers(
                visit.caller, visit.db, which, first=first, count=count, dedupe=dedupe,
                progress=lambda summary: progress(summary.read, detail=summary),
            )  # fmt: skip
            records.numbers_came(visit.caller, visit.db, visit.ask, call_list.name)
            return summary

        begin = jobs.do if count <= AT_ONCE else jobs.begin
        title = f"Generate numbers onto {call_list.name}"
        try:
            records.require_progression(first, count)
            job = begin(
                visit.caller, visit.db, work, kind="import", title=title, about=f"list {which}", total=max(1, count)
            )
        except UserError as refusal:
            return _add_page(visit, which, 400, generate_error=str(refusal))
        return visit.go("job", job_id=job.id)

    @pages.get("/lists/<int:which>/export", *SEE)
    def lists_export(visit: Visit, which: int) -> Answer:
        """All records with all attributes, as they are read."""
        kind = "csv" if request.args.get("format") == "csv" else "native"
        name = lists.seen_list(visit.caller, visit.db, which).name
        pieces = records.export(visit.caller, visit.db, which, csv=kind == "csv")
        answer = Response(pieces, mimetype=KINDS[kind].partition(";")[0])
        safe = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name).strip("-") or "list"
        answer.headers["Content-Disposition"] = f'attachment; filename="{safe}.{"csv" if kind == "csv" else "txt"}"'
        return answer


def _import(
    visit: Visit, which: int, file: BinaryIO, *, csv: bool, delimiter: str | None = None,
    labels: list[str] | None = None,
) -> Answer:  # fmt: skip
    """To the page that says how far it is, or what came of it."""
    call_list = lists.seen_list(visit.caller, visit.db, which)
    dedupe = bool(request.form.get("dedupe"))

    def work(source: BinaryIO, heard: Heard) -> ImportSummary:
        summary = records.import_numbers(
            visit.caller, visit.db, which, source=source, csv=csv, delimiter=delimiter, labels=labels, dedupe=dedupe,
            progress=heard,
        )  # fmt: skip
        with suppress(UserError):
            records.numbers_came(visit.caller, visit.db, visit.ask, call_list.name)
        return summary

    one = importing.run(visit.caller, visit.db, call_list, file=file, work=work)
    return visit.go("job", job_id=one.id)


def _add_page(visit: Visit, which: int, status: int = 200, **known: Any) -> Answer:
    call_list = lists.seen_list(visit.caller, visit.db, which)
    return visit.page("list_add.html", status, call_list=call_list, sent=request.form, **known)


def _preview(visit: Visit, which: int, upload: Upload, status: int = 200, *, trouble: str = "") -> Answer:
    chosen = request.values.get("delimiter", "")
    preview = None
    try:
        upload.file.seek(0)
        preview = records.preview_csv(visit.caller, upload.file, delimiter=chosen or None)
        if not trouble and preview.labels[0].upper() not in ("NUM", "NUMBER"):
            trouble = f"The first label is {preview.labels[0][:40]!r}: it must be NUM or NUMBER. Another delimiter?"
    except UserError as refusal:
        trouble = trouble or str(refusal)
    call_list = lists.seen_list(visit.caller, visit.db, which)
    return visit.page(
        "list_csv.html", status, call_list=call_list, upload=upload, preview=preview, delimiters=DELIMITERS,
        labels=request.form.getlist("label"), dedupe=request.values.get("dedupe"), trouble=trouble, chosen=chosen,
    )  # fmt: skip


def _everything(caller: Caller, db: Any) -> list[CallList]:
    """What is on them is asked with them, once a page."""
    found = lists.list_lists(caller, db)
    g.list_counts = records.counts(caller, db, found)
    return found


def _numbers(row: CallList) -> int:
    return int(g.list_counts[row.id])


def _known(visit: Visit, value: CallList | None) -> Mapping[str, Any]:
    if value is None or value.id is None:
        return {}
    return {
        "records": records.count_records(visit.caller, visit.db, value.id),
        "imports": importing.of_list(visit.db, value.id)[:3],
        "may_add": visit.may(*ADD),
        "may_clone": visit.may(*CHANGE),
    }


EDITOR: Editor[CallList] = Editor(
    name="lists", label="list", title="Lists", form=ListForm, template="lists.html",
    columns=(
        Column("List", lambda row: row.name),
        Column("Records", lambda row: count(_numbers(row)), _numbers, number=True),
        Column("Hidden", lambda row: yes(row.hidden)),
    ),
    see=SEE, change=CHANGE, everything=_everything, find=lists.find_list,
    save=lambda visit, value, clear, **options: lists.save_list(visit.caller, visit.db, value, **options),
    delete=lists.delete_list, blank=lambda visit: CallList(None, ""), infos=lists.list_infos, known=_known,
    clones=False,
    advice="There is no list yet. A list holds numbers to call, or never to call: make one, then add numbers.",
)  # fmt: skip
