"""Opening hours and their rules by clicks; two editors; keys. And what waits to be told outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.store.conftest import NOW
from tests.webui.console.conftest import Desk, Visitor
from wombat_ari.model.entities import OpeningHours, OpeningRule
from wombat_ari.model.errands import Errand, ErrandKind
from wombat_ari.store import opening_hours, outbox
from wombat_ari.store.database import Database

Visitors = Callable[..., Visitor]
Persons = Callable[..., str]
Desks = Callable[..., Desk]
BY: dict[str, Any] = {"by": "admin", "now": NOW}
RULE = {"open": "True", "days": ["2", "3"], "start_s": "09:00", "end_s": "18:00"}


def one_of(database: Database) -> OpeningHours:
    return opening_hours.list_opening_hours(database)[0]


def test_by_clicks(desk: Desks, database: Database) -> None:
    page = desk().go("/opening-hours")
    page.get_by_role("link", name="New opening hours").click()
    page.get_by_label("Name", exact=True).fill("Office")
    page.get_by_label("Open when no rule fits").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Opening hours Office is saved.").wait_for()
    assert page.get_by_text("No rule: always closed.").is_visible()
    page.get_by_text("Add a rule").click()
    new = page.locator("#rule-new")
    new.get_by_label("Sun").uncheck()
    new.get_by_label("Sat").uncheck()
    new.get_by_role("button", name="Add").click()
    page.get_by_text("Mon Tue Wed Thu Fri, 09:00 to 18:00").wait_for()
    page.get_by_text("Add a rule").click()
    new.get_by_label("Then it is").select_option("closed")
    new.get_by_label("First date").fill("12-25")
    new.get_by_label("Last date").fill("12-26")
    new.get_by_role("button", name="Add").click()
    page.get_by_text("12-25 to 12-26").click()
    page.get_by_role("button", name="Move rule 2 up").click()
    page.locator("#rule-0", has_text="12-25").wait_for()
    rules = one_of(database).rules
    assert [(rule.open, rule.days, rule.from_date) for rule in rules] == [
        (False, "1234567", "12-25"),
        (True, "23456", ""),
    ]


def test_wrong_rules_are_shown_again_and_nothing_is_changed(visitor: Visitors, database: Database) -> None:
    opening_hours.save_opening_hours(database, OpeningHours(None, "Office"), **BY)
    one, path = visitor(), f"/opening-hours/{one_of(database).id}/rules"
    for wrong, said in (
        ({"start_s": "9"}, "time of day"), ({"from_date": "never"}, "never"), ({"days": []}, "days"),
        ({"from_date": "2026-02-01", "to_date": "2026-01-01"}, "the end is before the begin"),
    ):  # fmt: skip
        answer = one.post(f"{path}/add", **{**RULE, **wrong})
        assert (answer.status_code, said in answer.text) == (400, True), wrong
    assert one.post(f"{path}/explode").status_code == 400
    assert one_of(database).rules == ()


def test_two_editors(visitor: Visitors, database: Database) -> None:
    opening_hours.save_opening_hours(database, OpeningHours(None, "Office", rules=(OpeningRule(),) * 2), **BY)
    one, path = visitor(), f"/opening-hours/{one_of(database).id}/rules"
    assert one.post(f"{path}/remove", place="0", version="1").status_code == 303
    second = one.post(f"{path}/remove", place="0", version="1")
    assert "in the meantime" in one.get(second.location).text
    assert len(one_of(database).rules) == 1


def test_keys(visitor: Visitors, person: Persons, database: Database) -> None:
    saved = opening_hours.save_opening_hours(database, OpeningHours(None, "Secret", security_key="VIP"), **BY)
    bob, eve, ned = (
        visitor(person(*who)) for who in (("bob", "CAMPAIGNS"), ("eve", "CAMPAIGNS", "VIP"), ("ned", "LISTS"))
    )
    path = f"/opening-hours/{saved.id}"
    assert (bob.get(path).status_code, eve.get(path).status_code, ned.get(path).status_code) == (404, 200, 403)
    assert bob.post(f"{path}/rules/add", **RULE).status_code == 404
    assert ned.post(f"{path}/rules/add", **RULE).status_code == 403
    assert one_of(database).rules == ()


def waiting(database: Database, receiver: str) -> None:
    errand = Errand(
        ErrandKind.NOTIFY,
        receiver,
        {"url": f"https://{receiver}/", "fields": {}},
        NOW,
        NOW,
        sequence="",
        campaign_id=None,
    )
    with database.transaction() as tx:
        outbox.add(tx, [errand])


def test_what_waits_is_seen_tried_again_and_dropped(visitor: Visitors, person: Persons, database: Database) -> None:
    waiting(database, "crm.example")
    one = visitor()
    assert "crm.example" in one.get("/outbox").text
    row = outbox.listing(database)[0]
    again = one.post("/outbox/replay", id=str(row.id), back="/outbox")
    assert again.status_code == 303
    assert "tried again at once" in one.get("/outbox").text
    assert visitor(person("bob", "LIVE")).get("/outbox").status_code == 403
    assert visitor("bob").post("/outbox/drop", id=str(row.id)).status_code == 403
    assert one.post("/outbox/drop", id=str(row.id)).status_code == 303
    assert outbox.listing(database) == []
    assert "has been told" in one.get("/outbox").text
