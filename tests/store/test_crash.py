"""A dialer killed in mid-work (SIGKILL): what it had been told is durable is there, and the ledger holds."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.store.builders import add_campaign, add_list
from tests.store.conftest import NOW
from tests.store.test_claims import start
from wombat_ari.store import claims
from wombat_ari.store.database import open_database
from wombat_ari.store.ledger import check_ledger
from wombat_ari.store.migrations import migrate

WORKER = """
import sys
from tests.store.builders import result_of
from wombat_ari.model.calls import DialMark
from wombat_ari.store import claims, journal
from wombat_ari.store.database import open_database

url, run = sys.argv[1], int(sys.argv[2])
db = open_database(url)
while True:
    batch = claims.take(db, run, fresh=7, retries=3, now=2e9).claims
    claims.mark_requested(db, [DialMark(c.wombatid, 1, 1, 1) for c in batch[:5]], now=2e9)
    print("marked", *(c.wombatid for c in batch[:5]), flush=True)
    journal.write(db, [result_of(c, retry_in_s=c.wombatid % 2) for c in batch[:3]])
    print("logged", *(c.wombatid for c in batch[:3]), flush=True)
"""


def test_what_was_said_to_be_durable_survives_a_kill(new_url: Callable[[], str], tmp_path: Path) -> None:
    url = new_url()
    db = open_database(url, key_file=tmp_path / "key")
    migrate(db, now=NOW)
    run = start(db, add_campaign(db, normal=[add_list(db, "a", [str(n) for n in range(50_000)])]).id)
    for _ in range(3):
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, url, str(run)], stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
        assert worker.stdout is not None
        first = worker.stdout.readline()
        time.sleep(random.uniform(0.1, 0.5))
        worker.kill()
        said = [line.split() for line in [first, *worker.stdout] if line.endswith("\n")]
        worker.wait()
        assert len(said) > 1
        marked = {int(one) for word, *ids in said if word == "marked" for one in ids}
        logged = {int(one) for word, *ids in said if word == "logged" for one in ids}
        still = {a.claim.wombatid: a.requested_at for a in claims.open_attempts(db, run)}
        with db.transaction(write=False) as tx:
            in_log = {row[0] for row in tx.rows("SELECT wombatid FROM call_log")}
        assert logged <= in_log
        assert all(still.get(one) == 2e9 or one in in_log for one in marked)
        assert check_ledger(db, run).taken > 0
    db.close()
