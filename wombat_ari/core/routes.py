"""Over which lines a call may go now, or why over none (spec 03 "Whose turn").

A campaign may use any of its trunks with any of its end points on the same server: that is a way. A route is one trunk
and one end point of a way. The console shows the reasons; the tests are their table.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from heapq import heapify, heappop, heapreplace

from wombat_ari.core.lines import Lines

#: How many more calls may be placed for an end point; the second is a factor on its boost, if it is a queue.
Room = Callable[[Lines, float], int]


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


_ORDER = {reason: place for place, reason in enumerate(WhyNot)}


@dataclass(slots=True)
class Gate:
    """What the scheduler asks about one server. ``budget`` and ``room`` are how many more calls may be written now."""

    connected: bool
    budget: int
    room: int

    @property
    def is_open(self) -> bool:
        return self.connected and self.budget > 0 and self.room > 0


SHUT = Gate(connected=False, budget=0, room=0)  #: of a server that nobody knows

Gates = Mapping[int, Gate]  #: by the server's id


@dataclass(frozen=True, slots=True)
class Way:
    """What a campaign may use on one server."""

    server_id: int
    trunks: tuple[Lines, ...]
    end_points: tuple[Lines, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """A trunk and an end point on one server."""

    trunk: Lines
    end_point: Lines
    server_id: int

    @property
    def stands(self) -> bool:
        """Both are still there: neither was moved to another server."""
        return self.trunk.server_id == self.end_point.server_id == self.server_id


@lru_cache(4096)
def route_over(trunk: Lines, end_point: Lines, server_id: int) -> Route:
    """The calls on a route share one."""
    return Route(trunk, end_point, server_id)


def ways_of(trunks: Iterable[Lines], end_points: Iterable[Lines]) -> tuple[Way, ...]:
    """One for each server that has some of both."""
    on_server: dict[int, tuple[list[Lines], list[Lines]]] = {}
    for trunk in trunks:
        on_server.setdefault(trunk.server_id, ([], []))[0].append(trunk)
    for end_point in end_points:
        if end_point.server_id in on_server:
            on_server[end_point.server_id][1].append(end_point)
    return tuple(Way(server, tuple(outs), tuple(ins)) for server, (outs, ins) in on_server.items() if ins)


def phone_room(end_point: Lines, boost: float) -> int:
    """A phone takes as many calls as it has channels."""
    return end_point.free


class Offer:
    """What may be had at this moment. Who knows that something was freed makes a new one, or says ``refresh``."""

    def __init__(self, gates: Gates, room: Room) -> None:
        self.gates = gates
        self._room = room
        self._by_free: dict[int, list[tuple[int, int, Lines]]] = {}  #: id of trunks -> heap of (-free, place, trunk)
        self._no_room: set[tuple[int, float]] = set()  #: (id of end points, boost) of which none has room

    def refresh(self) -> None:
        """Something was freed meanwhile."""
        self._by_free.clear()
        self._no_room.clear()

    def gate(self, way: Way) -> Gate:
        return self.gates.get(way.server_id, SHUT)

    def route(self, ways: Iterable[Way], boost: float) -> Route | None:
        """Over the trunk with most free lines and the first end point with room; None if there is no such pair."""
        best: Route | None = None
        for way in ways:
            if not self.gate(way).is_open:
                continue
            end_point = self._first_with_room(way.end_points, boost)
            trunk = self._most_free(way.trunks) if end_point is not None else None
            if end_point is None or trunk is None:
                continue
            if best is None or trunk.free > best.trunk.free:
                best = route_over(trunk, end_point, way.server_id)
        return best

    def take(self, route: Route) -> None:
        """Use one line and one channel, and a call's worth of the server's gate."""
        route.trunk.take()
        route.end_point.take()
        gate = self.gates[route.server_id]
        gate.budget -= 1
        gate.room -= 1

    def why_not(self, ways: Iterable[Way], boost: float) -> WhyNot | None:
        """Of the ways that are blocked the reason of the one that came nearest; None if one is not."""
        reasons = [self._blocked(way, boost) for way in ways]
        told = [reason for reason in reasons if reason is not None]
        return max(told, key=_ORDER.__getitem__) if len(told) == len(reasons) else None

    def _blocked(self, way: Way, boost: float) -> WhyNot | None:
        gate = self.gate(way)
        if not gate.connected:
            return WhyNot.PBX_DOWN
        if self._most_free(way.trunks) is None:
            return WhyNot.NO_LINE
        if not any(end_point.free for end_point in way.end_points):
            return WhyNot.NO_CHANNEL
        if self._first_with_room(way.end_points, boost) is None:
            return WhyNot.NO_AGENT
        if gate.budget <= 0:
            return WhyNot.CONGESTION
        return WhyNot.PRESSURE if gate.room <= 0 else None

    # Many campaigns may share the same trunks, or the same end points: all are looked at once, then fewer and fewer are
    # free.

    def _most_free(self, trunks: tuple[Lines, ...]) -> Lines | None:
        line = self._by_free.get(id(trunks))
        if line is None:
            line = self._by_free[id(trunks)] = [(-trunk.free, n, trunk) for n, trunk in enumerate(trunks) if trunk.free]
            heapify(line)
        while line:
            known, place, trunk = line[0]
            free = trunk.free
            if free == -known:
                return trunk
            if free:
                heapreplace(line, (-free, place, trunk))
            else:
                heappop(line)
        return None

    def _first_with_room(self, end_points: tuple[Lines, ...], boost: float) -> Lines | None:
        known = (id(end_points), boost)
        if known in self._no_room:
            return None
        for end_point in end_points:
            if end_point.free and self._room(end_point, boost) > 0:
                return end_point
        self._no_room.add(known)
        return None
