"""Reverse and preview dialling: the agent's phone first. The sequences are those that a real Asterisk sent."""

from typing import Any

import pytest

from tests.core.story import (
    ANSWERED,
    CREATED,
    HANG_UP,
    LINK_BROKE,
    PBX_STOPPED,
    RECORDED,
    SCHEDULED,
    SENT,
    START,
    SUCCEEDED,
    TIME_UP,
    WOMBATID,
    Story,
    callee_end,
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


def told(status: str, cause: int, talk_ms: int = 0) -> ev.CalleeEnded:
    return ev.CalleeEnded(WOMBATID, status, cause, talk_ms)


def test_the_states_it_goes_through() -> None:
    story = Story(sent=False, agent="PJSIP/a1").at(0, SCHEDULED)
    states = [story.call.state]
    for event in (RECORDED, SENT, CREATED, ANSWERED, LEG, callee_end("ANSWER")):
        states.append(story.at(0, event).call.state)
    wanted = [S.RD_SCHEDULED, S.RD_SCHEDULED, S.RD_AGENTREQ, S.RD_AGENTREQ, S.RD_REQUESTED, S.RD_REQUESTED, S.CONNECTED]
    assert states == wanted
    assert story.done.count("Record") == story.done.count("Place") == 1


def test_answered_the_waits_and_the_talk_are_the_callees() -> None:
    story = agent_there().at(2100, LEG).at(5000, callee_end("ANSWER")).at(15000, hung_up(16))
    assert (story.call.outcome, story.call.waits_ms()) == (Out.TERMINATED, (100, 2900, 10000))
    assert story.done.count("FreeLine") == story.done.count("Settle") == 1


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([callee_end("BUSY"), told("BUSY", 17), leg_hung_up(17), hung_up(17)], Out.RS_BUSY),
        ([callee_end("NOANSWER"), leg_hung_up(1), told("CHANUNAVAIL", 1), hung_up(1)], Out.RS_NUMBER),
        ([callee_end("NOANSWER"), leg_hung_up(0), told("NOANSWER", 16), hung_up(16)], Out.RS_NOANSWER),
        ([callee_end("CONGESTION"), told("CONGESTION", 34), hung_up(34), leg_hung_up(34)], Out.RS_REJECTED),
        ([callee_end("NOANSWER"), leg_hung_up(21), told("CHANUNAVAIL", 21), hung_up(21)], Out.RS_REJECTED),
        ([leg_hung_up(0), told("CHANUNAVAIL", 16), hung_up(16)], Out.RS_REJECTED),  # not in the trunk's dialplan
        ([callee_end("CANCEL"), leg_hung_up(16), told("CANCEL", 16), hung_up(16)], Out.RS_NOAGENT),  # the agent left
        ([callee_end("CANCEL"), told("CANCEL", 16), hung_up(16), leg_hung_up(16)], Out.RS_NOAGENT),
        ([told("", 0), hung_up(16)], Out.RS_NOAGENT),  # before the callee was dialled
        # A site's own context may tell nothing.
        ([callee_end("BUSY"), leg_hung_up(17), hung_up(17)], Out.RS_BUSY),
        ([callee_end("CANCEL"), hung_up(16)], Out.RS_NOAGENT),
        ([hung_up(16)], Out.RS_NOAGENT),
    ],
)
def test_the_callee_did_not_answer(events: list[ev.CallEvent], outcome: Outcome) -> None:
    story = agent_there().at(2100, LEG).at(6000, *events).pass_until(12_000)
    assert story.call.outcome == outcome
    assert not story.unknown
    assert story.done.count("FreeLine") == story.done.count("Settle") == 1


@pytest.mark.parametrize("cause", [66, 3], ids=["no such technology", "no such PJSIP end point"])
def test_a_callee_without_a_channel(cause: int) -> None:
    """No leg, only the dialplan tells; it may be quicker than the success of the Originate."""
    story = reverse().at(10, CREATED).at(2000, ANSWERED, told("CHANUNAVAIL", cause), SUCCEEDED, hung_up(cause))
    assert story.call.outcome == Out.RS_NUMBER
    assert not story.unknown


@pytest.mark.parametrize(
    ("news", "outcome"),
    [
        ([LEG, callee_end("BUSY"), told("BUSY", 17), hung_up(17)], Out.RS_BUSY),
        ([told("CHANUNAVAIL", 66), hung_up(66)], Out.RS_NUMBER),
        ([LEG, callee_end("ANSWER"), told("ANSWER", 16, 500), hung_up(16)], Out.TERMINATED),
    ],
)
def test_the_agents_answer_is_told_last_or_never(news: list[ev.CallEvent], outcome: Outcome) -> None:
    """The context runs on the agent's channel only: what it does says that the agent is there."""
    story = reverse().at(10, CREATED).at(2000, *news, SUCCEEDED).pass_until(9000)
    assert story.call.outcome == outcome
    assert not story.unknown


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
    story = reverse().at(10, CREATED).at(900, leg_end("ANSWER"))
    assert story.call.state == S.RD_AGENTREQ
    story.at(901, ANSWERED, leg_end("ANSWER"))
    assert story.call.state == S.RD_REQUESTED
    assert not story.unknown


def test_a_channel_behind_the_callees_is_not_the_callee() -> None:
    """A trunk's context tries one carrier after the other."""
    story = agent_there().at(2100, LEG).at(2200, leg_end("CHANUNAVAIL"), leg_hung_up(38), leg_end("ANSWER"))
    assert story.call.state == S.RD_REQUESTED
    assert story.at(2300, callee_end("ANSWER")).call.state == S.CONNECTED


def test_hung_up_by_request() -> None:
    assert agent_there().at(3000, HANG_UP).at(3010, hung_up(16)).pass_until(9000).call.outcome == Out.RS_REJECTED
    ringing = reverse().at(10, CREATED).at(500, HANG_UP).at(510, failed(0), hung_up(16)).pass_until(9000)
    assert ringing.call.outcome == Out.RS_REJECTED


def test_forced_closure_counts_from_the_callees_answer() -> None:
    story = reverse(closure_s=20).at(10, CREATED).at(2000, SUCCEEDED).at(3000, LEG).at(4000, callee_end("ANSWER"))
    assert "HangUp" not in story.pass_until(23_999).done
    assert story.pass_until(24_000).done[-1] == "HangUp"
    assert story.at(24_100, hung_up(16)).call.outcome == Out.RS_TIMEOUT


def test_the_dialplan_knows_best_how_long_they_talked() -> None:
    """It is quicker than the events, which may wait in a busy PBX."""
    story = agent_there().at(2100, LEG).at(5200, callee_end("ANSWER")).at(9000, told("ANSWER", 16, 4000), hung_up(16))
    assert (story.call.outcome, story.call.waits_ms()) == (Out.TERMINATED, (100, 2900, 4000))
    lying = agent_there().at(2100, LEG).at(5200, callee_end("ANSWER")).at(9000, told("ANSWER", 16, 99_000), hung_up(16))
    assert lying.call.waits_ms() == (100, 0, 6900), "but nobody answers before they are dialled"


def test_callee_ended_means_nothing_in_a_direct_call() -> None:
    story = Story().at(10, CREATED).at(500, SUCCEEDED).at(3000, told("ANSWER", 16, 99))
    assert story.call.state == S.CONNECTED
    assert story.at(4000, hung_up(16)).call.waits_ms() == (10, 490, 3500)


class TestTheLinkWasDown:
    def test_while_they_talked(self) -> None:
        story = agent_there().at(2100, LEG, LINK_BROKE).at(20_000, live(up=True, bridged=True))
        assert story.call.state == S.CONNECTED
        story.at(30_000, told("ANSWER", 16, 25_000), hung_up(16))
        assert (story.call.outcome, story.call.waits_ms()) == (Out.TERMINATED, (100, 2900, 25_000))

    def test_from_the_agents_ringing_until_they_talked(self) -> None:
        story = reverse().at(10, CREATED).at(20, LINK_BROKE).at(9000, live(up=True, bridged=True))
        story.at(12_000, told("ANSWER", 16, 5000), hung_up(16))
        assert (story.call.outcome, story.call.waits_ms()) == (Out.TERMINATED, (0, 7000, 5000))

    def test_while_the_callee_rang(self) -> None:
        story = agent_there().at(2100, LEG, LINK_BROKE).at(20_000, live(up=True))
        assert (story.call.state, story.call.unseen) == (S.RD_REQUESTED, False)
        assert story.at(21_000, callee_end("ANSWER")).call.state == S.CONNECTED

    @pytest.mark.parametrize(
        ("bridged", "state"), [(False, S.RD_REQUESTED), (True, S.CONNECTED)], ids=["the callee rings", "they talk"]
    )
    def test_while_the_agent_answered(self, bridged: bool, state: S) -> None:
        story = reverse().at(10, CREATED, LINK_BROKE).at(9000, live(up=True, bridged=bridged))
        assert story.call.state == state

    @pytest.mark.parametrize(
        ("note", "outcome"),
        [
            ({"answered": True, "cause": 16, "dial_status": "ANSWER", "talk_ms": 7000}, Out.TERMINATED),
            ({"answered": False, "cause": 17, "dial_status": "BUSY"}, Out.RS_BUSY),
            ({"answered": False, "cause": 1, "dial_status": "CHANUNAVAIL"}, Out.RS_NUMBER),
            ({"answered": False, "cause": 16, "dial_status": "NOANSWER"}, Out.RS_NOANSWER),
            ({"answered": False, "cause": 16, "dial_status": "CANCEL"}, Out.RS_NOAGENT),
            ({"answered": False, "cause": 17, "dial_status": ""}, Out.RS_NOAGENT),
        ],
    )
    @pytest.mark.parametrize("agent_seen", [True, False])
    def test_until_it_had_ended(self, note: dict[str, Any], outcome: Outcome, agent_seen: bool) -> None:
        story = agent_there().at(2100, LEG) if agent_seen else reverse().at(10, CREATED)
        story.at(2200, LINK_BROKE).at(20_000, trace(ended_ms=12_000, **note))
        assert (story.call.outcome, story.call.waits_ms()[2]) == (outcome, note.get("talk_ms", 0))
        assert story.done.count("FreeLine") == story.done.count("Settle") == 1

    def test_a_new_dialer_takes_up_a_call_whose_callee_rings(self) -> None:
        story = Story(sent=False)
        story.call.take_up(S.RD_REQUESTED, (START, START + 1, None))
        story.call.assign("PJSIP/a1", "Ann")
        story.at(9000, live(up=True)).at(10_000, callee_end("BUSY"), leg_hung_up(17), hung_up(17))
        assert (story.call.outcome, story.ended_ms) == (Out.RS_BUSY, 10_000), "nothing more is waited for"


class TestThePbxGoesDown:
    """It ends the callee's leg, then the agent's, with cause 0, and says so a moment later."""

    def ended(self) -> Story:
        story = agent_there().at(2100, LEG)
        return story.at(4000, callee_end("NOANSWER"), leg_hung_up(0), told("CHANUNAVAIL", 0), hung_up(0))

    def test_the_call_is_lost(self) -> None:
        assert self.ended().at(4500, PBX_STOPPED).call.outcome == Out.RS_LOST

    def test_it_did_not(self) -> None:
        assert self.ended().pass_until(6000).call.outcome == Out.RS_REJECTED

    def test_while_they_talk(self) -> None:
        story = agent_there().at(2100, LEG, callee_end("ANSWER"))
        story.at(4000, told("ANSWER", 0, 1900), hung_up(0)).at(4500, PBX_STOPPED)
        assert story.call.outcome == Out.RS_LOST


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
