"""What holds for every call, whatever comes: in any order, doubled, late, with deadlines firing when they pass.

However confused its events are, a call ends once, with one outcome, and gives its line back as often as it took it.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.story import (
    ANSWERED,
    CREATED,
    GONE,
    RECORDED,
    SCHEDULED,
    SENT,
    START,
    TIME_UP,
    WOMBATID,
    hung_up,
    live,
    new_call,
)
from tests.core.test_call_table import EVENTS, contents
from wombat_ari.core.call import HISTORY, Call
from wombat_ari.core.outcome import decide
from wombat_ari.model import effects as do
from wombat_ari.model import events as ev
from wombat_ari.model.states import CallState

S = CallState

#: What a late status from the dialplan may still change after the end.
OPEN_AFTER_THE_END = {"extended_status", "output_attributes", "agent", "end_point_seen"}
#: Effects that need a PBX, so a route.
ON_THE_LINE = (do.Place, do.HangUp, do.LimitLife, do.AskAlive)

waits = st.sampled_from([0.0, 0.0, 0.01, 0.3, 0.6, 1.5, 2.5, 6.0, 45.0])
happenings = st.lists(st.tuples(waits, st.sampled_from(EVENTS)), max_size=30)
beginnings = st.sampled_from([[], [SCHEDULED], [SCHEDULED, RECORDED, SENT], [SCHEDULED, RECORDED, SENT, EVENTS[10]]])
closures = st.sampled_from([0.0, 0.0, 1.0, 60.0])
AGENT = "PJSIP/1"
RESERVED, DIAL_ASKED = ev.Reserved(WOMBATID), ev.DialAsked(WOMBATID)
LEG = ev.LegDialled(WOMBATID, "PJSIP/carrier-00000001")
#: Reverse dialling, and preview.
reverse_beginnings = st.sampled_from(
    [
        [SCHEDULED],
        [SCHEDULED, RECORDED, SENT],
        [SCHEDULED, RECORDED, SENT, CREATED, ANSWERED],
        [SCHEDULED, RECORDED, SENT, CREATED, ANSWERED, LEG],
        [RESERVED],
        [RESERVED, DIAL_ASKED],
        [RESERVED, DIAL_ASKED, RECORDED, SENT],
    ]
)
#: Nobody listens, or there is nobody yet: what keeps such a call alive is its deadline.
NEED_A_DEADLINE = (S.REQUESTED, S.DIALLING, S.CLOSING, S.RD_AGENTREQ, S.RD_REQUESTED)
WITHOUT_A_LINE = (S.IN_HOPPER, S.ENDED, S.RD_RESERVED)


class Watched:
    """A call in the hands of an engine that checks after each event what must hold."""

    def __init__(self, closure_s: float, agent: str = "") -> None:
        self.call = new_call(closure_s=closure_s, agent=agent)
        self.agent = agent
        self.now = START
        self.taken = self.freed = self.settled = self.placed = 0
        self.asked: list[do.Effect] = []

    def happen(self, wait: float, event: ev.CallEvent) -> None:
        """Time passes, deadlines fire, then the event is told."""
        until = self.now + wait
        for _ in range(1000):
            deadline = self.call.deadline
            if deadline is None or deadline > until:
                break
            self.now = max(self.now, deadline)
            self.tell(TIME_UP)
        else:
            raise AssertionError("deadlines without end")
        self.now = until
        self.tell(event)

    def tell(self, event: ev.CallEvent) -> None:
        if self.agent and self.call.state == S.IN_HOPPER and event in (SCHEDULED, RESERVED):
            self.call.assign(self.agent, "Ann")
        before = contents(self.call)
        effects = self.call.handle(event, self.now)
        if effects is None:
            assert contents(self.call) == before, f"{event} is unknown in {self.call.state}, yet changed something"
            return
        if before["state"] == S.ENDED:
            assert effects == [], "nothing is done for a call that has ended"
            assert {name: value for name, value in contents(self.call).items() if name not in OPEN_AFTER_THE_END} == {
                name: value for name, value in before.items() if name not in OPEN_AFTER_THE_END
            }
        self._count(effects, was_holding=before["holds_line"])
        self._check()

    def _count(self, effects: list[do.Effect], *, was_holding: bool) -> None:
        self.asked = effects
        for effect in effects:
            self.taken += isinstance(effect, do.Record)
            self.freed += isinstance(effect, do.FreeLine)
            self.settled += isinstance(effect, do.Settle)
            self.placed += isinstance(effect, do.Place)
            if isinstance(effect, ON_THE_LINE):
                assert was_holding, f"{effect} without a line: there is no PBX to tell"
                assert self.call.holds_line
        if do.Place() in effects:
            assert self.placed <= self.taken, "placed twice in one turn"

    def _check(self) -> None:
        call = self.call
        assert self.taken - self.freed == int(call.holds_line), "each line taken is given back once"
        assert len(call.history) <= HISTORY
        assert (call.outcome is not None) == (call.state == S.ENDED) == (self.settled == 1)
        assert self.settled <= 1
        if call.state in NEED_A_DEADLINE:
            assert call.unseen or call.deadline is not None, "nobody would ever look at it again"
        if call.state == S.CONNECTED and (call.limits.forced_closure_s or call.evidence.hung_up_by_us):
            assert call.unseen or call.deadline is not None
        if call.state in (S.IN_HOPPER, S.ENDED):
            assert call.deadline is None
        if call.state == S.RD_RESERVED:
            assert call.deadline is not None, "an agent could hold it for ever"
        if call.state in WITHOUT_A_LINE:
            assert not call.holds_line
        elif call.state != S.CLOSING:
            assert call.holds_line

    def finish(self, mood: str) -> None:
        """The rest of a plain life: it is placed, the PBX answers what it is asked, the callee hangs up in the end."""
        for turn in range(60):
            if self.call.state == S.ENDED:
                return
            if self.call.state == S.IN_HOPPER:
                self.tell(SCHEDULED)
            elif self.call.state == S.RD_RESERVED:
                self.tell(DIAL_ASKED)
            elif self.call.state in (S.SCHEDULED, S.RD_SCHEDULED):
                self.tell(RECORDED)
                self.tell(SENT)
            elif self.call.unseen and self.call.deadline is None:
                self.tell(live(up=turn % 2 == 0) if mood == "lives" and turn < 20 else GONE)
            elif self.call.deadline is not None:
                self.now = max(self.now, self.call.deadline)
                self.tell(TIME_UP)
                self._answer(turn, mood)
            else:
                self.tell(hung_up(16))
        raise AssertionError(f"still {self.call.state} after everything: {self.call.history}")

    def _answer(self, turn: int, mood: str) -> None:
        if do.HangUp() in self.asked and mood == "obeys":
            self.tell(hung_up(16))
        if do.AskAlive() in self.asked:
            self.tell(live(up=False) if mood == "lives" and turn < 20 else GONE)


def _live_through(
    watched: Watched, beginning: list[ev.CallEvent], events: list[tuple[float, ev.CallEvent]], mood: str
) -> None:
    for event in beginning:
        watched.happen(0.0, event)
    for wait, event in events:
        watched.happen(wait, event)
    watched.finish(mood)
    call = watched.call
    assert call.outcome == decide(call.evidence)
    assert (watched.settled, watched.taken) == (1, watched.freed)
    _times_are_in_order(call)
    for wait, event in events:
        watched.happen(wait, event)


moods = st.sampled_from(["obeys", "deaf", "lives"])


@settings(max_examples=400, deadline=None)
@given(beginnings, happenings, closures, moods)
def test_any_order_of_events_ends_once(
    beginning: list[ev.CallEvent], events: list[tuple[float, ev.CallEvent]], closure_s: float, mood: str
) -> None:
    _live_through(Watched(closure_s), beginning, events, mood)


@settings(max_examples=400, deadline=None)
@given(reverse_beginnings, happenings, closures, moods)
def test_any_order_of_events_ends_once_in_reverse_and_preview_too(
    beginning: list[ev.CallEvent], events: list[tuple[float, ev.CallEvent]], closure_s: float, mood: str
) -> None:
    _live_through(Watched(closure_s, AGENT), beginning, events, mood)


def _times_are_in_order(call: Call) -> None:
    assert call.ended_at is not None
    times = [at for at in (call.requested_at, call.dialling_at, call.connected_at, call.ended_at) if at is not None]
    assert times == sorted(times)
    if call.requested_at is not None:
        assert abs(sum(call.waits_ms()) - (call.ended_at - call.requested_at) * 1000) <= 2, "the phases are the whole"
    assert (call.connected_at is not None) == call.evidence.answered


#: State, how many of its times are known besides the first, agent.
TAKEN_UP = [
    *((state, known, "") for known, state in enumerate((S.REQUESTED, S.DIALLING, S.CONNECTED))),
    *((state, known, AGENT) for known, state in enumerate((S.RD_AGENTREQ, S.RD_REQUESTED, S.CONNECTED))),
]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(TAKEN_UP), happenings, moods)
def test_a_call_taken_up_after_a_restart_ends_once_too(
    taken_up: tuple[CallState, int, str], events: list[tuple[float, ev.CallEvent]], mood: str
) -> None:
    state, reached, agent = taken_up
    watched = Watched(0.0, agent)
    watched.taken = 1
    times = [START - 60 + step if step <= reached else None for step in range(3)]
    watched.call.take_up(state, (times[0], times[1], times[2]))
    watched.call.assign(agent, "Ann" if agent else "")
    for wait, event in events:
        watched.happen(wait, event)
    watched.finish(mood)
    assert (watched.settled, watched.freed) == (1, watched.taken)
    _times_are_in_order(watched.call)


@settings(max_examples=200, deadline=None)
@given(happenings, st.sampled_from(["", AGENT]))
def test_every_event_told_twice_settles_as_if_told_once(events: list[tuple[float, ev.CallEvent]], agent: str) -> None:
    """Doubled words of the PBX carry no news: same outcome, same end, same phases."""
    from_pbx = [(wait, event) for wait, event in events if not isinstance(event, ev.AttributeAppended | ev.TimeUp)]
    once, twice = Watched(0.0, agent), Watched(0.0, agent)
    for watched in (once, twice):
        for event in (SCHEDULED, RECORDED, SENT):
            watched.happen(0.0, event)
    for wait, event in from_pbx:
        once.happen(wait, event)
        twice.happen(wait, event)
        twice.happen(0.0, event)
    assert twice.call.state == once.call.state
    assert twice.call.outcome == once.call.outcome
    assert twice.call.evidence == once.call.evidence
    assert twice.call.ended_at == once.call.ended_at
    assert twice.call.waits_ms() == once.call.waits_ms()
