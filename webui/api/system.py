"""The system itself: version, dialer, system log, outbox, and the description of this API."""

from typing import Any

from flask import Response
from pydantic import Field

from webui.api import openapi, page
from webui.api.frame import MOST_ID, Answer, Call, Route
from webui.api.shapes import Body, Count, Page, PageQuery, Query, Told, page_of
from wombat_ari import __version__
from wombat_ari.app.service import dialer, outbox, runs, syslog
from wombat_ari.app.service.rights import Right
from wombat_ari.model.errands import ErrandKind, ErrandState, OutboxRow
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import DialerState

ANYBODY = (Right.SEE_HEALTH,)


class Version(Told):
    version: str
    api: str = "v1"


class Dialer(Told):
    state: DialerState | None = Field(description="null: its process is there but does not answer (yet)")
    up_s: float
    figures: dict[str, Any] | None = Field(description="what it publishes of itself; null while it does not answer")


class LogLine(Told):
    id: int
    at: float
    user: str
    action: str
    object: str
    detail: str


class LogQuery(PageQuery):
    user: str = Field("", max_length=80, description="only of this login")
    action: str = Field("", max_length=80, description="only this action")


class EventsQuery(Query):
    only: str = Field("", description="kinds that are wanted, or their first parts, as call.ended,pbx; empty: all")
    last_event_id: str = Field(
        "", pattern="^([0-9]{1,16})?$", description="go on behind it; for who cannot send the header Last-Event-ID"
    )


class Errand(Told):
    """Something to be told or done that is not done yet."""

    id: int
    message_id: str
    kind: ErrandKind
    state: ErrandState
    receiver: str
    campaign_id: int | None
    run_id: int | None
    wombatid: int | None
    created_at: float
    due_at: float
    tries: int
    error: str
    payload: dict[str, Any]


class Receiver(Told):
    receiver: str
    waiting: int
    parked: int


class Receivers(Told):
    items: list[Receiver]


class OutboxQuery(PageQuery):
    receiver: str = Field("", max_length=255)
    parked: bool = Field(False, description="only what was given up")


class Which(Body):
    """One errand, all of a receiver, or ``all``."""

    id: int | None = Field(None, ge=1, le=MOST_ID)
    receiver: str | None = Field(None, min_length=1, max_length=255)
    all: bool = False


def version(call: Call) -> Answer:
    """The version of this program and of the API."""
    return Version(version=__version__)


def read_dialer(call: Call) -> Answer:
    """State and figures of the dialer."""
    state, up_s = dialer.state(call.caller, call.ask, call.engine)
    has_figures = state in (DialerState.READY, DialerState.STOPPING)
    figures = runs.status(call.caller, call.db, call.ask) if has_figures else None
    return Dialer(state=state, up_s=up_s, figures=figures)


def start_dialer(call: Call) -> Answer:
    """Start the dialer, if it does not run."""
    dialer.start(call.caller, call.db, call.engine)
    return _switched(call)


def stop_dialer(call: Call) -> Answer:
    """Stop the dialer.

    No new calls, all written down, ended; live calls go on in the PBX. It stays down until it is started.
    """
    dialer.stop(call.caller, call.db, call.engine)
    return _switched(call)


def log_lines(call: Call) -> Answer:
    """The system log, the latest line first."""
    query = call.query
    found = syslog.page(
        call.caller, call.db, after=query.after, limit=query.limit + 1, user=query.user, action=query.action
    )
    items = [
        LogLine(id=line_id, at=one.at, user=one.user, action=one.action, object=one.object, detail=one.detail)
        for line_id, one in found
    ]
    return page_of(Page[LogLine], items, limit=query.limit)


def errands(call: Call) -> Answer:
    """What could not be told outside yet, the oldest first."""
    query = call.query
    found = outbox.page(
        call.caller, call.db, after=query.after, limit=query.limit + 1, receiver=query.receiver, parked=query.parked
    )
    return page_of(Page[Errand], [_errand(row) for row in found], limit=query.limit)


def errand(call: Call) -> Answer:
    """One errand of the outbox."""
    return _errand(outbox.find_errand(call.caller, call.db, call.ids["errand_id"]))


def receivers(call: Call) -> Answer:
    """How much lies in the outbox, for each receiver."""
    found = outbox.counts(call.caller, call.db)
    return Receivers(items=[
        Receiver(receiver=one.receiver, waiting=one.waiting, parked=one.parked) for one in found
    ])  # fmt: skip


def replay(call: Call) -> Answer:
    """Try again now: one errand, all of a receiver, or all. Message ids stay."""
    return Count(count=outbox.replay(call.caller, call.db, call.ask, **_which(call)).count)


def drop(call: Call) -> Answer:
    """Delete for good: one errand, or what is parked for a receiver or for all."""
    return Count(count=outbox.drop(call.caller, call.db, **_which(call)))


def document(call: Call) -> Answer:
    """This API as an OpenAPI 3.1 document."""
    return Response(openapi.document_text(), mimetype="application/json")


def browse(call: Call) -> Answer:
    """This API as a page for people."""
    return Response(page.rendered(), mimetype="text/html")


def listen(call: Call) -> Answer:
    """What happens, as server-sent events, from now on or behind an event; the answer stays open.

    Kinds: run.changed, call.requested, call.answered, call.ended, pbx.up, pbx.down, list.grown, and missed, when
    events were missed. See docs/monitoring.md.
    """
    # Told on the reactor, by webui/events: this is where the application is served by something else.
    raise UserError("events are told by wombat-ari serve only", code="not-ready")


def _switched(call: Call) -> Dialer:
    state, up_s = dialer.state_now(call.ask, call.engine)
    return Dialer(state=state, up_s=up_s, figures=None)


def _which(call: Call) -> dict[str, Any]:
    body = call.body
    if (body.id is not None) + (body.receiver is not None) + body.all != 1:
        raise UserError("say which: id, receiver, or all: true; one of them")
    return {"errand_id": body.id, "receiver": body.receiver or ""}


def _errand(row: OutboxRow) -> Errand:
    one = row.errand
    return Errand(
        id=row.id, message_id=row.message_id, kind=one.kind, state=row.state, receiver=one.receiver,
        campaign_id=one.campaign_id, run_id=one.run_id, wombatid=one.wombatid, created_at=one.created_at,
        due_at=one.due_at, tries=row.tries, error=row.error, payload=dict(one.payload),
    )  # fmt: skip


HEAR = (Right.SEE_LIVE, Right.SEE_STATUS, Right.SEE_LISTS)
SWITCH, SEE_OUTBOX, CHANGE_OUTBOX = (Right.CONTROL_DIALER,), (Right.SEE_OUTBOX,), (Right.CHANGE_OUTBOX,)
ROUTES = (
    Route("GET", "/version", version, ANYBODY, "System", Version),
    Route("GET", "/openapi.json", document, ANYBODY, "System"),
    Route("GET", "/docs", browse, ANYBODY, "System", media=("text/html",)),
    Route("GET", "/events", listen, HEAR, "System", query=EventsQuery, media=("text/event-stream",)),
    Route("GET", "/dialer", read_dialer, (Right.SEE_STATUS,), "System", Dialer),
    Route("POST", "/dialer/start", start_dialer, SWITCH, "System", Dialer, acts=True),
    Route("POST", "/dialer/stop", stop_dialer, SWITCH, "System", Dialer, acts=True),
    Route("GET", "/system-log", log_lines, (Right.SEE_SYSTEM_LOG,), "System", Page[LogLine], query=LogQuery),
    Route("GET", "/outbox", errands, SEE_OUTBOX, "Outbox", Page[Errand], query=OutboxQuery),
    Route("GET", "/outbox/{errand_id}", errand, SEE_OUTBOX, "Outbox", Errand),
    Route("GET", "/outbox/receivers", receivers, SEE_OUTBOX, "Outbox", Receivers),
    Route("POST", "/outbox/replay", replay, CHANGE_OUTBOX, "Outbox", Count, body=Which, acts=True),
    Route("POST", "/outbox/drop", drop, CHANGE_OUTBOX, "Outbox", Count, body=Which, acts=True),
)
