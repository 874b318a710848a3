"""The system log's page: filters, pages, times in the visitor's zone, nothing but text."""

from __future__ import annotations

from collections.abc import Callable

from tests.store.conftest import NOW
from tests.webui.console.conftest import XSS, Desk, Visitor
from tests.webui.console.looks import assert_looks_well
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.store import syslog
from wombat_ari.store.database import Database

Visitors = Callable[..., Visitor]
DAY = 1_767_225_600.0  # 2026-01-01T00:00:00Z


def write(db: Database, *lines: SystemLogEntry) -> None:
    syslog.write(db, lines)


def test_without_its_key_it_is_not_there(visitor: Visitors, person: Callable[..., str]) -> None:
    eve = visitor(person("eve", "ADMIN", "LIVE", "STATUS", "LICKEY", "DEBUG_AMI"))
    assert "/syslog" not in eve.get("/").text
    assert eve.get("/syslog").status_code == 403
    assert 'href="/syslog"' in visitor(person("sue", "SYSLOG")).get("/").text


def test_it_is_filtered_by_user_action_and_period_in_the_visitors_zone(
    visitor: Visitors, person: Callable[..., str], database: Database
) -> None:
    write(
        database,
        SystemLogEntry(DAY, "ann", "sang", "early"),
        SystemLogEntry(DAY + 3600, "ann", "danced", "middle"),
        SystemLogEntry(DAY + 7200, "ben", "sang", "late"),
    )
    sue = visitor(person("sue", "SYSLOG", time_zone="Asia/Tokyo"))

    def found(**wanted: str) -> list[str]:
        page = sue.get("/syslog", **wanted).text
        return [word for word in ("early", "middle", "late") if f">{word}<" in page]

    assert found() == ["early", "middle", "late"]
    assert found(user="ann") == ["early", "middle"]
    assert found(user="ann", action="sang") == ["early"]
    assert found(**{"from": "2026-01-01T10:00", "to": "2026-01-01T11:00"}) == ["middle"], "Tokyo is nine hours ahead"
    assert "2026-01-01 10:00:00" in sue.get("/syslog").text
    assert sue.get("/syslog", **{"from": "yesterday"}).status_code == 400
    assert sue.get("/syslog", behind="1,x").status_code == 400


def test_pages_forth_and_back(desk: Callable[..., Desk], database: Database) -> None:
    lines = [SystemLogEntry(NOW + 10 + number, XSS[:80], XSS[:80], f"line {number}", XSS) for number in range(250)]
    write(database, *lines)
    page = desk().go("/syslog?action=" + XSS[:80].replace("&", "%26"))
    page.get_by_text("line 249", exact=True).wait_for()
    page.get_by_role("link", name="Earlier").click()
    page.get_by_text("line 149", exact=True).wait_for()
    assert page.get_by_text("line 249", exact=True).count() == 0
    page.get_by_role("link", name="Earlier").click()
    page.get_by_text("line 0", exact=True).wait_for()
    assert page.get_by_role("link", name="Earlier").count() == 0
    page.get_by_role("link", name="Later").click()
    page.get_by_text("line 149", exact=True).wait_for()
    assert page.title() == "System log · Wombat ARI"
    assert_looks_well(page)
