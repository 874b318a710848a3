"""Looks at a database while a dialer works on it, from a thread of its own: what must hold at every moment."""

from __future__ import annotations

import threading
import time

from wombat_ari.model.errors import StoreError
from wombat_ari.store import ledger
from wombat_ari.store.database import Database, open_database

TWICE = (
    "SELECT run_id, record_id, COUNT(*) FROM "
    "(SELECT run_id, record_id FROM attempt UNION ALL SELECT run_id, record_id FROM open_retry) open_ones "
    "GROUP BY run_id, record_id HAVING COUNT(*) > 1"
)


class Watcher:
    """``faults`` is what was wrong, ``looks`` how often it looked, ``away`` how often the database was not there."""

    def __init__(self, url: str, *, every: float = 0.3) -> None:
        self.faults: list[str] = []
        self.looks = self.away = 0
        self._url = url
        self._every = every
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join(60)

    def _watch(self) -> None:
        database = open_database(self._url)
        while not self._done.wait(self._every):
            try:
                self._look(database)
                self.looks += 1
            except StoreError as error:
                if not error.transient:
                    self.faults.append(f"{time.time():.3f} {error}")
                else:
                    self.away += 1
        database.close()

    def _look(self, database: Database) -> None:
        with database.transaction(write=False) as tx:
            if tx.kind == "mysql":
                # Of this connection, for its next transactions: all of one look is of one moment.
                tx.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            runs = [run_id for (run_id,) in tx.rows("SELECT id FROM run")]
        for run_id in runs:
            ledger.check_ledger(database, run_id)
        with database.transaction(write=False) as tx:
            twice = tx.rows(TWICE)
        if twice:
            self.faults.append(f"{time.time():.3f} open twice (run, record, times): {twice}")
