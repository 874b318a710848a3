"""The home page: where one may go, what is new, and the way to the set-up of a new system."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.webui.conftest import Dialer
from tests.webui.console.conftest import Desk, Visitor
from tests.webui.console.looks import assert_looks_well
from tests.webui.console.test_status import snapshot
from webui.console import menu
from webui.console.home import SENTENCES

Visitors = Callable[..., Visitor]


@pytest.mark.parametrize(
    ("keys", "there", "not_there"),
    [
        ((), (), ("/live", "/doctor", "/syslog", "/reports", "/setup", 'id="status"')),
        (("SYSLOG",), ("/syslog",), ("/doctor", "/ami", "/setup")),
        (("ADMIN",), ("/doctor", "/pbx"), ("/syslog", "/about", "/ami", "/setup")),
        (("DEBUG_AMI", "LICKEY"), ("/ami", "/about"), ("/doctor", "/syslog")),
    ],
)
def test_it_leads_where_one_may_go(
    visitor: Visitors,
    person: Callable[..., str],
    keys: tuple[str, ...],
    there: tuple[str, ...],
    not_there: tuple[str, ...],
) -> None:
    page = visitor(person("eve", *keys)).get("/").text
    for path in there:
        assert page.count(f'href="{path}"') == 2, "in the menu and on the page"
    for path in not_there:
        assert path not in page
    assert ("no key yet" in page) is (not keys)


def test_every_page_of_the_menu_has_its_sentence() -> None:
    pages = {entry.endpoint for _, entries in menu.MENU for entry in entries} - {"home"}
    assert pages == set(SENTENCES)


def test_it_says_the_version_and_what_changed(visitor: Visitors, person: Callable[..., str]) -> None:
    page = visitor(person("eve")).get("/").text
    assert "Wombat ARI 0." in page
    assert "more changes of 0." in page


def test_it_looks_well(desk: Callable[..., Desk], dialer: Dialer) -> None:
    dialer.picture = snapshot()
    page = desk().go("/")
    page.get_by_role("link", name="Set it up").wait_for()
    page.get_by_role("heading", name="What you can do").wait_for()
    assert_looks_well(page)
