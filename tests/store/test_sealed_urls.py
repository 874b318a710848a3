"""Passwords in URLs that an earlier version stored in clear are encrypted by the upgrade, once, and masked where people
read them; nothing else is changed."""

from __future__ import annotations

import json
import os
from importlib import import_module
from typing import Any

import pytest

from tests.store.builders import BY
from tests.store.conftest import NOW
from wombat_ari.model.entities import Campaign, DispositionRule
from wombat_ari.model.errands import Errand, ErrandKind
from wombat_ari.model.errors import StoreError
from wombat_ari.model.states import DispositionVerb
from wombat_ari.store import campaigns, outbox, urls
from wombat_ari.store.database import Database

PASSWORD = "s3cr3t-of-the-crm"
URL = f"https://crm:{PASSWORD}@crm.example/in?c=1"
LONG = f"https://crm:{PASSWORD}@crm.example/{'x' * 930}"
TEXT = f"call https://bob:{PASSWORD[:4]}@x or mail a:b@c"


def migrate(db: Database) -> None:
    with db.transaction() as tx:
        import_module("wombat_ari.store.migrations.m0006_sealed_urls").apply(tx, now=NOW)


def dump(db: Database) -> str:
    with db.transaction(write=False) as tx:
        return str([tx.rows(f"SELECT * FROM {table}") for table in ("campaign", "disposition_rule", "outbox", "audit")])


@pytest.fixture
def clear(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """As the version before stored them."""
    monkeypatch.setattr(urls, "sealed", lambda tx, url, **_: url)
    rule = DispositionRule(verb=DispositionVerb.HTTP_POST, destination=URL)
    campaigns.save_campaign(
        database, Campaign(None, "Sales", http_notify_url=URL, dispositions=(rule,)), by=BY, now=NOW
    )
    campaigns.save_campaign(database, Campaign(None, "Plain", http_notify_url="http://a:@b/c:d@e"), by=BY, now=NOW)
    with database.transaction() as tx:
        payload: dict[str, Any] = {"url": URL, "fields": {"I_NOTE": URL, "I_TEXT": TEXT}}
        outbox.add(tx, [Errand(ErrandKind.NOTIFY, "crm.example", payload, NOW, NOW)])
        tx.run("UPDATE audit SET new_values = %s WHERE entity = 'campaign'", (json.dumps({"http_notify_url": URL}),))
    monkeypatch.undo()
    return database


def test_what_was_stored_in_clear_is_sealed_once(clear: Database) -> None:
    assert PASSWORD in dump(clear)
    migrate(clear)
    first = dump(clear)
    assert first.count(PASSWORD) == 1, "in the note of a call, which is a text of people"
    assert "crm:***@" in first
    migrate(clear)
    assert dump(clear) == first
    stored = campaigns.load_campaign(clear, "Sales")
    assert (stored.http_notify_url, stored.dispositions[0].destination) == (URL, URL)
    assert campaigns.load_campaign(clear, "Plain").http_notify_url == "http://a:@b/c:d@e"
    (due,) = outbox.due(clear, now=NOW).rows
    assert due.errand.payload == {"url": URL, "fields": {"I_NOTE": URL, "I_TEXT": TEXT}}


def test_one_that_would_be_too_long_stays(clear: Database) -> None:
    with clear.transaction() as tx:
        tx.run("UPDATE campaign SET http_notify_url = %s WHERE name = 'Plain'", (LONG,))
    migrate(clear)
    assert campaigns.load_campaign(clear, "Plain").http_notify_url == LONG
    assert campaigns.load_campaign(clear, "Sales").http_notify_url == URL


def test_without_the_key_that_others_are_sealed_with_nothing_is_done(clear: Database) -> None:
    migrate(clear)
    with clear.transaction() as tx:
        tx.run("UPDATE campaign SET http_notify_url = %s WHERE name = 'Plain'", (URL,))
    before, key_file = dump(clear), clear.secrets.key_file
    assert key_file is not None
    os.rename(key_file, f"{key_file}.away")
    clear.secrets._fernet = None
    with pytest.raises(StoreError, match="put it back"):
        migrate(clear)
    assert dump(clear) == before
    assert not key_file.exists(), "it is not made anew"


def test_a_database_without_any_needs_no_key(database: Database) -> None:
    migrate(database)
    assert database.secrets.key_file is None or not database.secrets.key_file.exists()
