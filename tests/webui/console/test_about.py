"""About: for who holds LICKEY."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.webui.conftest import Dialer
from tests.webui.console.conftest import Desk, Visitor
from tests.webui.console.looks import assert_looks_well

Visitors = Callable[..., Visitor]


def test_without_its_key_it_is_not_there(visitor: Visitors, person: Callable[..., str]) -> None:
    eve = visitor(person("eve", "ADMIN", "LIVE", "STATUS", "SYSLOG", "DEBUG_AMI"))
    assert 'href="/about"' not in eve.get("/").text
    assert eve.get("/about").status_code == 403
    assert 'href="/about"' in visitor(person("lou", "LICKEY")).get("/").text


def test_it_says_what_it_is_and_is_made_of(desk: Callable[..., Desk], dialer: Dialer) -> None:
    page = desk().go("/about")
    page.get_by_text("packages and their licences").click()
    for text in ("the licence sets no limit", "not running", "BSD-3-Clause", "Permission is hereby granted"):
        page.get_by_text(text).first.wait_for()
    assert page.get_by_role("row", name="Twisted").count() == 1
    assert_looks_well(page)


def test_a_dialer_that_runs_says_since_when(visitor: Visitors, dialer: Dialer) -> None:
    one = visitor()
    dialer.picture = {"state": "READY", "up_since": time.time() - 3725, "channels_in_use": 17, "now": time.time()}
    page = one.get("/about").text
    assert "up 1:02:05" in page
    assert "17" in page
