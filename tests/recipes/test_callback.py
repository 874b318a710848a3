"""docs/cookbook/callback.md: who leaves a number is called back when an agent is free, and not before."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.recipes.conftest import Cook
from tests.recipes.kitchen import Kitchen
from tests.recipes.people import Caller
from tests.system.agents import Agent, Floor
from tests.system.site import until

DAN = Agent(4, ring=2, talk=10)
TRIES = "55510220"  #: whom the recipe simulates
MISTAKEN = "55510230"  #: enters three digits first, then another number, then this one; over CURL
BUSY, WRONG = "555702001", "555402001"  #: left by a web page


@pytest.fixture(scope="module")
def kitchen(cook: Cook, floor: Floor) -> Iterator[Kitchen]:
    """The simulated caller has left a number."""
    kitchen = cook("callback")
    kitchen.hurry(answer_timeout_ms=1000)
    kitchen.follow()
    until(lambda: TRIES in left(kitchen), 60, "the caller has left a number")
    yield kitchen
    floor.log_off(DAN, "401")


def left(kitchen: Kitchen) -> list[str]:
    """Numbers that callers have left."""
    sql = "SELECT number FROM record JOIN call_list ON call_list.id = record.list_id WHERE name = 'callback/AUTO'"
    return [number for (number,) in kitchen.site.rows(sql)]


def test_a_number_is_read_checked_and_confirmed_and_sent_by_curl(kitchen: Kitchen, floor: Floor) -> None:
    caller = Caller(floor, "wombat-callback-in", BY="CURL", PATIENCE="1")
    caller.hears("vm-enter-num-to-call")
    caller.presses("555#")
    caller.hears("vm-pls-try-again")
    caller.presses("55510240#")
    caller.hears("you-entered")
    caller.presses("2")
    caller.hears("vm-pls-try-again")
    caller.presses(f"{MISTAKEN}#")
    caller.hears("you-entered")
    caller.presses("1")
    caller.reaches("Playback", "auth-thankyou")
    assert sorted(left(kitchen)) == [TRIES, MISTAKEN]


def test_who_enters_nothing_is_not_called(kitchen: Kitchen, floor: Floor) -> None:
    kitchen.forgiven = "no number was confirmed in 3 tries"
    caller = Caller(floor, "wombat-callback-in")
    caller.reaches("Queue", "400,,,,60")
    caller.presses("1")
    for sound in ("vm-enter-num-to-call", "vm-pls-try-again", "vm-pls-try-again"):
        caller.hears(sound)
        caller.presses("#")
    caller.reaches("Playback", "vm-goodbye")
    assert sorted(left(kitchen)) == [TRIES, MISTAKEN]


def test_nobody_is_called_before_an_agent_is_there(kitchen: Kitchen) -> None:
    assert kitchen.site.attempts() == []
    assert "no agent is free for one more call" in kitchen.do("wombat-ari status callback")


def test_an_agent_calls_them_back(kitchen: Kitchen, floor: Floor) -> None:
    kitchen.addcall(BUSY, "orgQ:web")
    kitchen.addcall(WRONG, "orgQ:web")
    floor.log_on(DAN, "401")
    until(lambda: len(kitchen.site.attempts()) == 1 + 1 + 2 + 6, 60, "all were called")
    results = kitchen.results()
    assert results == {
        TRIES: [("TERMINATED", "")],
        MISTAKEN: [("TERMINATED", "")],
        BUSY: [("RS_BUSY", ""), ("TERMINATED", "")],
        WRONG: [("RS_NUMBER", "")] * 6,
    }
    talked = [row for row in kitchen.site.attempts() if row["outcome"] == "TERMINATED"]
    assert {row["agent"] for row in talked} == {DAN.name}
    for row in talked[:2]:
        assert row["input_attributes"]["orgQ"] == "400"
        assert re.fullmatch(r"\d{6}-\d{6}", row["input_attributes"]["when"])
    until(lambda: kitchen.site.snapshot()["runs"][0]["state"] == "IDLE", 10, "nothing is left to do")


def test_the_agents_phone_shows_whom_they_call_back(floor: Floor) -> None:
    rung = [each for each in floor.heard if each["Event"] == "AgentCalled" and each["Queue"] == "401"]
    shown = {(each["DestConnectedLineNum"], each["DestConnectedLineName"]) for each in rung}
    assert (TRIES, f"{TRIES} of queue 400") in shown
    assert (BUSY, f"{BUSY} of queue web") in shown


def test_the_queue_log_has_all_sides(kitchen: Kitchen) -> None:
    ways = [line[4] for line in kitchen.queue_log("400") if line[4].startswith("EXIT")]
    assert sorted(ways) == ["EXITWITHKEY", "EXITWITHKEY", "EXITWITHTIMEOUT"]
    calls = {f"wbt-{row['wombatid']:016}": row["number"] for row in kitchen.site.attempts()}

    def events(queue: str, number: str) -> list[list[str]]:
        return [line[4:] for line in kitchen.queue_log(queue) if calls.get(line[1]) == number]

    until(lambda: ["INFO", "orgQ", "400"] in [each[:3] for each in events("callback", TRIES)], 10, "it is written")
    ours = [each[0] for each in events("callback", TRIES)]
    assert ours == ["ENTERQUEUE", "CONNECT", "COMPLETEAGENT", "INFO", "INFO"]
    assert [each[0] for each in events("401", TRIES)] == ["ENTERQUEUE", "CONNECT", "COMPLETEAGENT"]


@pytest.mark.parametrize("by", ["AGI", "CURL"])
def test_where_nobody_calls_back_the_caller_is_told(kitchen: Kitchen, floor: Floor, by: str) -> None:
    if by == "AGI":
        kitchen.do("wombat-ari pause callback")
        kitchen.do("wombat-ari remove callback")
    caller = Caller(floor, "wombat-callback-number", BY=by)
    caller.hears("vm-enter-num-to-call")
    caller.presses("5551025#")
    caller.hears("you-entered")
    caller.presses("1")
    caller.reaches("Playback", "im-sorry&please-try-call-later")
