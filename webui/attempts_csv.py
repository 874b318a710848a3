"""Attempts as CSV, piece by piece: memory does not grow with the log. Attributes are JSON in their column."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from io import StringIO
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from wombat_ari.model.reports import LoggedCall

COLUMNS = tuple(field.name for field in fields(LoggedCall))
_LINES = 500  #: of one piece


def pieces(
    found: Iterable[LoggedCall], columns: Sequence[str] = COLUMNS, *, zone: ZoneInfo | None = None
) -> Iterator[bytes]:
    """The line of labels, then the attempts. With a ``zone`` two columns more, in front: when each began and ended by
    that clock, for people."""
    moments = () if zone is None else ("attempted_at", "ended_at")
    yield _lines([(*(name.removesuffix("_at") for name in moments), *columns)])
    rows = (
        [*(_local(getattr(one, name), zone) for name in moments), *(_cell(getattr(one, name)) for name in columns)]
        for one in found
    )
    while piece := list(islice(rows, _LINES)):
        yield _lines(piece)


def _lines(rows: Iterable[Iterable[Any]]) -> bytes:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


def _local(at: float, zone: ZoneInfo | None) -> str:
    return datetime.fromtimestamp(at, zone).isoformat(" ", "seconds")
