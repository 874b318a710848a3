"""Whose turn it is, told as small worlds; and why a run may not place a call now, one reason after the other."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from wombat_ari.core.lines import Lines
from wombat_ari.core.turns import LAG, Contender, Gate, Route, WhyNot, World, grants, level, why_not
from wombat_ari.model.states import RunState


def lines(name: str = "trunk", *, capacity: int = 100, used: int = 0, server_id: int = 1) -> Lines:
    made = Lines(1, name, server_id=server_id, capacity=capacity)
    made.used = used
    return made


def route(trunk: Lines, end_point: Lines | None = None) -> Route:
    return Route(trunk, end_point or lines("end point", server_id=trunk.server_id), trunk.server_id)


def gate(*, connected: bool = True, budget: int = 1000, room: int = 1000) -> Gate:
    return Gate(connected, budget, room)


@dataclass
class Work:
    """What a run has to dial; consumed as the engine consumes a hopper."""

    left: int

    def waiting(self) -> int:
        return self.left


def run(
    run_id: int,
    work: Work,
    routes: Sequence[Route],
    *,
    priority: int = 10,
    state: RunState = RunState.RUNNING,
    end_point_room: Callable[[Route], int] | None = None,
) -> Contender:
    made = Contender(run_id, priority, state, routes, work.waiting)
    if end_point_room is not None:
        made.end_point_room = end_point_room
    return made


def served(world: World, works: dict[int, Work]) -> list[int]:
    """The run of each grant, in order; each takes one call of its run, as the engine does."""
    order = []
    for grant in grants(world):
        works[grant.run_id].left -= 1
        order.append(grant.run_id)
    return order


class TestWhyNot:
    """Each reason alone, and each going before the next: a run that has every obstacle loses them one by one."""

    def test_every_reason_in_its_order(self) -> None:
        trunk, end_point = lines(capacity=1, used=1), lines("end point", capacity=1, used=1)
        work, here = Work(0), gate(connected=False, budget=0, room=0)
        only = run(1, work, [], state=RunState.PAUSED)
        world = World([only], {1: here}, WhyNot.STOPPING)
        told: list[WhyNot | None] = []

        def tell() -> None:
            told.append(why_not(only, world))
            nothing = told[-1] is not None
            assert (next(grants(world), None) is None) == nothing, "why_not and grants agree"

        tell()
        for hold in (WhyNot.DATABASE, WhyNot.JOURNAL):
            world.hold = hold
            tell()
        world.hold = None
        tell()
        only.state = RunState.RUNNING
        tell()
        only.routes = [route(trunk, end_point)]
        tell()
        work.left = 1
        tell()
        here.connected = True
        tell()
        trunk.give()
        tell()
        end_point.give()
        only.end_point_room = lambda route: 0
        tell()
        only.end_point_room = lambda route: 1
        tell()
        here.budget = 1
        tell()
        here.room = 1
        tell()
        assert told == [
            WhyNot.STOPPING,
            WhyNot.DATABASE,
            WhyNot.JOURNAL,
            WhyNot.NOT_RUNNING,
            WhyNot.NO_ROUTE,
            WhyNot.HOPPER_EMPTY,
            WhyNot.PBX_DOWN,
            WhyNot.NO_LINE,
            WhyNot.NO_CHANNEL,
            WhyNot.NO_AGENT,
            WhyNot.CONGESTION,
            WhyNot.PRESSURE,
            None,
        ]
        assert told == [*WhyNot, None], "the enum is in the order in which it is asked, and each can be caused"

    @pytest.mark.parametrize("state", [state for state in RunState if state != RunState.RUNNING])
    def test_only_a_running_run_is_served(self, state: RunState) -> None:
        world = World([run(1, Work(5), [route(lines())], state=state)], {1: gate()})
        assert why_not(world.contenders[0], world) == WhyNot.NOT_RUNNING
        assert list(grants(world)) == []

    def test_the_reason_is_that_of_the_route_that_came_nearest(self) -> None:
        down, full, queued = lines(server_id=1), lines(server_id=2, used=100), lines(server_id=3)
        routes = [route(down), route(full), route(queued)]
        busy = World([run(1, Work(1), routes)], {1: gate(connected=False), 2: gate(), 3: gate(budget=0)})
        assert why_not(busy.contenders[0], busy) == WhyNot.CONGESTION
        busy.gates[3].connected = False
        assert why_not(busy.contenders[0], busy) == WhyNot.NO_LINE

    def test_a_server_nobody_knows_is_down(self) -> None:
        world = World([run(1, Work(1), [route(lines())])], {})
        assert why_not(world.contenders[0], world) == WhyNot.PBX_DOWN

    def test_an_end_point_may_have_less_room_than_channels(self) -> None:
        """A queue without free agents."""
        world = World([run(1, Work(1), [route(lines())], end_point_room=lambda route: 0)], {1: gate()})
        assert why_not(world.contenders[0], world) == WhyNot.NO_AGENT
        assert list(grants(world)) == []


class TestGrants:
    def test_the_lines_of_a_grant_are_taken_and_the_brakes_pressed(self) -> None:
        trunk, end_point, here = lines(capacity=3), lines("end point", capacity=5), gate(budget=9, room=7)
        works = {1: Work(10)}
        assert served(World([run(1, works[1], [route(trunk, end_point)])], {1: here}), works) == [1, 1, 1]
        assert (trunk.used, end_point.used, here.budget, here.room, works[1].left) == (3, 3, 6, 4, 7)

    def test_the_trunk_with_most_free_lines_is_used(self) -> None:
        one, two = lines("one", capacity=4), lines("two", capacity=6)
        works = {1: Work(6)}
        served(World([run(1, works[1], [route(one), route(two)])], {1: gate()}), works)
        assert (one.used, two.used) == (2, 4)

    def test_a_full_end_point_sends_its_calls_to_the_other(self) -> None:
        trunk, one, two = lines(), lines("one", capacity=2), lines("two", capacity=2)
        works = {1: Work(9)}
        served(World([run(1, works[1], [route(trunk, one), route(trunk, two)])], {1: gate()}), works)
        assert (trunk.used, one.used, two.used) == (4, 2, 2)

    def test_a_server_that_is_down_or_held_back_is_passed_over(self) -> None:
        down, behind, well = lines(server_id=1), lines(server_id=2), lines(server_id=3)
        works = {1: Work(9)}
        world = World(
            [run(1, works[1], [route(down), route(behind), route(well)])],
            {1: gate(connected=False), 2: gate(room=0), 3: gate(budget=2)},
        )
        assert served(world, works) == [1, 1]
        assert (down.used, behind.used, well.used) == (0, 0, 2)

    def test_nothing_while_everybody_is_held(self) -> None:
        for hold in (WhyNot.STOPPING, WhyNot.JOURNAL):
            assert list(grants(World([run(1, Work(9), [route(lines())])], {1: gate()}, hold))) == []


class TestPriority:
    def test_the_smaller_number_takes_all_it_can(self) -> None:
        trunk = lines(capacity=5)
        works = {1: Work(3), 2: Work(9)}
        world = World(
            [run(2, works[2], [route(trunk)], priority=20), run(1, works[1], [route(trunk)], priority=5)], {1: gate()}
        )
        assert served(world, works) == [1, 1, 1, 2, 2]

    def test_what_it_cannot_use_goes_to_the_next(self) -> None:
        shared, own = lines(capacity=9), lines("full", capacity=1, used=1)
        works = {1: Work(9), 2: Work(2)}
        first = run(1, works[1], [route(own)], priority=1)
        world = World([first, run(2, works[2], [route(shared)], priority=2)], {1: gate()})
        assert served(world, works) == [2, 2]


class TestEquals:
    def fight(self, passes: Sequence[int], runs: int = 3) -> Counter[int]:
        """Equal runs on one trunk, some free lines in each pass."""
        trunk = lines(capacity=0)
        works = {key: Work(10_000) for key in range(runs)}
        contenders = [run(key, works[key], [route(trunk, lines(capacity=10_000))]) for key in range(runs)]
        told: Counter[int] = Counter()
        for free in passes:
            trunk.capacity = trunk.used + free
            told.update(served(World(contenders, {1: gate(budget=10_000, room=10_000)}), works))
            assert max(told[key] for key in works) - min(told[key] for key in works) <= 1
        return told

    @pytest.mark.parametrize("free", [1, 2, 3, 4, 7, 100])
    def test_equal_work_gets_equal_turns_within_one(self, free: int) -> None:
        assert sum(self.fight([free] * 50).values()) == 50 * free

    def test_also_when_passes_differ(self) -> None:
        self.fight([1, 5, 2, 2, 9, 1, 1, 3, 4, 1] * 5, runs=4)

    def test_one_call_at_a_time(self) -> None:
        trunk, works = lines(capacity=6), {1: Work(9), 2: Work(9)}
        world = World([run(1, works[1], [route(trunk)]), run(2, works[2], [route(trunk)])], {1: gate()})
        assert served(world, works) == [1, 2, 1, 2, 1, 2]

    def test_a_run_that_had_nothing_to_dial_catches_up_on_a_few_calls_only(self) -> None:
        trunk, works = lines(capacity=1000), {1: Work(500), 2: Work(0)}
        worker, idler = (run(key, works[key], [route(trunk, lines(capacity=1000))]) for key in (1, 2))
        world = World([worker, idler], {1: gate(budget=5000, room=5000)})
        assert served(world, works) == [1] * 500
        works[1].left = works[2].left = 10_000
        turns = []
        for _ in range(60):
            trunk.capacity = trunk.used + 1
            turns += served(world, works)
        assert turns[:LAG] == [2] * LAG
        rest = Counter(turns[LAG:])
        assert abs(rest[1] - rest[2]) <= 1

    def test_a_newcomer_starts_level(self) -> None:
        old, other, new = (run(key, Work(1), []) for key in (1, 2, 3))
        old.served, other.served, other.priority = 90, 500, 1
        level([old, other, new], new)
        assert new.served == 90
        alone = run(4, Work(1), [], priority=7)
        level([old, alone], alone)
        assert alone.served == 0
