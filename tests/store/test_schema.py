"""Models, migrations, DDL files and the data dictionary say the same."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.store.conftest import NOW
from wombat_ari.model.errors import StoreError
from wombat_ari.store import ddl, migrations
from wombat_ari.store.database import Database, open_database
from wombat_ari.store.migrations import SchemaState, migrate, require_current, schema_state
from wombat_ari.store.tables import ALL

SQL = Path(__file__).parents[2] / "sql"


def schema(db: Database) -> dict[str, Any]:
    """All that a database says of its tables, in a form that can be compared."""
    with db.transaction(write=False) as tx:
        if tx.kind == "sqlite":
            rows = tx.rows("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%%'")
            return {name: str(sql).replace("IF NOT EXISTS ", "").split() for name, sql in rows}
        tables = [row[0] for row in tx.rows("SHOW TABLES")]
        shown = {name: str((tx.row(f"SHOW CREATE TABLE {name}") or ("", ""))[1]) for name in tables}
        return {name: [w for w in text.split() if not w.startswith("AUTO_INCREMENT=")] for name, text in shown.items()}


def test_migrations_make_what_the_models_say(database: Database, new_url: Callable[[], str]) -> None:
    other = open_database(new_url())
    with other.transaction() as tx:
        for statement in ddl.statements(tx.kind):
            tx.run(statement)
    assert schema(database) == schema(other)
    other.close()


def test_the_files_are_up_to_date(tmp_path: Path) -> None:
    ddl.write(tmp_path)
    for name in ("schema.mysql.sql", "schema.sqlite.sql", "README.md"):
        assert (SQL / name).read_text() == (tmp_path / name).read_text(), "run: python3 -m wombat_ari.store.ddl sql"


def test_every_table_and_column_is_described() -> None:
    for table in ALL:
        assert len(table.meaning) > 10, table
        for field in ddl.columns(table):
            assert field.help_text, f"{table._meta.table_name}.{field.name}"
            assert f"| {field.column_name} |" in ddl.dictionary()


def test_names_need_no_quotes(database: Database) -> None:
    """So that people can type them: no reserved word of either database is a table or a column."""
    with database.transaction(write=False) as tx:
        for table in ALL:
            names = ", ".join(field.column_name for field in ddl.columns(table))
            assert tx.rows(f"SELECT {names} FROM {table._meta.table_name} WHERE 1 = 0") == []


def test_migrating_is_done_once(empty: Database) -> None:
    assert schema_state(empty) == SchemaState(0, migrations.LATEST)
    assert not schema_state(empty).current
    with pytest.raises(StoreError, match="run 'wombat-ari init'"):
        require_current(empty)
    assert migrate(empty, now=NOW) == SchemaState(migrations.LATEST, migrations.LATEST)
    with empty.transaction() as tx:
        first = tx.value("SELECT next_id FROM id_block")
        assert tx.rows("SELECT version, name, applied_at FROM schema_version") == [(1, "m0001_initial", NOW)]
    assert first == int((NOW - 1735689600) * 1000)
    assert migrate(empty, now=NOW + 99).current
    with empty.transaction() as tx:
        assert tx.value("SELECT next_id FROM id_block") == first


def test_an_interrupted_migration_is_gone_on_with(empty: Database) -> None:
    with empty.transaction() as tx:
        for statement in ddl.statements(tx.kind)[:9]:
            tx.run(statement)
    assert migrate(empty, now=NOW).current


def test_a_newer_schema_is_refused(database: Database) -> None:
    with database.transaction() as tx:
        tx.run("INSERT INTO schema_version (version, name, applied_at) VALUES (99, 'later', 0)")
    for action in (lambda: migrate(database, now=NOW), lambda: require_current(database)):
        with pytest.raises(StoreError, match="has version 99, this program knows 1: start the newer program") as caught:
            action()
        assert not caught.value.transient


def test_two_that_start_at_once(new_url: Callable[[], str]) -> None:
    url = new_url()
    found: list[object] = []

    def start() -> None:
        db = open_database(url)
        try:
            found.append(migrate(db, now=NOW))
        except Exception as error:
            found.append(error)
        db.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [SchemaState(migrations.LATEST, migrations.LATEST)] * 4


def test_migrations_are_numbered_without_a_gap() -> None:
    for number, name in enumerate(migrations.MODULES, start=1):
        assert name.startswith(f"m{number:04d}_")
    folder = Path(migrations.__file__).parent
    modules = {path.stem for path in folder.glob("m????_*.py")} - {"m0001_mysql", "m0001_sqlite"}
    assert modules == set(migrations.MODULES)
