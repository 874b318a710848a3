"""A caller over FastAGI, byte by byte: what is asked of Asterisk, what its answers mean, hang-ups in each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tests.pbx.test_fastagi import Session
from wombat_ari.flows.agi_line import AgiLine
from wombat_ari.flows.line import CallerHungUp, FlowError, RecordEnd, Recording, Spoken
from wombat_ari.pbx.fastagi import FastAGIFactory


class Asked:
    """A line, and what came of one coroutine of it."""

    def __init__(self, act: Callable[[AgiLine], Any]) -> None:
        self.clock = Clock()
        self.found: list[Any] = []
        self.session = Session(FastAGIFactory(self._main, clock=self.clock), self.clock)
        self._act = act
        self.session.begins("flow/x")

    async def _main(self, agi: Any) -> None:
        line = AgiLine(agi)
        try:
            self.found.append(await self._act(line))
        except (CallerHungUp, FlowError) as end:
            self.found.append(end)

    def answers(self, *lines: str) -> Asked:
        """Each to the command that was written before it."""
        for line in lines:
            assert len(self.session.written()) == 1
            self.session.says(line + "\n")
        return self


ACTS: dict[str, tuple[Callable[[AgiLine], Any], list[str]]] = {
    "play": (lambda line: line.play("hello", "#"), ['STREAM FILE "hello" "#"']),
    "digits": (lambda line: line.say(Spoken.DIGITS, "12"), ['SAY DIGITS "12" ""']),
    "number": (lambda line: line.say(Spoken.NUMBER, "12", "1"), ['SAY NUMBER "12" "1"']),
    "date": (lambda line: line.say(Spoken.DATE, "1790000000 Europe/Rome"),
             ['SAY DATETIME "1790000000" "" "ABdY \'digits/at\' IMp" "Europe/Rome"']),
    "data": (lambda line: line.digits(["ask"], most=4, timeout_s=2, terminator="#"), ['GET DATA "ask" "2000" "4"']),
    "key": (lambda line: line.digits([], most=1, timeout_s=2, terminator=""), ['WAIT FOR DIGIT "2000"']),
    "record": (lambda line: line.record("x", limit_s=9, silence_s=2, terminator="#", beep=True),
               ['GET VARIABLE "AST_CONFIG(asterisk.conf,directories,astspooldir)"',
                'RECORD FILE "/spool/recording/x" "wav" "#" "9000" "BEEP" "s=2"']),
    "variable": (lambda line: line.get_variable("X"), ['GET FULL VARIABLE "${X}"']),
    "set": (lambda line: line.set_variable("X", "a \"b\""), ['SET VARIABLE "X" "a \\"b\\""']),
    "transfer": (lambda line: line.transfer("desk", "100"),
                 ['GET VARIABLE "DIALPLAN_EXISTS(desk,100,1)"', 'SET CONTEXT "desk"', 'SET EXTENSION "100"',
                  'SET PRIORITY "1"']),
    "answer": (lambda line: line.answer(), ["CHANNEL STATUS", "ANSWER"]),
}  # fmt: skip
GOOD = {"record": ["200 result=1 (/spool)", "200 result=35 (dtmf) endpos=8000"], "transfer": ["200 result=1 (1)"]}
STEPS = [(name, step) for name, (_, commands) in ACTS.items() for step in range(len(commands))]


def asked_until(name: str, step: int) -> Asked:
    """Up to the command number ``step``, which is written and not answered."""
    act, commands = ACTS[name]
    asked = Asked(act)
    good = [*GOOD.get(name, []), *["200 result=0"] * 4]
    for number in range(step):
        assert asked.session.written() == [commands[number]]
        asked.session.says(good[number] + "\n")
    assert asked.session.written() == [commands[step]]
    return asked


@pytest.mark.parametrize(("name", "step"), STEPS)
def test_what_is_asked_of_asterisk(name: str, step: int) -> None:
    asked_until(name, step)


@pytest.mark.parametrize(("name", "step"), STEPS)
@pytest.mark.parametrize("end", ["HANGUP", "HANGUP first", "result -1", "511", "gone"])
def test_a_hang_up_at_each_step(name: str, step: int, end: str) -> None:
    asked = asked_until(name, step)
    if end == "HANGUP":
        asked.session.says("200 result=-1\nHANGUP\n")
    elif end == "HANGUP first":
        asked.session.says("HANGUP\n200 result=-1\n")
    elif end == "result -1":
        asked.session.says("200 result=-1\n")
        if not asked.found:  # it is asked whether it was that
            asked.session.says("511 Command Not Permitted on a dead channel or intercept routine\n")
    elif end == "511":
        asked.session.says("511 Command Not Permitted on a dead channel or intercept routine\n")
    else:
        asked.session.ends()
    assert [type(each) for each in asked.found] == [CallerHungUp]


@pytest.mark.parametrize(
    ("name", "answers", "found"),
    [
        ("play", ["200 result=0 endpos=800"], ""),
        ("play", ["200 result=35 endpos=100"], "#"),
        ("digits", ["200 result=0"], ""),
        ("number", ["200 result=49"], "1"),
        ("data", ["200 result=123"], "123"),
        ("data", ["200 result=12 (timeout)"], "12"),
        ("data", ["200 result= (timeout)"], ""),
        ("key", ["200 result=0"], ""),
        ("key", ["200 result=42"], "*"),
        ("variable", ["200 result=1 (a (b))"], "a (b)"),
        ("variable", ["200 result=0"], ""),
        ("answer", ["200 result=6"], None),
        ("transfer", ["200 result=1 (1)", "200 result=0", "200 result=0", "200 result=0"], None),
        ("record", ["200 result=1 (/spool)", "200 result=35 (dtmf) endpos=8000"],
         Recording("/spool/recording/x", 1.0, RecordEnd.DIGIT)),
        ("record", ["200 result=0", "200 result=0 (timeout) endpos=16000"],
         Recording("/var/spool/asterisk/recording/x", 2.0, RecordEnd.SILENCE)),
        ("record", ["200 result=0", "200 result=0 (timeout) endpos=72000"],
         Recording("/var/spool/asterisk/recording/x", 9.0, RecordEnd.TIMEOUT)),
    ],
)  # fmt: skip
def test_what_answers_mean(name: str, answers: list[str], found: object) -> None:
    assert Asked(ACTS[name][0]).answers(*answers).found == [found]


@pytest.mark.parametrize(
    ("name", "answers", "word"),
    [
        ("play", ["200 result=-1 endpos=0", "200 result=6"], "no sound 'hello'"),
        ("number", ["200 result=-1", "200 result=6"], "say number 12"),
        ("transfer", ["200 result=1 (0)"], "there is no 100@desk"),
        ("set", ["510 Invalid or unknown command"], "set X"),
        ("record", ["200 result=0", "200 result=-1 (writefile)", "200 result=0", "200 result=0",
                    "200 result=-1 (writefile)"], "cannot record"),
    ],
)  # fmt: skip
def test_what_the_pbx_refuses(name: str, answers: list[str], word: str) -> None:
    (found,) = Asked(ACTS[name][0]).answers(*answers).found
    assert isinstance(found, FlowError)
    assert word in str(found)


def test_several_prompts_and_a_key_in_the_first() -> None:
    def ask(line: AgiLine) -> Any:
        return line.digits(["one", "two"], most=3, timeout_s=1, terminator="#")

    asked = Asked(ask)
    assert asked.session.written() == ['STREAM FILE "one" "0123456789*#"']
    asked.session.says("200 result=55 endpos=10\n")
    assert asked.session.written() == ['GET DATA "" "1000" "2"']
    asked.session.says("200 result=89\n")
    assert asked.found == ["789"]


def test_another_terminator_is_waited_for_key_by_key() -> None:
    asked = Asked(lambda line: line.digits(["one"], most=5, timeout_s=1, terminator="*"))
    asked.answers("200 result=0 endpos=10", "200 result=49", "200 result=50", "200 result=42")
    assert asked.found == ["12"]


def test_whoever_waits_for_the_hang_up_is_told() -> None:
    told: list[Any] = []

    async def main(agi: Any) -> None:
        line = AgiLine(agi)
        Deferred.fromCoroutine(line.until_hung_up()).addCallback(lambda _: told.append(line.hung_up))
        await Deferred()

    clock = Clock()
    session = Session(FastAGIFactory(main, clock=clock), clock)
    session.begins("x")
    assert told == []
    session.says("HANGUP\n")
    assert told == [True]
