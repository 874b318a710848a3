"""Lines and channels are counted: never more used than there are, never more given back than were taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wombat_ari.core.lines import Lines


def lines(capacity: int) -> Lines:
    return Lines(3, "carrier", server_id=1, capacity=capacity)


def test_taken_and_given_back() -> None:
    carrier = lines(2)
    carrier.take()
    carrier.take()
    assert (carrier.used, carrier.free) == (2, 0)
    carrier.give()
    assert (carrier.used, carrier.free) == (1, 1)


def test_taking_from_a_full_one_names_it() -> None:
    carrier = lines(1)
    carrier.take()
    with pytest.raises(OverflowError, match="carrier: 1 of 1"):
        carrier.take()
    assert carrier.used == 1


def test_giving_back_more_than_was_taken_names_it() -> None:
    with pytest.raises(OverflowError, match="carrier"):
        lines(1).give()


def test_a_lowered_capacity_cuts_nothing_and_lets_nothing_new_in() -> None:
    carrier = lines(3)
    for _ in range(3):
        carrier.take()
    carrier.capacity = 1
    assert (carrier.used, carrier.free) == (3, 0)
    carrier.give()
    carrier.give()
    assert carrier.free == 0
    carrier.give()
    assert carrier.free == 1


def test_calls_that_already_live_are_counted_even_above_the_capacity() -> None:
    carrier = lines(1)
    carrier.take_back()
    carrier.take_back()
    assert (carrier.used, carrier.free) == (2, 0)


@given(st.integers(0, 5), st.lists(st.sampled_from(["take", "give", "back", "more", "less"]), max_size=60))
def test_used_is_what_was_taken_minus_what_was_given(capacity: int, deeds: list[str]) -> None:
    carrier, used = lines(capacity), 0
    for deed in deeds:
        if deed == "take" and carrier.free:
            carrier.take()
            used += 1
            assert used <= carrier.capacity
        elif deed == "give" and used:
            carrier.give()
            used -= 1
        elif deed == "back":
            carrier.take_back()
            used += 1
        elif deed == "more":
            carrier.capacity += 1
        elif deed == "less" and carrier.capacity:
            carrier.capacity -= 1
        assert carrier.used == used
        assert carrier.free == max(0, carrier.capacity - used)
