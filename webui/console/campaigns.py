"""Campaigns: their own fields, and below them what belongs to them: trunks, end points, lists, rules, opening hours.

Each change of what belongs is one small form and one transaction; a live run takes it over with the next "reload".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import request
from wtforms import BooleanField, FloatField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from webui.console.editor import Column, Editor, version_sent
from webui.console.forms import DaysField, EntityForm, SecretField, TimeOfDayField, ZoneField, choices, zones
from webui.console.pages import STATUS, Answer, Pages, Visit
from wombat_ari.app.service import campaigns, end_points, lists, opening_hours, readiness, runs, servers, trunks
from wombat_ari.app.service.rights import Right
from wombat_ari.model.entities import ActivePeriod, Campaign, CampaignList, DispositionRule, RescheduleRule
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import (
    CallLogging,
    CampaignStatus,
    DispositionVerb,
    EmailEvents,
    ListUse,
    Outcome,
    RetryMode,
    SentAttributes,
)

SEE, CHANGE = (Right.SEE_CAMPAIGNS,), (Right.CHANGE_CAMPAIGNS,)
ANY = "*"
STATUSES = {
    CampaignStatus.RUNNABLE: "RUNNABLE",
    CampaignStatus.CLOSED: "CLOSED: not startable",
    CampaignStatus.HIDDEN: "HIDDEN: found with ~ only",
    CampaignStatus.ERROR: "ERROR: broken, not startable",
}
MODES = {RetryMode.FIXED: "FIXED: the same pause", RetryMode.MULTI: "MULTI: pause × attempt"}
VERBS = {
    DispositionVerb.NONE: "nothing",
    DispositionVerb.HTTP_GET: "HTTP GET",
    DispositionVerb.HTTP_POST: "HTTP POST",
    DispositionVerb.ADD_LIST: "add to a list",
    DispositionVerb.BLACK_LIST: "add to a black list",
    DispositionVerb.EMAIL: "send an e-mail",
    DispositionVerb.RESCHEDULE: "hand to another campaign",
}
PLACEHOLDERS = "May hold ${ATTRIBUTE} of the number."


class CampaignForm(EntityForm):
    name = StringField("Name", [DataRequired(), Length(max=80)])
    status = SelectField("Status", choices=choices(CampaignStatus, STATUSES))
    priority = IntegerField("Priority", [InputRequired(), NumberRange(0, 1_000_000)], description="Smaller goes first.")
    idles_on_termination = BooleanField("Waits for more numbers at its end")
    starts_paused = BooleanField("Starts paused")
    batch_size = IntegerField(
        "Batch size", [InputRequired(), NumberRange(1, 100_000)], description="About twice the lines."
    )
    boost = FloatField(
        "Boost at the start", [InputRequired(), NumberRange(0.01, 100)], description="Times the end points'."
    )
    start_s = TimeOfDayField("From")
    end_s = TimeOfDayField("To", description="Before the start: the period spans midnight.")
    days = DaysField("Days")
    zone = ZoneField("Time zone", description="Empty: the dialer's own.")
    answer_timeout_ms = IntegerField("Answer timeout, ms", [InputRequired(), NumberRange(1000, 3_600_000)])
    forced_closure_s = IntegerField(
        "Forced closure, s", [InputRequired(), NumberRange(0, 86400)], description="Longest talk; 0: no limit."
    )
    dial_clid = StringField("Caller ID for the callee", [Length(max=255)], description=PLACEHOLDERS)
    agent_clid = StringField("Caller ID for the agent", [Length(max=255)], description=PLACEHOLDERS)
    dial_account = StringField("Account code", [Length(max=255)])
    dial_presentation = StringField("Presentation", [Length(max=255)], description="As prohib or allowed.")
    variables = TextAreaField(
        "Channel variables", [Length(max=4000)], description="NAME:value,NAME:value. " + PLACEHOLDERS
    )
    logging = SelectField("queue_log", choices=choices(CallLogging))
    logging_alias = StringField("Queue name in it", [Length(max=80)], description="Empty: the campaign's name.")
    logging_attributes = StringField("Attributes in it", [Length(max=1000)], description="Names, comma separated.")
    http_notify_url = StringField("HTTP notification", [Length(max=1000)], description="POSTed after each attempt.")
    notify_secret = SecretField("Secret that signs it")
    email_addresses = StringField("E-mail to", [Length(max=1000)], description="Several: comma separated.")
    email_events = SelectField("E-mail when", choices=choices(EmailEvents))
    security_key = StringField("Security key", [Length(max=80)], description="Who sees it must hold this key.")

    secrets = ("notify_secret",)
    groups = (
        ("Campaign", ("name", "status", "priority", "idles_on_termination", "starts_paused")),
        ("When", ("start_s", "end_s", "days", "zone")),
        ("Dialling", ("answer_timeout_ms", "forced_closure_s", "batch_size", "boost", "dial_clid", "agent_clid",
                      "dial_account", "dial_presentation", "variables")),
        ("Logs and notifications", ("http_notify_url", "notify_secret", "email_addresses", "email_events", "logging",
                                    "logging_alias", "logging_attributes")),
        ("Who sees it", ("security_key",)),
    )  # fmt: skip

    @classmethod
    def of(cls, value: Any, **options: Any) -> EntityForm:
        form = super().of(value, **options)
        for name in ("start_s", "end_s", "days", "zone"):
            form[name].data = getattr(value.active_period, name)
        return form

    def value(self, old: Any) -> Any:
        new = super().value(old)
        period = ActivePeriod(self.start_s.data, self.end_s.data, self.days.data, (self.zone.data or "").strip())
        words = {
            "status": CampaignStatus(new.status), "logging": CallLogging(new.logging),
            "email_events": EmailEvents(new.email_events),
        }  # fmt: skip
        return replace(new, active_period=period, **words)


class RuleForm(EntityForm):
    status = SelectField("When it ended", choices=choices(Outcome))
    extended_status = StringField("with extended status", [Length(max=80)], description="Empty: none. *: any.")
    max_attempts = IntegerField("Most attempts", [InputRequired(), NumberRange(1, 10_000)])
    retry_after_s = IntegerField("Again after, s", [InputRequired(), NumberRange(1, 366 * 86400)])
    mode = SelectField("Pause", choices=choices(RetryMode, MODES))

    def value(self, old: Any) -> Any:
        new = super().value(old)
        return replace(new, mode=RetryMode(new.mode))


class DispositionForm(EntityForm):
    status = SelectField("When it ended", choices=choices([ANY, *Outcome], {ANY: "* anyhow"}))
    extended_status = StringField("with extended status", [Length(max=80)], description="Empty: none. *: any.")
    with_retries = BooleanField("Also when it is tried again")
    verb = SelectField("Do", choices=choices(DispositionVerb, VERBS))
    destination = StringField(
        "Where", [Length(max=1000)], description="Address, e-mail addresses, name of a list or of a campaign."
    )
    text = TextAreaField("Text", [Length(max=20_000)], description="Body or subject. " + PLACEHOLDERS)
    delay_s = IntegerField("After, s", [InputRequired(), NumberRange(0, 366 * 86400)])
    attributes = SelectField("Attributes handed on", choices=choices(SentAttributes))
    extra = StringField("More attributes", [Length(max=2000)], description="NAME:value,NAME:value")

    def value(self, old: Any) -> Any:
        new = super().value(old)
        return replace(new, verb=DispositionVerb(new.verb), attributes=SentAttributes(new.attributes))


@dataclass(frozen=True)
class Part:
    """What belongs to a campaign, in an order. ``key``: what tells one from another, as an integer."""

    name: str
    title: str
    of: Callable[[Campaign], Sequence[Any]]
    key: Callable[[Any], int]
    set: Callable[..., Campaign]  #: ``(caller, db, campaign_id, changing, version=)``


PARTS: dict[str, Part] = {
    part.name: part
    for part in (
        Part("trunks", "Trunks", lambda one: one.trunk_ids, int, campaigns.set_trunks),
        Part("end-points", "End points", lambda one: one.end_point_ids, int, campaigns.set_end_points),
        Part("lists", "Lists", lambda one: one.lists, lambda entry: entry.list_id, campaigns.set_lists),
        Part("rules", "Reschedule rules", lambda one: one.rules, lambda rule: rule.id or 0, campaigns.set_rules),
        Part("opening-hours", "Opening hours", lambda one: one.opening_hours_ids, int, campaigns.set_opening_hours),
        Part("dispositions", "Dispositions", lambda one: one.dispositions, lambda rule: rule.id or 0,
             campaigns.set_dispositions),
    )
}  # fmt: skip


def add_to(pages: Pages) -> None:
    EDITOR.add_to(pages)

    @pages.post("/campaigns/<int:which>/clone", Right.CLONE_CAMPAIGNS)
    def campaigns_clone(visit: Visit, which: int) -> Answer:
        name = request.form.get("name", "")
        try:
            made = campaigns.clone_campaign(visit.caller, visit.db, which, name=name)
        except UserError as refusal:
            visit.say(str(refusal), "bad")
            return visit.go("campaigns_one", which=which)
        visit.say(f"Campaign {made.name} is made, with all that belongs to it.")
        return visit.go("campaigns_one", which=made.id)

    @pages.post("/campaigns/<int:which>/start", Right.CONTROL_RUNS)
    def campaigns_start(visit: Visit, which: int) -> Answer:
        name = campaigns.find_campaign(visit.caller, visit.db, which).name
        try:
            runs.start(visit.caller, visit.db, visit.ask, campaign=name)
        except UserError as refusal:
            visit.say(str(refusal), "bad")
            return visit.go("campaigns_one", which=which)
        visit.say(f"Campaign {name} is started.")
        return visit.go("live") if visit.may(Right.SEE_LIVE) else visit.go("campaigns_one", which=which)

    @pages.post("/campaigns/<int:which>/<part>/<doing>", *CHANGE)
    def campaigns_part(visit: Visit, which: int, part: str, doing: str) -> Answer:
        """``add``, ``change``, ``remove``, ``up``, ``down`` of one of the things that belong to it, of the version
        that was shown."""
        if part not in PARTS or doing not in _DOINGS:
            raise UserError("that cannot be done to a campaign")
        chosen = PARTS[part]
        form = _FORMS[part](request.form) if part in _FORMS and doing in ("add", "change") else None
        if form is not None and not form.validate():
            return _with(visit, which, part, form, 400)
        try:
            do = _DOINGS[doing]
            chosen.set(visit.caller, visit.db, which, lambda old: do(chosen, tuple(old), form), version=version_sent())
        except UserError as refusal:
            if form is None:
                visit.say(str(refusal), "bad")
                return visit.go("campaigns_one", which=which, _anchor=part)
            form.complain(refusal)
            return _with(visit, which, part, form, STATUS.get(refusal.code, 400))
        return visit.go("campaigns_one", which=which, _anchor=part)


def _key() -> int:
    text = request.form.get("key", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _add(part: Part, old: tuple[Any, ...], form: EntityForm | None) -> tuple[Any, ...]:
    if part.name == "rules":
        return (*old, form.value(RescheduleRule(Outcome.RS_BUSY)))  # type: ignore[union-attr]
    if part.name == "dispositions":
        return (*old, form.value(DispositionRule()))  # type: ignore[union-attr]
    if not _key():
        raise UserError(f"{part.title.lower()}: choose one to add")
    if part.name == "lists":
        use = ListUse.BLACK if request.form.get("use") == ListUse.BLACK else ListUse.NORMAL
        return (*old, CampaignList(_key(), "", use))
    return (*old, _key()) if _key() not in old else old


def _change(part: Part, old: tuple[Any, ...], form: EntityForm | None) -> tuple[Any, ...]:
    if form is not None:
        return tuple(form.value(one) if part.key(one) == _key() else one for one in old)
    other = {ListUse.NORMAL: ListUse.BLACK, ListUse.BLACK: ListUse.NORMAL}
    return tuple(replace(one, use=other[one.use]) if part.key(one) == _key() else one for one in old)


def _remove(part: Part, old: tuple[Any, ...], form: EntityForm | None) -> tuple[Any, ...]:
    return tuple(one for one in old if part.key(one) != _key())


def _moved(steps: int) -> Callable[[Part, tuple[Any, ...], EntityForm | None], tuple[Any, ...]]:
    def move(part: Part, old: tuple[Any, ...], form: EntityForm | None) -> tuple[Any, ...]:
        order, place = list(old), next((n for n, one in enumerate(old) if part.key(one) == _key()), None)
        if place is not None and 0 <= place + steps < len(order):
            order[place], order[place + steps] = order[place + steps], order[place]
        return tuple(order)

    return move


_DOINGS = {"add": _add, "change": _change, "remove": _remove, "up": _moved(-1), "down": _moved(1)}
_FORMS: dict[str, type[EntityForm]] = {"rules": RuleForm, "dispositions": DispositionForm}


def _with(visit: Visit, which: int, part: str, form: EntityForm, status: int) -> Answer:
    """The page with a form of a part as it was filled in, and what is wrong with it."""
    return EDITOR.show_one(visit, which, status, **{f"{part}_form": form, "changed_key": _key()})


def _known(visit: Visit, value: Campaign | None) -> Mapping[str, Any]:
    rule, disposition = RuleForm.of(RescheduleRule(Outcome.RS_BUSY, "", 3, 300)), DispositionForm.of(DispositionRule())
    known: dict[str, Any] = {"zones": zones(), "rule_form": RuleForm, "disposition_form": DispositionForm}
    if value is None or value.id is None:
        return known
    used = {name: _used(visit, value.id, kind) for name, kind in _KINDS.items()}
    choosable = {name: _choosable(visit, name) if visit.may(*CHANGE) else [] for name in _KINDS}
    free = {name: [one for one in found if one[0] not in used[name]] for name, found in choosable.items()}
    return known | {
        "names": used, "free": free, "new_rule": rule, "new_disposition": disposition,
        "ready": readiness.readiness(visit.caller, visit.db, value.id), "verbs": VERBS,
        "may_see_lists": visit.may(Right.SEE_RECORDS),
    }  # fmt: skip


_KINDS = {"trunks": "trunks", "end-points": "end points", "lists": "lists", "opening-hours": "opening hours"}


def _used(visit: Visit, campaign_id: int, kind: str) -> dict[int, str]:
    return {one.id: one.name for one in campaigns.used_by(visit.caller, visit.db, campaign_id, kind)[0]}


def _choosable(visit: Visit, name: str) -> list[tuple[int, str]]:
    """What may be added, with the server that it is on."""
    if name == "lists":
        found: list[Any] = [one for one in lists.list_lists(visit.caller, visit.db) if not one.hidden]
    elif name == "opening-hours":
        found = [one for one in opening_hours.list_opening_hours(visit.caller, visit.db) if not one.hidden]
    else:
        every = trunks.list_trunks if name == "trunks" else end_points.list_end_points
        on = {server.id: server.description for server in _servers(visit)}
        return [(one.id or 0, f"{one.name} on {on.get(one.server_id, '?')}") for one in every(visit.caller, visit.db)]
    return [(one.id or 0, one.name) for one in found]


def _servers(visit: Visit) -> list[Any]:
    return servers.list_servers(visit.caller, visit.db)


def _save(visit: Visit, value: Campaign, *, version: int | None, clear: tuple[str, ...]) -> Campaign:
    if value.id is None:
        return campaigns.save_campaign(visit.caller, visit.db, value)
    own = {name: getattr(value, name) for name in CampaignForm._names() if hasattr(value, name)}
    own["active_period"] = value.active_period
    return campaigns.replace_campaign(
        visit.caller, visit.db, value.id, lambda old: replace(old, **own), version=version, clear=clear
    )


EDITOR: Editor[Campaign] = Editor(
    name="campaigns", label="campaign", title="Campaigns", form=CampaignForm, template="campaigns.html",
    columns=(
        Column("Campaign", lambda row: row.name),
        Column("Status", lambda row: row.status.value),
        Column("Priority", lambda row: row.priority, number=True),
        Column("Lists", lambda row: len(row.lists), number=True),
    ),
    see=SEE, change=CHANGE, everything=campaigns.list_campaigns, find=campaigns.find_campaign, save=_save,
    delete=campaigns.delete_campaign, blank=lambda visit: Campaign(None, ""), infos=campaigns.campaign_infos,
    is_hidden=lambda campaign: campaign.status is CampaignStatus.HIDDEN, known=_known,
    clones=False,
    advice="There is no campaign yet.", extra={"parts": PARTS, "has_hidden": True},
)  # fmt: skip
