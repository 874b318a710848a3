"""Our spelling of values for MySQL is the driver's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from MySQLdb.connections import Connection as DriversOwn

from tools.provision.mariadb import MariaDBInstance
from wombat_ari.model.states import CallState
from wombat_ari.store.database import open_database
from wombat_ari.store.mysql import Connection

VALUES = [
    *(0, -1, 2**63, True, False, None, 1.5, -0.0, 1e300, 0.1 + 0.2, Decimal("1.20"), b"\x00'\\", bytearray(b"x")),
    *(
        "",
        "plain",
        "O'Hara \\ \" % \x00 \n \x1a",
        "Zoë 😀",
        CallState.DIALLING,
        datetime(2026, 11, 24, tzinfo=UTC),
        [1, "a"],
    ),
]


@pytest.fixture(scope="module")
def connection(mariadb: MariaDBInstance) -> Iterator[Connection]:
    connection = Connection(host=mariadb.host, port=mariadb.port, user=mariadb.user, password=mariadb.password)
    connection.set_character_set("utf8mb4")
    yield connection
    connection.close()


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_is_spelled_as_the_driver_does(connection: Connection, value: Any) -> None:
    assert connection.literal(value) == DriversOwn.literal(connection, value)


def test_what_no_column_can_hold_is_refused_alike(connection: Connection) -> None:
    for literal in (connection.literal, lambda value: DriversOwn.literal(connection, value)):
        with pytest.raises(UnicodeEncodeError):
            literal("\ud800")


def test_many_rows_are_few_statements(connection: Connection) -> None:
    """mysqlclient sends a statement for each row when it sees a constant among the values."""
    database = f"m{uuid4().hex}"
    cursor = connection.cursor()
    cursor.execute(f"CREATE DATABASE {database}")
    try:
        cursor.execute(f"CREATE TABLE {database}.t (a INT, b INT)")
        rows = [(n, n) for n in range(100)]
        assert _statements(cursor, f"INSERT INTO {database}.t (a, b) VALUES (%s, %s)", rows) == 1
        assert _statements(cursor, f"INSERT INTO {database}.t (a, b) VALUES (%s, %s + 1)", rows) == len(rows)
    finally:
        cursor.execute(f"DROP DATABASE {database}")


def test_an_insert_of_many_rows_holds_no_constant(tmp_path: Path) -> None:
    db = open_database(f"sqlite:///{tmp_path}/x.db")
    with db.transaction() as tx:
        tx.run("CREATE TABLE t (a INT, b INT)")
        for values in ("(%s, 1)", "(%s, '')", "(%s, NULL)", "(%s, %s) ON CONFLICT DO NOTHING"):
            with pytest.raises(AssertionError):
                tx.many(f"INSERT INTO t (a, b) VALUES {values}", [(1,)])
        tx.many("INSERT INTO t (a, b) VALUES (%s, %s)", [(1, 2), (3, 4)])
        assert tx.rows("SELECT a, b FROM t ORDER BY a") == [(1, 2), (3, 4)]


def _statements(cursor: Any, sql: str, rows: list[tuple[int, int]]) -> int:
    def asked() -> int:
        cursor.execute("SHOW SESSION STATUS LIKE 'Com_insert'")
        return int(cursor.fetchone()[1])

    before = asked()
    cursor.executemany(sql, rows)
    return asked() - before
