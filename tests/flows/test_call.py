"""What a flow sees, with a caller by script."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wombat_ari.flows.line import FlowError
from wombat_ari.flows.testing import ScriptedCaller, Seen


async def everything(call: Any) -> None:
    """Each thing that needs the caller, once."""
    try:
        await call.answer()
        await call.play("one")
        await call.play(["two", "three"])
        await call.say_digits("12")
        await call.say_number(7)
        await call.say_date(1790000000)
        await call.say_text("Hello")
        await call.menu("menu", "1")
        await call.digits(3, prompt="code")
        await call.digit()
        await call.record("name")
        await call.transfer("100", "desk")
    finally:
        await call.status("left" if call.hung_up else "stayed")


STEPS = 13


def test_a_flow_to_its_end() -> None:
    seen = ScriptedCaller("1234").goes_through(everything)
    assert not seen.hung_up
    assert seen.heard == [
        "one", "two", "three", "digits:12", "number:7", "date:1790000000", "speech:Hello", "menu", "code",
    ]  # fmt: skip
    assert (seen.status, seen.sent_to, seen.recorded) == ("stayed", "100@desk", ["name"])


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_the_caller_hangs_up_at_each_step(step: int) -> None:
    seen = ScriptedCaller("1234", hangs_up_at=step).goes_through(everything)
    assert seen.hung_up
    assert seen.status == "left"
    assert seen.sent_to == ""


def test_there_are_no_further_steps() -> None:
    assert not ScriptedCaller("1234", hangs_up_at=STEPS + 1).goes_through(everything).hung_up


def through(flow: Any, keys: str = "", **options: Any) -> Seen:
    return ScriptedCaller(keys, **options).goes_through(flow)


@pytest.mark.parametrize(
    ("keys", "pressed", "prompts"),
    [("1", "1", 1), ("91", "1", 2), (" 2", "2", 2), ("993", "", 3), ("", "", 3), ("*1", "1", 2)],
)
def test_a_menu(keys: str, pressed: str, prompts: int) -> None:
    async def flow(call: Any) -> None:
        await call.attribute("KEY", await call.menu("ask", "12", wrong="sorry"))

    seen = through(flow, keys)
    assert seen.attributes == {"KEY": pressed}
    assert seen.heard.count("ask") == prompts


@pytest.mark.parametrize(
    ("keys", "options", "pressed"),
    [
        ("12#", {}, "12"), ("12345", {}, "1234"), ("", {}, ""), (" 12#", {}, ""), (" 12#", {"tries": 2}, "12"),
        ("12*3", {"terminator": "*"}, "12"), ("1#23", {"terminator": ""}, "1#23"),
    ],
)  # fmt: skip
def test_digits(keys: str, options: dict[str, Any], pressed: str) -> None:
    async def flow(call: Any) -> None:
        await call.attribute("DIGITS", await call.digits(4, **options))

    assert through(flow, keys).attributes == {"DIGITS": pressed}


def test_a_key_interrupts_what_is_played() -> None:
    async def flow(call: Any) -> None:
        await call.attribute("KEY", await call.play(["one", "two"], interrupt="#"))

    assert through(flow, "#").heard == ["one"]
    assert through(flow, "#").attributes == {"KEY": "#"}
    assert through(flow, "5").heard == ["one", "two"]


def test_a_date_keeps_its_zone() -> None:
    async def flow(call: Any) -> None:
        await call.say_date(datetime(2026, 12, 24, 18, 0, tzinfo=ZoneInfo("Europe/Rome")))

    assert through(flow).heard == ["date:1798131600 Europe/Rome"]


def test_after_a_transfer_nothing_can_be_asked_of_the_caller() -> None:
    async def flow(call: Any) -> None:
        await call.queue("sales")
        await call.status("1")
        with pytest.raises(FlowError, match="queue sales"):
            await call.play("one")

    assert (through(flow).sent_to, through(flow).status) == ("queue sales", "1")


def test_attributes_are_exact_and_read_only() -> None:
    value = 'a, "b" ${C} é 🐨 ' + "x" * 1000

    async def flow(call: Any) -> None:
        await call.attribute("BACK", call.attributes["NAME"])
        await call.append("BACK", "!")
        await call.attribute("GONE", 1)
        await call.clear("GONE")
        with pytest.raises(TypeError):
            call.attributes["NAME"] = "other"

    assert through(flow, attributes={"NAME": value}).attributes == {"BACK": value + "!", "GONE": ""}


@pytest.mark.parametrize("hangs_up_at", [0, 1])
def test_a_recording_is_told_if_an_attribute_is_named_also_when_they_hang_up(hangs_up_at: int) -> None:
    async def flow(call: Any) -> None:
        await call.record("why", attribute="REASON")
        await call.record("more")

    seen = through(flow, hangs_up_at=hangs_up_at)
    assert seen.attributes == {"REASON": "/recordings/why"}
    assert seen.recorded == (["why"] if hangs_up_at else ["why", "more"])


def test_calls_may_be_added() -> None:
    async def flow(call: Any) -> None:
        await call.attribute("ID", await call.add_call("callback", "5551", NAME="A, B", N=1))

    seen = through(flow)
    assert seen.added == [("callback", "5551", {"NAME": "A, B", "N": "1"})]
    assert seen.attributes == {"ID": "1001"}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda call: call.play(""), lambda call: call.play("a&b"), lambda call: call.play("a\nb"),
        lambda call: call.play("a", interrupt="x"), lambda call: call.digits(0), lambda call: call.digits(101),
        lambda call: call.digits(1, terminator="12"), lambda call: call.menu("a", ""),
        lambda call: call.menu("a", "yn"),
        lambda call: call.record("../x"), lambda call: call.record("ü"), lambda call: call.say_digits("12a"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_name(wrong: Any) -> None:
    with pytest.raises(FlowError):
        through(wrong)


def test_an_unknown_place_or_sound_is_a_refusal() -> None:
    async def goes(call: Any) -> None:
        await call.transfer("100", "nowhere")

    async def plays(call: Any) -> None:
        await call.play("other")

    with pytest.raises(FlowError, match="100@nowhere"):
        through(goes, extensions=["100@desk"])
    with pytest.raises(FlowError, match="other"):
        through(plays, sounds=["one"])


def test_a_call_that_is_not_the_dialers() -> None:
    async def flow(call: Any) -> None:
        assert call.wombatid == 0
        await call.play("one")
        await call.status("1")

    with pytest.raises(FlowError, match="not a call of the dialer"):
        through(flow, wombatid=0)
