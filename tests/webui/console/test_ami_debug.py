"""The AMI debugger's page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.store.conftest import NOW
from tests.webui.conftest import Dialer
from tests.webui.console.conftest import XSS, Desk, Visitor
from tests.webui.console.looks import assert_looks_well
from wombat_ari.model.entities import Server
from wombat_ari.model.errors import UserError
from wombat_ari.store import entities
from wombat_ari.store.database import Database

Visitors = Callable[..., Visitor]


@pytest.fixture
def server(database: Database) -> int:
    return entities.save_server(database, Server(None, "pbx <1>"), by="root", now=NOW).id or 0


@pytest.fixture
def said(dialer: Dialer) -> list[list[Any]]:
    """What the PBX said; ``dialer.on`` whether it is watched."""
    said: list[list[Any]] = []
    dialer.on = False  # type: ignore[attr-defined]

    def overhear(server: int, *, after: int = 0, begin: bool = False) -> dict[str, Any]:
        dialer.on = dialer.on or begin  # type: ignore[attr-defined]
        found = [each for each in said if each[0] > after] if dialer.on else []  # type: ignore[attr-defined]
        return {"on": dialer.on, "last": found[-1][0] if found else after, "messages": found}  # type: ignore[attr-defined]

    dialer.overhear = overhear  # type: ignore[attr-defined]
    return said


def test_without_its_key_it_is_not_there(
    visitor: Visitors, person: Callable[..., str], server: int, said: list[Any], dialer: Dialer
) -> None:
    eve = visitor(person("eve", "ADMIN", "LIVE", "STATUS", "SYSLOG", "CTRL_WBT"))
    assert 'href="/ami"' not in eve.get("/").text
    for path in ("/ami", "/ami/part", f"/ami/part?server={server}"):
        assert eve.get(path).status_code == 403
    assert eve.post("/ami", server=str(server)).status_code == 403
    assert not dialer.on  # type: ignore[attr-defined]
    assert 'href="/ami"' in visitor(person("dora", "DEBUG_AMI")).get("/").text


def test_looking_alone_does_not_begin_it(visitor: Visitors, server: int, said: list[Any], dialer: Dialer) -> None:
    one = visitor()
    assert "Watch" in one.get("/ami", server=str(server)).text
    answer = one.get("/ami/part", server=str(server))
    assert answer.headers["X-Stop"]
    assert not dialer.on  # type: ignore[attr-defined]
    assert one.client.post("/ami", data={"server": server}).status_code == 400, "no token"
    assert not dialer.on  # type: ignore[attr-defined]
    assert one.post("/ami", server="999").status_code == 404


def test_a_dialer_that_is_down_is_said(visitor: Visitors, server: int, dialer: Dialer) -> None:
    def overhear(server: int, **asked: Any) -> None:
        raise UserError("the dialer is not running", code="dialer-down")

    dialer.overhear = overhear  # type: ignore[attr-defined]
    one = visitor()
    assert one.post("/ami", server=str(server)).location == "/ami"
    assert "the dialer is not running" in one.get("/ami").text
    page = one.get("/ami", server=str(server))
    assert page.status_code == 200
    assert "the dialer is not running" in page.text


def test_it_is_watched_filtered_and_stopped(
    desk: Callable[..., Desk], server: int, said: list[list[Any]], dialer: Dialer
) -> None:
    page = desk().go("/ami")
    page.get_by_role("button", name="Watch").click()
    page.get_by_text("Nothing was said yet.").wait_for()
    said.append([1, NOW, True, f"Action: Originate\nChannel: {XSS}"])
    said.append([2, NOW, False, "Event: Hangup\nCause: 16"])
    page.get_by_text("Action: Originate").wait_for()
    assert page.get_by_text("Event: Hangup").count() == 1
    assert page.title() == "AMI debugger · Wombat ARI"
    assert_looks_well(page)
    page.get_by_label("With this text").fill("hangup")
    page.get_by_role("button", name="Filter").click()
    page.get_by_text("Event: Hangup").wait_for()
    assert page.get_by_text("Action: Originate").count() == 0
    page.get_by_label("With this text").fill("")
    page.get_by_label("events").uncheck()
    page.get_by_role("button", name="Filter").click()
    page.get_by_text("Action: Originate").wait_for()
    assert page.get_by_text("Event: Hangup").count() == 0
    dialer.on = False  # type: ignore[attr-defined]
    page.get_by_text("It is off. Watch again to go on.").wait_for()
    page.get_by_role("button", name="Filter").wait_for()
