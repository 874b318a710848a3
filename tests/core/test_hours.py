"""The active period: by the wall clock of its zone, to the second, over midnight and through changes of the clock."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wombat_ari.core.hours import is_open, next_opening
from wombat_ari.model.entities import ActivePeriod

ZURICH = "Europe/Zurich"


def at(text: str, zone: str = "UTC", *, fold: int = 0) -> float:
    """``2025-06-04 12:00:00`` (a Wednesday) by the wall clock of a zone, as epoch seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def period(start: str, end: str, days: str = "1234567", zone: str = "") -> ActivePeriod:
    def seconds(text: str) -> int:
        hours, minutes, rest = (int(part) for part in text.split(":"))
        return hours * 3600 + minutes * 60 + rest

    return ActivePeriod(seconds(start), seconds(end), days, zone)


class TestIsOpen:
    @pytest.mark.parametrize(
        ("moment", "is_it"),
        [("08:59:59", False), ("09:00:00", True), ("12:00:00", True), ("17:30:00", True), ("17:30:01", False)],
    )
    def test_both_ends_belong_to_it(self, moment: str, is_it: bool) -> None:
        assert is_open(period("09:00:00", "17:30:00"), at(f"2025-06-04 {moment}")) is is_it

    def test_to_the_whole_second(self) -> None:
        assert is_open(period("09:00:00", "17:30:00"), at("2025-06-04 17:30:00") + 0.999)
        assert not is_open(period("09:00:00", "17:30:00"), at("2025-06-04 09:00:00") - 0.001)

    def test_the_default_is_always(self) -> None:
        for moment in ("2025-06-04 00:00:00", "2025-06-04 23:59:59", "2025-06-08 12:00:00"):
            assert is_open(ActivePeriod(), at(moment) + 0.5)

    @pytest.mark.parametrize(
        ("day", "digit"),
        [(8, "1"), (9, "2"), (10, "3"), (11, "4"), (12, "5"), (13, "6"), (14, "7")],
        ids=["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
    )
    def test_days(self, day: int, digit: str) -> None:
        noon = at(f"2025-06-{day:02} 12:00:00")
        assert is_open(period("09:00:00", "17:00:00", digit), noon)
        assert not is_open(period("09:00:00", "17:00:00", "1234567".replace(digit, "")), noon)

    @pytest.mark.parametrize(
        ("moment", "is_it"),
        [
            ("2025-06-06 21:59:59", False),  # Friday
            ("2025-06-06 22:00:00", True),
            ("2025-06-07 00:00:00", True),  # Saturday, still Friday's
            ("2025-06-07 02:00:00", True),
            ("2025-06-07 02:00:01", False),
            ("2025-06-07 23:00:00", False),  # Saturday has none
            ("2025-06-08 01:00:00", False),
        ],
    )
    def test_over_midnight_it_belongs_to_the_day_it_began(self, moment: str, is_it: bool) -> None:
        assert is_open(period("22:00:00", "02:00:00", "6"), at(moment)) is is_it

    def test_its_own_zone_goes_before_the_dialers(self) -> None:
        noon = at("2025-06-04 12:00:00")
        assert is_open(period("14:00:00", "14:00:00", zone=ZURICH), noon)
        assert is_open(period("14:00:00", "14:00:00"), noon, default_zone=ZURICH)
        assert is_open(period("12:00:00", "12:00:00"), noon)
        assert is_open(period("08:00:00", "08:00:00", zone="America/New_York"), noon, default_zone=ZURICH)

    def test_the_day_is_that_of_the_zone(self) -> None:
        sunday_in_auckland = at("2025-06-07 20:00:00")
        assert is_open(period("00:00:00", "23:59:59", "1", zone="Pacific/Auckland"), sunday_in_auckland)
        assert not is_open(period("00:00:00", "23:59:59", "1"), sunday_in_auckland)

    def test_an_hour_that_comes_twice_is_open_twice(self) -> None:
        night = period("02:00:00", "02:59:59", zone=ZURICH)
        assert is_open(night, at("2025-10-26 02:30:00", ZURICH, fold=0))
        assert is_open(night, at("2025-10-26 02:30:00", ZURICH, fold=1))

    def test_an_hour_that_is_skipped_is_never_open(self) -> None:
        night = period("02:00:00", "02:59:59", zone=ZURICH)
        before = at("2025-03-30 01:59:59", ZURICH)
        assert not any(is_open(night, before + seconds) for seconds in range(0, 4000, 60))


class TestNextOpening:
    def test_now_when_it_is_open(self) -> None:
        assert next_opening(ActivePeriod(), 1234.5) == 1234.5

    @pytest.mark.parametrize(
        ("now", "opens", "days"),
        [
            ("2025-06-04 08:00:07", "2025-06-04 09:00:00", "1234567"),
            ("2025-06-04 17:30:01", "2025-06-05 09:00:00", "1234567"),
            ("2025-06-06 18:00:00", "2025-06-09 09:00:00", "23456"),  # Friday evening to Monday
            ("2025-06-04 18:00:00", "2025-06-11 09:00:00", "4"),  # a week later
        ],
    )
    def test_the_next_start(self, now: str, opens: str, days: str) -> None:
        assert next_opening(period("09:00:00", "17:30:00", days), at(now)) == at(opens)

    def test_a_start_with_seconds(self) -> None:
        assert next_opening(period("09:00:17", "17:30:00"), at("2025-06-04 08:00:00")) == at("2025-06-04 09:00:17")

    def test_a_period_shorter_than_a_minute(self) -> None:
        short = period("09:00:10", "09:00:12")
        assert next_opening(short, at("2025-06-04 09:00:09") + 0.5) == at("2025-06-04 09:00:10")
        assert next_opening(short, at("2025-06-04 09:00:13")) == at("2025-06-05 09:00:10")

    def test_a_gap_shorter_than_a_minute(self) -> None:
        gap = period("09:00:30", "09:00:00")
        assert next_opening(gap, at("2025-06-04 09:00:10")) == at("2025-06-04 09:00:30")

    def test_over_midnight(self) -> None:
        night = period("22:00:00", "02:00:00", "6")
        assert next_opening(night, at("2025-06-07 02:00:01")) == at("2025-06-13 22:00:00")

    def test_a_start_in_the_hour_that_is_skipped_opens_when_the_clock_has_jumped(self) -> None:
        early = period("02:30:00", "05:00:00", zone=ZURICH)
        assert next_opening(early, at("2025-03-30 01:00:00", ZURICH)) == at("2025-03-30 03:00:00", ZURICH)

    def test_a_period_in_the_hour_that_comes_twice_opens_twice(self) -> None:
        night = period("02:15:00", "02:30:00", zone=ZURICH)
        after_the_first = at("2025-10-26 02:30:01", ZURICH, fold=0)
        assert next_opening(night, after_the_first) == at("2025-10-26 02:15:00", ZURICH, fold=1)

    def test_a_clock_that_jumps_back_into_the_period_opens_it(self) -> None:
        evening = period("01:30:00", "02:15:00", zone=ZURICH)
        after_the_first = at("2025-10-26 02:15:01", ZURICH, fold=0)
        assert next_opening(evening, after_the_first) == at("2025-10-26 02:00:00", ZURICH, fold=1)

    def test_never(self) -> None:
        assert next_opening(period("09:00:00", "17:00:00", ""), at("2025-06-04 12:00:00")) is None


zones = st.sampled_from(
    ["", "UTC", ZURICH, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo"]
)
seconds_of_day = st.one_of(st.integers(0, 86399), st.integers(0, 95).map(lambda quarter: quarter * 900))
# Whole days too, and the nights of 2025 in which clocks change.
moments = st.one_of(
    st.floats(at("2024-01-01 00:00:00"), at("2027-12-31 00:00:00")),
    st.sampled_from(["2025-03-30 00:30:00", "2025-10-26 00:20:00", "2025-11-02 05:10:00", "2025-04-05 14:40:00"]).map(
        at
    ),
)


@settings(max_examples=60, deadline=None)
@given(seconds_of_day, seconds_of_day, st.sets(st.sampled_from("1234567"), min_size=1), zones, moments, st.data())
def test_next_opening_agrees_with_is_open(
    start: int, end: int, days: set[str], zone: str, now: float, data: st.DataObject
) -> None:
    hours = ActivePeriod(start, end, "".join(sorted(days)), zone)
    opens = next_opening(hours, now)
    assert opens is not None
    assert now <= opens < now + 8 * 86400
    assert is_open(hours, opens)
    if opens > now:
        assert not is_open(hours, opens - 0.001), "it opens in this very second"
        for share in data.draw(st.lists(st.floats(0, 0.999999), min_size=20, max_size=20)):
            assert not is_open(hours, now + share * (opens - now)), "and not before"
