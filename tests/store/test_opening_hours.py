"""Opening hours and dispositions: stored, linked to campaigns, audited, cloned, refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.store.builders import BY, add_campaign
from tests.store.conftest import NOW
from wombat_ari.model.entities import DispositionRule, OpeningHours, OpeningRule
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import DispositionVerb, SentAttributes
from wombat_ari.store import entities, opening_hours
from wombat_ari.store.database import Database

OFFICE = OpeningHours(
    None, "office", "Zürich", False, True, "KEY",
    (
        OpeningRule(False, "12-24", "01-06", comment="holidays"),
        OpeningRule(True, "", "2027-12-31", "23456", 32400, 61200, "at work"),
        OpeningRule(True, days="7", start_s=79200, end_s=7200),
    ),
)  # fmt: skip


def save(db: Database, hours: OpeningHours = OFFICE, **values: object) -> OpeningHours:
    return opening_hours.save_opening_hours(db, hours, by=BY, now=NOW, **values)  # type: ignore[arg-type]


def test_they_come_back_whole(database: Database) -> None:
    stored = save(database)
    assert replace(stored, id=None) == OFFICE
    assert opening_hours.load_opening_hours(database, "office") == stored
    assert opening_hours.load_opening_hours(database, stored.id or 0) == stored
    other = save(database, OpeningHours(None, "always"))
    assert opening_hours.list_opening_hours(database) == [other, stored]


def test_rules_are_changed_whole_audited_and_counted_as_a_change(database: Database) -> None:
    stored = save(database)
    changed = replace(stored, rules=(stored.rules[2], stored.rules[0]))
    assert opening_hours.save_opening_hours(database, changed, by="eve", now=NOW + 1, version=1) == changed
    newest = entities.history(database, "opening_hours", stored.id or 0)[0]
    assert (newest.login, len(newest.old_values["rules"])) == ("eve", 3)
    assert newest.new_values["rules"][1] == "closed 12-24 to 01-06 days 1234567 0 to 86399 s holidays"
    with pytest.raises(UserError, match="was changed by eve in the meantime"):
        save(database, stored, version=1)
    assert opening_hours.load_opening_hours(database, "office") == changed
    save(database, changed)
    assert len(entities.history(database, "opening_hours", stored.id or 0)) == 3, "nothing changed, nothing said"


def test_a_mistake_changes_nothing(database: Database) -> None:
    stored = save(database)
    with pytest.raises(UserError, match="no date"):
        save(database, replace(stored, comment="new", rules=(OpeningRule(from_date="31-12"),)))
    assert opening_hours.load_opening_hours(database, "office") == stored
    with pytest.raises(UserError, match="one of that name already"):
        save(database, OFFICE)


def test_a_campaign_keeps_to_them_and_they_are_kept(database: Database) -> None:
    office, always = save(database), save(database, OpeningHours(None, "always"))
    key = add_campaign(database).id or 0
    ids = [always.id or 0, office.id or 0]
    changed = entities.set_campaign_opening_hours(database, key, opening_hours_ids=ids, by="eve", now=NOW)
    assert changed.opening_hours_ids == tuple(ids)
    assert entities.load_campaign(database, key) == changed
    assert opening_hours.hours_of_campaign(database, key) == (always, office)
    assert entities.history(database, "campaign", key)[0].new_values == {"opening_hours_ids": ids}
    with pytest.raises(UserError, match="opening hours office cannot be deleted: it is used by campaign Sales"):
        opening_hours.delete_opening_hours(database, office.id or 0, by=BY, now=NOW)
    with pytest.raises(UserError, match="there is no opening hours 4711"):
        entities.set_campaign_opening_hours(database, key, opening_hours_ids=[4711], by=BY, now=NOW)
    with pytest.raises(UserError, match="given twice"):
        entities.set_campaign_opening_hours(database, key, opening_hours_ids=[ids[0], ids[0]], by=BY, now=NOW)
    entities.set_campaign_opening_hours(database, key, opening_hours_ids=[], by=BY, now=NOW)
    opening_hours.delete_opening_hours(database, office.id or 0, by=BY, now=NOW)
    assert opening_hours.list_opening_hours(database) == [always]


RULES = (
    DispositionRule("RS_BUSY", "", True, DispositionVerb.HTTP_POST, "https://crm/x", "a\n${num}", 60),
    DispositionRule("*", "NO", False, DispositionVerb.BLACK_LIST, "never", attributes=SentAttributes.NONE),
    DispositionRule(verb=DispositionVerb.RESCHEDULE, destination="Later", extra="WHY:${extstatus}"),
)


def test_dispositions_come_back_in_order_and_keep_their_ids(database: Database) -> None:
    key = add_campaign(database).id or 0
    stored = entities.set_campaign_dispositions(database, key, dispositions=RULES, by="eve", now=NOW).dispositions
    assert tuple(replace(rule, id=None) for rule in stored) == RULES
    assert entities.load_campaign(database, key).dispositions == stored
    assert entities.history(database, "campaign", key)[0].new_values["dispositions"][1].startswith("* NO 0 BLACK_LIST")
    turned = tuple(reversed(stored))
    assert entities.set_campaign_dispositions(database, key, dispositions=turned, by=BY, now=NOW).dispositions == turned
    with pytest.raises(UserError, match="disposition URL"):
        entities.set_campaign_dispositions(
            database, key, dispositions=[replace(RULES[0], destination="x")], by=BY, now=NOW
        )
    assert entities.load_campaign(database, key).dispositions == turned


def test_a_clone_has_them_all_and_a_campaign_goes_with_them(database: Database) -> None:
    office = save(database)
    source = add_campaign(database)
    whole = replace(
        source, id=None, name="Whole", opening_hours_ids=(office.id or 0,), dispositions=RULES, variables="A:1",
        boost=1.5, starts_paused=True, logging_attributes="A,B",
    )  # fmt: skip
    stored = entities.save_campaign(database, whole, by=BY, now=NOW)
    clone = entities.clone_campaign(database, stored.id or 0, name="Copy", by=BY, now=NOW)
    without_ids = {"id": None, "name": "", "dispositions": tuple(replace(rule, id=None) for rule in clone.dispositions)}
    assert replace(clone, **without_ids) == replace(whole, name="")
    assert not {rule.id for rule in clone.dispositions} & {rule.id for rule in stored.dispositions}
    entities.delete_campaign(database, clone.id or 0, by=BY, now=NOW)
    assert entities.load_campaign(database, "Whole") == stored
