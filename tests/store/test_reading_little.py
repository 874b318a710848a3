"""What is asked while calls are placed reads a few rows, however many there are: MariaDB tells how many it has read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.store.builders import add_campaign, add_list
from tests.store.conftest import NOW
from tests.store.test_claims import start
from tools.provision.mariadb import MariaDBInstance
from wombat_ari.store import claims, lists, reports, runs
from wombat_ari.store.database import Database, open_database
from wombat_ari.store.migrations import migrate

RECORDS = 3000
WANTED = 10

Ask = Callable[[Database, int, int], object]


@pytest.fixture(scope="module")
def crowded(mariadb: MariaDBInstance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, int, int]]:
    """A run, two thirds of whose list wait for a retry that is due, and a third of which is black-listed."""
    mariadb.create_database("crowded")
    db = open_database(mariadb.url("crowded"), key_file=tmp_path_factory.mktemp("crowded") / "key")
    migrate(db, now=NOW)
    list_id = add_list(db, "a", [str(n) for n in range(RECORDS)])
    black = add_list(db, "black", [str(n) for n in range(0, RECORDS, 3)])
    run_id = start(db, add_campaign(db, normal=[list_id], black=[black]).id)
    with db.transaction() as tx:
        retry = "INSERT INTO open_retry (run_id, record_id, due_at, attempt) SELECT %s, id, %s - id, 2 FROM record"
        tx.run(f"{retry} WHERE list_id = %s AND id <= %s", (run_id, NOW, list_id, RECORDS * 2 // 3))
        tx.run("UPDATE run_list SET high_water = %s, taken = %s", (RECORDS * 2 // 3, RECORDS * 2 // 3))
    yield db, list_id, run_id
    db.close()
    mariadb.drop_database("crowded")


@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.parametrize(
    "ask",
    [
        lambda db, _, run: claims.take(db, run, fresh=0, retries=WANTED, now=NOW),
        lambda db, _, run: claims.take(db, run, fresh=WANTED, retries=0, now=NOW),
        lambda db, _, run: reports.waiting_retries(db, run, limit=WANTED),
        lambda db, _, run: runs.run_lists(db, run),
        lambda db, a, _: runs.appended(db, [(a, RECORDS - WANTED)]),
        lambda db, a, _: lists.page_of_records(db, a, after=RECORDS - WANTED, limit=WANTED),
        lambda db, a, _: lists.page_of_records(db, a, number="1", after=2000, limit=WANTED),
        lambda db, a, _: lists.count_records(db, a),
    ],
    ids=["retries", "new", "waiting", "run lists", "appended", "page", "search", "count"],
)
def test_a_few_rows_are_read(crowded: tuple[Database, int, int], ask: Ask, analysed: bool) -> None:
    db, list_id, run_id = crowded
    if analysed:
        with db.transaction() as tx:
            tx.rows("ANALYZE TABLE record, open_retry, call_list, run_list")
    before = rows_read(db)
    ask(db, list_id, run_id)
    assert rows_read(db) - before < 30 * WANTED


def rows_read(db: Database) -> int:
    with db.transaction(write=False) as tx:
        return sum(int(count) for _, count in tx.rows("SHOW SESSION STATUS LIKE 'Handler_read%%'"))
