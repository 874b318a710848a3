"""When a call that is added from outside is to be placed: a text into a moment. Pure: now is handed in.

``90`` is so many seconds from now; ``2026-11-24.10:30:00`` (also with ``T`` or a blank between, also without seconds)
is by the wall clock of a time zone. A time that the clock skips in spring is read as if it had not been put forward
yet: 02:30 is then what it calls 03:30. Of a time that comes twice in autumn it is the first.
"""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from wombat_ari.model.errors import UserError

MAX_AHEAD_S = 366 * 86_400  #: further ahead is taken for a mistake

_SECONDS = re.compile(r"[0-9]{1,12}")
_MOMENT = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:\.|T| +)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")


def moment_of(text: str, *, now: float, zone: str) -> float:
    """Epoch seconds. ``zone`` is an IANA name. UserError when it is neither form, no date, or over a year ahead."""
    text = text.strip()
    if _SECONDS.fullmatch(text):
        moment = now + int(text)
    else:
        found = _MOMENT.fullmatch(text)
        if found is None:
            raise UserError(f"time {text!r}: it must be seconds from now, or YYYY-MM-DD HH:MM:SS")
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
        try:
            moment = datetime(year, month, day, hour, minute, second, tzinfo=ZoneInfo(zone)).timestamp()
        except ValueError:
            raise UserError(f"time {text!r}: there is no such day or time of day") from None
    check_moment(moment, now=now)
    return moment


def check_moment(moment: float, *, now: float) -> None:
    """UserError when it is no moment or over a year ahead. One that has passed means: at once."""
    if not abs(moment - now) < float("inf") or moment > now + MAX_AHEAD_S:
        raise UserError("the time is more than a year ahead; at most a year is possible")
