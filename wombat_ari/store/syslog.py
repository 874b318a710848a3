"""The system log: written as things happen, read in pages, the latest first."""

from collections.abc import Sequence

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


def actions(db: Database) -> list[str]:
    """All actions that occur, for the filter of the page."""
    with db.transaction(write=False) as tx:
        return [row[0] for row in tx.rows("SELECT DISTINCT action FROM system_log ORDER BY action")]
