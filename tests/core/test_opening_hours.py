"""Opening hours: the first rule that fits decides; dates, days, spans over midnight and New Year; the next opening."""

import time
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wombat_ari.core.hours import is_open, next_opening
from wombat_ari.model.entities import ActivePeriod, OpeningHours, OpeningRule

ZURICH = "Europe/Zurich"
OFFICE = ActivePeriod(9 * 3600, 17 * 3600, "23456")  #: Monday to Friday, nine to five
ALWAYS = ActivePeriod()


def at(text: str, zone: str = "UTC", *, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def hours(*rules: OpeningRule, default: bool = True) -> OpeningHours:
    return OpeningHours(1, "hours", default_open=default, rules=rules)


def closed(first: str = "", last: str = "", **values: object) -> OpeningRule:
    return OpeningRule(open=False, from_date=first, to_date=last, **values)  # type: ignore[arg-type]


def opened(first: str = "", last: str = "", **values: object) -> OpeningRule:
    return OpeningRule(open=True, from_date=first, to_date=last, **values)  # type: ignore[arg-type]


class TestOneMoment:
    def test_without_a_rule_that_fits_the_default_decides(self) -> None:
        noon = at("2026-06-03 12:00:00")
        assert is_open(ALWAYS, noon, hours=[hours()])
        assert not is_open(ALWAYS, noon, hours=[hours(default=False)])
        assert is_open(ALWAYS, noon, hours=[hours(closed("2026-06-04"))])

    def test_the_first_rule_that_fits_decides(self) -> None:
        noon = at("2026-12-24 12:00:00")
        half_day = opened("12-24", "12-24", end_s=14 * 3600)
        holidays = closed("12-24", "12-26")
        assert is_open(ALWAYS, noon, hours=[hours(half_day, holidays)])
        assert not is_open(ALWAYS, noon, hours=[hours(holidays, half_day)])
        assert not is_open(ALWAYS, at("2026-12-24 14:00:01"), hours=[hours(half_day, holidays)])

    def test_all_of_them_and_the_active_period_must_be_open(self) -> None:
        noon = at("2026-06-03 12:00:00")
        shut = hours(closed("2026-06-03", "2026-06-03"))
        assert not is_open(ALWAYS, noon, hours=[hours(), shut])
        assert not is_open(ALWAYS, noon, hours=[shut, hours()])
        assert not is_open(ActivePeriod(13 * 3600, 14 * 3600), noon, hours=[hours()])

    @pytest.mark.parametrize(
        ("first", "last", "day", "fits"),
        [
            ("2026-08-03", "2026-08-14", "2026-08-02", False),
            ("2026-08-03", "2026-08-14", "2026-08-03", True),
            ("2026-08-03", "2026-08-14", "2026-08-14", True),
            ("2026-08-03", "2026-08-14", "2026-08-15", False),
            ("2026-08-03", "2026-08-14", "2027-08-10", False),
            ("08-03", "08-14", "2027-08-10", True),
            ("08-03", "08-14", "2027-09-01", False),
            ("12-24", "01-06", "2026-12-23", False),
            ("12-24", "01-06", "2026-12-31", True),
            ("12-24", "01-06", "2027-01-01", True),
            ("12-24", "01-06", "2027-01-07", False),
            ("2026-12-24", "2027-01-06", "2027-01-06", True),
            ("2026-12-24", "2027-01-06", "2027-12-25", False),
            ("2026-08-03", "", "2030-01-01", True),
            ("2026-08-03", "", "2026-08-02", False),
            ("", "2026-08-03", "2026-08-03", True),
            ("", "2026-08-03", "2026-08-04", False),
            ("10-01", "", "2026-10-01", True),
            ("10-01", "", "2026-09-30", False),
            ("02-29", "02-29", "2028-02-29", True),
            ("02-29", "02-29", "2027-02-28", False),
            ("", "", "2027-02-28", True),
        ],
    )
    def test_dates(self, first: str, last: str, day: str, fits: bool) -> None:
        assert is_open(ALWAYS, at(f"{day} 12:00:00"), hours=[hours(closed(first, last))]) is not fits

    def test_days_of_the_week(self) -> None:
        weekend = hours(closed(days="17"))
        answers = [is_open(ALWAYS, at(f"2026-06-0{day} 12:00:00"), hours=[weekend]) for day in range(1, 8)]
        assert answers == [True] * 5 + [False] * 2, "the first of June 2026 is a Monday"

    @pytest.mark.parametrize(
        ("moment", "is_it"),
        [
            ("2026-12-31 21:59:59", True),
            ("2026-12-31 22:00:00", False),
            ("2027-01-01 01:59:59", False),
            ("2027-01-01 02:00:00", False),
            ("2027-01-01 02:00:01", True),
            ("2027-01-01 23:00:00", True),
        ],
    )
    def test_a_span_over_midnight_belongs_to_the_day_it_began(self, moment: str, is_it: bool) -> None:
        night = closed("12-31", "12-31", start_s=22 * 3600, end_s=2 * 3600)
        assert is_open(ALWAYS, at(moment), hours=[hours(night)]) is is_it

    def test_the_clock_is_that_of_the_campaign(self) -> None:
        new_year = [hours(closed("2027-01-01", "2027-01-01"))]
        moment = at("2026-12-31 23:30:00")
        assert is_open(ALWAYS, moment, hours=new_year)
        assert not is_open(ActivePeriod(zone=ZURICH), moment, hours=new_year)
        assert not is_open(ALWAYS, moment, hours=new_year, default_zone=ZURICH)


class TestNextOpening:
    def test_after_weeks_of_holidays(self) -> None:
        summer = [hours(closed("2026-07-20", "2026-08-30"), closed("08-31", "08-31", end_s=11 * 3600))]
        assert next_opening(OFFICE, at("2026-07-17 17:00:01"), hours=summer) == at("2026-08-31 11:00:01")

    def test_of_several_the_one_that_opens_last(self) -> None:
        both = [hours(closed("12-24", "01-02")), hours(closed("2026-12-30", "2027-01-05"))]
        now = at("2026-12-25 10:00:00", ZURICH)
        assert next_opening(OFFICE, now, hours=both, default_zone=ZURICH) == at("2027-01-06 09:00:00", ZURICH)

    def test_hours_that_only_open_on_some_days(self) -> None:
        fair = [hours(opened("2027-05-03", "2027-05-07", start_s=36000), default=False)]
        assert next_opening(ALWAYS, at("2026-05-07 23:00:00"), hours=fair) == at("2027-05-03 10:00:00")

    def test_never(self) -> None:
        assert next_opening(ALWAYS, at("2026-06-03 12:00:00"), hours=[hours(default=False)]) is None
        past = [hours(opened("2020-01-01", "2020-12-31"), default=False)]
        assert next_opening(ALWAYS, at("2026-06-03 12:00:00"), hours=past) is None

    def test_it_is_cheap_through_a_year(self) -> None:
        rules = [closed(f"{month:02}-01", f"{month:02}-28", start_s=60 * month) for month in range(1, 13)]
        shut = [hours(*rules, default=False)]
        began = time.process_time()
        assert next_opening(OFFICE, at("2026-06-03 12:00:00", ZURICH), hours=shut, default_zone=ZURICH) is None
        assert time.process_time() - began < 1, "not minute by minute: those are half a million questions"


seconds_of_day = st.one_of(st.integers(0, 86399), st.integers(0, 95).map(lambda quarter: quarter * 900))
days = st.sets(st.sampled_from("1234567"), min_size=1).map(lambda found: "".join(sorted(found)))
day_near = st.integers(0, 60).map(lambda ahead: (date(2026, 9, 20) + timedelta(ahead)).isoformat())
dates = st.one_of(
    st.just(("", "")),
    st.tuples(day_near, day_near).map(lambda two: (min(two), max(two))),
    st.tuples(day_near, day_near).map(lambda two: (two[0][5:], two[1][5:])),
    st.tuples(day_near, st.just("")),
)
rules = st.builds(
    lambda span, dates, days, open_: OpeningRule(open_, *dates, days, *span),
    st.tuples(seconds_of_day, seconds_of_day),
    dates,
    days,
    st.booleans(),
)
some_hours = st.lists(
    st.builds(lambda found, default: hours(*found, default=default), st.lists(rules, max_size=4), st.booleans()),
    max_size=3,
)
zones = st.sampled_from(["UTC", ZURICH, "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"])
# Through the autumn in which the clocks of all these zones but UTC change.
moments = st.floats(at("2026-09-20 00:00:00"), at("2026-11-10 00:00:00"))


@settings(max_examples=150, deadline=None)
@given(seconds_of_day, seconds_of_day, days, some_hours, zones, moments, st.data())
def test_next_opening_agrees_with_is_open(
    start: int, end: int, days: str, hours: list[OpeningHours], zone: str, now: float, data: st.DataObject
) -> None:
    period = ActivePeriod(start, end, days, zone)
    opens = next_opening(period, now, hours=hours)
    until = now + 20 * 86400 if opens is None else opens
    assert opens is None or (opens >= now and is_open(period, opens, hours=hours))
    if opens is None or opens > now:
        assert not is_open(period, until - 0.001, hours=hours), "it opens in this very second"
        for share in data.draw(st.lists(st.floats(0, 0.999999), min_size=30, max_size=30)):
            assert not is_open(period, now + share * (until - now), hours=hours), "and not before"


@settings(max_examples=300, deadline=None)
@given(rules, moments, zones)
def test_a_rule_and_its_opposite_are_never_of_one_mind(rule: OpeningRule, now: float, zone: str) -> None:
    """A rule decides alike as an opening one over "closed" and, turned round, as a closing one over "open"."""
    as_opening = [OpeningHours(1, "a", default_open=False, rules=(OpeningRule(True, *_where(rule)),))]
    as_closing = [OpeningHours(1, "b", default_open=True, rules=(OpeningRule(False, *_where(rule)),))]
    period = ActivePeriod(zone=zone)
    assert is_open(period, now, hours=as_opening) is not is_open(period, now, hours=as_closing)


def _where(rule: OpeningRule) -> tuple[str, str, str, int, int]:
    return rule.from_date, rule.to_date, rule.days, rule.start_s, rule.end_s
