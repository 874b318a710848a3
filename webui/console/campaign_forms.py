"""The forms of a campaign, of a reschedule rule and of a disposition, and the words in them."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from wtforms import BooleanField, FloatField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from webui.console.forms import DaysField, EntityForm, SecretField, TimeOfDayField, ZoneField, choices
from wombat_ari.model.entities import ActivePeriod
from wombat_ari.model.states import (
    CallLogging,
    CampaignStatus,
    DispositionVerb,
    EmailEvents,
    Outcome,
    RetryMode,
    SentAttributes,
)

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
    said = MappingProxyType({"e-mail address": "email_addresses", "attribute": "variables"})
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

    said = MappingProxyType({"attribute": "extra"})

    def value(self, old: Any) -> Any:
        new = super().value(old)
        return replace(new, verb=DispositionVerb(new.verb), attributes=SentAttributes(new.attributes))
