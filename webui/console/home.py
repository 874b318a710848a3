"""The home page: what the dialer is doing now (spec 06 "Dialer status"), refreshed by itself.

There is no log-on yet for people, so nothing can be changed here, and it is shown to this machine only, whatever other
addresses the API listens on.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, abort, render_template

from webui.doors import LOOPBACK, Doors, networks_of
from wombat_ari import __version__
from wombat_ari.model.errors import StoreError, UserError


class Asks(Protocol):
    """What the console asks of the dialer."""

    def snapshot(self, *, calls: bool = True) -> dict[str, Any]:
        """The picture of now; UserError when no dialer runs."""


def add_to(app: Flask, *, settings: Any, database: Any, ask: Asks, doors: Doors) -> None:
    """The pages of the console."""
    zone = ZoneInfo(settings.time_zone)
    app.jinja_env.filters.update(
        clock=lambda at: datetime.fromtimestamp(at, zone).strftime("%H:%M:%S") if at else "–",
        duration=duration,
        percent=lambda share: "–" if share is None else f"{share:.0%}",
    )
    pages = Blueprint("console", __name__)
    here = networks_of(LOOPBACK)

    @pages.before_request
    def only_here() -> None:
        if not doors.origin().is_in(here):
            abort(403, "the console is shown on the machine itself only")

    @pages.get("/")
    def home() -> str:
        return render_template("home.html", **_view(ask, database))

    @pages.get("/status")
    def status() -> str:
        """The part of the home page that changes; fetched every two seconds."""
        return render_template("status.html", **_view(ask, database))

    @pages.get("/healthz")
    def health() -> tuple[dict[str, Any], int]:
        """200 when dialer and database answer, else 503 with what is wrong."""
        view = _view(ask, database)
        well = view["state"] == "READY" and not view["database_trouble"]
        return {"state": view["state"], "trouble": view["trouble"] or view["database_trouble"]}, 200 if well else 503

    app.register_blueprint(pages)


def duration(seconds: float | None) -> str:
    """``3725`` -> ``1:02:05``; minutes and seconds below an hour."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(int(max(0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _view(ask: Asks, database: Any) -> dict[str, Any]:
    """What the templates need: the snapshot, or that there is none and why."""
    try:
        snapshot: Mapping[str, Any] = ask.snapshot(calls=False)
        trouble = ""
    except UserError as error:
        snapshot, trouble = {"state": "DOWN"}, str(error)
    return {
        "version": __version__,
        "snapshot": snapshot,
        "state": snapshot["state"],
        "trouble": trouble,
        "database_trouble": snapshot.get("database_trouble") or _database_trouble(database),
    }


def _database_trouble(database: Any) -> str:
    try:
        database.is_alive()
    except StoreError as error:
        return str(error)
    return ""
