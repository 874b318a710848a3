"""The home page: what it says of a snapshot, and how it behaves in a real Chromium on a phone and on a wall."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from webui import create_app
from webui.console import duration
from wombat_ari.app.config import load_settings
from wombat_ari.model.errors import StoreError, UserError

CHROMIUM = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()


SETTINGS = load_settings(environ={"WOMBAT_ARI_DIALER_TIME_ZONE": "Europe/Rome"})


class Database:
    trouble = ""

    def is_alive(self) -> float:
        if self.trouble:
            raise StoreError(self.trouble)
        return 0.1


class Dialer:
    """Answers a snapshot, or that there is none."""

    def __init__(self) -> None:
        self.down = False
        self.answer = snapshot()

    def snapshot(self, *, calls: bool = True) -> dict[str, Any]:
        if self.down:
            raise UserError("the dialer is not running")
        return self.answer


def run(name: str, state: str, **values: Any) -> dict[str, Any]:
    figures = dict.fromkeys(("attempts", "open_calls", "open_retries", "closed", "remaining", "taken", "answered"), 3)
    rest = {"started_at": 1_790_000_000.0, "attempts_per_hour": 940.4, "completes_in_s": 3725.0, "why_not": ""}
    return {"campaign": name, "state": state, **figures, **rest, **values}


def queue() -> dict[str, Any]:
    agents = [
        {"name": "Ann", "interface": "PJSIP/1", "state": "IDLE"},
        {"name": "Bo", "interface": "PJSIP/2", "state": "TALKING"},
    ]
    return {
        "known": True, "agents_total": 2, "idle": 1, "overdialled": 4, "waiting": 3, "blocked": True,
        "reported": {"NOT_INUSE": 1, "INUSE": 1}, "computed": {"IDLE": 1, "TALKING": 1}, "agents": agents,
        "callers": [{"number": "5551234", "call": None, "since": time.time() - 61.5}],
    }  # fmt: skip


def snapshot() -> dict[str, Any]:
    now = time.time()
    up = {"name": "A20", "connected": True, "version": "22.10.1", "since": now - 60, "error": "", "slowed_to": None}
    down = {**up, "name": "B7", "connected": False, "error": "connection refused at pbx:5038", "since": None}
    line = {"server": "A20", "up": True, "capacity": 20, "used": 17}
    return {
        "state": "READY", "now": now, "up_since": now - 3725, "channels_in_use": 17, "placed": 1234,
        "database_trouble": "", "pbxs": [up, down], "trunks": [{"name": "Carrier", **line}],
        "end_points": [
            {"name": "Message", "type": "PHONE", "queue": None, "free": 3, **line},
            {"name": "999", "type": "QUEUE", "queue": queue(), "free": 2, **line},
        ],
        "outbox": {"in_flight": 0, "trouble": "", "receivers": []},
        "runs": [run("<b>Spring</b>", "RUNNING", why_not="all lines are in use"), run("Idle one", "IDLE")],
    }  # fmt: skip


@pytest.fixture
def dialer() -> Dialer:
    return Dialer()


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def app(dialer: Dialer, database: Database) -> Any:
    return create_app(settings=SETTINGS, database=database, ask=dialer)


@pytest.fixture
def address(app: Any) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield browser
        browser.close()


def test_it_shows_what_the_dialer_does(app: Any) -> None:
    page = app.test_client().get("/").text
    for text in ("READY", "1:02:05", "RUNNING", "all lines are in use", "connection refused at pbx:5038", "Carrier"):
        assert text in page
    assert "&lt;b&gt;Spring" in page, "names are shown as text"


def test_a_queue_shows_agents_and_callers(app: Any) -> None:
    page = app.test_client().get("/").text
    for text in ("Queue 999", "BK W", "Idle <b>1</b> of 2", "O.D.</abbr> <b>4</b>", "INUSE 1", "Ann", "5551234, 1:01"):
        assert text in page


def test_a_queue_without_agents_says_so(app: Any, dialer: Dialer) -> None:
    dialer.answer["end_points"][1]["queue"] |= {"agents": [], "reported": {}, "computed": {}}
    assert "No agent is logged on" in app.test_client().get("/").text


def test_receivers_of_notifications_are_shown_when_there_are_any(app: Any, dialer: Dialer) -> None:
    assert "Notifications" not in app.test_client().get("/").text
    dialer.answer["outbox"]["receivers"] = [
        {"name": "crm.example:443", "failing_since": 1.0, "waiting": 310, "parked": 2, "error": "connection refused"},
    ]
    page = app.test_client().get("/").text
    for text in ("Notifications", "crm.example:443", "failing", ">310<", "connection refused"):
        assert text in page


def test_a_dialer_that_is_down_is_said_in_words(app: Any, dialer: Dialer) -> None:
    dialer.down = True
    client = app.test_client()
    assert "the dialer is not running" in client.get("/").text
    health = client.get("/healthz")
    assert (health.status_code, health.json["state"]) == (503, "DOWN")


def test_a_database_that_is_away_is_said_in_words(app: Any, database: Database) -> None:
    database.trouble = "connection refused"
    client = app.test_client()
    assert "Database: connection refused" in client.get("/").text
    assert client.get("/healthz").status_code == 503


def test_all_well_is_200(app: Any) -> None:
    assert app.test_client().get("/healthz").json == {"state": "READY", "trouble": ""}


def test_every_answer_has_the_strict_policy(app: Any) -> None:
    for path in ("/", "/status", "/healthz", "/static/console.js", "/nothing"):
        headers = app.test_client().get(path).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (0, "0:00"), (59.9, "0:59"), (3725, "1:02:05"), (-5, "0:00")]
)
def test_duration(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize("width", [390, 1920])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_real_browser(browser: Browser, address: str, width: int, scheme: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(address)
    assert page.title() == "READY · Wombat ARI"
    assert page.get_by_text("Carrier").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    assert said == []
    page.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_a_long_name_hides_nothing(browser: Browser, address: str, dialer: Dialer, width: int) -> None:
    long = "Autumn appointments of the western branches, second reminder"
    dialer.answer["runs"][0] |= {"campaign": long, "why_not": "more callers wait in queue 'support' than may"}
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(address)
    hidden = "[...document.querySelectorAll('.scroll')].filter(part => part.scrollWidth > part.clientWidth).length"
    assert page.evaluate(hidden) == 0
    name = page.get_by_role("rowheader", name=long)
    assert name.evaluate("cell => getComputedStyle(cell).textAlign") == "left"
    page.close()


def _shows(page: Page, text: str) -> None:
    page.get_by_text(text).first.wait_for(state="visible", timeout=15_000)


def test_it_refreshes_by_itself_and_says_when_nobody_answers(
    browser: Browser, address: str, dialer: Dialer, app: Any
) -> None:
    page = browser.new_page()
    page.goto(address)
    dialer.answer["placed"] = 98765
    _shows(page, "98765")
    dialer.down = True
    _shows(page, "the dialer is not running")
    page.route("**/status", lambda route: route.abort())
    _shows(page, "no answer from the console")
    page.unroute("**/status")
    page.get_by_text("no answer from the console").wait_for(state="hidden", timeout=15_000)
    page.close()
