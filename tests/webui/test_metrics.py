"""``/metrics`` as Prometheus' own parser reads it: what the status says, and what the docs promise."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from tests.webui.conftest import Api, Dialer
from webui import metrics

PAGE = Path(__file__).parents[2] / "docs" / "monitoring.md"
QUEUE = {"known": True, "agents_total": 7, "idle": 3, "waiting": 2}
PICTURE: dict[str, Any] = {
    "state": "READY",
    "up_since": 1_700_000_000.5,
    "outcomes": {"RS_BUSY": 4, "TERMINATED": 9},
    "calls_by_state": {"CONNECTED": 5},
    "event_loop_delay_ms": 12.5,
    "odd_events": 1,
    "journal": {"waiting": 8, "written": 100, "refused": 2},
    "outbox": {"receivers": [{"name": 'http://a "b"\\c\nd', "waiting": 6, "parked": 1}]},
    "pbxs": [{"name": "one", "connected": True}, {"name": "two", "connected": False}],
    "runs": [{"state": "RUNNING"}, {"state": "RUNNING"}, {"state": "PAUSED"}],
    "trunks": [{"name": "t", "server": "one", "used": 3, "capacity": 10}],
    "end_points": [
        {"name": "400", "server": "one", "queue": QUEUE},
        {"name": "401", "server": "one", "queue": {**QUEUE, "known": False}},
        {"name": "phone", "server": "one", "queue": None},
    ],
}


def read(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: dict[Any, float], name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


def test_what_the_dialer_says_is_what_prometheus_reads(client: FlaskClient, dialer: Dialer) -> None:
    dialer.picture = PICTURE
    answer = client.get("/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    found = read(answer.get_data(as_text=True))
    assert value(found, "wombat_up") == 1
    assert value(found, "wombat_database_up") == 1
    assert value(found, "wombat_database_seconds") > 0
    assert value(found, "wombat_start_time_seconds") == 1_700_000_000.5
    assert value(found, "wombat_calls_total", outcome="RS_BUSY") == 4
    assert value(found, "wombat_calls_total", outcome="RS_NOANSWER") == 0
    assert value(found, "wombat_live_calls", state="CONNECTED") == 5
    assert value(found, "wombat_runs", state="RUNNING") == 2
    assert value(found, "wombat_trunk_lines_used", trunk="t", server="one") == 3
    assert value(found, "wombat_trunk_lines_capacity", trunk="t", server="one") == 10
    assert value(found, "wombat_queue_agents", queue="400", server="one") == 7
    assert value(found, "wombat_queue_agents_free", queue="400", server="one") == 3
    assert value(found, "wombat_queue_callers_waiting", queue="400", server="one") == 2
    assert (value(found, "wombat_pbx_up", server="one"), value(found, "wombat_pbx_up", server="two")) == (1, 0)
    assert value(found, "wombat_journal_waiting") == 8
    assert value(found, "wombat_journal_written_total") == 100
    assert value(found, "wombat_outbox_waiting", receiver='http://a "b"\\c\nd') == 6
    assert value(found, "wombat_outbox_parked", receiver='http://a "b"\\c\nd') == 1
    assert value(found, "wombat_event_loop_delay_seconds") == 0.0125
    families = {family.name for family in text_string_to_metric_families(answer.get_data(as_text=True))}
    assert {name.removesuffix("_total") for name in families} == {
        metric.name.removesuffix("_total") for metric in metrics.METRICS
    }


def test_without_a_dialer_it_says_so(client: FlaskClient) -> None:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    found = read(answer.get_data(as_text=True))
    assert value(found, "wombat_up") == 0
    assert {name for name, _ in found} == {metric.name for metric in metrics.METRICS[:4]}


def test_who_may_read_them(client: FlaskClient, api_of: Callable[..., Api]) -> None:
    def status(api: Api | None, **headers: str) -> int:
        given = {**(api.headers if api else {}), **headers}
        return client.get("/metrics", headers=given, environ_overrides={"REMOTE_ADDR": "192.0.2.7"}).status_code

    assert client.get("/metrics").status_code == 200, "loopback is trusted"
    assert status(None) == 401
    assert status(api_of("watcher", "STATUS")) == 200
    assert status(api_of("agent", "AGENT")) == 403


@pytest.mark.parametrize("metric", metrics.METRICS, ids=lambda metric: metric.name)
def test_the_page_has_each(metric: metrics.Metric) -> None:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    row = f"| `{metric.name}` | {metric.type} | {labels}{' ' if labels else ''}| {metric.meaning} |"
    assert row in PAGE.read_text(), row
    assert len(re.findall(r"^\| `wombat_", PAGE.read_text(), re.MULTILINE)) == len(metrics.METRICS)
