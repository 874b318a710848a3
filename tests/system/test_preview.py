"""Preview over the control socket, with a real Asterisk: who is given a number, has it dialled or skips it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.system.agency import Agency, Agent, Story, opened, story
from tests.system.site import until

CROWD = Story(1, "crowd", [Agent(serial) for serial in range(1, 9)], [f"55510102{serial:02}" for serial in range(30)])
DESK = story(2, "desk", Agent(11), "5551010201", "5551010202", "5551010203",
             rule=[{"status": "RS_AGENTSKIP", "extended_status": "LATER", "max_attempts": 1, "retry_after_s": 1}],
             batch_size=2)  # fmt: skip
REFUSED = Story(3, "refused", [Agent(21), Agent(22), Agent(23)], ["5551010201"])
WEB = story(4, "web", Agent(31), "5551010201", "5551010202", batch_size=1)


@pytest.fixture(scope="module")
def agency(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agency]:
    with ExitStack() as stack:
        agency = opened(stack, tmp_path_factory.mktemp("preview"), [CROWD, DESK, REFUSED, WEB], manual_preview=True)
        agency.begin([CROWD, DESK, REFUSED, WEB])
        until(lambda: all(run["in_hopper"] for run in agency.site.snapshot()["runs"]), 10, "numbers to reserve")
        yield agency
        print(agency.site.log(40))


def reserve(agency: Agency, agent: Agent) -> tuple[str, str]:
    """Id and number; the test fails if it is refused."""
    with agency.control() as control:
        got = json.loads(control.ask("Reserve", agent=agent.interface)[b"call"])
    return str(got["id"]), got["number"]


def refused(agency: Agency, command: str, **arguments: str) -> str:
    with agency.control() as control:
        return control.refusal(command, **arguments)


def ask(agency: Agency, command: str, **arguments: str) -> None:
    with agency.control() as control:
        control.ask(command, **arguments)


def test_an_agents_morning(agency: Agency) -> None:
    """Reserve, ask again, dial, skip, be given the retry before new numbers."""
    (ann,) = DESK.agents
    got, number = reserve(agency, ann)
    assert reserve(agency, ann) == (got, number)
    assert agency.state_of("desk") == ("RD_RESERVED", int(got))
    ask(agency, "SkipReserved", wombatid=got, code="LATER")
    second, other = reserve(agency, ann)
    assert other != number
    ask(agency, "DialReserved", wombatid=second)
    assert refused(agency, "DialReserved", wombatid=second) == "ID_FOUND_WRONG_STATE"
    until(lambda: len(agency.site.attempts("desk")) == 2, 10, "the call has ended")
    assert refused(agency, "SkipReserved", wombatid=second, code="") == "ID_NOT_FOUND"
    until(lambda: _run(agency, "desk")["in_hopper"] == 2, 10, "the retry is in the hopper, beside the last number")
    third, again = reserve(agency, ann)
    assert again == number, "the retry that is due before a new number"
    ask(agency, "DialReserved", wombatid=third)
    until(lambda: len(agency.site.attempts("desk")) == 3, 10, "the call has ended")
    rows = agency.site.attempts("desk")
    assert [(row["outcome"], row["extended_status"], row["attempt"], row["agent"]) for row in rows] == [
        ("RS_AGENTSKIP", "LATER", 1, ann.name),
        ("TERMINATED", "", 1, ann.name),
        ("TERMINATED", "", 2, ann.name),
    ]
    assert len(agency.seen()[int(third)].rung) == 1


def test_by_the_compatible_api(agency: Agency) -> None:
    """The same as a page of agents asks for it: words and lines of the original."""
    (ann,) = WEB.agents

    def said(**params: object) -> list[str]:
        status, text = agency.site.get(f"/wombat/api/reserve/?{urlencode(params)}")
        assert status == 200, text
        return text.splitlines()

    assert said(op="reserve", agent="PJSIP/nobody") == ["AGENT_NOT_AVAILABLE"]
    word, identity, number = said(op="reserve", agent=ann.interface)[:3]
    assert (word, number) == ("OK", "NUMBER:5551010201")
    first = int(identity.removeprefix("WOMBATID:"))
    assert said(op="reserve", agent=ann.interface)[1] == identity, "the same again"
    assert said(op="skip", id=first, withStatus="XXX") == ["SKIPPED"]
    assert said(op="dial", id=first) == ["ID_NOT_FOUND"]
    until(lambda: _run(agency, "web")["in_hopper"] == 1, 10, "the next number")
    second = int(said(op="reserve", agent=ann.interface)[1].removeprefix("WOMBATID:"))
    assert said(op="dial", id=second) == ["DIALING"]
    assert said(op="skip", id=second) == ["ID_FOUND_WRONG_STATE"]
    until(lambda: len(agency.site.attempts("web")) == 2, 20, "the call has ended")
    rows = agency.site.attempts("web")
    assert [(row["wombatid"], row["outcome"], row["extended_status"]) for row in rows] == [
        (first, "RS_AGENTSKIP", "XXX"),
        (second, "TERMINATED", ""),
    ]
    assert len(agency.seen()[second].rung) == 1


def test_who_is_refused_and_how(agency: Agency) -> None:
    floor, (paused, busy, fine) = agency.floor, REFUSED.agents
    floor.act("QueuePause", Queue="q03", Interface=paused.interface, Paused="true")
    floor.act("Setvar", Variable=f"DEVICE_STATE({busy.device})", Value="INUSE")
    states = [("q03", paused.name, "PAUSED"), ("q03", busy.name, "BUSY")]
    until(lambda: set(states) <= _agents(agency), 10, "the dialer knows")
    for nobody in (paused.interface, busy.interface, "PJSIP/nobody", ""):
        assert refused(agency, "Reserve", agent=nobody) == "AGENT_NOT_AVAILABLE"
    got, _ = reserve(agency, fine)
    floor.act("QueuePause", Queue="q03", Interface=paused.interface, Paused="false")
    until(lambda: ("q03", paused.name, "IDLE") in _agents(agency), 10, "the dialer knows")
    assert refused(agency, "Reserve", agent=paused.interface) == "AGENT_CANNOT_RESERVE"
    assert refused(agency, "DialReserved", wombatid="4711") == "ID_NOT_FOUND"
    ask(agency, "PauseRun", campaign="refused", by="test")
    assert refused(agency, "DialReserved", wombatid=got) == "ID_FOUND_WRONG_STATE"
    ask(agency, "RemoveRun", campaign="refused", by="test")
    assert refused(agency, "DialReserved", wombatid=got) == "ID_NOT_FOUND"


def test_eight_agents_at_once_and_a_dialer_that_is_killed(agency: Agency) -> None:
    """No number is held by two, and each is called once in the end."""
    with ThreadPoolExecutor(8) as threads:
        for _ in range(2):
            held = list(threads.map(lambda agent: reserve(agency, agent), CROWD.agents))
            assert len(set(held)) == 8
        assert list(threads.map(lambda agent: reserve(agency, agent), CROWD.agents)) == held
        agency.site.check_ledger()
        dialer = agency.site.dialer_pid()
        assert dialer is not None
        os.kill(dialer, signal.SIGKILL)
        until(lambda: agency.site.dialer_pid() not in (None, dialer), 20, "a new dialer")
        agency.site.await_ready()
        agency.site.await_pbx()
        until(lambda: ("q01", CROWD.agents[0].name, "IDLE") in _agents(agency), 20, "the queues are known")
        assert refused(agency, "DialReserved", wombatid=held[0][0]) == "ID_NOT_FOUND"
        list(threads.map(lambda agent: _work(agency, agent), CROWD.agents))
    rows = agency.site.attempts("crowd")
    assert sorted(row["number"] for row in rows) == sorted(CROWD.numbers)
    assert {row["outcome"] for row in rows} == {"TERMINATED"}
    seen = agency.seen()
    assert all(len(seen[row["wombatid"]].rung) == len(seen[row["wombatid"]].called) == 1 for row in rows)
    agency.site.check_ledger()
    assert agency.site.rows("SELECT taken, closed FROM run WHERE campaign_name = 'crowd'") == [(30, 30)]
    assert "mistake of ours" not in agency.site.log()


def _work(agency: Agency, agent: Agent) -> None:
    """Reserve and dial until the campaign is through."""
    with agency.control() as control:

        def idle() -> bool:
            return not _running(agency) or ("q01", agent.name, "IDLE") in _agents(agency)

        while _running(agency):
            until(idle, 20, f"{agent.name} is free")
            got = control.try_("Reserve", agent=agent.interface)
            if got is not None:
                control.try_("DialReserved", wombatid=str(json.loads(got[b"call"])["id"]))


def _running(agency: Agency) -> bool:
    return bool(_run(agency, "crowd"))


def _run(agency: Agency, campaign: str) -> dict[str, Any]:
    """As the dialer shows it, empty when it has ended."""
    return next((run for run in agency.site.snapshot()["runs"] if run["campaign"] == campaign), {})


def _agents(agency: Agency) -> set[tuple[str, str, str]]:
    """(queue, agent, state), as the dialer shows them."""
    points = agency.site.snapshot()["end_points"]
    return {(point["name"], one["name"], one["state"]) for point in points for one in point["queue"]["agents"]}
