"""What holds for every page there is: the reader's own clock, a dialer that is down, a database that is away, numbers
that stand under each other, and windows between a phone and a wall."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from argon2 import PasswordHasher
from flask import Flask
from playwright.sync_api import Browser
from werkzeug.routing import Rule

from tests.store.conftest import NOW
from tests.webui.conftest import PASSWORD, Switch
from tests.webui.console.conftest import DESK, Visitor, overflow, serving, sit_down_at
from tests.webui.console.engine import Engine
from tests.webui.console.seeded import Seeded, looks_of, rules_of
from webui import create_app
from wombat_ari.app.config import load_settings
from wombat_ari.model.admin import User
from wombat_ari.model.errors import StoreError
from wombat_ari.store import users
from wombat_ari.store.database import Database, open_database

LONG = "Wombats of the northern tablelands and further inland, spring " * 2
#: a day, a day with a time, or a time of day to the second; durations of ten hours and more do not occur here
MOMENT = re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?|\b\d\d:\d\d:\d\d\b")
#: times of day that campaigns and opening hours hold, in zones of their own
MIDNIGHT = "T00:00"  #: where a period begins that is suggested: a day of the reader's
CONFIGURED = {"00:00:00", "23:59:59", "09:00:00", "18:00:00"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """Names without a blank to break at, and long ones."""
    folder = tmp_path_factory.mktemp("everywhere")
    database = open_database(f"sqlite:///{folder / 'wombat.db'}", key_file=folder / "secret.key")
    engine = Engine(folder, database)
    seeded = Seeded(engine, lambda what: f"{what} {LONG}"[:80].strip()).configure()
    engine.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        users._nobody.cache_clear()
        users.create_admin(database, PASSWORD, now=NOW)
        for login, zone in (("tokyo", "Asia/Tokyo"), ("kathmandu", "Asia/Kathmandu")):
            user = users.save_user(database, User(None, login, master=True, time_zone=zone), by="admin", now=NOW)
            users.set_password(database, user.id or 0, password=PASSWORD, by="admin", now=NOW)
        yield seeded.people().live()
    engine.world.stop()
    database.close()


@pytest.fixture(scope="module")
def app(world: Seeded) -> Flask:
    settings = load_settings(environ={"WOMBAT_ARI_DIALER_TIME_ZONE": "Europe/Rome"})
    return create_app(settings=settings, database=world.database, ask=world.engine, engine=Switch())


def pages_of(app: Flask, world: Seeded) -> Iterator[tuple[Rule, str]]:
    for rule in rules_of(app, "GET"):
        for path in looks_of(rule, world):
            yield rule, path


def test_times_are_the_reader_s_on_every_page(app: Flask, world: Seeded) -> None:
    """Read in two zones, 3:15 hours apart: no time may be the same in both."""
    tokyo, kathmandu = (Visitor(app.test_client(), login) for login in ("tokyo", "kathmandu"))
    found, wrong = set(), {}
    for rule, path in pages_of(app, world):
        if rule.endpoint == "console.report_export":  # holds run names, as they are stored; its clock: test_reports
            continue
        texts = [visitor.get(path).text for visitor in (tokyo, kathmandu)]
        one, other = (
            {said for said in MOMENT.findall(text) if not said.endswith(MIDNIGHT)} - CONFIGURED for text in texts
        )
        found |= {rule.endpoint.removeprefix("console.")} if one else set()
        if same := one & other:
            wrong[path] = sorted(same)
    assert wrong == {}
    shown = "live live_part reports report attempts attempt syslog job servers_info outbox account"
    assert found >= set(shown.split()), "these show times"


def test_a_dialer_that_is_down_is_said_and_no_page_breaks(app: Flask, world: Seeded) -> None:
    admin = Visitor(app.test_client(), "admin")
    world.engine.down = True
    try:
        for rule, path in pages_of(app, world):
            answer = admin.get(path)
            assert answer.status_code in (200, 303, 404, 503) or "/csv/x" in path, path
            assert "Traceback" not in answer.text
            if rule.endpoint.removeprefix("console.") in ("live", "live_part", "status_part", "status"):
                assert "the dialer is not running" in answer.text.lower() or "DOWN" in answer.text, path
    finally:
        world.engine.down = False


def test_a_database_that_is_away_is_said_on_every_page(
    app: Flask, world: Seeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its words, not ours for a mistake; buttons too."""
    admin = Visitor(app.test_client(), "admin")
    token = admin.token()

    def away(*_: object, **__: object) -> None:
        raise StoreError("it does not answer")

    monkeypatch.setattr(Database, "transaction", away)
    for rule, path in pages_of(app, world):
        if rule.endpoint not in ("console.health", "console.log_on"):  # these: test_status, test_attacks
            answer = admin.client.get(path)
            assert (answer.status_code, "it does not answer" in answer.text) == (503, True), path
    for rule in rules_of(app, "POST"):
        if rule.endpoint == "console.log_on":
            continue
        path = next(iter(looks_of(rule, world)))
        answer = admin.client.post(path, data={"csrf_token": token, "login": "admin", "password": PASSWORD})
        assert (answer.status_code, "it does not answer" in answer.text) == (503, True), path


ALIGNED = """() => [...document.querySelectorAll("main td")].filter((cell) => {
  const text = cell.innerText.trim();
  if (!/^[0-9][0-9,.]*( %)?$/.test(text) || cell.closest(".preview, .changes")) return false;
  if (["Status", "Asterisk", "Number"].includes(cell.dataset.label)) return false; // no numbers but names
  const style = getComputedStyle(cell);
  return style.textAlign !== "right" || !style.fontVariantNumeric.includes("tabular-nums");
}).map((cell) => `${cell.dataset.label}: ${cell.innerText}`)"""


def test_numbers_are_aligned_and_nothing_sticks_out_between_a_phone_and_a_wall(
    app: Flask, world: Seeded, browser: Browser
) -> None:
    admin, wrong = Visitor(app.test_client(), "admin"), []
    whole = [
        path for rule, path in pages_of(app, world)
        if "export" not in path and admin.get(path).text.startswith("<!doctype")
    ]  # fmt: skip
    with serving(app) as address, ExitStack() as stack:
        desk = sit_down_at(stack, browser, address, width=DESK)
        for path in whole:
            page = desk.go(path)
            wrong += [f"{path}: {cell} is not aligned" for cell in page.evaluate(ALIGNED)]
            for width in (768, 3840):
                page.set_viewport_size({"width": width, "height": 900})
                wrong += [f"{path}: {sticks_out} px at {width}"] if (sticks_out := overflow(page)) else []
            page.set_viewport_size({"width": DESK, "height": 900})
            moves = page.evaluate("document.getAnimations().length")
            wrong += [f"{path}: {moves} things move"] if moves else []
    assert len(whole) > 50
    assert not wrong, "\n".join(wrong)
