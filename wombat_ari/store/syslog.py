"""The system log: written as things happen, read in pages, the latest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.store.database import Database
from wombat_ari.store.journal import write_system_log


def write(db: Database, entries: Sequence[SystemLogEntry]) -> None:
    with db.transaction() as tx:
        write_system_log(tx, entries)


def read(
    db: Database, *, user: str = "", action: str = "", from_at: float = 0.0, to_at: float = 1e12, skip: int = 0,
    limit: int = 100,
) -> list[SystemLogEntry]:  # fmt: skip
    """Of that user, with that action, in the period; the latest first, ``skip`` of them left out."""
    where, params = "at >= %s AND at < %s", [from_at, to_at, *filter(None, (user, action))]
    where += " AND login = %s" if user else ""
    where += " AND action = %s" if action else ""
    sql = f"SELECT at, login, action, object, detail FROM system_log WHERE {where}"
    with db.transaction(write=False) as tx:
        rows = tx.rows(f"{sql} ORDER BY at DESC, id DESC LIMIT %s OFFSET %s", [*params, limit, skip])
    return [SystemLogEntry(*row) for row in rows]


def page(
    db: Database, *, user: str = "", action: str = "", after: int = 0, limit: int = 100
) -> list[tuple[int, SystemLogEntry]]:
    """Lines with their ids, the latest written first, behind the one with the id ``after`` (0: from the latest on)."""
    wanted = [("login = %s", user), ("action = %s", action), ("id < %s", after)]
    given = [(where, value) for where, value in wanted if value]
    where = " AND ".join(["id > 0", *(where for where, _ in given)])
    sql = f"SELECT id, at, login, action, object, detail FROM system_log WHERE {where} ORDER BY id DESC LIMIT %s"
    with db.transaction(write=False) as tx:
        return [(row[0], SystemLogEntry(*row[1:])) for row in tx.rows(sql, [*(value for _, value in given), limit])]


@dataclass(frozen=True, slots=True)
class Place:
    """Of a line among those of the same moment: pages go on behind it."""

    at: float
    id: int


def browse(
    db: Database,
    *,
    user: str = "",
    action: str = "",
    from_at: float = 0.0,
    to_at: float = 1e12,
    behind: Place | None = None,
    before: Place | None = None,
    limit: int = 100,
) -> list[tuple[int, SystemLogEntry]]:
    """Lines with their ids, the latest first: those just ``behind`` a place (earlier), or just ``before`` it (later).

    By an index of (what is asked for, time), whatever the log has grown to.
    """
    lower: tuple[str, tuple[Any, ...]] = ("at >= %s", (from_at,))
    upper: tuple[str, tuple[Any, ...]] = ("at < %s", (to_at,))
    order, sign, place = ("ASC", ">", before) if before is not None else ("DESC", "<", behind)
    # One bound at each end, since SQLite searches by the first of several; and no OR, for which it would sort.
    if before is not None:
        lower = ("at >= %s", (max(from_at, before.at),))
    elif behind is not None and behind.at < to_at:
        upper = ("at <= %s", (behind.at,))
    given = [lower, upper]
    given += [(f"{name} = %s", (value,)) for name, value in (("login", user), ("action", action)) if value]
    if place is not None:
        given.append((f"NOT (at = %s AND NOT id {sign} %s)", (place.at, place.id)))
    where = " AND ".join(each for each, _ in given)
    params = [value for _, values in given for value in values]
    sql = f"SELECT id, at, login, action, object, detail FROM system_log WHERE {where}"
    with db.transaction(write=False) as tx:
        rows = tx.rows(f"{sql} ORDER BY at {order}, id {order} LIMIT %s", [*params, limit])
    found = [(int(row[0]), SystemLogEntry(*row[1:])) for row in rows]
    return found if before is None else found[::-1]


def actions(db: Database) -> list[str]:
    """All actions that occur, for the filter of the page."""
    return _each(db, "action")


def logins(db: Database) -> list[str]:
    """Everybody who occurs."""
    return _each(db, "login")


def _each(db: Database, column: str, most: int = 500) -> list[str]:
    """The different values in order, by as many leaps in the column's index: not by reading the log."""
    found: list[str] = []
    sql = f"SELECT MIN({column}) FROM system_log WHERE {column} > %s"
    with db.transaction(write=False) as tx:
        last = ""
        while len(found) < most and (value := tx.value(sql, (last,))) is not None:
            last = str(value)
            found.append(last)
    return found
