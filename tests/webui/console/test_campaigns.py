"""Campaigns: made by clicks with all that belongs to them, what they lack before they start, who may see and choose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.store.conftest import NOW
from tests.webui.console.conftest import Desk, Visitor
from wombat_ari.model.entities import (
    CallList,
    Campaign,
    EndPoint,
    OpeningHours,
    Server,
    Trunk,
)
from wombat_ari.model.states import CampaignStatus, DispositionVerb, EndPointType, ListUse
from wombat_ari.store import campaigns, entities, opening_hours
from wombat_ari.store.database import Database

Visitors = Callable[..., Visitor]
Persons = Callable[..., str]
Desks = Callable[..., Desk]
BY: dict[str, Any] = {"by": "admin", "now": NOW}
OWN = {
    "name": "Spring", "status": "RUNNABLE", "priority": "10", "batch_size": "100", "boost": "1", "start_s": "09:00",
    "end_s": "18:30:15", "days": ["2", "3"], "zone": "Europe/Rome", "answer_timeout_ms": "30000",
    "forced_closure_s": "0", "logging": "NONE", "email_events": "NONE",
}  # fmt: skip
RULE = {"status": "RS_BUSY", "extended_status": "", "max_attempts": "3", "retry_after_s": "300", "mode": "FIXED"}


@pytest.fixture
def world(database: Database) -> dict[str, int]:
    """Ids of a server's lines, two lists, opening hours and a campaign that has none of them."""
    server = entities.save_server(database, Server(None, "HQ"), **BY)
    trunk = entities.save_trunk(database, Trunk(None, server.id or 0, "Carrier", "PJSIP/${num}"), **BY)
    point = EndPoint(None, server.id or 0, EndPointType.PHONE, "Message", "100", "message")
    point = entities.save_end_point(database, point, **BY)
    numbers, never = (entities.save_list(database, CallList(None, name), **BY) for name in ("Numbers", "Never"))
    hours = opening_hours.save_opening_hours(database, OpeningHours(None, "Office"), **BY)
    campaign = campaigns.save_campaign(database, Campaign(None, "Spring"), **BY)
    named = {
        "trunk": trunk, "point": point, "numbers": numbers, "never": never, "hours": hours, "campaign": campaign,
    }  # fmt: skip
    return {name: thing.id or 0 for name, thing in named.items()}


def stored(database: Database, world: dict[str, int]) -> Campaign:
    return campaigns.load_campaign(database, world["campaign"])


def test_by_clicks(desk: Desks, database: Database, world: dict[str, int]) -> None:
    page = desk().go("/campaigns")
    page.get_by_role("link", name="New campaign").click()
    page.get_by_label("Name", exact=True).fill("Autumn")
    page.get_by_text("When", exact=True).click()
    page.get_by_label("From").fill("09:00")
    page.get_by_label("Sun", exact=True).uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Campaign Autumn is saved.").wait_for()
    assert page.get_by_text("it has no trunk to dial out on").is_visible()
    assert page.get_by_role("button", name="Start").count() == 0
    for part, choice in (("trunks", "Carrier on HQ"), ("end-points", "Message on HQ")):
        section = page.locator(f"#{part}")
        section.get_by_role("combobox").select_option(choice)
        section.get_by_role("button", name="Add").click()
    lists = page.locator("#lists")
    lists.get_by_label("which to add").select_option("Numbers")
    lists.get_by_role("button", name="Add").click()
    lists.get_by_label("which to add").select_option("Never")
    lists.get_by_label("What the list is").select_option("BLACK")
    lists.get_by_role("button", name="Add").click()
    lists.get_by_role("button", name="Move Never up").click()
    rules = page.locator("#rules")
    rules.get_by_text("Add a reschedule rule").click()
    rules.get_by_label("Again after, s").fill("120")
    rules.get_by_role("button", name="Add").click()
    rules.get_by_text("again after 2:00").click()
    rules.get_by_label("Most attempts").first.fill("5")
    rules.get_by_role("button", name="Save rule").click()
    rules.get_by_text("5 times at most").wait_for()
    assert page.get_by_role("button", name="Start").is_visible()
    made = campaigns.load_campaign(database, "Autumn")
    assert (made.active_period.start_s, made.active_period.days) == (9 * 3600, "234567")
    assert (made.trunk_ids, made.end_point_ids) == ((world["trunk"],), (world["point"],))
    assert [(one.name, one.use) for one in made.lists] == [("Never", ListUse.BLACK), ("Numbers", ListUse.NORMAL)]
    assert [(rule.status, rule.max_attempts, rule.retry_after_s) for rule in made.rules] == [("RS_BUSY", 5, 120)]


def test_its_own_fields(visitor: Visitors, database: Database, world: dict[str, int]) -> None:
    one, path = visitor(), f"/campaigns/{world['campaign']}"
    assert one.post(path, **OWN, idles_on_termination="y", agent_clid="${ID}").status_code == 303
    saved = stored(database, world)
    assert saved.idles_on_termination
    assert (saved.active_period.end_s, saved.active_period.days) == (18 * 3600 + 30 * 60 + 15, "23")
    assert (saved.agent_clid, saved.active_period.zone) == ("${ID}", "Europe/Rome")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("start_s", "25:00", "it must be a time of day"),
        ("end_s", "noon", "it must be a time of day"),
        ("zone", "Mars/Olympus", "IANA name"),
        ("priority", "-1", "Number must be between"),
        ("boost", "nan", "boost"),
        ("status", "BROKEN", "Not a valid choice"),
        ("days", [], "allowed days"),
        ("http_notify_url", "ftp://x", "it must begin with http"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_changed(
    visitor: Visitors, database: Database, world: dict[str, int], field: str, value: Any, said: str
) -> None:
    before = stored(database, world)
    answer = visitor().post(f"/campaigns/{world['campaign']}", **{**OWN, field: value})
    assert answer.status_code == 400
    assert said in answer.text
    assert stored(database, world) == before


def test_a_save_leaves_what_belongs_to_it(visitor: Visitors, database: Database, world: dict[str, int]) -> None:
    one, path = visitor(), f"/campaigns/{world['campaign']}"
    assert one.post(f"{path}/trunks/add", key=str(world["trunk"])).status_code == 303
    assert one.post(f"{path}/rules/add", **RULE).status_code == 303
    assert one.post(path, **{**OWN, "name": "Summer"}).status_code == 303
    saved = stored(database, world)
    assert (saved.name, saved.trunk_ids, len(saved.rules)) == ("Summer", (world["trunk"],), 1)


def test_dispositions_and_opening_hours(visitor: Visitors, database: Database, world: dict[str, int]) -> None:
    one, path = visitor(), f"/campaigns/{world['campaign']}"
    assert one.post(f"{path}/opening-hours/add", key=str(world["hours"])).status_code == 303
    given = {
        "status": "*", "extended_status": "SALE", "verb": "ADD_LIST", "destination": "Sold", "text": "",
        "delay_s": "60", "attributes": "ALL", "extra": "", "with_retries": "y",
    }  # fmt: skip
    assert one.post(f"{path}/dispositions/add", **given).status_code == 303
    wrong = one.post(f"{path}/dispositions/add", **{**given, "verb": "HTTP_POST", "destination": "nowhere"})
    assert (wrong.status_code, "destination" in wrong.text) == (400, True)
    saved = stored(database, world)
    assert saved.opening_hours_ids == (world["hours"],)
    assert [(rule.verb, rule.destination, rule.delay_s, rule.with_retries) for rule in saved.dispositions] == [
        (DispositionVerb.ADD_LIST, "Sold", 60, True)
    ]
    key = str(saved.dispositions[0].id)
    assert one.post(f"{path}/dispositions/remove", key=key).status_code == 303
    assert one.post(f"{path}/opening-hours/remove", key=str(world["hours"])).status_code == 303
    assert (stored(database, world).dispositions, stored(database, world).opening_hours_ids) == ((), ())


def test_a_wrong_rule_is_shown_again_as_it_was_filled_in(visitor: Visitors, world: dict[str, int]) -> None:
    answer = visitor().post(f"/campaigns/{world['campaign']}/rules/add", **{**RULE, "retry_after_s": "-7"})
    assert answer.status_code == 400
    assert 'value="-7"' in answer.text
    assert visitor().post(f"/campaigns/{world['campaign']}/rules/explode").status_code == 400
    assert visitor().post(f"/campaigns/{world['campaign']}/trunks/add").status_code == 303, "nothing was chosen"


def test_a_clone_has_all(visitor: Visitors, database: Database, world: dict[str, int]) -> None:
    one, path = visitor(), f"/campaigns/{world['campaign']}"
    one.post(f"{path}/rules/add", **RULE)
    assert one.post(f"{path}/clone", name="Spring II").status_code == 303
    assert len(campaigns.load_campaign(database, "Spring II").rules) == 1
    again = one.post(f"{path}/clone", name="Spring")
    assert again.status_code == 409
    assert "there is one of that name already" in again.text


def test_hidden_ones_are_found_with_a_tilde(visitor: Visitors, database: Database) -> None:
    campaigns.save_campaign(database, Campaign(None, "Old one", status=CampaignStatus.HIDDEN), **BY)
    one = visitor()
    assert "Old one" not in one.get("/campaigns").text
    assert "Old one" not in one.get("/campaigns", q="old").text
    assert "Old one" in one.get("/campaigns", q="~old").text


def test_keys(visitor: Visitors, person: Persons, database: Database, world: dict[str, int]) -> None:
    secret = campaigns.save_campaign(database, Campaign(None, "Secret one", security_key="VIP"), **BY)
    hidden = entities.save_list(database, CallList(None, "Secret list", security_key="VIP"), **BY)
    bob, eve = visitor(person("bob", "CAMPAIGNS")), visitor(person("eve", "CAMPAIGNS", "VIP"))
    nobody, watcher = visitor(person("ned", "LISTS")), visitor(person("liv", "LIVE"))
    path = f"/campaigns/{world['campaign']}"
    assert "Secret one" in eve.get("/campaigns").text
    assert "Secret one" not in bob.get("/campaigns").text
    assert bob.get(f"/campaigns/{secret.id}").status_code == 404
    assert bob.post(f"/campaigns/{secret.id}/trunks/add", key=str(world["trunk"])).status_code in (303, 404)
    assert stored(database, {"campaign": secret.id or 0}).trunk_ids == ()
    assert "Secret list" in eve.get(path).text
    assert "Secret list" not in bob.get(path).text
    bob.post(f"{path}/lists/add", key=str(hidden.id))
    assert stored(database, world).lists == (), "what one does not see one cannot choose"
    assert nobody.get("/campaigns").status_code == 403
    assert "Campaigns" not in nobody.get("/").text
    assert watcher.get(path).status_code == 200
    assert watcher.post(path, **OWN).status_code == 403
    assert watcher.post(f"{path}/trunks/add", key=str(world["trunk"])).status_code == 403
