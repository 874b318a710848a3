"""Whose turn it is, told as small worlds; and why a run may not place a call now, one reason after the other."""

from collections import Counter
from collections.abc import Sequence

import pytest

from tests.core.plain_turns import Work, World, lines, run
from wombat_ari.core.lines import Lines
from wombat_ari.core.routes import Gate, Way, WhyNot, ways_of
from wombat_ari.core.turns import LAG
from wombat_ari.model.states import RunState


def way(trunk: Lines, *end_points: Lines) -> Way:
    return Way(trunk.server_id, (trunk,), end_points or (lines("end point", server_id=trunk.server_id),))


def gate(*, connected: bool = True, budget: int = 1000, room: int = 1000) -> Gate:
    return Gate(connected, budget, room)


def served(world: World, works: dict[int, Work]) -> list[int]:
    """The run of each grant, in order; each takes one call of its run, as the engine does."""
    order = []
    for grant in world.grants():
        works[grant.run_id].left -= 1
        order.append(grant.run_id)
    return order


class TestWhyNot:
    """Each reason alone, and each going before the next: a run that has every obstacle loses them one by one."""

    def test_every_reason_in_its_order(self) -> None:
        trunk, end_point = lines(capacity=1, used=1), lines("end point", capacity=1, used=1)
        work, here = Work(0), gate(connected=False, budget=0, room=0)
        only = run(1, work, [], state=RunState.PAUSED)
        rooms = [0]
        world = World([only], {1: here}, WhyNot.STOPPING, room=lambda end_point, boost: rooms[0])
        told: list[WhyNot | None] = []

        def tell() -> None:
            told.append(world.why_not(only))
            nothing = told[-1] is not None
            assert (next(world.grants(), None) is None) == nothing, "why_not and grants agree"

        tell()
        for hold in (WhyNot.DATABASE, WhyNot.JOURNAL):
            world.hold = hold
            tell()
        world.hold = None
        tell()
        only.state = RunState.RUNNING
        tell()
        only.ways = [way(trunk, end_point)]
        world.turns.enter(only)
        tell()
        work.left = 1
        tell()
        here.connected = True
        tell()
        trunk.give()
        tell()
        end_point.give()
        tell()
        rooms[0] = 1
        world.turns.opened(end_point)
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
        world = World([run(1, Work(5), [way(lines())], state=state)], {1: gate()})
        assert world.why_not(world.contenders[0]) == WhyNot.NOT_RUNNING
        assert list(world.grants()) == []

    def test_the_reason_is_that_of_the_route_that_came_nearest(self) -> None:
        down, full, queued = lines(server_id=1), lines(server_id=2, used=100), lines(server_id=3)
        ways = [way(down), way(full), way(queued)]
        busy = World([run(1, Work(1), ways)], {1: gate(connected=False), 2: gate(), 3: gate(budget=0)})
        assert busy.why_not(busy.contenders[0]) == WhyNot.CONGESTION
        busy.gates[3].connected = False
        assert busy.why_not(busy.contenders[0]) == WhyNot.NO_LINE

    def test_a_server_nobody_knows_is_down(self) -> None:
        world = World([run(1, Work(1), [way(lines())])], {})
        assert world.why_not(world.contenders[0]) == WhyNot.PBX_DOWN

    def test_an_end_point_may_have_less_room_than_channels(self) -> None:
        """A queue without free agents."""
        world = World([run(1, Work(1), [way(lines())])], {1: gate()}, room=lambda end_point, boost: 0)
        assert world.why_not(world.contenders[0]) == WhyNot.NO_AGENT
        assert list(world.grants()) == []


class TestGrants:
    def test_the_lines_of_a_grant_are_taken_and_the_brakes_pressed(self) -> None:
        trunk, end_point, here = lines(capacity=3), lines("end point", capacity=5), gate(budget=9, room=7)
        works = {1: Work(10)}
        assert served(World([run(1, works[1], [way(trunk, end_point)])], {1: here}), works) == [1, 1, 1]
        assert (trunk.used, end_point.used, here.budget, here.room, works[1].left) == (3, 3, 6, 4, 7)

    def test_the_trunk_with_most_free_lines_is_used(self) -> None:
        one, two = lines("one", capacity=4), lines("two", capacity=6)
        works = {1: Work(6)}
        served(World([run(1, works[1], ways_of([one, two], [lines("end point")]))], {1: gate()}), works)
        assert (one.used, two.used) == (2, 4)

    def test_a_full_end_point_sends_its_calls_to_the_other(self) -> None:
        trunk, one, two = lines(), lines("one", capacity=2), lines("two", capacity=2)
        works = {1: Work(9)}
        served(World([run(1, works[1], [way(trunk, one, two)])], {1: gate()}), works)
        assert (trunk.used, one.used, two.used) == (4, 2, 2)

    def test_a_server_that_is_down_or_held_back_is_passed_over(self) -> None:
        down, behind, well = lines(server_id=1), lines(server_id=2), lines(server_id=3)
        works = {1: Work(9)}
        world = World(
            [run(1, works[1], [way(down), way(behind), way(well)])],
            {1: gate(connected=False), 2: gate(room=0), 3: gate(budget=2)},
        )
        assert served(world, works) == [1, 1]
        assert (down.used, behind.used, well.used) == (0, 0, 2)

    def test_nothing_while_everybody_is_held(self) -> None:
        for hold in (WhyNot.STOPPING, WhyNot.JOURNAL):
            assert list(World([run(1, Work(9), [way(lines())])], {1: gate()}, hold).grants()) == []


class TestPriority:
    def test_the_smaller_number_takes_all_it_can(self) -> None:
        trunk = lines(capacity=5)
        works = {1: Work(3), 2: Work(9)}
        world = World(
            [run(2, works[2], [way(trunk)], priority=20), run(1, works[1], [way(trunk)], priority=5)], {1: gate()}
        )
        assert served(world, works) == [1, 1, 1, 2, 2]

    def test_what_it_cannot_use_goes_to_the_next(self) -> None:
        shared, own = lines(capacity=9), lines("full", capacity=1, used=1)
        works = {1: Work(9), 2: Work(2)}
        first = run(1, works[1], [way(own)], priority=1)
        world = World([first, run(2, works[2], [way(shared)], priority=2)], {1: gate()})
        assert served(world, works) == [2, 2]


class TestEquals:
    def fight(self, passes: Sequence[int], runs: int = 3) -> Counter[int]:
        """Equal runs on one trunk, some free lines in each pass."""
        trunk = lines(capacity=0)
        works = {key: Work(10_000) for key in range(runs)}
        contenders = [run(key, works[key], [way(trunk, lines(capacity=10_000))]) for key in range(runs)]
        world = World(contenders, {1: gate(budget=10_000, room=10_000)})
        told: Counter[int] = Counter()
        for free in passes:
            trunk.capacity = trunk.used + free
            told.update(served(world, works))
            assert max(told[key] for key in works) - min(told[key] for key in works) <= 1
        return told

    @pytest.mark.parametrize("free", [1, 2, 3, 4, 7, 100])
    def test_equal_work_gets_equal_turns_within_one(self, free: int) -> None:
        assert sum(self.fight([free] * 50).values()) == 50 * free

    def test_also_when_passes_differ(self) -> None:
        self.fight([1, 5, 2, 2, 9, 1, 1, 3, 4, 1] * 5, runs=4)

    def test_one_call_at_a_time(self) -> None:
        trunk, works = lines(capacity=6), {1: Work(9), 2: Work(9)}
        world = World([run(1, works[1], [way(trunk)]), run(2, works[2], [way(trunk)])], {1: gate()})
        assert served(world, works) == [1, 2, 1, 2, 1, 2]

    def test_a_run_that_had_nothing_to_dial_catches_up_on_a_few_calls_only(self) -> None:
        trunk, works = lines(capacity=1000), {1: Work(500), 2: Work(0)}
        worker, idler = (run(key, works[key], [way(trunk, lines(capacity=1000))]) for key in (1, 2))
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
        """Of its priority: what others have placed is nothing to it."""
        trunk, works = lines(capacity=1000), {key: Work(90) for key in (1, 2, 3)}
        old, urgent = (run(key, works[key], [way(trunk)], priority=priority) for key, priority in ((1, 10), (2, 5)))
        world = World([old, urgent], {1: gate(budget=5000, room=5000)})
        served(world, works)
        new, alone = run(3, works[3], [way(trunk)]), run(4, Work(0), [way(trunk)], priority=7)
        for newcomer in (new, alone):
            world.turns.enter(newcomer)
        assert (new.served, alone.served) == (90, 0)
        works[1].left = 10
        assert served(world, works)[:20] == [1, 3] * 10

    def test_one_that_comes_back_starts_level(self) -> None:
        trunk, works = lines(capacity=1000), {1: Work(90), 2: Work(0)}
        stays, comes = (run(key, works[key], [way(trunk)]) for key in (1, 2))
        world = World([stays, comes], {1: gate(budget=5000, room=5000)})
        served(world, works)
        world.turns.level(comes)
        works[1].left = works[2].left = 3
        assert served(world, works) == [1, 2, 1, 2, 1, 2]

    def test_one_whose_priority_changes_comes_among_its_new_equals(self) -> None:
        trunk, works = lines(capacity=1000), {key: Work(50) for key in (1, 2)}
        first, second = (run(key, works[key], [way(trunk)], priority=key) for key in (1, 2))
        world = World([first, second], {1: gate(budget=5000, room=5000)})
        served(world, works)
        second.priority = 1
        world.turns.enter(second)
        works[1].left = works[2].left = 2
        assert served(world, works) == [1, 2, 1, 2]


class TestComingAndGoing:
    def test_who_left_is_given_nothing(self) -> None:
        trunk, works = lines(capacity=4), {key: Work(9) for key in (1, 2)}
        stays, leaves = (run(key, works[key], [way(trunk)]) for key in (1, 2))
        world = World([stays, leaves], {1: gate()})
        next(world.grants())
        world.turns.leave(leaves)
        world.turns.leave(leaves)
        assert served(world, works) == [1, 1, 1]
        world.turns.enter(leaves)
        trunk.capacity += 1
        assert len(served(world, works)) == 1

    def test_a_pass_may_be_cut_off(self) -> None:
        """Whoever was not asked for is not lost."""
        trunk, works = lines(capacity=6), {key: Work(3) for key in (1, 2)}
        world = World([run(key, works[key], [way(trunk)]) for key in (1, 2)], {1: gate()})
        for expected in (1, 2):
            grant = next(world.grants())
            works[grant.run_id].left -= 1
            assert grant.run_id == expected
        assert served(world, works) == [1, 2, 1, 2]

    def test_a_line_given_back_in_the_middle_of_a_pass_is_found(self) -> None:
        """Also by one who shares the line with another that has looked before it was given back."""
        one, two = lines("one", capacity=1), lines("two", capacity=1, used=1)
        works = {key: Work(1) for key in (1, 2, 3)}
        first, last = (run(key, works[key], [way(two)], priority=key) for key in (1, 3))
        world = World([first, run(2, works[2], [way(one)], priority=2), last], {1: gate()})
        last.ways = first.ways
        world.turns.enter(last)
        told = []
        for grant in world.grants():
            works[grant.run_id].left -= 1
            told.append(grant.run_id)
            if grant.run_id == 2:
                two.give()
                works[1].left = 0
        assert [*told, *served(world, works)] == [2, 3]

    def test_what_nobody_told_is_found_out(self) -> None:
        rooms, works = [0], {1: Work(5)}
        world = World([run(1, works[1], [way(lines())])], {1: gate()}, room=lambda end_point, boost: rooms[0])
        assert served(world, works) == []
        rooms[0] = 1
        assert served(world, works) == []
        world.turns.look_at(1)
        assert next(world.grants()).run_id == 1
