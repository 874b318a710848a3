"""What is filled in is never lost silently, in any form; what is done without a mouse, and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page

from tests.store.conftest import NOW
from tests.webui.console.conftest import Desk
from wombat_ari.model.entities import (
    CallList,
    Campaign,
    CampaignList,
    EndPoint,
    OpeningHours,
    OpeningRule,
    Record,
    RescheduleRule,
    Server,
    Trunk,
)
from wombat_ari.model.states import EndPointType
from wombat_ari.store import campaigns, entities, lists, opening_hours
from wombat_ari.store.database import Database

Desks = Callable[..., Desk]
BY: dict[str, Any] = {"by": "admin", "now": NOW}


@pytest.fixture
def ids(database: Database) -> dict[str, int]:
    """A campaign that could start, and what it is made of."""
    server = entities.save_server(database, Server(None, "HQ"), **BY).id or 0
    trunk = entities.save_trunk(database, Trunk(None, server, "Carrier", "PJSIP/${num}"), **BY).id or 0
    point = EndPoint(None, server, EndPointType.PHONE, "Message", "100", "message")
    call_list = entities.save_list(database, CallList(None, "Numbers"), **BY).id or 0
    record = lists.save_record(database, Record(None, call_list, "5551"), **BY).id or 0
    hours = OpeningHours(None, "Office", rules=(OpeningRule(),))
    campaign = Campaign(
        None, "Spring", trunk_ids=(trunk,), end_point_ids=(entities.save_end_point(database, point, **BY).id or 0,),
        lists=(CampaignList(call_list, "Numbers"),), rules=(RescheduleRule("RS_BUSY", "", 3, 300),),
    )  # fmt: skip
    return {
        "server": server, "trunk": trunk, "list": call_list, "record": record,
        "hours": opening_hours.save_opening_hours(database, hours, **BY).id or 0,
        "campaign": campaigns.save_campaign(database, campaign, **BY).id or 0,
    }  # fmt: skip


class Leaving:
    """A page that is left for Home, and what is asked then: one stays. ``go`` leaves for good."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.page, self.stays = desk, desk.page, True
        self.asked: list[str] = []
        self.page.on("dialog", self._asked)

    def __call__(self) -> list[str]:
        self.asked.clear()
        where = self.page.url
        self.page.get_by_role("link", name="Home", exact=True).click(no_wait_after=True)
        self.page.wait_for_timeout(150)
        if not self.asked:
            self.page.wait_for_url(lambda url: url != where)
        return list(self.asked)

    def go(self, path: str) -> Page:
        self.stays = False
        page = self.desk.go(path)
        self.stays = True
        return page

    def _asked(self, dialog: Dialog) -> None:
        self.asked.append(dialog.type)
        dialog.dismiss() if self.stays else dialog.accept()


@pytest.fixture
def leave(desk: Desks) -> Leaving:
    return Leaving(desk())


#: page, what is opened on it, and the field that is filled in
FIELDS = [
    ("/trunks/{trunk}", "", "#edit [name=name]"),
    ("/campaigns/{campaign}", "#rules details summary >> nth=0", "#rules [name=retry_after_s] >> nth=0"),
    ("/campaigns/{campaign}", "#rules-new summary", "#rules-new [name=retry_after_s]"),
    ("/campaigns/{campaign}", "#dispositions-new summary", "#dispositions-new [name=destination]"),
    ("/campaigns/{campaign}", "", "[placeholder='Name of the clone']"),
    ("/opening-hours/{hours}", "#rule-0 summary", "#rule-0 [name=start_s]"),
    ("/opening-hours/{hours}", "#rule-new summary", "#rule-new [name=start_s]"),
    ("/records/{record}", "", "[name=attributes]"),
    ("/lists/{list}/add", "", "[name=numbers]"),
    ("/lists/{list}/add", "", "[name=first]"),
    ("/setup/server", "", "[name=address]"),
    ("/account", "", "[name=time_zone]"),
    ("/account", "", "[name=new]"),
    ("/tokens", "", "#name"),
    ("/users/1", "", "[name=password]"),
]  # fmt: skip


def test_what_is_filled_in_is_asked_about_in_every_form(leave: Leaving, ids: dict[str, int]) -> None:
    page: Page = leave.page
    for path, opens, name in FIELDS:
        leave.go(path.format(**ids))
        if opens:
            page.locator(opens).click()
        assert leave() == [], f"{path}: nothing was filled in"
        leave.go(path.format(**ids))
        if opens:
            page.locator(opens).click()
        page.locator(name).press_sequentially("7")
        assert leave() == ["beforeunload"], (path, name)
        assert "7" in page.locator(name).input_value()


def test_saving_one_form_does_not_lose_another(leave: Leaving, ids: dict[str, int], database: Database) -> None:
    page: Page = leave.page
    leave.go(f"/campaigns/{ids['campaign']}")
    page.locator("#edit [name=name]").fill("Summer")
    page.locator("#rules details summary").first.click()
    page.locator("#rules [name=retry_after_s]").first.fill("77")
    page.get_by_role("button", name="Save rule").click(no_wait_after=True)
    page.wait_for_timeout(300)
    assert page.locator("#edit [name=name]").input_value() == "Summer", "asked, and stayed"
    assert campaigns.load_campaign(database, ids["campaign"]).rules[0].retry_after_s == 300
    assert leave() == ["beforeunload"], "and is asked again"
    page.locator("#edit [name=name]").fill("Spring")
    page.get_by_role("button", name="Save rule").click()
    page.get_by_text("again after 1:17").wait_for()
    assert leave() == []


def test_what_was_refused_is_not_left_unasked(leave: Leaving, ids: dict[str, int]) -> None:
    page: Page = leave.page
    leave.go(f"/opening-hours/{ids['hours']}")
    page.locator("#rule-new summary").click()
    page.locator("#rule-new [name=start_s]").fill("25:00")
    page.locator("#rule-new").get_by_role("button", name="Add").click()
    page.get_by_text("Not saved: see what is marked below.").wait_for()
    assert page.locator("#rule-new [name=start_s]").input_value() == "25:00"
    assert leave() == ["beforeunload"]
    leave.desk.said.clear()  # Chromium notes that the answer was a 400
    leave.go(f"/lists/{ids['list']}/add")
    page.locator("[name=first]").fill("no number")
    page.get_by_role("button", name="Generate").click()
    page.get_by_role("alert").wait_for()
    assert leave() == ["beforeunload"]
    leave.desk.said.clear()
