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

    Found by trying: wall clocks jump in spring and autumn, arithmetic on them would not. It can only open where a clock
    jumps (at whole minutes) or at the start itself, which may have seconds.
    """
    if is_open(period, now, default_zone=default_zone):
        return now
    minute = now - now % 60
    offsets = (0, period.start_s % 60) if period.start_s % 60 else (0,)
    for step in range(8 * 24 * 60 + 1):
        for offset in offsets:
            moment = minute + step * 60 + offset
            if moment > now and is_open(period, moment, default_zone=default_zone):
                return moment
    return None


def _digit(day: datetime) -> str:
    """1 is Sunday, 7 is Saturday."""
    return str(day.isoweekday() % 7 + 1)


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    return ZoneInfo(name)
