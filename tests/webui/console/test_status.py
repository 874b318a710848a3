"""The status of the dialer: what pages say of a snapshot, and how they behave in a real Chromium."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.webui.conftest import Dialer, Switch
from tests.webui.console.conftest import PHONE, Desk, Visitor
from webui.console import duration
from wombat_ari.model.errors import StoreError
from wombat_ari.store.database import Database

Visitors = Callable[..., Visitor]


def run(name: str, state: str, **values: Any) -> dict[str, Any]:
    figures = dict.fromkeys(("attempts", "open_calls", "open_retries", "closed", "remaining", "taken", "answered"), 3)
    rest = {
        "started_at": 1_790_000_000.0, "attempts_per_hour": 940.4, "completes_in_s": 3725.0, "why_not": "",
        "id": len(name), "campaign_id": 999, "placed": 3, "estimated_remaining": 3, "boost": 1.0, "trunks": [],
        "end_points": [], "lists": [{"name": "list 1", "paused": True, "taken": 3, "remaining": 4, "high_water": 7}],
    }  # fmt: skip
    return {"campaign": name, "state": state, **figures, **rest, **values}


def queue() -> dict[str, Any]:
    agents = [
        {"name": "Ann", "interface": "PJSIP/1", "state": "IDLE"},
        {"name": "Bo", "interface": "PJSIP/2", "state": "TALKING"},
    ]
    return {
        "known": True, "agents_total": 2, "idle": 1, "overdialled": 4, "waiting": 3, "blocked": True,
        "reported": {"NOT_INUSE": 1, "INUSE": 1}, "computed": {"IDLE": 1, "TALKING": 1}, "agents": agents,
        "listed": True, "callers": [{"number": "5551234", "call": None, "run": None, "since": time.time() - 61.5}],
    }  # fmt: skip


def snapshot() -> dict[str, Any]:
    now = time.time()
    up = {
        "id": 1,
        "name": "A20",
        "connected": True,
        "version": "22.10.1",
        "since": now - 60,
        "error": "",
        "slowed_to": None,
    }
    down = {**up, "id": 2, "name": "B7", "connected": False, "error": "connection refused at pbx:5038", "since": None}
    line = {"id": 5, "server_id": 1, "server": "A20", "up": True, "capacity": 20, "used": 17}
    return {
        "state": "READY", "now": now, "up_since": now - 3725, "channels_in_use": 17, "placed": 1234,
        "database_trouble": "", "pbxs": [up, down], "trunks": [{"name": "Carrier", **line}],
        "end_points": [
            {"name": "Message", "type": "PHONE", "queue": None, "free": 3, **line},
            {"name": "999", "type": "QUEUE", "queue": queue(), "free": 2, **line, "id": 6},
        ],
        "outbox": {"in_flight": 0, "trouble": "", "receivers": []},
        "runs": [run("<b>Spring</b>", "RUNNING", why_not="all lines are in use"), run("Idle one", "IDLE")],
    }  # fmt: skip


@pytest.fixture(autouse=True)
def _running(dialer: Dialer) -> None:
    dialer.picture = snapshot()


def test_it_shows_what_the_dialer_does(visitor: Visitors) -> None:
    page = visitor().get("/").text
    for text in ("READY", "1:02:05", "RUNNING", "all lines are in use", "connection refused at pbx:5038", "Carrier"):
        assert text in page
    assert "&lt;b&gt;Spring" in page, "names are shown as text"


def test_a_queue_shows_agents_and_callers(visitor: Visitors) -> None:
    page = visitor().get("/").text
    for text in ("Queue 999", "BK W", "Idle <b>1</b> of 2", "O.D.</abbr> <b>4</b>", "INUSE 1", "Ann", "5551234, 1:01"):
        assert text in page


def test_a_queue_without_agents_says_so(visitor: Visitors, dialer: Dialer) -> None:
    assert dialer.picture is not None
    dialer.picture["end_points"][1]["queue"] |= {"agents": [], "reported": {}, "computed": {}}
    assert "No agent is logged on" in visitor().get("/").text


def test_receivers_of_notifications_are_shown_when_there_are_any(visitor: Visitors, dialer: Dialer) -> None:
    one = visitor()
    assert dialer.picture is not None
    assert "<h2>Notifications" not in one.get("/status").text
    dialer.picture["outbox"]["receivers"] = [
        {
            "name": "crm.example:443",
            "failing_since": 1.0,
            "waiting": 310,
            "parked": 2,
            "next_try_at": None,
            "error": "connection refused",
        },
    ]
    page = one.get("/status").text
    for text in ("Notifications", "crm.example:443", "failing", ">310<", "connection refused"):
        assert text in page


def test_a_dialer_that_is_down_is_said_in_words(visitor: Visitors, dialer: Dialer) -> None:
    one = visitor()
    dialer.picture = None
    assert "the dialer is not running" in one.get("/").text
    health = one.get("/healthz")
    assert (health.status_code, health.json["state"]) == (503, "DOWN")


def test_who_may_not_see_the_status_does_not(visitor: Visitors, person: Callable[..., str]) -> None:
    one = visitor(person("bob", "LISTS"))
    assert "Carrier" not in one.get("/").text
    assert one.get("/home/status").status_code == 403


def test_all_well_is_200(visitor: Visitors) -> None:
    assert visitor().get("/healthz").json == {"state": "READY", "trouble": ""}


def test_every_answer_has_the_strict_policy(visitor: Visitors) -> None:
    for path in ("/", "/log-on", "/healthz", "/static/console.js", "/nothing"):
        headers = visitor().get(path).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (0, "0:00"), (59.9, "0:59"), (3725, "1:02:05"), (-5, "0:00")]
)
def test_duration(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_it_follows_the_dialer(desk: Callable[..., Desk], dialer: Dialer) -> None:
    page = desk(width=PHONE).go("/")
    page.evaluate("document.body.mark = 1; document.querySelector('meter').mark = 2")
    assert dialer.picture is not None
    dialer.picture["runs"][0]["why_not"] = "PAUSED by hand"
    page.get_by_text("PAUSED by hand").wait_for()
    assert page.evaluate("[document.body.mark, document.querySelector('meter').mark]") == [1, 2], "pieces stay"
    dialer.picture = None
    page.get_by_text("the dialer is not running").wait_for()


def shown(page: str) -> str:
    return page.partition("<main")[2]


def test_boost_and_lists_of_a_run_are_shown(visitor: Visitors, dialer: Dialer) -> None:
    assert dialer.picture is not None
    dialer.picture["runs"][0]["boost"] = 1.5
    page = visitor().get("/status").text
    for text in (">1.5<", "list 1 3/7 (paused)"):
        assert text in page


def test_receivers_are_named_to_who_may_see_the_outbox(
    visitor: Visitors, person: Callable[..., str], dialer: Dialer
) -> None:
    assert dialer.picture is not None
    dialer.picture["outbox"]["receivers"] = [
        {"name": "crm:1", "failing_since": None, "waiting": 0, "parked": 0, "next_try_at": 1.0, "error": ""}
    ]
    assert "crm:1" in visitor(person("adam", "STATUS", "ADMIN")).get("/status").text
    assert "crm:1" not in visitor(person("stan", "STATUS")).get("/status").text


def test_the_dialer_is_started_and_stopped_with_its_key(
    visitor: Visitors, person: Callable[..., str], dialer: Dialer, switch: Switch
) -> None:
    watcher, starter = visitor(person("wat", "STATUS")), visitor(person("sam", "STATUS", "CTRL_WBT"))
    dialer.picture = None
    for path in ("/status", "/"):
        assert "Start the dialer" not in shown(watcher.get(path).text)
        assert "Start the dialer" in shown(starter.get(path).text)
    assert watcher.post("/status/start").status_code == 403
    answer = starter.post("/status/start", back="/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    dialer.picture = snapshot()
    starter.get("/")
    page = shown(starter.get("/status").text)
    assert "Stop the dialer" in page
    assert "Start the dialer" not in page
    assert watcher.post("/status/stop").status_code == 403
    assert starter.post("/status/stop").status_code == 303
    assert switch.done == ["start", "stop"]


def test_a_process_that_does_not_answer_yet_is_starting(visitor: Visitors, dialer: Dialer, switch: Switch) -> None:
    one = visitor()
    dialer.picture, switch.running = None, True
    page = one.get("/status").text
    assert "STARTING" in page
    assert "Stop the dialer" in page


def test_a_page_that_does_not_refresh_by_itself(visitor: Visitors) -> None:
    one = visitor()
    assert 'data-refresh="/status/part"' in one.get("/status").text
    still = one.get("/status", still=1).text
    assert "data-refresh" not in still
    assert 'href="/status?still=1">Reload' in still


def test_the_database_is_away(visitor: Visitors, monkeypatch: pytest.MonkeyPatch) -> None:
    one = visitor()
    monkeypatch.setattr(Database, "is_alive", _away)
    page = one.get("/status").text
    assert "the disk is full" in page
    assert "Carrier" not in page, "who may see what is not known now"


def _away(self: Database) -> float:
    raise StoreError("database x: the disk is full", transient=True)


def test_of_hundreds_those_are_shown_that_say_something(visitor: Visitors, dialer: Dialer) -> None:
    assert dialer.picture is not None
    line = dialer.picture["trunks"][0]
    more = [
        {**line, "id": 100 + n, "name": f"Spare {n}", "used": 0 if n else 1, "up": n != 1} for n in range(300)
    ]  # fmt: skip
    dialer.picture["trunks"] += more
    dialer.picture["runs"] = [run(f"Run {n}", "RUNNING") for n in range(150)]
    page = visitor().get("/status").text
    for text in ("Carrier", "Spare 0", "Spare 1<", "298 more are on line and not used", "50 more are on the page Live"):
        assert text in page, text
    assert "Spare 2<" not in page
    assert "Run 99<" in page
    assert "Run 100<" not in page


def test_a_refresh_keeps_what_is_selected_and_how_far_a_table_is_scrolled(
    desk: Callable[..., Desk], dialer: Dialer
) -> None:
    page = desk(width=800).go("/status")
    scrolled = "document.querySelector('.scroll').scrollLeft"
    page.evaluate(f"{scrolled} = 40; scrollTo(0, 60); document.querySelector('.scroll').mark = 7")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('tbody th'))")
    assert dialer.picture is not None
    with page.expect_response("**/status/part"):
        dialer.picture["placed"] = 4321
    with page.expect_response("**/status/part"):
        pass
    page.wait_for_timeout(100)
    assert page.evaluate("String(getSelection())").strip() == "<b>Spring</b>", "who copies a name is not disturbed"
    assert page.get_by_text("4,321").count() == 0
    page.evaluate("getSelection().removeAllRanges()")
    page.get_by_text("4,321").wait_for()
    assert page.evaluate(f"[document.querySelector('.scroll').mark, {scrolled}, scrollY]") == [7, 40, 60]


def test_a_run_of_another_day_says_its_date(visitor: Visitors) -> None:
    page = visitor().get("/status").text
    assert "2026-09-21 " in page, "when a run started that goes on for weeks"
