"""How long those outside are waited for, and when one is held."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wombat_ari.core.receivers import FIRST_S, LONGEST_S, REFUSALS, Receiver, Turn, back_off, undone
from wombat_ari.model.errands import DONE, Errand, ErrandKind, OutboxRow, Receipt

DOWN = Receipt("connection refused", reached=False)
BAD = Receipt("answered 500")
ROW = OutboxRow(1, Errand(ErrandKind.NOTIFY, "a", {}, 0.0, 0.0, sequence="1/2"), tries=3)


def tried(receiver: Receiver, receipt: Receipt, *, at: float, begun_at: float | None = None) -> Turn:
    return receiver.tried(receipt, begun_at=at if begun_at is None else begun_at, now=at, chance=0.0)


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_patience_is_between_a_second_and_an_hour(failures: int, chance: float) -> None:
    wait = back_off(failures, chance)
    assert FIRST_S <= wait <= LONGEST_S
    assert back_off(failures, 1.0) <= wait <= back_off(failures, 0.0)
    assert wait <= back_off(failures + 1, chance)


def test_patience_doubles() -> None:
    assert [back_off(n, 0.0) for n in (1, 2, 3, 12, 13, 14)] == [1, 2, 4, 2048, 3600, 3600]
    assert back_off(3, 1.0) == 3


def test_one_that_is_away_is_held_and_asked_one_at_a_time_until_it_is_well() -> None:
    receiver = Receiver("a", in_flight=3)
    assert receiver.room(0.0, 8)
    assert tried(receiver, DOWN, at=10.0) == Turn.FAILING
    assert (receiver.held_until, receiver.failing_since, receiver.error) == (11.0, 10.0, "connection refused")
    for _ in range(3):  # those under way when the trouble was noticed make it no worse
        assert tried(receiver, DOWN, at=10.5, begun_at=9.0) == Turn.NONE
    assert not receiver.room(10.9, 8)
    receiver.in_flight = 1
    assert not receiver.room(11.0, 8)
    receiver.in_flight = 0
    assert receiver.room(11.0, 8)
    assert tried(receiver, DOWN, at=11.0) == Turn.HELD
    assert receiver.held_until == 13.0
    assert tried(receiver, DONE, at=13.0) == Turn.WELL
    receiver.in_flight = 7
    assert receiver.room(13.0, 8)
    assert (receiver.ok_since, receiver.failing_since) == (13.0, None)
    assert tried(receiver, DOWN, at=20.0) == Turn.FAILING
    assert receiver.held_until == 21.0


def test_refusals_count_when_there_are_many_in_a_row() -> None:
    receiver = Receiver("a")
    for n in range(REFUSALS - 1):
        assert tried(receiver, BAD, at=float(n)) == Turn.NONE
    assert tried(receiver, DONE, at=9.0) == Turn.NONE
    for n in range(REFUSALS - 1):
        assert tried(receiver, BAD, at=10.0 + n) == Turn.NONE
    assert tried(receiver, BAD, at=20.0) == Turn.FAILING


def test_what_it_asks_for_is_given_and_what_is_hopeless_is_no_fault_of_its() -> None:
    receiver = Receiver("a")
    assert tried(receiver, Receipt("answered 503", wait_s=90), at=0.0) == Turn.FAILING
    assert receiver.held_until == 90.0
    other = Receiver("b")
    assert tried(other, Receipt("bad URL", hopeless=True), at=0.0) == Turn.NONE
    assert other.room(0.0, 1)
    assert other.error == "bad URL"


@pytest.mark.parametrize(
    ("now", "receipt", "due_at", "parked"),
    [
        (100.0, DOWN, 108.0, False),  # the fourth try failed
        (100.0, Receipt("busy", wait_s=60), 160.0, False),
        (999.0, DOWN, 1000.0, False),  # the last one, at the very end
        (1000.0, DOWN, 1000.0, True),
        (100.0, Receipt("never", hopeless=True), 100.0, True),
    ],
)
def test_what_is_written_of_a_failure(now: float, receipt: Receipt, due_at: float, parked: bool) -> None:
    entry = undone(ROW, receipt, now=now, last_try_at=1000.0, chance=0.0)
    assert (entry.id, entry.sequence, entry.tries, entry.error) == (1, "1/2", 4, receipt.error)
    assert (entry.due_at, entry.parked) == (due_at, parked)


def test_any_error_can_be_written() -> None:
    assert undone(ROW, Receipt("\ud800!"), now=0.0, last_try_at=9.0, chance=0.0).error == "?!"
