"""Requests that were asked with a key of their own: what was answered, so that a repeated one is not done twice.

A row is written before a request is done and its answer after that. One without an answer is being done, or was being
done when its process ended: then nobody knows whether it was done, and it is not done again.
"""

from dataclasses import dataclass

from wombat_ari.model.errors import StoreError
from wombat_ari.store.database import Database

_STEP = 1000


@dataclass(frozen=True, slots=True)
class Repeat:
    """``status`` is 0 while there is no answer."""

    request_hash: str
    status: int
    answer: str


def begin(db: Database, login: str, key: str, *, request_hash: str, now: float, kept_s: float) -> Repeat | None:
    """None: it is the first, and noted. Else what is known of the first. One that is older than ``kept_s`` is none."""
    try:
        with db.transaction() as tx:
            tx.run(
                "DELETE FROM idempotency_key WHERE login = %s AND idempotency_key = %s AND created_at < %s",
                (login, key, now - kept_s),
            )
            tx.run(
                "INSERT INTO idempotency_key (login, idempotency_key, request_hash, status, answer, created_at) "
                "VALUES (%s, %s, %s, 0, '', %s)",
                (login, key, request_hash, now),
            )
        return None
    except StoreError as error:
        if error.code != "store_duplicate":
            raise
    with db.transaction(write=False) as tx:
        sql = "SELECT request_hash, status, answer FROM idempotency_key WHERE login = %s AND idempotency_key = %s"
        row = tx.row(sql, (login, key))
    return Repeat(request_hash, 0, "") if row is None else Repeat(*row)


def finish(db: Database, login: str, key: str, *, status: int, answer: str) -> None:
    with db.transaction() as tx:
        tx.run(
            "UPDATE idempotency_key SET status = %s, answer = %s WHERE login = %s AND idempotency_key = %s",
            (status, answer, login, key),
        )


def forget(db: Database, login: str, key: str) -> None:
    """Nothing was done: it may be asked again."""
    with db.transaction() as tx:
        tx.run("DELETE FROM idempotency_key WHERE login = %s AND idempotency_key = %s", (login, key))


def prune(db: Database, *, before: float) -> int:
    """Delete a step of what was asked before the moment; returns how many."""
    with db.transaction() as tx:
        sql = "SELECT login, idempotency_key FROM idempotency_key WHERE created_at < %s ORDER BY created_at LIMIT %s"
        rows = tx.rows(sql, (before, _STEP))
        tx.many("DELETE FROM idempotency_key WHERE login = %s AND idempotency_key = %s", rows)
        return len(rows)
