"""When a campaign may dial: its active period (spec 01) and every one of its opening hours, by the wall clock.

Opening hours have no zone of their own: they are kept by the clock of the campaign that uses them, so that "closed on
New Year's Day" is each campaign's own day.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from wombat_ari.model.entities import ActivePeriod, OpeningHours, OpeningRule

WEEK_DAYS = 9  #: an active period alone opens within so many days, or never
HORIZON_DAYS = 400  #: how far an opening after holidays is looked for: a year and a month
_DAY_S = 86400

Hours = Sequence[OpeningHours]


def is_open(period: ActivePeriod, now: float, *, hours: Hours = (), default_zone: str = "UTC") -> bool:
    """Whether ``now`` (epoch seconds) lies in the active period and in all opening hours.

    Both ends of a span belong to it, to the second. A start after the end spans midnight and belongs to the day it
    began.
    """
    here = datetime.fromtimestamp(now, _zone(period.zone or default_zone))
    return _open_at(period, hours, here.date(), here.hour * 3600 + here.minute * 60 + here.second)


def next_opening(period: ActivePeriod, now: float, *, hours: Hours = (), default_zone: str = "UTC") -> float | None:
    """The next moment at which it is open, ``now`` itself when it is; None when it never is within ``HORIZON_DAYS``.

    It can only open where one of its spans begins or ends, at midnight, or where the clock jumps. So a day costs a
    handful of questions; a day in whose course the clock jumps is tried minute by minute.
    """
    if is_open(period, now, hours=hours, default_zone=default_zone):
        return now
    if any(not each.default_open and not any(rule.open for rule in each.rules) for each in hours):
        return None
    zone = _zone(period.zone or default_zone)
    edges = _edges(period, hours)
    today = datetime.fromtimestamp(now, zone).date()
    for ahead in range(HORIZON_DAYS if hours else WEEK_DAYS):
        day = today + timedelta(days=ahead)
        begin, end = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
        if end - begin == _DAY_S:
            # A date whose clock does not jump: a second of its wall clock is a second since its midnight.
            moments: Iterator[float] = (begin + edge for edge in edges if _open_at(period, hours, day, edge))
        else:
            tried = _each_minute(begin, end, edges)
            moments = (each for each in tried if is_open(period, each, hours=hours, default_zone=default_zone))
        found = next((each for each in moments if each > now), None)
        if found is not None:
            return found
    return None


def _open_at(period: ActivePeriod, hours: Hours, day: date, second: int) -> bool:
    begun = _begun(period.start_s, period.end_s, day, second)
    if begun is None or _digit(begun) not in period.days:
        return False
    return all(_decided(each, day, second) for each in hours)


def _decided(hours: OpeningHours, day: date, second: int) -> bool:
    """The first rule that fits decides, else the default."""
    return next((rule.open for rule in hours.rules if _fits(rule, day, second)), hours.default_open)


def _fits(rule: OpeningRule, day: date, second: int) -> bool:
    begun = _begun(rule.start_s, rule.end_s, day, second)
    return begun is not None and _digit(begun) in rule.days and _between(rule.from_date, rule.to_date, begun)


def _begun(start_s: int, end_s: int, day: date, second: int) -> date | None:
    """The day on which the span that holds this second began, None outside of it."""
    if start_s <= end_s:
        return day if start_s <= second <= end_s else None
    if second >= start_s:
        return day
    return day - timedelta(days=1) if second <= end_s else None


def _between(first: str, last: str, day: date) -> bool:
    """Dates compare as text. Two of every year, the first after the last, span New Year."""
    if not first and not last:
        return True
    text = day.isoformat()
    after = not first or text[-len(first) :] >= first
    before = not last or text[-len(last) :] <= last
    if len(first) == len(last) == len("MM-DD") and first > last:
        return after or before
    return after and before


def _edges(period: ActivePeriod, hours: Hours) -> list[int]:
    """Seconds of the day at which anything may change."""
    spans = [(rule.start_s, rule.end_s) for each in hours for rule in each.rules]
    edges = {0, *(edge for start, end in (*spans, (period.start_s, period.end_s)) for edge in (start, end + 1))}
    return sorted(edge for edge in edges if edge < _DAY_S)


def _each_minute(begin: float, end: float, edges: Sequence[int]) -> Iterator[float]:
    """Clocks jump at whole minutes; spans may begin at any second of one."""
    seconds = sorted({edge % 60 for edge in edges})
    minutes = range(int((end - begin) // 60))
    return (begin + minute * 60 + second for minute in minutes for second in seconds)


def _midnight(day: date, zone: tzinfo) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def _digit(day: date) -> str:
    """1 is Sunday, 7 is Saturday."""
    return str(day.isoweekday() % 7 + 1)


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    return ZoneInfo(name)
