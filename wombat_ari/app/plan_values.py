"""What is written in a plan file, as values: keys, types, times, rules. Each refusal names the place.

Beside ``app/plan``, which says what becomes of them.
"""

from dataclasses import fields, replace
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar

from wombat_ari.core import validate
from wombat_ari.model.entities import ActivePeriod, Campaign, DispositionRule, OpeningRule, RescheduleRule
from wombat_ari.model.errors import UserError
from wombat_ari.model.secret import Secret

Value = TypeVar("Value")
Item = dict[str, Any]

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def filled(value: Value, item: Item, where: str, *, leave: tuple[str, ...] = ()) -> Value:
    """``value`` with the item's fields. UserError for an unknown key or a wrong type."""
    known = [field.name for field in fields(value) if _is_plain(value, field.name)]  # type: ignore[arg-type]
    changes: dict[str, Any] = {}
    for key, given in item.items():
        if key in leave:
            continue
        if key not in known:
            raise UserError(f"{where}: unknown key {key!r}{close(key, [*known, *leave])}")
        changes[key] = typed(getattr(value, key), given, f"{where}: {key}")
    return replace(value, **changes)  # type: ignore[type-var]


def _is_plain(value: Any, name: str) -> bool:
    """Ids are ours, and links and what has parts are written under keys of their own."""
    return name not in ("id", "server_id") and not isinstance(getattr(value, name), (tuple, ActivePeriod))


def typed(now: Any, given: Any, where: str) -> Any:
    if isinstance(now, Secret):
        return Secret(text(given, where))
    if isinstance(now, StrEnum):
        kind = type(now)
        if given not in list(kind):
            raise UserError(f"{where} is {given!r}; allowed is one of {', '.join(kind)}")
        return kind(given)
    if isinstance(now, float) and isinstance(given, int) and not isinstance(given, bool):
        return float(given)
    if type(given) is not type(now):
        raise UserError(f"{where} is {given!r}; allowed is {_WORDS[type(now)]}")
    return given


def text(given: Any, where: str) -> str:
    if not isinstance(given, str):
        raise UserError(f"{where}: allowed is a text")
    return given


def period(old: ActivePeriod, item: Item, where: str) -> ActivePeriod:
    return ActivePeriod(
        start_s=seconds(item["active_from"], where) if "active_from" in item else old.start_s,
        end_s=seconds(item["active_to"], where) if "active_to" in item else old.end_s,
        days=text(item.get("allowed_days", old.days), f"{where}: allowed_days"),
        zone=text(item.get("time_zone", old.zone), f"{where}: time_zone"),
    )


def seconds(given: Any, where: str) -> int:
    """``"08:30:00"`` or TOML's 08:30:00 -> seconds since midnight."""
    parts = str(given).split(":")
    if len(parts) not in (2, 3) or not all(part.isdecimal() for part in parts):
        raise UserError(f"{where}: {given!r} is no time of day; write HH:MM:SS")
    hours, minutes, seconds = (*map(int, parts), 0)[:3]
    if hours > 23 or minutes > 59 or seconds > 59:
        raise UserError(f"{where}: {given!r} is no time of day; write HH:MM:SS")
    return hours * 3600 + minutes * 60 + seconds


def rules(items: Any, where: str) -> tuple[RescheduleRule, ...]:
    return tuple(_rule(item, where) for item in _tables(items, "campaign.rule", where))


def dispositions(items: Any, where: str) -> tuple[DispositionRule, ...]:
    found = enumerate(_tables(items, "campaign.disposition", where), start=1)
    return tuple(
        validate.check_disposition(filled(DispositionRule(), item, f"{where}, disposition {n}")) for n, item in found
    )


def opening_rules(items: Any, where: str) -> tuple[OpeningRule, ...]:
    """Checked with the opening hours that they are of."""
    found = enumerate(_tables(items, "opening_hours.rule", where), start=1)
    return tuple(_opening_rule(item, f"{where}, rule {n}") for n, item in found)


def _rule(item: Item, where: str) -> RescheduleRule:
    if "status" not in item:
        raise UserError(f"{where}: a rule has no status")
    return validate.check_rule(filled(RescheduleRule(""), item, f"{where}, rule {item['status']}"))


def _opening_rule(item: Item, where: str) -> OpeningRule:
    """Dates may be TOML's own (2026-12-24), times too (08:30:00)."""
    texts = {key: str(item[key]) for key in ("from_date", "to_date") if isinstance(item.get(key), date)}
    for key in ("start_s", "end_s"):
        if key in item:
            raise UserError(f"{where}: unknown key {key!r}; times are from_time and to_time")
    rule = filled(OpeningRule(), {**item, **texts}, where, leave=("from_time", "to_time"))
    return replace(
        rule,
        start_s=seconds(item["from_time"], where) if "from_time" in item else rule.start_s,
        end_s=seconds(item["to_time"], where) if "to_time" in item else rule.end_s,
    )


def _tables(items: Any, called: str, where: str) -> list[Item]:
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise UserError(f"{where}: write each as [[{called}]] with its keys below")
    return items


def name_of(kind: str, item: Item) -> str:
    name = item.get("name")
    if not isinstance(name, str) or not name.strip():
        raise UserError(f"a {kind} has no name")
    return name.strip()


def names_of(item: Item, key: str, where: str) -> list[str]:
    names = item.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UserError(f"{where}: {key} is {names!r}; allowed is a list of names")
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise UserError(f"{where}: {key} has {twice!r} twice")
    return names


def refuse_twice(plan: dict[str, list[Item]]) -> None:
    """A name that stands twice in one table is a slip: the second would silently undo the first."""
    for kind, items in plan.items():
        names = [(name_of(kind, item), item.get("server") if kind == "end_point" else None) for item in items]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise UserError(f"{kind} {name[0]!r} is in it twice")


def comparable(value: Any) -> Any:
    """Equal for two whose save changes nothing: rules and lists of a campaign are told apart by order, not by ids."""
    if not isinstance(value, Campaign):
        return value
    lists = [(used.use, used.list_id) for used in sorted(value.lists, key=lambda used: used.use)]
    rules = tuple(replace(rule, id=None) for rule in value.rules)
    dispositions = tuple(replace(rule, id=None) for rule in value.dispositions)
    return replace(value, rules=rules, dispositions=dispositions, lists=()), lists


def find(known: dict[str, Any], name: Any, kind: str, where: str) -> Any:
    if not isinstance(name, str) or name not in known:
        raise UserError(f"{where}: there is no {kind} {name!r}{close(str(name), list(known))}")
    return known[name]


def close(word: str, known: Any) -> str:
    close = get_close_matches(word, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""
