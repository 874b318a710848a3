"""The manual's second chapter by clicks, from an empty database to the report: a real console and dialer, a real
Asterisk whose callees are known, a real Chromium. What the console says at the end is what the callees did."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.system.site import Site, until
from tests.system.witness import Witness
from tests.webui.console.conftest import browser, overflow, sit_down_at  # noqa: F401 - browser: a fixture

#: number -> outcomes of its attempts, by the simulated network and the rules below
CALLEES = {
    "5551040001": ["TERMINATED"],  # answers and listens: the end point hangs up after three seconds
    "5551020301": ["TERMINATED"],  # answers and hangs up
    "5552010001": ["RS_BUSY", "RS_BUSY"],
    "5557020201": ["RS_BUSY", "TERMINATED"],
    "5554000001": ["RS_NUMBER"],
    "5553000001": ["RS_NOANSWER"],
}
TIMEOUT_MS = 1500


def test_chapter_two(
    new_site: Callable[..., Site],
    witness: Witness,
    browser: Browser,  # noqa: F811
    tmp_path: Path,
) -> None:
    site = new_site()
    password = re.search(r"has the password (\S+)", site.wombat("init").stdout)
    assert password
    site.serve()
    before = set(witness.seen())
    with ExitStack() as stack:
        desk = sit_down_at(stack, browser, f"http://127.0.0.1:{site.console_port}", password=password[1])
        page = desk.page
        server_trunk_and_end_point(page, witness)
        a_list(page)
        a_campaign(page)
        watched_live(page)
        site.finish(30)
        the_report(page, site, tmp_path)
        numbers_to_be_called_again(page)
        assert desk.said == [], "nothing is written to the browser's console"
    assert site.outcomes() == CALLEES
    mine = [seen for wombatid, seen in witness.seen().items() if wombatid not in before]
    assert Counter(seen.number for seen in mine) == {number: len(tries) for number, tries in CALLEES.items()}
    assert sum(seen.reached is not None for seen in mine) == 3, "who answered has reached the end point"
    site.check_ledger()
    assert "mistake of ours" not in site.log()


def go(page: Page, title: str) -> None:
    """By the menu."""
    page.locator("nav.side").get_by_role("link", name=title, exact=True).click()


def save(page: Page, said: str) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text(said).wait_for()


def fill(page: Page, **fields: str) -> None:
    """By their labels; ``_`` is a blank."""
    for label, value in fields.items():
        page.get_by_label(label.replace("_", " "), exact=True).first.fill(value, timeout=5000)


def server_trunk_and_end_point(page: Page, witness: Witness) -> None:
    go(page, "Servers and lines")
    page.get_by_role("link", name="New server").click()
    fill(page, Name="HQ", Address="127.0.0.1", AMI_port=str(witness.pbx.ami_port), AMI_login=witness.pbx.ami_user)
    fill(page, AMI_password="not this")
    page.get_by_role("button", name="Test connection").click()
    page.get_by_text("or its secret").wait_for()
    fill(page, AMI_password=witness.pbx.ami_secret)
    page.get_by_role("button", name="Test connection").click()
    page.get_by_text(f"logged in as {witness.pbx.ami_user}").wait_for()
    save(page, "Server HQ is saved.")
    page.get_by_role("link", name="New trunk").click()
    fill(page, Name="Network", Dial_string="Local/${num}@watched/n", Capacity="10")
    save(page, "Trunk Network is saved.")
    page.get_by_role("link", name="New end point").click()
    fill(page, Name="Message", Extension="930", Context="watched-ends", Most_channels="10")
    save(page, "End point Message is saved.")


def a_list(page: Page) -> None:
    go(page, "Lists")
    page.get_by_role("link", name="New list").click()
    fill(page, Name="TestList")
    save(page, "List TestList is saved.")
    page.get_by_role("link", name="Add numbers").click()
    page.get_by_label("Numbers, one a line").fill("".join(f"{number},NAME:Ann\\, B\n" for number in CALLEES))
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text(f"Added {len(CALLEES)}").wait_for()


def a_campaign(page: Page) -> None:
    go(page, "Campaigns")
    page.get_by_role("link", name="New campaign").click()
    fill(page, Name="TestCampaign")
    page.get_by_text("Dialling", exact=True).click()
    page.get_by_label("Answer timeout, ms").fill(str(TIMEOUT_MS))
    save(page, "Campaign TestCampaign is saved.")
    assert page.get_by_text("it has no trunk to dial out on").is_visible()
    assert page.get_by_role("button", name="Start").count() == 0
    for part, choice in (("trunks", "Network on HQ"), ("end-points", "Message on HQ"), ("lists", "TestList")):
        section = page.locator(f"#{part}")
        section.get_by_role("combobox").first.select_option(choice)
        section.get_by_role("button", name="Add").click()
        page.locator(f"#{part} .line").wait_for()
    rules = page.locator("#rules")
    rules.get_by_text("Add a reschedule rule").click()
    rules.get_by_label("When it ended").select_option("RS_BUSY")
    rules.get_by_label("Most attempts").fill("1")
    rules.get_by_label("Again after, s").fill("1")
    rules.get_by_role("button", name="Add").click()
    page.get_by_text("again after 0:01, once at most").wait_for()
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Yes").click()
    page.wait_for_url("**/live")


def watched_live(page: Page) -> None:
    """Calls come and go without a click, until the run is among the closed ones."""
    expect(page.locator("#calls tbody")).to_contain_text("CONNECTED", timeout=10_000)
    assert overflow(page) == 0
    expect(page.locator("#closed")).to_contain_text("TestCampaign", timeout=30_000)
    expect(page.locator(".totals")).to_contain_text("0 open calls")


def the_report(page: Page, site: Site, tmp_path: Path) -> None:
    go(page, "Reports")
    page.get_by_role("checkbox", name="TestCampaign").check()
    page.get_by_role("button", name="Report on the chosen runs").click()
    tries = [outcome for each in CALLEES.values() for outcome in each]
    assert figure(page, "Calls") == str(len(tries))
    assert figure(page, "Answered") == str(tries.count("TERMINATED"))
    outcomes = page.locator("section", has=page.get_by_role("heading", name="Outcomes")).locator("table")
    for outcome, calls in Counter(tries).items():
        row = outcomes.get_by_role("row").filter(has=page.get_by_role("rowheader", name=outcome))
        assert [int(text) for text in row.locator("td.n").first.all_inner_texts()] == [calls], outcome
    said = json.loads(site.wombat("report", "TestCampaign", "--json").stdout)["statistics"]
    assert (said["calls"], said["answered"]) == (len(tries), tries.count("TERMINATED"))
    with page.expect_download() as sent:
        page.get_by_role("link", name="Export CSV").click()
    sent.value.save_as(tmp_path / "attempts.csv")
    with (tmp_path / "attempts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: int(row["wombatid"])):
        found.setdefault(row["number"], []).append(row["outcome"])
    assert found == CALLEES
    assert all(json.loads(row["input_attributes"]) == {"NAME": "Ann, B"} for row in rows)
    assert {row["trunk_name"] for row in rows} == {"Network"}


def figure(page: Page, name: str) -> str:
    tile = page.locator(".tile", has=page.get_by_role("heading", name=name, exact=True))
    return tile.locator(".big").inner_text()


def numbers_to_be_called_again(page: Page) -> None:
    """What did not end well becomes a list."""
    page.get_by_role("link", name="Numbers to a list").click()
    for outcome in ("RS_BUSY", "RS_NOANSWER"):
        page.get_by_role("checkbox", name=outcome).check()
    page.get_by_label("Name of the new list").fill("Once more")
    page.get_by_role("button", name="Make the list").click()
    page.get_by_text("DONE").first.wait_for(timeout=20_000)
    go(page, "Lists")
    page.get_by_role("link", name="Once more").click()
    page.get_by_role("link", name="See them").click()
    shown = until(lambda: re.findall(r"555\d{7}", page.inner_text("main")), 5)
    assert sorted(shown) == ["5552010001", "5553000001"], "those that were not reached in the end"
