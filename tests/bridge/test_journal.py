"""The journal: order, batches, retries, poison, a full one, the drain; on a virtual clock with a store that obeys."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher

from wombat_ari.bridge.journal import BATCH, LINGER_S, Journal
from wombat_ari.model.calls import CallProgress, SystemLogEntry
from wombat_ari.model.errors import StoreError
from wombat_ari.model.states import CallState


class Store:
    """What is written, and what goes wrong."""

    def __init__(self) -> None:
        self.batches: list[list[Any]] = []
        self.away = False
        self.poison: set[str] = set()
        self.slow: list[Deferred[None]] | None = None

    def write(self, batch: list[Any]) -> Deferred[None]:
        if self.away:
            return fail(StoreError("connection refused", transient=True))
        if any(getattr(entry, "action", None) in self.poison for entry in batch):
            return fail(StoreError("data too long"))
        self.batches.append(batch)
        if self.slow is not None:
            self.slow.append(Deferred())
            return self.slow[-1]
        return succeed(None)

    @property
    def written(self) -> list[str]:
        return [entry.action for batch in self.batches for entry in batch]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def journal(clock: Clock, store: Store) -> Journal:
    return Journal(clock, store.write, 1000)


def row(name: object) -> SystemLogEntry:
    return SystemLogEntry(0.0, "test", str(name), "thing")


def pump(clock: Clock, seconds: float) -> None:
    for _ in range(round(seconds / 0.1)):
        clock.advance(0.1)


def test_a_lone_row_lingers_for_company(clock: Clock, store: Store, journal: Journal) -> None:
    journal.add(row(1))
    journal.add(row(2))
    assert store.batches == []
    clock.advance(LINGER_S)
    assert len(store.batches) == 1
    assert store.written == ["1", "2"]
    assert journal.waiting == 0


def test_a_full_batch_goes_at_once_and_one_is_in_flight(clock: Clock, store: Store, journal: Journal) -> None:
    store.slow = []
    for n in range(BATCH * 2 + 5):
        journal.add(row(n))
    assert [len(batch) for batch in store.batches] == [BATCH]
    store.slow[0].callback(None)
    assert [len(batch) for batch in store.batches] == [BATCH, BATCH]
    store.slow[1].callback(None)
    clock.advance(LINGER_S)
    assert len(store.batches) == 3
    assert store.written == [str(n) for n in range(BATCH * 2 + 5)]


def test_rows_are_kept_in_order_while_the_database_is_away(clock: Clock, store: Store, journal: Journal) -> None:
    store.away = True
    for n in range(300):
        journal.add(row(n))
    pump(clock, 20)
    assert "refused" in journal.trouble
    assert journal.waiting == 300
    store.away = False
    pump(clock, 20)
    assert store.written == [str(n) for n in range(300)]
    assert journal.trouble == ""


def test_a_database_that_neither_answers_nor_breaks_is_said(clock: Clock, store: Store, journal: Journal) -> None:
    store.slow = []
    journal.add(row(1))
    clock.advance(LINGER_S)
    assert journal.says == ""
    clock.advance(7)
    assert journal.says == "the database has not answered for 7 s"
    store.slow[0].callback(None)
    assert journal.says == ""


def test_a_poison_row_is_left_out_and_harms_nobody(clock: Clock, store: Store, journal: Journal) -> None:
    events: list[dict[str, Any]] = []
    globalLogPublisher.addObserver(events.append)
    try:
        store.poison = {"7", "150"}
        for n in range(200):
            journal.add(row(n))
        pump(clock, 2)
    finally:
        globalLogPublisher.removeObserver(events.append)
    assert store.written == [str(n) for n in range(200) if n not in (7, 150)]
    assert journal.poisoned == 2
    assert journal.waiting == 0
    assert any("action='7'" in str(event.get("row")) for event in events), "the row is logged in full"


def test_trouble_in_the_middle_of_halving_loses_nothing(clock: Clock, store: Store, journal: Journal) -> None:
    writes = store.write
    calls = 0

    def sometimes(batch: list[Any]) -> Deferred[None]:
        nonlocal calls
        calls += 1
        store.away = calls in (3, 5, 6)
        return writes(batch)

    journal._write = sometimes
    store.poison = {"3"}
    for n in range(200):
        journal.add(row(n))
    pump(clock, 60)
    assert store.written == [str(n) for n in range(200) if n != 3]


def test_full_says_so(clock: Clock, store: Store, journal: Journal) -> None:
    store.away = True
    for n in range(999):
        journal.add(row(n))
    assert not journal.full
    journal.add(row("last"))
    assert journal.full
    store.away = False
    pump(clock, 30)
    assert not journal.full


def test_a_calls_newer_progress_replaces_its_older_one(clock: Clock, store: Store, journal: Journal) -> None:
    journal.add(CallProgress(1, CallState.DIALLING, 1.0))
    journal.add(CallProgress(1, CallState.CONNECTED, 2.0))
    clock.advance(LINGER_S)
    assert store.batches == [[CallProgress(1, CallState.CONNECTED, 2.0)]]


def test_drain_writes_at_once_and_tells_when_all_is_written(clock: Clock, store: Store, journal: Journal) -> None:
    done: list[None] = []
    for n in range(BATCH + 3):
        journal.add(row(n))
    journal.drain().addCallback(done.append)
    assert done == [None]
    assert len(store.written) == BATCH + 3


def test_drain_waits_for_a_database_that_is_away(clock: Clock, store: Store, journal: Journal) -> None:
    done: list[None] = []
    store.away = True
    journal.add(row(1))
    journal.drain().addCallback(done.append)
    pump(clock, 5)
    assert done == []
    store.away = False
    pump(clock, 10)
    assert done == [None]


def test_drain_does_not_wait_for_what_came_after_it(clock: Clock, store: Store, journal: Journal) -> None:
    done: list[None] = []
    store.slow = []
    journal.add(row("before"))
    journal.drain().addCallback(done.append)
    journal.add(row("after"))
    store.slow[0].callback(None)
    assert done == [None]
    assert store.written == ["before"]
