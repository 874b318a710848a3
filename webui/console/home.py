"""The home page: how the dialer stands, where one may go, what is new; a new system is led to its set-up."""

from __future__ import annotations

from typing import Any

from webui.console import menu
from webui.console.pages import Answer, Pages, Visit
from webui.console.status import view
from wombat_ari.app.made_of import news
from wombat_ari.app.service import setting_up
from wombat_ari.app.service.rights import Right
from wombat_ari.app.service.setting_up import STEPS

NEWS = 5  #: changes shown at once

#: what each page is for, by its endpoint
SENTENCES = {
    "live": "Runs and calls as they are now: start, pause, resume, hang up.",
    "status": "The dialer, its PBXs, trunks, end points and queues.",
    "reports": "What runs did: outcomes, talk, attempts; export them.",
    "preview": "Take the next number, look at it, dial or skip it.",
    "campaigns": "Whom to call, over which trunk, where to, when again.",
    "lists": "Numbers: paste, upload, search, export.",
    "pbx": "Servers with their trunks and end points.",
    "opening-hours": "When calls may be placed, with holidays.",
    "users": "Who may log on, and what they may do.",
    "classes": "Keys that several users share.",
    "jobs": "Long work under way, and what came of it.",
    "doctor": "Looks at everything and says what is wrong.",
    "outbox": "What could not be told outside yet.",
    "syslog": "Who did what, and when.",
    "ami_debug": "What is said to and by a PBX.",
    "about": "Version, build, licences.",
}


def add_to(pages: Pages) -> None:
    @pages.get("/")
    def home(visit: Visit) -> Answer:
        known = view(visit, "console.home") if visit.may(Right.SEE_STATUS) else {}
        return visit.page("home.html", cards=_cards(visit), new=_new(visit), news=_news(), **known)

    @pages.get("/home/status", Right.SEE_STATUS)
    def home_status(visit: Visit) -> Answer:
        """The part of the home page that changes."""
        return visit.part("status_part.html", **view(visit, "console.home"))


def _cards(visit: Visit) -> list[tuple[menu.Entry, str]]:
    """The pages of the menu with what they are for."""
    every = [entry for _, entries in menu.of(visit) for entry in entries if entry.endpoint != "home"]
    return [(entry, SENTENCES.get(entry.endpoint, "")) for entry in every]


def _new(visit: Visit) -> dict[str, Any] | None:
    """How far the set-up is; None when something has run, or the visitor may not do all of it."""
    if not setting_up.may_set_up(visit.caller) or not setting_up.is_new(visit.caller, visit.db):
        return None
    done = setting_up.progress(visit.caller, visit.db).done
    return {"done": sum(done.values()), "steps": len(STEPS)}


def _news() -> dict[str, Any] | None:
    """The latest version's changes, the latest first."""
    if not news():
        return None
    heading, items = news()[0]
    latest = list(reversed(items))
    return {"heading": heading, "latest": latest[:NEWS], "rest": latest[NEWS:]}
