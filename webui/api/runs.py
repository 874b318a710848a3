"""Runs: live and past, and acting on live ones. A run is seen by who sees its campaign."""

from collections.abc import Callable
from typing import Any

from webui.api import shapes_work as shapes
from webui.api.frame import Answer, Call, Reply, Route
from webui.api.shapes import Page, page_of, picked, told
from webui.api.things import documented
from wombat_ari.app.service import runs
from wombat_ari.app.service.rights import Right
from wombat_ari.model.calls import RunRow
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import RunState

TAG = "Runs"
SEE, CONTROL = (Right.SEE_LIVE, Right.SEE_REPORTS), (Right.CONTROL_RUNS,)
SEE_ONE = (*SEE, *CONTROL)


def page(call: Call) -> Answer:
    """List runs, the latest first."""
    query = call.query
    found = runs.page_of_runs(
        call.caller, call.db, after=query.after, limit=query.limit + 1, live=query.live, campaign_id=query.campaign_id
    )
    live = _live(call)
    return page_of(Page[shapes.Run], [_told(run, live) for run in found], limit=query.limit)


def read(call: Call) -> Answer:
    """Read a run."""
    return _told(runs.find_run(call.caller, call.db, call.ids["run_id"]), _live(call))


def start(call: Call) -> Answer:
    """Start a run of a campaign."""
    run_id = runs.start(call.caller, call.db, call.ask, campaign=call.body.campaign)["id"]
    return Reply(_told(runs.live_run(call.caller, call.db, run_id), _live(call)), location=f"/runs/{run_id}")


def _act(act: Callable[..., Any], text: str) -> Callable[[Call], Answer]:
    def handle(call: Call) -> Answer:
        run = runs.live_run(call.caller, call.db, call.ids["run_id"])
        options = {"factor": call.body.factor} if call.body is not None else {}
        act(call.caller, call.db, call.ask, campaign=run.campaign_name, **options)
        return _told(runs.find_run(call.caller, call.db, run.id), _live(call))

    return documented(handle, text)


def lists_of(call: Call) -> Answer:
    """Lists of a run in their order, and how far they are."""
    return _lists(call)


def add_list(call: Call) -> Answer:
    """Append a list to a live run."""
    run = runs.live_run(call.caller, call.db, call.ids["run_id"])
    runs.add_list(call.caller, call.db, call.ask, campaign=run.campaign_name, name=call.body.list)
    return _lists(call)


def order_lists(call: Call) -> Answer:
    """Put all lists of a live run into a new order."""
    run = runs.live_run(call.caller, call.db, call.ids["run_id"])
    runs.order_lists(call.caller, call.db, call.ask, campaign=run.campaign_name, names=call.body.lists)
    return _lists(call)


def _switch_list(paused: bool, text: str) -> Callable[[Call], Answer]:
    def handle(call: Call) -> Answer:
        run = runs.live_run(call.caller, call.db, call.ids["run_id"])
        known = runs.lists_of_run(call.caller, call.db, run.id)
        name = next((each.name for each in known if each.list_id == call.ids["list_id"]), None)
        if name is None:
            raise UserError(f"run {run.id} has no list {call.ids['list_id']}", code="missing")
        runs.pause_list(call.caller, call.db, call.ask, campaign=run.campaign_name, name=name, paused=paused)
        return _lists(call)

    return documented(handle, text)


def _live(call: Call) -> dict[int, Any]:
    """What the dialer says, of each of its runs; nothing when it does not."""
    try:
        return {run["id"]: run for run in call.ask.snapshot(calls=False)["runs"]}
    except UserError:
        return {}


def _told(run: RunRow, live: dict[int, Any]) -> shapes.Run:
    figures = live.get(run.id)
    state = run.state if figures is None else RunState(figures["state"])  # what is stored is written behind
    return told(
        shapes.Run, run, state=state, counters=told(shapes.Counters, run.counters),
        live=None if figures is None else picked(shapes.LiveFigures, figures),
    )  # fmt: skip


def _lists(call: Call) -> shapes.RunLists:
    found = runs.lists_of_run(call.caller, call.db, call.ids["run_id"])
    return shapes.RunLists(items=[told(shapes.RunListTold, each) for each in found])


def _acting(path: str, handler: Callable[[Call], Answer], **options: Any) -> Route:
    return Route("POST", f"/runs/{{run_id}}/{path}", handler, CONTROL, TAG, acts=True, **options)


ROUTES = (
    Route("GET", "/runs", page, SEE, TAG, Page[shapes.Run], query=shapes.RunQuery),
    Route("POST", "/runs", start, CONTROL, TAG, shapes.Run, 201, shapes.NewRun, acts=True),
    Route("GET", "/runs/{run_id}", read, SEE_ONE, TAG, shapes.Run),
    _acting("pause", _act(runs.pause, "Pause a live run: no new calls."), answers=shapes.Run),
    _acting("resume", _act(runs.resume, "Resume a paused run."), answers=shapes.Run),
    _acting("remove", _act(runs.remove, "End a live run for good; calls in progress go on."), answers=shapes.Run),
    _acting("reload", _act(runs.reload, "Take the campaign as it is configured now."), answers=shapes.Run),
    _acting("boost", _act(runs.boost, "Set the boost of a live run."), answers=shapes.Run, body=shapes.BoostSent),
    Route("GET", "/runs/{run_id}/lists", lists_of, SEE_ONE, TAG, shapes.RunLists),
    Route("PUT", "/runs/{run_id}/lists", order_lists, CONTROL, TAG, shapes.RunLists, body=shapes.ListOrder),
    _acting("lists", add_list, answers=shapes.RunLists, body=shapes.ListNamed),
    _acting(
        "lists/{list_id}/pause", _switch_list(True, "Take nothing new from a list of a live run."),
        answers=shapes.RunLists,
    ),
    _acting("lists/{list_id}/resume", _switch_list(False, "Take from a paused list again."), answers=shapes.RunLists),
)  # fmt: skip
