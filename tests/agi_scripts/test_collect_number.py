"""collect_number: conversations with callers of all kinds. A blank key is a chance that the caller lets pass."""

from __future__ import annotations

import pytest

from tests.agi_scripts.pipes import Pbx

ASK, SAID = "vm-enter-num-to-call", "you-entered"
NUMBER = " 0551234# "  #: the question is heard out, digits and #
YES = "   1"  #: you-entered, the digits, if-correct-press, 1


def said(pbx: Pbx) -> list[str]:
    """What the caller heard."""
    spoken = [command for command in pbx.commands if command.startswith(("STREAM FILE", "SAY DIGITS"))]
    return [command.split('"')[1] for command in spoken]


def test_number_is_read_said_back_and_confirmed() -> None:
    pbx = Pbx(keys=" 0551234#" + YES).run("collect_number.py")
    assert (pbx.variables["WOMBAT_NUMBER"], pbx.result, pbx.status) == ("0551234", "OK", 0)
    assert said(pbx) == [ASK, SAID, "0551234", "if-correct-press", "digits/1"]


@pytest.mark.parametrize(
    ("keys", "options", "number"),
    [
        ("0551234# 1", [], "0551234"),  # who knows the menu interrupts what is said
        ("1234*5678#1", [], "5678"),  # * begins anew
        ("1234567    1", ["--max", "7"], "1234567"),  # complete without #
        ("1234 1", [], "1234"),  # ended by waiting
        ("12#1234#1", [], "1234"),  # too short, asked again
        ("1234#21235#1", [], "1235"),  # not confirmed
        ("1234#     1235#1", [], "1235"),  # nothing pressed at the confirmation
        ("   1", ["--offer", "+39 055 99"], "3905599"),  # the caller id is right
        ("21234#1", ["--offer", "0559"], "1234"),  # it is not
        ("1234#1", ["--offer", ""], "1234"),  # there is none
        ("1234#1", ["--offer", "12"], "1234"),  # it is none
    ],
)  # fmt: skip
def test_conversations(keys: str, options: list[str], number: str) -> None:
    pbx = Pbx(keys=keys).run("collect_number.py", *options)
    assert (pbx.variables["WOMBAT_NUMBER"], pbx.result) == (number, "OK")


def test_silent_caller() -> None:
    pbx = Pbx({"MINE": "old"}).run("collect_number.py", "--variable", "MINE", "--tries", "2")
    assert (pbx.variables["MINE"], pbx.result) == ("", "ERROR: no number was confirmed in 2 tries")
    assert said(pbx) == [ASK, "vm-pls-try-again", ASK]


@pytest.mark.parametrize("at", ["STREAM FILE", "WAIT FOR DIGIT", "SAY DIGITS", 'SET VARIABLE "WOMBAT_NUMBER" "0'])
@pytest.mark.parametrize("how", ["signal", "line", "pipes", "no signal"])
def test_hang_up(at: str, how: str) -> None:
    pbx = Pbx(
        keys=NUMBER[:-2] + "#" + YES, hang_up_at=at, sighup=how not in ("line", "no signal"), line=how == "line",
        exits=how == "pipes",
    )  # fmt: skip
    pbx.run("collect_number.py")
    if how == "pipes":
        assert pbx.status in (0, 1)
        return
    if at.startswith("SET"):
        assert (pbx.variables["WOMBAT_NUMBER"], pbx.result) == ("0551234", "OK")  # it was confirmed before
    else:
        assert pbx.variables["WOMBAT_NUMBER"] == ""
        assert pbx.result in ("ERROR: the caller hung up", "ERROR: the channel was hung up")
    commands = [command.split()[0] for command in pbx.commands]
    assert commands[-2:] in (["SET", "VERBOSE"], ["SET", "SET"])


def test_hang_up_told_by_the_result_alone() -> None:
    pbx = Pbx(answers={"STREAM FILE": "200 result=-1 endpos=160"}).run("collect_number.py")
    assert pbx.result == "ERROR: the caller hung up"


def test_unanswered_channel_is_answered_first() -> None:
    pbx = Pbx(keys=" 1234#" + YES, answers={"CHANNEL STATUS": "200 result=4"}).run("collect_number.py")
    assert pbx.commands[2] == "ANSWER"
    assert pbx.variables["WOMBAT_NUMBER"] == "1234"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--min", "9", "--max", "5"], "--min must be 1 at least, and --max not less"),
        (["--min", "x"], "--min is 'x': it must be a whole number"),
        (["--variable", "FILE(/tmp/x)"], "--variable is 'FILE(/tmp/x)': it must be the name of a channel variable"),
        (["7"], "collect_number takes options only, not '7'"),
    ],
)
def test_wrong(words: list[str], told: str) -> None:
    assert Pbx().run("collect_number.py", *words).result == f"ERROR: {told}"
