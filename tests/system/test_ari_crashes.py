"""Reverse calls by ARI when the dialer is killed: the bridge survives, what lives is taken up, nobody is left alone.

On a real Asterisk; all stories are played at the same time. Each agent's number is its story's.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.system.agency import Agency, Agent, Seen, Story, opened, story
from tests.system.agents import Floor
from tests.system.site import until
from tests.system.test_ari_reverse import BY_ARI
from wombat_ari.pbx.ari_reverse import callee_id

ENDS = "they end meanwhile"
LEAVES = "the agent ends it meanwhile"
AWAY = "the agent leaves meanwhile"
ANSWERS = "the callee answers meanwhile"
BUSY = "the callee is busy meanwhile"
COMES = "the agent answers meanwhile"


def told(name: str, agent: Agent, number: str, trunk: str = "network") -> Story:
    return replace(story(agent.serial, name, agent, number, trunk=trunk, answer_timeout_ms=60_000), end=BY_ARI)


#: Story, its state when the dialer is killed, its state when the next one has looked, its outcome. Whoever answers or
#: is busy is told to by the test.
STORIES = [
    (told("they talk on", Agent(1), "5551010001"), "CONNECTED", "CONNECTED", "TERMINATED"),
    (told(ENDS, Agent(2), "5551010001"), "CONNECTED", "", "TERMINATED"),
    (told(LEAVES, Agent(3), "5551010001"), "CONNECTED", "", "TERMINATED"),
    (told("the callee rings on", Agent(4), "555104", "on command"), "RD_REQUESTED", "RD_REQUESTED", "TERMINATED"),
    (told(ANSWERS, Agent(5), "555105", "on command"), "RD_REQUESTED", "CONNECTED", "TERMINATED"),
    (told(BUSY, Agent(6), "555106", "on command"), "RD_REQUESTED", "", "RS_REJECTED"),
    (told(AWAY, Agent(7), "555107", "on command"), "RD_REQUESTED", "", "RS_NOAGENT"),
    (told(COMES, Agent(8, phone="Local/08@agents-on-command/n"), "555108", "on command"), "RD_AGENTREQ",
     "RD_REQUESTED", "TERMINATED"),
]  # fmt: skip
MEANWHILE = {"GO_555105": "stay", "GO_555106": "busy", "GO_08": "yes"}


@dataclass
class Played:
    agency: Agency
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: dict[int, Seen] = field(default_factory=dict)
    taken_up: dict[str, str] = field(default_factory=dict)
    bridges: str = ""  #: while there was no dialer
    limit: str = ""  #: the agent's absolute time-out


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with ExitStack() as stack:
        agency = opened(stack, tmp_path_factory.mktemp("ari-crashes"), [each for each, *_ in STORIES], ari=True)
        played, site, floor = Played(agency), agency.site, agency.floor
        until(lambda: _ari(agency)["connected"], 10, "ARI is connected")
        agency.begin([each for each, *_ in STORIES])
        until(lambda: {each.name: state for each, state, *_ in STORIES}.items() <= _states(agency).items(), 10)
        calls = {call["campaign"]: call["id"] for call in site.snapshot()["calls"]}
        _kill(agency)
        agents = {name: f"wbt-{wombatid:016}" for name, wombatid in calls.items()}
        for variable, value in MEANWHILE.items():
            floor.act("Setvar", Variable=variable, Value=value)
        for channel in (callee_id(calls[ENDS]), agents[LEAVES], agents[AWAY]):
            floor.hang_up(channel)
            floor.await_event("Hangup", Uniqueid=channel)
        floor.await_event("Hangup", Uniqueid=callee_id(calls[BUSY]))
        for channel in (callee_id(calls[ANSWERS]), agents[COMES]):
            floor.await_event("Newstate", Uniqueid=channel, ChannelState="6")
        played.bridges = agency.pbx.cli(f"bridge show wbb-{calls['they talk on']:016}")
        played.limit = _variable(floor, agents["they talk on"], "TIMEOUT(absolute)")
        site.serve()
        site.await_pbx()
        until(lambda: _ari(agency)["connected"], 10, "ARI is connected")
        wanted = {each.name: state for each, _, state, _ in STORIES if state}
        until(lambda: _states(agency) == wanted, 10, f"what lived is taken up: {wanted}")
        played.taken_up = _states(agency)
        floor.act("Setvar", Variable="GO", Value="yes")
        for name in ("they talk on", ANSWERS):
            floor.hang_up(callee_id(calls[name]))
        site.finish()
        played.rows = {row["campaign_name"]: row for row in site.attempts()}
        agency.quiet()
        played.seen = agency.seen()
        yield played


def _variable(floor: Floor, channel: str, name: str) -> str:
    floor.act("Getvar", Channel=channel, Variable=name, ActionID="asked")
    return floor.await_event("", ActionID="asked")["Value"]


def _ari(agency: Agency) -> dict[str, Any]:
    return dict(agency.site.snapshot()["pbxs"][0]["ari"])


def _states(agency: Agency) -> dict[str, str]:
    return {call["campaign"]: call["state"] for call in agency.site.snapshot()["calls"]}


def _kill(agency: Agency) -> None:
    site = agency.site
    stored = "SELECT r.campaign_name, a.state FROM attempt a JOIN run r ON r.id = a.run_id"
    until(lambda: dict(site.rows(stored)) == {each.name: state for each, state, *_ in STORIES}, 5, "written behind")
    dialer = site.dialer_pid()
    assert dialer is not None
    for pid in (site.supervisor_pid, dialer):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not site.serving, 10, "serve is dead")


@pytest.mark.parametrize(
    ("each", "outcome"), [(one, out) for one, *_, out in STORIES], ids=[each.name for each, *_ in STORIES]
)
def test_how_it_ended(played: Played, each: Story, outcome: str) -> None:
    row = played.rows[each.name]
    assert (row["outcome"], row["agent"]) == (outcome, each.agents[0].name), str(row)


def test_the_bridge_survived(played: Played) -> None:
    assert "Num-Channels: 2" in played.bridges, played.bridges
    assert played.limit == "0", "they may talk as long as they like"


def test_nobody_was_called_twice(played: Played) -> None:
    for each, *_ in STORIES:
        seen = played.seen[played.rows[each.name]["wombatid"]]
        assert len(seen.rung) == 1
        assert len(seen.called) == 1
    assert len(played.rows) == len(STORIES)


def test_nothing_is_left(played: Played) -> None:
    """No channel (the fixture has seen to that), no bridge, no line."""
    site = played.agency.site
    assert "wbb-" not in played.agency.pbx.cli("bridge show all")
    assert all(run.taken == run.closed == 1 and not run.open_attempts for run in site.check_ledger())
    shown = site.snapshot()
    assert [line["used"] for line in [*shown["trunks"], *shown["end_points"]] if line["used"]] == []
    assert shown["pbxs"][0]["ari"]["calls"] == 0
    assert "mistake of ours" not in site.log()
    assert "Traceback" not in site.log()
