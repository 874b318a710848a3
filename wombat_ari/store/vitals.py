"""What a database says of itself, for the doctor."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from wombat_ari.store.database import Database

_ASKED = (
    "character_set_database", "collation_database", "time_zone", "sql_mode", "innodb_flush_log_at_trx_commit",
    "max_connections", "datadir", "tx_isolation", "transaction_isolation",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vitals:
    """Texts as the database spells them. ``folder``: where its files are, None when that is not on this machine."""

    product: str  #: ``SQLite``, ``MariaDB``, ``MySQL``
    version: str
    charset: str
    time_zone: str  #: of our sessions; empty where there is none
    isolation: str  #: of our sessions, ``READ-COMMITTED``; SQLite: its journal mode
    durable: bool  #: what is committed survives a power cut
    connections: int  #: how many it takes, 0: no limit
    folder: Path | None


def vitals(db: Database) -> Vitals:
    """Asked in one transaction; StoreError when it does not answer."""
    return _sqlite(db) if db.kind == "sqlite" else _mysql(db)


def _sqlite(db: Database) -> Vitals:
    with db.transaction(write=False) as tx:
        encoding, mode = tx.value("PRAGMA encoding"), tx.value("PRAGMA journal_mode")
        durable = int(tx.value("PRAGMA synchronous")) >= 2
    folder = Path(db.name).parent
    return Vitals("SQLite", sqlite3.sqlite_version, str(encoding), "", str(mode).upper(), durable, 0, folder)


def _mysql(db: Database) -> Vitals:
    names = ", ".join(f"'{name}'" for name in _ASKED)
    with db.transaction(write=False) as tx:
        version = str(tx.value("SELECT VERSION()"))
        told = {str(row[0]): str(row[1]) for row in tx.rows(f"SHOW SESSION VARIABLES WHERE Variable_name IN ({names})")}
    folder = Path(told.get("datadir", "/nowhere"))
    return Vitals(
        product="MariaDB" if "mariadb" in version.lower() else "MySQL",
        version=version.partition("-")[0],
        charset=told.get("character_set_database", ""),
        time_zone=told.get("time_zone", ""),
        isolation=(told.get("transaction_isolation") or told.get("tx_isolation", "")).upper(),
        durable=told.get("innodb_flush_log_at_trx_commit") == "1",
        connections=int(told.get("max_connections", "0")),
        folder=folder if _is_here(db.name) and folder.is_dir() else None,
    )


def _is_here(name: str) -> bool:
    host = name.rpartition(" at ")[2].rpartition(":")[0]
    return host in ("localhost", "127.0.0.1", "::1")
