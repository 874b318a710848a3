"""The table of rights, and entities with a key: without it not listed, not found, not changed, not chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.app.service.conftest import caller
from tests.store.conftest import NOW
from wombat_ari.app.service import campaigns, end_points, lists, opening_hours, records, reports, runs, servers, trunks
from wombat_ari.app.service.caller import Caller, machine_caller, trusted_caller
from wombat_ari.app.service.rights import FORBIDDEN, LOG_ON, MISSING, Right, demand, may
from wombat_ari.model.entities import (
    CallList,
    Campaign,
    CampaignList,
    DispositionRule,
    EndPoint,
    OpeningHours,
    Record,
    Server,
    Trunk,
)
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.live import CallsWanted
from wombat_ari.model.states import DispositionVerb, EndPointType
from wombat_ari.model.tokens import Scope
from wombat_ari.store import entities
from wombat_ari.store import runs as run_store
from wombat_ari.store.database import Database, open_database

#: every right: who has it by one key besides USER, the scope its tokens need, and whether trusted addresses have it
TABLE: dict[Right, tuple[set[str], Scope, bool]] = {
    Right.SEE_PBX: ({"ADMIN", "CAMPAIGNS"}, Scope.READ, False),
    Right.CHANGE_PBX: ({"ADMIN"}, Scope.CONFIGURE, False),
    Right.SEE_LISTS: ({"LISTS", "CAMPAIGNS"}, Scope.READ, False),
    Right.SEE_RECORDS: ({"LISTS"}, Scope.READ, False),
    Right.CHANGE_LISTS: ({"LISTS"}, Scope.CONFIGURE, False),
    Right.ADD_NUMBERS: ({"LISTS"}, Scope.CONTROL, True),
    Right.SEE_CAMPAIGNS: ({"CAMPAIGNS", "LIVE", "REPORT"}, Scope.READ, False),
    Right.CHANGE_CAMPAIGNS: ({"CAMPAIGNS"}, Scope.CONFIGURE, False),
    Right.CLONE_CAMPAIGNS: ({"CAMPAIGNS"}, Scope.CONTROL, True),
    Right.SEE_LIVE: ({"LIVE"}, Scope.READ, False),
    Right.CONTROL_RUNS: ({"LIVE"}, Scope.CONTROL, True),
    Right.CONTROL_CALLS: ({"LIVE"}, Scope.CONTROL, True),
    Right.PREVIEW: ({"AGENT", "LIVE"}, Scope.CONTROL, True),
    Right.SEE_REPORTS: ({"REPORT"}, Scope.READ, False),
    Right.SEE_STATUS: ({"STATUS", "LIVE"}, Scope.READ, False),
    Right.SEE_HEALTH: ({"USER"}, Scope.READ, True),
    Right.SEE_METRICS: ({"STATUS", "LIVE"}, Scope.READ, True),
    Right.CONTROL_DIALER: ({"CTRL_WBT"}, Scope.CONTROL, False),
    Right.SEE_USERS: ({"ADMIN"}, Scope.USERS, False),
    Right.CHANGE_USERS: ({"ADMIN"}, Scope.USERS, False),
    Right.MAKE_TOKENS: ({"API"}, Scope.USERS, False),
    Right.SEE_SYSTEM_LOG: ({"SYSLOG"}, Scope.READ, False),
    Right.SEE_OUTBOX: ({"ADMIN"}, Scope.READ, False),
    Right.CHANGE_OUTBOX: ({"ADMIN"}, Scope.CONTROL, False),
    Right.DEBUG_AMI: ({"DEBUG_AMI"}, Scope.READ, False),
    Right.SEE_ABOUT: ({"LICKEY"}, Scope.READ, False),
}
KEYS = sorted(set().union(*(keys for keys, _, _ in TABLE.values())) | {"VIP"})
MASTER = caller("root", master=True)


def test_the_table_is_complete() -> None:
    assert set(TABLE) == set(Right)


@pytest.mark.parametrize("right", Right)
def test_one_key_opens_what_it_says_and_nothing_else(right: Right) -> None:
    keys, _, _ = TABLE[right]
    opening = {key for key in KEYS if may(caller("bob", key), right)}
    assert opening == (set(KEYS) if keys == {"USER"} else keys)
    assert may(MASTER, right)
    without_log_on = replace(
        caller("bob"), keyring=replace(caller("bob", *keys).keyring, keys=frozenset(keys) - {"USER"})
    )
    assert not may(without_log_on, right), "who may not log on may nothing"


@pytest.mark.parametrize("right", Right)
def test_a_token_needs_the_scope(right: Right) -> None:
    _, scope, _ = TABLE[right]
    opening = {each for each in Scope if may(replace(MASTER, scopes=frozenset({each})), right)}
    assert opening == ({Scope.READ, Scope.CONFIGURE} if scope is Scope.READ else {scope})
    with pytest.raises(UserError, match=f"scope {scope}") as refusal:
        demand(replace(MASTER, scopes=frozenset()), right)
    assert refusal.value.code == FORBIDDEN


@pytest.mark.parametrize("right", Right)
def test_a_trusted_address_may_control_only(right: Right) -> None:
    stranger = trusted_caller("127.0.0.1", at=NOW)
    assert may(stranger, right) is TABLE[right][2]
    if not TABLE[right][2]:
        with pytest.raises(UserError) as refusal:
            demand(stranger, right)
        assert refusal.value.code == LOG_ON


class Kind:
    """How one kind of entity is made, listed, found, changed, deleted."""

    def __init__(self, key: str, make: Callable[[Any], Any], service: Any, name: str, plural: str) -> None:
        self.key = key  #: of the feature
        self.make = make
        self.everything = getattr(service, f"list_{plural}")
        self.find = getattr(service, f"find_{name}")
        self.save = getattr(service, f"save_{name}")
        self.delete = getattr(service, f"delete_{name}")


KINDS = {
    "server": Kind("ADMIN", lambda on: Server(None, "S"), servers, "server", "servers"),
    "trunk": Kind("ADMIN", lambda on: Trunk(None, on, "T", "SIP/${num}"), trunks, "trunk", "trunks"),
    "end point": Kind(
        "ADMIN", lambda on: EndPoint(None, on, EndPointType.PHONE, "E", "1", "x"), end_points, "end_point", "end_points"
    ),
    "list": Kind("LISTS", lambda on: CallList(None, "L"), lists, "list", "lists"),
    "opening hours": Kind(
        "CAMPAIGNS", lambda on: OpeningHours(None, "O"), opening_hours, "opening_hours", "opening_hours"
    ),
    "campaign": Kind("CAMPAIGNS", lambda on: Campaign(None, "C"), campaigns, "campaign", "campaigns"),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def server_id(database: Database) -> int:
    return entities.save_server(database, Server(None, "base"), by="setup", now=NOW).id or 0


@pytest.fixture
def thing(database: Database, kind: Kind, server_id: int) -> Any:
    """Made by the creator, with the key VIP, which the creator does not hold."""
    creator = caller("creator", kind.key, "ADMIN")
    return kind.save(creator, database, replace(kind.make(server_id), security_key="VIP"))


def test_a_keyed_thing_is_there_for_holders_and_its_creator(database: Database, kind: Kind, thing: Any) -> None:
    for who in (caller("holder", kind.key, "VIP"), caller("creator", kind.key), MASTER):
        assert thing in kind.everything(who, database)
        assert kind.find(who, database, thing.id) == thing


def test_a_keyed_thing_is_not_there_for_others(database: Database, kind: Kind, thing: Any) -> None:
    other = caller("other", kind.key)
    assert thing not in kind.everything(other, database)
    for attempt in (
        lambda key: kind.find(other, database, key),
        lambda key: kind.save(other, database, replace(thing, id=key, security_key="")),
        lambda key: kind.delete(other, database, key),
    ):
        hidden, absent = refused(attempt, thing.id), refused(attempt, 4711)
        assert hidden.code == absent.code == MISSING
        assert str(hidden) == str(absent).replace("4711", str(thing.id)), "hidden and absent look the same"
    assert kind.find(MASTER, database, thing.id) == thing, "nothing was changed"


def test_without_the_feature_nothing_is_said(database: Database, kind: Kind, thing: Any) -> None:
    nobody = caller("nobody", "VIP", "STATUS")
    for attempt in (
        lambda key: kind.everything(nobody, database),
        lambda key: kind.find(nobody, database, key),
        lambda key: kind.save(nobody, database, thing),
        lambda key: kind.delete(nobody, database, key),
    ):
        assert refused(attempt, thing.id).code == FORBIDDEN
    assert kind.find(MASTER, database, thing.id) == thing


def test_a_name_that_is_taken_by_a_hidden_thing_is_refused(database: Database, kind: Kind, thing: Any) -> None:
    other = caller("other", kind.key, "ADMIN")
    assert (
        refused(lambda _: kind.save(other, database, replace(thing, id=None, security_key="")), 0).code == "name_taken"
    )


def test_nobody_locks_out_themselves(database: Database, kind: Kind, thing: Any) -> None:
    holder = caller("holder", kind.key, "VIP")
    with pytest.raises(UserError, match="you would not see this any more"):
        kind.save(holder, database, replace(thing, security_key="OTHER"))
    creator = caller("creator", kind.key)
    assert kind.save(creator, database, replace(thing, security_key="OTHER")).security_key == "OTHER"


def test_who_sees_a_campaign_sees_all_it_uses(database: Database, server_id: int) -> None:
    """Not transitive: but what is newly chosen must be seen by itself, and by its own address it is not there."""
    campaign, hidden = site(database, server_id)
    planner = caller("planner", "CAMPAIGNS", "LISTS")
    for kind, thing in hidden.items():
        assert [thing] == campaigns.used_by(planner, database, campaign.id or 0, kind)[0]
    bare = campaigns.save_campaign(planner, database, Campaign(None, "Bare"))
    choices: dict[str, Callable[[int], Any]] = {
        "trunks": lambda key: campaigns.set_trunks(planner, database, bare.id or 0, lambda old: (key,)),
        "end points": lambda key: campaigns.set_end_points(planner, database, bare.id or 0, lambda old: (key,)),
        "opening hours": lambda key: campaigns.set_opening_hours(planner, database, bare.id or 0, lambda old: (key,)),
        "lists": lambda key: campaigns.set_lists(planner, database, bare.id or 0, lambda old: (CampaignList(key, ""),)),
    }
    for kind, choose in choices.items():
        key = hidden[kind].id
        words = str(refused(choose, 4711))
        assert str(refused(choose, key)) == words.replace("4711", str(key))
    with pytest.raises(UserError, match="there is no trunk"):
        campaigns.save_campaign(planner, database, Campaign(None, "With", trunk_ids=(hidden["trunks"].id,)))
    for verb in (DispositionVerb.ADD_LIST, DispositionVerb.BLACK_LIST):
        rule = DispositionRule(verb=verb, destination="hidden list")
        with pytest.raises(UserError, match="you may not choose it"):
            campaigns.set_dispositions(planner, database, bare.id or 0, lambda old, rule=rule: (rule,))
    assert campaigns.find_campaign(planner, database, bare.id or 0) == bare


@pytest.mark.parametrize("kind", [KINDS["trunk"], KINDS["end point"]], ids=["trunk", "end point"])
def test_nothing_is_put_on_a_hidden_server(database: Database, kind: Kind, server_id: int) -> None:
    admin = caller("admin", "ADMIN")
    hidden = servers.save_server(MASTER, database, Server(None, "hidden", security_key="VIP")).id or 0
    there = kind.save(admin, database, kind.make(server_id))
    for attempt in (
        lambda key: kind.save(admin, database, kind.make(key)),
        lambda key: kind.save(admin, database, replace(there, server_id=key)),
    ):
        assert str(refused(attempt, hidden)) == f"there is no server {hidden}"
    moved = kind.save(MASTER, database, replace(there, server_id=hidden))
    assert kind.save(admin, database, replace(moved, name="other")).server_id == hidden, "what is there may stay"


def test_what_a_campaign_has_may_be_kept_and_unlinked(database: Database, server_id: int) -> None:
    campaign, _ = site(database, server_id)
    planner = caller("planner", "CAMPAIGNS")
    key = campaign.id or 0
    assert campaigns.set_trunks(planner, database, key, lambda old: old).trunk_ids == campaign.trunk_ids
    assert campaigns.set_trunks(planner, database, key, lambda old: ()).trunk_ids == ()


def test_records_of_a_hidden_list_are_not_there(database: Database) -> None:
    owner, other = caller("creator", "LISTS"), caller("other", "LISTS")
    call_list = lists.save_list(owner, database, CallList(None, "L", security_key="VIP"))
    record = records.save_record(owner, database, Record(None, call_list.id or 0, "100"))
    for attempt in (
        lambda key: records.find_record(other, database, key),
        lambda key: records.save_record(other, database, Record(key, call_list.id or 0, "999")),
        lambda key: records.calls_of_record(other, database, key),
    ):
        assert str(refused(attempt, record.id)) == str(refused(attempt, 4711)).replace("4711", str(record.id))
    assert refused(lambda key: records.slice_of_records(other, database, key), call_list.id).code == MISSING
    assert refused(lambda _: records.add_numbers(other, database, "L", source="1"), 0).code == MISSING
    assert records.slice_of_records(owner, database, call_list.id or 0).records == [record]


def test_runs_and_reports_of_a_hidden_campaign_are_not_there(database: Database, server_id: int) -> None:
    campaign, _ = site(database, server_id, key="VIP")
    run = run_store.start_run(database, campaign.id or 0, now=NOW, by="creator")
    watcher, holder = caller("watcher", "LIVE", "REPORT"), caller("holder", "LIVE", "REPORT", "VIP")
    dialer = Picture({"runs": [{"campaign": campaign.name}], "calls": [{"campaign": campaign.name}]})
    assert runs.live_runs(watcher, database, dialer) == []
    assert runs.live_calls(watcher, database, dialer) == []
    assert len(runs.live_runs(holder, database, dialer)) == len(runs.live_calls(holder, database, dialer)) == 1
    assert reports.find_runs(watcher, database) == []
    assert reports.find_runs(holder, database) == [run]
    for attempt in (
        lambda key: reports.statistics(watcher, database, [key]),
        lambda key: reports.attempts(watcher, database, [key]),
        lambda key: reports.slice_of_attempts(watcher, database, [key]),
        lambda key: reports.waiting_retries(watcher, database, key),
    ):
        hidden, absent = refused(attempt, run.id), refused(attempt, 4711)
        assert (hidden.code, str(hidden)) == (MISSING, str(absent).replace("4711", str(run.id)))
        assert absent.code == MISSING
    for who in (watcher, trusted_caller("127.0.0.1", at=NOW)):
        with pytest.raises(UserError, match="there is no campaign"):
            runs.pause(who, database, dialer, campaign=campaign.name)
    assert dialer.asked == []


def test_at_the_machine_a_run_is_paused_while_the_database_is_away(tmp_path: Path) -> None:
    """The dialer is asked first; then it is said that the log could not be written."""
    away = open_database(f"sqlite:///{tmp_path / 'nowhere' / 'w.db'}")
    dialer = Picture({"runs": [], "calls": []})
    with pytest.raises(StoreError):
        runs.pause(caller("root", master=True), away, dialer, campaign="C")
    assert dialer.asked == []
    with pytest.raises(StoreError):
        runs.pause(machine_caller("maria", at=NOW), away, dialer, campaign="C")
    assert dialer.asked == ["C"]
    assert runs.picture(machine_caller("maria", at=NOW), dialer) == {"runs": [], "calls": []}


def test_the_whole_picture_is_for_who_holds_all_keys() -> None:
    dialer = Picture({"runs": [], "calls": []})
    assert runs.picture(caller("root", master=True), dialer)
    for who in (caller("some", "LIVE", "STATUS"), caller("narrow", master=True, scopes=frozenset({Scope.CONTROL}))):
        assert refused(lambda _, who=who: runs.picture(who, dialer), 0).code == FORBIDDEN


class Picture:
    """A dialer that answers a picture, and notes what it is asked to do."""

    def __init__(self, picture: dict[str, Any]) -> None:
        self._picture = picture
        self.asked: list[str] = []

    def snapshot(self, *, calls: bool = True) -> dict[str, Any]:
        return self._picture

    def live_calls(self, wanted: CallsWanted) -> dict[str, Any]:
        return {"calls": [{"id": 1, **call} for call in self._picture["calls"]]}

    def pause_run(self, campaign: str, *, by: str) -> dict[str, Any]:
        self.asked.append(campaign)
        return {}


def site(database: Database, server_id: int, *, key: str = "") -> tuple[Campaign, dict[str, Any]]:
    """A campaign of the creator whose trunk, end point, list and hours have a key, and these."""
    creator = caller("creator", "ADMIN", "LISTS", "CAMPAIGNS")
    hidden: dict[str, Any] = {
        "trunks": trunks.save_trunk(creator, database, Trunk(None, server_id, "T", "SIP/${num}", 1, "SECRET")),
        "end points": end_points.save_end_point(
            creator, database, EndPoint(None, server_id, EndPointType.PHONE, "E", "1", "x", security_key="SECRET")
        ),
        "lists": lists.save_list(creator, database, CallList(None, "hidden list", security_key="SECRET")),
        "opening hours": opening_hours.save_opening_hours(
            creator, database, OpeningHours(None, "O", security_key="SECRET")
        ),
    }
    campaign = Campaign(
        None,
        "C",
        security_key=key,
        trunk_ids=(hidden["trunks"].id,),
        end_point_ids=(hidden["end points"].id,),
        lists=(CampaignList(hidden["lists"].id, ""),),
        opening_hours_ids=(hidden["opening hours"].id,),
    )
    return campaigns.save_campaign(creator, database, campaign), hidden


def refused(attempt: Callable[[Any], Any], key: Any) -> UserError:
    with pytest.raises(UserError) as refusal:
        attempt(key)
    return refusal.value


def test_a_caller_is_not_widened(database: Database) -> None:
    nobody = Caller("eve", caller("eve").keyring, NOW)
    assert not any(may(nobody, right) for right in set(Right) - {Right.SEE_HEALTH})
