"""When calls were made, by somebody's wall clock: the hours and days of a report. Pure arithmetic, DST right.

The log is counted in slots of epoch time, which the database can do in its one pass. A slot must lie in one hour of the
wall clock: it is an hour, or less where a zone is half an hour or a quarter off.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from math import gcd
from zoneinfo import ZoneInfo

from wombat_ari.model.reports import Hour, Span

HOUR_S = 3600
MOST_HOURS = 72  #: of a chart; what is longer is shown by days
MOST_FILLED = 400  #: spans without a call are shown among at most so many
_MONTH_S = 30 * 86_400
_SMALLEST_S = 900

Begin = Callable[[float], float]  #: of the span that a moment lies in, or that comes after it


def slot_s(zone: ZoneInfo, first: float, last: float) -> int:
    """Seconds of a slot (3600, 1800 or 900) so that none of the period lies in two hours of the zone."""
    moments = [first + n * _MONTH_S for n in range(int(max(0.0, last - first) // _MONTH_S) + 1)]
    offsets = [_offset(zone, at) for at in (*moments, last)]
    return max(_SMALLEST_S, gcd(HOUR_S, *offsets))


def local_hours(slots: Iterable[Hour], zone: ZoneInfo) -> tuple[Hour, ...]:
    """Slots added up to hours of the zone, in order. The hour that comes twice in autumn is two."""
    return _added(slots, lambda at: _begin_of_hour(at, zone))


def hours_of_day(slots: Iterable[Hour], zone: ZoneInfo) -> tuple[Hour, ...]:
    """24 of them, all days together; ``at`` is seconds since midnight, as the clock on the wall shows it."""
    found = {each.at: each for each in _added(slots, lambda at: datetime.fromtimestamp(at, zone).hour * HOUR_S)}
    return tuple(found.get(hour * HOUR_S, Hour(hour * HOUR_S, 0, 0, 0)) for hour in range(24))


def timeline(slots: Sequence[Hour], zone: ZoneInfo) -> tuple[Span, tuple[Hour, ...]]:
    """From the first call to the last by hours, or by days when that is many; spans without a call are zero."""
    hours = local_hours(slots, zone)
    if not hours:
        return Span.HOUR, ()
    if hours[-1].at - hours[0].at < MOST_HOURS * HOUR_S:
        return Span.HOUR, _filled(hours, lambda at: at + HOUR_S)
    days = _added(hours, lambda at: _midnight(at, zone))
    return Span.DAY, _filled(days, lambda at: _next_midnight(at, zone))


def _added(slots: Iterable[Hour], begin: Begin) -> tuple[Hour, ...]:
    sums: dict[float, list[int]] = defaultdict(lambda: [0, 0, 0])
    for slot in slots:
        span = sums[begin(slot.at)]
        for place, some in enumerate((slot.calls, slot.answered, slot.talk_ms)):
            span[place] += some
    return tuple(Hour(at, *some) for at, some in sorted(sums.items()))


def _filled(spans: tuple[Hour, ...], after: Begin) -> tuple[Hour, ...]:
    """The hour of a zone whose clock jumps by half an hour begins where the call says: what is known goes first."""
    known = {each.at: each for each in spans}
    found, at = [], spans[0].at
    while at <= spans[-1].at:
        found.append(known.pop(at, Hour(at, 0, 0, 0)))
        if len(found) > MOST_FILLED:
            return spans
        at = after(at)
    return tuple(sorted((*found, *known.values()), key=lambda each: each.at))


def _begin_of_hour(at: float, zone: ZoneInfo) -> float:
    here = datetime.fromtimestamp(at, zone)
    return at - (here.minute * 60 + here.second + here.microsecond / 1e6)


def _midnight(at: float, zone: ZoneInfo) -> float:
    return datetime.fromtimestamp(at, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0).timestamp()


def _next_midnight(at: float, zone: ZoneInfo) -> float:
    noon = datetime.fromtimestamp(at, zone) + timedelta(days=1, hours=12)
    return _midnight(noon.timestamp(), zone)


def _offset(zone: ZoneInfo, at: float) -> int:
    offset = datetime.fromtimestamp(at, zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0
