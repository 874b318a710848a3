"""Calls that were answered: how they are connected, limited, hung up, and what the dialplan says about them."""

from itertools import permutations

import pytest

from tests.core.story import (
    ACCEPTED,
    ANSWERED,
    CREATED,
    END_POINT,
    GONE,
    HANG_UP,
    SUCCEEDED,
    WOMBATID,
    Story,
    dial_end,
    failed,
    hung_up,
    leg_end,
    leg_hung_up,
    live,
    status,
)
from wombat_ari.model import effects as do
from wombat_ari.model import events as ev
from wombat_ari.model.states import CallState, Outcome


def connected(**limits: float) -> Story:
    """A call answered 200 ms after its Originate, its channel seen after 10."""
    return Story(**limits).at(2, ACCEPTED).at(10, CREATED).at(200, SUCCEEDED, ANSWERED, dial_end("ANSWER"), END_POINT)


# As recorded: the callee or the end point hangs up, over a Local channel or straight, on 22 and 16.
@pytest.mark.parametrize(
    ("cause", "legs"),
    [(16, [leg_hung_up(16)]), (16, []), (0, []), (26, [])],
    ids=["through a trunk's leg", "straight", "straight on 22: the far BYE gives cause 0", "picked up elsewhere"],
)
@pytest.mark.parametrize("order", list(permutations([ANSWERED, SUCCEEDED, dial_end("ANSWER")])), ids=str)
def test_answered(order: list[ev.CallEvent], cause: int, legs: list[ev.CallEvent]) -> None:
    story = Story().at(2, ACCEPTED).at(10, CREATED, leg_end("ANSWER"))
    for step, event in enumerate(order):
        story.at(200 + step, event)
    assert story.call.state == CallState.CONNECTED
    first = min(order.index(ANSWERED), order.index(SUCCEEDED))
    story.at(300, END_POINT).at(5200, *legs, hung_up(cause)).pass_until(7200)
    assert story.call.outcome == Outcome.TERMINATED
    assert story.call.waits_ms() == (10, 190 + first, 5000 - first)
    assert story.call.evidence.dial_status == "ANSWER", "kept for the log"
    assert story.done == ["Save", "Save", "FreeLine", "Settle"]
    assert not story.unknown


def test_success_before_the_channel_was_seen() -> None:
    story = Story().at(100, SUCCEEDED).at(101, CREATED, ANSWERED).at(1100, hung_up(16))
    assert story.call.outcome == Outcome.TERMINATED
    assert story.call.waits_ms() == (100, 0, 1000)
    assert story.call.channel == CREATED.channel


def test_a_hang_up_with_cause_16_settles_at_once_and_with_cause_0_waits_for_a_shutdown() -> None:
    assert connected().at(1000, hung_up(16)).ended_ms == 1000
    waiting = connected().at(1000, hung_up(0))
    assert waiting.done == ["Save", "Save", "FreeLine"], "the line is free, only the outcome waits"
    assert waiting.pass_until(2999).ended is False
    assert waiting.pass_until(3000).call.outcome == Outcome.TERMINATED
    assert waiting.call.waits_ms() == (10, 190, 800), "the wait is not talk time"


class TestShortCalls:
    """The hang-up may overtake the success of the Originate."""

    def test_answered_though_the_success_came_after_the_hang_up(self) -> None:
        story = Story().at(10, CREATED).at(200, END_POINT, hung_up(16)).at(210, SUCCEEDED)
        assert (story.call.outcome, story.ended_ms) == (Outcome.TERMINATED, 210)
        assert story.call.waits_ms() == (10, 190, 0)

    def test_and_dropped_by_an_overloaded_pbx(self) -> None:
        story = Story().at(10, CREATED).at(200, hung_up(0)).at(210, SUCCEEDED)
        assert story.call.outcome == Outcome.RS_ERROR

    def test_a_failure_stands_whatever_comes_after_it(self) -> None:
        story = Story().at(10, CREATED).at(200, failed(3)).at(201, SUCCEEDED, ANSWERED).at(202, hung_up(19))
        assert story.call.outcome == Outcome.RS_NOANSWER
        waiting = Story().at(10, CREATED).at(200, failed(0), hung_up(0)).at(201, SUCCEEDED).pass_until(9000)
        assert waiting.call.outcome == Outcome.RS_REJECTED


class TestOverload:
    """PBX over maxcalls or maxload: answered, Success, and hung up within 5 ms with cause 0, no user event."""

    def test_dropped_within_50_ms_is_an_error_at_once(self) -> None:
        story = Story().at(10, CREATED).at(200, SUCCEEDED).at(250, hung_up(0))
        assert (story.call.outcome, story.ended_ms) == (Outcome.RS_ERROR, 250)
        assert story.call.evidence.overload

    @pytest.mark.parametrize(
        ("ms", "cause", "signs"),
        [(251, 0, []), (250, 16, []), (250, 0, [END_POINT]), (250, 0, [status("1")])],
        ids=["later", "another cause", "the end point ran", "the end point spoke"],
    )
    def test_anything_else_is_a_call(self, ms: int, cause: int, signs: list[ev.CallEvent]) -> None:
        story = Story().at(10, CREATED).at(200, SUCCEEDED, *signs).at(ms, hung_up(cause)).pass_until(5000)
        assert story.call.outcome == Outcome.TERMINATED

    def test_an_agent_is_a_sign(self) -> None:
        story = Story().at(10, CREATED).at(200, SUCCEEDED, ev.AgentConnected(WOMBATID, "SIP/9")).at(210, hung_up(0))
        assert story.pass_until(9000).call.outcome == Outcome.TERMINATED


class TestForcedClosure:
    def test_the_pbx_is_told_the_limit_and_we_hang_up_first(self) -> None:
        story = connected(closure_s=60)
        assert do.LimitLife(70) in story.effects
        assert "HangUp" not in story.pass_until(60_199).done
        assert story.pass_until(60_200).effects[-1] == do.HangUp(16)
        story.at(60_240, hung_up(16))
        assert story.call.outcome == Outcome.RS_TIMEOUT
        assert story.call.waits_ms() == (10, 190, 60_040)

    def test_a_channel_that_stays_is_asked_for_and_hung_up_again_every_five_seconds(self) -> None:
        """A FastAGI server that stalls holds a hung up channel for as long as it likes."""
        story = connected(closure_s=60).pass_until(65_200)
        assert story.done[-2:] == ["HangUp", "AskAlive"]
        story.at(65_210, live(up=True))
        assert story.done[-1] == "HangUp"
        count = len(story.effects)
        assert len(story.pass_until(70_209).effects) == count, "no hurry meanwhile"
        assert story.at(70_211, GONE).call.outcome == Outcome.RS_TIMEOUT

    def test_the_callee_who_hangs_up_first_has_terminated(self) -> None:
        assert connected(closure_s=60).at(60_199, hung_up(16)).call.outcome == Outcome.TERMINATED

    def test_a_call_without_a_limit_has_no_deadline(self) -> None:
        story = connected()
        assert story.call.deadline is None
        assert story.pass_until(3_600_000).done == ["Save", "Save"]

    def test_a_time_up_that_is_late_closes_nothing(self) -> None:
        """The deadline of dialling fires in the same moment as the answer."""
        story = connected().at(300, ev.TimeUp(WOMBATID))
        assert story.done == ["Save", "Save"]
        assert connected(closure_s=60).at(300, ev.TimeUp(WOMBATID)).done[-1] == "LimitLife"


class TestHangUpAsked:
    def test_answered_is_terminated(self) -> None:
        story = connected().at(5000, HANG_UP)
        assert story.effects[-1] == do.HangUp(16)
        assert story.at(5020, hung_up(16)).call.outcome == Outcome.TERMINATED

    def test_ringing_is_rejected_whatever_cause_it_gets(self) -> None:
        for cause in (0, 16, 17):
            story = Story().at(10, CREATED).at(500, HANG_UP).at(510, dial_end("NOANSWER"), failed(0), hung_up(cause))
            assert (story.call.outcome, story.ended_ms) == (Outcome.RS_REJECTED, 510)

    def test_before_the_channel_is_there_it_waits_for_the_channel(self) -> None:
        """Asterisk would say "No such channel", and make the call a moment later."""
        story = Story().at(2, ACCEPTED).at(3, HANG_UP)
        assert story.done == []
        assert story.at(10, CREATED).done == ["Save", "HangUp"]
        assert story.at(20, failed(0), hung_up(16)).call.outcome == Outcome.RS_REJECTED

    def test_before_the_channel_is_there_and_answered_first(self) -> None:
        story = Story().at(3, HANG_UP).at(10, SUCCEEDED)
        assert story.done == ["Save", "HangUp"]

    def test_an_answer_that_crosses_the_hang_up_is_still_watched(self) -> None:
        story = Story().at(10, CREATED).at(100, HANG_UP).at(101, ANSWERED)
        assert story.done.count("HangUp") == 1
        assert story.pass_until(5101).done[-1] == "AskAlive"
        assert story.at(5110, live(up=True)).done[-1] == "HangUp"
        assert story.at(5120, hung_up(16)).call.outcome == Outcome.TERMINATED

    def test_gone_is_what_was_asked_for(self) -> None:
        assert connected().at(900, HANG_UP).at(905, GONE).call.outcome == Outcome.TERMINATED
        assert Story().at(10, CREATED).at(900, HANG_UP).at(905, GONE).call.outcome == Outcome.RS_REJECTED


class TestFromTheDialplan:
    def test_the_last_status_wins(self) -> None:
        assert connected().at(300, status("SALE"), status("7")).call.extended_status == "7"

    def test_a_status_may_come_before_the_answer_is_known_and_after_the_end(self) -> None:
        """Over 200 calls the success came after the end point's first user event in every fourth."""
        story = Story().at(10, CREATED).at(190, status("1")).at(200, SUCCEEDED).at(900, hung_up(16))
        assert (story.call.outcome, story.call.extended_status) == (Outcome.TERMINATED, "1")
        story.at(950, status("2"), ev.AttributeSet(WOMBATID, "NOTE", "late"))
        assert (story.call.extended_status, story.call.output_attributes) == ("2", {"NOTE": "late"})
        assert story.done.count("Settle") == 1

    def test_attributes_are_set_appended_and_cleared(self) -> None:
        story = connected()
        story.at(300, ev.AttributeSet(WOMBATID, "A", "1"), ev.AttributeSet(WOMBATID, "A", "2"))
        story.at(310, ev.AttributeAppended(WOMBATID, "A", ",3"), ev.AttributeAppended(WOMBATID, "B", "x"))
        story.at(320, ev.AttributeSet(WOMBATID, "C", "9"), ev.AttributeCleared(WOMBATID, "C"))
        assert story.call.output_attributes == {"A": "2,3", "B": "x", "C": ""}

    def test_appending_continues_what_an_earlier_try_left_on_the_record(self) -> None:
        from tests.core.story import claim
        from wombat_ari.core.call import Call, Limits

        call = Call(claim(2, output_attributes={"LOG": "first"}), Limits())
        for event in (ev.Scheduled(WOMBATID), ev.Sent(WOMBATID), ev.AttributeAppended(WOMBATID, "LOG", ";second")):
            call.handle(event, 1.0)
        assert call.output_attributes == {"LOG": "first;second"}

    def test_the_agent_is_named(self) -> None:
        assert connected().at(300, ev.AgentConnected(WOMBATID, "Agent/101")).call.agent == "Agent/101"

    def test_legs_after_the_answer_are_agents_and_say_nothing_about_the_network(self) -> None:
        story = connected().at(400, leg_end("BUSY"), leg_hung_up(17, "486")).at(900, hung_up(16))
        assert (story.call.evidence.leg_cause, story.call.evidence.sip_code) == (None, "")


class TestDisorderFoundByChance:
    """Orders that no Asterisk was seen to send; a call must not end before it began, whatever comes."""

    def test_a_channel_first_seen_after_its_hang_up(self) -> None:
        story = Story().at(100, hung_up(0)).at(110, CREATED).pass_until(9000)
        assert story.call.waits_ms() == (110, 0, 0)
        assert story.call.ended_at == story.call.dialling_at

    def test_and_answered_after_that(self) -> None:
        story = Story().at(100, hung_up(16)).at(110, CREATED).at(120, ANSWERED)
        assert (story.call.outcome, story.call.waits_ms()) == (Outcome.TERMINATED, (110, 0, 0))

    def test_a_channel_seen_after_the_failure_that_nobody_hung_up(self) -> None:
        story = Story().at(4, failed(0)).at(6, CREATED).pass_until(1004).at(1010, GONE)
        assert (story.call.outcome, story.call.waits_ms()) == (Outcome.RS_REJECTED, (6, 0, 0))
