"""The live page: what goes on, and acting on it. What is looked at (order, page, search, selection) is in the address.

The page is one region that is fetched every two seconds, with the address's words. What is shown is of one ``Look``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import current_app, request, url_for

from webui.console import charts
from webui.console.pages import BAD, Answer, Pages, Visit
from wombat_ari.app.service import calls as call_service
from wombat_ari.app.service import campaigns, live, runs
from wombat_ari.app.service.live import Look, Sorted
from wombat_ari.app.service.rights import FORBIDDEN, MISSING, Right, missing
from wombat_ari.model.errors import UserError
from wombat_ari.model.live import Act, CallOrder, CallsWanted
from wombat_ari.model.states import LIVE_RUN_STATES, CallState, RunState

PER_PAGE = 50  #: calls
MOST = 100  #: campaigns and runs of each kind; who has more searches

#: The columns of live calls, in order: what they are sorted by, and their title.
COLUMNS = (
    (CallOrder.NUMBER, "Number"), (CallOrder.STATE, "State"), (CallOrder.CAMPAIGN, "Campaign"),
    (CallOrder.ORIGINATED, "Originated"), (CallOrder.ANSWERED, "Answered"), (CallOrder.TRUNK, "Trunk"),
    (CallOrder.END_POINT, "End point"), (CallOrder.RETRY, "Retry"), (CallOrder.AGENT, "Agent"),
)  # fmt: skip
SORTED = (
    (Sorted.NAME, "by name"), (Sorted.NAME_DOWN, "by name, from the last"), (Sorted.OLDEST, "the oldest first"),
    (Sorted.NEWEST, "the newest first"),
)  # fmt: skip
ACTS: dict[Act, tuple[Callable[..., Any], str]] = {
    Act.PAUSE: (runs.pause, "is paused: no new calls, those in progress go on"),
    Act.RESUME: (runs.resume, "places calls again"),
    Act.REMOVE: (runs.remove, "is removed; calls in progress go on"),
    Act.RELOAD: (runs.reload, "goes on as its campaign is configured now"),
}

Choice = TypeVar("Choice", bound=StrEnum)


def add_to(pages: Pages) -> None:
    pages.blueprint.add_app_template_filter(sentence, "sentence")
    pages.get("/live", Right.SEE_LIVE, name="live")(_page)
    pages.get("/live/part", Right.SEE_LIVE, name="live_part")(_part)
    pages.post("/live/campaigns/<int:campaign_id>/start", Right.CONTROL_RUNS, name="live_start")(_start)
    pages.post("/live/runs/<int:run_id>/<act>", Right.CONTROL_RUNS, name="live_act")(_act)
    pages.post("/live/runs/<int:run_id>/boost", Right.CONTROL_RUNS, name="live_boost")(_boost)
    pages.post("/live/calls/<int:wombatid>/hang-up", Right.CONTROL_CALLS, name="live_hang_up")(_hang_up)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address says. ``of``: calls of this run only; one of the last three is what is selected, or none."""

    by: CallOrder
    down: bool
    page: int
    number: str
    of: int
    order: Sorted
    search: str
    call: int
    campaign: int
    run: int

    @classmethod
    def now(cls) -> Asked:
        """Of the request under way. What cannot be read counts as not said."""
        return cls(
            _choice(CallOrder, "by", CallOrder.ORIGINATED), request.args.get("down") == "1", max(1, _whole("page")),
            request.args.get("number", "")[:40].strip(), _whole("of"), _choice(Sorted, "order", Sorted.NAME),
            request.args.get("q", "")[:80], _whole("call"), _whole("campaign"), _whole("run"),
        )  # fmt: skip

    def words(self) -> dict[str, Any]:
        """Of an address that says the same; what goes without saying is left out."""
        known = {
            "by": "" if self.by is CallOrder.ORIGINATED else self.by, "down": 1 if self.down else "",
            "page": self.page if self.page > 1 else "", "number": self.number, "of": self.of or "",
            "order": "" if self.order is Sorted.NAME else self.order, "q": self.search, "call": self.call or "",
            "campaign": self.campaign or "", "run": self.run or "",
        }  # fmt: skip
        return {name: str(value) for name, value in known.items() if value != ""}

    def link(self, fragment: str = "", **changed: Any) -> str:
        """To the same with something else. Another selection takes the place of the one before."""
        if {"call", "campaign", "run"} & set(changed):
            changed = {"call": None, "campaign": None, "run": None, **changed}
        words = {**self.words(), **changed}
        query = urlencode({name: value for name, value in words.items() if value})
        return f"{url_for('console.live')}{'?' if query else ''}{query}{'#' if fragment else ''}{fragment}"

    def selecting(self) -> str:
        """As ``link``, with nothing selected and room for what is."""
        address = self.link(call=None)
        return f"{address}{'&' if '?' in address else '?'}"

    def wanted(self) -> CallsWanted:
        return CallsWanted(
            runs=frozenset({self.of}) if self.of else None, order=self.by, descending=self.down,
            skip=(self.page - 1) * PER_PAGE, limit=PER_PAGE, number=self.number,
        )  # fmt: skip


def _page(visit: Visit) -> Answer:
    return visit.page("live.html", **_view(visit))


def _part(visit: Visit) -> Answer:
    return visit.part("live_part.html", **_view(visit))


def _start(visit: Visit, campaign_id: int) -> Answer:
    campaign = live.look(visit.caller, visit.db, visit.pictures).campaigns.get(campaign_id)
    if campaign is None:
        raise missing("campaign", campaign_id)
    return _done(
        visit, lambda: runs.start(visit.caller, visit.db, visit.ask, campaign=campaign.name),
        f"{campaign.name} has started.",
    )  # fmt: skip


def _act(visit: Visit, run_id: int, act: str) -> Answer:
    known = {each.value: each for each in ACTS}
    if act not in known:
        raise missing("address", request.path)
    do, said = ACTS[known[act]]
    campaign = runs.find_run(visit.caller, visit.db, run_id).campaign_name
    return _done(visit, lambda: _on_live(visit, run_id, do), f"{campaign} {said}.")


def _boost(visit: Visit, run_id: int) -> Answer:
    text = request.form.get("factor", "").strip()
    try:
        factor = float(text.replace(",", "."))
    except ValueError:
        visit.say(f"Boost {text[:40]!r}: it must be a number, such as 1.5.", BAD)
        return visit.back("live", run=run_id)
    campaign = runs.find_run(visit.caller, visit.db, run_id).campaign_name
    boost: Callable[..., Any] = lambda *who, **which: runs.boost(*who, **which, factor=factor)  # noqa: E731
    return _done(visit, lambda: _on_live(visit, run_id, boost), f"{campaign} is boosted by {factor:g}.")


def _hang_up(visit: Visit, wombatid: int) -> Answer:
    return _done(
        visit, lambda: call_service.hang_up(visit.caller, visit.db, visit.ask, wombatid=wombatid),
        "The call is being hung up.",
    )  # fmt: skip


def _on_live(visit: Visit, run_id: int, do: Callable[..., Any]) -> None:
    run = runs.live_run(visit.caller, visit.db, run_id)
    do(visit.caller, visit.db, visit.ask, campaign=run.campaign_name)


def _done(visit: Visit, do: Callable[[], Any], said: str) -> Answer:
    """Back to the page, with what was done or why it was not. What may not be seen or done stays an error."""
    try:
        do()
        visit.say(said)
    except UserError as refusal:
        if refusal.code in (MISSING, FORBIDDEN):
            raise
        visit.say(f"{sentence(str(refusal))}.", BAD)
    finally:
        visit.pictures.forget()
    return visit.back("live")


def _view(visit: Visit) -> dict[str, Any]:
    asked, look = Asked.now(), live.look(visit.caller, visit.db, visit.pictures)
    drawn = live.charts(look)
    closed = live.recently_closed(look, visit.db, now=visit.caller.at, order=_of_ended(asked), search=asked.search)
    return {
        "asked": asked,
        "look": look,
        "totals": live.totals(look),
        "charts_shown": _charts(drawn),
        "piece": visit.tools.pieces.of("live_pieces.html", zone=visit.zone, here=asked.selecting()),
        "columns": COLUMNS,
        "calls": live.calls(look, visit.pictures, asked.wanted()),
        "per_page": PER_PAGE,
        "orders": SORTED,
        "running": look.running(order=asked.order, search=asked.search),
        "startable": look.startable(order=asked.order, search=asked.search),
        "closed": closed,
        "most": MOST,
        "selected": _selected(visit, asked, look),
        "reports": "console.report" in current_app.view_functions and visit.may(Right.SEE_REPORTS),
    }


def _of_ended(asked: Asked) -> Sorted:
    """Who does not ask for an order wants to see what has ended last."""
    return asked.order if "order" in request.args else Sorted.NEWEST


def _charts(drawn: live.Charts) -> tuple[tuple[str, str, tuple[charts.Slice, ...], str], ...]:
    """Id, title, parts, and what is counted."""
    return (
        ("states", "Calls by state", charts.states(drawn.states, CallState), "calls"),
        ("servers", "Channels by server", charts.slices(drawn.servers), "channels"),
        ("trunk-use", "Trunk lines by campaign", charts.slices(drawn.trunk_use), "lines"),
        ("trunks", "Calls by trunk", charts.slices(drawn.trunks), "calls"),
        ("end-point-use", "End points by campaign", charts.slices(drawn.end_point_use), "calls"),
        ("remaining", "Remaining calls, estimated", charts.slices(drawn.remaining), "calls"),
        ("runs", "Runs by state", charts.states(drawn.runs, RunState), "runs"),
    )


def _selected(visit: Visit, asked: Asked, look: Look) -> dict[str, Any]:
    """What the panel shows: its template and what that needs; empty when nothing is selected."""
    try:
        if asked.call:
            return _selected_call(visit, asked.call)
        if asked.run:
            return _selected_run(visit, asked.run, look)
        if asked.campaign:
            return _selected_campaign(visit, asked.campaign, look)
    except UserError as refusal:
        return {"template": "live_gone.html", "why": str(refusal)}
    return {}


def _selected_call(visit: Visit, wombatid: int) -> dict[str, Any]:
    found = call_service.history(visit.caller, visit.db, visit.ask, wombatid)
    return {"template": "live_call.html", "history": found, "call": found.call, "line": found.call.get("live")}


def _selected_run(visit: Visit, run_id: int, look: Look) -> dict[str, Any]:
    run = look.run(run_id)
    if run is not None:
        return {"template": "live_run.html", "run": run, "acts": look.acts(run)}
    return {"template": "live_ended.html", "run": live.stored_run(look, visit.db, run_id)}


def _selected_campaign(visit: Visit, campaign_id: int, look: Look) -> dict[str, Any]:
    """A campaign that runs is shown as its run."""
    running = (run for run in look.runs if run["campaign_id"] == campaign_id and run["state"] in LIVE_RUN_STATES)
    if (run := next(running, None)) is not None:
        return {"template": "live_run.html", "run": run, "acts": look.acts(run)}
    campaign = campaigns.find_campaign(visit.caller, visit.db, campaign_id)
    used = {
        kind: [each.name for each in campaigns.used_by(visit.caller, visit.db, campaign_id, kind)[0]]
        for kind in ("trunks", "end points")
    }
    startable = any(each.id == campaign_id for each in look.startable())
    return {"template": "live_campaign.html", "campaign": campaign, "used": used, "startable": startable}


def sentence(text: str) -> str:
    """What begins as a sentence does."""
    return text[:1].upper() + text[1:]


def _choice(kind: type[Choice], name: str, otherwise: Choice) -> Choice:
    text = request.args.get(name, "")
    return kind(text) if text in {each.value for each in kind} else otherwise


def _whole(name: str) -> int:
    """0 when it is none, or too large for a WOMBATID."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 17 else 0
