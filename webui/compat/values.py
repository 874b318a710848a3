"""Sloppy JSON into values: numbers as texts, 0 and 1 for no and yes, null and empty for "as it is".

A reader answers None for what was not said, and a UserError that names the field for what makes no sense. ``Field``
pairs the name of the original with ours; ``fill`` and ``spell`` are the two ways.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from wombat_ari.model.admin import EntityInfo
from wombat_ari.model.errors import UserError

Object = Mapping[str, Any]
Read = Callable[[Object, str], Any]
T = TypeVar("T")

MAX_ID = (1 << 63) - 1
MARKS = ("sys_dt_creazione", "sys_user_creazione", "sys_dt_modifica", "sys_user_modifica")
NEW = (None, "", "-1", -1, 0, "0", "null")  #: what clients send for an id that there is not yet


@dataclass(frozen=True, slots=True)
class Field:
    """``name``: the original's; ``ours``: the attribute of the value; ``write``: how it is answered."""

    name: str
    ours: str
    read: Read
    write: Callable[[Any], Any] = lambda value: value


def fill(value: T, data: Object, fields: Iterable[Field]) -> T:
    """``value`` with what was said."""
    said = {field.ours: field.read(data, field.name) for field in fields}
    return replace(value, **{name: one for name, one in said.items() if one is not None})  # type: ignore[type-var]


def spell(value: Any, fields: Iterable[Field]) -> dict[str, Any]:
    return {field.name: field.write(getattr(value, field.ours)) for field in fields}


def object_of(text: str) -> Object:
    """The JSON object of the form field ``data``."""
    try:
        found = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise UserError(f"data is not valid JSON: {error}") from None
    except RecursionError:
        raise UserError("data is not valid JSON: it is nested too deeply") from None
    except ValueError:
        raise UserError("data is not valid JSON: a number in it has thousands of digits") from None
    if not isinstance(found, dict):
        raise UserError("data must be one JSON object: {...}")
    return found


def text(data: Object, name: str) -> str | None:
    given = data.get(name)
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise UserError(f"{name} is {_short(given)}: it must be a text")
    return str(given)


def whole(data: Object, name: str) -> int | None:
    number_ = number(data, name)
    if number_ is None:
        return None
    if number_ != int(number_):
        raise UserError(f"{name} is {_short(data[name])}: it must be a whole number")
    return int(number_)


def number(data: Object, name: str) -> float | None:
    given = data.get(name)
    if given is None or given == "":
        return None
    if isinstance(given, str | int | float) and not isinstance(given, bool):
        try:
            found = float(given)
        except (ValueError, OverflowError):
            found = float("nan")
        if abs(found) < 1e15:
            return found
    raise UserError(f"{name} is {_short(given)}: it must be a number")


def flag(data: Object, name: str) -> bool | None:
    given = data.get(name)
    if given is None or given == "":
        return None
    found = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(str(given).lower())
    if found is None or isinstance(given, dict | list):
        raise UserError(f"{name} is {_short(given)}: it must be true or false, 1 or 0")
    return found


def ident(data: Object, name: str) -> int | None:
    """An id; None for a new thing."""
    given = data.get(name)
    if given is None or (isinstance(given, str | int) and not isinstance(given, bool) and given in NEW):
        return None
    return id_of(given, name)


def id_of(given: Any, name: str) -> int:
    plain = isinstance(given, str) and given.isascii() and given.isdecimal() and len(given) < 20
    if plain or (isinstance(given, int) and not isinstance(given, bool)):
        found = int(given)
        if 0 < found <= MAX_ID:
            return found
    raise UserError(f"{name} is {_short(given)}: it must be an id, a whole number above 0")


def reference(data: Object, name: str, inner: str) -> int | None:
    """``{"astId": {"id": 3}}`` or ``{"astId": 3}`` -> 3; None when it was not said."""
    given = data.get(name)
    return ident(given, inner) if isinstance(given, dict) else ident(data, name)


def one_of(words: Mapping[str, T]) -> Read:
    """A word of the original, in any case."""

    def read(data: Object, name: str) -> T | None:
        given = text(data, name)
        if given is None or given == "":
            return None
        for word, meant in words.items():
            if word.lower() == given.strip().lower():
                return meant
        raise UserError(f"{name} is {_short(given)}: it must be one of {', '.join(words)}")

    return read


def word_of(words: Mapping[str, Any]) -> Callable[[Any], str]:
    """The other way: the first word that means it."""
    return lambda meant: next(word for word, value in words.items() if value == meant)


def words_of(enum: type[StrEnum]) -> dict[str, Any]:
    return {str(member): member for member in enum}


def marks_of(info: EntityInfo | None, zone: ZoneInfo) -> dict[str, Any]:
    """Who made and changed it, when."""
    if info is None:
        return {}
    values = (moment(info.created_at, zone), info.created_by, moment(info.changed_at, zone), info.changed_by)
    return dict(zip(MARKS, values, strict=True))


def moment(at: float | None, zone: ZoneInfo) -> str:
    return "" if at is None else datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M:%S")


def _no_number(word: str) -> None:
    raise UserError(f"data is not valid JSON: {word} is no number")


def _short(given: Any) -> str:
    told = json.dumps(given, ensure_ascii=True)
    return told if len(told) <= 60 else told[:57] + "..."
