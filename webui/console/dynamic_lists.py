"""Dynamic lists: those of a live run, how far they are; added, paused, resumed, moved while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from webui.console.live import sentence
from webui.console.pages import BAD, Answer, Pages, Visit
from wombat_ari.app.service import live, runs
from wombat_ari.app.service.rights import FORBIDDEN, MISSING, Right, missing
from wombat_ari.model.calls import RunRow
from wombat_ari.model.errors import UserError

OFFERED = 1000  #: names of lists; others can be typed


def add_to(pages: Pages) -> None:
    pages.get("/live/lists", Right.CONTROL_RUNS, name="dynamic_lists")(_page)
    pages.get("/live/lists/part", Right.CONTROL_RUNS, name="dynamic_lists_part")(_part)
    pages.post("/live/lists/<int:run_id>/<act>", Right.CONTROL_RUNS, name="dynamic_lists_act")(_act)


def _page(visit: Visit) -> Answer:
    known = _view(visit)
    run = known["run"]
    if run is not None and known["live"]:
        known["offered"] = live.lists_to_add(visit.caller, visit.db, run)[:OFFERED]
    return visit.page("dynamic_lists.html", **known)


def _part(visit: Visit) -> Answer:
    return visit.part("dynamic_part.html", **_view(visit))


def _act(visit: Visit, run_id: int, act: str) -> Answer:
    """``add``, ``pause``, ``resume``, ``up`` or ``down`` the list that the field ``name`` names."""
    acts: dict[str, tuple[Callable[..., Any], str]] = {
        "add": (runs.add_list, "List {} is added."),
        "pause": (_switch(True), "List {} is paused: nothing new is taken from it."),
        "resume": (_switch(False), "List {} is dialled again."),
        "up": (_move(-1), "List {} comes earlier."),
        "down": (_move(1), "List {} comes later."),
    }
    if act not in acts:
        raise missing("address", request.path)
    do, said = acts[act]
    name = request.form.get("name", "").strip()
    campaign = runs.find_run(visit.caller, visit.db, run_id).campaign_name
    try:
        runs.live_run(visit.caller, visit.db, run_id)
        do(visit.caller, visit.db, visit.ask, campaign=campaign, name=name)
        visit.say(said.format(name))
    except UserError as refusal:
        if refusal.code == FORBIDDEN or (refusal.code == MISSING and act != "add"):
            raise
        visit.say(f"{sentence(str(refusal))}.", BAD)
    finally:
        visit.pictures.forget()
    return visit.go("dynamic_lists", run=run_id)


def _switch(paused: bool) -> Callable[..., Any]:
    return lambda *who, **which: runs.pause_list(*who, **which, paused=paused)


def _move(by: int) -> Callable[..., Any]:
    def move(*who: Any, campaign: str, name: str) -> None:
        names = [each["name"] for each in runs.run_lists(*who, campaign=campaign)]
        if name not in names:
            raise UserError(f"the run has no list {name!r}")
        at = names.index(name)
        to = min(max(at + by, 0), len(names) - 1)
        names.insert(to, names.pop(at))
        runs.order_lists(*who, campaign=campaign, names=names)

    return move


def _view(visit: Visit) -> dict[str, Any]:
    """``run``: as stored, None when none is chosen; ``live``: as the dialer has it, None when it has ended."""
    look = live.look(visit.caller, visit.db, visit.pictures)
    asked = request.args.get("run", "")
    run: RunRow | None = None
    if asked.isascii() and asked.isdecimal() and len(asked) < 17:
        run = live.stored_run(look, visit.db, int(asked))
    elif asked:
        raise missing("run", asked[:40])
    now = look.run(run.id) if run else None
    acts = bool(now) and bool(look.acts(now))
    return {"look": look, "run": run, "live": now if acts else None, "offered": ()}
