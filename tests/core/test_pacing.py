"""The capacity rule of queues: the examples of spec 03, and what must hold for any numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wombat_ari.core.pacing import QueueLoad, blocked_by_waiting, free_channels


@pytest.mark.parametrize(
    ("available", "waiting", "on_the_way", "assigned", "boost", "free"),
    [
        (7, 0, 0, 0, 1.3, 9),  # the example of the spec
        (4, 0, 0, 0, 1.5, 6),  # the example of the manual
        (10, 0, 0, 0, 1.1, 11),  # 10 x 1.1 is 11, also in binary
        (5, 2, 0, 0, 1.0, 3),  # callers who wait take agents
        (5, 0, 3, 3, 1.0, 2),  # our own on the way take theirs
        (2, 2, 0, 0, 1.0, 0),
        (1, 2, 0, 0, 2.0, 0),  # never below zero
        (5, 0, 0, 18, 1.0, 2),  # 20 channels at most
        (3, 0, 0, 0, 0.5, 1),
        (1, 0, 0, 0, 0.5, 0),
        (0, 0, 0, 0, 9.0, 0),
    ],
)
def test_table(available: int, waiting: int, on_the_way: int, assigned: int, boost: float, free: int) -> None:
    load = QueueLoad(available, waiting, on_the_way, assigned)
    assert free_channels(load, boost=boost, max_waiting=2, max_channels=20) == free


def test_more_waiting_than_may_stops_all() -> None:
    for waiting, blocked in ((2, False), (3, True)):
        load = QueueLoad(50, waiting, 0, 0)
        assert blocked_by_waiting(load, 2) is blocked
        assert (free_channels(load, boost=1, max_waiting=2, max_channels=99) == 0) is blocked


counts = st.integers(0, 500)


@given(counts, counts, counts, counts, st.floats(0.01, 20), counts, counts)
def test_bounds(a: int, w: int, f: int, assigned: int, boost: float, max_waiting: int, max_channels: int) -> None:
    load = QueueLoad(a, w, f, assigned)
    free = free_channels(load, boost=boost, max_waiting=max_waiting, max_channels=max_channels)
    assert 0 <= free <= max(0, max_channels - assigned)
    assert free == 0 or free + f <= (a - w) * boost + 1e-6
    if boost <= 1:
        assert free <= max(0, a - w), "with boost 1 nobody is called for whom there is no agent"
