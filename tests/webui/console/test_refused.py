"""What cannot be saved is said beside its field, and nothing that was typed is lost: whatever became of the thing, of
one's rights or of one's session meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.store.conftest import NOW
from tests.webui.console.conftest import Desk, Visitor
from tests.webui.console.filled import form_to
from wombat_ari.model.entities import CallList, Campaign, OpeningHours, Server, Trunk
from wombat_ari.store import campaigns, entities, lists, opening_hours
from wombat_ari.store.database import Database

Visitors = Callable[..., Visitor]
Persons = Callable[..., str]
Desks = Callable[..., Desk]
BY: dict[str, Any] = {"by": "admin", "now": NOW}


@pytest.fixture
def ids(database: Database) -> dict[str, int]:
    server = entities.save_server(database, Server(None, "HQ", "10.0.0.20", login="wombat"), **BY)
    trunk = entities.save_trunk(database, Trunk(None, server.id or 0, "Carrier", "SIP/${num}", 3), **BY)
    made = {
        "servers": server,
        "trunks": trunk,
        "lists": entities.save_list(database, CallList(None, "Spring"), **BY),
        "campaigns": campaigns.save_campaign(database, Campaign(None, "Offers"), **BY),
        "opening-hours": opening_hours.save_opening_hours(database, OpeningHours(None, "Week"), **BY),
    }
    return {name: thing.id or 0 for name, thing in made.items()}


def beside(page: str) -> list[str]:
    """Errors at fields."""
    return re.findall('<p class="error" id="([a-z_]+)-error">', page)


def test_a_name_that_is_taken_is_said_beside_it(visitor: Visitors, ids: dict[str, int]) -> None:
    ann = visitor()
    for editor, which in ids.items():
        form = form_to(ann.get(f"/{editor}/{which}").text, f"/{editor}/{which}").fields
        told = ann.client.post(f"/{editor}/new", data=form)
        assert told.status_code == 409, editor
        assert beside(told.text) == ["description" if editor == "servers" else "name"], editor


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("email_addresses", "nobody"), ("variables", "no colon"), ("http_notify_url", "ftp://x"), ("zone", "Mars"),
     ("start_s", "25:00"), ("dial_clid", "x" * 300), ("batch_size", "many")],
)  # fmt: skip
def test_what_is_wrong_of_a_campaign(visitor: Visitors, ids: dict[str, int], field: str, wrong: str) -> None:
    ann, path = visitor(), f"/campaigns/{ids['campaigns']}"
    told = ann.client.post(path, data={**form_to(ann.get(path).text, path).fields, field: wrong})
    assert told.status_code == 400
    assert beside(told.text) == [field]
    assert wrong in told.text


def test_the_second_save_sees_what_differs_and_may_go_over_it(visitor: Visitors, ids: dict[str, int]) -> None:
    ann, path = visitor(), f"/trunks/{ids['trunks']}"
    form = form_to(ann.get(path).text, path).fields
    assert ann.client.post(path, data={**form, "capacity": "7"}).status_code == 303
    told = ann.client.post(path, data={**form, "dial_string": "SIP/${num}@mine"})
    assert told.status_code == 409
    assert "Now stored: SIP/${num}." in told.text
    assert "Now stored: 7." in told.text
    assert beside(told.text) == ["dial_string", "capacity"]
    over = re.search('name="over" value="([0-9]+)"', told.text)
    assert over
    again = form_to(told.text, path).fields
    assert ann.client.post(path, data={**again, "over": over[1]}).status_code == 303
    assert "SIP/${num}@mine" in ann.get(path).text


def test_what_was_deleted_meanwhile_can_be_made_again(
    visitor: Visitors, ids: dict[str, int], database: Database
) -> None:
    ann, path = visitor(), f"/trunks/{ids['trunks']}"
    form = form_to(ann.get(path).text, path).fields
    entities.delete_trunk(database, ids["trunks"], **BY)
    told = ann.client.post(path, data={**form, "dial_string": "SIP/${num}@mine"})
    assert told.status_code == 404
    assert "not there any more" in told.text
    again = form_to(told.text, "/trunks/new").fields
    assert again["dial_string"] == ["SIP/${num}@mine"]
    assert ann.client.post("/trunks/new", data=again).status_code == 303


def test_the_name_of_a_clone_is_kept(visitor: Visitors, ids: dict[str, int]) -> None:
    told = visitor().post(f"/campaigns/{ids['campaigns']}/clone", name="Offers")
    assert told.status_code == 409
    assert 'value="Offers" aria-label="Name of the clone"' in told.text
    assert 'id="clone-error"' in told.text


SAME = {"Sec-Fetch-Site": "same-origin"}


def test_a_right_that_was_taken_away_loses_no_words(visitor: Visitors, person: Persons, ids: dict[str, int]) -> None:
    person("ann", "LISTS")
    ann, path = visitor("ann"), f"/campaigns/{ids['campaigns']}"
    sent = {"csrf_token": ann.token(), "variables": "long:thought\nabout", "notify_secret": "s3cret", "version": "1"}
    told = ann.client.post(path, data=sent, headers=SAME)
    assert told.status_code == 403
    assert "What you had filled in" in told.text
    assert "long:thought\nabout" in told.text
    assert "s3cret" not in told.text
    strange = ann.client.post(path, data=sent, headers={"Sec-Fetch-Site": "cross-site"})
    assert "long:thought" not in strange.text


def test_a_session_that_ended_loses_no_words(visitor: Visitors, ids: dict[str, int]) -> None:
    ann, path = visitor(), f"/lists/{ids['lists']}/paste"
    sent = {"csrf_token": ann.token(), "numbers": "5551234,NAME:Ann"}
    ann.post("/log-off")
    told = ann.client.post(path, data=sent, headers=SAME)
    assert told.status_code == 401
    assert "5551234,NAME:Ann" in told.text
    assert ann.client.post(path, data=sent, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 303


def test_of_many_lists_one_is_found_and_added(visitor: Visitors, ids: dict[str, int], database: Database) -> None:
    """A choice of thousands is neither sent whole nor a dead end."""
    for number in range(230):
        lists.list_named(database, f"Area {number:03}", **BY)
    ann, path = visitor(), f"/campaigns/{ids['campaigns']}"
    page = ann.get(path).text
    assert "Area 000" in page
    assert "Area 229" not in page
    assert "231 can be added; the first 200 are offered" in page
    found = ann.get(path, **{"lists-q": "229", "q": "off"}).text
    adder = form_to(found, f"{path}/lists/add").fields
    told = ann.client.post(f"{path}/lists/add?q=off", data=adder)
    assert "q=off" in told.location
    assert "Area 229" in ann.get(path).text
