"""Test connection: is a PBX reached as the form describes it, before anything is saved?

The fields are those of the server's form; the answer is a fragment that ``static/try.js`` puts below the button.
"""

from __future__ import annotations

from flask import request

from webui.console.pages import Answer, Pages, Visit
from wombat_ari.app.doctor_words import Finding, bad
from wombat_ari.app.service import connection as service
from wombat_ari.app.service.rights import Right
from wombat_ari.model.entities import Server
from wombat_ari.model.errors import UserError
from wombat_ari.model.secret import Secret


def add_to(pages: Pages) -> None:
    @pages.post("/servers/test", Right.CHANGE_PBX)
    def test_connection(visit: Visit) -> Answer:
        return visit.part("findings.html", findings=try_connection(visit))


def try_connection(visit: Visit) -> list[Finding]:
    """With what was filled in; what cannot be is a finding too."""
    try:
        return service.test_connection(visit.caller, visit.db, _described())
    except UserError as wrong:
        return [bad("form", str(wrong))]


def _described() -> Server:
    given = request.form
    port, which = given.get("port", ""), given.get("which", "")
    return Server(
        int(which) if which.isascii() and which.isdecimal() and len(which) < 18 else None,
        given.get("description", "").strip() or "new",
        address=given.get("address", ""),
        port=int(port) if port.isascii() and port.isdecimal() and len(port) < 9 else 0,
        login=given.get("login", ""),
        password=Secret(given.get("password", "")),
        tls=bool(given.get("tls")),
    )
