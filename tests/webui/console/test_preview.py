"""The agent page without a PBX: whose channels, addresses of a CRM, frames, keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.store.conftest import NOW
from tests.webui.conftest import Dialer
from tests.webui.console.conftest import XSS, Visitor
from webui.console.preview import filled, policy
from wombat_ari.app.config import Settings, load_settings
from wombat_ari.model.entities import Campaign
from wombat_ari.model.errors import UserError
from wombat_ari.store import campaigns
from wombat_ari.store.database import Database

Visitors = Callable[..., Visitor]
Persons = Callable[..., str]
CALL = {
    "wombatid": 77, "number": "+39 5", "state": "RD_RESERVED", "is_live": True, "campaign_name": XSS[:80],
    "list_name": XSS, "attempt": 2, "outcome": "", "extended_status": "", "agent_interface": "SIP/302",
    "input_attributes": {"ID": "3&0", "PERS": XSS}, "output_attributes": {}, "reserved_until": NOW + 600,
}  # fmt: skip


class Phones(Dialer):
    """One call, for SIP/302."""

    def __init__(self) -> None:
        super().__init__()
        self.call, self.down = dict(CALL), False

    def reserve(self, agent: str, *, line: Any = None) -> dict[str, Any]:
        if agent != "SIP/302":
            raise UserError(f"agent {agent} is on no preview queue, or busy, or paused", code="AGENT_NOT_AVAILABLE")
        return {"id": 77, "number": CALL["number"], "attributes": CALL["input_attributes"]}

    def call_info(self, wombatid: int) -> dict[str, Any]:
        if self.down:
            raise UserError("the dialer is not running", code="dialer-down")
        if wombatid != 77:
            raise UserError(f"no call has the WOMBATID {wombatid}", code="no-call")
        return dict(self.call)

    def skip_reserved(self, wombatid: int, code: str = "", *, line: Any = None) -> None:
        raise UserError(f"call {wombatid} is not reserved", code="ID_FOUND_WRONG_STATE")


@pytest.fixture
def dialer() -> Phones:
    return Phones()


@pytest.fixture(autouse=True)
def campaign(database: Database) -> Campaign:
    return campaigns.save_campaign(database, Campaign(None, XSS[:80], security_key="HUSH"), by="admin", now=NOW)


@pytest.fixture
def settings() -> Settings:
    return load_settings(environ={"WOMBAT_ARI_CONSOLE_FRAME_ORIGINS": "https://crm.example"})


def test_an_agent_is_their_own_phone_only(visitor: Visitors, person: Persons) -> None:
    ann = visitor(person("ann", "AGENT", token="SIP/302"))
    page = ann.get("/preview")
    assert "SIP/302" in page.text
    taken = ann.post("/preview/reserve", agent="SIP/302")
    assert taken.location.endswith("call=77&agent=SIP/302") or "call=77" in taken.location
    assert "+39 5" in ann.get(taken.location).text
    bob = visitor(person("bob", "AGENT", token="SIP/303"))
    refused = bob.post("/preview/reserve", agent="SIP/302")
    assert "may only be SIP/303" in bob.get(refused.location).text
    assert "+39 5" not in bob.get("/preview", call="77").text
    assert "+39 5" not in bob.get("/preview/part", call="77").text
    for act in ("dial", "skip"):
        assert bob.post(f"/preview/77/{act}").status_code == 303
    assert "there is no call 77" in bob.get("/preview").text
    ned = visitor(person("ned", "LISTS"))
    assert ned.get("/preview").status_code == 403
    assert ned.post("/preview/reserve", agent="SIP/302").status_code == 403
    assert 'href="/preview"' not in ned.get("/").text
    assert 'href="/preview"' in ann.get("/").text


def test_it_says_until_when_the_number_is_theirs(visitor: Visitors, person: Persons) -> None:
    ann = visitor(person("ann", "AGENT", token="SIP/302", time_zone="Europe/Rome"))
    until = datetime.fromtimestamp(NOW + 600, ZoneInfo("Europe/Rome"))
    assert f"It is yours until {until:%H:%M:%S}." in ann.get("/preview", call="77").text


def test_who_does_not_see_the_campaign_sees_none_of_its_calls(
    visitor: Visitors, person: Persons, dialer: Phones
) -> None:
    """But with the key LIVE may be any agent, and go on with the number that agent was given."""
    for login, keys, sees in (("sue", ("LIVE",), False), ("tom", ("LIVE", "HUSH"), True)):
        one = visitor(person(login, *keys))
        assert ("+39 5" in one.get("/preview", agent="SIP/302", call="77").text) is sees
        assert ("+39 5" in one.get("/preview/part", agent="SIP/302", call="77").text) is sees
        for state in ("RD_RESERVED", "CONNECTED"):
            dialer.call["state"] = state
            told = one.get(one.post("/preview/77/skip", agent="SIP/302").location).text
            there = sees or state == "RD_RESERVED"
            assert ("call 77 is not reserved" if there else "there is no call 77") in told, (login, state)
        dialer.call["state"] = "RD_RESERVED"
        assert "+39 5" in one.get(one.post("/preview/reserve", agent="SIP/302").location).text, "the number they took"


def test_it_follows_on_when_the_dialer_is_back(visitor: Visitors, dialer: Phones) -> None:
    ann, where = visitor(), {"agent": "SIP/302", "call": "77"}
    dialer.down = True
    page, part = ann.get("/preview", **where), ann.get("/preview/part", **where)
    assert "the dialer is not running" in page.text
    assert 'data-refresh="/preview/part?call=77' in page.text
    assert "X-Stop" not in part.headers
    dialer.down = False
    assert "+39 5" in ann.get("/preview/part", **where).text
    dialer.call["is_live"] = False
    assert "X-Stop" in ann.get("/preview/part", **where).headers


def test_an_agent_without_a_phone_is_told(visitor: Visitors, person: Persons) -> None:
    page = visitor(person("ann", "AGENT")).get("/preview").text
    assert "No agent channel is named in your account" in page


def test_everything_is_shown_as_text(visitor: Visitors) -> None:
    page = visitor().get("/preview", agent="SIP/302", call="77", url="https://crm.example/<PERS>").text
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_values_in_the_address_are_quoted() -> None:
    url = "https://crm.example/x?id=<ID>&n=%3CNUMBER%3E&w=<wombatid>&none=<NOTHING>"
    assert filled(url, CALL) == "https://crm.example/x?id=3%260&n=%2B39%205&w=77&none="


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//crm.example", "crm.example", "file:///x"]
)
def test_other_addresses_are_refused(visitor: Visitors, url: str) -> None:
    page = visitor().get("/preview", agent="SIP/302", call="77", url=url, inset="1").text
    assert "must begin with http:// or https://" in page
    assert "<iframe" not in page


def test_only_named_sites_may_frame_it_and_only_this_page(visitor: Visitors) -> None:
    one = visitor()
    page = one.get("/preview", agent="SIP/302", call="77", url="https://crm.example:8443/<ID>", inset="1")
    csp = page.headers["Content-Security-Policy"]
    assert "frame-ancestors https://crm.example" in csp
    assert "frame-src https://crm.example:8443;" in csp
    assert "X-Frame-Options" not in page.headers
    for path in ("/", "/account", "/log-on"):
        other = one.get(path)
        assert "frame-ancestors 'none'" in other.headers["Content-Security-Policy"]
        assert other.headers["X-Frame-Options"] == "DENY"


def test_a_policy_holds_nothing_that_an_address_put_in() -> None:
    for url in ("https://a; script-src *", "https://a b/", "https://a,b/", "https://x@a/"):
        assert "frame-src" not in policy((), url), url
    assert policy((), "").endswith("frame-ancestors 'none'")
