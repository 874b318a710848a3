"""The menu: where to go from everywhere, for who may."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app, request, url_for

from wombat_ari.app.service.rights import Right

if TYPE_CHECKING:
    from webui.console.pages import Visit


@dataclass(frozen=True, slots=True)
class Entry:
    """A page. ``endpoint``: its function's name; shown to who holds one of the ``rights`` (none: everybody)."""

    title: str
    endpoint: str
    rights: tuple[Right, ...] = ()
    below: tuple[str, ...] = ()  #: other pages that belong to it: how their addresses begin

    def address(self) -> str:
        return url_for(f"console.{self.endpoint}")

    def is_here(self) -> bool:
        """Also on the pages below it."""
        own = (self.address(), *self.below)
        return any(request.path == one or (one != "/" and request.path.startswith(f"{one}/")) for one in own)


#: Groups with their entries, in order.
MENU: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "Today",
        (
            Entry("Home", "home"),
            Entry("Live", "live", (Right.SEE_LIVE,)),
            Entry("Dialer status", "status", (Right.SEE_STATUS,)),
            Entry("Reports", "reports", (Right.SEE_REPORTS,)),
            Entry("Agent preview", "preview", (Right.PREVIEW,)),
        ),
    ),
    (
        "Set up",
        (
            Entry("Campaigns", "campaigns", (Right.CHANGE_CAMPAIGNS,)),
            Entry("Lists", "lists", (Right.SEE_RECORDS,)),
            Entry("Servers and lines", "pbx", (Right.CHANGE_PBX,), ("/servers", "/trunks", "/end-points")),
            Entry("Opening hours", "opening-hours", (Right.CHANGE_CAMPAIGNS,)),
        ),
    ),
    (
        "System",
        (
            Entry("Jobs", "jobs", (Right.CHANGE_LISTS, Right.ADD_NUMBERS)),
            Entry("Users", "users", (Right.SEE_USERS,)),
            Entry("Classes", "classes", (Right.SEE_USERS,)),
            Entry("Doctor", "doctor", (Right.CHANGE_PBX,)),
            Entry("Notifications", "outbox", (Right.SEE_OUTBOX,)),
            Entry("System log", "syslog", (Right.SEE_SYSTEM_LOG,)),
            Entry("AMI debugger", "ami_debug", (Right.DEBUG_AMI,)),
            Entry("About", "about", (Right.SEE_ABOUT,)),
        ),
    ),
)


def of(visit: Visit) -> list[tuple[str, list[Entry]]]:
    """What this visitor may go to."""
    groups = ((title, list(_open(visit, entries))) for title, entries in MENU)
    return [(title, entries) for title, entries in groups if entries]


def _open(visit: Visit, entries: Iterable[Entry]) -> Iterable[Entry]:
    for entry in entries:
        if f"console.{entry.endpoint}" in current_app.view_functions and (not entry.rights or visit.may(*entry.rights)):
            yield entry
