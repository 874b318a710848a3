"""Numbers of a report onto a new list: which outcomes, under which name. The work is a job."""

from __future__ import annotations

from flask import request
from wtforms import BooleanField, Form, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from webui.console.forms import NAME_TAKEN
from webui.console.pages import STATUS, Answer, Pages, Visit
from webui.console.report_address import chosen_ids
from wombat_ari.app.service import gathering, reports
from wombat_ari.app.service.rights import Right, demand
from wombat_ari.model.entities import CallList
from wombat_ari.model.errors import UserError
from wombat_ari.model.reports import Wanted

FINAL, ANY = "final", "any"


class NumbersForm(Form):
    """``outcome`` is not here: its choices are those of the report, each ``OUTCOME:extended status``."""

    name = StringField("Name of the new list", [InputRequired("it needs a name"), Length(max=80)])
    which = RadioField(
        "Of which calls",
        choices=[
            SelectChoice(FINAL, "only calls with which the number was done with"),
            SelectChoice(ANY, "also calls that were or will be tried again"),
        ],
        default=FINAL,
    )
    security_key = SelectField("Security key", description="Who does not hold it will not see the list.")
    hidden = BooleanField("Hidden: shown only when ~ is in the search")


def add_to(pages: Pages) -> None:
    pages.get("/reports/numbers", Right.CHANGE_LISTS, name="numbers")(_form)
    pages.post("/reports/numbers", Right.CHANGE_LISTS, name="numbers_begin")(_begin)


def _form(visit: Visit) -> Answer:
    run_ids = chosen_ids()
    form = _filled(visit, run_ids)
    form.security_key.data = form.security_key.choices[0].value
    return _page(visit, form, run_ids)


def _begin(visit: Visit) -> Answer:
    run_ids = chosen_ids()
    form = _filled(visit, run_ids)
    if not form.validate():
        return _page(visit, form, run_ids, status=400)
    pairs = frozenset((word, status) for word, _, status in (one.partition(":") for one in _ticked()))
    call_list = CallList(None, form.name.data or "", hidden=form.hidden.data, security_key=form.security_key.data)
    wanted = Wanted(pairs, final=form.which.data == FINAL)
    try:
        job = gathering.numbers_to_list(visit.caller, visit.db, run_ids, wanted=wanted, call_list=call_list)
    except UserError as refusal:
        said, status = str(refusal), STATUS.get(refusal.code, 400)
        if refusal.code != NAME_TAKEN:
            return _page(visit, form, run_ids, status=status, refusal=said)
        form.name.errors = [said]
        return _page(visit, form, run_ids, status=status)
    return visit.go("job", job_id=job.id)


def _filled(visit: Visit, run_ids: list[int]) -> NumbersForm:
    demand(visit.caller, Right.SEE_REPORTS)
    if not run_ids:
        raise UserError("choose at least one run")
    form = NumbersForm(request.form)
    keys = gathering.keys_of_runs(visit.caller, visit.db, run_ids)
    form.security_key.choices = [SelectChoice(key, f"{key}, as their campaign has it") for key in keys]
    form.security_key.choices.append(SelectChoice("", "none"))
    return form


def _page(
    visit: Visit, form: NumbersForm, run_ids: list[int], *, status: int = 200, refusal: str = ""
) -> tuple[str, int]:  # fmt: skip
    return visit.page(
        "report_numbers.html", status, form=form, run_ids=run_ids, refusal=refusal, ticked=_ticked(),
        runs=reports.chosen_runs(visit.caller, visit.db, run_ids),
        figures=reports.statistics(visit.caller, visit.db, run_ids),
    )  # fmt: skip


def _ticked() -> list[str]:
    return request.form.getlist("outcome")
