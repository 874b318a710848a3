"""The system log, read."""

from __future__ import annotations

from dataclasses import dataclass

from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.rights import Right, demand
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.store import syslog
from wombat_ari.store.database import Database
from wombat_ari.store.syslog import Place

PAGE = 100

__all__ = ["LogPage", "LogWanted", "Place", "browse", "page"]


def page(
    caller: Caller, db: Database, *, after: int = 0, limit: int = 100, user: str = "", action: str = ""
) -> list[tuple[int, SystemLogEntry]]:
    """Lines with their ids, the latest first, behind the one with the id ``after`` (0: from the latest on)."""
    demand(caller, Right.SEE_SYSTEM_LOG)
    return syslog.page(db, user=user, action=action, after=after, limit=limit)


@dataclass(frozen=True, slots=True)
class LogWanted:
    """Of that user, with that action, from a moment to another (epoch seconds, 0: open)."""

    user: str = ""
    action: str = ""
    from_at: float = 0.0
    to_at: float = 0.0


@dataclass(frozen=True, slots=True)
class LogPage:
    """``earlier`` and ``later``: where the neighbouring pages begin, None when there is none."""

    lines: list[SystemLogEntry]
    earlier: Place | None
    later: Place | None
    users: list[str]  #: everybody who occurs in the log
    actions: list[str]


def browse(
    caller: Caller, db: Database, wanted: LogWanted, *, behind: Place | None = None, before: Place | None = None
) -> LogPage:
    """A page, the latest line first: from the latest on, just ``behind`` a place, or just ``before`` it."""
    demand(caller, Right.SEE_SYSTEM_LOG)
    asked = {
        "user": wanted.user, "action": wanted.action, "from_at": wanted.from_at, "to_at": wanted.to_at or 1e12,
    }  # fmt: skip
    found = syslog.browse(db, **asked, behind=behind, before=before, limit=PAGE + 1)  # type: ignore[arg-type]
    more = len(found) > PAGE
    if before is not None:
        found = found[-PAGE:]
        if not more:  # the latest page, filled
            found = syslog.browse(db, **asked, limit=PAGE + 1)  # type: ignore[arg-type]
            behind, before, more = None, None, len(found) > PAGE
    has_later = (before is not None and more) or behind is not None
    has_earlier = before is not None or more
    if before is None:
        found = found[:PAGE]
    return LogPage(
        [line for _, line in found],
        _place(found[-1]) if found and has_earlier else None,
        _place(found[0]) if found and has_later else None,
        syslog.logins(db),
        syslog.actions(db),
    )


def _place(found: tuple[int, SystemLogEntry]) -> Place:
    return Place(found[1].at, found[0])
