"""The home page: what the dialer is doing now."""

from __future__ import annotations

from typing import Any

from webui.console.pages import Answer, Pages, Visit
from wombat_ari.app.service.rights import Right
from wombat_ari.model.errors import StoreError, UserError


def add_to(pages: Pages) -> None:
    @pages.get("/")
    def home(visit: Visit) -> Answer:
        return visit.page("home.html", **(_view(visit) if visit.may(Right.SEE_STATUS) else {}))

    @pages.get("/home/status", Right.SEE_STATUS)
    def home_status(visit: Visit) -> Answer:
        """The part of the home page that changes."""
        return visit.part("status.html", **_view(visit))


def _view(visit: Visit) -> dict[str, Any]:
    """What the templates need: the snapshot, or that there is none and why."""
    try:
        snapshot: Any = visit.ask.snapshot(calls=False)
        trouble = ""
    except UserError as error:
        snapshot, trouble = {"state": "DOWN"}, str(error)
    return {
        "snapshot": snapshot,
        "state": snapshot["state"],
        "trouble": trouble,
        "database_trouble": snapshot.get("database_trouble") or _database_trouble(visit.db),
    }


def _database_trouble(database: Any) -> str:
    try:
        database.is_alive()
    except StoreError as error:
        return str(error)
    return ""
