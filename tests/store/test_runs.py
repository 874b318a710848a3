"""Starting, ending and watching runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.store.builders import BY, add_campaign, add_list, result_of
from tests.store.conftest import NOW
from tests.store.test_claims import start, take
from wombat_ari.model.entities import ActivePeriod
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.states import CampaignStatus, RunState
from wombat_ari.store import entities, journal, runs
from wombat_ari.store.database import Database
from wombat_ari.store.ledger import check_ledger


def test_a_run_starts_with_the_normal_lists(database: Database) -> None:
    a, b, no = add_list(database, "a", ["1", "2"]), add_list(database, "b", ["3"]), add_list(database, "no")
    campaign = add_campaign(database, normal=[b, a], black=[no])
    campaign = entities.save_campaign(
        database, replace(campaign, active_period=ActivePeriod(zone="Europe/Rome")), by=BY, now=NOW
    )
    row = runs.start_run(database, campaign.id or 0, now=NOW, by=BY)
    assert (row.state, row.campaign_name, row.started_at, row.ended_at) == (RunState.RUNNABLE, "Sales", NOW, None)
    rome = datetime.fromtimestamp(NOW + 7200, UTC)
    assert row.name == f"Sales {rome:%Y-%m-%d %H:%M:%S}"
    assert [(line.name, line.remaining, line.paused) for line in runs.run_lists(database, row.id)] == [
        ("b", 1, False),
        ("a", 2, False),
    ]
    assert runs.live_runs(database) == [row]
    assert runs.run_by_name(database, "Sales") == row
    assert runs.run_by_name(database, row.name) == row
    assert runs.run_by_name(database, "sales") is None


def test_one_live_run_at_most(database: Database) -> None:
    campaign = add_campaign(database)
    first = start(database, campaign.id)
    with pytest.raises(UserError, match="has a live run already"):
        start(database, campaign.id)
    with pytest.raises(StoreError) as caught, database.transaction() as tx:  # the database itself forbids it
        runs._insert(tx, campaign.id or 0, runs._Begin("Sales", "", 1.0, False), now=NOW, by=BY)
    assert caught.value.code == "store_duplicate"
    runs.set_run_state(database, first, state=RunState.COMPLETED, now=NOW + 1)
    assert start(database, campaign.id) != first


@pytest.mark.parametrize("status", [CampaignStatus.CLOSED, CampaignStatus.HIDDEN, CampaignStatus.ERROR])
def test_only_runnable_campaigns_start(database: Database, status: CampaignStatus) -> None:
    campaign = add_campaign(database)
    entities.save_campaign(database, replace(campaign, status=status), by=BY, now=NOW)
    with pytest.raises(UserError, match=f"is {status.value}"):
        start(database, campaign.id)


def test_what_is_missing_is_said(database: Database) -> None:
    campaign = add_campaign(database)
    assert campaign.id is not None
    entities.set_campaign_trunks(database, campaign.id, trunk_ids=[], by=BY, now=NOW)
    with pytest.raises(UserError, match=r"it has no trunk$"):
        start(database, campaign.id)
    entities.set_campaign_end_points(database, campaign.id, end_point_ids=[], by=BY, now=NOW)
    with pytest.raises(UserError, match=r"it has no trunk and no end point$"):
        start(database, campaign.id)
    with pytest.raises(UserError, match="there is no campaign 4711"):
        start(database, 4711)


def test_a_removed_run_gives_up_what_was_not_dialled(database: Database) -> None:
    run = start(database, add_campaign(database, normal=[add_list(database, "a", list("12345"))]).id)
    one, *_ = take(database, run, 3).claims
    journal.write(database, [result_of(one, retry_in_s=600)])
    row = runs.set_run_state(database, run, state=RunState.REMOVED, now=NOW + 7)
    counters = check_ledger(database, run)
    assert row.counters == counters
    assert (counters.taken, counters.closed, counters.open_attempts, counters.open_retries) == (3, 3, 0, 0)
    assert (row.state, row.ended_at) == (RunState.REMOVED, NOW + 7)
    assert runs.live_runs(database) == []
    assert runs.recently_closed(database, since=NOW) == [row]
    assert runs.recently_closed(database, since=NOW + 8) == []
    assert runs.set_run_state(database, run, state=RunState.RUNNING, now=NOW + 9) == row
    with pytest.raises(UserError, match="has ended"):
        runs.pause_run_list(database, run, list_id=1, paused=True)


def test_lists_of_a_live_run_change(database: Database) -> None:
    a, b = add_list(database, "a", ["1"]), add_list(database, "b", ["2"])
    run = start(database, add_campaign(database, normal=[a]).id)
    assert [line.name for line in runs.add_run_list(database, run, b)] == ["a", "b"]
    with pytest.raises(UserError, match="is in run"):
        runs.add_run_list(database, run, b)
    with pytest.raises(UserError, match="no list 4711"):
        runs.add_run_list(database, run, 4711)
    assert [line.name for line in runs.order_run_lists(database, run, list_ids=[b, a])] == ["b", "a"]
    assert [c.number for c in take(database, run).claims] == ["2", "1"]
    for wrong in ([a], [a, a], [a, b, 4711]):
        with pytest.raises(UserError, match="must name each list of the run once"):
            runs.order_run_lists(database, run, list_ids=wrong)
    with pytest.raises(UserError, match="not one of the run"):
        runs.pause_run_list(database, run, list_id=4711, paused=True)


def test_a_run_begins_as_its_campaign_says(database: Database) -> None:
    campaign = replace(add_campaign(database), boost=2.5, starts_paused=True)
    entities.save_campaign(database, campaign, by=BY, now=NOW)
    row = runs.start_run(database, campaign.id or 0, now=NOW, by=BY)
    assert (row.state, row.boost) == (RunState.PAUSED, 2.5)
    assert runs.live_runs(database) == [row]


def test_boost(database: Database) -> None:
    run = start(database, add_campaign(database).id)
    assert runs.run(database, run).boost == 1.0
    assert runs.set_boost(database, run, factor=1.5).boost == 1.5
    for wrong in (0.0, -1.0, 101.0, float("nan")):
        with pytest.raises(UserError, match="boost"):
            runs.set_boost(database, run, factor=wrong)


def test_ended_runs_with_open_calls_are_found_at_start(database: Database) -> None:
    campaign = add_campaign(database, normal=[add_list(database, "a", ["1", "2"])])
    run = start(database, campaign.id)
    take(database, run, 1)
    assert [row.id for row in runs.runs_with_open_attempts(database)] == [run]
    with database.transaction() as tx:
        tx.run("UPDATE attempt SET state = 'CONNECTED'")
    runs.set_run_state(database, run, state=RunState.REMOVED, now=NOW + 1)
    assert [row.id for row in runs.runs_with_open_attempts(database)] == [run]
    assert [row.id for row in runs.find_runs(database, from_at=NOW, campaign_id=campaign.id)] == [run]
    assert runs.find_runs(database, to_at=NOW) == []


def test_what_comes_back_after_the_removal_is_given_up(database: Database) -> None:
    run = start(database, add_campaign(database, normal=[add_list(database, "a", ["1"])]).id)
    (claim,) = take(database, run, 1).claims
    runs.give_up(database, run)
    assert runs.run(database, run).counters.open_attempts == 1, "a live run gives nothing up"
    with database.transaction() as tx:
        tx.run("UPDATE attempt SET state = 'REQUESTED' WHERE wombatid = %s", (claim.wombatid,))
    runs.set_run_state(database, run, state=RunState.REMOVED, now=NOW + 1)
    assert check_ledger(database, run).open_attempts == 1
    with database.transaction() as tx:
        tx.run("UPDATE attempt SET state = 'IN_HOPPER' WHERE wombatid = %s", (claim.wombatid,))
    runs.give_up(database, run)
    assert check_ledger(database, run).closed == 1


def test_a_black_list_is_not_added_to_be_dialled(database: Database) -> None:
    numbers, black = add_list(database, "numbers", ["1"]), add_list(database, "never", ["2"])
    run = start(database, add_campaign(database, normal=[numbers], black=[black]).id)
    with pytest.raises(UserError, match="list never is a black list of this campaign"):
        runs.add_run_list(database, run, black)
    assert [line.name for line in runs.run_lists(database, run)] == ["numbers"]
