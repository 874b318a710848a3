"""The two kinds of database, as peewee databases with our settings, made from a URL.

MySQL goes through mysqlclient whatever else is installed. Options after ``?`` in a ``mysql://`` URL: ``socket`` (path),
``connect_timeout``, ``read_timeout``, ``write_timeout`` (seconds), ``ssl_ca`` (file).
"""

import sqlite3
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import peewee

from wombat_ari.model.errors import UserError

BUSY_TIMEOUT_S = 10
CONNECT_TIMEOUT_S = 5
ANSWER_TIMEOUT_S = 30

BEGIN = {
    ("sqlite", True): "BEGIN IMMEDIATE",
    ("sqlite", False): "BEGIN",
    ("mysql", True): "START TRANSACTION",
    ("mysql", False): "START TRANSACTION READ ONLY",
}

SQL_MODE = "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"

_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    "busy_timeout": BUSY_TIMEOUT_S * 1000,
    "cache_size": -16000,
    "temp_store": "memory",
}

_TIMEOUTS = ("connect_timeout", "read_timeout", "write_timeout")


class SqliteFile(peewee.SqliteDatabase):
    """peewee's, with a folder check that says what is wrong."""

    def _connect(self) -> Any:
        folder = Path(self.database).parent
        if not folder.is_dir():
            error = sqlite3.OperationalError(f"there is no folder {folder} for {Path(self.database).name}")
            error.sqlite_errorname = "SQLITE_CANTOPEN"
            raise error
        return super()._connect()  # type: ignore[misc]


class MysqlServer(peewee.MySQLDatabase):
    """peewee's, always on mysqlclient, each connection set up as the store expects it."""

    def _connect(self) -> Any:
        from MySQLdb.constants import CLIENT

        from wombat_ari.store.mysql import Connection

        connection = Connection(
            database=self.database, autocommit=True, client_flag=CLIENT.FOUND_ROWS, **self.connect_params
        )
        cursor = connection.cursor()
        cursor.execute(
            f"SET time_zone = '+00:00', sql_mode = '{SQL_MODE}', innodb_lock_wait_timeout = {BUSY_TIMEOUT_S}"
        )
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        cursor.close()
        return connection


def engine_of(url: str) -> tuple[str, str, peewee.Database]:
    """Kind, name for people, and the peewee database (not connected) of a URL. UserError when it cannot be read."""
    makers = {"sqlite": _sqlite, "mysql": _mysql, "mariadb": _mysql}
    maker = makers.get(url.partition("://")[0])
    if maker:
        kind, name, engine = maker(url)
        # peewee connects one thread at a time; with a server that does not answer, each would wait for all before it
        engine._lock = nullcontext()  # type: ignore[attr-defined]
        return kind, name, engine
    raise UserError(
        "database URL: it must begin with sqlite:/// or mysql:// (sqlite:///FILE, mysql://USER:PASSWORD@HOST:PORT/NAME)"
    )


def _sqlite(url: str) -> tuple[str, str, peewee.Database]:
    path = unquote(url.removeprefix("sqlite:///"))
    if not url.startswith("sqlite:///") or not path or path == ":memory:":
        raise UserError("database URL: sqlite:///FILE needs the name of a file (a full path has four slashes)")
    path = str(Path(path).absolute())
    return "sqlite", path, SqliteFile(path, pragmas=_PRAGMAS, timeout=BUSY_TIMEOUT_S, autoconnect=False)


def _mysql(url: str) -> tuple[str, str, peewee.Database]:
    try:
        parts = urlsplit(url)
        port = parts.port or 3306
    except ValueError as error:
        raise UserError(f"database URL: {error}") from None
    database = unquote(parts.path.lstrip("/"))
    if not parts.hostname or not database:
        raise UserError("database URL: mysql://USER:PASSWORD@HOST:PORT/NAME needs a host and the name of a database")
    params = _mysql_params(dict(parse_qsl(parts.query)))
    # the C library takes "localhost" for the UNIX socket and forgets the port
    host = "127.0.0.1" if parts.hostname == "localhost" and "unix_socket" not in params else parts.hostname
    name = f"{database} at {parts.hostname}:{port}"
    engine = MysqlServer(
        database, host=host, port=port, user=unquote(parts.username or ""), password=unquote(parts.password or ""),
        autoconnect=False, **params,
    )  # fmt: skip
    return "mysql", name, engine


def _mysql_params(options: dict[str, str]) -> dict[str, Any]:
    params: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT_S, "read_timeout": ANSWER_TIMEOUT_S}
    params["write_timeout"] = ANSWER_TIMEOUT_S
    for key, text in options.items():
        if key in _TIMEOUTS and text.isdecimal() and int(text) > 0:
            params[key] = int(text)
        elif key == "socket" and text:
            params["unix_socket"] = text
        elif key == "ssl_ca" and text:
            params["ssl"] = {"ca": text}
        else:
            raise UserError(
                f"database URL: option {key}={text} is not one of socket, ssl_ca, {', '.join(_TIMEOUTS)} (seconds)"
            )
    return params
