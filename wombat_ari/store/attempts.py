"""Attempts of runs, found and sorted, page by page or streamed.

A page is found by its WOMBATIDs first, and only its own rows are read whole: the rows are long, and where the order is
that of an index nothing else is touched.
"""

from collections.abc import Iterator, Sequence

from wombat_ari.model.reports import AttemptFilter, AttemptOrder, LoggedCall
from wombat_ari.store.database import Database, Row, marks
from wombat_ari.store.rows import LOG_COLUMNS, load

ALL = AttemptFilter()
_PAGE = 2000


def count(db: Database, run_ids: Sequence[int], where: AttemptFilter = ALL) -> int:
    """``run_ids``: at least one, here and below."""
    condition, params = _condition(run_ids, where)
    with db.transaction(write=False) as tx:
        return int(tx.value(f"SELECT COUNT(*) FROM call_log WHERE {condition}", params))


def page(
    db: Database, run_ids: Sequence[int], where: AttemptFilter = ALL, *, order: AttemptOrder = AttemptOrder.WOMBATID,
    descending: bool = False, skip: int = 0, limit: int = 100,
) -> list[LoggedCall]:  # fmt: skip
    condition, params = _condition(run_ids, where)
    way = "DESC" if descending else "ASC"
    by = f"wombatid {way}" if order is AttemptOrder.WOMBATID else f"{order.value} {way}, wombatid {way}"
    with db.transaction(write=False) as tx:
        sql = f"SELECT wombatid FROM call_log WHERE {condition} ORDER BY {by} LIMIT %s OFFSET %s"
        ids = [row[0] for row in tx.rows(sql, (*params, limit, skip))]
        if not ids:
            return []
        sql = f"SELECT {LOG_COLUMNS} FROM call_log WHERE wombatid IN ({marks(len(ids))})"
        found = {row[0]: row for row in tx.rows(sql, ids)}
    return [call_of(found[wombatid]) for wombatid in ids]


def stream(db: Database, run_ids: Sequence[int], where: AttemptFilter = ALL) -> Iterator[LoggedCall]:
    """All of them, run by run, each page in a transaction of its own: memory does not grow with the log."""
    for run_id in run_ids:
        condition, params = _condition([run_id], where)
        sql = f"SELECT {LOG_COLUMNS} FROM call_log WHERE {condition} AND wombatid > %s ORDER BY wombatid LIMIT %s"
        after = 0
        while True:
            with db.transaction(write=False) as tx:
                rows = tx.rows(sql, (*params, after, _PAGE))
            yield from map(call_of, rows)
            if len(rows) < _PAGE:
                break
            after = rows[-1][0]


def call_of(row: Row) -> LoggedCall:
    """Of the columns ``LOG_COLUMNS``."""
    return LoggedCall(*row[:-2], load(row[-2]), load(row[-1]))  # type: ignore[call-arg]


def _condition(run_ids: Sequence[int], where: AttemptFilter) -> tuple[str, list[object]]:
    parts, params = [f"run_id IN ({marks(len(run_ids))})"], list[object](run_ids)
    if where.number:
        literal = where.number.replace("!", "!!").replace("%", "!%").replace("_", "!_")
        parts.append("number LIKE %s ESCAPE '!'")
        params.append(f"%{literal}%")
    for column in ("outcome", "extended_status", "trunk_name", "end_point_name", "agent"):
        value = getattr(where, column)
        if value is not None:
            parts.append(f"{column} = %s")
            params.append(value)
    return " AND ".join(parts), params
