"""Calls whose PBX goes out of sight: before they are written, while they live, when the PBX or the dialer restarts."""

import pytest

from tests.core.story import (
    ACCEPTED,
    ANSWERED,
    CREATED,
    END_POINT,
    GONE,
    HANG_UP,
    LINK_BROKE,
    PBX_STOPPED,
    RECORDED,
    RELEASED,
    SCHEDULED,
    SENT,
    START,
    SUCCEEDED,
    WOMBATID,
    Story,
    dial_end,
    failed,
    hung_up,
    leg_end,
    leg_hung_up,
    live,
    new_call,
    trace,
)
from wombat_ari.model import effects as do
from wombat_ari.model import events as ev
from wombat_ari.model.states import CallState, Outcome


def dialling(**limits: float) -> Story:
    return Story(**limits).at(2, ACCEPTED).at(10, CREATED)


def connected(**limits: float) -> Story:
    return dialling(**limits).at(200, SUCCEEDED, ANSWERED, END_POINT)


class TestBeforeItIsWritten:
    def scheduled(self) -> Story:
        return Story(sent=False).at(0, SCHEDULED)

    def test_it_is_made_durable_then_placed(self) -> None:
        story = self.scheduled()
        assert story.effects == [do.Record()]
        assert story.call.holds_line
        assert story.at(5, RECORDED).effects == [do.Record(), do.Place()]
        assert story.at(9, SENT).call.state == CallState.REQUESTED
        assert story.call.requested_at == START + 0.009

    @pytest.mark.parametrize("event", [RELEASED, LINK_BROKE, PBX_STOPPED, ev.NotSent(WOMBATID, "down", again=True)])
    def test_it_goes_back_to_the_hopper_and_gives_its_line_back(self, event: ev.CallEvent) -> None:
        story = self.scheduled().at(5, RECORDED).at(6, event)
        assert story.effects == [do.Record(), do.Place(), do.FreeLine(), do.ReturnToHopper()]
        assert (story.call.state, story.call.holds_line, story.call.history) == (CallState.IN_HOPPER, False, ())
        assert story.at(8, SCHEDULED, RECORDED).done[-2:] == ["Record", "Place"], "and is placed in its next turn"

    def test_hung_up_before_it_is_placed_it_ends(self) -> None:
        """Back in the hopper it would be dialled again at once, which nobody asked for."""
        story = self.scheduled().at(5, RECORDED).at(6, HANG_UP)
        assert story.done[-2:] == ["FreeLine", "Settle"]
        assert story.call.outcome == Outcome.RS_REJECTED

    def test_a_commit_of_an_earlier_turn_that_is_told_late_does_not_place_it_twice(self) -> None:
        """A second Originate under the same ChannelId fails, and its failure would be taken for the first one's."""
        story = self.scheduled().at(1, RELEASED).at(2, SCHEDULED)
        story.at(3, RECORDED).at(4, RECORDED)
        assert story.done.count("Place") == 1
        assert not self.scheduled().at(1, RELEASED).at(2, RECORDED).unknown, "in the hopper it is only late"

    def test_what_cannot_be_spelled_is_an_error_that_names_the_thing(self) -> None:
        story = self.scheduled().at(3, ev.NotSent(WOMBATID, "caller id holds a line break"))
        assert (story.call.outcome, story.call.evidence.message) == (Outcome.RS_ERROR, "caller id holds a line break")
        assert story.done == ["Record", "FreeLine", "Settle"]
        assert story.call.waits_ms() == (0, 0, 0)


class TestThePbxGoesDown:
    """Its hang-ups have cause 0 and look like normal ends; Shutdown follows within two seconds."""

    @pytest.mark.parametrize("words", [[], [failed(0)], [dial_end("NOANSWER"), failed(0)]], ids=len)
    def test_ringing_calls_are_lost(self, words: list[ev.CallEvent]) -> None:
        story = dialling().at(5000, *words, hung_up(0)).at(6900, PBX_STOPPED)
        assert (story.call.outcome, story.ended_ms) == (Outcome.RS_LOST, 6900)
        assert story.call.waits_ms() == (10, 4990, 0)

    def test_answered_calls_are_lost(self) -> None:
        story = connected().at(5000, leg_hung_up(17), hung_up(0)).at(6900, PBX_STOPPED)
        assert story.call.outcome == Outcome.RS_LOST
        assert story.call.waits_ms() == (10, 190, 4800)

    def test_also_those_whose_first_trunk_had_refused(self) -> None:
        """The cause of a trunk that was tried before says nothing about the end of a call that was answered."""
        story = dialling().at(100, leg_hung_up(34, "503")).at(200, SUCCEEDED, ANSWERED, END_POINT)
        assert story.at(5000, hung_up(0)).at(6900, PBX_STOPPED).call.outcome == Outcome.RS_LOST

    def test_calls_whose_hang_up_was_not_even_seen_are_lost(self) -> None:
        for story in (Story(), dialling(), connected()):
            assert story.at(6900, PBX_STOPPED).call.outcome == Outcome.RS_LOST
            assert story.done[-2:] == ["FreeLine", "Settle"]

    @pytest.mark.parametrize(
        ("words", "outcome"),
        [
            ([dial_end("BUSY"), failed(5), hung_up(0), leg_end("BUSY")], Outcome.RS_BUSY),
            ([failed(3)], Outcome.RS_NOANSWER),
            ([hung_up(17)], Outcome.RS_BUSY),
            ([leg_hung_up(1), hung_up(0)], Outcome.RS_NUMBER),
        ],
        ids=["busy, leg awaited", "timeout, hang-up awaited", "cause, response awaited", "leg told"],
    )
    def test_what_told_its_reason_before_keeps_it(self, words: list[ev.CallEvent], outcome: Outcome) -> None:
        assert dialling().at(5000, *words).at(5100, PBX_STOPPED).call.outcome == outcome

    def test_our_own_hang_up_keeps_its_reason_too(self) -> None:
        story = connected(closure_s=5).pass_until(5200).at(5210, hung_up(0)).at(5300, PBX_STOPPED)
        assert story.call.outcome == Outcome.RS_TIMEOUT

    def test_a_shutdown_later_than_two_seconds_was_not_the_reason(self) -> None:
        assert connected().at(5000, hung_up(0)).at(7001, PBX_STOPPED).call.outcome == Outcome.TERMINATED


class TestTheLinkBreaks:
    def test_nothing_is_decided_while_it_is_down(self) -> None:
        for story in (Story(), dialling(), connected(), connected(closure_s=9), dialling().at(900, failed(0))):
            story.at(1000, LINK_BROKE)
            assert (story.call.deadline, story.call.unseen) == (None, True)
            assert story.pass_until(9_000_000).ended is False
            assert story.call.holds_line

    def test_found_ringing_it_gets_its_time_again(self) -> None:
        story = dialling().at(1000, LINK_BROKE).at(8000, live(up=False, seconds=8))
        assert (story.call.state, story.call.unseen) == (CallState.DIALLING, False)
        assert story.pass_until(47_999).done == ["Save", "Save"]
        assert story.pass_until(48_000).done[-1] == "AskAlive"

    def test_found_answered_it_counts_from_now(self) -> None:
        """Nobody saw when it was answered: the moment of this finding is the honest one."""
        story = dialling(closure_s=60).at(1000, LINK_BROKE).at(8000, live(up=True))
        assert story.effects[-1] == do.LimitLife(70)
        assert story.at(9000, hung_up(16)).call.waits_ms() == (10, 7990, 1000)

    def test_found_still_connected_it_keeps_its_answer_and_its_limit(self) -> None:
        story = connected(closure_s=60).at(1000, LINK_BROKE).at(30_000, live(up=True))
        assert story.effects[-1] == do.LimitLife(40), "what is left, and the margin"
        assert story.pass_until(60_200).done[-1] == "HangUp"
        assert story.at(60_300, hung_up(16)).call.waits_ms() == (10, 190, 60_100)

    def test_found_after_its_limit_it_is_hung_up(self) -> None:
        story = connected(closure_s=60).at(1000, LINK_BROKE).at(90_000, live(up=True)).pass_until(90_000)
        assert story.done[-1] == "HangUp"
        assert story.at(90_010, hung_up(16)).call.outcome == Outcome.RS_TIMEOUT

    def test_found_though_the_originate_seemed_not_taken(self) -> None:
        story = Story().at(1, LINK_BROKE).at(5000, live(up=False, seconds=4))
        assert story.call.state == CallState.DIALLING
        assert story.call.dialling_at == START + 1
        assert Story().at(1, LINK_BROKE).at(5000, live(up=False, seconds=90)).call.dialling_at == START

    def test_gone_it_was_never_taken(self) -> None:
        """The link broke before the PBX took the action: nobody was called, the trunk is not to blame."""
        story = Story().at(1, LINK_BROKE).at(5000, GONE)
        assert (story.call.outcome, story.call.evidence.never_taken) == (Outcome.RS_ERROR, True)

    @pytest.mark.parametrize("story", [Story().at(2, ACCEPTED), Story().at(2, CREATED), dialling(), connected()])
    def test_gone_it_is_lost(self, story: Story) -> None:
        assert story.at(1000, LINK_BROKE).at(5000, GONE).call.outcome == Outcome.RS_LOST

    def test_gone_but_its_end_was_seen(self) -> None:
        story = dialling().at(900, dial_end("BUSY"), failed(0)).at(1000, LINK_BROKE).at(5000, GONE)
        assert story.call.outcome == Outcome.RS_BUSY

    def test_a_response_of_the_earlier_session_counts(self) -> None:
        story = dialling().at(1000, LINK_BROKE).at(5000, failed(3)).at(5001, hung_up(19))
        assert story.call.outcome == Outcome.RS_NOANSWER

    def test_asked_to_hang_up_while_it_was_down_it_is_hung_up_when_it_is_found(self) -> None:
        for story, up in ((dialling(), False), (connected(), True)):
            story.at(1000, LINK_BROKE).at(1500, HANG_UP)
            assert "HangUp" not in story.done, "there is nobody to tell"
            assert story.call.deadline is None
            assert story.at(5000, live(up=up)).done[-1] == "HangUp"

    def test_found_alive_though_it_had_failed_it_is_ended(self) -> None:
        story = dialling().at(900, failed(0)).at(1000, LINK_BROKE).at(5000, live(up=False))
        assert story.done[-1] == "HangUp"
        assert story.at(5010, hung_up(16)).pass_until(5510).ended

    def test_a_stale_finding_after_its_hang_up_changes_nothing(self) -> None:
        story = dialling().at(900, hung_up(17)).at(910, live(up=False))
        assert story.done == ["Save", "FreeLine"], "there is no line to hang up on any more"


class TestTrace:
    """What the shipped hang-up handler left about a call that ended while nobody listened."""

    def test_answered_meanwhile(self) -> None:
        story = dialling().at(1000, LINK_BROKE)
        story.at(60_000, trace(answered=True, cause=16, ended_ms=40_000, talk_ms=25_000, dial_status="ANSWER"))
        assert story.call.outcome == Outcome.TERMINATED
        assert story.call.waits_ms() == (10, 14_990, 25_000)
        assert story.call.ended_at == START + 40

    def test_not_answered_meanwhile(self) -> None:
        for cause, status, outcome in (
            (17, "BUSY", Outcome.RS_BUSY),
            (0, "NOANSWER", Outcome.RS_NOANSWER),
            (19, "", Outcome.RS_NOANSWER),
            (1, "CHANUNAVAIL", Outcome.RS_NUMBER),
            (0, "", Outcome.RS_REJECTED),
        ):
            story = dialling().at(1000, LINK_BROKE)
            story.at(60_000, trace(answered=False, cause=cause, ended_ms=21_000, dial_status=status))
            assert story.call.outcome == outcome
            assert story.call.waits_ms() == (10, 20_990, 0)

    def test_rang_out_meanwhile(self) -> None:
        """Asterisk 16 tells cause 0 then: how long it rang is told by the moment of its end, a whole second."""
        for seconds, outcome in ((28, Outcome.RS_REJECTED), (29, Outcome.RS_NOANSWER), (45, Outcome.RS_NOANSWER)):
            note = trace(answered=False, cause=0, ended_ms=seconds * 1000)
            assert dialling().at(1000, LINK_BROKE).at(60_000, note).call.outcome == outcome
        busy = trace(answered=False, cause=17, ended_ms=45_000)
        assert dialling().at(1000, LINK_BROKE).at(60_000, busy).call.outcome == Outcome.RS_BUSY

    def test_its_channel_was_never_seen_by_us(self) -> None:
        story = Story().at(1, LINK_BROKE).at(60_000, trace(answered=False, cause=17, ended_ms=9000))
        assert (story.call.outcome, story.call.waits_ms()) == (Outcome.RS_BUSY, (0, 9000, 0))

    @pytest.mark.parametrize("ended_ms", [4000, 4900, 5000, 30_000])
    def test_the_talk_is_the_pbxs_to_the_millisecond(self, ended_ms: int) -> None:
        """The moment of the end is a whole second, and its clock may be ahead; the talk was counted."""
        note = trace(answered=True, cause=16, ended_ms=ended_ms, talk_ms=3987)
        assert dialling().at(1000, LINK_BROKE).at(60_000, note).call.waits_ms()[2] == 3987
        assert connected().at(1000, LINK_BROKE).at(60_000, note).call.waits_ms()[2] == 3987

    @pytest.mark.parametrize("ended_ms", [-90_000, 150, 99_000_000])
    def test_a_pbx_whose_clock_is_wrong_cannot_disorder_the_phases(self, ended_ms: int) -> None:
        for story in (Story(), dialling(), connected()):
            story.at(1000, LINK_BROKE).at(60_000, trace(answered=True, cause=16, ended_ms=ended_ms, talk_ms=500_000))
            call = story.call
            assert call.requested_at <= call.dialling_at <= call.connected_at <= call.ended_at <= START + 60


class TestARestartOfTheDialer:
    """An attempt found open in the database is taken up unseen; what the PBX says of it decides."""

    def taken_up(self, state: CallState, *ms: int | None, closure_s: float = 0.0) -> Story:
        story = Story(sent=False, closure_s=closure_s)
        times = [None if at is None else START + at / 1000 for at in (*ms, None, None, None)]
        story.call.take_up(state, (times[0], times[1], times[2]))
        assert story.call.holds_line
        return story

    def test_found_ringing(self) -> None:
        story = self.taken_up(CallState.DIALLING, 0, 10).at(9000, live(up=False, seconds=9))
        assert story.at(9500, dial_end("BUSY"), failed(0), hung_up(17)).call.outcome == Outcome.RS_BUSY
        assert story.call.waits_ms() == (10, 9490, 0)

    def test_found_talking(self) -> None:
        story = self.taken_up(CallState.CONNECTED, 0, 10, 200, closure_s=60).at(30_000, live(up=True))
        assert story.pass_until(60_200).done[-1] == "HangUp"
        assert story.at(60_210, hung_up(16)).call.waits_ms() == (10, 190, 60_010)

    def test_gone_it_may_have_been_dialled(self) -> None:
        for story in (
            self.taken_up(CallState.REQUESTED, 0),
            self.taken_up(CallState.DIALLING, 0, 10),
            self.taken_up(CallState.CONNECTED, 0, 10, 200),
        ):
            assert story.at(9000, GONE).call.outcome == Outcome.RS_LOST
            assert story.done == ["FreeLine", "Settle"]

    def test_the_pbx_restarted_too(self) -> None:
        assert self.taken_up(CallState.CONNECTED, 0, 10, 200).at(9000, PBX_STOPPED).call.outcome == Outcome.RS_LOST

    def test_a_trace_of_it(self) -> None:
        story = self.taken_up(CallState.CONNECTED, 0, 10, 200)
        story.at(9000, trace(answered=True, cause=16, ended_ms=5200, talk_ms=5000, dial_status="ANSWER"))
        assert (story.call.outcome, story.call.waits_ms()) == (Outcome.TERMINATED, (10, 190, 5000))

    def test_marked_but_the_moment_of_writing_was_not_saved(self) -> None:
        story = self.taken_up(CallState.REQUESTED, None).at(9000, live(up=False, seconds=4))
        assert story.at(9900, failed(3), hung_up(19)).call.outcome == Outcome.RS_NOANSWER
        assert story.call.waits_ms() == (0, 0, 0)


def test_a_call_that_was_never_sent_has_no_waits() -> None:
    assert new_call().waits_ms() == (0, 0, 0)
