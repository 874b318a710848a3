"""``/metrics`` in the text format of Prometheus. Names and meanings are here, and in docs/monitoring.md by a test.

The format is four rules, so it is spelled here: no library would need to be kept up to date for it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from flask import Flask, Response

from webui.compat.frame import Kind, refusal
from webui.doors import Doors
from wombat_ari import __version__
from wombat_ari.app.service import dialer
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.states import CallState, Outcome, RunState

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
PATH = "/metrics"

Labels = Mapping[str, object]
Picture = dict[str, Any]
Sample = tuple[Labels, float]


class Metric(NamedTuple):
    """``labels`` are told in the table of the docs."""

    name: str
    type: str
    meaning: str
    labels: tuple[str, ...] = ()


LIVE_STATES = [state for state in CallState if state not in (CallState.IN_HOPPER, CallState.CLOSING, CallState.ENDED)]

#: always there
UP = Metric("wombat_up", "gauge", "1 when the dialer answers and is READY")
DATABASE_UP = Metric("wombat_database_up", "gauge", "1 when the database answers")
DATABASE = Metric("wombat_database_seconds", "gauge", "time that the database took to answer a question just now")
BUILD = Metric("wombat_build_info", "gauge", "1; the version of this process", ("version",))
#: while a dialer answers
STARTED = Metric("wombat_start_time_seconds", "gauge", "moment at which the dialer was started, epoch seconds")
CALLS = Metric("wombat_calls_total", "counter", "calls that ended since the dialer was started", ("outcome",))
LIVE = Metric("wombat_live_calls", "gauge", "calls that live", ("state",))
RUNS = Metric("wombat_runs", "gauge", "live runs", ("state",))
LINES = Metric("wombat_trunk_lines_used", "gauge", "lines of a trunk in use", ("trunk", "server"))
CAPACITY = Metric("wombat_trunk_lines_capacity", "gauge", "lines that a trunk has", ("trunk", "server"))
QUEUE = ("queue", "server")
AGENTS = Metric("wombat_queue_agents", "gauge", "agents of a queue, as the PBX lists them", QUEUE)
FREE = Metric("wombat_queue_agents_free", "gauge", "agents of a queue that may take a call now", QUEUE)
WAITING = Metric("wombat_queue_callers_waiting", "gauge", "callers that wait in a queue", QUEUE)
PBX = Metric("wombat_pbx_up", "gauge", "1 when a server is connected and used", ("server",))
JOURNAL = Metric("wombat_journal_waiting", "gauge", "results that wait to be written to the database")
WRITTEN = Metric("wombat_journal_written_total", "counter", "rows written since the dialer was started")
REFUSED = Metric("wombat_journal_refused_total", "counter", "rows that the database refused since then")
OUTBOX = Metric("wombat_outbox_waiting", "gauge", "errands that wait for a receiver", ("receiver",))
PARKED = Metric("wombat_outbox_parked", "gauge", "errands that were given up and wait for somebody", ("receiver",))
DELAY = Metric("wombat_event_loop_delay_seconds", "gauge", "longest wait for the dialer's reactor, last 15 to 30 s")
ODD = Metric("wombat_odd_events_total", "counter", "events of a PBX that a call did not expect, since the start")

METRICS = (
    UP, DATABASE_UP, DATABASE, BUILD, STARTED, CALLS, LIVE, RUNS, LINES, CAPACITY, AGENTS, FREE, WAITING, PBX, JOURNAL,
    WRITTEN, REFUSED, OUTBOX, PARKED, DELAY, ODD,
)  # fmt: skip


def add_to(app: Flask, *, database: Any, ask: Any, doors: Doors) -> None:
    @app.get(PATH)
    def metrics() -> Response:
        try:
            caller = doors.caller(open_to_trusted=True)
            picture, access_ms = dialer.metrics(caller, database, ask)
        except (UserError, StoreError) as error:
            return refusal(Kind.TEXT, error, began=0.0)
        return Response(text_of(picture, access_ms), content_type=MEDIA)


def text_of(picture: Picture | None, access_ms: float | None) -> str:
    """Everything that is known now; what is not known is left out."""
    ready = picture is not None and picture["state"] == "READY"
    found: list[tuple[Metric, Iterable[Sample]]] = [
        (UP, [({}, ready)]),
        (DATABASE_UP, [({}, access_ms is not None)]),
        (DATABASE, [] if access_ms is None else [({}, access_ms / 1000)]),
        (BUILD, [({"version": __version__}, 1)]),
        *(_of_the_dialer(picture) if picture is not None else []),
    ]
    return "".join(_spelled(metric, samples) for metric, samples in found)


def _of_the_dialer(picture: Picture) -> list[tuple[Metric, Iterable[Sample]]]:
    runs = Counter(run["state"] for run in picture["runs"])
    journal, receivers = picture["journal"], picture["outbox"]["receivers"]
    trunks = [({"trunk": each["name"], "server": each["server"]}, each) for each in picture["trunks"]]
    return [
        (STARTED, [({}, picture["up_since"])]),
        (CALLS, [({"outcome": str(each)}, picture["outcomes"].get(str(each), 0)) for each in Outcome]),
        (LIVE, [({"state": str(each)}, picture["calls_by_state"].get(str(each), 0)) for each in LIVE_STATES]),
        (RUNS, [({"state": str(each)}, runs.get(str(each), 0)) for each in RunState]),
        (LINES, [(labels, each["used"]) for labels, each in trunks]),
        (CAPACITY, [(labels, each["capacity"]) for labels, each in trunks]),
        *_queues(picture),
        (PBX, [({"server": each["name"]}, each["connected"]) for each in picture["pbxs"]]),
        (JOURNAL, [({}, journal["waiting"])]),
        (WRITTEN, [({}, journal["written"])]),
        (REFUSED, [({}, journal["refused"])]),
        (OUTBOX, [({"receiver": each["name"]}, each["waiting"]) for each in receivers]),
        (PARKED, [({"receiver": each["name"]}, each["parked"]) for each in receivers]),
        (DELAY, [({}, picture["event_loop_delay_ms"] / 1000)]),
        (ODD, [({}, picture["odd_events"])]),
    ]


def _spelled(metric: Metric, samples: Iterable[Sample]) -> str:
    lines = [f"{metric.name}{_labels(labels)} {float(value):.15g}\n" for labels, value in samples]
    if not lines:
        return ""
    return f"# HELP {metric.name} {metric.meaning}\n# TYPE {metric.name} {metric.type}\n{''.join(lines)}"


def _labels(labels: Labels) -> str:
    parts = [f'{name}="{_escaped(str(value))}"' for name, value in labels.items()]
    return f"{{{','.join(parts)}}}" if parts else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _queues(picture: Picture) -> list[tuple[Metric, Iterable[Sample]]]:
    """Of QUEUE end points whose queue the PBX has told of."""
    queues = [
        ({"queue": each["name"], "server": each["server"]}, each["queue"])
        for each in picture["end_points"]
        if each["queue"] is not None and each["queue"]["known"]
    ]
    return [
        (AGENTS, [(labels, queue["agents_total"]) for labels, queue in queues]),
        (FREE, [(labels, queue["idle"]) for labels, queue in queues]),
        (WAITING, [(labels, queue["waiting"]) for labels, queue in queues]),
    ]
