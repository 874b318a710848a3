"""Dispositions on a virtual clock: lists, black lists, other campaigns; once, also after a kill; circles end."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import succeed

from tests.engine.world import START, World, rule
from wombat_ari.core.disposition import HOPS, MAX_HOPS
from wombat_ari.model import events as ev
from wombat_ari.model.entities import CallList, CampaignList, DispositionRule
from wombat_ari.model.errands import Receipt
from wombat_ari.model.states import DispositionVerb as V
from wombat_ari.model.states import ListUse, RunState
from wombat_ari.store import entities

ANSWERS, BUSY = "5551010001", "5552010002"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(tmp_path)


def made(folder: Path) -> World:
    world = World(folder)
    world.send = lambda row: succeed(Receipt("nothing is sent outside here"))
    return world


def records(world: World, name: str) -> list[tuple[Any, ...]]:
    return world.rows(
        "SELECT r.number, r.input_attributes FROM record r JOIN call_list l ON l.id = r.list_id "
        f"WHERE l.name = '{name}' ORDER BY r.id"
    )


def outbox(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT kind, state, error FROM outbox ORDER BY id")


def busy(verb: V, destination: str, **values: Any) -> DispositionRule:
    return DispositionRule("RS_BUSY", verb=verb, destination=destination, **values)


def test_a_record_goes_onto_a_list_when_it_is_closed(world: World) -> None:
    rules = (busy(V.ADD_LIST, "tried ${CITY}"), busy(V.ADD_LIST, "each", with_retries=True))
    numbers = world.add_list([ANSWERS, BUSY], '{"CITY":"Bern"}')
    world.add_campaign("c", numbers, rules=(rule("RS_BUSY", times=1, after=10),), dispositions=rules)
    world.start()
    world.run("c")
    world.finish()
    world.advance_until(lambda: not outbox(world), 30)
    assert records(world, "tried Bern") == [(BUSY, f'{{"CITY":"Bern","{HOPS}":"1"}}')]
    assert len(records(world, "each")) == 2
    world.check_ledger()


def test_a_number_goes_onto_the_black_list_of_another_campaign(world: World) -> None:
    never = entities.save_list(world.database, CallList(None, "never"), by="test", now=START).id or 0
    world.add_campaign("a", [BUSY, ANSWERS], dispositions=(busy(V.BLACK_LIST, "never"),))
    world.start()
    world.run("a")
    world.finish()
    world.advance_until(lambda: not outbox(world), 30)
    lists = (world.add_list([BUSY, "5551010003"]), CampaignList(never, "", ListUse.BLACK))
    world.add_campaign("b", world.add_list([]), **{"lists": lists})
    world.run("b")
    world.finish()
    assert world.outcomes()[BUSY] == ["RS_BUSY", "RS_BLACKLIST"]
    world.check_ledger()


def test_a_black_listed_record_counts_too(world: World) -> None:
    never = world.add_list([BUSY])
    lists = (world.add_list([BUSY, ANSWERS]), CampaignList(never.list_id, "", ListUse.BLACK))
    refused = DispositionRule("RS_BLACKLIST", verb=V.ADD_LIST, destination="refused")
    world.add_campaign("c", world.add_list([]), **{"lists": lists, "dispositions": (refused,)})
    world.start()
    world.run("c")
    world.finish()
    world.advance_until(lambda: not outbox(world), 30)
    assert [number for number, _ in records(world, "refused")] == [BUSY]
    world.check_ledger()


def test_a_record_is_handed_to_the_live_run_of_another_campaign_after_a_while(world: World) -> None:
    to_b = busy(V.RESCHEDULE, "b", delay_s=60, extra="WHY:${outcome}")
    world.add_campaign("a", world.add_list([BUSY], '{"CITY":"Bern"}'), dispositions=(to_b,))
    world.add_campaign("b", ["5551010003"], idles_on_termination=True)
    world.start()
    run = world.run("b")
    world.run("a")
    world.advance_until(lambda: run.machine.state == RunState.IDLE)
    world.advance(50)
    assert len(world.log()) == 2
    world.advance_until(lambda: len(world.log()) == 3, 30)
    (handed,) = [row for row in world.log("list_name, number, outcome, input_attributes") if row[0] == "b/AUTO"]
    assert handed[1:3] == (BUSY, "RS_BUSY")
    assert handed[3] == f'{{"CITY":"Bern","WHY":"RS_BUSY","{HOPS}":"1"}}'
    world.advance(5)
    assert (run.tally.taken, run.tally.closed) == (2, 2)
    assert "b/AUTO" in {each.name for each in run.lists.values()}
    world.check_ledger()


def test_without_a_live_run_it_waits_and_says_so(world: World) -> None:
    world.add_campaign("a", [BUSY], dispositions=(busy(V.RESCHEDULE, "b"),))
    world.add_campaign("b", ["5551010003"], idles_on_termination=True)
    world.start()
    world.run("a")
    world.finish()
    world.advance(30)
    assert outbox(world) == [("RESCHEDULE", "WAITING", "campaign 'b' has no live run that could take the record")]
    world.run("b")
    world.advance_until(lambda: not outbox(world), 600)
    world.advance_until(lambda: len(world.log()) == 3, 30)
    world.check_ledger()


def test_without_a_live_run_for_a_day_it_is_parked(world: World) -> None:
    world.add_campaign("a", [BUSY], dispositions=(busy(V.RESCHEDULE, "b"),))
    world.start()
    world.run("a")
    world.finish()
    for _ in range(26):
        world.advance(3600, step=5)
    assert outbox(world) == [("RESCHEDULE", "PARKED", "campaign 'b' has no live run that could take the record")]


def test_a_circle_of_campaigns_ends_and_is_seen(world: World) -> None:
    """a hands on to b and b to a: each call is a try of somebody's phone, so it must end."""
    for name, other in (("a", "b"), ("b", "a")):
        number = [BUSY] if name == "a" else ["5551010003"]
        rules = (busy(V.RESCHEDULE, other),)
        world.add_campaign(name, number, dispositions=rules, idles_on_termination=True)
    world.start()
    world.run("a")
    world.run("b")
    world.advance(120)
    assert world.outcomes()[BUSY] == ["RS_BUSY"] * (MAX_HOPS + 1)
    ((kind, state, error),) = outbox(world)
    assert (kind, state) == ("RESCHEDULE", "PARKED")
    assert "handed on 10 times already" in error
    world.check_ledger()


def test_a_campaign_that_feeds_its_own_list_ends(world: World) -> None:
    numbers = world.add_list([BUSY])
    world.add_campaign("a", numbers, dispositions=(busy(V.ADD_LIST, numbers.name),), idles_on_termination=True)
    world.start()
    world.run("a")
    world.advance(120)
    assert world.outcomes()[BUSY] == ["RS_BUSY"] * (MAX_HOPS + 1)
    world.check_ledger()


def test_a_late_status_fires_the_rules_for_it(world: World) -> None:
    rules = (
        DispositionRule(extended_status="1", verb=V.ADD_LIST, destination="ones"),
        DispositionRule(extended_status="SALE", verb=V.ADD_LIST, destination="sales"),
        DispositionRule(verb=V.ADD_LIST, destination="all"),
        DispositionRule(extended_status="AGAIN", verb=V.ADD_LIST, destination="again"),
    )
    retry = (rule("TERMINATED", extended_status="AGAIN", after=30),)
    world.add_campaign("c", [ANSWERS], dispositions=rules, rules=retry, idles_on_termination=True)
    world.start()
    world.run("c")
    world.advance_until(lambda: len(world.log()) == 1)
    ((wombatid,),) = world.log("wombatid")
    for code in ("SALE", "1", "SALE", "AGAIN"):
        world.dialer.follow.on_event(ev.StatusSet(wombatid, code))
        world.advance(1)
    world.advance_until(lambda: not outbox(world), 30)
    assert [len(records(world, name)) for name in ("ones", "sales", "all", "again")] == [1, 1, 1, 0]
    assert world.log("retry_in_s") == [(30,)], "AGAIN led to a retry, so its rule for closed records did not fire"
    world.check_ledger()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pauses=st.lists(st.sampled_from([0.05, 0.2, 0.6, 1.1, 3.0]), max_size=6))
def test_once_whenever_the_dialer_is_killed(tmp_path_factory: pytest.TempPathFactory, pauses: list[float]) -> None:
    world = made(tmp_path_factory.mktemp("once"))
    rules = (busy(V.ADD_LIST, "kept"), busy(V.RESCHEDULE, "b"))
    numbers = [f"55520500{n:02}" for n in range(12)]
    world.add_campaign("a", numbers, dispositions=rules, idles_on_termination=True)
    world.add_campaign("b", ["5551010003"], idles_on_termination=True)
    world.start()
    for name in ("a", "b"):
        world.run(name)
    for pause in pauses:
        world.advance(pause)
        world.kill()
        world.start()
    over = "SELECT COUNT(*) FROM run WHERE taken = closed AND taken >= 1 AND (campaign_name = 'b' OR taken = 12)"
    world.advance_until(lambda: world.rows(over) == [(2,)] and not outbox(world), 400)
    world.advance(5)
    # What was under way at a kill may be RS_LOST: nothing is known of it, and no rule is for that.
    logged = world.log("campaign_name, number, outcome")
    closed = sorted(number for campaign, number, outcome in logged if campaign == "a" and outcome == "RS_BUSY")
    for name in ("kept", "b/AUTO"):
        assert sorted(number for number, _ in records(world, name)) == closed
    assert sorted(number for campaign, number, _ in logged if campaign == "b" and number != "5551010003") == closed
    world.check_ledger()
    world.database.close()
