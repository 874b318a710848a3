"""docs/cookbook/crm-popup.md: the agent's phone and screen know who it is, and the queue log tells both sides."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.notify.receiver import Receiver
from tests.recipes.conftest import Cook
from tests.recipes.kitchen import Kitchen
from tests.system.agents import Agent, Floor
from tests.system.site import until

BEN = Agent(2, ring=2, talk=20)
JOHN, JANE, ZOE = "5551020001", "5552030002", "5553000003"
LEAD = "5551010004"  #: comes over HTTP


@pytest.fixture(scope="module")
def crm() -> Iterator[Receiver]:
    """What is told to the CRM."""
    crm = Receiver()
    yield crm
    crm.close()


@pytest.fixture(scope="module")
def kitchen(cook: Cook, floor: Floor, crm: Receiver) -> Iterator[Kitchen]:
    """The list is through, and the run idles; then a lead came over HTTP."""
    kitchen = cook("crm-popup")
    kitchen.hurry(answer_timeout_ms=1000, variables=f"POPUP:{crm.url}")
    kitchen.follow()
    until(lambda: len(kitchen.site.attempts()) == 8, 40, "the list is through")
    kitchen.ended(kitchen.addcall(LEAD, "ID:2301,PERS:Zoë O'Neil & Sons"))
    yield kitchen
    floor.log_off(BEN, "998")


def test_the_list_and_the_lead(kitchen: Kitchen) -> None:
    assert kitchen.results() == {
        JOHN: [("TERMINATED", "")],
        JANE: [("RS_BUSY", "")] * 4,
        ZOE: [("RS_NOANSWER", "")] * 3,
        LEAD: [("TERMINATED", "")],
    }
    agents = {row["number"]: row["agent"] for row in kitchen.site.attempts() if row["outcome"] == "TERMINATED"}
    assert agents == {JOHN: "Ben", LEAD: "Ben"}
    until(lambda: kitchen.site.snapshot()["runs"][0]["state"] == "IDLE", 10, "nothing is left to do")


def test_the_agents_phone_shows_who_it_is(kitchen: Kitchen, floor: Floor) -> None:
    rung = [each for each in floor.heard if each["Event"] == "AgentCalled" and each["Queue"] == "998"]
    # Events write names as C does: O\\'Neil. On the phone there is no backslash.
    shown = [(each["DestConnectedLineNum"], each["DestConnectedLineName"].replace("\\", "")) for each in rung]
    assert shown == [(JOHN, "1234-John Doe"), (LEAD, "2301-Zoë O'Neil & Sons")]


def test_the_screen_is_told_when_the_agent_answers(kitchen: Kitchen, crm: Receiver) -> None:
    told = {letter.query["number"]: letter.query for letter in crm.letters}
    calls = {row["number"]: str(row["wombatid"]) for row in kitchen.site.attempts() if row["agent"]}
    assert told == {
        JOHN: {"id": "1234", "name": "John Doe", "number": JOHN, "wombatid": calls[JOHN], "agent": "Ben"},
        LEAD: {
            "id": "2301",
            "name": "Zoë O'Neil & Sons",
            "number": LEAD,
            "wombatid": calls[LEAD],
            "agent": "Ben",
        },
    }


def test_a_crm_that_is_silent_keeps_them_apart_for_a_second_at_most(kitchen: Kitchen, crm: Receiver) -> None:
    crm.behaviour, kitchen.forgiven = "silent", "func_curl"
    row = kitchen.ended(kitchen.addcall(LEAD, "ID:1,PERS:X"))
    assert (row["outcome"], row["agent"]) == ("TERMINATED", "Ben")
    assert row["talk_ms"] < 2000 + 1000 + 1500


def test_the_queue_log_has_both_sides(kitchen: Kitchen) -> None:
    calls = {f"wbt-{row['wombatid']:016}": row for row in kitchen.site.attempts()}

    def events(queue: str, number: str) -> list[list[str]]:
        lines = kitchen.queue_log(queue)
        return [fields[3:] for fields in lines if calls.get(fields[1], {}).get("number") == number]

    until(lambda: len([each for each in events("crm-popup", ZOE) if each[1] == "INFO"]) == 6, 10, "all is written")
    john = events("crm-popup", JOHN)
    assert [each[1] for each in john] == ["ENTERQUEUE", "CONNECT", "COMPLETEAGENT", "INFO", "INFO"]
    assert [each[1:] for each in john[3:]] == [["INFO", "ID", "1234"], ["INFO", "PERS", "John Doe"]]
    assert [each[1] for each in events("crm-popup", JANE)].count("ABANDON") == 4
    assert [each[1] for each in events("998", JOHN)] == ["ENTERQUEUE", "CONNECT", "COMPLETEAGENT"]
    assert events("998", JOHN)[1][0] == "Ben"
    assert events("998", JANE) == []


def test_the_agent_says_what_it_came_to(kitchen: Kitchen) -> None:
    """As the CRM's page does, with the WOMBATID it was told."""
    (row,) = [row for row in kitchen.site.attempts() if row["number"] == JOHN]
    status, said = kitchen.site.get(f"/wombat/api/calls/?op=extstatus&wombatid={row['wombatid']}&status=SOLD")
    assert (status, "Event CALLSTATUS queued" in said) == (200, True)
    until(lambda: kitchen.results()[JOHN] == [("TERMINATED", "SOLD")], 10, "it is in the call log")
