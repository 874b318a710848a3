"""Hours and days of a report by the wall clock, on days with an hour more or less, in zones half an hour off."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wombat_ari.core.breakdown import HOUR_S, hours_of_day, local_hours, slot_s, timeline
from wombat_ari.model.reports import Hour, Span

ROME, INDIA, NEPAL, LORD_HOWE, UTC = (
    ZoneInfo(name) for name in ("Europe/Rome", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")
)
#: one call in each hour of these days; in 2025 the clock of Rome goes back on 26 October and forward on 30 March
DAYS = {"autumn": (2025, 10, 26), "spring": (2025, 3, 30), "usual": (2025, 10, 9)}


def at(zone: ZoneInfo, *parts: int, fold: int = 0) -> float:
    return datetime(*parts, tzinfo=zone, fold=fold).timestamp()  # type: ignore[arg-type]


def every_hour(first: float, last: float, step: int = HOUR_S) -> list[Hour]:
    return [Hour(float(moment), 1, 0, 10) for moment in range(int(first), int(last), step)]


def day(which: str) -> list[Hour]:
    year, month, number = DAYS[which]
    return every_hour(at(ROME, year, month, number), at(ROME, year, month, number + 1))


@pytest.mark.parametrize(("which", "hours", "two"), [("autumn", 25, 2), ("spring", 23, 0), ("usual", 24, 1)])
def test_a_day_has_the_hours_it_has(which: str, hours: int, two: int) -> None:
    slots = day(which)
    span, line = timeline(slots, ROME)
    assert (span, len(line)) == (Span.HOUR, hours)
    assert [each.calls for each in line] == [1] * hours
    by_day = hours_of_day(slots, ROME)
    assert len(by_day) == 24
    assert [each.at for each in by_day] == [hour * 3600 for hour in range(24)]
    assert [each.calls for each in by_day] == [1, 1, two, *[1] * 21]


def test_the_hour_that_comes_twice_is_two() -> None:
    first, second = at(ROME, 2025, 10, 26, 2), at(ROME, 2025, 10, 26, 2, fold=1)
    assert second - first == HOUR_S
    assert local_hours([Hour(second, 3, 1, 5), Hour(first, 2, 2, 4)], ROME) == (
        Hour(first, 2, 2, 4), Hour(second, 3, 1, 5)
    )  # fmt: skip


def test_zones_that_are_not_whole_hours_off() -> None:
    moments = (at(UTC, 2025, 1, 1), at(UTC, 2025, 12, 31))
    assert [slot_s(zone, *moments) for zone in (UTC, ROME, INDIA, NEPAL, LORD_HOWE)] == [3600, 3600, 1800, 900, 1800]
    slots = every_hour(at(INDIA, 2025, 5, 1, 10), at(INDIA, 2025, 5, 1, 12), 1800)
    assert local_hours(slots, INDIA) == (
        Hour(at(INDIA, 2025, 5, 1, 10), 2, 0, 20), Hour(at(INDIA, 2025, 5, 1, 11), 2, 0, 20)
    )  # fmt: skip


def test_what_is_long_is_shown_by_days() -> None:
    slots = every_hour(at(ROME, 2025, 10, 24, 22), at(ROME, 2025, 10, 28, 3))
    span, line = timeline(slots, ROME)
    assert span is Span.DAY
    assert [each.at for each in line] == [at(ROME, 2025, 10, number) for number in (24, 25, 26, 27, 28)]
    assert [each.calls for each in line] == [2, 24, 25, 24, 3]


def test_spans_without_a_call_are_there() -> None:
    noon = at(ROME, 2025, 10, 26, 0)
    span, line = timeline([Hour(noon, 1, 1, 1), Hour(noon + 4 * HOUR_S, 2, 0, 0)], ROME)
    assert (span, [each.calls for each in line]) == (Span.HOUR, [1, 0, 0, 0, 2])
    span, line = timeline([Hour(noon, 1, 1, 1), Hour(noon + 90 * HOUR_S, 2, 0, 0)], ROME)
    assert (span, [each.calls for each in line]) == (Span.DAY, [1, 0, 0, 2])
    years = [Hour(noon, 1, 1, 1), Hour(noon + 1000 * 24 * HOUR_S, 2, 0, 0)]
    assert [each.calls for each in timeline(years, ROME)[1]] == [1, 2], "not a thousand empty days"
    assert timeline([], ROME) == (Span.HOUR, ())


@given(
    st.sampled_from([ROME, INDIA, NEPAL, LORD_HOWE, UTC, ZoneInfo("America/St_Johns"), ZoneInfo("Pacific/Apia")]),
    st.lists(st.integers(1_700_000_000 // 900, 1_770_000_000 // 900), min_size=1, max_size=30, unique=True),
)
def test_no_call_is_lost_or_counted_twice(zone: ZoneInfo, quarters: list[int]) -> None:
    slots = [Hour(quarter * 900.0, 1, 1, 3) for quarter in sorted(quarters)]
    _, line = timeline(slots, zone)
    for spans in (local_hours(slots, zone), hours_of_day(slots, zone), line):
        assert sum(each.calls for each in spans) == sum(each.answered for each in spans) == len(slots)
        assert sum(each.talk_ms for each in spans) == 3 * len(slots)
        assert list(spans) == sorted(spans, key=lambda each: each.at)
    assert all(datetime.fromtimestamp(each.at, zone).minute == 0 for each in local_hours(slots, zone))
