"""The console as people use it: a real server on a real database, a real Chromium, somebody who is logged on.

``person("bob", "LIVE")`` makes a user; ``desk("bob")`` is their browser page, logged on by the form, which fails the
test at its end when anything was written to its console (an error of a script, something that the CSP refused).
``visitor(login)`` is Flask's test client logged on, for what needs no browser.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from tests.pages import remember
from tests.store.conftest import NOW
from tests.webui.conftest import PASSWORD, Dialer, Switch
from webui import create_app
from wombat_ari.app.config import Settings
from wombat_ari.model.admin import User
from wombat_ari.store import users
from wombat_ari.store.database import Database

CHROMIUM = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
AXE = Axe()
PHONE, DESK, WALL = 390, 1280, 1920  #: widths, px
XSS = "<img src=x onerror=\"document.title='gone'\"><script>document.title='gone'</script>'\"&"


@pytest.fixture
def app(database: Database, settings: Settings, dialer: Dialer, switch: Switch) -> Flask:
    users.create_admin(database, PASSWORD, now=NOW)
    return create_app(settings=settings, database=database, ask=dialer, engine=switch)


@pytest.fixture
def person(app: Flask, database: Database) -> Callable[..., str]:
    """Makes a user with these keys (USER goes without saying) who logs on with ``PASSWORD``; answers the login."""

    def make(login: str, *keys: str, master: bool = False, **fields: Any) -> str:
        user = User(None, login, own_keys=("USER", *keys), master=master, **fields)
        user = users.save_user(database, user, by="admin", now=NOW)
        users.set_password(database, user.id or 0, password=PASSWORD, by="admin", now=NOW)
        return login

    return make


class Visitor:
    """Somebody's session in Flask's test client: ``get``, and ``post`` with the form's token put in."""

    def __init__(self, client: FlaskClient, login: str, password: str = PASSWORD) -> None:
        self.client = client
        answer = self.post("/log-on", login=login, password=password)
        assert answer.status_code == 303, answer.text

    def get(self, path: str, **params: Any) -> TestResponse:
        return self.client.get(path, query_string=params or None)

    def post(self, path: str, **fields: Any) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token(), **fields})

    def token(self) -> str:
        page = self.client.get("/account")
        if page.status_code == 303:
            page = self.client.get("/log-on")
        found = re.search('name="csrf_token" value="([^"]+)"', page.text)
        assert found, page.text
        return found[1]


@pytest.fixture
def visitor(app: Flask) -> Callable[..., Visitor]:
    return lambda login="admin", password=PASSWORD: Visitor(app.test_client(), login, password)


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """A real server on a port of its own; its address, no slash at the end."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))  # how often it looks whether it is to stop, s
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Of the console."""
    with serving(app) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Ended with its file: while it lives, Playwright's event loop runs in this thread, and no other may."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Desk:
    """A page of a browser in which somebody is logged on. ``said``: what was written to its console."""

    page: Page
    address: str
    said: list[str]

    def go(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page


def sit_down_at(
    stack: ExitStack, browser: Browser, address: str, login: str = "admin", *, width: int = DESK,
    scheme: str = "light", password: str = PASSWORD,
) -> Desk:  # fmt: skip
    """Somebody logs on by the form, in a browser window of their own that is closed with the stack."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    stack.callback(context.close)
    page = context.new_page()
    remember(stack, page)
    desk = Desk(page, address, [])
    page.on("console", lambda message: _is_advice(message) or desk.said.append(message.text))
    page.on("pageerror", lambda error: desk.said.append(str(error)))
    page.goto(address + "/log-on")
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log on").click()
    page.wait_for_url(lambda url: "/log-on" not in url)
    return desk


@pytest.fixture
def desk(browser: Browser, address: str) -> Iterator[Callable[..., Desk]]:
    with ExitStack() as stack:
        open_desks: list[Desk] = []

        def sit_down(*who: str, **options: Any) -> Desk:
            open_desks.append(sit_down_at(stack, browser, address, *who, **options))
            return open_desks[-1]

        yield sit_down
        for one in open_desks:
            assert one.said == [], "nothing may be written to the browser's console"


def _is_advice(message: ConsoleMessage) -> bool:
    """Chromium's hints for password managers, where a form holds passwords of a PBX."""
    return message.text.startswith("[DOM]")


def overflow(page: Page) -> int:
    """Pixels by which a page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def complaints(page: Page, *rules: str) -> list[str]:
    """What axe finds serious or critical; by these of its rules if any are named."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.axe_script)
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = page.evaluate("options => axe.run(options).then((found) => found.violations)", options)
    bad = [one for one in found if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:3]]}" for one in bad]
