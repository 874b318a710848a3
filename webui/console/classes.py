"""Classes of users."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from wtforms import StringField
from wtforms.validators import DataRequired, Length

from webui.console.editor import Column, Editor
from webui.console.forms import EntityForm, KeysField
from webui.console.pages import Pages, Visit
from wombat_ari.app.service import users
from wombat_ari.app.service.rights import Right
from wombat_ari.model.admin import UserClass


class ClassForm(EntityForm):
    name = StringField("Name", [DataRequired(), Length(max=80)])
    description = StringField("What it is for", [Length(max=255)])
    keys = KeysField("Keys", description="Separated by blanks: of the system, and keys of things of your own.")

    said = MappingProxyType({"key ": "keys"})


def add_to(pages: Pages) -> None:
    EDITOR.add_to(pages)


def _known(visit: Visit, value: UserClass | None) -> Mapping[str, Any]:
    members = [] if value is None else users.list_users(visit.caller, visit.db)
    return {
        "system_keys": users.SYSTEM_KEYS,
        "members": [user for user in members if value is not None and user.class_id == value.id],
    }


EDITOR: Editor[UserClass] = Editor(
    name="classes", label="class", title="Classes", form=ClassForm, template="classes.html",
    columns=(
        Column("Class", lambda row: row.name),
        Column("For", lambda row: row.description),
        Column("Keys", lambda row: len(row.keys), number=True),
    ),
    see=(Right.SEE_USERS,), change=(Right.CHANGE_USERS,), everything=users.list_classes, find=users.find_class,
    save=lambda visit, value, clear, **options: users.save_class(visit.caller, visit.db, value, **options),
    delete=users.delete_class, blank=lambda visit: UserClass(None, "", keys=("USER",)), infos=users.class_infos,
    known=_known,
)  # fmt: skip
