"""The threads of the database: lanes in order, the urgent one beside the other, failures told to whoever asked."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from wombat_ari.bridge.pool import ThreadedPool


class Reactor:
    """Runs what threads hand over when the test says so; knows in which thread it was made."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], Any]] = []
        self._more = threading.Condition()

    def callFromThread(self, function: Callable[..., Any], *args: Any) -> None:
        with self._more:
            self._waiting.append(lambda: function(*args))
            self._more.notify()

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 10
        while not condition():
            with self._more:
                assert self._more.wait_for(lambda: self._waiting, timeout=end - time.monotonic()), "nothing came"
                calls, self._waiting = self._waiting, []
            for call in calls:
                call()


@pytest.fixture
def reactor() -> Reactor:
    return Reactor()


@pytest.fixture
def pool(reactor: Reactor) -> Iterator[ThreadedPool]:
    pool = ThreadedPool(reactor)  # type: ignore[arg-type]
    yield pool
    pool.stop()


def test_jobs_of_a_lane_run_in_order_in_one_thread(pool: ThreadedPool, reactor: Reactor) -> None:
    seen: list[tuple[int, str]] = []
    answers: list[int] = []
    for number in range(50):
        pool.write(_note, seen, number).addCallback(answers.append)
    reactor.until(lambda: len(answers) == 50)
    assert [number for number, _ in seen] == answers == list(range(50))
    assert {thread for _, thread in seen} == {"db-write"}


def test_what_is_urgent_does_not_wait_for_what_is_written(pool: ThreadedPool, reactor: Reactor) -> None:
    slow = threading.Event()
    answers: list[str] = []
    pool.write(slow.wait, 10).addCallback(lambda _: answers.append("written"))
    pool.urgent(str, "marked").addCallback(answers.append)
    reactor.until(lambda: answers == ["marked"])
    slow.set()
    reactor.until(lambda: answers == ["marked", "written"])


@pytest.mark.parametrize("lane", ["write", "urgent", "read"])
def test_a_failure_is_told_to_whoever_asked_and_the_lane_goes_on(
    pool: ThreadedPool, reactor: Reactor, lane: str
) -> None:
    run: Callable[..., Deferred[Any]] = getattr(pool, lane)
    told: list[Any] = []
    run(int, "no number").addErrback(lambda failure: told.append(failure.type))
    run(int, "7", base=8).addCallback(told.append)
    reactor.until(lambda: len(told) == 2)
    assert set(told) == {ValueError, 7}


def test_stop_waits_for_the_jobs_under_way(reactor: Reactor) -> None:
    pool = ThreadedPool(reactor)  # type: ignore[arg-type]
    done: list[int] = []
    for number in range(20):
        pool.write(lambda number=number: (time.sleep(0.002), done.append(number)))
    pool.stop()
    assert done == list(range(20))


def _note(seen: list[tuple[int, str]], number: int) -> int:
    seen.append((number, threading.current_thread().name))
    return number
