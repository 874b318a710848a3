"""docs/cookbook/carrots.md: nobody is called before a volunteer is there, and who presses 1 talks to one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.recipes.conftest import Cook
from tests.recipes.kitchen import Kitchen
from tests.system.agents import Agent, Floor, Meter
from tests.system.site import until

ANN = Agent(1, ring=2, talk=20)
GIL = Agent(8, ring=99)  #: does not hear the phone
ASKED = ("55500210" + "1", "55500415" + "1")  #: they press 1
NOT = ("55500312" + "2", "5551020004")  #: they press 2, or nothing
LEFT = "5551010805"
BUSY, AWAY, WRONG = "5552030006", "5553000008", "5554030009"
LATER = "5557020907"  #: busy at first, then hangs up early


@pytest.fixture(scope="module")
def meter(floor: Floor) -> Meter:
    meter = Meter()
    floor.hooks.append(meter)
    return meter


@pytest.fixture(scope="module")
def kitchen(cook: Cook, floor: Floor, meter: Meter) -> Iterator[Kitchen]:
    """Before a volunteer is there."""
    kitchen = cook("carrots")
    kitchen.hurry(answer_timeout_ms=1000, variables="MESSAGE:beep,SECONDS:1,PATIENCE:2")
    kitchen.do(kitchen.then[0])
    kitchen.do(kitchen.then[1])
    yield kitchen
    floor.hooks.remove(meter)
    floor.log_off(ANN)
    floor.log_off(GIL)


def queue(kitchen: Kitchen) -> dict[str, Any]:
    (point,) = kitchen.site.snapshot()["end_points"]
    return dict(point["queue"])


def test_nobody_is_called_before_a_volunteer_is_there(kitchen: Kitchen, meter: Meter) -> None:
    said = "no agent is free for one more call"
    until(lambda: kitchen.site.snapshot()["runs"][0]["why_not"] == said, 10, "it says why")
    assert said in kitchen.do("wombat-ari status carrots")
    assert meter.most == 0


def test_while_three_wait_it_says_so(kitchen: Kitchen, floor: Floor) -> None:
    callers = [floor.stranger("999") for _ in range(3)]
    until(lambda: queue(kitchen)["blocked"], 10, "three wait, two may")
    for caller in callers:
        floor.hang_up(caller)
    until(lambda: not queue(kitchen)["callers"], 10, "nobody waits")


def test_a_volunteer_comes_and_two_are_called_at_once(kitchen: Kitchen) -> None:
    seen: list[int] = []

    def through() -> bool:
        seen.append(queue(kitchen)["on_the_way"])
        return not kitchen.site.snapshot()["runs"]

    kitchen.do(kitchen.then[2])
    until(through, 60, "the campaign is through")
    assert max(seen) == 2, "calls that have not come to the queue: two for the one who is free"
    results = kitchen.results()
    assert {number: results.pop(number)[-1] for number in ASKED} == dict.fromkeys(ASKED, ("TERMINATED", "1"))
    assert results == {
        **{number: [("TERMINATED", "0")] for number in NOT},
        LEFT: [("TERMINATED", "0")],
        LATER: [("RS_BUSY", ""), ("TERMINATED", "0")],
        BUSY: [("RS_BUSY", "")] * 4,
        AWAY: [("RS_NOANSWER", "")] * 3,
        WRONG: [("RS_NUMBER", "")],
    }


def test_the_volunteer_is_named_on_the_calls_they_took(kitchen: Kitchen) -> None:
    agents = {(row["extended_status"], row["agent"]) for row in kitchen.site.attempts("carrots")}
    assert agents == {("1", "Ann"), ("2", ""), ("0", ""), ("", "")}


def test_who_wants_to_talk_and_nobody_comes_will_be_called_again(kitchen: Kitchen, floor: Floor) -> None:
    """But not who hangs up while they wait."""
    floor.log_off(ANN)
    floor.log_on(GIL)
    kitchen.site.fill("waiting", ASKED)
    kitchen.adapt(lists=["waiting"])
    known = {row["wombatid"] for row in kitchen.site.attempts("carrots")}
    since = floor.now()
    kitchen.site.run("carrots")
    leaver = floor.await_event("QueueCallerJoin", since=since, Queue="999")["Uniqueid"]
    floor.hang_up(leaver)

    def ends() -> dict[bool, tuple[str, str, str, int]]:
        rows = [row for row in kitchen.site.attempts("carrots") if row["wombatid"] not in known]
        return {
            row["unique_id"] == leaver: (row["outcome"], row["extended_status"], row["agent"], row["retry_in_s"])
            for row in rows
        }

    until(lambda: len(ends()) == 2, 30, "one has left, nobody came in time for the other")
    assert ends() == {True: ("TERMINATED", "1", "", 0), False: ("TERMINATED", "2", "", 1)}
