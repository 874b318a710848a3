"""What the statistics of a run mean (spec 02 "Run"): rates, estimates, speed. Pure arithmetic on its counters."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """Rates are shares from 0 to 1; None where nothing can be said yet. Speeds are per hour."""

    termination_rate: float | None  #: share of attempts that needed no retry
    reschedule_rate: float | None
    estimated_remaining: int  #: calls still to be placed, retries to come included
    running_for_s: float
    completes_in_s: float | None
    attempts_per_hour: float
    completions_per_hour: float


def progress_of(*, attempts: int, rescheduled: int, unfinished: int, started_at: float, now: float) -> Progress:
    """``unfinished`` records are not closed: behind the lists' positions, in the hopper, open or waiting for a retry.

    Each record is expected to need as many attempts as those before it: 1 / (share that needed no retry).
    """
    running_for = max(0.0, now - started_at)
    closed = attempts - rescheduled
    rate = closed / attempts if attempts else None
    estimate = round(unfinished / rate) if rate else unfinished
    hours = running_for / 3600
    per_hour = attempts / hours if hours else 0.0
    return Progress(
        termination_rate=rate,
        reschedule_rate=rescheduled / attempts if attempts else None,
        estimated_remaining=estimate,
        running_for_s=running_for,
        completes_in_s=estimate / per_hour * 3600 if per_hour and estimate else (0.0 if not estimate else None),
        attempts_per_hour=per_hour,
        completions_per_hour=closed / hours if hours else 0.0,
    )
