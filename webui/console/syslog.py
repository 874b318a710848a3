"""The system log: who did what and when, filtered by user, action and period."""

from __future__ import annotations

from datetime import datetime

from flask import request

from webui.console.pages import Answer, Pages, Visit
from wombat_ari.app.service import syslog as service
from wombat_ari.app.service.rights import Right
from wombat_ari.app.service.syslog import LogWanted, Place
from wombat_ari.model.errors import UserError


def add_to(pages: Pages) -> None:
    @pages.get("/syslog", Right.SEE_SYSTEM_LOG)
    def syslog(visit: Visit) -> Answer:
        given = request.args
        try:
            wanted = LogWanted(given.get("user", ""), given.get("action", ""), _at(visit, "from"), _at(visit, "to"))
            behind, before, trouble = _place("behind"), _place("before"), ""
        except UserError as wrong:
            wanted, behind, before, trouble = LogWanted(), None, None, str(wrong)
        page = service.browse(visit.caller, visit.db, wanted, behind=behind, before=before)
        kept = {name: given[name] for name in ("user", "action", "from", "to") if given.get(name)}
        return visit.page("syslog.html", 400 if trouble else 200, log=page, kept=kept, trouble=trouble)


def _at(visit: Visit, name: str) -> float:
    """A moment as a browser's field for it says it, in the visitor's time zone; 0 when it is empty."""
    text = request.args.get(name, "")
    try:
        return datetime.fromisoformat(text).replace(tzinfo=visit.zone).timestamp() if text else 0.0
    except (ValueError, OverflowError):
        raise UserError(f"{name}: {text!r} is not a date and time such as 2026-01-31T09:00") from None


def _place(name: str) -> Place | None:
    """``at,id`` of a line."""
    at, comma, line = request.args.get(name, "").partition(",")
    if not comma:
        return None
    try:
        return Place(float(at), int(line))
    except (ValueError, OverflowError):
        raise UserError(f"{name}: this link is broken") from None
