"""Models, migrations, DDL files and the data dictionary say the same."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.store.conftest import NOW
from wombat_ari.model.errors import StoreError
from wombat_ari.store import ddl, migrations
from wombat_ari.store.campaigns import load_campaign
from wombat_ari.store.database import Database, Transaction, open_database
from wombat_ari.store.migrations import SchemaState, migrate, require_current, schema_state
from wombat_ari.store.tables import ALL

SQL = Path(__file__).parents[2] / "sql"


def schema(db: Database) -> dict[str, Any]:
    """All that a database says of its tables, in a form that can be compared: the order of columns, and the defaults
    that a migration leaves behind on SQLite, make no difference."""
    with db.transaction(write=False) as tx:
        if tx.kind == "sqlite":
            names = [row[0] for row in tx.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: sqlite_table(tx, name) for name in names if not name.startswith("sqlite_")}
        tables = [row[0] for row in tx.rows("SHOW TABLES")]
        shown = {name: str((tx.row(f"SHOW CREATE TABLE {name}") or ("", ""))[1]) for name in tables}
        return {name: sorted(mysql_lines(text)) for name, text in shown.items()}


def sqlite_table(tx: Transaction, name: str) -> list[Any]:
    columns = sorted((row[1], row[2], row[3], row[5]) for row in tx.rows(f"PRAGMA table_info({name})"))
    keys = sorted(row[2:] for row in tx.rows(f"PRAGMA foreign_key_list({name})"))
    indexes = [
        (row[1], row[2], [column[2] for column in tx.rows(f"PRAGMA index_info({row[1]})")])
        for row in tx.rows(f"PRAGMA index_list({name})")
    ]
    return [columns, keys, sorted(indexes)]


def mysql_lines(text: str) -> list[str]:
    lines = [line.strip().rstrip(",") for line in text.splitlines()]
    return [" ".join(word for word in line.split() if not word.startswith("AUTO_INCREMENT=")) for line in lines]


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
        rows = tx.rows("SELECT version, name, applied_at FROM schema_version ORDER BY version")
        assert rows == [(number, name, NOW) for number, name in enumerate(migrations.MODULES, start=1)]
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
        with pytest.raises(
            StoreError, match=r"has version 99, this program knows \d+: start the newer program"
        ) as caught:
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


def test_rows_of_before_go_on(empty: Database) -> None:
    """What version 1 stored is there after the upgrade, with a value in each new column that means: as before."""
    with empty.transaction() as tx:
        import_module("wombat_ari.store.migrations.m0001_initial").apply(tx, now=NOW)
        tx.run("INSERT INTO schema_version (version, name, applied_at) VALUES (1, 'm0001_initial', 0)")
        marks = "0, 'x', 0, 'x', 1"
        tx.run(f"INSERT INTO call_list VALUES (1, 'numbers', 0, '', {marks})")
        tx.run("INSERT INTO record VALUES (7, 1, '5551', '{}', '{}')")
        tx.run(
            "INSERT INTO campaign VALUES (1, 'c', 10, 'RUNNABLE', 0, 100, 0, 86399, '1234567', '', 30000, 0, '', '', "
            f"'', '', 'NONE', '', '', '', '', 'NONE', '', {marks})"
        )
    assert migrate(empty, now=NOW).current
    campaign = load_campaign(empty, "c")
    assert (campaign.boost, campaign.variables, campaign.starts_paused) == (1.0, "", False)
    with empty.transaction() as tx:
        assert tx.row("SELECT number, wombatid, not_before FROM record WHERE id = 7") == ("5551", None, None)
        assert tx.row("SELECT name, records FROM call_list") == ("numbers", 1)
