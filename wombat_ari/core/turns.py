"""Step 3: whose turn it is when lines are free (spec 03 "Whose turn").

Strictly by campaign priority, smallest first; among equals one call at a time to whom was given least. A pass costs as
much as has happened since the one before, not as much as there is: who could not place a call is looked at again when
something of what it waits for has opened. ``tests/core/plain_turns`` is the same in twenty lines that look at all.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush, heapreplace

from wombat_ari.core.lines import Lines
from wombat_ari.core.routes import Gates, Offer, Room, Route, Way, WhyNot, phone_room
from wombat_ari.model.states import RunState

#: Calls that a run may catch up on when its equals were served while it briefly could not (a refill, a full trunk).
LAG = 20


@dataclass(slots=True, eq=False)
class Contender:
    """A live run as the scheduler sees it. ``waiting`` tells how many calls it has to dial now.

    ``state`` and what waits may change at any time; after a change of the others it is to ``enter`` again.
    """

    run_id: int
    priority: int
    state: RunState
    ways: Sequence[Way]
    waiting: Callable[[], int]
    boost: float = 1.0  #: factor on the boost of its QUEUE end points
    served: int = 0  #: calls given to it, for fairness among equals

    @property
    def able(self) -> bool:
        """It would dial if it had a line."""
        return self.state is RunState.RUNNING and self.waiting() > 0


@dataclass(slots=True)
class Grant:
    """One call may be placed by this run over this route. The lines are already taken."""

    run_id: int
    route: Route


@dataclass(slots=True, eq=False)
class Equals:
    """Contenders of one priority and boost that may use the same lines: what one cannot place, none of them can."""

    priority: int
    boost: float
    ways: tuple[Way, ...]
    members: int = 0
    able: list[tuple[int, int, Contender]] = field(default_factory=list)  #: heap of (served, ticket, contender)


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a contender sits. ``ticket`` is its place among those that were given as much: who came first."""

    equals: Equals
    ticket: int


def why_not(run: Contender, offer: Offer, hold: WhyNot | None = None) -> WhyNot | None:
    """The first reason this run may not place a call now; None when it may. ``hold`` is one that stops everybody."""
    if hold is not None:
        return hold
    if run.state != RunState.RUNNING:
        return WhyNot.NOT_RUNNING
    if not run.ways:
        return WhyNot.NO_ROUTE
    if not run.waiting():
        return WhyNot.HOPPER_EMPTY
    return offer.why_not(run.ways, run.boost)


class Turns:
    """All contenders. Each group of equals is hot (to be looked at), or cold: it could not place a call when it was
    looked at, or had none, and nothing of what it waits for has opened since.
    """

    def __init__(self, room: Room = phone_room) -> None:
        self.room = room
        self._seats: dict[Contender, Seat] = {}
        self._tickets = 0
        self._idle: dict[Contender, None] = {}  #: had nothing to dial when last looked at
        self._hot: dict[Equals, None] = {}
        self._at_gate: dict[int, dict[Equals, None]] = {}  #: server -> who waits until it may be told more
        self._rota: deque[Equals] = deque()  #: whose turn it is to be looked at without need
        self._most: dict[int, int] = {}  #: priority -> what the one given most was given
        self._offer = Offer({}, room)
        self._index = _Index()

    def enter(self, contender: Contender) -> None:
        """It takes part from now on, or its priority, boost or ways have changed. A newcomer starts level."""
        seat = self._seats.get(contender)
        if seat is None or seat.equals.priority != contender.priority:
            self.level(contender)
        self.leave(contender)
        equals = self._index.equals_of(contender, self.opened)
        if not equals.members:
            self._rota.append(equals)
        equals.members += 1
        self._tickets += 1
        self._seats[contender] = Seat(equals, self._tickets if seat is None else seat.ticket)
        self._idle[contender] = None

    def level(self, contender: Contender) -> None:
        """It comes (again) among its equals: what they placed without it is not made up for."""
        contender.served = self._most.get(contender.priority, 0)

    def taken_back(self, contender: Contender) -> None:
        """A call that was given to it was not placed after all: it does not count. Not while calls are given out."""
        contender.served = max(0, contender.served - 1)
        seat = self._seats.get(contender)
        if seat is not None:
            seat.equals.able = [(each.served, ticket, each) for _, ticket, each in seat.equals.able]
            heapify(seat.equals.able)

    def leave(self, contender: Contender) -> None:
        """It takes part no more."""
        seat = self._seats.pop(contender, None)
        if seat is None:
            return
        self._idle.pop(contender, None)
        equals = seat.equals
        equals.members -= 1
        equals.able = [entry for entry in equals.able if entry[2] is not contender]
        heapify(equals.able)
        if not equals.members:
            self._index.forget(equals)
            for group in (self._hot, *self._at_gate.values()):
                group.pop(equals, None)

    def opened(self, lines: Lines) -> None:
        """There may be more of these than before: a line was given back, an agent is free."""
        self._offer.refresh()
        for equals in self._index.users(lines):
            self._hot[equals] = None

    def look_at(self, count: int) -> None:
        """Look at so many in the next pass without need, at others each time: whatever was not told is found out."""
        for _ in range(min(count, len(self._rota))):
            equals = self._rota.popleft()
            if equals.members:
                self._rota.append(equals)
                self._hot[equals] = None

    def grants(self, gates: Gates) -> Iterator[Grant]:
        """Give out free lines, one call at a time, until nothing more can be placed. The caller must consume each grant
        by taking one call of that run before asking for the next; it may stop asking.
        """
        self._offer = offer = Offer(gates, self.room)
        self._wake_who_waited_at(gates)
        self._wake_who_was_idle()
        if not any(gate.is_open for gate in gates.values()):
            return
        ranks: dict[int, list[Equals]] = {}
        for equals in self._hot:
            ranks.setdefault(equals.priority, []).append(equals)
        for priority in sorted(ranks):
            yield from self._give_out(ranks[priority], offer)

    def _give_out(self, rank: Iterable[Equals], offer: Offer) -> Iterator[Grant]:
        """To those of one priority."""
        line = [(*first, equals) for equals in rank if (first := self._first(equals)) is not None]
        heapify(line)
        while line:
            served, ticket, equals = line[0]
            route = offer.route(equals.ways, equals.boost)
            if route is None:
                self._park(equals, offer)
                heappop(line)
                continue
            contender = equals.able[0][2]
            offer.take(route)
            contender.served = served + 1
            self._most[equals.priority] = max(served + 1, self._most.get(equals.priority, 0))
            heapreplace(equals.able, (served + 1, ticket, contender))
            yield Grant(contender.run_id, route)
            first = self._first(equals)
            if first is None:
                heappop(line)
            else:
                heapreplace(line, (*first, equals))

    def _first(self, equals: Equals) -> tuple[int, int] | None:
        """(served, ticket) of the one whose turn it is, at the top of ``able``; None, and cold, if none has anything to
        dial. A lag beyond LAG is forgiven: who had nothing to dial for an hour must not starve its equals afterwards.
        """
        floor = self._most.get(equals.priority, 0) - LAG
        while equals.able:
            served, ticket, contender = equals.able[0]
            if not contender.able:
                heappop(equals.able)
                self._idle[contender] = None
                continue
            contender.served = max(contender.served, floor)
            if contender.served == served:
                return served, ticket
            heapreplace(equals.able, (contender.served, ticket, contender))
        self._hot.pop(equals, None)
        return None

    def _park(self, equals: Equals, offer: Offer) -> None:
        """It cannot place a call: look at it again when a line opens (``opened``) or a gate."""
        self._hot.pop(equals, None)
        for way in equals.ways:
            if not offer.gate(way).is_open:
                self._at_gate.setdefault(way.server_id, {})[equals] = None

    def _wake_who_waited_at(self, gates: Gates) -> None:
        for server_id in [server_id for server_id, gate in gates.items() if gate.is_open]:
            self._hot.update(self._at_gate.pop(server_id, {}))

    def _wake_who_was_idle(self) -> None:
        for contender in [contender for contender in self._idle if contender.able]:
            del self._idle[contender]
            seat = self._seats[contender]
            heappush(seat.equals.able, (contender.served, seat.ticket, contender))
            self._hot[seat.equals] = None


class _Index:
    """Who may use which lines. What many share (the same trunks, the same end points) is kept once."""

    def __init__(self) -> None:
        self._equals: dict[tuple[object, ...], Equals] = {}
        self._bundles: dict[tuple[Lines, ...], tuple[Lines, ...]] = {}
        self._users: dict[int, dict[Equals, None]] = {}  #: id of a bundle -> who may use it
        self._of: dict[Lines, dict[int, None]] = {}  #: lines -> ids of the bundles they are in

    def equals_of(self, contender: Contender, on_open: Callable[[Lines], None]) -> Equals:
        ways = tuple(
            Way(way.server_id, self._bundle(way.trunks, on_open), self._bundle(way.end_points, on_open))
            for way in contender.ways
        )
        key = _key(contender.priority, contender.boost, ways)
        equals = self._equals.get(key)
        if equals is None:
            equals = self._equals[key] = Equals(contender.priority, contender.boost, ways)
            for bundle in _bundles(equals):
                self._users[id(bundle)][equals] = None
        return equals

    def forget(self, equals: Equals) -> None:
        del self._equals[_key(equals.priority, equals.boost, equals.ways)]
        for bundle in _bundles(equals):
            self._users[id(bundle)].pop(equals, None)
            if not self._users[id(bundle)]:
                self._drop(bundle)

    def users(self, lines: Lines) -> Iterator[Equals]:
        for bundle in self._of.get(lines, ()):
            yield from self._users[bundle]

    def _bundle(self, lines: tuple[Lines, ...], on_open: Callable[[Lines], None]) -> tuple[Lines, ...]:
        known = self._bundles.setdefault(lines, lines)
        if known is lines and id(lines) not in self._users:
            self._users[id(lines)] = {}
            for each in lines:
                each.on_open = on_open
                self._of.setdefault(each, {})[id(lines)] = None
        return known

    def _drop(self, bundle: tuple[Lines, ...]) -> None:
        del self._users[id(bundle)], self._bundles[bundle]
        for each in bundle:
            self._of[each].pop(id(bundle), None)
            if not self._of[each]:
                del self._of[each]


def _bundles(equals: Equals) -> set[tuple[Lines, ...]]:
    return {bundle for way in equals.ways for bundle in (way.trunks, way.end_points)}


def _key(priority: int, boost: float, ways: tuple[Way, ...]) -> tuple[object, ...]:
    return priority, boost, *((way.server_id, id(way.trunks), id(way.end_points)) for way in ways)
