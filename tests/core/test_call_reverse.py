"""Reverse and preview dialling: the agent's phone first. The sequences are those that a real Asterisk sent."""

import pytest

from tests.core.story import (
    ANSWERED,
    CREATED,
    HANG_UP,
    LINK_BROKE,
    RECORDED,
    SCHEDULED,
    SENT,
    SUCCEEDED,
    TIME_UP,
    WOMBATID,
    Story,
    dial_end,
    failed,
    hung_up,
    leg_end,
    leg_hung_up,
    live,
    trace,
)
from wombat_ari.model import events as ev
from wombat_ari.model.states import CallState, Outcome

S, Out = CallState, Outcome
LEG = ev.LegDialled(WOMBATID, "PJSIP/carrier-00000002")


def reverse(**options: float) -> Story:
    return Story(agent="PJSIP/a1", **options)  # type: ignore[arg-type]


def agent_there() -> Story:
    """The agent took the phone 2 s after it rang."""
    return reverse().at(10, CREATED).at(2000, ANSWERED, dial_end("ANSWER"), SUCCEEDED)


def callee_ended(status: str, cause: int, talk_ms: int = 0) -> ev.CalleeEnded:
    return ev.CalleeEnded(WOMBATID, status, cause, talk_ms)


def test_the_states_it_goes_through() -> None:
    story = Story(sent=False, agent="PJSIP/a1").at(0, SCHEDULED)
    states = [story.call.state]
    for event in (RECORDED, SENT, CREATED, ANSWERED, LEG, leg_end("ANSWER")):
        states.append(story.at(0, event).call.state)
    wanted = [S.RD_SCHEDULED, S.RD_SCHEDULED, S.RD_AGENTREQ, S.RD_AGENTREQ, S.RD_REQUESTED, S.RD_REQUESTED, S.CONNECTED]
    assert states == wanted
    assert story.done.count("Record") == story.done.count("Place") == 1


def test_answered_the_waits_and_the_talk_are_the_callees() -> None:
    story = agent_there().at(2100, LEG).at(5000, leg_end("ANSWER")).at(15000, hung_up(16))
    assert (story.call.outcome, story.call.waits_ms()) == (Out.TERMINATED, (100, 2900, 10000))
    assert story.done.count("FreeLine") == story.done.count("Settle") == 1


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([leg_end("BUSY"), callee_ended("BUSY", 17), leg_hung_up(17), hung_up(17)], Out.RS_BUSY),
        ([leg_end("NOANSWER"), leg_hung_up(1), callee_ended("CHANUNAVAIL", 1), hung_up(1)], Out.RS_NUMBER),
        ([leg_end("NOANSWER"), leg_hung_up(0), callee_ended("NOANSWER", 0), hung_up(16)], Out.RS_NOANSWER),
        ([leg_end("CONGESTION"), leg_hung_up(34), hung_up(34)], Out.RS_REJECTED),
        ([leg_end("CANCEL"), leg_hung_up(16), hung_up(16)], Out.RS_NOAGENT),  # the agent left
        ([leg_end("CANCEL"), hung_up(16), leg_hung_up(16)], Out.RS_NOAGENT),
        ([hung_up(16)], Out.RS_NOAGENT),  # before the callee was dialled
    ],
)
def test_the_callee_did_not_answer(events: list[ev.CallEvent], outcome: Outcome) -> None:
    story = agent_there().at(2100, LEG).at(6000, *events).pass_until(12_000)
    assert story.call.outcome == outcome
    assert not story.unknown
    assert story.done.count("FreeLine") == story.done.count("Settle") == 1


def test_a_callee_without_a_channel() -> None:
    """The trunk's technology is missing: no leg, only the dialplan tells."""
    story = agent_there().at(2050, callee_ended("CHANUNAVAIL", 0), hung_up(0)).pass_until(9000)
    assert story.call.outcome == Out.RS_REJECTED


@pytest.mark.parametrize(
    "events",
    [
        [failed(3), hung_up(19)],  # did not answer
        [hung_up(17), failed(0)],  # busy, or rejected the call
        [failed(0)],  # unknown interface: no channel at all
    ],
)
def test_the_agent_does_not_come(events: list[ev.CallEvent]) -> None:
    story = reverse().at(5000, *events).pass_until(16_000)
    assert story.call.outcome == Out.RS_NOAGENT


def test_the_agents_own_phone_behind_a_local_channel_is_not_the_callee() -> None:
    story = reverse().at(10, CREATED).at(900, leg_end("ANSWER"), leg_hung_up(17))
    assert story.call.state == S.RD_AGENTREQ
    assert not story.unknown


def test_hung_up_by_request() -> None:
    assert agent_there().at(3000, HANG_UP).at(3010, hung_up(16)).pass_until(9000).call.outcome == Out.RS_REJECTED
    ringing = reverse().at(10, CREATED).at(500, HANG_UP).at(510, failed(0), hung_up(16)).pass_until(9000)
    assert ringing.call.outcome == Out.RS_REJECTED


def test_forced_closure_counts_from_the_callees_answer() -> None:
    story = reverse(closure_s=20).at(10, CREATED).at(2000, SUCCEEDED).at(3000, LEG).at(4000, leg_end("ANSWER"))
    assert "HangUp" not in story.pass_until(23_999).done
    assert story.pass_until(24_000).done[-1] == "HangUp"
    assert story.at(24_100, hung_up(16)).call.outcome == Out.RS_TIMEOUT


def test_the_link_was_down_while_they_talked() -> None:
    story = agent_there().at(2100, LEG, LINK_BROKE).at(20_000, live(up=True))
    assert story.call.state == S.RD_REQUESTED
    story.at(30_000, callee_ended("ANSWER", 16, 25_000), hung_up(16)).pass_until(40_000)
    assert (story.call.outcome, story.call.waits_ms()[2]) == (Out.TERMINATED, 25_000)


def test_it_ended_while_the_link_was_down() -> None:
    note = trace(answered=True, cause=16, ended_ms=12_000, talk_ms=7000)
    story = agent_there().at(2100, LEG, LINK_BROKE).at(20_000, note)
    assert (story.call.outcome, story.call.waits_ms()[2]) == (Out.TERMINATED, 7000)


class TestPreview:
    def test_reserved_then_dialled(self) -> None:
        story = Story(sent=False, agent="PJSIP/a1").at(0, ev.Reserved(WOMBATID)).at(60_000, ev.DialAsked(WOMBATID))
        assert (story.call.state, story.done, story.call.holds_line) == (S.RD_SCHEDULED, ["Record"], True)
        assert story.call.deadline is None

    def test_skipped(self) -> None:
        story = Story(sent=False).at(0, ev.Reserved(WOMBATID)).at(9, ev.Skipped(WOMBATID, "NOT_NOW"))
        assert (story.call.outcome, story.call.extended_status) == (Out.RS_AGENTSKIP, "NOT_NOW")
        assert story.done == ["Settle"], "it held no line"

    def test_undecided_for_ten_minutes_it_returns_to_the_pool(self) -> None:
        story = Story(sent=False).at(0, ev.Reserved(WOMBATID)).pass_until(599_999)
        assert story.call.state == S.RD_RESERVED
        assert story.pass_until(600_000).done == ["ReturnToHopper"]
        assert (story.call.state, story.call.deadline) == (S.IN_HOPPER, None)

    def test_a_late_time_up_after_the_agent_decided_changes_nothing(self) -> None:
        story = Story(sent=False, agent="x").at(0, ev.Reserved(WOMBATID), ev.DialAsked(WOMBATID)).at(1, TIME_UP)
        assert story.call.state == S.RD_SCHEDULED
