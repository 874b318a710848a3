"""Tokens for programs: one's own from one's account, another's from the page of users. A token is shown once."""

from __future__ import annotations

import time

from flask import request

from webui.console.pages import Answer, Pages, Visit
from wombat_ari.app.service import tokens
from wombat_ari.app.service.rights import Right
from wombat_ari.model.errors import UserError
from wombat_ari.model.tokens import Scope

RIGHTS = (Right.MAKE_TOKENS, Right.CHANGE_USERS)
MEANINGS = {
    Scope.READ: "see configuration, lists, runs, reports",
    Scope.CONTROL: "act on runs and calls, add numbers",
    Scope.CONFIGURE: "change configuration and lists",
    Scope.USERS: "change users, classes and tokens",
}
DAYS = {"30": "30 days", "90": "90 days", "365": "a year", "": "until it is revoked"}


def add_to(pages: Pages) -> None:
    @pages.get("/tokens", *RIGHTS)
    def tokens_new(visit: Visit) -> Answer:
        return _page(visit, login=request.args.get("login", ""))

    @pages.post("/tokens", *RIGHTS)
    def tokens_make(visit: Visit) -> Answer:
        """The page that is answered is the only one that ever shows the token's text."""
        login, days = request.form.get("login", ""), request.form.get("days", "")
        expires_at = time.time() + 86400.0 * int(days) if days in DAYS and days else None
        try:
            scopes = [Scope(word) for word in request.form.getlist("scope")]
            made, text = tokens.make_token(
                visit.caller, visit.db, name=request.form.get("name", ""), scopes=scopes, login=login,
                expires_at=expires_at,
            )  # fmt: skip
        except (UserError, ValueError) as refusal:
            return _page(visit, 400, login=login, trouble=str(refusal))
        return _page(visit, login=login, made=made, text=text)

    @pages.post("/tokens/<int:token_id>/revoke", *RIGHTS)
    def tokens_revoke(visit: Visit, token_id: int) -> Answer:
        token = tokens.revoke_token(visit.caller, visit.db, token_id)
        visit.say(f"Token {token.name} of {token.login} is revoked.")
        return visit.back("account")


def _page(visit: Visit, status: int = 200, *, login: str = "", **known: object) -> Answer:
    return visit.page("tokens.html", status, login=login, meanings=MEANINGS, days=DAYS, sent=request.form, **known)
