"""Opening hours: when calls may be placed, shared by campaigns. The first rule that fits decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import request
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import DataRequired, Length

from webui.console.editor import Column, Editor, version_sent
from webui.console.forms import DaysField, EntityForm, TimeOfDayField, things
from webui.console.pages import STATUS, Answer, Pages, Visit
from wombat_ari.app.service import opening_hours
from wombat_ari.app.service.rights import Right
from wombat_ari.model.entities import OpeningHours, OpeningRule
from wombat_ari.model.errors import UserError

CHANGE = (Right.CHANGE_CAMPAIGNS,)


class HoursForm(EntityForm):
    name = StringField("Name", [DataRequired(), Length(max=80)])
    default_open = BooleanField("Open when no rule fits")
    hidden = BooleanField("Hidden: found with ~ only")
    comment = StringField("Remark", [Length(max=255)])
    security_key = StringField("Security key", [Length(max=80)], description="Who sees it must hold this key.")


class RuleForm(EntityForm):
    open = SelectField(
        "Then it is", coerce=lambda text: str(text) == "True", choices=things([(True, "open"), (False, "closed")])
    )
    days = DaysField("Days")
    start_s = TimeOfDayField("From")
    end_s = TimeOfDayField("To")
    from_date = StringField("First date", [Length(max=10)], description="YYYY-MM-DD, or MM-DD each year; empty: any.")
    to_date = StringField("Last date", [Length(max=10)])
    comment = StringField("Remark", [Length(max=80)])


def add_to(pages: Pages) -> None:
    EDITOR.add_to(pages)

    @pages.post("/opening-hours/<int:which>/rules/<doing>", *CHANGE)
    def opening_rule(visit: Visit, which: int, doing: str) -> Answer:
        """``add``; ``change``, ``remove``, ``up``, ``down`` of the one at ``place``, of the version that was shown."""
        if doing not in _DOINGS:
            raise UserError("that cannot be done to opening hours")
        form = RuleForm(request.form) if doing in ("add", "change") else None
        if form is not None and not form.validate():
            return EDITOR.show_one(visit, which, 400, rule_wrong=form, wrong_place=_place())
        hours = opening_hours.find_opening_hours(visit.caller, visit.db, which)
        try:
            new = replace(hours, rules=_DOINGS[doing](hours.rules, form))
            opening_hours.save_opening_hours(visit.caller, visit.db, new, version=version_sent())
        except UserError as refusal:
            if form is None:
                visit.say(str(refusal), "bad")
                return visit.go("opening-hours_one", which=which)
            form.complain(refusal)
            return EDITOR.show_one(visit, which, STATUS.get(refusal.code, 400), rule_wrong=form, wrong_place=_place())
        return visit.go("opening-hours_one", which=which, _anchor="rules")


Rules = tuple[OpeningRule, ...]


def _place() -> int:
    """From 0; -1: of none."""
    text = request.form.get("place", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else -1


def _changed(rules: Rules, form: EntityForm | None) -> Rules:
    assert form is not None
    return tuple(form.value(rule) if n == _place() else rule for n, rule in enumerate(rules))


def _moved(steps: int) -> Callable[[Rules, EntityForm | None], Rules]:
    def move(rules: Rules, form: EntityForm | None) -> Rules:
        order, place = list(rules), _place()
        if 0 <= place < len(order) and 0 <= place + steps < len(order):
            order[place], order[place + steps] = order[place + steps], order[place]
        return tuple(order)

    return move


_DOINGS: dict[str, Callable[[Rules, Any], Rules]] = {
    "add": lambda rules, form: (*rules, form.value(OpeningRule())),
    "change": _changed,
    "remove": lambda rules, form: tuple(rule for n, rule in enumerate(rules) if n != _place()),
    "up": _moved(-1),
    "down": _moved(1),
}


def _known(visit: Visit, value: OpeningHours | None) -> dict[str, Any]:
    return {"rule_form": RuleForm, "new_rule": RuleForm.of(OpeningRule(start_s=9 * 3600, end_s=18 * 3600))}


def _save(visit: Visit, value: OpeningHours, *, clear: tuple[str, ...], **options: Any) -> OpeningHours:
    return opening_hours.save_opening_hours(visit.caller, visit.db, value, **options)


EDITOR: Editor[OpeningHours] = Editor(
    name="opening-hours", label="opening hours", title="Opening hours", form=HoursForm, template="opening_hours.html",
    columns=(
        Column("Opening hours", lambda row: row.name),
        Column("Rules", lambda row: len(row.rules), number=True),
        Column("Else", lambda row: "open" if row.default_open else "closed"),
    ),
    see=(Right.SEE_CAMPAIGNS,), change=CHANGE, everything=opening_hours.list_opening_hours,
    find=opening_hours.find_opening_hours, save=_save, delete=opening_hours.delete_opening_hours,
    blank=lambda visit: OpeningHours(None, ""), infos=opening_hours.opening_hours_infos, known=_known,
    advice="There are none: each campaign dials in its own period. Campaigns share opening hours, with holidays.",
)  # fmt: skip
