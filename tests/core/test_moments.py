"""When a call from outside is to be placed: seconds from now, or a wall clock that may jump."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wombat_ari.core.moments import MAX_AHEAD_S, check_moment, moment_of
from wombat_ari.model.errors import UserError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()


def in_utc(text: str, zone: str = "Europe/Rome") -> str:
    return f"{datetime.fromtimestamp(moment_of(text, now=NOW, zone=zone), UTC):%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("90", 90), (" 3600 ", 3600), ("0090", 90)])
def test_seconds_from_now(text: str, seconds: int) -> None:
    assert moment_of(text, now=NOW, zone="UTC") == NOW + seconds


@pytest.mark.parametrize(
    "text",
    ["2026-03-02.10:30:00", "2026-03-02T10:30:00", "2026-03-02 10:30:00", "2026-3-2  10:30", "  2026-03-02.10:30:00 "],
)
def test_a_moment_by_the_clock_of_the_zone(text: str) -> None:
    assert in_utc(text, "UTC") == "2026-03-02 10:30:00"
    assert in_utc(text, "Europe/Rome") == "2026-03-02 09:30:00"
    assert in_utc(text, "America/New_York") == "2026-03-02 15:30:00"


def test_a_time_that_is_skipped_in_spring_is_read_by_the_clock_not_yet_put_forward() -> None:
    """On 29 March 2026 02:00 is 03:00 in Rome."""
    assert in_utc("2026-03-29 01:59:59") == "2026-03-29 00:59:59"
    assert in_utc("2026-03-29 02:30:00") == "2026-03-29 01:30:00" == in_utc("2026-03-29 03:30:00")
    assert in_utc("2026-03-29 03:00:00") == "2026-03-29 01:00:00"


def test_of_a_time_that_comes_twice_in_autumn_it_is_the_first() -> None:
    """On 25 October 2026 03:00 is 02:00 in Rome."""
    assert in_utc("2026-10-25 02:30:00") == "2026-10-25 00:30:00"
    assert in_utc("2026-10-25 03:00:00") == "2026-10-25 02:00:00"


def test_what_has_passed_is_a_moment_as_well() -> None:
    assert in_utc("1999-01-01 00:00:00", "UTC") == "1999-01-01 00:00:00"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "-5",
        "1.5",
        "10:30",
        "2026-03-02",
        "02/03/2026 10:30:00",
        "2026-03-02_10:30:00",
        "2026-03-02 10",
        "٣",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="seconds from now, or YYYY-MM-DD HH:MM:SS"):
        moment_of(text, now=NOW, zone="UTC")


@pytest.mark.parametrize("text", ["2026-02-29 10:00:00", "2026-13-01 10:00", "2026-03-02 24:00:00", "0000-01-01 00:00"])
def test_a_day_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="there is no such day or time of day"):
        moment_of(text, now=NOW, zone="UTC")


@pytest.mark.parametrize("text", [str(MAX_AHEAD_S + 1), "999999999999", "2027-06-01 00:00:00", str(int(NOW))])
def test_a_year_ahead_is_the_most(text: str) -> None:
    assert moment_of(str(MAX_AHEAD_S), now=NOW, zone="UTC") == NOW + MAX_AHEAD_S
    with pytest.raises(UserError, match="more than a year ahead"):
        moment_of(text, now=NOW, zone="UTC")


@pytest.mark.parametrize("moment", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_no_moment(moment: float) -> None:
    with pytest.raises(UserError):
        check_moment(moment, now=NOW)
