"""The contract of a driver, kept by the fake PBX and by a real Asterisk alike."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.pbx.stage import FakeStage, RealStage, Stage, link_ups
from wombat_ari.model.errors import PbxError
from wombat_ari.model.events import (
    Accepted,
    Answered,
    AttributeSet,
    ChannelCreated,
    EndPointSeen,
    FoundGone,
    FoundLive,
    HungUp,
    LinkDown,
    LinkUp,
    NotSent,
    OriginateFailed,
    OriginateSucceeded,
    Refused,
    Sent,
    StatusSet,
    TraceFound,
)
from wombat_ari.model.ids import MAX_SERIES, SERIES, channel_id, series_of
from wombat_ari.wire.ami_variables import MAX_VALUE


@pytest.fixture(params=["fake", "asterisk"])
def bare(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A stage without a driver yet."""
    made: Stage = FakeStage() if request.param == "fake" else RealStage(request.getfixturevalue("asterisk"))
    yield made
    made.close()


@pytest.fixture
def stage(bare: Stage) -> Stage:
    return bare.connected()


def test_logs_in_and_tells_the_version(stage: Stage) -> None:
    up = stage.heard.of(LinkUp)
    assert len(up) == 1
    assert up[0].version.startswith("22.")
    assert up[0].version == stage.driver.version
    assert up[0].booted_at > 0
    assert stage.driver.last_error == ""


def test_wrong_secret_is_said_in_words(bare: Stage) -> None:
    driver, heard = bare.new_driver(secret="not-it")
    bare.wait(lambda: bool(heard))
    assert isinstance(heard[0], LinkDown)
    assert not driver.connected
    assert "'wombat'" in driver.last_error
    assert "secret" in driver.last_error
    assert "not-it" not in driver.last_error


@pytest.mark.parametrize(
    ("number", "cause", "reason"),
    [
        ("55520300", 17, 0),
        ("55540000", 1, 0),
        ("55550000", 34, 0),
        ("55560200", 21, 0),
        ("55570000", 17, 0),
    ],
)
def test_a_call_that_fails(stage: Stage, number: str, cause: int, reason: int) -> None:
    call = stage.place(number, WOMBAT_RETRY_NO="0")
    stage.wait(lambda: bool(stage.heard.of(HungUp, call) and stage.heard.of(OriginateFailed, call)))
    assert stage.heard.of(HungUp, call)[0].cause == cause
    assert stage.heard.of(OriginateFailed, call)[0].reason == reason
    assert stage.heard.kinds(call)[:2] == ["Sent", "Accepted"]
    assert stage.heard.of(ChannelCreated, call)
    assert not stage.heard.of(Answered, call)


def test_a_call_that_nobody_answers(stage: Stage) -> None:
    call = stage.place("55530000", timeout=1)
    stage.wait(lambda: bool(stage.heard.of(HungUp, call) and stage.heard.of(OriginateFailed, call)))
    assert stage.heard.of(OriginateFailed, call)[0].reason == 3


def test_a_call_that_is_answered_and_ended_by_the_callee(stage: Stage) -> None:
    call = stage.place("55510203")
    stage.wait(lambda: bool(stage.heard.of(HungUp, call) and stage.heard.of(OriginateSucceeded, call)))
    assert stage.heard.of(Answered, call)
    assert stage.heard.of(HungUp, call)[0].cause == 16


def test_a_number_for_which_no_channel_can_be_made(stage: Stage) -> None:
    channel = stage.place("123")
    stage.wait(lambda: bool(stage.heard.of(OriginateFailed, channel)))
    assert stage.heard.of(OriginateFailed, channel)[0].reason == 0


def test_an_end_point_tells_status_and_attribute(stage: Stage) -> None:
    call = stage.place("55510000", extension="100")
    stage.wait(lambda: bool(stage.heard.of(HungUp, call) and stage.heard.of(AttributeSet, call)))
    assert stage.heard.of(StatusSet, call) == [StatusSet(call, "1")]
    assert stage.heard.of(AttributeSet, call) == [AttributeSet(call, "HEARD", "yes")]
    assert stage.heard.of(EndPointSeen, call)


def test_hang_up_while_it_rings_and_while_it_talks(stage: Stage) -> None:
    ringing = stage.place("55530000")
    talking = stage.place("55510000")
    stage.wait(lambda: bool(stage.heard.of(ChannelCreated, ringing) and stage.heard.of(Answered, talking)))
    stage.driver.hang_up(ringing, 16)
    stage.driver.hang_up(talking, 17)
    stage.wait(lambda: bool(stage.heard.of(HungUp, ringing) and stage.heard.of(HungUp, talking)))
    assert stage.heard.of(HungUp, ringing)[0].cause == 16
    assert stage.heard.of(HungUp, talking)[0].cause == 17


def test_hang_up_of_what_is_not_there(stage: Stage) -> None:
    call = stage.place("55540000")
    stage.wait(lambda: bool(stage.heard.of(HungUp, call)))
    stage.driver.hang_up(call, 16)
    assert not stage.heard.of(FoundGone, call)  # never from inside
    stage.wait(lambda: bool(stage.heard.of(FoundGone, call)))


def test_ask_alive(stage: Stage) -> None:
    ringing, talking = stage.place("55530000"), stage.place("55510000")
    ended, never = stage.place("55520000"), talking + 1_000_000
    stage.wait(lambda: bool(stage.heard.of(Answered, talking) and stage.heard.of(HungUp, ended)))
    for call in (ringing, talking, ended, never):
        stage.driver.ask_alive(call)
    stage.wait(lambda: all(stage.heard.of(kind, call) for kind, call in _answers(ringing, talking, ended, never)))
    assert not stage.heard.of(FoundLive, ringing)[0].up
    assert stage.heard.of(FoundLive, talking)[0].up
    trace = stage.heard.of(TraceFound, ended)[0]
    assert (trace.answered, trace.cause) == (False, 17)
    for call in (ringing, talking):
        stage.driver.hang_up(call, 16)


def _answers(ringing: int, talking: int, ended: int, never: int) -> list[tuple[type, int]]:
    return [(FoundLive, ringing), (FoundLive, talking), (TraceFound, ended), (FoundGone, never)]


def test_limited_life(stage: Stage) -> None:
    call = stage.place("55510000")
    stage.wait(lambda: bool(stage.heard.of(Answered, call)))
    stage.driver.limit_life(call, 1)
    stage.wait(lambda: bool(stage.heard.of(HungUp, call)), seconds=5)


def test_a_second_session_surveys_the_calls_of_the_first(stage: Stage) -> None:
    talking, ended = stage.place("55510000"), stage.place("55510000", extension="902")
    stage.wait(lambda: bool(stage.heard.of(Answered, talking) and stage.heard.of(HungUp, ended)))
    other, heard = stage.new_driver()
    stage.wait(lambda: other.connected)
    survey = stage.result(other.survey())
    live = {channel.wombatid: channel for channel in survey.live}
    assert live[talking].up
    assert live[talking].channel.startswith("Local/55510000@")
    assert ended not in live
    assert talking not in survey.traces
    assert (survey.traces[ended].answered, survey.traces[ended].cause) == (True, 16)
    assert 100 <= survey.traces[ended].talk_ms <= 1500
    assert survey.traces[ended].ended_at >= survey.booted_at
    stage.driver.hang_up(talking, 16)
    stage.wait(lambda: bool(heard.of(HungUp, talking)))


def test_forgotten_traces_are_gone(stage: Stage) -> None:
    calls = [stage.place("55520000") for _ in range(25)]
    stage.wait(lambda: all(stage.heard.of(HungUp, call) for call in calls))
    assert set(calls) <= stage.result(stage.driver.survey()).traces.keys()
    stage.driver.forget_traces(calls)
    stage.wait(lambda: not set(calls) & stage.result(stage.driver.survey()).traces.keys())


def test_of_the_notes_only_those_of_one_series_are_swept(stage: Stage) -> None:
    """Two dialers with different databases work on one PBX: what one has read about, the other may still need."""
    mine = stage.place("55520000")
    series = series_of(mine)
    neighbour = (series + 1) % MAX_SERIES
    others = stage.place("55520000", call=neighbour * SERIES + mine % SERIES)
    stage.wait(lambda: all(stage.heard.of(HungUp, call) for call in (mine, others)))
    assert {mine, others} <= stage.result(stage.driver.survey()).traces.keys()
    stage.driver.sweep_traces(series)
    stage.wait(lambda: mine not in stage.result(stage.driver.survey()).traces)
    assert others in stage.result(stage.driver.survey()).traces
    stage.driver.ask_alive(others)
    stage.wait(lambda: bool(stage.heard.of(TraceFound, others)))
    stage.driver.sweep_traces(series)  # nothing is left to sweep: no trouble
    stage.driver.forget_traces([others])
    stage.wait(lambda: others not in stage.result(stage.driver.survey()).traces)


VALUES = {
    "commas": "a,b,,c",
    "quotes": "say \"hi\" and 'ho'",
    "backslashes": "C:\\new\\\\table\\",
    "open": "([{ (unbalanced, [and, more",
    "expression": "${WOMBATID} $[1+1] %41",
    "utf8": "Żółć, 東京 😀",
    "spaces": "  both ends  ",
    "assignment": "a=b;c:d|e",
    "long": "x" * 1000,
    "empty": "",
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_arrives_exactly(stage: Stage, name: str) -> None:
    call = stage.place("55510000", VALUE=VALUES[name], AFTER="intact")
    stage.wait(lambda: bool(stage.heard.of(Answered, call)))
    ami = stage.ami()
    assert stage.result(ami.getVar(channel_id(call), "VALUE")) == VALUES[name]
    assert stage.result(ami.getVar(channel_id(call), "AFTER")) == "intact"
    stage.driver.hang_up(call, 16)
    ami.transport.loseConnection()


@pytest.mark.parametrize("bad", ["a\nAction: Command", "a\rb", "a\0b", "x" * (MAX_VALUE + 1)])
def test_a_value_that_cannot_be_sent_is_not(stage: Stage, bad: str) -> None:
    call = stage.place("55510000", VALUE=bad)
    stage.wait(lambda: bool(stage.heard.of(NotSent, call)))
    refused = stage.heard.of(NotSent, call)[0]
    assert "VALUE" in refused.message
    assert not refused.again
    assert not stage.heard.of(Sent, call)


def test_an_end_point_that_is_not_there_is_refused(stage: Stage) -> None:
    if stage.is_fake:
        stage.pbx.originate_refusal = "Extension does not exist."  # type: ignore[attr-defined]
    call = stage.place("55510000", extension="nowhere")
    stage.wait(lambda: bool(stage.heard.of(Refused, call)))
    assert "does not exist" in stage.heard.of(Refused, call)[0].message
    assert not stage.heard.of(Accepted, call)


def test_a_lost_link_comes_back_and_the_call_is_followed(stage: Stage) -> None:
    talking, ringing = stage.place("55510000"), stage.place("55510500", timeout=15)
    stage.wait(lambda: bool(stage.heard.of(Answered, talking) and stage.heard.of(ChannelCreated, ringing)))
    lost = stage.driver.survey()
    stage.cut()
    stage.wait(lambda: bool(stage.heard.of(LinkDown)))
    with pytest.raises(PbxError):
        stage.result(lost)
    not_sent = stage.place("55510000")
    stage.wait(lambda: bool(stage.heard.of(NotSent, not_sent)))
    assert stage.heard.of(NotSent, not_sent)[0].again
    stage.wait(lambda: link_ups(stage.heard) == 2)
    live = {channel.wombatid for channel in stage.result(stage.driver.survey()).live}
    assert talking in live
    for call in (talking, ringing):
        stage.driver.hang_up(call, 16)
    stage.wait(lambda: bool(stage.heard.of(HungUp, talking)))


def test_an_answer_of_an_earlier_session_counts(stage: Stage) -> None:
    call = stage.place("55530000", timeout=3)
    stage.wait(lambda: bool(stage.heard.of(ChannelCreated, call)))
    stage.cut()
    stage.wait(lambda: link_ups(stage.heard) == 2)
    stage.wait(lambda: bool(stage.heard.of(OriginateFailed, call)))
    assert stage.heard.of(OriginateFailed, call)[0].reason == 3


def test_nothing_is_told_from_inside_a_method(stage: Stage) -> None:
    inside: list[Any] = []
    before = len(stage.heard)
    call = stage.place("55540000")
    inside += stage.heard[before:]
    assert inside == []
    stage.wait(lambda: bool(stage.heard.of(HungUp, call)))


def test_all_that_is_said_is_overheard_over_reconnections_too(stage: Stage) -> None:
    said: dict[bool, bytes] = {True: b"", False: b""}

    def ear(ours: bool, data: bytes) -> None:
        said[ours] += data

    stage.driver.overhear(ear)
    call = stage.place("55510099")
    stage.wait(lambda: bool(stage.heard.of(Answered, call)))
    assert b"Action: Originate\r\n" in said[True]
    assert channel_id(call).encode() in said[False]
    stage.cut()
    stage.wait(lambda: link_ups(stage.heard) == 2)
    assert b"Action: Login\r\n" in said[True]
    stage.driver.overhear(None)
    so_far = len(said[True])
    stage.driver.hang_up(call, 16)
    stage.wait(lambda: bool(stage.heard.of(HungUp, call)))
    assert len(said[True]) == so_far
