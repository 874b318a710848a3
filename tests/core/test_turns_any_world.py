"""What holds in every world of trunks, end points, servers and runs: thousands of them, made by chance from a seed."""

import random
from collections import Counter
from dataclasses import dataclass, field

import pytest

from tests.core.plain_turns import Work, World, run
from wombat_ari.core.lines import Lines
from wombat_ari.core.routes import Gate, WhyNot, ways_of
from wombat_ari.core.turns import Contender, Grant
from wombat_ari.model.states import RunState

WORLDS_PER_TEST = 800


@dataclass
class Chance:
    """A world made by chance, with what is needed to check it."""

    seed: int
    trunks: list[Lines] = field(default_factory=list)
    end_points: list[Lines] = field(default_factory=list)
    works: dict[int, Work] = field(default_factory=dict)
    agents: dict[Lines, int] = field(default_factory=dict)  #: of end points that are queues

    def room(self, end_point: Lines, boost: float) -> int:
        agents = self.agents.get(end_point)
        return end_point.free if agents is None else min(end_point.free, int(agents * boost) - end_point.used)

    def world(self) -> World:
        chance = random.Random(self.seed)
        servers = range(1, chance.choice([1, 1, 2, 3]) + 1)
        self.trunks = [self._lines(chance, servers) for _ in range(chance.randint(1, 6))]
        self.end_points = [self._lines(chance, servers) for _ in range(chance.randint(1, 6))]
        gates = {
            server: Gate(chance.random() < 0.9, chance.choice([0, 3, 20, 50, 50]), chance.choice([0, 5, 50, 50, 50]))
            for server in servers
            if chance.random() < 0.95
        }
        contenders = [self._run(chance, run_id) for run_id in range(1, chance.randint(1, 6) + 1)]
        hold = WhyNot.STOPPING if chance.random() < 0.05 else None
        return World(contenders, gates, hold, self.room)

    def _lines(self, chance: random.Random, servers: range) -> Lines:
        made = Lines(
            chance.randint(1, 999), "lines", server_id=chance.choice(servers), capacity=chance.choice([0, 1, 5, 20, 20])
        )
        # Now and then more is used than there is: the capacity was lowered.
        made.used = chance.choice([0, 0, 0, made.capacity // 2, made.capacity // 3, made.capacity, made.capacity + 1])
        return made

    def _run(self, chance: random.Random, run_id: int) -> Contender:
        trunks = [trunk for trunk in self.trunks if chance.random() < 0.8]
        end_points = [end_point for end_point in self.end_points if chance.random() < 0.8]
        for end_point in end_points:
            if chance.random() < 0.1:
                self.agents[end_point] = chance.choice([0, 2, 9])
        state = RunState.RUNNING if chance.random() < 0.85 else chance.choice(list(RunState))
        work = self.works.setdefault(run_id, Work(chance.choice([0, 1, 5, 30, 30, 30])))
        ways, boost = ways_of(trunks, end_points), chance.choice([1.0, 1.0, 1.0, 1.5])
        made = run(run_id, work, ways, priority=chance.choice([1, 10, 10]), state=state, boost=boost)
        made.served = chance.randint(0, 40)
        return made

    def play(self, world: World) -> list[Grant]:
        given = []
        for grant in world.grants():
            self.works[grant.run_id].left -= 1
            given.append(grant)
            assert len(given) < 10_000, "grants without end"
        return given


def _is_own(grant: Grant, contender: Contender) -> bool:
    route = grant.route
    return any(
        way.server_id == route.server_id and route.trunk in way.trunks and route.end_point in way.end_points
        for way in contender.ways
    )


@pytest.mark.parametrize("lot", range(8))
def test_nothing_is_ever_exceeded(lot: int) -> None:
    for seed in range(lot * WORLDS_PER_TEST, (lot + 1) * WORLDS_PER_TEST):
        chance = Chance(seed)
        world = chance.world()
        counted = [*chance.trunks, *chance.end_points]
        before = [(one.used, one.capacity) for one in counted]
        brakes = {key: (gate.budget, gate.room) for key, gate in world.gates.items()}
        waiting = {run_id: work.left for run_id, work in chance.works.items()}
        by_id = {one.run_id: one for one in world.contenders}
        given = chance.play(world)

        on_trunk = Counter(id(grant.route.trunk) for grant in given)
        on_end_point = Counter(id(grant.route.end_point) for grant in given)
        for one, (used, capacity) in zip(counted, before, strict=True):
            assert one.used == used + on_trunk[id(one)] + on_end_point[id(one)], seed
            assert one.used <= max(used, capacity), f"seed {seed}: more used than there is"
        for server, gate in world.gates.items():
            on_server = sum(grant.route.server_id == server for grant in given)
            assert (gate.budget, gate.room) == tuple(left - on_server for left in brakes[server]), seed
            assert min(gate.budget, gate.room) >= 0 or not on_server, f"seed {seed}: told faster than allowed"
            assert gate.connected or not on_server, f"seed {seed}: a PBX that is down"
        for grant in given:
            assert by_id[grant.run_id].state == RunState.RUNNING, seed
            assert _is_own(grant, by_id[grant.run_id]), f"seed {seed}: not its own route"
            assert world.hold is None, seed
        assert all(count <= waiting[run_id] for run_id, count in Counter(grant.run_id for grant in given).items()), seed


def test_afterwards_nobody_could_place_one_more() -> None:
    for seed in range(1500):
        chance = Chance(seed)
        world = chance.world()
        chance.play(world)
        assert all(world.why_not(one) is not None for one in world.contenders), seed


def test_why_not_is_none_exactly_when_the_run_alone_would_be_served() -> None:
    seen: Counter[WhyNot | None] = Counter()
    for seed in range(1500):
        count = len(Chance(seed).world().contenders)
        for index in range(count):
            world = Chance(seed).world()
            alone = World([world.contenders[index]], world.gates, world.hold, world.room)
            reason = alone.why_not(alone.contenders[0])
            seen[reason] += 1
            assert (next(alone.grants(), None) is not None) == (reason is None), (seed, index, reason)
    never_here = {WhyNot.DATABASE, WhyNot.JOURNAL}
    assert set(seen) == {*WhyNot, None} - never_here, "the worlds cover every reason"


def test_a_run_is_only_served_when_no_run_before_it_could_be() -> None:
    """Strict priority, told as the engine meets it: one grant at a time."""
    for seed in range(1500):
        chance = Chance(seed)
        world = chance.world()
        by_id = {one.run_id: one for one in world.contenders}
        while world.hold is None:
            could = {one.run_id for one in world.contenders if world.why_not(one) is None}
            grant = next(world.grants(), None)
            assert (grant is None) == (not could), seed
            if grant is None:
                break
            chance.works[grant.run_id].left -= 1
            assert grant.run_id in could, seed
            best = min(by_id[run_id].priority for run_id in could)
            assert by_id[grant.run_id].priority == best, f"seed {seed}: {grant.run_id} went before its betters"


def test_equals_on_equal_work_stay_within_one() -> None:
    """Runs of one priority on the same lines, with passes of any size between which calls end."""
    for seed in range(300):
        chance = random.Random(seed)
        trunk = Lines(1, "trunk", server_id=1, capacity=chance.randint(1, 12))
        end_point = Lines(2, "end point", server_id=1, capacity=chance.randint(1, 12))
        works = {run_id: Work(10_000) for run_id in range(chance.randint(2, 5))}
        contenders = [run(run_id, work, ways_of([trunk], [end_point])) for run_id, work in works.items()]
        world = World(contenders, {})
        placed: Counter[int] = Counter()
        for _ in range(40):
            world.gates = {1: Gate(True, chance.randint(0, 6), chance.randint(0, 6))}
            for grant in world.grants():
                works[grant.run_id].left -= 1
                placed[grant.run_id] += 1
            assert max(placed[key] for key in works) - min(placed[key] for key in works) <= 1, seed
            for _ in range(chance.randint(0, trunk.used)):
                trunk.give()
                end_point.give()


def test_a_large_world_is_given_out_with_few_questions() -> None:
    """A pass asks about as many end points as it gives grants, however many runs and trunks there are."""
    asked = 0

    def room(end_point: Lines, boost: float) -> int:
        nonlocal asked
        asked += 1
        return end_point.free

    trunks = [Lines(key, "trunk", server_id=1, capacity=100) for key in range(4)]
    end_point = Lines(9, "end point", server_id=1, capacity=1000)
    works = {run_id: Work(1000) for run_id in range(50)}
    contenders = [run(run_id, work, ways_of(trunks, [end_point])) for run_id, work in works.items()]
    world = World(contenders, {1: Gate(True, 1000, 1000)}, room=room)
    given = 0
    for grant in world.grants():
        works[grant.run_id].left -= 1
        given += 1
    assert given == 400
    assert asked <= given + 1
    assert list(world.grants()) == []
    assert asked <= given + 1, "nothing has happened: nobody is asked"
