"""Small jobs share a commit; each giver hears what became of its own thing."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from wombat_ari.bridge import batcher
from wombat_ari.bridge.batcher import Batcher
from wombat_ari.model.errors import StoreError, UserError


class Bench:
    """Jobs that end when the test says so."""

    def __init__(self) -> None:
        self.jobs: list[tuple[list[int], Deferred[Any]]] = []
        self.clock = Clock()
        self.batcher: Batcher[int, str] = Batcher(self.clock, self._write)
        self.heard: dict[int, Any] = {}

    def add(self, *items: int) -> None:
        for item in items:
            self.batcher.add(item).addBoth(lambda answer, item=item: self.heard.__setitem__(item, answer))
        self.clock.advance(0)

    def end(self, *, error: Exception | None = None) -> list[int]:
        """End the oldest job; answers what was in it."""
        items, done = self.jobs.pop(0)
        if error is not None:
            done.errback(error)
        else:
            done.callback([UserError(f"{item} is odd") if item % 2 else f"<{item}>" for item in items])
        return items

    def told(self, item: int) -> Any:
        answer = self.heard[item]
        return getattr(answer, "value", answer)

    def _write(self, items: list[int]) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        self.jobs.append((items, done))
        return done


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_what_comes_while_a_job_is_under_way_goes_into_the_next(bench: Bench) -> None:
    bench.add(2)
    bench.add(4, 6, 8)
    assert [items for items, _ in bench.jobs] == [[2]], "alone it does not wait; the others wait for it"
    assert bench.end() == [2]
    assert bench.heard == {2: "<2>"}, "nobody is told before its own job is done"
    bench.add(10)
    assert bench.end() == [4, 6, 8]
    assert bench.end() == [10]
    assert bench.told(10) == "<10>"
    assert not bench.jobs


def test_what_comes_in_one_turn_of_the_reactor_goes_together(bench: Bench) -> None:
    bench.add(2, 4, 6)
    assert bench.end() == [2, 4, 6]


def test_a_refusal_is_for_its_giver_alone(bench: Bench) -> None:
    bench.add(2)
    bench.add(3, 4)
    bench.end()
    bench.end()
    assert (bench.told(4), str(bench.told(3))) == ("<4>", "3 is odd")


def test_trouble_that_passes_is_told_to_all_of_the_job_and_to_no_other(bench: Bench) -> None:
    bench.add(0)
    bench.add(2, 4)
    bench.end()
    trouble = StoreError("the database is away", transient=True)
    bench.end(error=trouble)
    assert bench.told(2) is bench.told(4) is trouble
    bench.add(6)
    assert bench.end() == [6]
    assert bench.told(6) == "<6>"


def test_one_that_cannot_be_written_harms_no_other(bench: Bench) -> None:
    bench.add(0)
    bench.add(2, 4, 6)
    bench.end()
    poison = StoreError("a value does not fit its column")
    assert bench.end(error=poison) == [2, 4, 6]
    assert bench.end() == [2]
    assert bench.end(error=poison) == [4, 6]
    assert bench.end(error=poison) == [4]
    assert bench.end() == [6]
    assert (bench.told(2), bench.told(4), bench.told(6)) == ("<2>", poison, "<6>")


def test_a_mistake_of_ours_is_told_and_the_next_goes_on(bench: Bench) -> None:
    bench.add(2)
    bench.end(error=ZeroDivisionError())
    assert isinstance(bench.told(2), ZeroDivisionError)
    bench.add(4)
    bench.end()
    assert bench.told(4) == "<4>"


def test_drained_it_has_answered_everybody_who_came_before(bench: Bench) -> None:
    drained: list[str] = []
    bench.batcher.drain().addCallback(lambda _: drained.append("empty"))
    assert drained == ["empty"]
    bench.add(2)
    bench.add(4)
    bench.batcher.drain().addCallback(lambda _: drained.append("all"))
    bench.end()
    assert drained == ["empty"]
    bench.end()
    assert (drained, bench.told(4)) == (["empty", "all"], "<4>")


def test_a_job_is_bounded_and_so_is_what_waits(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batcher, "BATCH", 3)
    monkeypatch.setattr(batcher, "LIMIT", 5)
    bench.add(0)
    bench.add(2, 4, 6, 8, 10)
    bench.add(12)
    assert bench.told(12).code == "busy"
    bench.end()
    assert bench.end() == [2, 4, 6]
    assert bench.end() == [8, 10]


def test_a_company_has_its_answers_in_order_also_over_two_jobs_and_beside_refusals(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batcher, "BATCH", 3)
    monkeypatch.setattr(batcher, "LIMIT", 5)
    told: list[list[Any]] = []
    bench.add(0)
    bench.batcher.add_all([2, 3, 4, 6, 8, 10, 12]).addCallback(told.append)
    assert [bench.end(), bench.end(), list(told), bench.end()] == [[0], [2, 3, 4], [], [6, 8]]
    (answers,) = told
    assert [str(answer) for answer in answers[:5]] == ["<2>", "3 is odd", "<4>", "<6>", "<8>"]
    assert [answer.code for answer in answers[5:]] == ["busy", "busy"]
    bench.batcher.add_all([]).addCallback(told.append)
    assert told[1] == []
