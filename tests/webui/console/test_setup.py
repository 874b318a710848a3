"""The guided set-up: what it refuses, and to whom; and all of it with a real Chromium, dialer and Asterisk."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from tests.system.conftest import new_site  # noqa: F401 - a fixture
from tests.system.site import Site, until
from tests.webui.conftest import Dialer
from tests.webui.console.conftest import XSS, Desk, Visitor
from tests.webui.console.looks import assert_looks_well
from tools.provision.asterisk import AsteriskInstance
from wombat_ari.store import campaigns, entities
from wombat_ari.store.database import Database

Visitors = Callable[..., Visitor]
ALL = ("ADMIN", "LISTS", "CAMPAIGNS", "LIVE")
SECRET = "first-pass-word"


@pytest.mark.parametrize("lacking", ALL)
def test_who_cannot_do_all_of_it_is_not_led_there(visitor: Visitors, person: Callable[..., str], lacking: str) -> None:
    one = visitor(person("eve", *(key for key in ALL if key != lacking)))
    assert "/setup" not in one.get("/").text
    for path in ("/setup", "/setup/server", "/setup/start"):
        assert one.get(path, follow_redirects="").status_code in (303, 403)
    assert one.post("/setup/list", name="x", numbers="5551").status_code == 403


def test_it_goes_on_where_one_left(visitor: Visitors, database: Database) -> None:
    one = visitor()
    assert one.get("/setup").location == "/setup/server"
    assert one.get("/setup/trunk").location == "/setup/server", "not before there is a server"
    assert one.post("/setup/trunk", name="x").location == "/setup/server"
    assert one.get("/setup/nonsense").status_code == 404
    server = {
        "description": XSS[:80],
        "address": "pbx.example",
        "port": "5038",
        "login": "wombat",
        "password": "s3cret",
    }
    assert one.post("/setup/server", **server).location == "/setup"
    assert one.get("/setup").location == "/setup/trunk"
    page = one.get("/setup/server").text
    assert "s3cret" not in page
    assert "<script>document" not in page
    assert one.post("/setup/server", **{**server, "password": "", "port": "5039"}).location == "/setup"
    (kept,) = entities.list_servers(database)
    assert (kept.port, kept.password.reveal()) == (5039, "s3cret"), "changed, not made twice"


def test_what_cannot_be_is_said_at_its_field_and_kept(visitor: Visitors, database: Database) -> None:
    one = visitor()
    answer = one.post("/setup/server", description="pbx", address="", port="none", login="wombat")
    assert answer.status_code == 400
    assert "Not saved" in answer.text
    assert 'value="pbx"' in answer.text
    assert entities.list_servers(database) == []
    one.post("/setup/server", description="pbx", address="pbx", port="5038", login="wombat")
    assert one.post("/setup/trunk", name="t", dial_string="nonsense", capacity="5").status_code == 400
    one.post("/setup/trunk", name="t", dial_string="PJSIP/${num}@c", capacity="5")
    end_point = {"type": "PHONE", "name": "e", "extension": "100", "context": "c", "max_channels": "5"}
    one.post("/setup/end-point", **end_point)
    refused = one.post("/setup/list", name="l", numbers="!!!")
    assert refused.status_code == 400
    assert "none could be taken" in refused.text
    assert one.get("/setup").location == "/setup/list"


def test_a_dialer_that_is_down_is_said(visitor: Visitors, dialer: Dialer, database: Database) -> None:
    one = visitor()
    one.post("/setup/server", description="pbx", address="10.9.8.7", port="5038", login="wombat")
    one.post("/setup/trunk", name="t", dial_string="PJSIP/${num}@c", capacity="5")
    end_point = {"type": "PHONE", "name": "e", "extension": "100", "context": "c", "max_channels": "5"}
    one.post("/setup/end-point", **end_point)
    one.post("/setup/list", name="l", numbers="5551\n5552,NAME:Ann")
    one.post("/setup/campaign", name="First", again="y")
    (campaign,) = campaigns.list_campaigns(database)
    assert (campaign.name, len(campaign.trunk_ids), len(campaign.end_point_ids)) == ("First", 1, 1)
    assert {rule.status for rule in campaign.rules} == {"RS_BUSY", "RS_NOANSWER", "RS_REJECTED"}
    page = one.get("/setup/start").text
    assert "The dialer is DOWN" in page
    assert "Start First" not in page
    assert "10.9.8.7" in page, "an address that the API may be opened to"


# With everything real


def log_on(page: Page, address: str) -> None:
    page.goto(f"{address}/log-on")
    page.get_by_label("Login").fill("admin")
    page.get_by_label("Password").fill(SECRET)
    page.get_by_role("button", name="Log on").click()
    page.wait_for_url(lambda url: "/log-on" not in url)


def test_a_new_system_is_led_to_its_first_run(
    browser: Browser,
    new_site: Callable[..., Site],  # noqa: F811
    asterisk: AsteriskInstance,
) -> None:
    site = new_site(settings={"WOMBAT_ARI_ADMIN_PASSWORD": SECRET})
    site.wombat("init")
    site.serve()
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        log_on(page, f"http://127.0.0.1:{site.console_port}")
        page.get_by_role("link", name="Set it up").click()
        onward = page.get_by_role("button", name="Save and go on")

        page.get_by_label("AMI port").fill(str(asterisk.ami_port))
        page.get_by_label("AMI password").fill("wrong")
        page.get_by_role("button", name="Test connection").click()
        page.get_by_text("refused the login wombat or its secret").wait_for()
        onward.click()
        page.get_by_text("refused the login wombat or its secret").wait_for()
        page.get_by_role("heading", name="Server").wait_for()
        page.get_by_label("AMI password").fill(asterisk.ami_secret)
        page.get_by_role("button", name="Test connection").click()
        page.get_by_text("logged in as wombat").wait_for()
        assert_looks_well(page)
        onward.click()

        page.get_by_role("heading", name="Trunk").wait_for()
        page.get_by_text("logged in as wombat").wait_for()
        page.get_by_label("Dial string").fill("Local/${num}@no-such-network/n")
        onward.click()
        page.get_by_text("the dialplan has no 5550000000@no-such-network").wait_for()
        page.get_by_label("Dial string").fill("Local/${num}@simulated-network/n")
        onward.click()

        page.get_by_role("heading", name="End point").wait_for()
        onward.click()
        page.get_by_role("heading", name="List").wait_for()
        assert_looks_well(page)
        onward.click()
        page.get_by_role("heading", name="Campaign").wait_for()
        onward.click()
        page.get_by_role("heading", name="Start").wait_for()
        page.get_by_text("First list, 5 numbers").wait_for()
        assert_looks_well(page)
        page.get_by_role("button", name="Start First campaign").click()
        page.get_by_text("Campaign First campaign is running.").wait_for()
        assert page.url.endswith("/live")
        until(lambda: len(site.attempts("First campaign")) >= 5, 60, "every number is called")
        outcomes = site.outcomes("First campaign")
        assert outcomes["55510030"] == ["TERMINATED"]
        assert outcomes["55520000"][0] == "RS_BUSY"
        page.goto(f"http://127.0.0.1:{site.console_port}/doctor")
        page.get_by_role("button", name="Examine").click()
        page.get_by_text("Examined 20").wait_for(timeout=60_000)
        page.get_by_text(f"reaches FastAGI at 127.0.0.1:{site.agi_port}").wait_for()
        page.goto(f"http://127.0.0.1:{site.console_port}/ami")
        page.get_by_role("button", name="Watch").click()
        page.get_by_text("Action: Ping").first.wait_for(timeout=60_000)
        page.get_by_text("Ping: Pong").first.wait_for()
        page.goto(f"http://127.0.0.1:{site.console_port}/")
        assert page.get_by_role("link", name="Set it up").count() == 0, "it is not new any more"
        assert said == []
    finally:
        context.close()


def test_home_of_a_new_system_leads_there(desk: Callable[..., Desk]) -> None:
    page = desk().go("/")
    page.get_by_role("link", name="Set it up").wait_for()
