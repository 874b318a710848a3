"""Forms of the console: WTForms fields that become the words of the model.

A form has one field for each field of the value that can be changed, of the same name; ``value`` puts them into one.
``core/validate`` has the last word on what is allowed: what it says is shown on top of the form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar
from zoneinfo import available_timezones

from markupsafe import Markup, escape
from wtforms import BooleanField, Field, Form, PasswordField, SelectChoice, SelectField, StringField
from wtforms.validators import Optional
from wtforms.widgets import TextInput

from wombat_ari.model.errors import UserError
from wombat_ari.model.secret import NO_SECRET, Secret

T = TypeVar("T")
NAME_TAKEN = "name_taken"  #: code of a refusal
NAMES = ("name", "description", "login")  #: the first of them that a form has is what its things are called


class EntityForm(Form):
    """``secrets`` are fields that are never shown again: left empty they stay as they are, a tick clears them.

    ``groups``: titles and field names, in the order in which they are shown; the first is always open.
    ``said``: how refusals begin that do not name their field, and the field.
    """

    secrets: tuple[str, ...] = ()
    said: Mapping[str, str] = MappingProxyType({})
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, value: Any, **options: Any) -> EntityForm:
        """Filled with the value's fields."""
        names = [name for name in cls._names() if hasattr(value, name) and name not in cls.secrets]
        return cls(data={name: getattr(value, name) for name in names}, **options)

    def tagged(self, tag: str) -> EntityForm:
        """With ids of its own, where a page has several forms of a kind."""
        for one in self._fields.values():
            one.id = one.label.field_id = f"{tag}-{one.name}"
        return self

    def value(self, old: T) -> T:
        """The value with what was filled in."""
        given = {name: _trimmed(field.data) for name, field in self._fields.items() if hasattr(old, name)}
        for name in self.secrets:
            given[name] = Secret(given[name]) if given.get(name) else NO_SECRET
        return replace(old, **given)  # type: ignore[type-var]

    def cleared(self, form: Any) -> tuple[str, ...]:
        """The secrets whose tick says that they are to be emptied; ``form``: what was sent."""
        return tuple(name for name in self.secrets if form.get(f"clear_{name}") and not self._fields[name].data)

    def complain(self, refusal: UserError) -> None:
        """What a service refused, at the field that its text is about, else on top."""
        field = self._fields.get(self._blamed(refusal))
        if field is None:
            self.form_errors.append(str(refusal))
        else:
            field.errors = [*field.errors, str(refusal)]

    def differ(self, now: EntityForm) -> None:
        """Each field that is not as in ``now``, what is stored by this time, says so."""
        for name, field in self._fields.items():
            if name not in self.secrets and _trimmed(field.data) != _trimmed(now[name].data):
                field.errors = [*field.errors, f"Now stored: {_shown(now[name])}."]

    def _blamed(self, refusal: UserError) -> str:
        """The field's name, or nothing."""
        text = str(refusal).lower()
        about = text.partition(":")[0] + " "
        if refusal.code == NAME_TAKEN or about.endswith(" name "):
            return next((name for name in NAMES if name in self._fields), "")
        for begins, name in self.said.items():
            if text.startswith(begins):
                return name
        for name, field in self._fields.items():
            words = (field.label.text.lower(), name.replace("_", " "))
            if any(f"{word} " in about for word in words if word not in ("name", "type")):
                return name
        return ""

    @classmethod
    def _names(cls) -> list[str]:
        return [name for name, _ in cls()._fields.items()]


def _shown(field: Field) -> str:
    """What a field holds, as its reader would say it."""
    if isinstance(field, SelectField):
        return str({choice[0]: choice[1] for choice in field.iter_choices()}.get(field.data, field.data))
    if isinstance(field, DaysField):
        return " ".join(field.names[int(day) - 1] for day in field.data or "") or "none"
    if isinstance(field, BooleanField):
        return "yes" if field.data else "no"
    return str(field._value() if hasattr(field, "_value") else field.data) or "empty"


def _trimmed(data: Any) -> Any:
    """A text that was left out is an empty one."""
    return data.strip() if isinstance(data, str) else "" if data is None else data


class SecretField(PasswordField):
    """A password of something else: never sent to a browser."""

    def __init__(self, label: str, **options: Any) -> None:
        options.setdefault("validators", [Optional()])
        options.setdefault("render_kw", {"autocomplete": "off", "data-1p-ignore": True})
        super().__init__(label, **options)


class WordsField(Field):
    """Several words, separated by blanks."""

    widget = TextInput()

    def _value(self) -> str:
        return " ".join(self.data or ())

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = tuple(valuelist[0].replace(",", " ").split()) if valuelist else ()


class KeysField(WordsField):
    """Keys, separated by blanks; the browser offers the system's own."""

    def __call__(self, **options: Any) -> Markup:
        return super().__call__(**{"autocapitalize": "characters", "spellcheck": "false", **options})


class DaysField(Field):
    """Days of the week as Asterisk and the model count them: ``1`` is Sunday. Its widget is a row of ticks."""

    names = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")

    def __call__(self, **options: Any) -> Markup:
        tick = Markup('<label class="tick"><input type="checkbox" name="{}" value="{}"{}> {}</label>')
        chosen = self.data or ""
        ticks = (
            tick.format(self.name, day, Markup(" checked") if str(day) in chosen else "", name)
            for day, name in enumerate(self.names, start=1)
        )
        return Markup('<div class="ticks">{}</div>').format(Markup("").join(ticks))

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = "".join(sorted({day for day in valuelist if day in tuple("1234567")}))


class TimeOfDayField(Field):
    """``HH:MM:SS`` (seconds may be left out), kept as seconds since midnight."""

    widget = TextInput()

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        at = int(self.data or 0)
        return f"{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}"

    def process_formdata(self, valuelist: list[str]) -> None:
        parts = (valuelist[0] if valuelist else "").strip().split(":")
        if len(parts) not in (2, 3) or not all(part.isascii() and part.isdecimal() for part in parts):
            raise ValueError("it must be a time of day such as 09:30 or 18:00:00")
        hour, minute, second = (*map(int, parts), 0)[:3]
        if hour > 23 or minute > 59 or second > 59:
            raise ValueError("it must be a time of day from 00:00:00 to 23:59:59")
        self.data = hour * 3600 + minute * 60 + second


class ZoneField(StringField):
    """An IANA time zone; the browser offers the known ones."""

    def __call__(self, **options: Any) -> Markup:
        return super().__call__(list="zones", autocomplete="off", **options)


@cache
def zones() -> Markup:
    """The list that zone fields offer, once a page. Looked up once a process: it takes longer than the page."""
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/")))
    options = Markup("").join(Markup("<option value='{}'>").format(escape(name)) for name in ["UTC", *names])
    return Markup("<datalist id='zones'>{}</datalist>").format(options)


def choices(values: Iterable[Any], texts: dict[Any, str] | None = None) -> list[SelectChoice]:
    """Of an enum, for a SelectField: what is stored and what is shown."""
    return [SelectChoice(str(value), (texts or {}).get(value, str(value))) for value in values]


def things(named: Iterable[tuple[Any, str]]) -> list[SelectChoice]:
    """Ids and names, for a SelectField."""
    return [SelectChoice(value, name) for value, name in named]
