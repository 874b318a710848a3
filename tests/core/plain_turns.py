"""Whose turn it is, as plainly as it can be said: look at everybody before each call. ``core/turns`` must do the same.

Also what the tests of turns are written with: a world of contenders, gates and whoever stops them all.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from wombat_ari.core.lines import Lines
from wombat_ari.core.routes import Gate, Offer, Room, Route, Way, WhyNot, phone_room
from wombat_ari.core.turns import LAG, Contender, Grant, Turns, why_not
from wombat_ari.model.states import RunState


@dataclass
class Work:
    """What a run has to dial; consumed as the engine consumes a hopper."""

    left: int

    def waiting(self) -> int:
        return self.left


@dataclass
class World:
    """All that passes look at. Turns are kept from pass to pass, as in life."""

    contenders: Sequence[Contender]
    gates: dict[int, Gate]
    hold: WhyNot | None = None
    room: Room = phone_room
    turns: Turns = field(init=False)

    def __post_init__(self) -> None:
        self.turns = Turns(self.room)
        for contender in self.contenders:
            served = contender.served
            self.turns.enter(contender)
            contender.served = served

    def grants(self) -> Iterator[Grant]:
        """A pass."""
        return iter(()) if self.hold is not None else self.turns.grants(self.gates)

    def why_not(self, contender: Contender) -> WhyNot | None:
        return why_not(contender, Offer(self.gates, self.room), self.hold)


def run(
    run_id: int,
    work: Work,
    ways: Sequence[Way],
    *,
    priority: int = 10,
    state: RunState = RunState.RUNNING,
    boost: float = 1.0,
) -> Contender:
    return Contender(run_id, priority, state, ways, work.waiting, boost)


class PlainTurns:
    """The whole rule. ``most`` is, by priority, what the one given most was given."""

    def __init__(self, room: Room = phone_room) -> None:
        self.contenders: list[Contender] = []  #: in the order in which they came
        self.room = room
        self.most: dict[int, int] = {}

    def enter(self, run: Contender) -> None:
        self.level(run)
        self.contenders.append(run)

    def leave(self, run: Contender) -> None:
        self.contenders.remove(run)

    def level(self, run: Contender) -> None:
        run.served = self.most.get(run.priority, 0)

    def taken_back(self, run: Contender) -> None:
        run.served = max(0, run.served - 1)

    def grants(self, gates: dict[int, Gate]) -> Iterator[Grant]:
        while True:
            able = [run for run in self.contenders if plain_why_not(run, gates, self.room) is None]
            if not able:
                return
            first = min(able, key=lambda run: (run.priority, self.given(run), self.contenders.index(run)))
            route = plain_route(first, gates, self.room)
            assert route is not None
            route.trunk.take()
            route.end_point.take()
            gates[route.server_id].budget -= 1
            gates[route.server_id].room -= 1
            first.served = self.given(first) + 1
            self.most[first.priority] = max(first.served, self.most.get(first.priority, 0))
            yield Grant(first.run_id, route)

    def given(self, run: Contender) -> int:
        """Whoever lags by more than LAG is forgiven the rest."""
        return max(run.served, self.most.get(run.priority, 0) - LAG)


def plain_route(run: Contender, gates: dict[int, Gate], room: Room) -> Route | None:
    """Of all pairs that may be used the one with most free lines; of several the first."""
    pairs = [pair for pair in _pairs(run) if _blocked(pair, run.boost, gates, room) is None]
    return max(pairs, key=lambda pair: pair.trunk.free, default=None)


def plain_why_not(run: Contender, gates: dict[int, Gate], room: Room) -> WhyNot | None:
    if run.state != RunState.RUNNING:
        return WhyNot.NOT_RUNNING
    pairs = _pairs(run)
    if not pairs:
        return WhyNot.NO_ROUTE
    if not run.waiting():
        return WhyNot.HOPPER_EMPTY
    reasons = [_blocked(pair, run.boost, gates, room) for pair in pairs]
    return None if None in reasons else max((each for each in reasons if each), key=list(WhyNot).index)


def _pairs(run: Contender) -> list[Route]:
    return [Route(trunk, into, way.server_id) for way in run.ways for trunk in way.trunks for into in way.end_points]


def _blocked(pair: Route, boost: float, gates: dict[int, Gate], room: Room) -> WhyNot | None:
    gate = gates.get(pair.server_id)
    asked: list[tuple[WhyNot, Callable[[], bool]]] = [
        (WhyNot.PBX_DOWN, lambda: gate is None or not gate.connected),
        (WhyNot.NO_LINE, lambda: pair.trunk.free <= 0),
        (WhyNot.NO_CHANNEL, lambda: pair.end_point.free <= 0),
        (WhyNot.NO_AGENT, lambda: room(pair.end_point, boost) <= 0),
        (WhyNot.CONGESTION, lambda: gate is not None and gate.budget <= 0),
        (WhyNot.PRESSURE, lambda: gate is not None and gate.room <= 0),
    ]
    return next((reason for reason, blocks in asked if blocks()), None)


def lines(name: str = "trunk", *, capacity: int = 100, used: int = 0, server_id: int = 1) -> Lines:
    made = Lines(1, name, server_id=server_id, capacity=capacity)
    made.used = used
    return made
