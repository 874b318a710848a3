"""Who appends to a list queues behind who appends to it already: no record becomes visible behind a run's position."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import pytest

from tests.store.builders import BY, add_campaign, add_list
from tests.store.conftest import NOW
from tests.store.test_claims import start
from wombat_ari.model.entities import Record
from wombat_ari.store import claims, lists
from wombat_ari.store.database import Database, Row, Transaction

LIMIT_S = 10.0
WAITING = "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"

Append = Callable[[Database, int], object]


def imported(db: Database, list_id: int, *, dedupe: bool = False) -> object:
    return lists.import_native(db, list_id, source="101\n102\n", by=BY, now=NOW, dedupe=dedupe)


def appended(db: Database, list_id: int) -> object:
    return lists.save_record(db, Record(None, list_id, "101"), by=BY, now=NOW)


@pytest.mark.parametrize(
    ("second", "numbers"),
    [
        (appended, ["101", "102", "101"]),
        (imported, ["101", "102", "101", "102"]),
        (partial(imported, dedupe=True), ["101", "102"]),
    ],
    ids=["append", "import", "import without duplicates"],
)
def test_an_import_that_commits_late_loses_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch, second: Append, numbers: list[str]
) -> None:
    list_id = add_list(database, "a")
    run_id = start(database, add_campaign(database, normal=[list_id]).id)
    inserted, go = threading.Event(), threading.Event()
    many = Transaction.many

    def slow(tx: Transaction, sql: str, rows: Sequence[Row]) -> None:
        many(tx, sql, rows)
        if threading.current_thread() is first:
            inserted.set()
            go.wait(LIMIT_S)

    monkeypatch.setattr(Transaction, "many", slow)
    first = threading.Thread(target=imported, args=(database, list_id))
    other = threading.Thread(target=second, args=(database, list_id))
    first.start()
    assert inserted.wait(LIMIT_S)
    other.start()
    # On SQLite the second waits for the whole database; so would the claim.
    early = taken(database, run_id) if database.kind == "mysql" and through_or_waiting(database, other) else []
    go.set()
    first.join(LIMIT_S)
    other.join(LIMIT_S)
    assert lists.count_records(database, list_id) == len(numbers)
    assert early + taken(database, run_id) == numbers


def taken(db: Database, run_id: int) -> list[str]:
    return [claim.number for claim in claims.take(db, run_id, fresh=10, retries=0, now=NOW).claims]


def through_or_waiting(db: Database, thread: threading.Thread) -> bool:
    until = time.monotonic() + LIMIT_S
    while thread.is_alive() and time.monotonic() < until:
        with db.transaction(write=False) as tx:
            if tx.value(WAITING):
                break
        time.sleep(0.15)  # asked more often than each 0.1 s the server answers the same again
    return True
