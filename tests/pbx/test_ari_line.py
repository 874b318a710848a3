"""A caller of a flow, carried by ARI, on a real Asterisk: what is played, pressed and recorded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from tests.pbx.ari_stage import Stage, done, next_call, play, server_of
from tools.provision.asterisk import AsteriskInstance
from tools.provision.process import wait_until
from wombat_ari.flows.ari_calls import FlowCalls
from wombat_ari.flows.ari_line import AriLine, date_sounds
from wombat_ari.flows.call import Call
from wombat_ari.flows.line import CallerHungUp, CallFacts, FlowError, RecordEnd, Spoken
from wombat_ari.model.events import AttributeSet
from wombat_ari.model.ids import channel_id
from wombat_ari.pbx.ari_app import FLOW, RECORDER
from wombat_ari.pbx.ari_recording import Recorder

RECORD = {"limit_s": 1.0, "silence_s": 0.0, "terminator": "", "beep": False}

Flow = Callable[[AriLine, Stage], Awaitable[None]]


def run(pbx: AsteriskInstance, number: str, flow: Flow, **variables: str) -> Stage:
    """Call a number, run ``flow`` with the line, hang up; nothing is left."""
    stages = []

    async def story() -> None:
        stage = Stage(server_of(f"http://{pbx.host}:{pbx.http_port}", pbx.ari_password))
        stages.append(stage)
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def begin(name: str, line: AriLine, wombatid: int, number: str) -> Deferred[object]:
            task = asyncio.ensure_future(flow(line, stage))
            task.add_done_callback(
                lambda done: ended.set_exception(e) if (e := done.exception()) else ended.set_result(None)
            )
            return Deferred.fromFuture(asyncio.ensure_future(asyncio.wait({task})))

        async with stage:
            stage.app.kinds = {FLOW: FlowCalls(stage.app, begin), RECORDER: Recorder(stage.app)}
            await stage.up()
            call = await stage.call(number, "flow,test", **variables)
            await ended
            await stage.until(lambda: not stage.app.calls, "nobody is seen to any more")
            ours = channel_id(call)
            await stage.until(lambda: any(_ends(each, ours) for each in stage.events), "the channel is gone")

    play(story())
    return stages[0]


def _ends(event: object, channel: str) -> bool:
    return (
        isinstance(event, dict)
        and event["type"] in ("ChannelDestroyed", "StasisEnd")
        and event["channel"]["id"] == channel
    )


def test_what_is_played_is_played_to_its_end(asterisk: AsteriskInstance) -> None:
    async def flow(line: AriLine, stage: Stage) -> None:
        began = time.monotonic()
        assert await done(line.play("silence/1")) == ""
        assert 0.8 < time.monotonic() - began < 3
        assert await done(line.say(Spoken.DIGITS, "1")) == ""
        assert await done(line.say(Spoken.NUMBER, "7")) == ""
        with pytest.raises(FlowError, match="no-such-sound"):
            await done(line.play("no-such-sound"))
        assert not line.hung_up
        await done(line.hang_up())
        with pytest.raises(CallerHungUp):
            await done(line.play("silence/1"))

    run(asterisk, "55510000", flow)


def test_digits_and_keys_that_interrupt(asterisk: AsteriskInstance) -> None:
    """The callee presses 1 2 # 3 4 5, four tenths of a second apart."""

    async def flow(line: AriLine, stage: Stage) -> None:
        assert await done(line.digits(["silence/9"], most=5, timeout_s=3, terminator="#")) == "12"
        assert await done(line.play("silence/9", "34")) == "3"
        await stage.until(
            lambda: [e["digit"] for e in stage.events if e["type"] == "ChannelDtmfReceived"] == list("12#345")
        )
        assert await done(line.digits([], most=2, timeout_s=3, terminator="")) == "45", "pressed between two: kept"
        began = time.monotonic()
        assert await done(line.digits([], most=1, timeout_s=0.3, terminator="#")) == ""
        assert 0.25 < time.monotonic() - began < 1
        await done(line.hang_up())

    run(asterisk, "5550000412#345", flow)


def test_a_hang_up_ends_what_is_waited_for(asterisk: AsteriskInstance) -> None:
    async def flow(line: AriLine, stage: Stage) -> None:
        gone = asyncio.ensure_future(done(line.until_hung_up()))
        with pytest.raises(CallerHungUp):
            await done(line.play("silence/9"))
        assert line.hung_up
        await gone

    run(asterisk, "55510005", flow)


STEPS: dict[str, Callable[[AriLine], Coroutine[Any, Any, Any]]] = {
    "play": lambda line: line.play("silence/9"),
    "interrupted": lambda line: line.play("silence/9", "1"),
    "digits": lambda line: line.say(Spoken.DIGITS, "0123456789"),
    "number": lambda line: line.say(Spoken.NUMBER, "987654321"),
    "date": lambda line: line.say(Spoken.DATE, "1790000000 Europe/Rome"),
    "prompted": lambda line: line.digits(["silence/9"], most=4, timeout_s=5, terminator="#"),
    "waited for": lambda line: line.digits([], most=4, timeout_s=5, terminator="#"),
    "recorded": lambda line: line.record(f"test-{next_call()}", **{**RECORD, "limit_s": 9.0}),
    "get": lambda line: line.get_variable("NOTE"),
    "set": lambda line: line.set_variable("NOTE", "x"),
    "answer": lambda line: line.answer(),
}


def test_who_hangs_up_in_each_step(asterisk: AsteriskInstance) -> None:
    """Each again and again, all callers at the same time; each is gone after a second."""
    ended: dict[str, str] = {}

    async def leave(step: str, line: AriLine) -> None:
        try:
            while True:
                await done(STEPS[step](line))
        except BaseException as end:
            ended[step] = f"{type(end).__name__} {line.hung_up}"

    async def story() -> None:
        stage = Stage(server_of(f"http://{asterisk.host}:{asterisk.http_port}", asterisk.ari_password))

        def begin(step: str, line: AriLine, wombatid: int, number: str) -> Deferred[object]:
            return Deferred.fromFuture(asyncio.ensure_future(leave(step, line)))

        async with stage:
            stage.app.kinds = {FLOW: FlowCalls(stage.app, begin)}
            await stage.up()
            for step in STEPS:
                await stage.call("55510010", f"flow,{step}")
            await stage.until(lambda: len(ended) == len(STEPS), f"all have ended: {ended}", 30)
            await stage.until(lambda: not stage.app.calls, "nobody is seen to any more")

    play(story())
    assert ended == dict.fromkeys(STEPS, "CallerHungUp True")


def test_a_caller_goes_to_a_queue(asterisk: AsteriskInstance) -> None:
    async def flow(line: AriLine, stage: Stage) -> None:
        call = Call(line, None, CallFacts())  # type: ignore[arg-type]
        await done(call.queue("999"))
        with pytest.raises(FlowError, match="sent to queue 999"):
            await done(call.play("beep"))
        shown = ""
        for _ in range(100):
            shown = asterisk.cli("queue show 999")
            if "555100109" in shown:
                break
            await asyncio.sleep(0.05)
        assert "555100109" in shown

    run(asterisk, "555100109", flow)


def test_variables_any_text(asterisk: AsteriskInstance) -> None:
    async def flow(line: AriLine, stage: Stage) -> None:
        text = 'one, "two" (three \\ &=? Zoë 🐨'
        assert await done(line.get_variable("NOTE")) == text
        await done(line.set_variable("OTHER", text[::-1]))
        # Without AMI, as here, ARI sets it in its own time (Asterisk 16 a moment after it has said so).
        end = time.monotonic() + 2
        while await done(line.get_variable("OTHER")) != text[::-1]:
            assert time.monotonic() < end
            await asyncio.sleep(0.02)
        assert await done(line.get_variable("NOT_SET")) == ""
        await done(line.answer())
        await done(line.hang_up())

    run(asterisk, "55510000", flow, NOTE='one, "two" (three \\ &=? Zoë 🐨')


def test_a_caller_is_recorded(asterisk: AsteriskInstance) -> None:
    """The callee is a queue with music."""
    name = f"test-{next_call()}"

    async def flow(line: AriLine, stage: Stage) -> None:
        for _ in range(5):
            recording = await done(line.record(name, **RECORD))
            assert (recording.end, recording.sound) == (RecordEnd.TIMEOUT, f"/mnt/spool/recording/{name}")
            if recording.duration_s:
                break  # the music of a busy machine begins late
        assert recording.duration_s >= 1.0
        await done(line.hang_up())

    run(asterisk, "999@simulated-endpoints", flow)
    _await_sound(asterisk, name, more_than=8000)


def test_how_a_recording_ends(asterisk: AsteriskInstance) -> None:
    """The callee presses 4 and 5, and #, nine tenths of a second apart, and says nothing."""
    name = f"test-{next_call()}"

    async def flow(line: AriLine, stage: Stage) -> None:
        for terminator in ("56", "#"):
            recording = await done(line.record(name, **{**RECORD, "limit_s": 9.0, "terminator": terminator}))
            assert recording.end is RecordEnd.DIGIT
        with pytest.raises(FlowError):
            await done(line.record("../../not/there", **RECORD))
        assert not line.hung_up
        begun = _begun(stage)
        recording = asyncio.ensure_future(done(line.record(name, **{**RECORD, "limit_s": 9.0})))
        await stage.until(lambda: _begun(stage) > begun, "it is recorded")
        await stage.ask("channels", "hangup", channelId=line.channels[0])
        with pytest.raises(CallerHungUp) as gone:
            await recording
        assert gone.value.sound == f"/mnt/spool/recording/{name}"

    run(asterisk, "5550000945#", flow)
    assert _recorded(asterisk, name).exists()


def test_a_call_is_recorded_as_a_whole(asterisk: AsteriskInstance) -> None:
    async def flow(line: AriLine, stage: Stage) -> None:
        await stage.until(lambda: any(isinstance(each, AttributeSet) for each in stage.told), "it is recorded")
        await done(line.play("silence/1"))
        await done(line.hang_up())

    stage = run(asterisk, "55510000", flow, WOMBAT_RECORD="yes")
    (told,) = stage.told
    assert (told.name, told.value) == ("RECORDING", f"wombat-{told.call}")
    _await_sound(asterisk, told.value)


def test_the_caller_goes_on_in_the_dialplan(asterisk: AsteriskInstance) -> None:
    async def flow(line: AriLine, stage: Stage) -> None:
        with pytest.raises(FlowError, match="there is no nowhere@nothing"):
            await done(line.transfer("nothing", "nowhere"))
        assert not line.hung_up
        await done(line.transfer("simulated-endpoints", "902"))
        assert not line.hung_up

    run(asterisk, "55510000", flow)


def test_a_flow_that_ends_lets_the_dialplan_go_on(asterisk: AsteriskInstance) -> None:
    """An originated channel has none, so it ends."""

    async def flow(line: AriLine, stage: Stage) -> None:
        pass

    run(asterisk, "55510000", flow)


def test_a_date_is_read_as_asterisk_reads_it() -> None:
    assert " ".join(date_sounds(2, 11, 24, 2026, 12, 5)).replace("sound:digits/", "") == (
        "day-2 mon-10 20 h-4 number:2026 at number:12 oh number:5 p-m"
    )
    assert date_sounds(0, 1, 20, 2026, 0, 0)[2:] == [
        "sound:digits/h-20", "number:2026", "sound:digits/at", "number:12", "sound:digits/oclock", "sound:digits/a-m",
    ]  # fmt: skip


def _await_sound(pbx: AsteriskInstance, name: str, more_than: int = 44) -> None:
    """More than the header of a file; Asterisk writes it in its own time."""
    path = _recorded(pbx, name)
    assert wait_until(lambda: path.stat().st_size > more_than, timeout=5), f"{path.stat().st_size} bytes"


def _begun(stage: Stage) -> int:
    """Recordings so far."""
    return sum(each["type"] == "RecordingStarted" for each in stage.events)


def _recorded(pbx: AsteriskInstance, name: str) -> Path:
    return pbx.directory / "spool" / "recording" / f"{name}.wav"
