"""A real dialer in memory with as many runs, trunks, end points and live calls as wanted, for P12.

The engine is whole: it takes the calls up as after a restart, its PBX finds them alive. What is not there is the world:
the desk answers at once without a database, drivers tell what they are asked to, the clock is moved by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from twisted.internet import defer
from twisted.internet.task import Clock

from wombat_ari.bridge.desk import LoadedRun, Plan
from wombat_ari.bridge.journal import Journal
from wombat_ari.engine.dialer import Dialer
from wombat_ari.model import events as ev
from wombat_ari.model.calls import Claim, ClaimBatch, DialMark, OpenAttempt, OriginateRequest, RunCounters, RunRow
from wombat_ari.model.entities import Campaign, EndPoint, Server, Trunk
from wombat_ari.model.queues import Member, MemberSeen, QueueContents, QueuesListed
from wombat_ari.model.states import CallState, EndPointType, RunState

NOW = 1_790_000_000.0
SERVERS = 10
ATTRIBUTES = {"NAME": "Ada Lovelace", "LANGUAGE": "en", "CUSTOMER": "4711"}


@dataclass(frozen=True, slots=True)
class Size:
    """How many of each there are."""

    runs: int
    trunks: int
    end_points: int
    calls: int

    def tenth(self) -> Size:
        return Size(self.runs // 10, self.trunks // 10, self.end_points // 10, self.calls // 10)


@dataclass(frozen=True, slots=True)
class Shape:
    """Which trunks and end points the runs have: ``own`` one each, ``some`` ten that overlap with others', ``all``."""

    trunks: str = "own"
    end_points: str = "own"
    queues: bool = False  #: end points are queues with agents, not phones

    def chosen(self, how: str, run: int, count: int) -> tuple[int, ...]:
        """Ids, from 1 on. A trunk and an end point are on the server of their number's last digit."""
        if how == "all":
            return tuple(range(1, count + 1))
        # Ten on the same server, each shared with the neighbours.
        numbers = (run + SERVERS * step for step in range(10 if how == "some" else 1))
        return tuple(dict.fromkeys(number % count + 1 for number in numbers))


class Crowd:
    """Made at rest: all calls connected, all trunks full, everything in the hoppers that fits."""

    def __init__(self, size: Size, shape: Shape) -> None:
        self.size, self.shape = size, shape
        self.clock = Clock()
        self.clock.rightNow = NOW
        self.drivers: list[CrowdDriver] = []
        self._pauses = False
        self.desk = CrowdDesk(self)
        self.journal = Journal(self.clock, lambda batch: defer.succeed(None))
        self.dialer = Dialer(self.clock, self.desk, self.journal, self._driver, version="bench")  # type: ignore[arg-type]
        self.dialer.follow.trace = False
        defer.Deferred.fromCoroutine(self.dialer.start()).addErrback(_raise)
        self.settle()
        assert len(self.dialer.board.flights) == size.calls
        assert len(self.dialer.board.runs) == size.runs

    def settle(self, seconds: float = 3.0) -> None:
        """Let what is under way be done."""
        for _ in range(round(seconds / 0.05)):
            self.clock.advance(0.05)

    def end(self, calls: list[int]) -> None:
        """These calls end: each tells what a PBX tells of it."""
        driver_of = {driver.server_id: driver for driver in self.drivers}
        for call in calls:
            driver_of[self.server_of(call)].tell(ev.HungUp(call, 16))

    def agent_pauses(self, queue: int) -> None:
        """An agent of this queue begins or ends a pause: its PBX tells."""
        self._pauses = not self._pauses
        member = replace(agent(queue, 0), paused=self._pauses)
        driver = next(driver for driver in self.drivers if driver.server_id == _server(queue))
        driver.tell(MemberSeen(driver.server_id, f"queue {queue}", member))

    def server_of(self, call: int) -> int:
        route = self.dialer.board.flights[call].route
        assert route is not None
        return route.server_id

    def plan(self) -> Plan:
        servers = tuple(Server(key, f"pbx {key}", max_messages_per_unit=20) for key in range(1, SERVERS + 1))
        lines = -(-self.size.calls // self.size.trunks)
        kind = EndPointType.QUEUE if self.shape.queues else EndPointType.PHONE
        trunks = [Trunk(key, _server(key), f"trunk {key}", "PJSIP/${num}", lines) for key in _keys(self.size.trunks)]
        end_points = [
            EndPoint(key, _server(key), kind, f"queue {key}", str(key), "agents", 4 * lines, boost_factor=1.0)
            for key in _keys(self.size.end_points)
        ]
        return Plan(servers, tuple(trunks), tuple(end_points))

    def loaded(self) -> list[LoadedRun]:
        """The runs as they are found at the start, with their open calls."""
        calls = self.size.calls // self.size.runs
        return [self._run(number, calls) for number in range(self.size.runs)]

    def _run(self, number: int, calls: int) -> LoadedRun:
        trunk_ids = self.shape.chosen(self.shape.trunks, number, self.size.trunks)
        end_point_ids = self.shape.chosen(self.shape.end_points, number, self.size.end_points)
        campaign = Campaign(
            number + 1, f"campaign {number}", priority=number // 10 % 5, batch_size=50,
            trunk_ids=trunk_ids, end_point_ids=end_point_ids,
        )  # fmt: skip
        row = RunRow(number + 1, number + 1, campaign.name, RunState.RUNNING, NOW, None, RunCounters(taken=calls))
        trunk, end_point = number % self.size.trunks + 1, number % self.size.end_points + 1
        open_attempts = [
            OpenAttempt(
                _claim(number * calls + call + 1, number + 1), CallState.CONNECTED, _server(trunk), trunk, end_point,
                NOW - 20, NOW - 19, NOW - 10, "", "",
            )
            for call in range(calls)
        ]  # fmt: skip
        return LoadedRun(row, campaign, (), tuple(open_attempts))

    def _driver(self, server: Server) -> CrowdDriver:
        self.drivers.append(CrowdDriver(self, server))
        return self.drivers[-1]


def agent(queue: int, number: int) -> Member:
    name = f"PJSIP/{queue}-{number}"
    return Member(name, name)


class CrowdDesk:
    """The desk's jobs that dialling needs, answered at once: numbers without end."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._last = 10_000_000
        self.marked = 0

    def load_plan(self) -> defer.Deferred[Plan]:
        return defer.succeed(self._crowd.plan())

    def unfinished_runs(self) -> defer.Deferred[list[LoadedRun]]:
        return defer.succeed(self._crowd.loaded())

    def series(self, *, now: float) -> defer.Deferred[int]:
        return defer.succeed(0)

    def appended(self, ends: object) -> defer.Deferred[dict[object, object]]:
        return defer.succeed({})

    def take(self, run_id: int, *, fresh: int, retries: int, now: float, **_: Any) -> defer.Deferred[ClaimBatch]:
        first, self._last = self._last + 1, self._last + fresh
        return defer.succeed(
            ClaimBatch(tuple(_claim(key, run_id) for key in range(first, first + fresh)), 0, False, None)
        )

    def mark(self, marks: list[DialMark], *, now: float) -> defer.Deferred[None]:
        self.marked += len(marks)
        return defer.succeed(None)

    def release(self, wombatids: list[int]) -> defer.Deferred[None]:
        return defer.succeed(None)


class CrowdDriver:
    """A PBX on which every call lives, and every new one is answered at once."""

    last_error, version = "", "22.10.1"

    def __init__(self, crowd: Crowd, server: Server) -> None:
        assert server.id is not None
        self.server_id = server.id
        self.connected = True
        self._crowd = crowd
        self.tell: Any = None

    def start(self, listener: Any) -> None:
        self.tell = listener
        self._crowd.clock.callLater(0, listener, ev.LinkUp(self.server_id, self.version, NOW - 10_000))

    def stop(self) -> defer.Deferred[None]:
        return defer.succeed(None)

    def originate(self, request: OriginateRequest) -> None:
        self._crowd.clock.callLater(0, self._placed, request.call)

    def _placed(self, call: int) -> None:
        for event in (ev.Sent(call), ev.Accepted(call), ev.ChannelCreated(call, "PJSIP/1"), ev.Answered(call)):
            self.tell(event)
        self.tell(ev.OriginateSucceeded(call, "PJSIP/1"))

    def survey(self) -> defer.Deferred[ev.Survey]:
        board = self._crowd.dialer.board
        live = [
            ev.LiveChannel(flight.call.wombatid, "PJSIP/1", True, 10)
            for flight in board.flights_on(self.server_id)
        ]  # fmt: skip
        return defer.succeed(ev.Survey(self.server_id, NOW - 10_000, tuple(live)))

    def list_queues(self) -> defer.Deferred[None]:
        keys = [key for key in _keys(self._crowd.size.end_points) if _server(key) == self.server_id]
        # As many idle agents as calls are on their way to them: none is free for one more.
        agents = range(self._crowd.size.calls // self._crowd.size.end_points)
        queues = [QueueContents(f"queue {key}", tuple(agent(key, n) for n in agents), ()) for key in keys]
        self._crowd.clock.callLater(0, self.tell, QueuesListed(self.server_id, tuple(queues)))
        return defer.succeed(None)

    def queue_log(self, *args: Any, **kwargs: Any) -> None:
        pass

    sweep_traces = forget_traces = hang_up = limit_life = ask_alive = queue_log


def _claim(key: int, run_id: int) -> Claim:
    return Claim(key, run_id, key, run_id, f"list {run_id}", f"4479460{key:05}", 1, ATTRIBUTES)


def _server(key: int) -> int:
    return key % SERVERS + 1


def _keys(count: int) -> range:
    return range(1, count + 1)


def _raise(failure: Any) -> None:
    failure.raiseException()
