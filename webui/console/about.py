"""About: what this system is and is made of, and what changed."""

from __future__ import annotations

from webui.console.pages import Answer, Pages, Visit
from wombat_ari.app.made_of import news
from wombat_ari.app.service import about as service
from wombat_ari.app.service.rights import Right


def add_to(pages: Pages) -> None:
    @pages.get("/about", Right.SEE_ABOUT)
    def about(visit: Visit) -> Answer:
        return visit.page("about.html", about=service.about(visit.caller, visit.db, visit.ask), news=news())
