"""Calls that nobody answered: what Asterisk 22 and 16 were seen to send, in every order they may send it.

OriginateResponse is not ordered against the channel's own events, nor are the hang-ups of the channels against each
other. The two orders that always held: the trunk's DialEnd comes first, and our own DialEnd before our own Hangup.
"""

from itertools import permutations

import pytest

from tests.core.story import (
    ACCEPTED,
    CREATED,
    GONE,
    Story,
    dial_end,
    failed,
    hung_up,
    leg_end,
    leg_hung_up,
    live,
    refused,
)
from wombat_ari.model.events import CallEvent
from wombat_ari.model.states import Outcome

# What failed: (name, Reason, DialEnd of ours, cause of ours, the trunk's leg: (DialEnd, cause, SIP code), outcome)
Row = tuple[str, int, str, int, tuple[str, int, str] | None, Outcome]

PLAIN: list[Row] = [
    ("Hangup(17)", 0, "BUSY", 17, None, Outcome.RS_BUSY),
    ("Busy()", 5, "BUSY", 0, None, Outcome.RS_BUSY),
    ("ring timeout", 3, "", 19, None, Outcome.RS_NOANSWER),
    ("ring timeout, 16", 3, "", 0, None, Outcome.RS_NOANSWER),
    ("Dial() gave up before us, cause 0", 0, "NOANSWER", 0, None, Outcome.RS_NOANSWER),
    ("Dial() gave up before us, cause 16", 0, "NOANSWER", 16, None, Outcome.RS_NOANSWER),
    ("Congestion()", 8, "CONGESTION", 0, None, Outcome.RS_REJECTED),
    ("Hangup(34)", 0, "CONGESTION", 34, None, Outcome.RS_REJECTED),
    ("Hangup(1)", 0, "NOANSWER", 1, None, Outcome.RS_NUMBER),
    ("extension or context of the trunk missing", 0, "", 0, None, Outcome.RS_REJECTED),
    ("technology missing inside Dial()", 8, "CONGESTION", 0, None, Outcome.RS_REJECTED),
    ("silent SIP peer", 0, "NOANSWER", 18, None, Outcome.RS_NOANSWER),
    ("the trunk dialled nothing and says so", 0, "CHANUNAVAIL", 0, None, Outcome.RS_REJECTED),
]

# A trunk whose dialplan passes the cause on (Hangup(${HANGUPCAUSE})), or a direct channel: our own cause tells.
DIRECT: list[Row] = [
    (f"direct {sip}", 0, dialled, cause, None, outcome)
    for sip, dialled, cause, outcome in (
        ("486", "BUSY", 17, Outcome.RS_BUSY),
        ("600", "BUSY", 17, Outcome.RS_BUSY),
        ("404", "NOANSWER", 1, Outcome.RS_NUMBER),
        ("604", "NOANSWER", 1, Outcome.RS_NUMBER),
        ("410", "NOANSWER", 22, Outcome.RS_NUMBER),
        ("484", "NOANSWER", 28, Outcome.RS_NUMBER),
        ("603", "NOANSWER", 21, Outcome.RS_REJECTED),
        ("403", "NOANSWER", 21, Outcome.RS_REJECTED),
        ("480", "NOANSWER", 19, Outcome.RS_NOANSWER),
        ("408", "NOANSWER", 18, Outcome.RS_NOANSWER),
        ("503", "CONGESTION", 34, Outcome.RS_REJECTED),
        ("500", "NOANSWER", 38, Outcome.RS_REJECTED),
        ("502", "NOANSWER", 27, Outcome.RS_REJECTED),
        ("487 unasked", "NOANSWER", 127, Outcome.RS_REJECTED),
    )
]

# A trunk whose dialplan is Dial() alone: it falls off the end, we get cause 0 and only the trunk's leg tells.
FALL_OFF: list[Row] = [
    (f"falls off after {sip}", reason, ours, our_cause, (leg, cause, sip), outcome)
    for sip, leg, cause, reason, ours, our_cause, outcome in (
        ("486", "BUSY", 17, 5, "BUSY", 0, Outcome.RS_BUSY),
        ("600", "BUSY", 17, 5, "BUSY", 0, Outcome.RS_BUSY),
        ("404", "NOANSWER", 1, 8, "CONGESTION", 0, Outcome.RS_NUMBER),
        ("604", "NOANSWER", 1, 8, "CONGESTION", 0, Outcome.RS_NUMBER),
        ("410", "NOANSWER", 22, 8, "CONGESTION", 0, Outcome.RS_NUMBER),
        ("484", "NOANSWER", 28, 8, "CONGESTION", 0, Outcome.RS_NUMBER),
        ("603", "NOANSWER", 21, 8, "CONGESTION", 0, Outcome.RS_REJECTED),
        ("403", "NOANSWER", 21, 8, "CONGESTION", 0, Outcome.RS_REJECTED),
        ("480", "NOANSWER", 19, 0, "NOANSWER", 19, Outcome.RS_NOANSWER),
        ("408", "NOANSWER", 18, 8, "CONGESTION", 0, Outcome.RS_NOANSWER),
        ("503", "CONGESTION", 34, 8, "CONGESTION", 0, Outcome.RS_REJECTED),
        ("500", "NOANSWER", 38, 8, "CONGESTION", 0, Outcome.RS_REJECTED),
        ("502", "NOANSWER", 27, 8, "CONGESTION", 0, Outcome.RS_REJECTED),
        ("487 unasked", "NOANSWER", 127, 8, "CONGESTION", 0, Outcome.RS_REJECTED),
        ("180 and our timeout, 22", "CANCEL", 19, 3, "", 19, Outcome.RS_NOANSWER),
        ("180 and our timeout, 16", "CANCEL", 16, 3, "", 0, Outcome.RS_NOANSWER),
    )
]


def orders(row: Row) -> list[list[CallEvent]]:
    """Every order in which the last words of this call may come."""
    _, reason, status, cause, leg, _ = row
    first: list[CallEvent] = [leg_end(leg[0])] if leg else []
    words: list[CallEvent] = [failed(reason), hung_up(cause)]
    words += [dial_end(status)] if status else []
    words += [leg_hung_up(leg[1], leg[2])] if leg else []
    found = []
    for order in permutations(words):
        if not status or order.index(dial_end(status)) < order.index(hung_up(cause)):
            found.append([*first, *order])
    return found


@pytest.mark.parametrize("row", [*PLAIN, *DIRECT, *FALL_OFF], ids=lambda row: row[0])
def test_outcome_is_the_same_in_every_order(row: Row) -> None:
    for order in orders(row):
        story = Story().at(2, ACCEPTED).at(10, CREATED)
        for step, event in enumerate(order):
            story.at(1010 + 10 * step, event)
        hang_up_ms = 1010 + 10 * order.index(next(event for event in order if event == hung_up(row[3])))
        # At most the two seconds in which a PBX that goes down would say so.
        story.pass_until(4000)
        assert story.call.outcome == row[5], order
        assert not story.unknown
        assert story.call.waits_ms() == (10, hang_up_ms - 10, 0)
        assert story.done.count("FreeLine") == story.done.count("Settle") == 1


@pytest.mark.parametrize("row", DIRECT, ids=lambda row: row[0])
def test_a_cause_that_tells_settles_at_once(row: Row) -> None:
    story = Story().at(10, CREATED).at(1000, dial_end(row[2]), failed(0))
    assert not story.ended
    assert story.at(1050, hung_up(row[3])).ended


def test_without_dial_end_of_the_leg_its_hang_up_still_counts_when_it_comes_in_time() -> None:
    """A filter that drops the leg's DialEnd: its hang-up alone says that there was one."""
    story = (
        Story().at(10, CREATED).at(900, leg_hung_up(1, "404"), dial_end("CONGESTION")).at(910, failed(8), hung_up(0))
    )
    assert story.call.outcome == Outcome.RS_NUMBER
    assert story.call.evidence.sip_code == "404"


def test_the_leg_is_waited_for_half_a_second_and_no_longer() -> None:
    story = Story().at(10, CREATED).at(900, leg_end("NOANSWER"), dial_end("CONGESTION"), failed(8)).at(910, hung_up(0))
    assert story.pass_until(1409).ended is False
    assert story.pass_until(1410).ended
    assert story.call.outcome == Outcome.RS_REJECTED
    assert story.at(1420, leg_hung_up(1)).call.outcome == Outcome.RS_REJECTED, "settled is settled"


def test_a_ring_timeout_needs_no_leg_to_tell_more() -> None:
    """Asterisk 16: cause 0 with Reason 3."""
    assert Story().at(10, CREATED).at(30_000, failed(3)).at(30_001, hung_up(0)).ended_ms == 30_001


def test_a_second_trunk_tried_after_the_first_has_the_last_word() -> None:
    story = Story().at(10, CREATED).at(500, leg_end("CONGESTION"), leg_hung_up(34, "503"))
    story.at(900, leg_end("BUSY"), leg_hung_up(17, "486"), dial_end("BUSY")).at(910, failed(5), hung_up(0))
    assert story.call.outcome == Outcome.RS_BUSY
    assert story.call.evidence.sip_code == "486"


def test_a_leg_that_tells_nothing_does_not_hide_one_that_did() -> None:
    story = Story().at(10, CREATED).at(500, leg_end("NOANSWER"), leg_hung_up(1, "404"), leg_hung_up(0))
    assert story.at(910, failed(8), hung_up(0)).call.outcome == Outcome.RS_NUMBER


def test_refused_action_ends_at_once_without_a_channel() -> None:
    story = Story().at(3, refused())
    assert (story.call.outcome, story.ended_ms) == (Outcome.RS_ERROR, 3)
    assert story.call.evidence.message == "Extension does not exist."
    assert story.done == ["FreeLine", "Settle"]


def test_no_channel_within_a_second_is_a_bad_number() -> None:
    """Technology missing, peer missing, address without a contact: Failure 0 and nothing else, ever."""
    story = Story().at(2, ACCEPTED).at(4, failed(0))
    assert "FreeLine" not in story.done, "the channel may still come"
    assert story.pass_until(1003).ended is False
    assert story.pass_until(1004).call.outcome == Outcome.RS_NUMBER
    assert story.call.waits_ms() == (4, 0, 0), "the patience of a second is ours, not the call's"


def test_channel_events_may_come_after_the_failure() -> None:
    """Seen in less than 2 % of calls: OriginateResponse before even Newchannel."""
    story = Story().at(4, failed(0)).at(6, CREATED).at(7, dial_end("BUSY"), hung_up(17))
    assert (story.call.outcome, story.ended_ms) == (Outcome.RS_BUSY, 7)


def test_a_failure_whose_hang_up_is_lost_asks_the_pbx_before_the_line_is_given_back() -> None:
    story = Story().at(10, CREATED).at(900, dial_end("BUSY"), failed(5))
    assert story.pass_until(5900).done == ["Save", "AskAlive"]
    assert story.at(5910, live(up=False)).done[-1] == "HangUp", "nobody may stay on a forgotten line"
    assert story.at(5920, hung_up(16)).pass_until(6420).call.outcome == Outcome.RS_BUSY


def test_a_hang_up_whose_originate_response_is_lost_is_decided_after_five_seconds() -> None:
    story = Story().at(10, CREATED).at(900, dial_end("BUSY"), hung_up(17))
    assert story.done == ["Save", "FreeLine"], "the line is free as soon as the channel is gone"
    assert story.pass_until(5899).ended is False
    assert story.pass_until(5900).call.outcome == Outcome.RS_BUSY
    assert story.call.waits_ms() == (10, 890, 0)


def test_a_hang_up_told_twice_does_not_move_the_end() -> None:
    story = Story().at(10, CREATED).at(900, hung_up(17)).at(1500, hung_up(0)).at(1600, failed(0))
    assert (story.call.outcome, story.call.waits_ms()) == (Outcome.RS_BUSY, (10, 890, 0))


def test_a_word_that_does_not_tell_does_not_prolong_the_wait() -> None:
    story = Story().at(10, CREATED).at(900, failed(0)).at(4000, dial_end("NOANSWER")).at(5000, leg_end("NOANSWER"))
    assert "AskAlive" not in story.pass_until(5899).done
    assert "AskAlive" in story.pass_until(5900).done


def test_a_pbx_that_says_nothing_is_asked_ten_seconds_after_the_answer_timeout() -> None:
    story = Story(timeout_s=20).at(2, ACCEPTED).at(10, CREATED)
    assert story.pass_until(29_999).done == ["Save"]
    assert story.pass_until(30_000).done == ["Save", "AskAlive"]
    assert story.pass_until(40_000).done.count("AskAlive") == 3, "asked again while there is no answer"
    assert story.at(40_001, GONE).call.outcome == Outcome.RS_LOST


def test_a_leg_that_was_never_seen_may_still_tell_when_our_cause_does_not() -> None:
    """The shipped event filters keep the leg's dialling away; its hang-up may come after ours."""
    story = Story().at(10, CREATED).at(900, failed(8), hung_up(0))
    assert not story.ended
    assert story.at(950, leg_hung_up(1)).call.outcome == Outcome.RS_NUMBER
