"""The clock of a process: never back, forwards when the wall clock jumped."""

import pytest
from twisted.internet.task import Clock

from wombat_ari.app import clock as module
from wombat_ari.app.clock import LifeClock


class Time:
    """Stands in for the module ``time``: the test sets both clocks."""

    wall, steady = 1_000_000.0, 50.0

    def time(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def passes(self, seconds: float, *, wall: float | None = None) -> None:
        self.steady += seconds
        self.wall += seconds if wall is None else wall


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    fake = Time()
    monkeypatch.setattr(module, "time", fake)
    return fake


def test_it_begins_at_wall_time_and_counts_steadily(time: Time) -> None:
    clock = LifeClock(Clock())
    assert clock.seconds() == 1_000_000.0
    time.passes(2.5, wall=-3600)  # somebody set the wall clock back by an hour
    assert clock.seconds() == pytest.approx(1_000_002.5)


def test_a_jump_forwards_is_taken_over_at_the_next_settling(time: Time) -> None:
    clock = LifeClock(Clock())
    time.passes(1, wall=7201)  # the machine slept for two hours
    assert clock.seconds() == pytest.approx(1_000_001)
    clock.settle()
    assert clock.seconds() == pytest.approx(1_007_201)


def test_it_never_goes_back(time: Time) -> None:
    clock, last = LifeClock(Clock()), 0.0
    for wall in (1.0, -500.0, 900.0, -3.0, 0.5):
        time.passes(0.5, wall=wall)
        clock.settle()
        assert clock.seconds() >= last
        last = clock.seconds()


def test_timers_are_the_reactors() -> None:
    reactor, fired = Clock(), []
    LifeClock(reactor).callLater(2, fired.append, "x")
    reactor.advance(1.9)
    assert not fired
    reactor.advance(0.2)
    assert fired == ["x"]
