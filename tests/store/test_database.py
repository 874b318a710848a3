"""Opening, transactions, losses and what errors say."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import MySQLdb
import pytest

from tests.conftest import NewMariaDB
from tests.store.conftest import NOW
from wombat_ari.model.entities import CallList
from wombat_ari.model.errors import UserError
from wombat_ari.store import entities
from wombat_ari.store.database import Database, open_database
from wombat_ari.store.faults import StoreFault, fault_of
from wombat_ari.store.migrations import LATEST, migrate


def fails(action: Callable[[], object]) -> StoreFault:
    with pytest.raises(StoreFault) as caught:
        action()
    return caught.value


def begin(url: str) -> Callable[[], object]:
    db = open_database(url)
    return lambda: read_one(db)


def read_one(db: Database) -> object:
    with db.transaction(write=False) as tx:
        return tx.value("SELECT 1")


# Settings


def test_sessions_are_set_up(database: Database) -> None:
    with database.transaction() as tx:
        if tx.kind == "sqlite":
            wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10000}
            found = {name: tx.value(f"PRAGMA {name}") for name in wanted}
        else:
            wanted = {
                "time_zone": "+00:00", "character_set_client": "utf8mb4",
                "tx_isolation": "READ-COMMITTED",
            }  # fmt: skip
            found = {name: tx.value(f"SELECT @@session.{name}") for name in wanted}
            assert "STRICT_TRANS_TABLES" in str(tx.value("SELECT @@session.sql_mode"))
    assert found == wanted


def test_any_text_comes_back_as_it_was(database: Database) -> None:
    text = "Zoë 😀 \u2028 ' \" \\ % %s ? \x01 \n\r\n '' ; --"
    with database.transaction() as tx:
        columns = "name, hidden, security_key, records, created_at, created_by, changed_at, changed_by, version"
        values = "%s, 0, '', 0, 0.1, '', %s, '', 1"
        tx.run(f"INSERT INTO call_list ({columns}) VALUES ({values})", (text, NOW + 0.123456))
        assert tx.row("SELECT name, created_at, changed_at FROM call_list WHERE name = %s", (text,)) == (
            text, 0.1, NOW + 0.123456,
        )  # fmt: skip
        assert tx.value("SELECT COUNT(*) FROM call_list WHERE name LIKE 'Zo%%'") == 1


def test_is_alive_tells_the_access_time(database: Database) -> None:
    assert 0 < database.is_alive() < 5000


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgres://x/y", "must begin with sqlite:/// or mysql://"),
        ("sqlite:///", "needs the name of a file"),
        ("sqlite:///:memory:", "needs the name of a file"),
        ("sqlite://x", "needs the name of a file"),
        ("mysql://host", "needs a host and the name of a database"),
        ("mysql:///name", "needs a host and the name of a database"),
        ("mysql://u@h:99999/n", "Port out of range"),
        ("mysql://u@h/n?read_timeout=0", "option read_timeout=0 is not one of"),
        ("mysql://u@h/n?colour=blue", "option colour=blue is not one of"),
    ],
)
def test_wrong_urls(url: str, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        open_database(url)


def test_the_password_is_not_in_the_name() -> None:
    assert open_database("mysql://u:hunter2@db.example.org/wombat").name == "wombat at db.example.org:3306"


# Transactions


def test_an_error_rolls_back(database: Database) -> None:

    def stumble() -> None:
        with database.transaction() as tx:
            tx.run("DELETE FROM id_block")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stumble()
    with database.transaction() as tx:
        assert tx.value("SELECT COUNT(*) FROM id_block") == 1


def test_transactions_are_not_nested(database: Database) -> None:
    with database.transaction(), pytest.raises(RuntimeError, match="inside the transaction"), database.transaction():
        pass
    read_one(database)


def test_each_thread_has_its_connection(database: Database) -> None:
    seen: list[object] = []

    def work() -> None:
        for _ in range(20):
            with database.transaction() as tx:
                tx.run("UPDATE id_block SET next_id = next_id + 1")
        seen.append(database._handle.connection())
        database.close()

    with database.transaction() as tx:
        before = tx.value("SELECT next_id FROM id_block")
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.transaction() as tx:
        assert tx.value("SELECT next_id FROM id_block") == before + 80
    assert len({id(connection) for connection in seen}) == 4


def test_committed_rows_survive_without_a_close(new_url: Callable[[], str]) -> None:
    url = new_url()
    migrate(open_database(url), now=NOW)
    assert read_one(open_database(url)) == 1
    with open_database(url).transaction() as tx:
        assert tx.value("SELECT COUNT(*) FROM schema_version") == LATEST


# Errors


def test_wrong_values_are_not_transient(database: Database) -> None:
    wrong = [
        ("INSERT INTO id_block (name, next_id) VALUES ('wombatid', 5)", (), "store_duplicate"),
        ("INSERT INTO id_block (name, next_id) VALUES ('x', NULL)", (), "store_constraint"),
        ("INSERT INTO campaign_trunk (campaign_id, trunk_id, position) VALUES (9, 9, 0)", (), "store_constraint"),
        ("UPDATE id_block SET next_id = %s", (2**80,), "store_data"),
        ("UPDATE id_block SET name = %s", ("\ud800",), "store_data"),
        ("THIS IS NOT SQL", (), "store_sql"),
    ]  # fmt: skip
    for sql, params, code in wrong:

        def run(sql: str = sql, params: tuple = params) -> None:
            with database.transaction() as tx:
                tx.run(sql, params)

        fault = fails(run)
        assert (fault.code, fault.transient) == (code, False), sql
        assert database.name in str(fault)
    read_one(database)


def test_a_missing_table_is_the_schemas_fault(empty: Database) -> None:
    fault = fails(empty.is_alive)
    assert (fault.code, fault.transient) == ("store_schema", True)
    assert "wombat-ari init" in str(fault)


def test_a_missing_folder(tmp_path: Path) -> None:
    fault = fails(begin(f"sqlite:///{tmp_path}/missing/x.db"))
    assert (fault.code, fault.transient) == ("store_open", True)
    assert f"there is no folder {tmp_path}/missing" in str(fault)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("hello " * 1000)
    fault = fails(begin(f"sqlite:///{tmp_path}/x.db"))
    assert fault.code == "store_broken"


def test_a_locked_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    db, other = open_database(url), open_database(url)
    migrate(db, now=NOW)
    read_one(other)
    other._handle.execute_sql("PRAGMA busy_timeout = 50")
    with db.transaction():

        def write() -> None:
            with other.transaction():
                raise AssertionError("both write")

        fault = fails(write)
        assert (fault.code, fault.transient) == ("store_locked", True)
        read_one(other)  # readers go on
    with other.transaction() as tx:
        tx.run("DELETE FROM id_block")


def test_a_full_disk(tmp_path: Path) -> None:
    db = open_database(f"sqlite:///{tmp_path}/x.db")
    migrate(db, now=NOW)
    db._handle.execute_sql("PRAGMA max_page_count = 1")

    def write() -> None:
        with db.transaction() as tx:
            tx.many("INSERT INTO id_block (name, next_id) VALUES (%s, %s)", [(f"{n}" * 100, 1) for n in range(2000)])

    fault = fails(write)
    assert (fault.code, fault.transient) == ("store_full", True)
    db._handle.execute_sql("PRAGMA max_page_count = 100000")
    write()  # there is room again


def test_a_read_only_database(tmp_path: Path) -> None:
    db = open_database(f"sqlite:///{tmp_path}/x.db")
    migrate(db, now=NOW)

    def write() -> None:
        with db.transaction() as tx:
            tx.run("PRAGMA query_only = 1")
            tx.run("DELETE FROM id_block")

    fault = fails(write)
    assert (fault.code, fault.transient) == ("store_read_only", True)


@pytest.mark.parametrize(
    ("number", "text", "code", "transient"),
    [
        (2003, "Can't connect", "store_away", True),
        (2006, "Server has gone away", "store_lost", True),
        (2013, "Lost connection", "store_lost", True),
        (1040, "Too many connections", "store_away", True),
        (1045, "Access denied", "store_login", True),
        (1049, "Unknown database", "store_missing", True),
        (1146, "Table doesn't exist", "store_schema", True),
        (1021, "Disk full", "store_full", True),
        (1030, "Got error 28 from storage engine", "store_full", True),
        (1030, "Got error 168 from storage engine", "store", True),
        (1114, "The table is full", "store_full", True),
        (1205, "Lock wait timeout exceeded", "store_locked", True),
        (1213, "Deadlock found", "store_locked", True),
        (1290, "running with the --read-only option", "store_read_only", True),
        (1153, "packet bigger than 'max_allowed_packet'", "store_too_big", False),
        (1062, "Duplicate entry", "store_duplicate", False),
        (1452, "a foreign key constraint fails", "store_constraint", False),
        (1406, "Data too long", "store_data", False),
        (9999, "something new", "store", True),
    ],
)
def test_what_errors_of_the_server_mean(number: int, text: str, code: str, transient: bool) -> None:
    fault = fault_of(MySQLdb.OperationalError(number, text), "wombat at db")
    assert fault is not None
    assert (fault.code, fault.transient) == (code, transient)
    assert str(fault).startswith(f"database wombat at db: {text} ({number}); ")


def test_other_errors_are_not_the_databases() -> None:
    assert fault_of(ValueError("x"), "db") is None
    unknown = fault_of(MySQLdb.ProgrammingError(1064, "You have an error in your SQL syntax"), "db")
    assert unknown is not None
    assert (unknown.code, unknown.transient) == ("store_sql", False)


# The server


def test_refused_wrong_password_and_no_database(mariadb: object) -> None:
    url = mariadb.url("nowhere")  # type: ignore[attr-defined]
    credentials, _, place = url.removeprefix("mysql://").rpartition("@")
    address = place.partition("/")[0]
    user = credentials.partition(":")[0]
    cases = [
        (url, "store_missing", "create the database"),
        (f"mysql://{user}:wrong@{address}/mysql", "store_login", "check user and password"),
        (f"mysql://{credentials}@127.0.0.1:1/x", "store_away", "check that the database server runs"),
        (f"mysql://{credentials}@no.such.host.invalid/x", "store_away", "check that"),
    ]
    for wrong, code, advice in cases:
        fault = fails(begin(wrong))
        assert fault.transient, wrong
        if code == "store_missing" and fault.code == "store_login":
            continue  # a user without rights on other databases is told no more than that
        assert fault.code == code
        assert advice in str(fault)
        assert credentials not in str(fault)


def test_a_killed_connection_is_made_again(mariadb: object) -> None:
    mariadb.create_database("killed")  # type: ignore[attr-defined]
    url = mariadb.url("killed")  # type: ignore[attr-defined]
    db, other = open_database(url), open_database(url)
    with db.transaction() as tx:
        mine = tx.value("SELECT CONNECTION_ID()")
    with other.transaction() as tx:
        tx.run(f"KILL {mine}")
    with db.transaction() as tx:  # lost while idle: unseen
        again = tx.value("SELECT CONNECTION_ID()")
    assert again != mine

    def lose() -> None:
        with db.transaction() as tx:
            with other.transaction() as killer:
                killer.run(f"KILL {again}")
            time.sleep(0.2)
            tx.value("SELECT 1")

    fault = fails(lose)
    assert (fault.code, fault.transient, fault.lost) == ("store_lost", True, True)
    assert read_one(db) == 1


def test_a_restarted_and_a_frozen_server(new_mariadb: NewMariaDB) -> None:
    server = new_mariadb()
    server.create_database("x")
    db = open_database(server.url("x") + "?read_timeout=1&connect_timeout=1")
    migrate(db, now=NOW)
    server.stop()
    fault = fails(db.is_alive)
    assert (fault.code, fault.transient) == ("store_away", True)
    server.start()
    assert db.is_alive() > 0
    server.freeze()
    began = time.monotonic()
    assert fails(db.is_alive).transient
    assert time.monotonic() - began < 10
    server.thaw()
    assert db.is_alive() > 0


def test_what_is_done_together_is_kept_or_not_together(database: Database) -> None:
    def count() -> int:
        with database.transaction(write=False) as tx:
            return int(tx.value("SELECT COUNT(*) FROM call_list"))

    def make(name: str) -> None:
        entities.save_list(database, CallList(None, name), by="joe", now=NOW)

    def make_twice() -> None:
        with database.together():
            make("a")
            assert count() == 1, "what was written is seen inside"
            make("a")

    with pytest.raises(UserError, match="of that name already"):
        make_twice()
    assert count() == 0
    with database.together():
        make("a")
        make("b")
    assert count() == 2
    make("c")
    assert count() == 3
