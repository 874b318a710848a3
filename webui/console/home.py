"""The home page: what the dialer is doing now."""

from __future__ import annotations

from webui.console.pages import Answer, Pages, Visit
from webui.console.status import view
from wombat_ari.app.service.rights import Right


def add_to(pages: Pages) -> None:
    @pages.get("/")
    def home(visit: Visit) -> Answer:
        return visit.page("home.html", **(view(visit, "console.home") if visit.may(Right.SEE_STATUS) else {}))

    @pages.get("/home/status", Right.SEE_STATUS)
    def home_status(visit: Visit) -> Answer:
        """The part of the home page that changes."""
        return visit.part("status_part.html", **view(visit, "console.home"))
