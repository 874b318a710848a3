"""Our spelling of values for MySQL is the driver's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from MySQLdb.connections import Connection as DriversOwn

from tools.provision.mariadb import MariaDBInstance
from wombat_ari.model.states import CallState
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
