"""Without a mouse, and without JavaScript: the daily things are done all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from tests.webui.conftest import PASSWORD, Dialer
from tests.webui.console.conftest import Desk
from tests.webui.console.test_unsaved import ids  # noqa: F401 - a fixture
from wombat_ari.store import campaigns, entities
from wombat_ari.store.database import Database

Desks = Callable[..., Desk]
FOCUSED = "(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent || '').trim()"
RING = "getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth"


def tab_to(page: Page, wanted: str, *, most: int = 80) -> None:
    """By Tab alone; what has the focus is seen at each step."""
    for _ in range(most):
        page.keyboard.press("Tab")
        assert page.evaluate(RING) not in ("none0px", "none3px"), page.evaluate("document.activeElement.outerHTML")
        if page.evaluate(f"document.activeElement.matches({wanted!r})"):
            return
    raise AssertionError(f"{wanted} is not reached")


def test_a_trunk_is_found_changed_and_deleted_by_keys_alone(
    desk: Desks,
    database: Database,
    ids: dict[str, int],  # noqa: F811
) -> None:
    page = desk().go("/campaigns")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "To the content"
    page.keyboard.press("Enter")
    tab_to(page, "[href*='/campaigns/new']", most=3)
    tab_to(page, "[type=search]", most=3)
    page.keyboard.type("spring")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=spring**")
    tab_to(page, f"[href*='/campaigns/{ids['campaign']}']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/campaigns/{ids['campaign']}**")
    tab_to(page, "#edit [name=name]")
    page.keyboard.press("End")
    page.keyboard.type(" sale")
    page.keyboard.press("Enter")
    page.get_by_text("Campaign Spring sale is saved.").wait_for()
    tab_to(page, "#rules-new summary", most=120)
    page.keyboard.press("Enter")
    tab_to(page, "#rules-new [name=retry_after_s]")
    page.keyboard.press("Control+A")
    page.keyboard.type("60")
    page.keyboard.press("Enter")
    page.get_by_text("again after 1:00").wait_for()
    saved = campaigns.load_campaign(database, ids["campaign"])
    assert (saved.name, saved.rules[-1].retry_after_s) == ("Spring sale", 60)
    page.goto(page.url.partition("/campaigns")[0] + f"/lists/{ids['list']}")
    button = "form[action*='/delete'] button"
    tab_to(page, button)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).not_to_be_visible()
    assert page.evaluate(f"document.activeElement.matches({button!r})"), "the focus is where it was"
    assert len(entities.list_lists(database)) == 1, "Escape is no"


def test_on_a_phone_the_menu_opens_by_keys(desk: Desks) -> None:
    page = desk(width=390).go("/")
    tab_to(page, ".burger", most=4)
    page.keyboard.press("Enter")
    tab_to(page, "#menu a", most=2)
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_visible()


def test_without_javascript(
    browser: Browser, address: str, app: Flask, database: Database, ids: dict[str, int], dialer: Dialer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Log-on, editors, what belongs to a campaign, its start, log-off."""
    started: list[Any] = []
    dialer.picture = {"state": "READY", "runs": [], "pbxs": [], "calls": []}
    dialer.start_run = lambda campaign, **_: started.append(campaign) or {"run": 1}  # type: ignore[attr-defined]
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(address + "/campaigns")
        page.get_by_label("Login").fill("admin")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log on").click()
        page.get_by_role("link", name="Spring").click()
        page.get_by_label("Priority").fill("3")
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_text("Campaign Spring is saved.").wait_for()
        page.locator("#rules-new summary").click()
        page.locator("#rules-new").get_by_role("button", name="Add").click()
        page.locator("#rules details").nth(2).wait_for()
        assert campaigns.load_campaign(database, "Spring").priority == 3
        page.goto(f"{address}/end-points/new")
        page.get_by_text("Queue", exact=True).first.click()
        page.get_by_label("Boost factor").wait_for()
        page.goto(f"{address}/lists/{ids['list']}/add")
        page.get_by_label("Numbers, one a line").fill("5552")
        page.get_by_role("button", name="Add", exact=True).click()
        page.goto(f"{address}/lists/{ids['list']}/records")
        page.get_by_role("link", name="5552").wait_for()
        page.goto(f"{address}/campaigns/{ids['campaign']}")
        page.get_by_role("button", name="Start").click()
        page.get_by_text("Campaign Spring is started.").wait_for()
        assert started == ["Spring"]
        page.get_by_role("button", name="Log off").click()
        page.get_by_text("You are logged off.").wait_for()
    finally:
        context.close()
