"""docs/cookbook/preview.md: nothing is dialled by itself; the agent looks, has it dialled or skips it, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.recipes.conftest import Cook
from tests.recipes.kitchen import Kitchen, numbers
from tests.system.agents import Agent, Floor
from tests.system.site import until

CLEO = Agent(3, ring=2)
DAN = Agent(4, ring=99)  #: does not answer
JOHN, MIKE, MARY, ALICE = numbers("preview")
RETRY_S = 4  #: time enough to be given the next one, also by a busy machine


class Desk:
    """What an agent's program asks, Cleo's unless said."""

    def __init__(self, kitchen: Kitchen, agent: Agent = CLEO) -> None:
        self._kitchen = kitchen
        self._interface = agent.interface

    def ask(self, op: str, **parameters: object) -> list[str]:
        """Lines of the answer."""
        status, said = self._kitchen.get("/wombat/api/reserve/", op=op, **parameters)
        assert status == 200, said
        return said.splitlines()

    def reserve(self) -> tuple[int, str, dict[str, str]]:
        """WOMBATID, number and attributes; waits until there is one."""
        lines = until(lambda: self._if_ok(self.ask("reserve", agent=self._interface)), 10, "a number")
        fields = dict(line.split(":", 1) for line in lines if not line.startswith("VAR:"))
        attributes = dict(line.removeprefix("VAR:").split(":", 1) for line in lines if line.startswith("VAR:"))
        return int(fields["WOMBATID"]), fields["NUMBER"], attributes

    @staticmethod
    def _if_ok(lines: list[str]) -> list[str]:
        return lines[1:] if lines[0] == "OK" else []

    def dial(self, call: int) -> tuple[str, str, str]:
        """To the end of the call: outcome, status, agent."""
        assert self.ask("dial", id=call) == ["DIALING"]
        row = self._kitchen.ended(call)
        return row["outcome"], row["extended_status"], row["agent"]

    def skip(self, call: int, why: str = "") -> None:
        assert self.ask("skip", id=call, withStatus=why) == ["SKIPPED"]


@pytest.fixture(scope="module")
def kitchen(cook: Cook, floor: Floor) -> Iterator[Kitchen]:
    """Before the agent is there."""
    kitchen = cook("preview")
    kitchen.hurry(answer_timeout_ms=1500, retry_after_s=RETRY_S)
    kitchen.do(kitchen.then[0])
    kitchen.do(kitchen.then[1])
    yield kitchen
    for agent in (CLEO, DAN):
        floor.log_off(agent, "997")


@pytest.fixture(scope="module")
def desk(kitchen: Kitchen) -> Desk:
    return Desk(kitchen)


def test_an_agent_who_is_not_there_is_given_nothing(kitchen: Kitchen, desk: Desk) -> None:
    assert desk.ask("reserve", agent=CLEO.interface) == ["AGENT_NOT_AVAILABLE"]
    kitchen.do(kitchen.then[2])
    until(lambda: desk.ask("reserve", agent=CLEO.interface)[0] == "OK", 10, "Cleo is there")


def test_looking_dials_nobody(kitchen: Kitchen, desk: Desk, floor: Floor) -> None:
    call, number, attributes = desk.reserve()
    assert (number, attributes) == (JOHN, {"NAME": "John", "ID": "300"})
    assert desk.reserve()[0] == call, "the same until it is decided"
    assert [(one["id"], one["state"]) for one in kitchen.site.snapshot()["calls"]] == [(call, "RD_RESERVED")]
    assert not [each for each in floor.heard if each.is_ours and each["Event"] == "Newchannel"]


def test_a_number_that_is_skipped_for_later_comes_before_new_ones(kitchen: Kitchen, desk: Desk) -> None:
    desk.skip(desk.reserve()[0], "LATER")
    second, number, _ = desk.reserve()
    assert number == MIKE
    assert desk.dial(second) == ("TERMINATED", "", "Cleo")
    again = "SELECT 1 FROM attempt WHERE number = %s AND state = 'IN_HOPPER'"
    until(lambda: kitchen.site.rows(again, [JOHN]), 10, "John is due and at hand")
    third, number, _ = desk.reserve()
    assert number == JOHN
    assert desk.dial(third) == ("TERMINATED", "", "Cleo")
    assert kitchen.results()[JOHN] == [("RS_AGENTSKIP", "LATER"), ("TERMINATED", "")]


def test_the_agent_is_called_first_and_sees_who_it_is(kitchen: Kitchen, floor: Floor) -> None:
    (mike,) = [row["wombatid"] for row in kitchen.site.attempts() if row["number"] == MIKE]
    began = [each for each in floor.heard if each["Event"] == "Newchannel" and each["Linkedid"] == f"wbt-{mike:016}"]
    assert [each["Channel"].partition("@")[0] for each in began][::2] == ["Local/030200", f"Local/{MIKE}"]
    rung = floor.await_event("Newexten", Uniqueid=f"wbo-{mike:016}", Context="simulated-agents")
    assert (rung["CallerIDName"], rung["CallerIDNum"]) == ("Mike", MIKE)


def test_a_skip_with_another_reason_closes_it(kitchen: Kitchen, desk: Desk) -> None:
    call, number, _ = desk.reserve()
    assert number == MARY
    assert desk.dial(call) == ("RS_BUSY", "", "Cleo")
    call, number, _ = desk.reserve()
    assert number == ALICE, "Mary is busy, and not due yet"
    assert desk.dial(call) == ("RS_NOANSWER", "", "Cleo")
    call, number, _ = desk.reserve()
    assert number == MARY
    desk.skip(call, "WRONG_PERSON")
    desk.skip(desk.reserve()[0])
    until(lambda: kitchen.site.snapshot()["runs"][0]["state"] == "IDLE", 10, "nothing is left")
    until(lambda: len(kitchen.site.attempts()) == 7, 10, "all is in the call log")
    assert desk.ask("reserve", agent=CLEO.interface) == ["AGENT_CANNOT_RESERVE"]
    assert kitchen.results()[MARY] == [("RS_BUSY", ""), ("RS_AGENTSKIP", "WRONG_PERSON")]
    assert kitchen.results()[ALICE] == [("RS_NOANSWER", ""), ("RS_AGENTSKIP", "")]
    assert {row["agent"] for row in kitchen.site.attempts()} == {"Cleo"}


def test_an_agent_who_does_not_answer_costs_the_number_nothing(kitchen: Kitchen, desk: Desk, floor: Floor) -> None:
    kitchen.addcall("5551020509", "NAME:Nina")
    floor.log_on(DAN, "997")
    slow = Desk(kitchen, DAN)
    call, number, attributes = slow.reserve()
    assert (number, attributes) == ("5551020509", {"NAME": "Nina"})
    assert slow.dial(call) == ("RS_NOAGENT", "", DAN.name)
    call, number, _ = desk.reserve()
    assert number == "5551020509"
    assert desk.dial(call) == ("TERMINATED", "", "Cleo")


def test_the_queue_log_tells_of_the_agents_calls(kitchen: Kitchen) -> None:
    (mike,) = [f"wbt-{row['wombatid']:016}" for row in kitchen.site.attempts() if row["number"] == MIKE]

    def lines() -> list[tuple[str, str]]:
        return [(fields[3], fields[4]) for fields in kitchen.queue_log("997") if fields[1] == mike]

    until(lambda: len(lines()) == 3, 10, "it is written")
    assert lines() == [("NONE", "ENTERQUEUE"), ("Cleo", "CONNECT"), ("Cleo", "COMPLETECALLER")]


def test_who_calls_back_comes_to_the_same_agents(floor: Floor) -> None:
    since = floor.now()
    caller = floor.stranger("s", "wombat-preview")
    assert floor.await_event("AgentConnect", since=since, Queue="997", Uniqueid=caller)["MemberName"] == "Cleo"
    floor.hang_up(caller)
    floor.await_event("AgentComplete", since=since, Queue="997")
