"""How templates say moments, in the time zone of who reads, and numbers."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import g


def zone_of_visit() -> ZoneInfo:
    """Of who is shown this page."""
    visit = g.get("visit")
    return visit.zone if visit else ZoneInfo("UTC")


def duration(seconds: float | None) -> str:
    """``3725`` -> ``1:02:05``; minutes and seconds below an hour."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(int(max(0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def percent(share: float | None) -> str:
    """``0.318`` -> ``31.8 %``."""
    return "–" if share is None else f"{share * 100:.1f} %"


def count(number: float | None) -> str:
    """``1234567`` -> ``1,234,567``."""
    return "–" if number is None else f"{number:,.0f}"


def _moment(at: float | None) -> str:
    """Date and time of day."""
    return "–" if not at else datetime.fromtimestamp(at, zone_of_visit()).strftime("%Y-%m-%d %H:%M:%S")


def _clock(at: float | None) -> str:
    return "–" if not at else datetime.fromtimestamp(at, zone_of_visit()).strftime("%H:%M:%S")


def _since(at: float | None) -> str:
    """Time of day; with its date when it is not of today: runs last for days."""
    return _clock(at) if at and _day(at) == _day(time.time()) else _moment(at)


def _day(at: float | None) -> str:
    return "–" if not at else datetime.fromtimestamp(at, zone_of_visit()).strftime("%Y-%m-%d")


def _ago(at: float | None) -> str:
    return "–" if not at else duration(time.time() - at)


#: by their names in templates
FILTERS = {
    "moment": _moment, "clock": _clock, "day": _day, "ago": _ago, "since": _since, "percent": percent, "count": count,
    "duration": duration,
}  # fmt: skip
