"""Calls: added, annotated, hung up; and what became of them."""

from typing import Any

from webui.api import shapes_work as shapes
from webui.api.frame import Answer, Call, Reply, Route
from webui.api.problems import problem_of
from webui.api.shapes import picked, told
from wombat_ari.app.service import calls, preview, runs
from wombat_ari.app.service.rights import Right
from wombat_ari.model.errors import UserError
from wombat_ari.model.reports import LoggedCall

TAG = "Calls"
SEE, CONTROL = (Right.SEE_LIVE, Right.SEE_REPORTS), (Right.CONTROL_CALLS,)


def live(call: Call) -> Answer:
    """Calls that are going on now."""
    found = runs.live_calls(call.caller, call.db, call.ask)
    return shapes.LiveCalls(items=[
        picked(shapes.LiveCall, one, wombatid=one["id"], attempt=one["retry"] + 1) for _, one in found
    ])  # fmt: skip


def add(call: Call) -> Answer:
    """Add a call to the live run of a campaign.

    It is durable when it is answered.
    """
    wombatid = _add(call, call.body.campaign, call.body)
    return Reply(shapes.Added(wombatid=wombatid), location=f"/calls/{wombatid}")


def add_batch(call: Call) -> Answer:
    """Add many calls to the live run of a campaign.

    Each is added or refused for itself; the answer has them in their order.
    """
    items = []
    for one in call.body.calls:
        try:
            items.append(shapes.BatchItem(wombatid=_add(call, call.body.campaign, one)))
        except UserError as refusal:
            if not items and refusal.code in ("missing", "no-run", "dialer-down", "not-ready"):
                raise  # none of them can be added
            items.append(shapes.BatchItem(code=problem_of(refusal).code, detail=str(refusal)))
    return shapes.Batch(added=sum(item.wombatid is not None for item in items), items=items)


def read(call: Call) -> Answer:
    """A call by its WOMBATID: where it is, what was tried, what was decided and what comes next.

    The history is of its record in its run, the first attempt first.
    """
    found = calls.history(call.caller, call.db, call.ask, call.ids["wombatid"])
    steps = [shapes.Step(call=told(shapes.LoggedCall, one), decision=_decision(one)) for one in found.attempts]
    retry = None if found.next_retry is None else told(shapes.NextRetry, found.next_retry)
    return picked(shapes.CallTold, found.call, history=steps, next_retry=retry)


def set_status(call: Call) -> Answer:
    """Set the extended status of a call that is live, or ended within a minute."""
    calls.set_status(call.caller, call.db, call.ask, wombatid=call.ids["wombatid"], code=call.body.status)
    return Reply(None)


def set_attribute(call: Call) -> Answer:
    """Set an output attribute of such a call, or append to it."""
    do = calls.append_attribute if call.body.append else calls.set_attribute
    do(call.caller, call.db, call.ask, wombatid=call.ids["wombatid"], name=call.body.name, value=call.body.value)
    return Reply(None)


def hang_up(call: Call) -> Answer:
    """Hang up a live call."""
    calls.hang_up(call.caller, call.db, call.ask, wombatid=call.ids["wombatid"])
    return Reply(None)


def reserve(call: Call) -> Answer:
    """Preview: reserve the next number for an agent, or tell the one they hold.

    For ten minutes; 409 when there is no number, or the agent is not there.
    """
    held = preview.reserve(call.caller, call.db, call.ask, agent=call.body.agent)
    return shapes.Reserved(wombatid=held["id"], number=held["number"], attributes=held["attributes"])


def dial(call: Call) -> Answer:
    """Preview: call the agent, then the number."""
    preview.dial(call.caller, call.db, call.ask, wombatid=call.ids["wombatid"])
    return Reply(None)


def skip(call: Call) -> Answer:
    """Preview: the number is not dialled."""
    preview.skip(call.caller, call.db, call.ask, wombatid=call.ids["wombatid"], code=call.body.status)
    return Reply(None)


def _add(call: Call, campaign: str, one: shapes.NewCall) -> int:
    return calls.add_call(
        call.caller, call.db, call.ask, campaign=campaign, number=one.number, attributes=one.attributes, when=one.when,
        zone=call.settings.time_zone,
    )  # fmt: skip


def _decision(one: LoggedCall) -> str:
    how = one.outcome + (f" ({one.extended_status})" if one.extended_status else "")
    if one.retry_in_s:
        return f"{how}: tried again after {one.retry_in_s} s"
    return f"{how}: its record is closed"


def _acting(path: str, handler: Any, **options: Any) -> Route:
    return Route("POST", f"/calls/{{wombatid}}/{path}", handler, CONTROL, TAG, status=204, acts=True, **options)


def _previewing(path: str, handler: Any, **options: Any) -> Route:
    options.setdefault("status", 204)
    return Route("POST", f"/preview/{path}", handler, (Right.PREVIEW,), "Preview", acts=True, **options)


ROUTES = (
    Route("GET", "/calls/live", live, (Right.SEE_LIVE,), TAG, shapes.LiveCalls),
    Route("POST", "/calls", add, CONTROL, TAG, shapes.Added, 201, shapes.CallSent, acts=True),
    Route("POST", "/calls/batch", add_batch, CONTROL, TAG, shapes.Batch, body=shapes.BatchSent, acts=True),
    Route("GET", "/calls/{wombatid}", read, SEE, TAG, shapes.CallTold),
    _acting("status", set_status, body=shapes.StatusSent),
    _acting("attributes", set_attribute, body=shapes.AttributeSent),
    _acting("hang-up", hang_up),
    _previewing("reserve", reserve, answers=shapes.Reserved, status=200, body=shapes.AgentSent),
    _previewing("{wombatid}/dial", dial),
    _previewing("{wombatid}/skip", skip, body=shapes.SkipSent),
)
