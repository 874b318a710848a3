"""What addresses of report pages say: which runs, found by which search, which of their attempts in which order.

``run=1&run=3`` are the chosen runs on all pages; ``from``, ``to`` and ``campaign`` are the search they were found by.
Moments are read by the clock of who looks.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import request, url_for

from webui.console.pages import Visit
from wombat_ari.model.errors import UserError
from wombat_ari.model.reports import AttemptFilter, AttemptOrder

WEEK_S = 7 * 86_400
FORMS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")
DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
ORDERS = {order.value: order for order in AttemptOrder}
LATEST_FIRST = f"-{AttemptOrder.WOMBATID}"
#: orders that are offered by name
OFFERED = (
    ("", "latest first"), ("wombatid", "oldest first"), ("number", "by number"), ("outcome", "by outcome"),
    ("-talk_ms", "longest talk first"), ("-wait_after_ms", "longest wait first"),
)  # fmt: skip
#: words of an address, and what they are of an AttemptFilter. An empty one looks for "none", one left out for "any"
WORDS = {
    "outcome": "outcome", "status": "extended_status", "trunk": "trunk_name", "end_point": "end_point_name",
    "agent": "agent",
}  # fmt: skip


def chosen_ids() -> list[int]:
    """The runs in the address, each once. UserError when one is no number."""
    found: dict[int, None] = {}
    for text in request.values.getlist("run"):
        if not (text.isascii() and text.isdecimal() and len(text) < 19):
            raise UserError(f"run {text[:40]!r}: it must be the number of a run")
        found[int(text)] = None
    return list(found)


@dataclass(frozen=True, slots=True)
class Period:
    """A search for runs, as it was typed. The last week when nothing was asked."""

    first: str
    last: str
    campaign: str

    @classmethod
    def asked(cls, visit: Visit) -> Period:
        a_week_ago = datetime.fromtimestamp(visit.caller.at - WEEK_S, visit.zone)
        first = request.args.get("from", a_week_ago.strftime("%Y-%m-%d")).strip()
        last = request.args.get("to", "").strip()
        if DAY.fullmatch(first):
            first += "T00:00"
        if DAY.fullmatch(last):
            last += "T23:59"
        return cls(first, last, request.args.get("campaign", "").strip())

    def words(self) -> dict[str, str]:
        """Of an address."""
        return {"from": self.first, "to": self.last, "campaign": self.campaign}

    def moments(self, zone: ZoneInfo) -> tuple[float, float]:
        """Of the first second and the one behind the last; a minute counts as a whole. UserError: it is none."""
        return _moment(self.first, zone, "from") or 0.0, _moment(self.last, zone, "to", end=True) or 1e12

    @staticmethod
    def field(text: str) -> str:
        """As a browser's field for a moment takes it; empty when it would not."""
        text = text.replace(" ", "T", 1)
        return text if MOMENT.fullmatch(text) else ""


@dataclass(frozen=True, slots=True)
class Attempts:
    """A page of attempts, as its address says."""

    run_ids: list[int]
    where: AttemptFilter
    order: AttemptOrder
    descending: bool
    page: int

    @classmethod
    def asked(cls) -> Attempts:
        """UserError without a run."""
        run_ids = chosen_ids()
        if not run_ids:
            raise UserError("choose at least one run")
        given: dict[str, str | None] = {
            known: request.args[word] for word, known in WORDS.items() if word in request.args
        }
        given["outcome"] = given.get("outcome") or None  # every attempt has one: the form says "any" by an empty one
        sort = request.args.get("sort") or LATEST_FIRST
        name = sort.removeprefix("-")
        page = request.args.get("page", "1")
        return cls(
            run_ids,
            AttemptFilter(number=request.args.get("number", "").strip()[:40], **given),
            ORDERS.get(name, AttemptOrder.WOMBATID),
            sort.startswith("-"),
            max(1, int(page)) if page.isascii() and page.isdecimal() and len(page) < 9 else 1,
        )

    def link(self, endpoint: str = "attempts", **changes: Any) -> str:
        """The same with changes: fields of the filter, ``sort``, ``page``; None leaves one out."""
        known: dict[str, Any] = {"run": self.run_ids, "number": self.where.number or None}
        known |= {word: getattr(self.where, name) for word, name in WORDS.items()}
        known |= {"sort": self.sort, "page": None, **changes}
        return url_for(f"console.{endpoint}", **{name: value for name, value in known.items() if value is not None})

    @property
    def orders(self) -> list[tuple[str, str]]:
        """To choose from where the heads of the table are not seen; the one of now is among them."""
        now = self.sort or ""
        return [*OFFERED, *([(now, "as the table's head says")] if now not in dict(OFFERED) else [])]

    @property
    def is_filtered(self) -> bool:
        return self.where != AttemptFilter()

    def total_text(self, total: int) -> str:
        """``3 attempts``."""
        return f"{total:,} attempt{'' if total == 1 else 's'}{' like this' if self.is_filtered else ''}"

    @property
    def sort(self) -> str | None:
        """As the address says it; None: the latest first."""
        sort = f"{'-' if self.descending else ''}{self.order}"
        return None if sort == LATEST_FIRST else sort

    def next_sort(self, order: AttemptOrder) -> str:
        return f"-{order}" if self.order is order and not self.descending else str(order)

    def direction(self, order: AttemptOrder) -> str:
        if self.order is not order:
            return ""
        return "descending" if self.descending else "ascending"

    @property
    def filters(self) -> list[tuple[str, str, str]]:
        """What is filtered by besides number and outcome: word, how it is called, value."""
        known = {"status": "status", "trunk": "trunk", "end_point": "end point", "agent": "agent"}
        values = {word: getattr(self.where, WORDS[word]) for word in known}
        return [(word, title, values[word]) for word, title in known.items() if values[word] is not None]


def _moment(text: str, zone: ZoneInfo, name: str, *, end: bool = False) -> float | None:
    if not text:
        return None
    for form in FORMS:
        with suppress(ValueError):
            moment = datetime.strptime(text.replace(" ", "T", 1), form).replace(tzinfo=zone)
            whole = timedelta(seconds=1 if "%S" in form else 60)
            return (moment + whole if end else moment).timestamp()
    raise UserError(f"{name}: {text[:40]!r} must be a day, YYYY-MM-DD, or a day with a time, YYYY-MM-DD HH:MM")
