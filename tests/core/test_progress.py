"""Rates, estimates and speed of a run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wombat_ari.core.progress import Progress, progress_of

HOUR = 3600.0


def after_an_hour(*, attempts: int, rescheduled: int = 0, unfinished: int = 0) -> Progress:
    return progress_of(
        attempts=attempts,
        rescheduled=rescheduled,
        unfinished=unfinished,
        started_at=1000.0,
        now=1000.0 + HOUR,
    )


def test_a_run_in_its_middle() -> None:
    """200 attempts an hour, every fourth needs a retry: 90 records will take 120 attempts, 36 minutes."""
    progress = after_an_hour(attempts=200, rescheduled=50, unfinished=90)
    assert (progress.termination_rate, progress.reschedule_rate) == (0.75, 0.25)
    assert progress.estimated_remaining == 120
    assert progress.completes_in_s == pytest.approx(2160)
    assert (progress.running_for_s, progress.attempts_per_hour, progress.completions_per_hour) == (HOUR, 200, 150)


def test_before_the_first_attempt_nothing_is_said_that_is_not_known() -> None:
    progress = after_an_hour(attempts=0, unfinished=90)
    assert (progress.termination_rate, progress.reschedule_rate, progress.completes_in_s) == (None, None, None)
    assert (progress.estimated_remaining, progress.attempts_per_hour) == (90, 0)


def test_when_nothing_is_left_it_is_complete_now() -> None:
    assert after_an_hour(attempts=9).completes_in_s == 0.0
    assert after_an_hour(attempts=0).completes_in_s == 0.0


def test_when_every_attempt_needed_a_retry_the_records_are_all_that_is_known() -> None:
    assert after_an_hour(attempts=5, rescheduled=5, unfinished=5).estimated_remaining == 5


def test_in_the_very_second_of_its_start() -> None:
    progress = progress_of(attempts=3, rescheduled=0, unfinished=5, started_at=1000.0, now=999.0)
    assert (progress.running_for_s, progress.attempts_per_hour, progress.completes_in_s) == (0.0, 0.0, None)


@given(st.integers(0, 10**6), st.floats(0, 1), st.integers(0, 10**6), st.floats(0, 1e7))
def test_nothing_is_negative_and_rates_are_shares(attempts: int, share: float, unfinished: int, seconds: float) -> None:
    rescheduled = int(attempts * share)
    progress = progress_of(
        attempts=attempts, rescheduled=rescheduled, unfinished=unfinished, started_at=0.0, now=seconds
    )
    assert progress.estimated_remaining >= unfinished
    assert (progress.completes_in_s or 0.0) >= 0
    if attempts:
        assert 0 <= progress.termination_rate <= 1
        assert progress.termination_rate + progress.reschedule_rate == pytest.approx(1)
