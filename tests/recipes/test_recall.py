"""docs/cookbook/recall.md: who hung up in the queue is called back once, and who was served meanwhile is not."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.agi_scripts.pipes import SCRIPTS
from tests.recipes.conftest import Cook
from tests.recipes.kitchen import Kitchen
from tests.system.agents import Agent, Floor
from tests.system.site import until
from tools.docs.__main__ import ROOT

PAGE = (ROOT / "docs" / "cookbook" / "recall.md").read_text(encoding="utf-8")
EVA = Agent(5, ring=2, talk=5)
ANN = "55510220"  #: of the recipe's third command
BUSY = "5557022001"  #: at the first try
LEAVES = "555102010001"  #: called back, they hang up before an agent takes them
SERVED = "5551022002"  #: calls again, and an agent takes them
WAITS = "5551022003"  #: calls again, and waits
NOBODY = "555"  #: no number
DAY = 86_400


class Shift:
    """Callers, and the job of cron."""

    def __init__(self, kitchen: Kitchen, floor: Floor) -> None:
        self.kitchen, self.floor = kitchen, floor
        self.state = kitchen.site.folder / "wombat-recall.json"

    def call(self, number: str, seconds: int, unique_id: str = "") -> None:
        """Somebody calls, and hangs up after so many seconds."""
        ids: dict[str, Any] = {"ChannelId": unique_id, "OtherChannelId": f"other-{unique_id}"} if unique_id else {}
        channel = f"Local/{number}@wombat-recall-try/n"
        self.floor.act("Originate", Channel=channel, Application="Wait", Data=seconds, Async="true", **ids)

    def events(self, number: str) -> list[str]:
        """What the queue logged of calls from there that are not the dialer's."""
        lines = self.kitchen.queue_log("402")
        theirs = {line[1] for line in lines if line[4] == "ENTERQUEUE" and line[6] == number and line[1][:4] != "wbt-"}
        return [line[4] for line in lines if line[1] in theirs]

    def lost(self, number: str, times: int = 1) -> None:
        until(lambda: self.events(number).count("ABANDON") == times, 20, f"{number} has hung up")

    def cron(self, *options: str) -> list[str]:
        """The line of the page; answers the numbers it names."""
        (line,) = re.findall(r"^ +\*/10 \* \* \* \* asterisk \S+/(\S+ .*)$", PAGE, re.MULTILINE)
        program, *arguments = shlex.split(line)
        where = {"AST_LOG_DIR": str(self.kitchen.pbx.directory / "log"), "AST_SPOOL_DIR": str(self.kitchen.site.folder)}
        where["WOMBAT_AGI_URL"] = f"http://127.0.0.1:{self.kitchen.site.console_port}/wombat/api"
        done = subprocess.run(
            [sys.executable, SCRIPTS / program, "--after", "0", *options, *arguments], env={**os.environ, **where},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        return re.findall(r"^(?:would call )?(\d+), lost in 402 at", done.stdout, re.MULTILINE)

    def results(self) -> dict[str, list[str]]:
        return self.kitchen.site.outcomes("recall")


@pytest.fixture(scope="module")
def shift(cook: Cook, floor: Floor) -> Iterator[Shift]:
    """Nobody is on the queue, and five callers have hung up; two of them called again."""
    kitchen = cook("recall")
    kitchen.hurry(answer_timeout_ms=1000)
    shift = Shift(kitchen, floor)
    kitchen.follow()
    for number in (BUSY, LEAVES, SERVED, WAITS, NOBODY):
        shift.call(number, 1)
    for number in (ANN, BUSY, LEAVES, SERVED, WAITS, NOBODY):
        shift.lost(number)
    floor.log_on(EVA, "402")
    shift.call(SERVED, 60)
    until(lambda: "COMPLETEAGENT" in shift.events(SERVED), 20, "an agent has taken them")
    floor.log_off(EVA, "402")
    shift.call(WAITS, 60, unique_id="waits-again")
    until(lambda: shift.events(WAITS).count("ENTERQUEUE") == 2, 20, "they wait again")
    yield shift
    floor.log_off(EVA, "402")


def test_it_says_whom_it_would_call(shift: Shift) -> None:
    assert sorted(shift.cron("--dry-run")) == sorted([ANN, BUSY, LEAVES])
    assert not shift.state.exists()
    assert shift.kitchen.site.rows("SELECT COUNT(*) FROM record") == [(0,)]


def test_the_lost_are_added_once(shift: Shift) -> None:
    assert sorted(shift.cron()) == sorted([ANN, BUSY, LEAVES])
    assert shift.cron() == []
    assert shift.results() == {}
    (point,) = shift.kitchen.site.snapshot()["end_points"]
    assert point["queue"]["blocked"], "somebody waits, and goes before them"


def test_who_waited_again_and_hung_up_again_is_added(shift: Shift) -> None:
    shift.floor.hang_up(shift.floor.await_event("Newchannel", Uniqueid="waits-again")["Channel"])
    shift.lost(WAITS, 2)
    assert shift.cron() == [WAITS]


def test_an_agent_calls_them_back(shift: Shift) -> None:
    shift.floor.log_on(EVA, "402")
    until(lambda: len(shift.kitchen.site.attempts()) == 5, 40, "all were called")
    assert shift.results() == {
        ANN: ["TERMINATED"],
        BUSY: ["RS_BUSY", "TERMINATED"],
        LEAVES: ["TERMINATED"],
        WAITS: ["TERMINATED"],
    }
    agents = {row["number"]: row["agent"] for row in shift.kitchen.site.attempts()}
    assert agents == {ANN: EVA.name, BUSY: EVA.name, LEAVES: "", WAITS: EVA.name}
    (ann,) = [row for row in shift.kitchen.site.attempts() if row["number"] == ANN]
    given = ann["input_attributes"]
    assert (given["LOST_QUEUE"], int(given["LOST_WAIT"]) in (1, 2, 3)) == ("402", True)
    rung = [
        each for each in shift.floor.heard if each["Event"] == "AgentCalled" and each["DestConnectedLineNum"] == ANN
    ]
    assert rung[-1]["DestConnectedLineName"] == f"{ANN} lost at {given['LOST_AT']}"


def test_nobody_is_called_twice_a_day(shift: Shift) -> None:
    """Lost again; also who was called back, and left before an agent took them, is the campaign's and not lost."""
    shift.floor.log_off(EVA, "402")
    ours = [line for line in shift.kitchen.queue_log("402") if line[1].startswith("wbt-") and line[4] == "ABANDON"]
    assert len(ours) == 1
    shift.call(ANN, 1)
    shift.lost(ANN, 2)
    assert shift.cron() == []
    notes = json.loads(shift.state.read_text())
    assert notes.keys() == {ANN, BUSY, LEAVES, WAITS}
    aged = {number: {**note, "asked_at": note["asked_at"] - DAY} for number, note in notes.items()}
    aged[BUSY] = notes[BUSY]
    shift.state.write_text(json.dumps(aged))
    assert shift.cron() == [ANN], "the next day: who was lost again since we reached them"


def test_the_queue_log_has_both_sides(shift: Shift) -> None:
    calls = {f"wbt-{row['wombatid']:016}": row["number"] for row in shift.kitchen.site.attempts()}

    def events(queue: str, number: str) -> list[list[str]]:
        return [line[4:] for line in shift.kitchen.queue_log(queue) if calls.get(line[1]) == number]

    until(lambda: ["INFO", "LOST_QUEUE", "402"] in [each[:3] for each in events("recall", BUSY)], 10, "it is written")
    assert [each[0] for each in events("402", BUSY)] == ["ENTERQUEUE", "CONNECT", "COMPLETEAGENT"]
    assert [each[0] for each in events("recall", BUSY)].count("ENTERQUEUE") == 2
