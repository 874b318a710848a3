"""What is going on now: PBXs, lines, runs, calls. The engine's verbs share this one picture, on one thread."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from wombat_ari.core.call import Call, Limits
from wombat_ari.core.congestion import Budget, Pressure
from wombat_ari.core.hopper import Hopper
from wombat_ari.core.lines import Lines
from wombat_ari.core.routes import Route, Way, ways_of
from wombat_ari.core.run import RunMachine
from wombat_ari.core.turns import Contender, Turns
from wombat_ari.model.calls import Claim, RunCounters, RunList
from wombat_ari.model.entities import Campaign, EndPoint, OpeningHours, Server, Trunk
from wombat_ari.model.states import LIVE_RUN_STATES, CallState, DialerState
from wombat_ari.pbx.driver import Ari, Driver

#: A line was given to it, and its Originate is not written yet.
PLACEABLE = (CallState.SCHEDULED, CallState.RD_SCHEDULED)


class Clock(Protocol):
    """The reactor's part that the engine uses: ``task.Clock`` in tests."""

    def seconds(self) -> float:
        """Now, in epoch seconds; never goes back."""

    def callLater(self, delay: float, callable: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Twisted's."""


@dataclass(slots=True)
class Flight:
    """A call with where it belongs. ``route`` is where it is placed, None in the hopper."""

    call: Call
    run: "LiveRun"
    route: Route | None = None
    turn: int = 0  #: counts how often it was scheduled: an answer to an earlier turn is stale
    due: bool = False  #: it waited for its time (a retry, a scheduled call): it goes before new numbers


@dataclass(slots=True)
class Pbx:
    """A server with its driver and its brakes."""

    server: Server
    driver: Driver
    budget: Budget
    pressure: Pressure
    ari: Ari | None = None  #: where the server has an ARI URL
    surveyed: bool = False  #: connected, and what lives there is known
    leaving: str = ""  #: why it gets no new calls while its last ones are followed to their ends; empty: it stays
    moves_to: Server | None = None  #: as it is configured now, if that is to count once it has left
    up: bool | None = None  #: what the system log was told last, None: nothing yet
    since: float = 0.0  #: since when
    trouble: str = ""  #: why it is not ready
    swept_at: float = 0.0  #: when the PBX's notes about ended calls were last deleted
    urgent: deque[Callable[[], bool]] = field(default_factory=deque)  #: hang-ups, before all others
    orders: deque[Callable[[], bool]] = field(default_factory=deque)  #: each answers whether it wrote an action
    granted: set[int] = field(default_factory=set)  #: calls that may be placed, whose Originate is not written yet
    pump_at: Any = None  #: the timer that writes on when the budget opens

    @property
    def id(self) -> int:
        assert self.server.id is not None
        return self.server.id

    @property
    def ready(self) -> bool:
        """New calls may be placed there, once its driver is connected."""
        return self.surveyed and not self.leaving

    @property
    def stasis(self) -> str:
        """Name of our application there, if calls may be brought to it now."""
        return self.ari.app if self.ari is not None and self.ari.connected else ""


@dataclass(slots=True)
class Tally:
    """Counters of a run as they are now (the stored ones follow within a second)."""

    taken: int = 0
    closed: int = 0
    attempts: int = 0
    answered: int = 0
    rescheduled: int = 0
    open_retries: int = 0

    @classmethod
    def of(cls, stored: RunCounters) -> "Tally":
        return cls(
            taken=stored.taken,
            closed=stored.closed,
            attempts=stored.attempts,
            answered=stored.answered,
            rescheduled=stored.rescheduled,
            open_retries=stored.open_retries,
        )


@dataclass(slots=True)
class LiveRun:
    """One execution of a campaign, with everything it needs in memory."""

    id: int
    campaign: Campaign
    started_at: float
    machine: RunMachine
    hopper: Hopper[Flight]
    contender: Contender
    tally: Tally
    flights: dict[int, Flight] = field(default_factory=dict)  #: its calls from SCHEDULED on
    lists: dict[int, RunList] = field(default_factory=dict)  #: in their order, by id, with how far they are
    look_again_at: float = 0.0  #: when to look for numbers appended to exhausted lists
    appending: int = 0  #: calls from outside, and late words, that are under way: it does not end over them
    hours: tuple[OpeningHours, ...] = ()  #: that it keeps to, beside the active period
    opens_at: float | None = None  #: WRONG_TIME: when it may dial again, None: not within a year
    opening_asked_at: float = float("-inf")  #: when that was found out, by the wall clock
    title: str = ""  #: the run's own name: its campaign's and when it started

    @property
    def name(self) -> str:
        return self.campaign.name

    @property
    def boost(self) -> float:
        """Factor on the boost of its QUEUE end points."""
        return self.contender.boost

    @property
    def remaining(self) -> int:
        """Records behind the positions of its lists that are not paused."""
        return sum(max(0, each.remaining) for each in self.lists.values() if not each.paused)

    @property
    def limits(self) -> Limits:
        return _limits(self.campaign.answer_timeout_ms, self.campaign.forced_closure_s)

    def flight_of(self, claim: Claim, *, due: bool = False) -> Flight:
        return Flight(Call(claim, self.limits), self, due=due or claim.attempt > 1)


@lru_cache
def _limits(answer_timeout_ms: int, forced_closure_s: int) -> Limits:
    """The calls of a campaign share one."""
    return Limits(answer_timeout_ms / 1000, float(forced_closure_s))


class Board:
    """The one shared picture. Look-ups by id; who changes what is said in each verb."""

    def __init__(self) -> None:
        self.state = DialerState.STARTING
        self.pbxs: dict[int, Pbx] = {}
        self.trunks: dict[int, Trunk] = {}
        self.trunk_lines: dict[int, Lines] = {}
        self.end_points: dict[int, EndPoint] = {}
        self.end_point_lines: dict[int, Lines] = {}
        self.runs: dict[int, LiveRun] = {}  #: see ``add``
        self.turns = Turns()
        self.flights: dict[int, Flight] = {}  #: every call from SCHEDULED to its settlement, by WOMBATID
        self.placed = 0  #: Originates written since start
        self.unknown_events = 0  #: of calls that are not (or no longer) ours
        self.odd_events = 0  #: that a call's state does not know
        self.database_trouble = ""
        self.plans = 0  #: counts how often servers, trunks and end points were brought in

    def run_of(self, campaign: str) -> LiveRun | None:
        """The live run of a campaign, by its name."""
        live = (run for run in self.runs.values() if run.machine.state in LIVE_RUN_STATES)
        return next((run for run in live if run.name == campaign), None)

    def flights_on(self, server_id: int) -> list[Flight]:
        """The open calls that were given to this server."""
        return [flight for flight in self.flights.values() if self.server_of(flight) == server_id]

    def server_of(self, flight: Flight) -> int | None:
        return flight.route.server_id if flight.route is not None else None

    def add(self, run: LiveRun) -> None:
        """It takes part from now on."""
        self.runs[run.id] = run
        self.turns.enter(run.contender)

    def remove(self, run: LiveRun) -> None:
        """It is over; removing it twice is fine."""
        self.turns.leave(run.contender)
        self.runs.pop(run.id, None)

    def renew(self, run: LiveRun) -> None:
        """Its campaign, or its trunks and end points, are configured anew: it takes part as they are now."""
        contender, ways = run.contender, self.ways_of(run.campaign)
        if (contender.priority, contender.ways) != (run.campaign.priority, ways):
            contender.priority, contender.ways = run.campaign.priority, ways
            self.turns.enter(contender)

    def set_boost(self, run: LiveRun, factor: float) -> None:
        run.contender.boost = factor
        self.turns.enter(run.contender)

    def ways_of(self, campaign: Campaign) -> tuple[Way, ...]:
        """Its trunks with its end points, server by server."""
        trunks, end_points = campaign.trunk_ids, campaign.end_point_ids
        return ways_of(self._lines(self.trunk_lines, trunks), self._lines(self.end_point_lines, end_points))

    def places_of(self, campaign: Campaign) -> list[str]:
        """Its trunks and end points, each with its server, in words."""
        trunks = (("trunk", lines) for lines in self._lines(self.trunk_lines, campaign.trunk_ids))
        end_points = (("end point", lines) for lines in self._lines(self.end_point_lines, campaign.end_point_ids))
        return [
            f"{kind} {lines.name} is on {self.pbx_name(lines.server_id) or 'a disabled server'}"
            for kind, lines in (*trunks, *end_points)
        ]

    def pbx_name(self, server_id: int) -> str:
        """What a server is called; empty for one that is not on the board."""
        pbx = self.pbxs.get(server_id)
        return pbx.server.description if pbx else ""

    @staticmethod
    def _lines(of: dict[int, Lines], ids: tuple[int, ...]) -> Iterator[Lines]:
        return (of[key] for key in ids if key in of)
