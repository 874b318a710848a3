"""A page with nothing on it says what it is for and where to go next."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.store.conftest import NOW
from tests.webui.console.conftest import Visitor
from wombat_ari.model.entities import CallList
from wombat_ari.store import entities
from wombat_ari.store.database import Database

Visitors = Callable[..., Visitor]


@pytest.mark.parametrize(
    ("path", "says", "leads_to"),
    [
        ("/", "Nothing is set up yet", "/setup"),
        ("/campaigns", "whom to call", "/campaigns/new"),
        ("/lists", "numbers to call", "/lists/new"),
        ("/pbx", "first of all add the Asterisk", "/servers/new"),
        ("/opening-hours", "in its own period", "/opening-hours/new"),
        ("/reports", "start a campaign first", "/live"),
        ("/jobs", "Imports of long files", "/lists"),
        ("/ami", "No server is in use", "/pbx"),
    ],
)
def test_what_it_is_for_and_what_is_next(visitor: Visitors, path: str, says: str, leads_to: str) -> None:
    page = visitor().get(path).text.partition("<main")[2]
    assert says in page
    assert re.search(f'<a class="button[^"]*" href="{leads_to}"', page), page


def test_a_trunk_leads_to_the_server_it_is_on(visitor: Visitors) -> None:
    ann = visitor()
    told = ann.get("/trunks/new")
    assert told.location == "/servers/new"
    assert "First add a server" in ann.get(told.location).text


def test_nothing_but_hidden_ones_is_not_nothing(visitor: Visitors, database: Database) -> None:
    entities.save_list(database, CallList(None, "old", hidden=True), by="admin", now=NOW)
    page = visitor().get("/lists").text
    assert "All 1 are hidden" in page
    assert "no list yet" not in page


def test_an_empty_list_asks_for_numbers(visitor: Visitors, database: Database) -> None:
    made = entities.save_list(database, CallList(None, "new"), by="admin", now=NOW)
    for page in (f"/lists/{made.id}", f"/lists/{made.id}/records"):
        assert f'<a class="button primary" href="/lists/{made.id}/add">' in visitor().get(page).text
