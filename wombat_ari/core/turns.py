"""Step 3: whose turn it is when lines are free (spec 03 "Whose turn").

Strictly by campaign priority, smallest first; among equals in turn, one call at a time. Each run offers its routes:
pairs of a trunk and an end point on the same server. ``why_not`` of a run is the first reason it may not place a call
now; the console shows it and the tests are its table.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from wombat_ari.core.lines import Lines
from wombat_ari.model.states import RunState

#: Calls that a run may catch up on when its equals were served while it briefly could not (a refill, a full trunk).
LAG = 20


class WhyNot(StrEnum):
    """Why a run places no call now. Ordered as asked; the text is what the console shows."""

    STOPPING = "the dialer is stopping"
    DATABASE = "the database is away"
    JOURNAL = "too many results wait for the database"
    NOT_RUNNING = "the run is not running"
    NO_ROUTE = "no trunk and end point on the same server"
    HOPPER_EMPTY = "no number to dial right now"
    PBX_DOWN = "no PBX of this campaign is connected"
    NO_LINE = "all lines of its trunks are in use"
    NO_CHANNEL = "no free channel on its end points"
    NO_AGENT = "no agent is free for one more call"
    CONGESTION = "the PBX is being told as fast as it may be"
    PRESSURE = "the PBX is behind: earlier calls have no channel yet"


@dataclass(slots=True)
class Gate:
    """What the scheduler asks about one server. ``budget`` and ``room`` are how many more calls may be written now."""

    connected: bool
    budget: int
    room: int


@dataclass(slots=True)
class Route:
    """A trunk and an end point on one server."""

    trunk: Lines
    end_point: Lines
    server_id: int

    @property
    def stands(self) -> bool:
        """Both are still there: neither was moved to another server."""
        return self.trunk.server_id == self.end_point.server_id == self.server_id


@dataclass(slots=True)
class Contender:
    """A live run as the scheduler sees it. ``waiting`` tells how many calls it has to dial now."""

    run_id: int
    priority: int
    state: RunState
    routes: Sequence[Route]
    waiting: Callable[[], int]
    served: int = 0  #: calls given to it, for fairness among equals
    end_point_room: Callable[[Route], int] = field(default=lambda route: route.end_point.free)


@dataclass(slots=True)
class Grant:
    """One call may be placed by this run over this route. The lines are already taken."""

    run_id: int
    route: Route


@dataclass(slots=True)
class World:
    """All that one pass looks at. ``hold`` is a reason that stops everybody."""

    contenders: Sequence[Contender]
    gates: dict[int, Gate]
    hold: WhyNot | None = None


def why_not(run: Contender, world: World) -> WhyNot | None:
    """The first reason this run may not place a call now; None when it may."""
    if world.hold is not None:
        return world.hold
    if run.state != RunState.RUNNING:
        return WhyNot.NOT_RUNNING
    if not run.routes:
        return WhyNot.NO_ROUTE
    if not run.waiting():
        return WhyNot.HOPPER_EMPTY
    return _route(run, world)[1]


def grants(world: World) -> Iterator[Grant]:
    """Give out free lines, one call at a time, until nothing more can be placed. The caller must consume each grant by
    taking one call of that run before asking for the next.
    """
    if world.hold is not None:
        return
    for equals in _by_priority(world.contenders):
        able = _in_turn(equals)
        while able:
            for run in able:
                route = _route(run, world)[0] if run.waiting() else None
                if route is None:
                    able = [other for other in able if other is not run]
                    continue
                _take(route, world)
                run.served += 1
                yield Grant(run.run_id, route)


def level(contenders: Sequence[Contender], newcomer: Contender) -> None:
    """Start a newcomer (or one that resumes) level with its equals: it must not catch up on what it never asked for."""
    equals = [run.served for run in contenders if run.priority == newcomer.priority and run is not newcomer]
    newcomer.served = max(equals, default=0)


def _in_turn(equals: list[Contender]) -> list[Contender]:
    """The one served least goes first. A lag beyond LAG is forgiven: a run that had nothing to dial for an hour must
    not starve its equals afterwards.
    """
    floor = max(run.served for run in equals) - LAG
    for run in equals:
        run.served = max(run.served, floor)
    return sorted(equals, key=lambda run: run.served)


def _by_priority(contenders: Sequence[Contender]) -> list[list[Contender]]:
    groups: dict[int, list[Contender]] = {}
    for run in contenders:
        if run.state == RunState.RUNNING and run.routes:
            groups.setdefault(run.priority, []).append(run)
    return [groups[priority] for priority in sorted(groups)]


def _route(run: Contender, world: World) -> tuple[Route | None, WhyNot | None]:
    """The route with most free lines, or why there is none: the reason that came nearest to success."""
    best: Route | None = None
    nearest = WhyNot.PBX_DOWN
    for route in run.routes:
        reason = _blocked(route, run, world.gates.get(route.server_id))
        if reason is not None:
            nearest = max(nearest, reason, key=_ORDER.index)
        elif best is None or route.trunk.free > best.trunk.free:
            best = route
    return best, None if best is not None else nearest


def _blocked(route: Route, run: Contender, gate: Gate | None) -> WhyNot | None:
    if gate is None or not gate.connected:
        return WhyNot.PBX_DOWN
    if not route.trunk.free:
        return WhyNot.NO_LINE
    if route.end_point.free <= 0:
        return WhyNot.NO_CHANNEL
    if run.end_point_room(route) <= 0:
        return WhyNot.NO_AGENT
    if gate.budget <= 0:
        return WhyNot.CONGESTION
    return WhyNot.PRESSURE if gate.room <= 0 else None


def _take(route: Route, world: World) -> None:
    route.trunk.take()
    route.end_point.take()
    gate = world.gates[route.server_id]
    gate.budget -= 1
    gate.room -= 1


_ORDER = list(WhyNot)
