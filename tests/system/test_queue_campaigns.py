"""Campaigns whose calls go to queues of a real Asterisk: nobody waits in vain, no limit is passed, nothing leaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.system.agents import Agent, Heard, Meter, Referee
from tests.system.centre import Centre, phone
from tests.system.site import until
from wombat_ari.model.states import CallLogging

FIVE = [Agent(serial) for serial in range(21, 26)]
NEVER = Agent(26, ring=99)
FOREVER = "5553000{:03}"  #: rings until the answer timeout
TALKS = "5551000{:03}"  #: answers at once, never hangs up


def _agents_of(centre: Centre, campaign: str) -> list[tuple[str, str]]:
    return [
        (outcome, agent)
        for outcome, agent in centre.site.rows(
            "SELECT outcome, agent FROM call_log WHERE campaign_name = %s", (campaign,)
        )
    ]


def _run_of(centre: Centre, campaign: str) -> dict[str, Any]:
    (run,) = [run for run in centre.site.snapshot()["runs"] if run["campaign"] == campaign]
    return dict(run)


def _calls(centre: Centre) -> list[dict[str, Any]]:
    return list(centre.site.snapshot()["calls"])


def _settled(centre: Centre, campaign: str, attempts: int) -> bool:
    return len(_agents_of(centre, campaign)) == attempts and not centre.site.snapshot()["calls"]


def _nothing_leaked(centre: Centre, end_point: str = "999") -> None:
    shown = centre.site.snapshot()
    assert shown["odd_events"] == 0
    assert {line["used"] for line in [*shown["trunks"], *shown["end_points"]]} == {0}
    queue = centre.shown(end_point)
    assert (queue["joined"], queue["on_the_way"], queue["waiting"]) == (0, 0, 0)


@pytest.mark.parametrize("five", [FIVE, [phone(n) for n in range(1, 6)]], ids=["local", "phones"])
def test_nobody_waits_while_no_agent_is_free(centre: Centre, five: list[Agent]) -> None:
    """Boost 1, five agents, a quarter of the numbers busy."""
    numbers = [f"555{2 if n % 4 == 3 else 1}{n % 8:02}{15 + n % 9:02}{n:03}" for n in range(24)]
    referee, meter, joins, faults = Referee(), Meter(), [], []
    watched: list[dict[str, Any]] = []

    def judge(heard: Heard) -> None:
        if heard["Event"] == "QueueCallerJoin" and heard.is_ours:
            joins.append((len(referee.idle), referee.unserved))
            if len(referee.idle) <= referee.unserved:
                faults.append(f"{heard['Uniqueid']} joins: {referee}")
        referee(heard)
        meter(heard)

    centre.floor.hooks.append(judge)
    try:
        centre.log_on(*five)
        campaign = centre.run("999", numbers)
        until(lambda: watched.append(centre.shown()) or _settled(centre, campaign, 24), 90, "the campaign is through")
    finally:
        centre.floor.hooks.remove(judge)
    rows = _agents_of(centre, campaign)
    answered = [agent for outcome, agent in rows if outcome == "TERMINATED"]
    print(f"{len(joins)} joined, most calls at once {meter.most}, free agents at joining {sorted(set(joins))}")
    assert not faults
    assert len(joins) == len(answered) == 18
    assert set(answered) == {agent.name for agent in five}, "an agent is named on each call, and all had calls"
    assert {agent for outcome, agent in rows if outcome != "TERMINATED"} == {""}
    assert 4 <= meter.most <= 7, "as many calls as agents; a call that ends and the next may overlap"
    assert {shown["overdialled"] for shown in watched} == {0}
    assert max(shown["used"] for shown in watched) >= 4
    _nothing_leaked(centre)


def test_an_agent_who_hangs_up_has_ended_it_in_the_queue_log(centre: Centre) -> None:
    agent = Agent(27, talk=5)
    centre.log_on(agent)
    campaign = centre.run("999", [TALKS.format(1)], logging=CallLogging.QM_COMPATIBLE)
    until(lambda: _settled(centre, campaign, 1), 30, "the agent has hung up")

    def ends() -> list[list[str]]:
        written = (centre.pbx.directory / "log" / "queue_log").read_text("utf-8").splitlines()
        fields = [line.split("|") for line in written]
        return [each[3:5] for each in fields if each[2] == campaign and each[4].startswith("COMPLETE")]

    until(ends, 10, "the last line is written")
    assert ends() == [[agent.name, "COMPLETEAGENT"]]


@pytest.mark.parametrize(
    ("end_point", "trunk", "placed"),
    [("999", "network", 5), ("double", "network", 10), ("double", "six", 6), ("four", "network", 4)],
)
def test_boost_and_limits_say_how_many_are_placed(centre: Centre, end_point: str, trunk: str, placed: int) -> None:
    meter = Meter()
    centre.floor.hooks.append(meter)
    try:
        centre.log_on(*FIVE, queue=end_point)
        campaign = centre.run(end_point, [FOREVER.format(n) for n in range(30)], trunk=trunk, answer_timeout_ms=60_000)
        until(lambda: len(meter.live) == placed, 20, f"{placed} calls are placed")
        shown = centre.shown(end_point)
        assert (shown["used"], shown["on_the_way"], shown["overdialled"]) == (placed, placed, max(0, placed - 5))
        assert shown["free"] == (0 if trunk == "network" else 4)
        passed = centre.site.snapshot()["now"] + 0.5
        until(lambda: centre.site.snapshot()["now"] > passed, 10, "half a second of passes")
        assert (meter.most, _run_of(centre, campaign)["open_calls"]) == (placed, placed)
    finally:
        centre.floor.hooks.remove(meter)


def test_more_waiting_than_may_stops_it(centre: Centre) -> None:
    """Three callers whom none of the five may take; two may wait."""
    floor = centre.floor
    centre.log_on(*FIVE, penalty=5)
    callers = [floor.stranger("choosy") for _ in range(3)]
    for caller in callers:
        joined = floor.await_event("QueueCallerJoin", Uniqueid=caller)
    centre.follows(joined, "callers join", waiting=3, idle=5, blocked=True, free=0)
    campaign = centre.run("999", [FOREVER.format(n) for n in range(9)], answer_timeout_ms=60_000)
    said = "more callers wait in queue '999' than may"
    until(lambda: _run_of(centre, campaign)["why_not"] == said, 10, "it says why")
    passed = centre.site.snapshot()["now"] + 0.5
    until(lambda: centre.site.snapshot()["now"] > passed, 10, "half a second of passes")
    assert _calls(centre) == []
    assert centre.shown()["blocked"]
    floor.hang_up(callers[0])
    until(lambda: len(_calls(centre)) == 3, 10, "five agents less two callers: three calls")
    shown = centre.shown()
    assert (shown["blocked"], shown["waiting"], shown["free"], shown["on_the_way"]) == (False, 2, 0, 3)


def test_nothing_is_placed_for_a_queue_that_is_not_there(centre: Centre) -> None:
    campaign = centre.run("nowhere", [TALKS.format(n) for n in range(5)])
    said = "Asterisk has no queue 'nowhere'"
    until(lambda: _run_of(centre, campaign)["why_not"] == said, 10, "it says why")
    passed = centre.site.snapshot()["now"] + 0.5
    until(lambda: centre.site.snapshot()["now"] > passed, 10, "half a second of passes")
    assert _run_of(centre, campaign)["open_calls"] == 0
    assert centre.site.snapshot()["channels_in_use"] == 0


def _figures(centre: Centre) -> dict[str, Any]:
    shown = centre.shown()
    keys = ("free", "used", "idle", "waiting", "joined", "on_the_way", "overdialled", "blocked", "states")
    return {**{key: shown[key] for key in keys}, "callers": sorted(shown["callers"])}


def _agent_of_each_call(centre: Centre) -> dict[str, str]:
    return {call["number"]: call["agent"] for call in _calls(centre)}


def _kick(centre: Centre, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Asterisk cuts the dialer's AMI session."""
    before = centre.site.snapshot()["pbxs"][0]["since"]
    for line in centre.pbx.cli("manager show connected").splitlines():
        if line.split()[:1] == ["wombat"]:
            centre.pbx.cli(f"manager kick session {line.split()[4]}")
    meanwhile()
    until(lambda: (centre.site.snapshot()["pbxs"][0]["since"] or before) != before, 20, "the dialer is back")
    centre.site.await_pbx()


def _restart(centre: Centre) -> None:
    """The dialer ends and comes again; calls go on meanwhile."""
    centre.site.stop()
    centre.site.serve()
    centre.site.await_pbx()


def test_after_a_break_everything_is_as_it_was(centre: Centre) -> None:
    """Three agents talk, one rings, one is free and a call for them is on the way; somebody waits whom nobody may take.

    The link is cut, then the dialer restarted: nobody is counted twice, nobody is forgotten, no line is lost. Then
    it is cut again while a call ends and an agent goes.
    """
    floor = centre.floor
    numbers = [*(TALKS.format(n) for n in range(4)), FOREVER.format(4)]
    centre.log_on(*FIVE[:3], penalty=5)
    waits = floor.stranger("choosy")
    centre.follows(floor.await_event("QueueCallerJoin", Uniqueid=waits), "a caller joins", waiting=1, free=2)
    centre.log_on(Agent(27), penalty=5)  # makes up for the one who waits
    campaign = centre.run("999", numbers, answer_timeout_ms=60_000)
    until(lambda: list(centre.shown()["states"].values()).count("TALKING") == 3, 20, "three talk")
    centre.log_on(NEVER, penalty=2)  # goes before the others
    until(lambda: centre.shown()["states"][NEVER.name] == "RINGING", 20, "one rings")
    centre.log_on(*FIVE[3:4], penalty=5)
    until(lambda: centre.shown()["on_the_way"] == 1, 20, "one is on the way")
    figures, named = _figures(centre), _agent_of_each_call(centre)
    assert (figures["used"], figures["joined"], figures["waiting"], figures["free"]) == (5, 4, 1, 0)
    for break_it in (_kick, _restart):
        break_it(centre)
        until(lambda: _figures(centre) == figures, 10, f"as it was: {figures}, after {break_it.__name__}")
        assert _agent_of_each_call(centre) == named
    talks = next(call for call in _calls(centre) if call["agent"])
    _kick(centre, lambda: [floor.hang_up(f"wbt-{talks['id']:016}"), centre.log_off(FIVE[3])])
    states = {name: state for name, state in figures["states"].items() if name != FIVE[3].name}
    changed = {**figures, "used": 4, "joined": 3, "states": {**states, talks["agent"]: "IDLE"}}
    until(lambda: _figures(centre) == changed, 10, f"what happened meanwhile is known: {changed}")
    for call in _calls(centre):
        centre.site.hang_up(call["id"])
    until(lambda: _settled(centre, campaign, 5), 20, "all calls have ended")
    floor.hang_up(waits)
    floor.await_event("QueueCallerLeave", Uniqueid=waits)
    rows = _agents_of(centre, campaign)
    assert sorted(agent for _, agent in rows if agent) == sorted(agent for agent in named.values() if agent)
    until(lambda: centre.shown()["waiting"] == 0, 10, "nobody waits")
    _nothing_leaked(centre)
