"""Configured things: saved, listed, audited, refused, deleted."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

import pytest

from tests.store.builders import BY, add_campaign, add_list, result_of
from tests.store.conftest import NOW
from tests.store.test_claims import start, take
from wombat_ari.model.entities import (
    ActivePeriod,
    CallList,
    Campaign,
    CampaignList,
    EndPoint,
    RescheduleRule,
    Server,
    Trunk,
)
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.secret import NO_SECRET, Secret
from wombat_ari.model.states import CallLogging, CampaignStatus, EmailEvents, EndPointType, ListUse, RetryMode
from wombat_ari.store import entities, journal
from wombat_ari.store.database import Database

SERVER = Server(
    None, "pbx 1", "pbx.example.org", 5039, "wombat", Secret("amp111"), True, 100, 7, "http://pbx:8088", "ari",
    Secret("ari222"), False, "KEY",
)  # fmt: skip


def server(db: Database, name: str = "pbx 1") -> int:
    stored = entities.save_server(db, replace(SERVER, description=name), by=BY, now=NOW)
    assert stored.id is not None
    return stored.id


def test_the_addresses_of_servers_that_are_enabled(database: Database) -> None:
    for name, address, enabled in (("a", "10.0.0.1", True), ("b", "10.0.0.1", True), ("c", "pbx.example", False)):
        entities.save_server(database, Server(None, name, address, enabled=enabled), by="x", now=NOW)
    assert entities.server_addresses(database) == ["10.0.0.1"]


def test_a_server_comes_back_with_its_secrets(database: Database) -> None:
    stored = entities.save_server(database, SERVER, by=BY, now=NOW)
    assert stored == replace(SERVER, id=stored.id)
    assert entities.load_server(database, "pbx 1") == stored
    with database.transaction(write=False) as tx:
        row = tx.row("SELECT password, ari_password FROM asterisk_server")
        trail = tx.rows("SELECT new_values FROM audit")
    assert row is not None
    assert "amp111" not in row[0]
    assert row[0] != row[1]
    assert "amp111" not in str(trail)
    assert '"password": "***"' in str(trail)


def test_an_empty_password_stays_as_it_is(database: Database) -> None:
    stored = entities.save_server(database, SERVER, by=BY, now=NOW)
    shown = replace(stored, password=NO_SECRET, ari_password=NO_SECRET, port=5040)
    assert entities.save_server(database, shown, by=BY, now=NOW + 1) == replace(stored, port=5040)
    cleared = entities.save_server(database, shown, by=BY, now=NOW + 2, clear=("ari_password",))
    assert cleared == replace(stored, port=5040, ari_password=NO_SECRET)
    changed = entities.save_server(database, replace(shown, password=Secret("new")), by=BY, now=NOW + 3)
    assert changed.password.reveal() == "new"


def test_trunks_end_points_and_lists_come_back(database: Database) -> None:
    one = server(database)
    trunk = Trunk(None, one, "t", "Local/${num}@x/n", 5, "K")
    queue = EndPoint(None, one, EndPointType.QUEUE, "support", "999", "queues", 20, 1.3, 4, 15, True, True, "K")
    call_list = CallList(None, "Zoë's", True, "K")
    assert replace(stored := entities.save_trunk(database, trunk, by=BY, now=NOW), id=None) == trunk
    assert entities.load_trunk(database, "t") == stored
    assert replace(entities.save_end_point(database, queue, by=BY, now=NOW), id=None) == queue
    assert replace(entities.save_list(database, call_list, by=BY, now=NOW), id=None) == call_list
    plan = entities.load_plan(database)
    assert [s.description for s in plan.servers] == ["pbx 1"]
    assert plan.trunks == (stored,)
    assert plan.end_points == tuple(entities.list_end_points(database))
    assert entities.list_lists(database) == [entities.load_list(database, "Zoë's")]


def test_a_campaign_comes_back_whole(database: Database) -> None:
    one = server(database)
    trunks = [entities.save_trunk(database, Trunk(None, one, n, "SIP/${num}"), by=BY, now=NOW).id or 0 for n in "ab"]
    phone = EndPoint(None, one, EndPointType.PHONE, "e", "1", "x")
    end_point = entities.save_end_point(database, phone, by=BY, now=NOW).id or 0
    numbers, black = add_list(database, "numbers"), add_list(database, "black")
    campaign = Campaign(
        None, "Sales", 5, CampaignStatus.RUNNABLE, True, 200, ActivePeriod(72000, 3600, "23456", "Europe/Rome"), 20000,
        600, "02${AREA}", "${num}", "acc", "prohib", CallLogging.QM_COMPATIBLE, "q-sales", "HH,MM", "DEPT:x", 1.5,
        True, "https://crm/x?n=${num}",
        Secret("hmac"), "a@b.c", EmailEvents.ALL, "KEY", (trunks[1], trunks[0]), (end_point,),
        (CampaignList(black, "black", ListUse.BLACK, 0), CampaignList(numbers, "numbers", ListUse.NORMAL, 1)),
        (RescheduleRule("RS_BUSY", "", 2, 300), RescheduleRule("RS_NOANSWER", "*", 5, 60, RetryMode.MULTI)),
    )  # fmt: skip
    stored = entities.save_campaign(database, campaign, by=BY, now=NOW)
    rules = tuple(replace(rule, id=None) for rule in stored.rules)
    assert replace(stored, id=None, rules=rules) == campaign
    assert entities.load_campaign(database, "Sales") == stored
    assert entities.load_campaign(database, stored.id or 0) == stored
    assert entities.list_campaigns(database) == [stored]


def test_links_are_set_whole_and_audited(database: Database) -> None:
    numbers, black = add_list(database, "numbers"), add_list(database, "black")
    campaign = add_campaign(database, normal=[numbers])
    assert campaign.id is not None
    key = campaign.id
    changed = entities.set_campaign_lists(
        database, key, lists=[CampaignList(black, "", ListUse.BLACK), CampaignList(numbers, "")], by="eve", now=NOW + 1
    )
    assert changed.lists == (
        CampaignList(black, "black", ListUse.BLACK, 0),
        CampaignList(numbers, "numbers", ListUse.NORMAL, 1),
    )
    rules = [RescheduleRule("RS_BUSY", " x ", 2, 300)]
    assert (
        entities.set_campaign_rules(database, key, rules=rules, by="eve", now=NOW + 2).rules[0].extended_status == "x"
    )
    assert entities.load_campaign(database, key).trunk_ids == campaign.trunk_ids
    newest = entities.history(database, "campaign", key)
    assert newest[0].new_values == {"rules": ["RS_BUSY x 2 300 FIXED"]}
    assert newest[1].old_values == {"lists": ["numbers NORMAL"]}
    info = entities.infos(database, entities.CAMPAIGN)[key]
    assert (info.created_by, info.changed_by, info.changed_at, info.version) == (BY, "eve", NOW + 2, 3)


def test_wrong_links_are_refused_and_change_nothing(database: Database) -> None:
    numbers = add_list(database, "numbers")
    campaign = add_campaign(database, normal=[numbers])
    key = campaign.id or 0
    with pytest.raises(UserError, match="there is no trunk 4711"):
        entities.set_campaign_trunks(database, key, trunk_ids=[4711], by=BY, now=NOW)
    with pytest.raises(UserError, match="given twice"):
        entities.set_campaign_end_points(database, key, end_point_ids=[1, 1], by=BY, now=NOW)
    with pytest.raises(UserError, match="status 'BUSY'"):
        entities.set_campaign_rules(database, key, rules=[RescheduleRule("BUSY", "", 1, 1)], by=BY, now=NOW)
    with pytest.raises(UserError, match="there is no campaign 4711"):
        entities.set_campaign_trunks(database, 4711, trunk_ids=[], by=BY, now=NOW)
    assert entities.load_campaign(database, key) == campaign


def test_a_clone_has_the_definition_only(database: Database) -> None:
    campaign = add_campaign(database, normal=[add_list(database, "numbers", ["1"])])
    entities.save_campaign(database, replace(campaign, notify_secret=Secret("hmac")), by=BY, now=NOW)
    start(database, campaign.id)
    clone = entities.clone_campaign(database, campaign.id or 0, name="Copy", by="eve", now=NOW)
    assert (clone.name, clone.lists, clone.trunk_ids) == ("Copy", campaign.lists, campaign.trunk_ids)
    assert clone.notify_secret.reveal() == "hmac"
    assert clone.id != campaign.id
    with pytest.raises(UserError, match="campaign Copy: there is one of that name already"):
        entities.clone_campaign(database, campaign.id or 0, name=" Copy ", by="eve", now=NOW)


def test_a_rule_keeps_its_id(database: Database) -> None:
    """Clients name rules by their ids, so what else is changed of the campaign does not change them."""
    campaign = add_campaign(database)
    key = campaign.id or 0
    given = [RescheduleRule("RS_BUSY", "", 3, 60), RescheduleRule("RS_NOANSWER", "", 3, 60)]
    first, second = entities.set_campaign_rules(database, key, rules=given, by=BY, now=NOW).rules
    stored = entities.set_campaign_trunks(database, key, trunk_ids=campaign.trunk_ids, by=BY, now=NOW)
    assert stored.rules == (first, second)
    moved = (second, RescheduleRule("RS_ERROR", "", 1, 60), first)
    stored = entities.set_campaign_rules(database, key, rules=moved, by=BY, now=NOW)
    assert (stored.rules[0], stored.rules[2]) == (second, first)
    other = entities.clone_campaign(database, key, name="Other", by=BY, now=NOW)
    assert not {rule.id for rule in other.rules} & {rule.id for rule in stored.rules}


def test_names_are_unique_and_case_counts(database: Database) -> None:
    one, two = server(database), server(database, "pbx 2")
    entities.save_trunk(database, Trunk(None, one, "T", "SIP/${num}"), by=BY, now=NOW)
    with pytest.raises(UserError, match="trunk T: there is one of that name already"):
        entities.save_trunk(database, Trunk(None, two, " T ", "SIP/${num}"), by=BY, now=NOW)
    assert entities.save_trunk(database, Trunk(None, one, "t", "SIP/${num}"), by=BY, now=NOW).name == "t"
    with pytest.raises(UserError, match="no trunk Ť"):
        entities.load_trunk(database, "Ť")
    phone = EndPoint(None, one, EndPointType.PHONE, "support", "1", "x")
    entities.save_end_point(database, phone, by=BY, now=NOW)
    entities.save_end_point(database, replace(phone, server_id=two), by=BY, now=NOW)  # the same queue on another PBX
    with pytest.raises(UserError, match="of that name"):
        entities.save_end_point(database, phone, by=BY, now=NOW)


def test_the_second_of_two_editors_is_told(database: Database) -> None:
    stored = entities.save_list(database, CallList(None, "a"), by=BY, now=NOW)
    version = entities.infos(database, entities.LIST)[stored.id or 0].version
    entities.save_list(database, replace(stored, name="b"), by="ann", now=NOW, version=version)
    with pytest.raises(UserError, match="list b was changed by ann in the meantime") as caught:
        entities.save_list(database, replace(stored, hidden=True), by="bob", now=NOW, version=version)
    assert caught.value.code == "conflict"
    assert entities.load_list(database, "b").hidden is False


def test_the_audit_trail_holds_what_changed(database: Database) -> None:
    stored = entities.save_list(database, CallList(None, "a"), by=BY, now=NOW)
    entities.save_list(database, replace(stored, hidden=True), by="ann", now=NOW + 1)
    entities.save_list(database, replace(stored, hidden=True), by="bob", now=NOW + 2)  # nothing changed
    entities.delete_list(database, stored.id or 0, by="eve", now=NOW + 3)
    deleted, changed, created = entities.history(database, "call_list", stored.id or 0)
    assert (created.login, created.new_values) == (BY, {"name": "a", "hidden": False, "security_key": ""})
    assert (changed.login, changed.at) == ("ann", NOW + 1)
    assert (changed.old_values, changed.new_values) == ({"hidden": False}, {"hidden": True})
    assert (deleted.login, deleted.action, deleted.old_values["name"]) == ("eve", "DELETED", "a")


def test_what_is_referred_to_is_not_deleted(database: Database) -> None:
    numbers, black = add_list(database, "numbers", ["1"]), add_list(database, "black", ["2"])
    campaign = add_campaign(database, normal=[numbers], black=[black])
    trunk, end_point = campaign.trunk_ids[0], campaign.end_point_ids[0]
    one = entities.load_trunk(database, trunk).server_id
    key = campaign.id or 0
    run = start(database, key)
    refusals = [
        (
            entities.delete_server,
            one,
            "server pbx of Sales cannot be deleted: it is used by trunk t Sales; end point e",
        ),
        (entities.delete_trunk, trunk, "it is used by campaign Sales"),
        (entities.delete_end_point, end_point, "it is used by campaign Sales"),
        (entities.delete_list, black, "list black cannot be deleted: it is used by campaign Sales"),
        (entities.delete_list, numbers, "it is used by campaign Sales; run Sales "),
        (entities.delete_campaign, key, "campaign Sales cannot be deleted: it is used by run Sales 20"),
    ]
    for delete, entity_id, reason in refusals:
        with pytest.raises(UserError, match=reason):
            delete(database, entity_id, by=BY, now=NOW)
    (claim,) = take(database, run).claims
    journal.write(database, [replace(result_of(claim), trunk_id=trunk, end_point_id=end_point)])
    entities.set_campaign_trunks(database, key, trunk_ids=[], by=BY, now=NOW)
    entities.set_campaign_end_points(database, key, end_point_ids=[], by=BY, now=NOW)
    for delete, entity_id in ((entities.delete_trunk, trunk), (entities.delete_end_point, end_point)):
        with pytest.raises(UserError, match="it is used by the call log, as in run Sales 20"):
            delete(database, entity_id, by=BY, now=NOW)
    assert entities.load_campaign(database, key).lists == campaign.lists


def test_what_is_unused_is_deleted(database: Database) -> None:
    numbers = add_list(database, "numbers", ["1", "2"])
    campaign = add_campaign(database, normal=[numbers])
    one = entities.load_trunk(database, campaign.trunk_ids[0]).server_id
    entities.delete_campaign(database, campaign.id or 0, by=BY, now=NOW)
    entities.delete_list(database, numbers, by=BY, now=NOW)
    entities.delete_trunk(database, campaign.trunk_ids[0], by=BY, now=NOW)
    entities.delete_end_point(database, campaign.end_point_ids[0], by=BY, now=NOW)
    entities.delete_server(database, one, by=BY, now=NOW)
    assert entities.load_plan(database) == entities.Plan((), (), ())
    with database.transaction(write=False) as tx:
        for table in ("record", "campaign", "campaign_trunk", "campaign_end_point", "campaign_list", "reschedule_rule"):
            assert tx.value(f"SELECT COUNT(*) FROM {table}") == 0
    with pytest.raises(UserError, match=f"there is no server {one}"):
        entities.delete_server(database, one, by=BY, now=NOW)


def test_missing_parents_are_named(database: Database) -> None:
    with pytest.raises(UserError, match="there is no server 4711"):
        entities.save_trunk(database, Trunk(None, 4711, "t", "SIP/${num}"), by=BY, now=NOW)
    with pytest.raises(UserError, match="there is no trunk 4711"):
        entities.save_trunk(database, Trunk(4711, server(database), "t", "SIP/${num}"), by=BY, now=NOW)


def test_of_two_who_make_the_same_at_once_one_is_told(database: Database) -> None:
    barrier, told = threading.Barrier(4, timeout=30), []

    def make() -> None:
        database.is_alive()
        for turn in range(5):
            barrier.wait()
            try:
                told.append(entities.save_list(database, CallList(None, f"leads {turn}"), by=BY, now=NOW).name)
            except (UserError, StoreError) as error:
                told.append(f"{error.code}: {error}")
        database.close()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = "name_taken: list leads {}: there is one of that name already"
    assert Counter(told) == {f"leads {turn}": 1 for turn in range(5)} | {refused.format(turn): 3 for turn in range(5)}
