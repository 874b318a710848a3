"""What people see and change of themselves: password, time zone, where they are logged on."""

from __future__ import annotations

from flask import request, session
from wtforms import Form, PasswordField
from wtforms.validators import DataRequired, EqualTo

from webui.console.forms import ZoneField, zones
from webui.console.pages import STATUS, Answer, Pages, Visit
from webui.doors import SESSION
from wombat_ari.app.service import account as service
from wombat_ari.app.service import tokens
from wombat_ari.app.service.logon import TOO_MANY
from wombat_ari.app.service.rights import LOG_ON, Right
from wombat_ari.model.errors import UserError


class PasswordForm(Form):
    old = PasswordField("Password now", [DataRequired()], render_kw={"autocomplete": "current-password"})
    new = PasswordField("New password", [DataRequired()], render_kw={"autocomplete": "new-password"})
    again = PasswordField(
        "New password again", [EqualTo("new", "it is not the same")], render_kw={"autocomplete": "new-password"}
    )


class ZoneForm(Form):
    time_zone = ZoneField("Time zone", description="In which times are shown to you; empty: the dialer's own.")


def add_to(pages: Pages) -> None:
    @pages.get("/account")
    def account(visit: Visit) -> Answer:
        return _page(visit)

    @pages.post("/account/zone")
    def account_zone(visit: Visit) -> Answer:
        form = ZoneForm(request.form)
        try:
            service.set_own_zone(visit.caller, visit.db, form.time_zone.data or "")
        except UserError as refusal:
            form.time_zone.errors = [str(refusal)]
            return _page(visit, 400, zone=form)
        visit.say("Your time zone is saved.")
        return visit.go("account")

    @pages.post("/account/password")
    def account_password(visit: Visit) -> Answer:
        form = PasswordForm(request.form)
        if not form.validate():
            return _page(visit, 400, password=form)
        try:
            session[SESSION] = service.change_own_password(
                visit.caller, visit.db, visit.tools.log_on, old=form.old.data or "", new=form.new.data or ""
            )
        except UserError as refusal:
            about, said = form.new, str(refusal)
            if refusal.code in (LOG_ON, TOO_MANY):
                about, said = form.old, "this is not your password of now" if refusal.code == LOG_ON else said
            about.errors = [said]
            return _page(visit, 400 if refusal.code == LOG_ON else STATUS.get(refusal.code, 400), password=form)
        visit.say("Your password is changed; everywhere else you are logged off.")
        return visit.go("account")

    @pages.post("/account/elsewhere")
    def account_elsewhere(visit: Visit) -> Answer:
        session[SESSION] = service.log_off_elsewhere(visit.caller, visit.db, session.get(SESSION, ""))
        visit.say("Everywhere else you are logged off.")
        return visit.go("account")


def _page(visit: Visit, status: int = 200, *, zone: Form | None = None, password: Form | None = None) -> Answer:
    own = service.own(visit.caller, visit.db)
    may_make = visit.may(Right.MAKE_TOKENS)
    return visit.page(
        "account.html", status, user=own.user, class_name=own.class_name, keys=own.keys, sessions=own.sessions,
        zone=zone or ZoneForm(data={"time_zone": own.user.time_zone}), zones=zones(),
        password=password or PasswordForm(), may_make=may_make,
        tokens=tokens.tokens_of(visit.caller, visit.db, own.user.id or 0) if may_make else [],
    )  # fmt: skip
