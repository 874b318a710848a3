"""Pure checks of what a person configures, one function an entity.

Each returns the entity as it is stored (names trimmed) and the warnings; it raises UserError for the first thing that
cannot be, naming the field and what is allowed. What needs other rows (is the name free, does the trunk exist) is the
store's business. Texts may go to AMI, so control characters are refused everywhere.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wombat_ari.core.numbers import check_attributes, clean_number, wrong_alternatives
from wombat_ari.model.admin import User, UserClass
from wombat_ari.model.entities import (
    ActivePeriod,
    CallList,
    Campaign,
    EndPoint,
    Record,
    RescheduleRule,
    Server,
    Trunk,
)
from wombat_ari.model.errors import UserError
from wombat_ari.model.secret import Secret
from wombat_ari.model.states import EndPointType, Outcome

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_CHANNEL = re.compile(r"[A-Za-z][A-Za-z0-9_]*/\S.*")
_LOCAL_N = re.compile(r"/[a-z]*n[a-z]*$")
_URL = re.compile(r"https?://[^\s/]+\S*")
_KEY = re.compile(r"[^\s\x00-\x1f-][^\s\x00-\x1f]{0,79}")
_EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+")
_STATUSES = frozenset(outcome.value for outcome in Outcome)
_LAST_SECOND = 86399
_MANY = 1_000_000


def check_server(server: Server) -> tuple[Server, list[str]]:
    server = replace(
        server, description=_name("server description", server.description), address=server.address.strip()
    )
    _text("server address", server.address, maximum=255, needed=True, blanks=False)
    _whole("server AMI port", server.port, 1, 65535)
    _text("server login", server.login, maximum=80)
    _secret("server password", server.password)
    _whole("server unit length (ms)", server.unit_length_ms, 1, 60000)
    _whole("server max messages per unit", server.max_messages_per_unit, 1, 10000)
    _url("server ARI URL", server.ari_url, maximum=255)
    _text("server ARI user", server.ari_user, maximum=80)
    _secret("server ARI password", server.ari_password)
    _text("security key", server.security_key, maximum=80)
    warnings = [] if server.login else ["server login: it is empty, the dialer cannot log on"]
    return server, warnings


def check_trunk(trunk: Trunk) -> tuple[Trunk, list[str]]:
    trunk = replace(trunk, name=_name("trunk name", trunk.name), dial_string=trunk.dial_string.strip())
    _text("trunk dial string", trunk.dial_string, maximum=255, needed=True)
    if not _CHANNEL.fullmatch(trunk.dial_string):
        raise UserError(
            f"trunk dial string {trunk.dial_string}: it must be TECHNOLOGY/..., such as PJSIP/${{num}}@carrier"
        )
    _whole("trunk capacity", trunk.capacity, 1, _MANY)
    _text("security key", trunk.security_key, maximum=80)
    warnings = []
    if "${num}" not in trunk.dial_string:
        warnings.append(f"trunk {trunk.name}: its dial string has no ${{num}}, so every call goes to the same place")
    if trunk.dial_string.lower().startswith("local/") and not _LOCAL_N.search(trunk.dial_string):
        warnings.append(f"trunk {trunk.name}: a Local/ channel should end in /n, else Asterisk renames it in mid-call")
    return trunk, warnings


def check_end_point(end_point: EndPoint) -> tuple[EndPoint, list[str]]:
    end_point = replace(
        end_point,
        name=_name("end point name", end_point.name),
        extension=end_point.extension.strip(),
        context=end_point.context.strip(),
    )
    _text("end point extension", end_point.extension, maximum=80, needed=True, blanks=False)
    _text("end point context", end_point.context, maximum=80, needed=True, blanks=False)
    _whole("end point max channels", end_point.max_channels, 1, _MANY)
    if not 0 < end_point.boost_factor <= 100:
        raise UserError(f"end point boost factor {end_point.boost_factor:g}: it must be above 0, up to 100")
    _whole("end point max waiting callers", end_point.max_waiting, 0, _MANY)
    _whole("end point wrap-up time (s)", end_point.wrap_up_s, 0, 86400)
    if end_point.reverse and end_point.type is not EndPointType.QUEUE:
        raise UserError("end point reverse dialling: only a QUEUE has it, this one is a PHONE")
    if end_point.manual_preview and not end_point.reverse:
        raise UserError("end point manual preview: it needs reverse dialling to be on")
    _text("security key", end_point.security_key, maximum=80)
    return end_point, []


def check_list(call_list: CallList) -> tuple[CallList, list[str]]:
    call_list = replace(call_list, name=_name("list name", call_list.name))
    _text("security key", call_list.security_key, maximum=80)
    return call_list, []


def check_record(record: Record) -> tuple[Record, list[str]]:
    record = replace(record, number=clean_number(record.number))
    check_attributes(record.input_attributes)
    check_attributes(record.output_attributes)
    return record, wrong_alternatives(record.input_attributes)


def check_campaign(campaign: Campaign) -> tuple[Campaign, list[str]]:
    """The campaign's own fields; its rules by ``check_rule``."""
    campaign = replace(
        campaign,
        name=_name("campaign name", campaign.name),
        active_period=check_active_period(campaign.active_period),
        http_notify_url=campaign.http_notify_url.strip(),
        email_addresses=_emails(campaign.email_addresses),
    )
    _whole("campaign priority", campaign.priority, 0, _MANY)
    _whole("campaign batch size", campaign.batch_size, 1, 100_000)
    _whole("campaign answer timeout (ms)", campaign.answer_timeout_ms, 1000, 3_600_000)
    _whole("campaign forced closure (s)", campaign.forced_closure_s, 0, 86400)
    for field in ("dial_clid", "agent_clid", "dial_account", "dial_presentation"):
        _text(f"campaign {field.replace('_', ' ')}", getattr(campaign, field), maximum=255)
    _text("campaign logging alias", campaign.logging_alias, maximum=80)
    _url("campaign HTTP notification URL", campaign.http_notify_url, maximum=1000)
    _secret("campaign notification secret", campaign.notify_secret)
    _text("security key", campaign.security_key, maximum=80)
    warnings = []
    if campaign.notify_secret and campaign.http_notify_url.startswith("http://"):
        warnings.append("campaign HTTP notification URL: it is not https, others on the way may read what is sent")
    return campaign, warnings


def check_active_period(period: ActivePeriod) -> ActivePeriod:
    """With the days in order. A start after the end is allowed: it spans midnight."""
    _whole("start of active period (seconds since midnight)", period.start_s, 0, _LAST_SECOND)
    _whole("end of active period (seconds since midnight)", period.end_s, 0, _LAST_SECOND)
    days = "".join(sorted(set(period.days)))
    if not days or set(days) - set("1234567"):
        raise UserError(f"allowed days {period.days!r}: digits 1 (Sunday) to 7 (Saturday), at least one")
    return replace(period, days=days, zone=_zone(period.zone))


def check_rule(rule: RescheduleRule) -> RescheduleRule:
    if rule.status not in _STATUSES:
        raise UserError(f"reschedule rule status {rule.status!r}: it must be one of {', '.join(sorted(_STATUSES))}")
    rule = replace(rule, extended_status=rule.extended_status.strip())
    _text("reschedule rule extended status", rule.extended_status, maximum=80)
    _whole("reschedule rule max attempts", rule.max_attempts, 1, 10_000)
    _whole("reschedule rule retry after (s)", rule.retry_after_s, 1, 366 * 86400)
    return rule


def check_user(user: User) -> tuple[User, list[str]]:
    user = replace(user, login=_name("user login", user.login), email=_emails(user.email))
    if ":" in user.login or re.search(r"\s", user.login):
        raise UserError(f"user login {user.login!r}: blanks and : are not allowed (HTTP Basic could not carry them)")
    _text("user real name", user.real_name, maximum=255)
    _text("user e-mail", user.email, maximum=255)
    _text("user token", user.token, maximum=255)
    if len(user.comment) > 1000:
        raise UserError(f"user comment: it has {len(user.comment)} characters, 1000 are allowed")
    return replace(user, own_keys=check_key_list(user.own_keys, revocable=True)), []


def check_user_class(user_class: UserClass) -> tuple[UserClass, list[str]]:
    user_class = replace(user_class, name=_name("class name", user_class.name))
    _text("class description", user_class.description, maximum=255)
    return replace(user_class, keys=check_key_list(user_class.keys)), []


def check_key_list(keys: Sequence[str], *, revocable: bool = False) -> tuple[str, ...]:
    """Each once, in order. ``revocable``: a leading ``-`` is allowed."""
    for key in keys:
        if not _KEY.fullmatch(key.removeprefix("-") if revocable else key):
            raise UserError(f"key {key!r}: it must be 1 to 80 characters without blanks, not beginning with -")
    if len(" ".join(keys)) > 2000:
        raise UserError("keys: they have more than 2000 characters in all")
    return tuple(dict.fromkeys(keys))


def check_name(what: str, text: str) -> str:
    """A name, trimmed: 1 to 80 characters, none of them a control character."""
    return _name(what, text)


def _name(what: str, text: str) -> str:
    text = text.strip()
    _text(what, text, maximum=80, needed=True)
    return text


def _text(what: str, text: str, *, maximum: int, needed: bool = False, blanks: bool = True) -> None:
    if needed and not text:
        raise UserError(f"{what}: it must not be empty")
    if len(text) > maximum:
        raise UserError(f"{what}: it has {len(text)} characters, {maximum} are allowed")
    if _CONTROL.search(text):
        raise UserError(f"{what}: line breaks and other control characters are not allowed")
    if not blanks and re.search(r"\s", text):
        raise UserError(f"{what} {text!r}: blanks are not allowed")


def _secret(what: str, secret: Secret) -> None:
    """Not shown in the refusal."""
    _text(what, secret.reveal(), maximum=1000)


def _whole(what: str, number: int, least: int, most: int) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
        raise UserError(f"{what} {number}: it must be a whole number from {least} to {most}")


def _url(what: str, text: str, *, maximum: int) -> None:
    _text(what, text, maximum=maximum)
    if text and not _URL.fullmatch(text):
        raise UserError(f"{what} {text}: it must begin with http:// or https:// and hold no blanks")


def _zone(name: str) -> str:
    name = name.strip()
    if name:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise UserError(f"time zone {name!r}: it must be an IANA name such as Europe/Rome, or empty") from None
    return name


def _emails(text: str) -> str:
    addresses = [address.strip() for address in text.split(",") if address.strip()]
    for address in addresses:
        if not _EMAIL.fullmatch(address):
            raise UserError(f"e-mail address {address!r}: it must be name@domain; several are separated by commas")
    joined = ", ".join(addresses)
    _text("e-mail addresses", joined, maximum=1000)
    return joined
