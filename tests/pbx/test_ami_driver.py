"""The driver's own promises: order, no re-entrance, what counts as gone, notes, refusals."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.pbx.stage import FakeStage, Heard
from wombat_ari.model.calls import OriginateRequest
from wombat_ari.model.errors import PbxError
from wombat_ari.model.events import (
    Accepted,
    Answered,
    FoundGone,
    FoundLive,
    HungUp,
    LinkUp,
    NotSent,
    Sent,
    StatusSet,
)
from wombat_ari.model.ids import channel_id
from wombat_ari.pbx.ami import AMIConnectionLost


@pytest.fixture
def stage() -> Iterator[FakeStage]:
    made = FakeStage()
    made.connected()
    yield made
    made.close()


def session_of(stage: FakeStage) -> Any:
    ami = stage.driver._ami
    assert ami is not None
    return ami


def test_sent_is_told_before_what_came_after_it(stage: FakeStage) -> None:
    call = stage.place("55510000")
    answer = f"Response: Success\r\nActionID: {channel_id(call)}\r\nMessage: Originate successfully queued\r\n\r\n"
    assert not stage.heard.of(Sent)
    session_of(stage).dataReceived(answer.encode())  # before the clock's next turn
    assert stage.heard[-2:] == [Sent(call), Accepted(call)]
    stage.pass_time(0.1)
    assert stage.heard.of(Sent, call) == [Sent(call)]


def test_an_order_given_by_the_listener_is_not_answered_inside_it(stage: FakeStage) -> None:
    inside: list[str] = []
    depth = 0

    def listener(event: Any) -> None:
        nonlocal depth
        depth += 1
        inside.append(f"{type(event).__name__} {depth}")
        if isinstance(event, Answered) and event.call != 5:
            driver.hang_up(event.call, 16)
            driver.ask_alive(event.call)
            driver.originate(OriginateRequest(5, "Local/55510000@n/n", "simulated-endpoints", "101", 1000))
        depth -= 1

    driver, _ = stage.new_driver()
    stage.wait(lambda: driver.connected)
    driver._listener = listener
    stage.place("55510000")
    stage.wait(lambda: "HungUp 1" in inside and "Sent 1" in inside)
    assert all(line.endswith(" 1") for line in inside)


def test_a_listener_that_fails_hears_the_next_event(stage: FakeStage, caplog: pytest.LogCaptureFixture) -> None:
    heard = Heard()

    def listener(event: Any) -> None:
        heard.append(event)
        if isinstance(event, (Sent, StatusSet)):
            raise RuntimeError("listener")

    stage.driver._listener = listener
    with caplog.at_level(logging.ERROR):
        call = stage.place("55510005", extension="103")
        stage.wait(lambda: bool(heard.of(HungUp, call)))
    assert heard.kinds(call)[:2] == ["Sent", "Accepted"]
    assert heard.of(StatusSet, call)
    assert "RuntimeError: listener" in caplog.text


def test_a_call_that_lives_has_no_note(stage: FakeStage) -> None:
    """The other half's hang-up handler may have left one already, or the channel was optimised away."""
    call = stage.place("55510000")
    stage.wait(lambda: bool(stage.heard.of(Answered, call)))
    stage.pbx.notes[channel_id(call)] = "16|ANSWER|1|5|1000000"
    survey = stage.result(stage.driver.survey())
    assert [channel.wombatid for channel in survey.live] == [call]
    assert survey.traces == {}
    stage.driver.ask_alive(call)
    stage.wait(lambda: bool(stage.heard.of(FoundLive, call)))


@pytest.mark.parametrize("action", ["Hangup", "Status"])
def test_a_refusal_for_another_reason_is_not_gone(
    stage: FakeStage, caplog: pytest.LogCaptureFixture, action: str
) -> None:
    call = stage.place("55510000")
    stage.wait(lambda: bool(stage.heard.of(Answered, call)))
    stage.pbx.commands = tuple(name for name in stage.pbx.commands if name != action)
    if action == "Hangup":
        stage.driver.hang_up(call, 16)
    else:
        stage.driver.ask_alive(call)
    stage.pass_time(1)
    assert not stage.heard.of(FoundGone)
    assert "Invalid/unknown command" in caplog.text


def test_notes_are_deleted_a_few_at_a_time(stage: FakeStage) -> None:
    stage.pbx.answer_delay = 1.0
    stage.pbx.notes.update({channel_id(call): "17||0|0|1" for call in range(1, 36)})
    stage.driver.forget_traces(list(range(1, 40)))
    left = []
    for _ in range(5):
        stage.pass_time(1.1)
        left.append(len(stage.pbx.notes))
    assert left[:3] == [25, 15, 5]
    assert left[-1] == 0


def test_notes_that_were_not_deleted_are_not_sent_again(stage: FakeStage) -> None:
    stage.pbx.mute = True
    stage.driver.forget_traces(list(range(1, 40)))
    stage.pass_time(0.5)
    stage.pbx.cut()
    stage.pbx.mute = False
    stage.wait(lambda: len(stage.heard.of(LinkUp)) == 2)
    stage.pass_time(5)
    assert not [name for name, _ in stage.pbx.actions if name == "DBDel"]
    stage.driver.forget_traces([1])
    stage.pass_time(1)
    assert len([name for name, _ in stage.pbx.actions if name == "DBDel"]) == 1


def test_between_the_drop_and_the_end_nothing_counts_as_sent(stage: FakeStage) -> None:
    session_of(stage).drop(AMIConnectionLost("for the test"))
    call = stage.place("55510000")
    stage.wait(lambda: bool(stage.heard.of(NotSent, call)))
    assert stage.heard.of(NotSent, call)[0].again
    assert not stage.heard.of(Sent, call)


def test_an_asterisk_without_dbgettree_is_asked_by_its_cli(stage: FakeStage) -> None:
    stage.pbx.commands = tuple(name for name in stage.pbx.commands if name != "DBGetTree")
    driver, _ = stage.new_driver()
    stage.wait(lambda: driver.connected)
    assert stage.result(driver.survey()).traces == {}
    asked = [headers["command"] for name, headers in stage.pbx.actions if name == "Command"]
    assert asked == ["database show wombat-gone"]


def test_without_a_link(stage: FakeStage) -> None:
    stage.result(stage.driver.stop())
    before = len(stage.pbx.actions)
    stage.driver.hang_up(1, 16)
    stage.driver.limit_life(1, 5)
    stage.driver.ask_alive(1)
    stage.driver.forget_traces([1])
    call = stage.place("55510000")
    with pytest.raises(PbxError, match="no link to the PBX: stopped"):
        stage.result(stage.driver.survey())
    stage.pass_time(1)
    assert [event for event in stage.heard if not hasattr(event, "server")] == [
        NotSent(call, "no link to the PBX: stopped", again=True)
    ]
    assert len(stage.pbx.actions) == before


def test_a_survey_without_an_answer_fails(stage: FakeStage) -> None:
    stage.pbx.answer_delay = 100
    survey = stage.driver.survey()
    stage.place("55510000")
    with pytest.raises(PbxError):
        stage.result(survey)


def test_events_keep_their_place_around_a_survey(stage: FakeStage) -> None:
    """Told in the order of the bytes: the hang-up that came before the list was complete is told before it."""
    order: list[str] = []
    call = stage.place("55510005")
    stage.wait(lambda: bool(stage.heard.of(Answered, call)))
    stage.driver._listener = lambda event: order.append(type(event).__name__)
    stage.pbx.answer_delay = 1
    stage.driver.survey().addCallback(lambda survey: order.append("Survey"))
    stage.pass_time(4)
    assert order == ["HungUp", "Survey"]
