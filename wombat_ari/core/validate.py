"""Pure checks of what a person configures, one function an entity.

Each returns the entity as it is stored (names trimmed) and the warnings; it raises UserError for the first thing that
cannot be, naming the field and what is allowed. What needs other rows (is the name free, does the trunk exist) is the
store's business.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from wombat_ari.core import checks
from wombat_ari.core.numbers import check_attribute, check_attributes, clean_number, wrong_alternatives
from wombat_ari.core.request import FLOW_CONTEXT
from wombat_ari.core.validate_rules import check_active_period, check_disposition, check_opening_hours, check_rule
from wombat_ari.core.variables import variables_of
from wombat_ari.model.admin import User, UserClass
from wombat_ari.model.entities import (
    CallList,
    Campaign,
    EndPoint,
    Record,
    Server,
    Trunk,
)
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import EndPointType, Outcome

_CHANNEL = re.compile(r"[A-Za-z][A-Za-z0-9_]*/\S.*")
_LOCAL_N = re.compile(r"/[a-z]*n[a-z]*$")
_KEY = re.compile(r"[^\s\x00-\x1f-][^\s\x00-\x1f]{0,79}")
_FLOW_NAME = re.compile(r"(?!failed$)[A-Za-z][A-Za-z0-9_]{1,79}")  # failed, h, s, i and t are Asterisk's own
_MANY = 1_000_000
_REPEATS = 3


def check_server(server: Server) -> tuple[Server, list[str]]:
    server = replace(
        server, description=checks.name("server description", server.description), address=server.address.strip()
    )
    checks.text("server address", server.address, maximum=255, needed=True, blanks=False)
    checks.whole("server AMI port", server.port, 1, 65535)
    checks.text("server login", server.login, maximum=80)
    checks.secret("server password", server.password)
    checks.whole("server unit length (ms)", server.unit_length_ms, 1, 60000)
    checks.whole("server max messages per unit", server.max_messages_per_unit, 1, 10000)
    checks.url("server ARI URL", server.ari_url, maximum=255)
    checks.text("server ARI user", server.ari_user, maximum=80)
    checks.secret("server ARI password", server.ari_password)
    checks.text("security key", server.security_key, maximum=80)
    warnings = [] if server.login else ["server login: it is empty, the dialer cannot log on"]
    return server, warnings


def check_trunk(trunk: Trunk) -> tuple[Trunk, list[str]]:
    trunk = replace(trunk, name=checks.name("trunk name", trunk.name), dial_string=trunk.dial_string.strip())
    checks.text("trunk dial string", trunk.dial_string, maximum=255, needed=True)
    if not _CHANNEL.fullmatch(trunk.dial_string):
        raise UserError(
            f"trunk dial string {trunk.dial_string}: it must be TECHNOLOGY/..., such as PJSIP/${{num}}@carrier"
        )
    checks.whole("trunk capacity", trunk.capacity, 1, _MANY)
    checks.text("security key", trunk.security_key, maximum=80)
    warnings = []
    if "${num}" not in trunk.dial_string:
        warnings.append(f"trunk {trunk.name}: its dial string has no ${{num}}, so every call goes to the same place")
    if trunk.dial_string.lower().startswith("local/") and not _LOCAL_N.search(trunk.dial_string):
        warnings.append(f"trunk {trunk.name}: a Local/ channel should end in /n, else Asterisk renames it in mid-call")
    return trunk, warnings


def check_end_point(end_point: EndPoint) -> tuple[EndPoint, list[str]]:
    is_flow = end_point.type is EndPointType.FLOW
    end_point = replace(
        end_point,
        name=checks.name("end point name", end_point.name),
        extension=end_point.extension.strip(),
        context=end_point.context.strip() or (FLOW_CONTEXT if is_flow else ""),
    )
    if is_flow and not _FLOW_NAME.fullmatch(end_point.extension):
        raise UserError(
            f"end point extension: {end_point.extension!r} is not the name of a flow: letters, digits and _, beginning"
            " with a letter, at least two"
        )
    checks.text("end point extension", end_point.extension, maximum=80, needed=True, blanks=False)
    checks.text("end point context", end_point.context, maximum=80, needed=True, blanks=False)
    checks.whole("end point max channels", end_point.max_channels, 1, _MANY)
    checks.factor("end point boost factor", end_point.boost_factor)
    checks.whole("end point max waiting callers", end_point.max_waiting, 0, _MANY)
    checks.whole("end point wrap-up time (s)", end_point.wrap_up_s, 0, 86400)
    if end_point.reverse and end_point.type is not EndPointType.QUEUE:
        raise UserError(f"end point reverse dialling: only a QUEUE has it, this one is a {end_point.type}")
    if end_point.manual_preview and not end_point.reverse:
        raise UserError("end point manual preview: it needs reverse dialling to be on")
    checks.text("end point description", end_point.description, maximum=255)
    _rewriting(end_point.dial_find, end_point.dial_replace)
    checks.text("security key", end_point.security_key, maximum=80)
    warnings = []
    if end_point.dial_find and not end_point.reverse:
        warnings.append(f"end point {end_point.name}: dial find counts in reverse dialling only, which is off")
    return end_point, warnings


def check_list(call_list: CallList) -> tuple[CallList, list[str]]:
    call_list = replace(call_list, name=checks.name("list name", call_list.name))
    checks.text("security key", call_list.security_key, maximum=80)
    return call_list, []


def check_record(record: Record) -> tuple[Record, list[str]]:
    record = replace(record, number=clean_number(record.number))
    check_attributes(record.input_attributes)
    check_attributes(record.output_attributes)
    return record, wrong_alternatives(record.input_attributes)


def check_campaign(campaign: Campaign) -> tuple[Campaign, list[str]]:
    """The campaign's own fields; its rules by ``check_rule`` and ``check_disposition``."""
    campaign = replace(
        campaign,
        name=checks.name("campaign name", campaign.name),
        active_period=check_active_period(campaign.active_period),
        http_notify_url=campaign.http_notify_url.strip(),
        email_addresses=checks.emails(campaign.email_addresses),
        logging_attributes=_attribute_names(campaign.logging_attributes),
    )
    checks.whole("campaign priority", campaign.priority, 0, _MANY)
    checks.whole("campaign batch size", campaign.batch_size, 1, 100_000)
    checks.whole("campaign answer timeout (ms)", campaign.answer_timeout_ms, 1000, 3_600_000)
    checks.whole("campaign forced closure (s)", campaign.forced_closure_s, 0, 86400)
    for field in ("dial_clid", "agent_clid", "dial_account", "dial_presentation"):
        checks.text(f"campaign {field.replace('_', ' ')}", getattr(campaign, field), maximum=255)
    checks.text("campaign logging alias", campaign.logging_alias, maximum=80)
    checks.text("campaign variables", campaign.variables, maximum=4000)
    variables_of(campaign.variables)
    checks.factor("campaign boost", campaign.boost)
    checks.url("campaign HTTP notification URL", campaign.http_notify_url, maximum=1000)
    checks.secret("campaign notification secret", campaign.notify_secret)
    checks.text("security key", campaign.security_key, maximum=80)
    warnings = []
    if campaign.notify_secret and campaign.http_notify_url.startswith("http://"):
        warnings.append("campaign HTTP notification URL: it is not https, others on the way may read what is sent")
    if any(rule.status == Outcome.RS_BLACKLIST for rule in campaign.rules):
        warnings.append("campaign reschedule rules: nobody on a black list is dialled, a rule on RS_BLACKLIST is idle")
    return campaign, warnings


def _attribute_names(text: str) -> str:
    """Each once, spelled in one way."""
    names = dict.fromkeys(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        check_attribute(name, "")
    joined = ",".join(names)
    checks.text("campaign logging attributes", joined, maximum=1000)
    return joined


def _rewriting(find: str, replacement: str) -> None:
    """A regular expression that is certain to be through at once: it runs in the reactor, for each reverse call."""
    checks.text("end point dial find", find, maximum=255)
    checks.text("end point dial replace", replacement, maximum=255)
    if replacement and not find:
        raise UserError("end point dial replace: it needs a dial find")
    try:
        re.compile(find).sub(replacement, "")
    except (re.error, IndexError, RecursionError, OverflowError) as error:
        raise UserError(f"end point dial find {find!r}, replace {replacement!r}: {error}") from None
    bare = re.sub(r"\\.", "", find)
    if re.search(r"\)[*+{]", bare) or len(re.findall(r"[*+{]|(?<!\()\?", bare)) > _REPEATS:
        raise UserError(
            f"end point dial find {find!r}: at most {_REPEATS} repeats (* + ? {{}}), and none of a group: "
            "it could take very long"
        )


def check_user(user: User) -> tuple[User, list[str]]:
    user = replace(
        user,
        login=checks.name("user login", user.login),
        email=checks.emails(user.email),
        time_zone=checks.zone(user.time_zone),
    )
    if ":" in user.login or re.search(r"\s", user.login):
        raise UserError(f"user login {user.login!r}: blanks and : are not allowed (HTTP Basic could not carry them)")
    checks.text("user real name", user.real_name, maximum=255)
    checks.text("user e-mail", user.email, maximum=255)
    checks.text("user token", user.token, maximum=255)
    if len(user.comment) > 1000:
        raise UserError(f"user comment: it has {len(user.comment)} characters, 1000 are allowed")
    return replace(user, own_keys=check_key_list(user.own_keys, revocable=True)), []


def check_user_class(user_class: UserClass) -> tuple[UserClass, list[str]]:
    user_class = replace(user_class, name=checks.name("class name", user_class.name))
    checks.text("class description", user_class.description, maximum=255)
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
    return checks.name(what, text)


__all__ = [
    "check_active_period", "check_campaign", "check_disposition", "check_end_point", "check_key_list", "check_list",
    "check_name", "check_opening_hours", "check_record", "check_rule", "check_server", "check_trunk", "check_user",
    "check_user_class",
]  # fmt: skip
