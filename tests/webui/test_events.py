"""Server-sent events of the real processes: resumed by id, over restarts, filtered by rights, and bounded."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import signal
import socket
import threading
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from prometheus_client.parser import text_string_to_metric_families
from schemathesis.generation import GenerationMode
from twisted.internet.defer import Deferred

from tests.system.control import Control
from tests.system.site import Site, until
from tests.webui.test_front import PLAN
from webui.api import openapi
from webui.events import Feed, Listener
from webui.metrics import METRICS
from wombat_ari.app.service.events import View

PASSWORD = "correct-horse-battery"


def basic(login: str) -> str:
    return "Basic " + base64.b64encode(f"{login}:{PASSWORD}".encode()).decode()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("events"), settings={"WOMBAT_ARI_ADMIN_PASSWORD": PASSWORD})
    site.wombat("init")
    site.apply(PLAN)
    site.wombat("user", "add", "live", "--key", "USER", "--key", "LIVE", "--password", PASSWORD)
    site.wombat("user", "add", "nobody", "--key", "USER", "--key", "AGENT", "--password", PASSWORD)
    try:
        site.serve()
        yield site
    finally:
        site.close()


class Ear:
    """Listens in a thread; ``heard`` are (id, kind, data)."""

    def __init__(self, site: Site, login: str = "admin", *, after: int | None = None, query: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", site.console_port, timeout=60)
        headers = {"Authorization": basic(login)} | ({} if after is None else {"Last-Event-ID": str(after)})
        self.connection.request("GET", f"/api/v1/events{query}", headers=headers)
        self.socket = self.connection.sock
        self.answer = self.connection.getresponse()
        self.heard: list[tuple[int, str, dict[str, Any]]] = []
        if self.answer.status == 200:
            threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.connection.close()

    def kinds(self) -> list[str]:
        return [kind for _, kind, _ in self.heard]

    def _listen(self) -> None:
        lines: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            for raw in self.answer:
                line = raw.decode().rstrip("\n")
                if line:
                    name, _, value = line.partition(": ")
                    lines[name] = value
                    continue
                if "event" in lines:
                    self.heard.append((int(lines["id"]), lines["event"], json.loads(lines["data"])))
                lines = {}


def grow(site: Site, name: str) -> None:
    with Control(site.state / "control.sock") as control:
        control.ask("NumbersCame", name=name)


def test_runs_and_lists_are_told_and_taken_up_again(site: Site) -> None:
    ear, live = Ear(site), Ear(site, "live")
    only = Ear(site, query="?only=run")
    assert ear.answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    grow(site, "empty")
    site.run("Spring", "Secret")
    until(lambda: ear.kinds().count("run.changed") >= 4, 20, "two runs have started and are idle")
    assert ear.heard[0][1:] == ("list.grown", ear.heard[0][2])
    assert ear.heard[0][2]["list"] == "empty"
    runs = [(data["campaign"], data["state"]) for _, kind, data in ear.heard if kind == "run.changed"]
    assert {("Spring", "RUNNING"), ("Spring", "IDLE"), ("Secret", "RUNNING")} <= set(runs)
    ids = [id for id, _, _ in ear.heard]
    assert ids == sorted(set(ids))

    until(lambda: live.kinds().count("run.changed") >= 2, 10, "the other hears of its runs")
    assert {data["campaign"] for _, _, data in live.heard} == {"Spring"}, "no keys, no lists"
    assert set(only.kinds()) == {"run.changed"}

    again = Ear(site, after=ids[1])
    until(lambda: len(again.heard) >= len(ids) - 2, 10, "it goes on where it was")
    assert [id for id, _, _ in again.heard] == ids[2:]
    old = Ear(site, after=5)
    until(lambda: len(old.heard) > len(ids), 10, "what is kept is told")
    assert old.kinds()[0] == "missed"
    for each in (ear, live, only, again, old):
        each.close()


@pytest.mark.parametrize(
    ("login", "after", "query", "status", "code"),
    [
        ("nobody", None, "", 403, "forbidden"),
        ("none", None, "", 401, "log-on"),
        ("admin", "x", "", 400, "bad-header"),
        ("admin", None, "?only=%ff%00\x7f", 200, ""),
    ],
)
def test_refusals(site: Site, login: str, after: Any, query: str, status: int, code: str) -> None:
    ear = Ear(site, login, after=after, query=query.replace("\x7f", ""))
    assert ear.answer.status == status
    if code:
        assert json.load(ear.answer)["code"] == code
    ear.close()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_it_does_as_the_document_says(site: Site, mode: GenerationMode) -> None:
    """Schemathesis asks; an answer without end has begun when its head is there."""
    document = openapi.document()
    operation = schemathesis.openapi.from_dict(document)["/events"]["GET"]
    promised = document["paths"]["/events"]["get"]["responses"]
    told: list[int] = []

    @settings(max_examples=8, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", site.console_port, timeout=20)
        query = urllib.parse.urlencode(dict(case.query or {}), doseq=True)
        connection.request("GET", f"/api/v1/events?{query}", headers={"Authorization": basic("admin")})
        answer = connection.getresponse()
        told.append(answer.status)
        content = promised[str(answer.status)]["content"]
        assert answer.headers.get_content_type() in content
        connection.close()

    ask()
    if mode is GenerationMode.POSITIVE:
        assert set(told) == {200}
    else:
        assert set(told) <= {200, 400}, "any text may be a kind"
        assert 400 in told


def test_metrics_of_the_real_dialer(site: Site) -> None:
    """The picture has all that they are made of."""
    status, text = site.get("/metrics")
    found = {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
    of_queues_and_receivers = {name for name in found if name.startswith(("wombat_queue", "wombat_outbox"))}
    assert status == 200
    assert len(found) == len(METRICS) - 5 + len(of_queues_and_receivers)
    assert 'wombat_trunk_lines_capacity{trunk="t",server="pbx"} 1\n' in text
    assert 'wombat_pbx_up{server="pbx"} 0\n' in text


def test_after_a_restart_of_the_dialer_it_is_said_that_something_was_missed(site: Site) -> None:
    ear = Ear(site)
    grow(site, "empty")
    until(lambda: "list.grown" in ear.kinds(), 10, "it hears")
    before = ear.heard[-1][0]
    first = site.dialer_pid()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(lambda: site.dialer_pid() not in (None, first) and site.state_of_dialer() == "READY", 40, "it is back")
    until(lambda: "missed" in ear.kinds(), 20, "it is told so")
    grow(site, "empty")
    until(lambda: ear.kinds()[-1] == "list.grown" and ear.heard[-1][0] > before, 10, "ids go on")
    ids = [id for id, _, _ in ear.heard]
    assert ids == sorted(ids)
    late = Ear(site, after=before)
    until(lambda: len(late.heard) >= 2, 10, "who comes later is told the same")
    assert late.kinds()[0] == "missed"
    ear.close()
    late.close()


class Sink:
    """A request whose reader takes nothing after the first pause."""

    channel = object()

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)


class NoClock:
    def callLater(self, *_: Any) -> None:
        pass


def told(first: int, count: int, **more: Any) -> dict[str, Any]:
    events = [{"id": id, "kind": "pbx.up", "about": "pbx", "data": {"n": id}} for id in range(first, first + count)]
    return {"events": events, "last": first + count - 1, "missed": False, **more}


def test_a_slow_reader_costs_nothing_and_is_told_what_it_missed() -> None:
    feed = Feed(NoClock(), lambda after: None)
    sink = Sink()
    listener = Listener(sink, feed, place=99, only=())  # type: ignore[arg-type]
    listener.see(View(frozenset(), frozenset(), frozenset({"pbx"})))
    feed._listeners.append(listener)
    feed._told(told(100, 2))
    assert len(sink.written) == 2
    listener.pauseProducing()
    for start in range(102, 30_102, 500):
        feed._told(told(start, 500))
    assert len(sink.written) == 2
    assert len(feed._kept) == 10_000
    listener.resumeProducing()
    assert sink.written[2] == b"id: 20101\nevent: missed\ndata: {}\n\n"
    assert len(sink.written) == 3 + 10_000
    assert sink.written[-1].startswith(b"id: 30101\n")


def test_something_new_is_looked_for_before_it_is_told_and_once_only() -> None:
    feed = Feed(NoClock(), lambda after: None)
    sink = Sink()
    listener = Listener(sink, feed, place=99, only=())  # type: ignore[arg-type]
    looks: list[Deferred[None]] = []

    def look_again() -> Deferred[None]:
        looks.append(Deferred())
        return looks[-1]

    listener._look_again = look_again
    feed._listeners.append(listener)
    names = ["new", "hidden", "new", "other", "hidden", "other"]
    events = [
        {"id": 100 + place, "kind": "list.grown", "about": name, "data": {"list": name}}
        for place, name in enumerate(names)
    ]
    feed._told({"events": events, "last": 105, "missed": False})
    assert (len(looks), sink.written) == (1, []), "what comes behind it waits"
    for _ in range(3):
        listener.see(View(frozenset(), frozenset({"new"}), frozenset()))
        looks[-1].callback(None)
    assert len(looks) == 3, "new, hidden, other"
    assert [line.split(b"\n")[0] for line in sink.written] == [b"id: 100", b"id: 102"]
    assert listener.place == 105
    listener.look()
    feed._told({"events": [{**events[1], "id": 106}], "last": 106, "missed": False})
    assert len(looks) == 5, "after a while it is looked for again"
