"""``edit/campaign`` and ``edit/oh``: campaigns, opening hours. What a campaign uses is in ``links`` and ``rules``."""

from dataclasses import replace
from typing import Any

from webui.compat.edit import address_of
from webui.compat.things import Thing
from webui.compat.values import Field, Object, flag, number, one_of, text, whole, word_of, words_of
from wombat_ari.app.service import campaigns, opening_hours
from wombat_ari.model.entities import Campaign, OpeningHours, OpeningRule
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import CallLogging, CampaignStatus, EmailEvents

LOGGING = {"NO": CallLogging.NONE, "NONE": CallLogging.NONE, "QM_COMPATIBLE": CallLogging.QM_COMPATIBLE}
EMAILS = {
    "NO": EmailEvents.NONE, "NONE": EmailEvents.NONE, "COMPLETION": EmailEvents.COMPLETION, "ALL": EmailEvents.ALL
}  # fmt: skip
MODES = {"DEF_OPEN": True, "DEF_CLOSED": False, "DEF_CLOSE": False}
#: what is not to be had: it must be off, and is answered so
OFF = ("initialPredictiveModel", "amdTracking")
EMPTY = ("amdParams", "amdAudioFile", "amdFaxFile")


def seconds(data: Object, name: str) -> int | None:
    """``083000``, ``08:30:00``, ``8:30`` or 83000 -> seconds since midnight."""
    given = text(data, name)
    if given is None or not given.strip():
        return None
    digits = given.strip().replace(":", "")
    digits = (digits + "00" if given.count(":") == 1 else digits).zfill(6)
    if not digits.isascii() or not digits.isdecimal() or len(digits) != 6:
        raise UserError(f"{name} is {given[:40]!r}: it must be a time of day, HHMMSS")
    hours, minutes, rest = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    if (hours, minutes, rest) == (24, 0, 0):
        return 86399
    if hours > 23 or minutes > 59 or rest > 59:
        raise UserError(f"{name} is {given[:40]!r}: it must be a time of day, HHMMSS")
    return hours * 3600 + minutes * 60 + rest


def hhmmss(at: int) -> str:
    return f"{at // 3600:02}{at // 60 % 60:02}{at % 60:02}"


def _names(data: Object, name: str) -> str | None:
    """Names apart by blanks or commas."""
    given = text(data, name)
    return None if given is None else ", ".join(given.replace(",", " ").split())


def _campaign_read(campaign: Campaign, data: Object) -> Campaign:
    for name in OFF:
        if (text(data, name) or "OFF").strip().upper() not in ("OFF", "NO", "NONE"):
            what = "no adaptive model yet" if name == OFF[0] else "no detection of answering machines yet"
            raise UserError(f"{name} is {str(data[name])[:40]!r}: it must be OFF, this version has {what}")
    period = campaign.active_period
    start, end, days = seconds(data, "timeStartHr"), seconds(data, "timeEndHr"), text(data, "timeDow")
    period = replace(
        period,
        start_s=period.start_s if start is None else start,
        end_s=period.end_s if end is None else end,
        days=days or period.days,
    )
    return replace(campaign, active_period=period)


def _campaign_rest(campaign: Campaign) -> dict[str, Any]:
    period = campaign.active_period
    return {
        "timeStartHr": hhmmss(period.start_s),
        "timeEndHr": hhmmss(period.end_s),
        "timeDow": period.days,
        **dict.fromkeys(OFF, "OFF"),
        **dict.fromkeys(EMPTY, ""),
    }


CAMPAIGN: Thing[Campaign] = Thing(
    path="campaign",
    label="campaign",
    id_name="campaignId",
    name=lambda campaign: campaign.name,
    fields=(
        Field("name", "name", text),
        Field("priority", "priority", whole),
        Field("pace", "status", one_of(words_of(CampaignStatus)), str),
        Field("dial_timeout", "answer_timeout_ms", whole),
        Field("dial_clid", "dial_clid", text),
        Field("dial_account", "dial_account", text),
        Field("dial_pres", "dial_presentation", text),
        Field("addlLogging", "logging", one_of(LOGGING), word_of(LOGGING)),
        Field("pauseWhenFinished", "idles_on_termination", flag, int),
        Field("maxCallLength", "forced_closure_s", whole),
        Field("batchSize", "batch_size", whole),
        Field("httpNotify", "http_notify_url", text),
        Field("loggingAlias", "logging_alias", text),
        Field("securityKey", "security_key", text),
        Field("autopause", "starts_paused", flag),
        Field("agentClid", "agent_clid", text),
        Field("emailAddresses", "email_addresses", text),
        Field("emailEvents", "email_events", one_of(EMAILS), word_of(EMAILS)),
        Field("initialBoostFactor", "boost", number),
        Field("campaignVars", "variables", text),
        Field("loggingQmVars", "logging_attributes", _names),
    ),
    everything=campaigns.list_campaigns,
    infos=campaigns.campaign_infos,
    find=campaigns.find_campaign,
    save=campaigns.save_campaign,
    delete=campaigns.delete_campaign,
    blank=lambda call, data: Campaign(None, ""),
    read=_campaign_read,
    references=lambda call, campaign: _campaign_rest(campaign),
)


def _hours_read(hours: OpeningHours, data: Object) -> OpeningHours:
    """``rules`` is ours: the original's were edited in its console only."""
    given = data.get("rules")
    if given is None:
        return hours
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise UserError("rules must be a list of objects")
    return replace(hours, rules=tuple(_rule(one) for one in given))


def _rule(data: Object) -> OpeningRule:
    blank = OpeningRule()
    is_open, start, end = flag(data, "open"), seconds(data, "startHr"), seconds(data, "endHr")
    return OpeningRule(
        open=blank.open if is_open is None else is_open,
        from_date=text(data, "fromDate") or "",
        to_date=text(data, "toDate") or "",
        days=text(data, "onDow") or blank.days,
        start_s=blank.start_s if start is None else start,
        end_s=blank.end_s if end is None else end,
        comment=text(data, "comment") or "",
    )


def _rules(hours: OpeningHours) -> list[dict[str, Any]]:
    return [
        {
            "open": rule.open, "fromDate": rule.from_date, "toDate": rule.to_date, "onDow": rule.days,
            "startHr": hhmmss(rule.start_s), "endHr": hhmmss(rule.end_s), "comment": rule.comment,
        }
        for rule in hours.rules
    ]  # fmt: skip


OPENING_HOURS: Thing[OpeningHours] = Thing(
    path="oh",
    label="opening hours",
    id_name="openingHourId",
    name=lambda hours: hours.name,
    fields=(
        Field("name", "name", text),
        Field("defaultMode", "default_open", one_of(MODES), word_of(MODES)),
        Field("comment", "comment", text),
        Field("hidden", "hidden", flag),
        Field("securityKey", "security_key", text),
    ),
    everything=opening_hours.list_opening_hours,
    infos=opening_hours.opening_hours_infos,
    find=opening_hours.find_opening_hours,
    save=opening_hours.save_opening_hours,
    delete=opening_hours.delete_opening_hours,
    blank=lambda call, data: OpeningHours(None, ""),
    read=_hours_read,
    references=lambda call, hours: {"rules": _rules(hours)},
)

ADDRESSES = tuple(address_of(thing.subject()) for thing in (CAMPAIGN, OPENING_HOURS))
