"""Pages by offset, for clients that ask so. What is passed over is counted in an index, not read."""

from collections.abc import Sequence

from wombat_ari.store.database import Database, Transaction, marks
from wombat_ari.store.lists import count_records


def count_found(db: Database, list_id: int, number: str = "") -> int:
    """Records of a list; ``number``: only those that begin so."""
    if not number:
        return count_records(db, list_id)
    with db.transaction(write=False) as tx:
        source, where, params = _range(tx, list_id, number)
        return int(tx.value(f"SELECT COUNT(*) FROM {source} WHERE {where}", params))


def record_before(db: Database, list_id: int, *, skip: int, number: str = "") -> int | None:
    """Id of the last of the ``skip`` records that a page comes after, 0 for the first page; None behind the end."""
    if skip <= 0:
        return 0
    with db.transaction(write=False) as tx:
        source, where, params = _range(tx, list_id, number)
        order = "number, id" if number else "id"
        sql = f"SELECT id FROM {source} WHERE {where} ORDER BY {order} LIMIT 1 OFFSET %s"
        found = tx.value(sql, (*params, skip - 1))
    return None if found is None else int(found)


def count_attempts(db: Database, run_ids: Sequence[int]) -> int:
    """Logged attempts of these runs, at least one."""
    with db.transaction(write=False) as tx:
        where = f"run_id IN ({marks(len(run_ids))})"
        return int(tx.value(f"SELECT COUNT(*) FROM call_log WHERE {where}", list(run_ids)))


def attempt_before(db: Database, run_ids: Sequence[int], *, skip: int) -> int | None:
    """WOMBATID of the last of the ``skip`` attempts that a page comes after, 0 for the first; None behind the end."""
    if skip <= 0:
        return 0
    sql = f"SELECT wombatid FROM call_log WHERE run_id IN ({marks(len(run_ids))}) ORDER BY wombatid LIMIT 1 OFFSET %s"
    with db.transaction(write=False) as tx:
        found = tx.value(sql, (*run_ids, skip - 1))
    return None if found is None else int(found)


def _range(tx: Transaction, list_id: int, number: str) -> tuple[str, str, tuple[int | str, ...]]:
    if not number:
        return f"record {tx.by_index('record_by_list_id_id')}", "list_id = %s", (list_id,)
    end = number[:-1] + chr(ord(number[-1]) + 1)
    where = "list_id = %s AND number >= %s AND number < %s"
    return f"record {tx.by_index('record_by_list_id_number')}", where, (list_id, number, end)
