"""Reverse dialling when the dialer is killed, and when Asterisk is: who was called stays called, once, and how it went
is known. On a real Asterisk; all stories are played at the same time.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.system.agency import Agency, Agent, Seen, Story, opened, story
from tests.system.scene import Stalls
from tests.system.site import until

CLOSE_S = 0.150
LONG: dict[str, Any] = {"answer_timeout_ms": 60_000}


def told(name: str, agent: Agent, number: str, **values: Any) -> Story:
    """``agent.serial`` is the story's, too."""
    return story(agent.serial, name, agent, number, **{**LONG, **values})


#: Story, its state when the dialer is killed, its outcome, its talk in seconds. There is no dialer until what happens
#: meanwhile, about two seconds after the begin, has happened; what goes on is on command.
KILLED = [
    (told("the agent rings on", Agent(1, phone="Local/01@agents-on-command/n"), "5551020501"),
     "RD_AGENTREQ", "TERMINATED", 0.5),
    (told("the agent answers meanwhile", Agent(2, ring=20), "555102", trunk="on command"),
     "RD_AGENTREQ", "TERMINATED", 0.5),
    (told("all of it meanwhile", Agent(3, ring=18), "5551010201"), "RD_AGENTREQ", "TERMINATED", 0.2),
    (told("nobody comes meanwhile", Agent(4, ring=99), "5551010201", answer_timeout_ms=2000),
     "RD_AGENTREQ", "RS_LOST", 0.0),
    (told("the callee rings on", Agent(5), "555105", trunk="on command"), "RD_REQUESTED", "TERMINATED", 0.5),
    (told("the callee answers meanwhile", Agent(6), "5551180001"), "RD_REQUESTED", "TERMINATED", 0.1),
    (told("the callee is busy meanwhile", Agent(7), "5552180001"), "RD_REQUESTED", "RS_BUSY", 0.0),
    (told("the agent leaves meanwhile", Agent(8, talk=18), "5551990001"), "RD_REQUESTED", "RS_NOAGENT", 0.0),
    (told("they talk on", Agent(9), "5551010001"), "CONNECTED", "TERMINATED", 1.0),
    (told("they end meanwhile", Agent(10), "5551011701"), "CONNECTED", "TERMINATED", 1.7),
    (told("the agent ends it meanwhile", Agent(11, talk=17), "5551010001"), "CONNECTED", "TERMINATED", 1.6),
]  # fmt: skip
OVER_MEANWHILE = {each.name for each, *_ in KILLED if each.name.endswith("meanwhile")} - {
    "the agent answers meanwhile", "the callee answers meanwhile",
}  # fmt: skip
FOREVER = [
    (told("the agent rang", Agent(21, ring=99), "5551010101"), "RD_AGENTREQ"),
    (told("the callee rang", Agent(22), "5553000001"), "RD_REQUESTED"),
    (told("they talked", Agent(23), "5551010001"), "CONNECTED"),
]


@dataclass
class Played:
    """What came of it."""

    agency: Agency
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: dict[int, Seen] = field(default_factory=dict)
    taken_up: dict[str, str] = field(default_factory=dict)  #: states when the new dialer had looked
    stall_s: float = 0.0


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    stories = [each for each, *_ in KILLED]
    with ExitStack() as stack:
        agency = opened(stack, tmp_path_factory.mktemp("crashes"), [*stories, *(each for each, _ in FOREVER)])
        played = Played(agency)
        with Stalls() as stalls:
            agency.begin(stories)
            _await_states(agency, {each.name: state for each, state, *_ in KILLED})
            _without_a_dialer(agency)
            agency.site.await_pbx()
            played.taken_up = _states(agency)
            agency.floor.act("Setvar", Variable="GO", Value="yes")
            for name in ("they talk on", "the callee answers meanwhile"):
                _, wombatid = agency.state_of(name)
                agency.floor.hang_up(f"wbo-{wombatid:016}")
            agency.site.finish()
        played.stall_s = stalls.worst
        agency.begin([each for each, _ in FOREVER])
        _await_states(agency, {each.name: state for each, state in FOREVER})
        agency.pbx.kill()
        agency.pbx.start()
        agency.site.finish()
        played.rows = {row["campaign_name"]: row for row in agency.site.attempts()}
        played.seen = agency.seen()
        yield played


def _without_a_dialer(agency: Agency) -> None:
    site, floor = agency.site, agency.floor
    wanted = {each.name: state for each, state, *_ in KILLED}
    stored = "SELECT r.campaign_name, a.state FROM attempt a JOIN run r ON r.id = a.run_id"
    until(lambda: dict(site.rows(stored)) == wanted, 5, "what is written behind is there")
    ours = {call["campaign"]: f"wbt-{call['id']:016}" for call in site.snapshot()["calls"]}
    dialer = site.dialer_pid()
    assert dialer is not None
    for pid in (site.supervisor_pid, dialer):
        os.kill(pid, signal.SIGKILL)
    for name in OVER_MEANWHILE:
        floor.await_event("Hangup", Uniqueid=ours[name])
    floor.await_event("DialBegin", Uniqueid=ours["the agent answers meanwhile"])
    floor.await_event("BridgeEnter", Uniqueid=ours["the callee answers meanwhile"])
    until(lambda: not site.serving, 10, "serve is dead")
    site.serve()


def _states(agency: Agency) -> dict[str, str]:
    return {call["campaign"]: call["state"] for call in agency.site.snapshot()["calls"]}


def _await_states(agency: Agency, wanted: dict[str, str]) -> None:
    until(lambda: wanted.items() <= _states(agency).items(), 10, f"{wanted}")


@pytest.mark.parametrize(("each", "outcome", "talk_s"), [(one, out, talk) for one, _, out, talk in KILLED],
                         ids=[each.name for each, *_ in KILLED])  # fmt: skip
def test_how_it_ended(played: Played, each: Story, outcome: str, talk_s: float) -> None:
    row = played.rows[each.name]
    seen = played.seen[row["wombatid"]]
    assert (row["outcome"], row["agent"]) == (outcome, each.agents[0].name)
    if seen.answered is None:
        assert row["talk_ms"] == 0
        return
    assert seen.ended is not None
    really = min(seen.ended, seen.let_go) - seen.answered
    assert really >= talk_s - 0.1
    assert abs(row["talk_ms"] / 1000 - really) <= CLOSE_S + played.stall_s


def test_what_lived_was_taken_up(played: Played) -> None:
    expected = {each.name for each, *_ in KILLED} - OVER_MEANWHILE
    assert expected <= set(played.taken_up)
    assert played.taken_up["the agent rings on"] == "RD_AGENTREQ"
    assert played.taken_up["the callee rings on"] == "RD_REQUESTED"
    assert played.taken_up["the callee answers meanwhile"] == "CONNECTED"
    assert played.taken_up["they talk on"] == "CONNECTED"


def test_no_agent_was_called_twice(played: Played) -> None:
    for each, *_ in KILLED:
        seen = played.seen[played.rows[each.name]["wombatid"]]
        assert (seen.agent, len(seen.rung)) == (f"{each.agents[0].serial:02}", 1)
    assert len(played.seen) == len(KILLED) + len(FOREVER)
    assert len(played.rows) == len(played.seen)


@pytest.mark.parametrize("name", [each.name for each, _ in FOREVER])
def test_a_killed_asterisk_loses_the_call(played: Played, name: str) -> None:
    row = played.rows[name]
    assert (row["outcome"], row["retry_in_s"]) == ("RS_LOST", 0)


def test_nothing_is_left(played: Played) -> None:
    site = played.agency.site
    assert all(run.taken == run.closed == 1 and not run.open_attempts for run in site.check_ledger())
    shown = site.snapshot()
    assert [line["used"] for line in [*shown["trunks"], *shown["end_points"]] if line["used"]] == []
    played.agency.quiet()
    notes = played.agency.pbx.cli("database show wombat-gone")
    assert "0 results found" in notes, "notes that were read are deleted"
    assert "mistake of ours" not in site.log()
    assert "Traceback" not in site.log()
