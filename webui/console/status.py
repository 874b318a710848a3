"""The dialer status page: how everything stands, and the dialer's switch."""

from __future__ import annotations

from typing import Any

from flask import request

from webui.console.live import sentence
from webui.console.pages import BAD, Answer, Pages, Visit
from wombat_ari.app.service import dialer, standing
from wombat_ari.app.service.asks import Picture
from wombat_ari.app.service.rights import FORBIDDEN, Right
from wombat_ari.model.errors import UserError

MOST = 100  #: of a kind; of more, those are shown that are in use or off line


def add_to(pages: Pages) -> None:
    pages.get("/status", Right.SEE_STATUS, name="status")(_page)
    pages.get("/status/part", Right.SEE_STATUS, name="status_part")(_part)
    pages.post("/status/start", Right.CONTROL_DIALER, name="status_start")(_start)
    pages.post("/status/stop", Right.CONTROL_DIALER, name="status_stop")(_stop)


def view(visit: Visit, at: str = "console.status") -> dict[str, Any]:
    """What ``status_part.html`` needs, on whatever page (``at``, its endpoint) it stands."""
    engine = visit.tools.engine
    running = bool(engine is not None and engine.running)
    found = standing.standing(visit.caller, visit.db, visit.pictures, running=running)
    trunks, end_points = (_worth_showing(found.picture.get(kind, [])) for kind in ("trunks", "end_points"))
    return {
        "at": at,
        "standing": found,
        "picture": found.picture,
        "runs": found.picture.get("runs", [])[:MOST],
        "trunks": trunks,
        "end_points": end_points,
        "state": str(found.state or "STARTING"),
        "down": [pbx["name"] for pbx in found.picture.get("pbxs", ()) if not pbx["connected"]],
        "switch": engine is not None and found.may_control,
        "switched_on": running,
    }


def _worth_showing(lines: list[Picture]) -> list[Picture]:
    if len(lines) <= MOST:
        return lines
    return [line for line in lines if line["used"] or not line["up"]][:MOST]


def _page(visit: Visit) -> Answer:
    return visit.page("status.html", **view(visit), still=request.args.get("still") == "1")


def _part(visit: Visit) -> Answer:
    return visit.part("status_part.html", **view(visit))


def _start(visit: Visit) -> Answer:
    return _switched(visit, dialer.start, "The dialer is being started.")


def _stop(visit: Visit) -> Answer:
    return _switched(visit, dialer.stop, "The dialer is being stopped; live calls go on in the PBX.")


def _switched(visit: Visit, do: Any, said: str) -> Answer:
    try:
        do(visit.caller, visit.db, visit.tools.engine)
        visit.say(said)
    except UserError as refusal:
        if refusal.code == FORBIDDEN:
            raise
        visit.say(f"{sentence(str(refusal))}.", BAD)
    finally:
        visit.pictures.forget()
    return visit.back("status")
