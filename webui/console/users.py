"""Users: the editor, their keyring as it is resolved, their password, where they are logged on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from flask import request
from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from webui.console.editor import Column, Editor, state, yes
from webui.console.forms import EntityForm, KeysField, ZoneField, things, zones
from webui.console.pages import Answer, Pages, Visit
from wombat_ari.app.service import tokens, users
from wombat_ari.app.service.rights import Right
from wombat_ari.model.admin import User
from wombat_ari.model.errors import UserError


class UserForm(EntityForm):
    login = StringField("Login", [DataRequired(), Length(max=80)], render_kw={"autocapitalize": "none"})
    real_name = StringField("Name", [Length(max=255)])
    enabled = BooleanField("May log on")
    master = BooleanField("Master: holds all keys")
    class_id = SelectField("Class", coerce=lambda text: int(text) if text not in ("", "None", None) else None)
    own_keys = KeysField("Own keys", description="Besides those of the class. -KEY takes one of the class away.")
    token = StringField(
        "Agent channels", [Length(max=255)], description="As in Asterisk, separated by blanks: for the preview page."
    )
    email = StringField("E-mail", [Length(max=255)])
    time_zone = ZoneField("Time zone", description="In which times are shown; empty: the dialer's own.")
    comment = TextAreaField("Remark", [Length(max=1000)])

    said = MappingProxyType({"key ": "own_keys"})
    groups = (
        ("User", ("login", "real_name", "class_id", "own_keys", "enabled", "master")),
        ("More", ("token", "email", "time_zone", "comment")),
    )


def add_to(pages: Pages) -> None:
    EDITOR.add_to(pages)

    @pages.post("/users/<int:which>/password", Right.CHANGE_USERS)
    def users_password(visit: Visit, which: int) -> Answer:
        try:
            user = users.set_password(visit.caller, visit.db, which, password=request.form.get("password", ""))
        except UserError as refusal:
            if refusal.code != "user":
                raise
            return EDITOR.show_one(visit, which, 400, password_refused=str(refusal))
        visit.say(f"{user.login} has a new password, and is logged off everywhere.")
        return visit.go("users_one", which=which)

    @pages.post("/users/<int:which>/log-off", Right.CHANGE_USERS)
    def users_log_off(visit: Visit, which: int) -> Answer:
        user = users.log_off_everywhere(visit.caller, visit.db, which)
        visit.say(f"{user.login} is logged off everywhere.")
        return visit.go("users_one", which=which)


def _with_classes(visit: Visit, form: Any) -> None:
    named = [(one.id, one.name) for one in users.list_classes(visit.caller, visit.db)]
    form.class_id.choices = things([("", "none"), *named])


def _known(visit: Visit, value: User | None) -> Mapping[str, Any]:
    known: dict[str, Any] = {"zones": zones(), "system_keys": users.SYSTEM_KEYS}
    if value is None or value.id is None:
        return known
    return known | {
        "ring": users.keyring_of(visit.caller, visit.db, value.id),
        "sessions": users.sessions_of(visit.caller, visit.db, value.id),
        "tokens": tokens.tokens_of(visit.caller, visit.db, value.id),
    }


def _save(visit: Visit, value: User, *, clear: tuple[str, ...], **options: Any) -> User:
    return users.save_user(visit.caller, visit.db, replace(value, class_id=value.class_id or None), **options)


EDITOR: Editor[User] = Editor(
    name="users", label="user", title="Users", form=UserForm, template="users.html",
    columns=(
        Column("Login", lambda row: row.login),
        Column("Name", lambda row: row.real_name),
        Column("May log on", lambda row: state(row.enabled, "yes", "no"), key=lambda row: row.enabled),
        Column("Master", lambda row: yes(row.master)),
    ),
    see=(Right.SEE_USERS,), change=(Right.CHANGE_USERS,), everything=users.list_users, find=users.find_user,
    save=_save, delete=users.delete_user, blank=lambda visit: User(None, ""), infos=users.user_infos,
    label_of=lambda user: user.login, text_of=lambda user: f"{user.login} {user.real_name}", prepare=_with_classes,
    cloned=lambda user: replace(user, id=None, login="", real_name="", email="", token="", master=False),
    known=_known,
)  # fmt: skip
