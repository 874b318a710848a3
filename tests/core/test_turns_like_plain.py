"""``core/turns`` looks only at what has changed. Here it lives through any history beside the plain rule, which looks
at everything before each call: both must give the same calls to the same runs over the same lines.
"""

from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.plain_turns import PlainTurns, Work, plain_why_not, run
from wombat_ari.core.lines import Lines
from wombat_ari.core.routes import Gate, Offer, ways_of
from wombat_ari.core.turns import Contender, Turns, why_not
from wombat_ari.model.states import RunState

SERVERS = (1, 2)
STATES = (RunState.RUNNING, RunState.RUNNING, RunState.PAUSED)

small = st.integers(0, 7)


@dataclass(frozen=True)
class Plan:
    """What both sides are made of. Of a run: which trunks and end points (as bits), priority, boost, numbers."""

    trunks: list[tuple[int, int]]  #: (server, capacity)
    end_points: list[tuple[int, int, int | None]]  #: (server, capacity, agents if it is a queue)
    runs: list[tuple[int, int, int, float, int]]


plans = st.builds(
    Plan,
    trunks=st.lists(st.tuples(st.sampled_from(SERVERS), st.integers(0, 6)), min_size=1, max_size=4),
    end_points=st.lists(
        st.tuples(st.sampled_from(SERVERS), st.integers(0, 8), st.none() | st.integers(0, 4)), min_size=1, max_size=4
    ),
    runs=st.lists(
        st.tuples(
            st.integers(0, 15), st.integers(0, 15), st.integers(1, 2), st.sampled_from([1.0, 1.5]), st.integers(0, 30)
        ),
        min_size=1,
        max_size=6,
    ),
)

deeds = st.one_of(
    st.tuples(st.just("pass"), st.integers(0, 40), small),
    st.tuples(st.just("gate"), st.sampled_from(SERVERS), small),
    st.tuples(st.just("end"), small, small),
    st.tuples(
        st.sampled_from(
            [
                "work",
                "state",
                "trunk",
                "end_point",
                "agents",
                "leave",
                "enter",
                "level",
                "back",
                "priority",
                "boost",
                "ways",
            ]
        ),
        small,
        small,
    ),
)


@dataclass
class Side:
    """One of the two, with lines and runs of its own."""

    plan: Plan
    turns: Any
    trunks: list[Lines] = field(default_factory=list)
    end_points: list[Lines] = field(default_factory=list)
    runs: list[Contender] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)
    away: set[int] = field(default_factory=set)
    calls: list[tuple[int, int]] = field(default_factory=list)  #: (trunk, end point) of those that live
    gates: dict[int, Gate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.trunks = [Lines(n, "trunk", server_id=s, capacity=c) for n, (s, c) in enumerate(self.plan.trunks)]
        self.end_points = [Lines(n, "to", server_id=s, capacity=c) for n, (s, c, _) in enumerate(self.plan.end_points)]
        self.agents = [agents for _, _, agents in self.plan.end_points]
        self.turns.room = self.room
        for run_id, (outs, ins, priority, boost, numbers) in enumerate(self.plan.runs):
            self.works.append(Work(numbers))
            self.runs.append(run(run_id, self.works[-1], self.ways(outs, ins), priority=priority, boost=boost))
            self.turns.enter(self.runs[-1])

    def ways(self, outs: int, ins: int) -> Any:
        trunks = [each for bit, each in enumerate(self.trunks) if outs >> bit & 1]
        return ways_of(trunks, [each for bit, each in enumerate(self.end_points) if ins >> bit & 1])

    def room(self, end_point: Lines, boost: float) -> int:
        agents = self.agents[end_point.key]
        return end_point.free if agents is None else min(end_point.free, int(agents * boost) - end_point.used)

    def do(self, kind: str, one: int, other: int) -> list[tuple[int, int, int]]:
        """A deed; what a pass has given is answered."""
        if kind == "pass":
            return self.grant(one)
        if kind == "gate":
            self.gates[one] = Gate(connected=other > 0, budget=other, room=5)
        elif kind == "end":
            self.end(one)
        elif kind == "trunk":
            self.trunks[one % len(self.trunks)].capacity = other
        elif kind in ("end_point", "agents"):
            self.change_end_point(one % len(self.end_points), other, kind)
        else:
            self.change_run(one % len(self.runs), other, kind)
        return []

    def grant(self, most: int) -> list[tuple[int, int, int]]:
        given = []
        for grant in islice(self.turns.grants(self.gates), most):
            self.works[grant.run_id].left -= 1
            self.calls.append((grant.route.trunk.key, grant.route.end_point.key))
            given.append((grant.run_id, *self.calls[-1]))
        return given

    def end(self, which: int) -> None:
        if not self.calls:
            return
        trunk, end_point = self.calls.pop(which % len(self.calls))
        self.trunks[trunk].give()
        self.end_points[end_point].give()
        if self.agents[end_point] is not None:
            self.told(end_point)

    def change_end_point(self, key: int, value: int, kind: str) -> None:
        if kind == "end_point":
            self.end_points[key].capacity = value
        elif self.agents[key] is not None:
            self.agents[key] = value
            self.told(key)

    def told(self, end_point: int) -> None:
        """Of queues it is told when there may be more room: only they are asked more than how many are free."""
        if isinstance(self.turns, Turns):
            self.turns.opened(self.end_points[end_point])

    def change_run(self, key: int, value: int, kind: str) -> None:
        contender = self.runs[key]
        if kind == "work":
            self.works[key].left += value
        elif kind == "state":
            contender.state = STATES[value % len(STATES)]
        elif kind == "leave" and key not in self.away:
            self.away.add(key)
            self.turns.leave(contender)
        elif kind == "enter" and key in self.away:
            self.away.discard(key)
            self.turns.enter(contender)
        elif kind == "back":
            self.turns.taken_back(contender)
        elif key not in self.away and kind in ("level", "priority", "boost", "ways"):
            self.configure(contender, value, kind)

    def configure(self, contender: Contender, value: int, kind: str) -> None:
        before = contender.priority
        if kind == "priority":
            contender.priority = 1 + value % 2
        elif kind == "boost":
            contender.boost = 1.0 + value % 2
        elif kind == "ways":
            contender.ways = self.ways(value, 15 - value)
        if kind == "level" or before != contender.priority:
            self.turns.level(contender)
        if isinstance(self.turns, Turns) and kind != "level":
            self.turns.enter(contender)

    def check(self) -> None:
        """Nothing is exceeded, whatever was done (what was lowered meanwhile is not cut)."""
        for count, all_lines in enumerate((self.trunks, self.end_points)):
            for each in all_lines:
                assert each.used == sum(call[count] == each.key for call in self.calls)
        assert all(gate.budget >= 0 and gate.room >= 0 for gate in self.gates.values())


@settings(max_examples=1500, deadline=None)
@given(plans, st.lists(deeds, max_size=40))
def test_any_history_is_lived_through_alike(plan: Plan, history: list[tuple[str, int, int]]) -> None:
    quick, plain = Side(plan, Turns()), Side(plan, PlainTurns())
    start = [("gate", server, 7) for server in SERVERS]
    for deed in [*start, ("pass", 40, 0), *history, ("pass", 40, 0)]:
        assert quick.do(*deed) == plain.do(*deed), deed
        quick.check()
    for one, other in zip(quick.runs, plain.runs, strict=True):
        assert why_not(one, Offer(quick.gates, quick.room)) == plain_why_not(other, plain.gates, plain.room)


@settings(max_examples=300, deadline=None)
@given(plans, st.lists(deeds, max_size=30))
def test_who_is_looked_at_without_need_gets_nothing_more(plan: Plan, history: list[tuple[str, int, int]]) -> None:
    """After a pass that was not cut off nobody could place one more: nobody was forgotten."""
    side = Side(plan, Turns())
    for deed in [("gate", 1, 7), ("gate", 2, 7), *history]:
        side.do(*deed)
        side.grant(1000)
        side.turns.look_at(99)
        assert side.grant(1000) == [], deed
