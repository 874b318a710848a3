"""The doctor's page and the test of a connection; what is found is made up here, and real in tests/system."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from threading import Event
from typing import Any

import pytest

from tests.webui.console.conftest import XSS, Desk, Visitor
from tests.webui.console.looks import assert_looks_well
from wombat_ari.app.doctor_words import Finding, bad, good, warning
from wombat_ari.app.service import connection
from wombat_ari.app.service import doctor as service

Visitors = Callable[..., Visitor]


@pytest.fixture
def go_on(monkeypatch: pytest.MonkeyPatch) -> Event:
    """The examination's second half waits for it."""
    go_on = Event()

    async def examine(settings: Any, db: Any, reactor: Any, *, load: Any) -> AsyncIterator[Finding]:
        yield good("database", "answers")
        yield warning(f"server {XSS}", f"slow {XSS}", f"look at {XSS}")
        go_on.wait(20)
        yield bad("trunk carrier", "PJSIP has no end point carrier", "add it to pjsip.conf")

    def begin(work: Any) -> None:
        import asyncio
        import threading

        threading.Thread(target=lambda: asyncio.run(work(None)), daemon=True).start()

    real = service.Doctor.__init__

    def made(self: Any, settings: Any, db: Any) -> None:
        real(self, settings, db, begin=begin, examine=examine)

    monkeypatch.setattr(service.Doctor, "__init__", made)
    return go_on


def test_without_its_key_it_is_not_there(visitor: Visitors, person: Callable[..., str], app: Any) -> None:
    eve = visitor(person("eve", "LIVE", "SYSLOG", "STATUS", "CAMPAIGNS", "LISTS"))
    assert "/doctor" not in eve.get("/").text
    for path in ("/doctor", "/doctor/part"):
        assert eve.get(path).status_code == 403
    assert eve.post("/doctor").status_code == 403
    assert eve.post("/servers/test", address="127.0.0.1").status_code == 403
    anna = visitor(person("anna", "ADMIN"))
    assert 'href="/doctor"' in anna.get("/").text
    assert app.test_client().get("/doctor").status_code == 303


def test_a_form_of_elsewhere_is_refused(visitor: Visitors) -> None:
    one = visitor()
    assert one.client.post("/doctor").status_code == 400
    assert one.client.post("/servers/test", data={"address": "127.0.0.1"}).status_code == 400


def test_findings_come_as_they_are_made(go_on: Event, desk: Callable[..., Desk]) -> None:
    page = desk().go("/doctor")
    page.get_by_text("Nothing was examined yet.").wait_for()
    page.get_by_role("button", name="Examine").click()
    page.get_by_text("slow <img").wait_for()
    assert page.get_by_role("progressbar").count() == 1
    assert page.get_by_text("PJSIP has no end point").count() == 0
    go_on.set()
    page.get_by_text("PJSIP has no end point carrier").wait_for()
    page.get_by_text("something has to be mended").wait_for()
    assert page.get_by_role("progressbar").count() == 0
    assert page.title() == "Doctor · Wombat ARI", "no name is a script"
    assert_looks_well(page)


# The test of a connection


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked to be tried; it is found to be broken."""
    asked: list[Any] = []

    def tried(caller: Any, db: Any, server: Any) -> list[Finding]:
        asked.append(server)
        return [bad(server.address, f"refused {XSS}", "see manager.conf")]

    monkeypatch.setattr(connection, "test_connection", tried)
    return asked


def test_what_is_filled_in_is_tried_and_stays(asked: list[Any], desk: Callable[..., Desk]) -> None:
    page = desk().go("/servers/new")
    page.get_by_label("Name", exact=True).fill("Half done")
    page.get_by_label("Address", exact=True).fill("pbx.example")
    page.get_by_label("AMI port").fill("5039")
    page.get_by_label("AMI login").fill("wombat")
    page.get_by_label("AMI password", exact=True).fill("s3cret")
    page.get_by_label("AMI over TLS").check()
    page.get_by_role("button", name="Test connection").click()
    page.get_by_text("refused <img").wait_for()
    assert page.get_by_label("Name", exact=True).input_value() == "Half done"
    (server,) = asked
    assert (server.id, server.address, server.port, server.login) == (None, "pbx.example", 5039, "wombat")
    assert (server.password.reveal(), server.tls) == ("s3cret", True)
    assert page.get_by_text("see manager.conf").count() == 1


def test_what_cannot_be_is_said(visitor: Visitors) -> None:
    answer = visitor().post("/servers/test", address="pbx", port="nonsense", description="x")
    assert answer.status_code == 200
    assert "AMI port" in answer.text
