"""Numbered migrations and the one way to apply them.

Rules of the place: a module ``mNNNN_name`` with ``apply(tx, *, now)``; numbers have no gap; once released a migration
never changes (it spells its SQL out and does not use the models). SQLite runs all that is missing in one transaction.
MySQL commits at each DDL statement, so a migration there must be able to run again over what an interrupted one left
(``IF NOT EXISTS``), and a named lock keeps a second process waiting.
"""

from dataclasses import dataclass
from importlib import import_module

from wombat_ari.model.errors import StoreError
from wombat_ari.store.database import Database, Transaction

MODULES = (
    "m0001_initial", "m0002_outside", "m0003_list_records", "m0004_sessions", "m0005_system_log", "m0006_sealed_urls",
    "m0007_flow_end_points",
)  # fmt: skip
LATEST = len(MODULES)
_LOCK_WAIT_S = 60
_TABLES = {
    "sqlite": "sqlite_master WHERE name",
    "mysql": "information_schema.tables WHERE table_schema = DATABASE() AND table_name",
}


@dataclass(frozen=True, slots=True)
class SchemaState:
    """``version`` of the database (0: no tables yet) beside the ``known`` one of this program."""

    version: int
    known: int

    @property
    def current(self) -> bool:
        return self.version == self.known


def schema_state(db: Database) -> SchemaState:
    with db.transaction(write=False) as tx:
        return SchemaState(_version(tx), LATEST)


def migrate(db: Database, *, now: float) -> SchemaState:
    """Apply what is missing. StoreError when the database is of a newer program. Two may start at once."""
    if schema_state(db).version < LATEST:
        with db.transaction() as tx:
            _lock(tx)
            try:
                _apply_missing(tx, now)
            finally:
                _unlock(tx)
    return require_current(db)


def require_current(db: Database) -> SchemaState:
    """StoreError unless the schema is exactly the one this program knows: the dialer does not start on another."""
    state = schema_state(db)
    if state.version > state.known:
        raise StoreError(
            f"database {db.name}: its schema has version {state.version}, this program knows {state.known}: "
            "start the newer program, or restore the database from before its upgrade",
            code="store_schema_newer",
        )
    if not state.current:
        raise StoreError(
            f"database {db.name}: its schema has version {state.version}, {state.known} is needed: "
            "run 'wombat-ari init'",
            code="store_schema",
        )
    return state


def _apply_missing(tx: Transaction, now: float) -> None:
    for number in range(_version(tx) + 1, LATEST + 1):
        name = MODULES[number - 1]
        import_module(f"{__name__}.{name}").apply(tx, now=now)
        tx.run("INSERT INTO schema_version (version, name, applied_at) VALUES (%s, %s, %s)", (number, name, now))


def _version(tx: Transaction) -> int:
    found = tx.value(f"SELECT COUNT(*) FROM {_TABLES[tx.kind]} = 'schema_version'")
    return int(tx.value("SELECT COALESCE(MAX(version), 0) FROM schema_version")) if found else 0


def _lock(tx: Transaction) -> None:
    """MySQL only: BEGIN IMMEDIATE did it on SQLite."""
    if tx.kind != "mysql":
        return
    if tx.value("SELECT GET_LOCK(CONCAT('wombat_ari ', LEFT(DATABASE(), 50)), %s)", (_LOCK_WAIT_S,)) != 1:
        raise StoreError(
            "another process is upgrading the schema and did not end within a minute: try again when it has",
            code="store_locked",
            transient=True,
        )


def _unlock(tx: Transaction) -> None:
    if tx.kind == "mysql":
        tx.value("SELECT RELEASE_LOCK(CONCAT('wombat_ari ', LEFT(DATABASE(), 50)))")
