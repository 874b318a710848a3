"""Every number once: whatever happens in whatever order, each commit leaves the ledger in balance.

A random dialer takes, marks, releases, writes states and results (some twice, some after a "crash" that lost its memory
and the connection) and now and then removes a run. Meanwhile somebody adds calls, for now and for later, with several
numbers, and puts numbers on the black list.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.builders import add_campaign, add_list, add_records, result_of
from tests.store.conftest import NOW
from tests.store.test_claims import start
from wombat_ari.model.calls import AddedCall, Amendment, CallProgress, CallResult, Claim, DialMark, NewCall
from wombat_ari.model.errors import StoreError
from wombat_ari.model.states import CallState, Outcome, RunState
from wombat_ari.store import calls, claims, harvest, journal, runs
from wombat_ari.store.database import Database, open_database
from wombat_ari.store.ledger import check_ledger, ledger
from wombat_ari.store.migrations import migrate

ACTIONS = ["take", "mark", "release", "progress", "result", "again", "crash", "remove", "add", "blacken", "amend"]
STEPS = st.lists(st.sampled_from(ACTIONS), max_size=25)


class RandomDialer:
    """Holds what a dialer remembers; the database holds the truth."""

    def __init__(self, url: str, key_file: Path, name: str) -> None:
        self._url, self._key_file = url, key_file
        self.db = open_database(url, key_file=key_file)
        numbers = [str(n) for n in range(30)]
        plain = add_list(self.db, f"plain {name}", numbers)
        self.black = add_list(self.db, f"black {name}", numbers[::7])
        campaign = add_campaign(self.db, name, normal=[plain], black=[self.black])
        self.run = start(self.db, campaign.id)
        self.now = NOW
        self.open: dict[int, Claim] = {}
        self.marked: set[int] = set()
        self.written: list[CallResult] = []
        self.promised: set[int] = set()
        self.live = True

    def step(self, action: str, chance: random.Random) -> None:
        self.now += chance.choice([0.0, 1.0, 30.0])
        getattr(self, action)(chance)
        check_ledger(self.db, self.run)

    def take(self, chance: random.Random) -> None:
        self._take(fresh=chance.randint(0, 4), retries=chance.randint(0, 3))

    def _take(self, *, fresh: int, retries: int) -> int:
        batch = claims.take(self.db, self.run, fresh=fresh, retries=retries, now=self.now)
        assert not self.open.keys() & {claim.wombatid for claim in batch.claims}
        numbers = {c.number for c in batch.claims if c.attempt == 1 or "MULTINUM1" in c.input_attributes}
        with self.db.transaction() as tx:
            assert not harvest.on_black_list(tx, [self.black], numbers)
        self.open.update({claim.wombatid: claim for claim in batch.claims})
        return len(batch.claims) + batch.blacklisted

    def mark(self, chance: random.Random) -> None:
        ids = self._some(chance)
        claims.mark_requested(self.db, [DialMark(i, 1, chance.randint(1, 2), 1) for i in ids], now=self.now)
        self.marked.update(ids)

    def release(self, chance: random.Random) -> None:
        ids = self._some(chance)
        claims.release(self.db, ids)
        self.marked.difference_update(ids)

    def progress(self, chance: random.Random) -> None:
        states = [CallState.DIALLING, CallState.CONNECTED]
        journal.write(
            self.db, [CallProgress(i, chance.choice(states), self.now) for i in self.marked & self.open.keys()]
        )

    def result(self, chance: random.Random) -> None:
        outcomes = [Outcome.TERMINATED, Outcome.RS_BUSY]
        results = [
            result_of(self.open.pop(i), chance.choice(outcomes), at=self.now, retry_in_s=chance.choice([0, 20]))
            for i in self._some(chance)
        ]
        journal.write(self.db, results)
        self.written += results

    def again(self, chance: random.Random) -> None:
        if self.written:
            journal.write(self.db, chance.choices(self.written, k=3))

    def amend(self, chance: random.Random) -> None:
        """A late status decides again, perhaps written twice; also where the retry was taken or the run has ended."""
        if self.written:
            wombatid, code = chance.choice(self.written).claim.wombatid, chance.choice("abc")
            retry_in_s = chance.choice([0, 20, 40])
            amendment = Amendment(wombatid, code, {}, run_id=self.run, retry_in_s=retry_in_s)
            for _ in range(chance.randint(1, 2)):
                journal.write(self.db, [amendment])

    def crash(self, chance: random.Random) -> None:
        self.db.close()
        self.db = open_database(self._url, key_file=self._key_file)
        self.open = {found.claim.wombatid: found.claim for found in claims.open_attempts(self.db, self.run)}

    def remove(self, chance: random.Random) -> None:
        if chance.random() < 0.3:
            runs.set_run_state(self.db, self.run, state=RunState.REMOVED, now=self.now)
            self.live = False
            self.crash(chance)

    def add(self, chance: random.Random) -> None:
        new = [self._new_call(chance) for _ in range(chance.randint(1, 4))]
        for answer in calls.add_calls(self.db, new, now=self.now):
            assert isinstance(answer, AddedCall) is self.live
            if isinstance(answer, AddedCall):
                assert answer.wombatid not in self.promised
                self.promised.add(answer.wombatid)

    def blacken(self, chance: random.Random) -> None:
        add_records(self.db, self.black, [str(chance.randint(0, 60))])

    def settle_all(self) -> None:
        """Every record is closed, and every call that was promised is in the log under the id that was told."""
        for _ in range(100):
            self.now += 1000.0
            more = self._take(fresh=50, retries=50)
            journal.write(self.db, [result_of(claim, at=self.now) for claim in self.open.values()])
            self.open.clear()
            check_ledger(self.db, self.run)
            if not more:
                break
        counted = check_ledger(self.db, self.run)
        assert counted.taken == counted.closed == 30 + len(self.promised)
        with self.db.transaction(write=False) as tx:
            logged = {row[0] for row in tx.rows("SELECT wombatid FROM call_log WHERE run_id = %s", (self.run,))}
        assert self.promised <= logged

    def _new_call(self, chance: random.Random) -> NewCall:
        numbers = [str(chance.randint(0, 60)) for _ in range(4)]
        more = {f"MULTINUM{n}": numbers[n] for n in range(1, chance.randint(1, 4))}
        at = chance.choice([None, None, self.now, self.now + 0.5, self.now + 40])
        return NewCall(self.run, numbers[0], more, at)

    def _some(self, chance: random.Random) -> list[int]:
        return [i for i in self.open if chance.random() < 0.5]


@pytest.fixture
def made(new_url: Callable[[], str], tmp_path: Path) -> tuple[str, Path]:
    url = new_url()
    migrate(open_database(url), now=NOW)
    return url, tmp_path / "key"


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=STEPS, seed=st.integers(0, 2**32))
def test_the_ledger_holds_at_every_commit(made: tuple[str, Path], steps: list[str], seed: int) -> None:
    url, key_file = made
    dialer = RandomDialer(url, key_file, f"c{random.Random().getrandbits(60)}")
    chance = random.Random(seed)
    for action in steps:
        dialer.step(action, chance)
    if dialer.live:
        dialer.settle_all()
    with dialer.db.transaction(write=False) as tx:
        closed = tx.rows("SELECT record_id FROM call_log WHERE run_id = %s AND retry_in_s = 0", (dialer.run,))
    assert len(closed) == len(set(closed)), "a record was closed twice"
    dialer.db.close()


def test_a_wrong_counter_is_found(database: Database) -> None:
    run = start(database, add_campaign(database, normal=[add_list(database, "a", ["1"])]).id)
    claims.take(database, run, fresh=1, retries=0, now=NOW)
    assert check_ledger(database, run) == ledger(database, run)
    with database.transaction() as tx:
        tx.run("DELETE FROM attempt")
    with pytest.raises(StoreError, match="open_attempts=0"):
        check_ledger(database, run)
