"""How a column is written down: one short function a kind, the last word always says what the column means."""

from typing import Any

from peewee import (
    BigAutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


class LongText(TextField):
    """Attributes as JSON, messages: more than the 64 KB that TEXT holds on MySQL."""

    field_type = "MEDIUMTEXT"


class BaseTable(Model):
    """A table. ``meaning`` is its line in the data dictionary."""

    meaning = ""


def ident(meaning: str) -> Any:
    return BigAutoField(help_text=meaning)


def text(length: int, meaning: str, **options: Any) -> Any:
    return CharField(max_length=length, help_text=meaning, **options)


def long_text(meaning: str, **options: Any) -> Any:
    return LongText(help_text=meaning, **options)


def whole(meaning: str, **options: Any) -> Any:
    return IntegerField(help_text=meaning, **options)


def big(meaning: str, **options: Any) -> Any:
    return BigIntegerField(help_text=meaning, **options)


def real(meaning: str, **options: Any) -> Any:
    return DoubleField(help_text=meaning, **options)


def moment(meaning: str, **options: Any) -> Any:
    return DoubleField(help_text=f"{meaning} (epoch seconds, UTC)", **options)


def flag(meaning: str) -> Any:
    return BooleanField(help_text=meaning)


def refers(to: type[Model], meaning: str, **options: Any) -> Any:
    """A foreign key. The field has the name of its column (``server_id``)."""
    return ForeignKeyField(to, backref="+", lazy_load=False, help_text=meaning, **options)


class Described(BaseTable):
    """A configured thing: who made and who changed it last, and the count that tells two editors apart."""

    id: Any
    created_at = moment("when it was made")
    created_by = text(80, "login of who made it")
    changed_at = moment("when it was changed last")
    changed_by = text(80, "login of who changed it last")
    version = whole("grows by one with each change; a save that brings an old one is refused")
