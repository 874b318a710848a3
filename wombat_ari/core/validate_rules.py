"""Pure checks of what campaigns go by: active period, opening hours, reschedule and disposition rules.

Beside ``core/validate``, and in its manner.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from wombat_ari.core import checks
from wombat_ari.core.numbers import check_attributes, parse_pairs
from wombat_ari.model.entities import ActivePeriod, DispositionRule, OpeningHours, OpeningRule, RescheduleRule
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import DispositionVerb, Outcome

_STATUSES = frozenset(outcome.value for outcome in Outcome)
_LAST_SECOND = 86399
_LONGEST_S = 366 * 86400
_LEAP_YEAR = "2024-"
_HOST = re.compile(r"https?://[^/?#$\s]+(?:[/?#]|$)")


def check_active_period(period: ActivePeriod) -> ActivePeriod:
    """With the days in order. A start after the end is allowed: it spans midnight."""
    _span("active period", period.start_s, period.end_s)
    return replace(period, days=_days("allowed days", period.days), zone=checks.zone(period.zone))


def check_opening_hours(hours: OpeningHours) -> tuple[OpeningHours, list[str]]:
    hours = replace(hours, name=checks.name("opening hours name", hours.name), comment=hours.comment.strip())
    checks.text("opening hours comment", hours.comment, maximum=255)
    checks.text("security key", hours.security_key, maximum=80)
    if len(hours.rules) > 1000:
        raise UserError(f"opening hours {hours.name}: {len(hours.rules)} rules, 1000 are allowed")
    rules = tuple(_opening_rule(rule, n) for n, rule in enumerate(hours.rules, start=1))
    hours = replace(hours, rules=rules)
    warnings = []
    if not hours.default_open and not any(rule.open for rule in rules):
        warnings.append(f"opening hours {hours.name}: no rule opens them, so campaigns that keep to them never dial")
    return hours, warnings


def check_rule(rule: RescheduleRule) -> RescheduleRule:
    if rule.status not in _STATUSES:
        raise UserError(f"reschedule rule status {rule.status!r}: it must be one of {', '.join(sorted(_STATUSES))}")
    rule = replace(rule, extended_status=rule.extended_status.strip())
    checks.text("reschedule rule extended status", rule.extended_status, maximum=80)
    checks.whole("reschedule rule max attempts", rule.max_attempts, 1, 10_000)
    checks.whole("reschedule rule retry after (s)", rule.retry_after_s, 1, _LONGEST_S)
    return rule


def check_disposition(rule: DispositionRule) -> DispositionRule:
    if rule.status not in _STATUSES | {"*"}:
        raise UserError(f"disposition status {rule.status!r}: it must be * or one of {', '.join(sorted(_STATUSES))}")
    rule = replace(rule, extended_status=rule.extended_status.strip(), destination=rule.destination.strip())
    checks.text("disposition extended status", rule.extended_status, maximum=80)
    checks.text("disposition destination", rule.destination, maximum=1000)
    checks.long_text("disposition text", rule.text, maximum=20_000)
    checks.whole("disposition delay (s)", rule.delay_s, 0, _LONGEST_S)
    checks.text("disposition extra attributes", rule.extra, maximum=2000)
    check_attributes(parse_pairs(rule.extra))
    _DESTINATIONS[rule.verb](rule.destination)
    return rule


def _opening_rule(rule: OpeningRule, place: int) -> OpeningRule:
    what = f"opening rule {place}"
    _span(what, rule.start_s, rule.end_s)
    rule = replace(rule, from_date=rule.from_date.strip(), to_date=rule.to_date.strip(), comment=rule.comment.strip())
    checks.text(f"{what}: comment", rule.comment, maximum=80)
    for given in (rule.from_date, rule.to_date):
        _date(what, given)
    if rule.from_date and rule.to_date:
        if len(rule.from_date) != len(rule.to_date):
            raise UserError(f"{what}: from {rule.from_date} to {rule.to_date}: both with a year, or both without")
        if len(rule.from_date) > len("MM-DD") and rule.from_date > rule.to_date:
            raise UserError(f"{what}: from {rule.from_date} to {rule.to_date}: the end is before the begin")
    return replace(rule, days=_days(f"{what}: days", rule.days))


def _date(what: str, given: str) -> None:
    if not given:
        return
    try:
        whole = given if len(given) > len("MM-DD") else _LEAP_YEAR + given
        # Not every form that it would take: dates are compared as texts.
        if date.fromisoformat(whole).isoformat() != whole:
            raise ValueError
    except ValueError:
        raise UserError(f"{what}: {given!r} is no date; write YYYY-MM-DD, or MM-DD for every year") from None


def _span(what: str, start_s: int, end_s: int) -> None:
    checks.whole(f"start of {what} (seconds since midnight)", start_s, 0, _LAST_SECOND)
    checks.whole(f"end of {what} (seconds since midnight)", end_s, 0, _LAST_SECOND)


def _days(what: str, given: str) -> str:
    days = "".join(sorted(set(given)))
    if not days or set(days) - set("1234567"):
        raise UserError(f"{what} {given!r}: digits 1 (Sunday) to 7 (Saturday), at least one")
    return days


def _url(destination: str) -> None:
    checks.text("disposition URL", destination, maximum=1000, needed=True)
    # Who is called must not hang on an attribute that came with a list, or from a callee.
    if not _HOST.match(destination) or re.search(r"\s", destination):
        raise UserError(
            f"disposition URL {destination}: it must begin with http:// or https:// and a host without ${{...}}, "
            "and hold no blanks"
        )


def _addresses(destination: str) -> None:
    if not destination:
        raise UserError("disposition e-mail: it needs addresses, separated by commas")
    checks.emails(",".join(part for part in destination.split(",") if "${" not in part))


def _named(what: str) -> Callable[[str], None]:
    def check(destination: str) -> None:
        checks.text(f"disposition {what}", destination, maximum=1000, needed=True)
        if "${" not in destination:
            checks.name(f"disposition {what}", destination)

    return check


_DESTINATIONS: dict[DispositionVerb, Callable[[str], None]] = {
    DispositionVerb.NONE: lambda destination: None,
    DispositionVerb.HTTP_GET: _url,
    DispositionVerb.HTTP_POST: _url,
    DispositionVerb.EMAIL: _addresses,
    DispositionVerb.ADD_LIST: _named("list"),
    DispositionVerb.BLACK_LIST: _named("list"),
    DispositionVerb.RESCHEDULE: _named("campaign"),
}
