"""Opens a database by URL and lends its connection for one transaction at a time.

One connection a thread, made when first needed and made again after a loss. ``transaction()`` is the only door to
SQL: it begins, hands out a ``Transaction``, and commits; any error rolls back and comes out as a ``StoreError`` that
says why. SQL is written with ``%s`` and works on both databases.

SQLite: WAL; ``synchronous=FULL``, so that a commit survives a power cut and not only a killed process (what was
answered "OK" stays). Writers begin IMMEDIATE, so two of them queue instead of failing half-way; threads of one process
take turns by a lock, since SQLite itself lets them wait by looking again and again. MySQL: READ COMMITTED, strict mode,
UTC, and time-outs so that a frozen server is noticed.
"""

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import peewee

from wombat_ari.model.errors import StoreError
from wombat_ari.store import engines
from wombat_ari.store.faults import StoreFault, fault_of
from wombat_ari.store.secrets import SecretBox

Row = tuple[Any, ...]


_STATEMENT_BYTES = 1 << 20  #: of one INSERT of many rows; the server takes 16 MB


@lru_cache(maxsize=512)
def _question_marks(sql: str) -> str:
    return sql.replace("%s", "?").replace("%%", "%")


@lru_cache(maxsize=512)
def _has_no_constant(sql: str) -> bool:
    _, values, row = sql.partition(" VALUES ")
    return not values or not row.strip("(%s, )")


def marks(count: int) -> str:
    """``3`` -> ``%s,%s,%s``: for an IN list."""
    return ",".join(["%s"] * count)


class Transaction:
    """SQL inside one transaction. Made by ``Database.transaction`` only."""

    __slots__ = ("_cursor", "kind", "peewee", "secrets")

    def __init__(self, database: peewee.Database, kind: str, secrets: SecretBox) -> None:
        self.peewee = database
        self.secrets = secrets
        self.kind = kind
        self._cursor = database.connection().cursor()
        if kind == "mysql":
            self._cursor.max_stmt_length = _STATEMENT_BYTES

    def _spell(self, sql: str) -> str:
        return _question_marks(sql) if self.kind == "sqlite" else sql

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Execute; returns how many rows matched."""
        self._cursor.execute(self._spell(sql), params)
        return int(self._cursor.rowcount)

    def insert(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Execute one INSERT; returns the id it made."""
        self._cursor.execute(self._spell(sql), params)
        return int(self._cursor.lastrowid)

    def many(self, sql: str, rows: Sequence[Row]) -> None:
        """Execute for each row; ``INSERT ... VALUES`` goes out as statements of many rows. Its values are all given in
        the rows: with a constant among them mysqlclient would send a statement for each."""
        if rows:
            assert _has_no_constant(sql), sql
            self._cursor.executemany(self._spell(sql), rows)

    def update_each(self, table: str, key: str, *, columns: Sequence[str], assign: str, rows: Sequence[Row]) -> int:
        """Update many rows, each to values of its own, in one statement; returns how many matched.

        The rows are a table ``v`` with these columns, the first of which is matched with ``key``. ``assign`` must give
        the same whatever the order of its parts. At most some hundred rows.
        """
        if not rows:
            return 0
        named = ", ".join(f"%s AS {column}" for column in columns)
        source = f"SELECT {named}" + f" UNION ALL SELECT {marks(len(columns))}" * (len(rows) - 1)
        match = f"{table}.{key} = v.{columns[0]}"
        if self.kind == "sqlite":
            sql = f"UPDATE {table} SET {assign} FROM ({source}) v WHERE {match}"
        else:
            sql = f"UPDATE {table} JOIN ({source}) v ON {match} SET {assign}"
        return self.run(sql, [value for row in rows for value in row])

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        self._cursor.execute(self._spell(sql), params)
        return list(self._cursor.fetchall())

    def row(self, sql: str, params: Sequence[Any] = ()) -> Row | None:
        self._cursor.execute(self._spell(sql), params)
        return self._cursor.fetchone()

    def value(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """First column of the first row, None when there is no row."""
        row = self.row(sql, params)
        return None if row is None else row[0]

    def dicts(self, query: Any) -> list[dict[str, Any]]:
        """Rows of a peewee select as dictionaries."""
        return list(query.dicts().execute(self.peewee))

    def first(self, query: Any) -> dict[str, Any] | None:
        found = self.dicts(query.limit(1))
        return found[0] if found else None

    def do(self, query: Any) -> Any:
        """Execute a peewee insert (returns the id), update or delete (returns the row count)."""
        return query.execute(self.peewee)

    def by_index(self, name: str) -> str:
        """After a table's name: this index and no other, whatever the optimizer believes of its statistics."""
        return f"INDEXED BY {name}" if self.kind == "sqlite" else f"FORCE INDEX ({name})"

    @property
    def straight_join(self) -> str:
        """A JOIN that is made in the order in which it is written, whatever the optimizer believes."""
        return "CROSS JOIN" if self.kind == "sqlite" else "STRAIGHT_JOIN"

    @property
    def for_update(self) -> str:
        """Appended to a SELECT whose rows are changed next; SQLite locks the whole file anyway."""
        return "" if self.kind == "sqlite" else " FOR UPDATE"


class Database:
    """A database and the key to its secrets. Shared by all threads."""

    def __init__(self, handle: peewee.Database, *, kind: str, name: str, secrets: SecretBox) -> None:
        self._handle = handle
        self.kind = kind  #: ``sqlite`` or ``mysql``
        self.name = name  #: for people, without the password
        self.secrets = secrets
        self._open = threading.local()
        self._turn: AbstractContextManager[Any] = threading.RLock() if kind == "sqlite" else nullcontext()

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[Transaction]:
        """Begin, hand out, commit. On an error: roll back and raise it, a driver's error as StoreError."""
        joint = getattr(self._open, "joint", None)
        if joint is not None:
            yield joint
            return
        with self._turn if write else nullcontext(), self._transaction(write) as tx:
            yield tx

    @contextmanager
    def together(self) -> Iterator[None]:
        """Store functions that this thread calls inside share one transaction: all that they write is kept, or, when
        one of them fails, nothing. The caller must let that error through. One inside another is part of it.
        """
        with self.transaction() as tx:
            around = getattr(self._open, "joint", None)
            self._open.joint = tx
            try:
                yield
            finally:
                self._open.joint = around

    @contextmanager
    def _transaction(self, write: bool) -> Iterator[Transaction]:
        self._begin(write)
        self._open.now = True
        try:
            yield Transaction(self._handle, self.kind, self.secrets)
            self._execute("COMMIT")
        except BaseException as error:
            fault = fault_of(error, self.name)
            self._roll_back(lost=fault is not None and fault.lost)
            if fault is None:
                raise
            raise fault from error
        finally:
            self._open.now = False

    def is_alive(self) -> float:
        """Ask the database a real question; returns how long it took in ms. StoreError when it does not answer."""
        began = time.perf_counter()
        with self.transaction(write=False) as tx:
            tx.value("SELECT COUNT(*) FROM schema_version")
        return (time.perf_counter() - began) * 1000.0

    def close(self) -> None:
        """Close this thread's connection. Other threads close their own, or it ends with them."""
        with suppress(Exception):
            if not self._handle.is_closed():
                self._handle.close()

    def _begin(self, write: bool) -> None:
        """A connection that was lost while idle is made again once, unseen by the caller."""
        if getattr(self._open, "now", False):
            raise RuntimeError("a store function was called inside the transaction of another")
        if not self._handle.is_closed() and self._try_begin(write) is None:
            return
        self.close()
        fault = self._try_begin(write)
        if fault is not None:
            self.close()
            raise fault

    def _try_begin(self, write: bool) -> StoreFault | None:
        try:
            if self._handle.is_closed():
                self._handle.connect()
            self._execute(engines.BEGIN[self.kind, write])
        except Exception as error:
            fault = fault_of(error, self.name)
            if fault is None:
                raise
            if not fault.lost:
                self._roll_back(lost=False)
                raise fault from error
            return fault
        return None

    def _execute(self, sql: str) -> None:
        self._handle.connection().cursor().execute(sql)

    def _roll_back(self, *, lost: bool) -> None:
        if not lost:
            try:
                self._execute("ROLLBACK")
            except Exception as error:  # noqa: BLE001 - a connection that cannot roll back is dropped, which rolls back
                lost = not (isinstance(error, sqlite3.OperationalError) and "no transaction" in str(error))
        if lost:
            self.close()


def open_database(url: str, *, key_file: Path | None = None) -> Database:
    """``sqlite:///FILE`` (relative; a full path has four slashes) or ``mysql://USER:PASSWORD@HOST:PORT/NAME``.

    Nothing is connected yet: the first transaction of each thread does that. UserError when the URL cannot be read.
    """
    kind, name, handle = engines.engine_of(url)
    return Database(handle, kind=kind, name=name, secrets=SecretBox(key_file))


def chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Cut a stream into lists of at most ``size``."""
    batch: list[Any] = []
    for item in items:
        batch.append(item)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch


__all__ = ["Database", "Row", "StoreError", "Transaction", "chunks", "marks", "open_database"]
