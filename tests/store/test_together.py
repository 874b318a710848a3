"""Claims, marks, results, imports, edits, pauses and reports at the same time: nobody deadlocks, the ledger holds."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.store.builders import BY, add_campaign, add_list, result_of
from tests.store.conftest import NOW
from tests.store.test_claims import start
from wombat_ari.model.calls import Claim, DialMark
from wombat_ari.model.states import Outcome
from wombat_ari.store import claims, journal, lists, reports, runs
from wombat_ari.store.database import Database, open_database
from wombat_ari.store.ledger import check_ledger
from wombat_ari.store.migrations import migrate

SECONDS = 1.5


class Crowd:
    """Each worker has a thread and so a connection of its own."""

    def __init__(self, db: Database, run_ids: list[int], list_id: int) -> None:
        self.db, self.runs, self.list_id = db, run_ids, list_id
        self.claimed: queue.Queue[Claim] = queue.Queue()
        self.until = time.monotonic() + SECONDS
        self.errors: list[BaseException] = []
        self.turns: dict[str, int] = {}

    def work(self, name: str, step: Callable[[int], None]) -> threading.Thread:
        def loop() -> None:
            turn = 0
            try:
                while time.monotonic() < self.until:
                    step(turn)
                    turn += 1
            except BaseException as error:
                self.errors.append(error)
            self.turns[name] = turn
            self.db.close()

        thread = threading.Thread(target=loop, name=name)
        thread.start()
        return thread

    def take(self, turn: int) -> None:
        run_id = self.runs[turn % len(self.runs)]
        for claim in claims.take(self.db, run_id, fresh=20, retries=20, now=NOW + turn).claims:
            self.claimed.put(claim)
        time.sleep(0.002)

    def dial(self, turn: int) -> None:
        batch: list[Claim] = []
        with suppress(queue.Empty):
            while len(batch) < 30:
                batch.append(self.claimed.get(timeout=0.01))
        if batch:
            claims.mark_requested(self.db, [DialMark(c.wombatid, 1, 1, 1) for c in batch], now=NOW)
            results = [result_of(c, Outcome.RS_BUSY, at=NOW, retry_in_s=c.wombatid % 2) for c in reversed(batch)]
            journal.write(self.db, [replace(r, output_attributes={"TURN": str(turn)}) for r in results])

    def append(self, turn: int) -> None:
        text = "\n".join(str(10**6 + turn * 50 + n) for n in range(50))
        lists.import_native(self.db, self.list_id, source=text, by=BY, now=NOW, dedupe=True)
        time.sleep(0.005)

    def edit(self, turn: int) -> None:
        for record in lists.page_of_records(self.db, self.list_id, limit=5):
            lists.save_record(self.db, replace(record, input_attributes={"T": str(turn)}), by=BY, now=NOW)
        runs.pause_run_list(self.db, self.runs[0], list_id=self.list_id, paused=turn % 2 == 1)
        time.sleep(0.005)

    def watch(self, turn: int) -> None:
        reports.statistics(self.db, self.runs)
        runs.run_lists(self.db, self.runs[turn % 2])
        time.sleep(0.005)


@pytest.mark.parametrize("attempt", range(2))
def test_everything_at_once(new_url: Callable[[], str], tmp_path: Path, attempt: int) -> None:
    db = open_database(new_url(), key_file=tmp_path / "key")
    migrate(db, now=NOW)
    list_id = add_list(db, "a", [str(n) for n in range(2000)])
    black = add_list(db, "no", [str(n) for n in range(0, 2000, 50)])
    run_ids = [start(db, add_campaign(db, name, normal=[list_id], black=[black]).id) for name in ("one", "two")]
    crowd = Crowd(db, run_ids, list_id)
    steps = [crowd.take, crowd.dial, crowd.dial, crowd.append, crowd.edit, crowd.watch]
    threads = [crowd.work(f"{step.__name__}{n}", step) for n, step in enumerate(steps)]
    for thread in threads:
        thread.join(30)
    assert not crowd.errors
    assert len(crowd.turns) == len(steps)
    assert all(turns >= 1 for turns in crowd.turns.values()), crowd.turns
    for run_id in run_ids:
        assert check_ledger(db, run_id).attempts > 50
    kept = lists.count_records(db, list_id)
    with db.transaction(write=False) as tx:
        assert tx.value("SELECT COUNT(*) FROM record WHERE list_id = %s", (list_id,)) == kept > 2000
    db.close()
