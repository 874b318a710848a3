"""When a campaign may dial: the active period with its days and time zone (spec 01)."""

from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from wombat_ari.model.entities import ActivePeriod


def is_open(period: ActivePeriod, now: float, *, default_zone: str = "UTC") -> bool:
    """Whether ``now`` (epoch seconds) lies in the active period, by the wall clock of its time zone.

    Both ends belong to it, to the second. A start after the end spans midnight and belongs to the day it began.
    """
    here = datetime.fromtimestamp(now, _zone(period.zone or default_zone))
    second = here.hour * 3600 + here.minute * 60 + here.second
    today, yesterday = _digit(here), _digit(here - timedelta(days=1))
    if period.start_s <= period.end_s:
        return today in period.days and period.start_s <= second <= period.end_s
    if second >= period.start_s:
        return today in period.days
    return second <= period.end_s and yesterday in period.days


def next_opening(period: ActivePeriod, now: float, *, default_zone: str = "UTC") -> float | None:
    """The next moment at which it is open, ``now`` itself when it is; None when it never is within eight days.

    Found by whole minutes: wall clocks jump by an hour in spring and autumn, arithmetic on them would not.
    """
    if is_open(period, now, default_zone=default_zone):
        return now
    minute = now - now % 60
    for step in range(1, 8 * 24 * 60 + 1):
        moment = minute + step * 60
        if is_open(period, moment, default_zone=default_zone):
            # It opened somewhere in the minute before (a start may have seconds).
            return next(at for at in _seconds(moment) if is_open(period, at, default_zone=default_zone))
    return None


def _seconds(moment: float) -> list[float]:
    return [moment - 60 + second for second in range(61)]


def _digit(day: datetime) -> str:
    """1 is Sunday, 7 is Saturday."""
    return str(day.isoweekday() % 7 + 1)


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    return ZoneInfo(name)
