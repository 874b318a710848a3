"""When passes are run: at once where nothing is under way, together under load, and never two marks at a time."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from wombat_ari.core.congestion import Budget, Pressure
from wombat_ari.core.hopper import Hopper
from wombat_ari.core.lines import Lines
from wombat_ari.core.routes import ways_of
from wombat_ari.core.run import RunMachine
from wombat_ari.core.turns import Contender
from wombat_ari.engine.board import Board, LiveRun, Pbx, Tally
from wombat_ari.engine.follow import Follow
from wombat_ari.engine.schedule import AT_ONCE, PACE_S, Schedule
from wombat_ari.model import effects as do
from wombat_ari.model.calls import Claim, DialMark
from wombat_ari.model.entities import Campaign, Server
from wombat_ari.model.states import DialerState, RunState


class Desk:
    """Keeps the marks it is asked to write until the test says that they are."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.asked: list[tuple[float, int]] = []  #: (when, how many)
        self.waiting: list[Deferred[None]] = []

    def mark(self, marks: list[DialMark], *, now: float) -> Deferred[None]:
        self.asked.append((round(self._clock.seconds(), 4), len(marks)))
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def written(self) -> None:
        self.waiting.pop(0).callback(None)


class Connected:
    connected = True


class Quiet:
    full = False


class Scene:
    """One PBX with lines enough, one run; ``come`` brings numbers into its hopper and kicks."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.advance(100)
        self.desk = Desk(self.clock)
        self.placed: list[int] = []
        board = Board()
        board.state = DialerState.READY
        follow = Follow(board, self.clock)
        self.schedule = Schedule(board, self.clock, self.desk, Quiet(), follow)  # type: ignore[arg-type]
        follow.wire({do.Record: self.schedule.record, do.Place: self._place}, lambda event: None)
        driver: Any = Connected()
        self.pbx = Pbx(Server(1, "pbx"), driver, Budget(0.01, 1000), Pressure(), surveyed=True)
        board.pbxs[1] = self.pbx
        trunk, end_point = (Lines(1, name, server_id=1, capacity=1000) for name in ("trunk", "end point"))
        self.hopper: Hopper[Any] = Hopper(1000)
        ways = ways_of([trunk], [end_point])
        contender = Contender(1, 10, RunState.RUNNING, ways, self.hopper.__len__)
        self.run = LiveRun(1, Campaign(1, "c"), 0.0, RunMachine(RunState.RUNNING), self.hopper, contender, Tally())
        board.add(self.run)
        self._last = 0

    def come(self, count: int, *, now: bool = False) -> None:
        claims = [Claim(self._last + n, 1, n, 1, "l", "1", 1) for n in range(1, count + 1)]
        self._last += count
        self.hopper.put([self.run.flight_of(claim) for claim in claims])
        self.schedule.kick_now() if now else self.schedule.kick()
        self.clock.advance(0)

    def _place(self, flight: Any, effect: object) -> None:
        self.placed.append(flight.turn)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_lone_call_is_marked_at_once_and_placed_when_that_is_written(scene: Scene) -> None:
    scene.come(1)
    assert scene.desk.asked == [(100.0, 1)]
    assert not scene.placed
    scene.desk.written()
    assert len(scene.placed) == 1
    scene.clock.advance(PACE_S)
    scene.come(1)
    assert scene.desk.asked[1:] == [(100.0 + PACE_S, 1)]


def test_what_comes_just_after_a_pass_gathers(scene: Scene) -> None:
    scene.come(1)
    scene.desk.written()
    for _ in range(4):
        scene.clock.advance(PACE_S / 8)
        scene.come(1)
    assert len(scene.desk.asked) == 1
    scene.clock.advance(PACE_S)
    assert scene.desk.asked[1:] == [(pytest.approx(100.0 + PACE_S, abs=PACE_S / 2 + 1e-4), 4)]


def test_what_comes_while_marks_are_written_waits_for_them(scene: Scene) -> None:
    scene.come(1)
    scene.clock.advance(1)
    scene.come(3)
    scene.come(3)
    assert len(scene.desk.asked) == 1
    scene.desk.written()
    scene.clock.advance(0)
    assert scene.desk.asked == [(100.0, 1), (101.0, 6)]


def test_an_agent_does_not_wait_for_company(scene: Scene) -> None:
    scene.come(1)
    scene.desk.written()
    scene.come(1)
    assert len(scene.desk.asked) == 1
    scene.come(1, now=True)
    assert scene.desk.asked == [(100.0, 1), (100.0, 2)]


def test_a_burst_goes_out_in_two_halves(scene: Scene) -> None:
    scene.come(80)
    scene.desk.written()
    scene.clock.advance(PACE_S)
    scene.desk.written()
    scene.clock.advance(PACE_S)
    assert [count for _, count in scene.desk.asked] == [25, 25]
    assert len(scene.placed) == 50


def test_a_pass_places_so_many_calls_at_most(scene: Scene) -> None:
    """The reactor has other things to do: what was not given out is given out by the next pass."""
    scene.pbx.pressure = Pressure(1000)
    scene.come(AT_ONCE * 2 + 7)
    for _ in range(3):
        scene.desk.written()
        scene.clock.advance(PACE_S)
    assert [count for _, count in scene.desk.asked] == [AT_ONCE, AT_ONCE, 7]


def test_an_agent_does_not_wait_for_marks_that_are_being_written(scene: Scene) -> None:
    """Its own are asked for at once, in order behind them; a third has to wait."""
    scene.come(3)
    scene.come(1, now=True)
    scene.come(1, now=True)
    assert scene.desk.asked == [(100.0, 3), (100.0, 1)]
    scene.desk.written()
    assert len(scene.placed) == 3
    scene.clock.advance(0)
    scene.desk.written()
    scene.clock.advance(PACE_S)
    assert (len(scene.placed), scene.desk.asked[2:]) == (4, [(100.0, 1)])
