"""A password in a notification URL is answered by no API and lies in no table; what was shown, sent back, keeps it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.app.service.conftest import database, migrated  # noqa: F401 - fixtures
from tests.store.conftest import NOW
from tests.webui.api.conftest import Rest as RestApi
from tests.webui.api.conftest import basic
from tests.webui.conftest import Api
from wombat_ari.model.errands import Errand, ErrandKind
from wombat_ari.store import campaigns, outbox
from wombat_ari.store.database import Database

PASSWORD = "s3cr3t-of-the-crm"
URL, SHOWN = f"https://crm:{PASSWORD}@crm.example/in?c=1", "https://crm:***@crm.example/in?c=1"
RULE = {"onState": "TERMINATED", "verb": "HTTP Post", "destination": f"https://crm:{PASSWORD}@crm.example/${{num}}"}


def dump(db: Database) -> str:
    """Everything in the tables that may have it."""
    with db.transaction(write=False) as tx:
        tables = ("campaign", "disposition_rule", "outbox", "audit", "system_log")
        return str([tx.rows(f"SELECT * FROM {table}") for table in tables])


@pytest.fixture
def campaign(api: Api) -> dict[str, Any]:
    (made,) = api.edit("campaign", "E", {"name": "Sales", "httpNotify": URL})
    api.edit("campaign/disposition", "E", RULE, parent=made["campaignId"])
    return made


def test_the_compatible_api(api: Api, campaign: dict[str, Any], database: Database) -> None:  # noqa: F811
    assert campaign["httpNotify"] == SHOWN
    (listed,) = api.edit("campaign")
    (rule,) = api.edit("campaign/disposition", parent=listed["campaignId"])
    assert PASSWORD not in json.dumps([listed, rule])
    api.edit("campaign", "E", {**listed, "priority": 3})
    api.edit("campaign/disposition", "E", {**rule, "deferSec": 5}, parent=listed["campaignId"])
    stored = campaigns.load_campaign(database, "Sales")
    assert (stored.http_notify_url, stored.priority) == (URL, 3)
    assert (stored.dispositions[0].destination, stored.dispositions[0].delay_s) == (RULE["destination"], 5)
    status, words = api.refused("campaign", "E", {**listed, "httpNotify": SHOWN.replace("crm.", "evil.")})
    assert (status, "give it anew" in words) == (400, True)
    api.edit("campaign", "E", {**listed, "httpNotify": URL.replace(PASSWORD, "another")})
    assert campaigns.load_campaign(database, "Sales").http_notify_url == URL.replace(PASSWORD, "another")
    assert "another" not in dump(database)
    assert PASSWORD not in dump(database)


def test_the_json_api(api: Api, campaign: dict[str, Any], database: Database) -> None:  # noqa: F811
    rest = RestApi(api.client, basic("admin"))
    path = f"/campaigns/{campaign['campaignId']}"
    read = rest.ok("GET", path)
    assert read["http_notify_url"] == SHOWN
    assert PASSWORD not in json.dumps([read, rest.ok("GET", "/campaigns")])
    assert rest.ok("PATCH", path, {"http_notify_url": SHOWN, "priority": 2})["http_notify_url"] == SHOWN
    rest.ok("PATCH", path, {"dispositions": read["dispositions"]})
    stored = campaigns.load_campaign(database, "Sales")
    assert (stored.http_notify_url, stored.dispositions[0].destination) == (URL, RULE["destination"])
    assert "give it anew" in rest.refused(422, "POST", "/campaigns", {"name": "x", "http_notify_url": SHOWN})["detail"]
    assert PASSWORD not in dump(database)


def test_the_outbox(api: Api, campaign: dict[str, Any], database: Database) -> None:  # noqa: F811
    with database.transaction() as tx:
        outbox.add(tx, [Errand(ErrandKind.NOTIFY, "crm.example", {"url": URL, "fields": {"num": "1"}}, NOW, NOW)])
    assert PASSWORD not in dump(database)
    (due,) = outbox.due(database, now=NOW).rows
    assert due.errand.payload == {"url": URL, "fields": {"num": "1"}}, "who sends it needs it"
    rest = RestApi(api.client, basic("admin"))
    shown = rest.ok("GET", "/outbox")
    assert PASSWORD not in json.dumps(shown)
    assert outbox.listing(database)[0].errand.payload["url"] == SHOWN
    assert outbox.one(database, due.id).errand.payload["url"] == SHOWN
