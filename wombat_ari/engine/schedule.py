"""Step 3: at each pass, give free lines to runs in turn; make durable who may be dialled; then let them be placed.

Durable before acting: the marks of a pass are committed in one batch before any of its Originates is written, so that a
crash never loses who may have been called. A call that is not placed after all goes back to the hopper, and its mark is
taken back; both go to the same thread, in order.
"""

from collections.abc import Callable
from itertools import islice
from typing import Any

from twisted.logger import Logger
from twisted.python.failure import Failure

from wombat_ari.bridge.desk import Desk
from wombat_ari.bridge.journal import Journal
from wombat_ari.core.routes import Gate, Offer, Route, WhyNot
from wombat_ari.core.turns import why_not
from wombat_ari.engine.board import PLACEABLE, Board, Clock, Flight, LiveRun
from wombat_ari.engine.follow import Follow
from wombat_ari.model import events as ev
from wombat_ari.model.calls import DialMark
from wombat_ari.model.effects import Effect
from wombat_ari.model.errors import StoreError
from wombat_ari.model.states import CallState, DialerState, RunState

HOLD_S = 1.0  #: after trouble with the database nothing is scheduled for so long
PACE_S = 0.008  #: passes that place calls begin so far apart: under load many calls share one commit and one write
AT_ONCE = 50  #: calls placed by one pass: the reactor has other things to do, the next pass is PACE_S away
LOOK_EACH_S = 0.05  #: so often ...
LOOK_AT = 50  #: ... so many are looked at without need: what nobody told (a setting) is found out after a second
MARKS_AT_ONCE = 2  #: batches of marks under way: one, and another for which agents may wait
UNITS_AHEAD = 2  #: calls granted ahead of their writing: two units of the congestion budget keep the line busy

log = Logger()


class Schedule:
    """``kick`` it whenever something may have become possible; it runs one pass for many kicks."""

    def __init__(self, board: Board, clock: Clock, desk: Desk, journal: Journal, follow: Follow) -> None:
        self._board = board
        self._clock = clock
        self._desk = desk
        self._journal = journal
        self._follow = follow
        self.assign: Callable[[Flight], None] = lambda flight: None  #: gives a reverse call its agent
        self._kicked = False  #: a pass is wanted
        self._hurried = False  #: at once
        self._pass_at: Any = None  #: its timer; none while marks are being written: it comes after them
        self._not_before = 0.0
        self._to_mark: list[Flight] = []
        self._marking = 0  #: batches of marks under way
        self._to_release: dict[int, LiveRun] = {}
        self._releasing = False
        self._hold_until = 0.0
        self._look_at = 0.0

    def kick(self) -> None:
        """Something was freed or came: run a pass soon."""
        self._kicked = True
        if self._pass_at is None and not self._marking:
            self._pass_at = self._clock.callLater(max(0.0, self._not_before - self._clock.seconds()), self._pass)

    def kick_now(self) -> None:
        """The same where an agent may wait for it: it does not gather company, and its marks are written right behind
        those that are under way.
        """
        self._hurried, self._not_before = True, 0.0
        if self._pass_at is not None:
            self._pass_at.reset(0)
        elif 0 < self._marking < MARKS_AT_ONCE:
            self._pass_at = self._clock.callLater(0, self._pass)
        self.kick()

    def why_not(self, run: LiveRun) -> WhyNot | None:
        """Why this run places no call right now."""
        return self.reasons()(run)

    def reasons(self) -> Callable[[LiveRun], WhyNot | None]:
        """The same for many runs at one moment: what they share is looked at once."""
        offer, hold = Offer(self._gates(), self._board.turns.room), self._hold()
        return lambda run: why_not(run.contender, offer, hold)

    def release_scheduled(self) -> None:
        """The dialer stops: what was not written goes back to the hopper."""
        for flight in list(self._board.flights.values()):
            if flight.call.state in PLACEABLE:
                self._follow.tell(flight, ev.Released(flight.call.wombatid))
        self._flush_releases()

    def route(self, flight: Flight, route: Route) -> None:
        """These lines, taken already, are its own: it will be marked and placed."""
        wombatid = flight.call.wombatid
        flight.route = route
        flight.turn += 1
        self._to_release.pop(wombatid, None)  # it is marked again: an older release must not come after that
        self._board.pbxs[route.server_id].granted.add(wombatid)

    # Performers of effects

    def record(self, flight: Flight, effect: Effect) -> None:
        self._to_mark.append(flight)

    def free_line(self, flight: Flight, effect: Effect) -> None:
        assert flight.route is not None, "a line was given back by a call without one"
        flight.route.trunk.give()
        flight.route.end_point.give()
        self._board.pbxs[flight.route.server_id].granted.discard(flight.call.wombatid)
        self.kick()

    def return_to_hopper(self, flight: Flight, effect: Effect) -> None:
        call, run = flight.call, flight.run
        self._board.flights.pop(call.wombatid, None)
        run.flights.pop(call.wombatid, None)
        flight.route = None
        flight.turn += 1
        self._to_release[call.wombatid] = run
        self._board.turns.taken_back(run.contender)
        if run.machine.state != RunState.REMOVED:
            run.hopper.put_back(flight)

    # The pass

    def _pass(self) -> None:
        self._kicked = self._hurried = False
        self._pass_at = None
        self._give_out()
        if self._to_mark:
            # Another pass comes after it: there may be more to place than the PBX was to be told at once.
            self._kicked, self._not_before = True, self._clock.seconds() + PACE_S
        self._mark_next()
        self._flush_releases()

    def _give_out(self) -> None:
        turns, now = self._board.turns, self._clock.seconds()
        if now >= self._look_at:
            self._look_at = now + LOOK_EACH_S
            turns.look_at(LOOK_AT)
        if self._hold() is None:
            for grant in islice(turns.grants(self._gates()), AT_ONCE):
                self._grant(self._board.runs[grant.run_id], grant.route)

    def _grant(self, run: LiveRun, route: Route) -> None:
        flight = run.hopper.take()
        assert flight is not None, "granted to a run with an empty hopper"
        wombatid = flight.call.wombatid
        self._board.flights[wombatid] = run.flights[wombatid] = flight
        self.route(flight, route)
        self.assign(flight)
        self._follow.tell(flight, ev.Scheduled(wombatid))

    def _gates(self) -> dict[int, Gate]:
        return {
            pbx.id: Gate(
                connected=pbx.ready and pbx.driver.connected,
                budget=UNITS_AHEAD * pbx.budget.per_unit - len(pbx.granted),
                # Half at a time: the marks of one half are written while the PBX works on the other.
                room=min(pbx.pressure.room - len(pbx.granted), -(-pbx.pressure.allowed // 2)),
            )
            for pbx in self._board.pbxs.values()
        }

    def _hold(self) -> WhyNot | None:
        if self._board.state != DialerState.READY:
            return WhyNot.STOPPING
        if self._clock.seconds() < self._hold_until:
            return WhyNot.DATABASE
        return WhyNot.JOURNAL if self._journal.full else None

    # Marks and releases

    def _mark_next(self) -> None:
        if self._marking >= MARKS_AT_ONCE or not self._to_mark:
            return
        batch = [(flight, flight.turn) for flight in self._to_mark if flight.call.state in PLACEABLE]
        self._to_mark.clear()
        if not batch:
            return
        self._marking += 1
        marks = [_mark(flight) for flight, _ in batch]
        self._desk.mark(marks, now=self._clock.seconds()).addCallbacks(
            lambda _: self._marked(batch), lambda failure: self._not_marked(batch, failure)
        ).addErrback(self._fence)

    def _marked(self, batch: list[tuple[Flight, int]]) -> None:
        self._marking -= 1
        self._board.database_trouble = ""
        for flight, turn in batch:
            if flight.turn == turn and flight.call.state in PLACEABLE:
                self._follow.tell(flight, ev.Recorded(flight.call.wombatid))
        self._after_marks()

    def _not_marked(self, batch: list[tuple[Flight, int]], failure: Failure) -> None:
        self._marking -= 1
        self.note_trouble(failure)
        for flight, turn in batch:
            if flight.turn == turn and flight.call.state in PLACEABLE:
                self._follow.tell(flight, ev.Released(flight.call.wombatid))
        self._after_marks()

    def _after_marks(self) -> None:
        self._mark_next()
        if self._hurried:
            self.kick_now()
        elif self._kicked:
            self.kick()

    def note_trouble(self, failure: Failure) -> None:
        """The database could not be written: nobody is dialled who cannot be logged."""
        self._hold_until = self._clock.seconds() + HOLD_S
        text = str(failure.value)
        if failure.check(StoreError) is None:
            log.failure("scheduling: a mistake of ours", failure=failure)
        elif text != self._board.database_trouble:
            log.error("no calls are placed: {trouble}", trouble=text)
        self._board.database_trouble = text

    def _flush_releases(self) -> None:
        if self._releasing or not self._to_release or self._clock.seconds() < self._hold_until:
            return
        self._releasing = True
        batch, self._to_release = self._to_release, {}
        self._desk.release(list(batch)).addCallbacks(
            lambda _: self._released(batch), lambda failure: self._not_released(batch, failure)
        ).addErrback(self._fence)

    def _released(self, batch: dict[int, LiveRun]) -> None:
        self._releasing = False
        for run in {run.id: run for run in batch.values()}.values():
            if run.machine.state == RunState.REMOVED:
                self._desk.give_up(run.id).addErrback(self.note_trouble)

    def _not_released(self, batch: dict[int, LiveRun], failure: Failure) -> None:
        self._releasing = False
        again = {wombatid: run for wombatid, run in batch.items() if wombatid not in self._board.flights}
        self._to_release = {**again, **self._to_release}
        self.note_trouble(failure)

    def _fence(self, failure: Failure) -> None:
        log.failure("scheduling: a mistake of ours", failure=failure)


def _mark(flight: Flight) -> DialMark:
    route = flight.route
    assert route is not None
    return DialMark(
        flight.call.wombatid,
        server_id=route.server_id,
        trunk_id=route.trunk.key,
        end_point_id=route.end_point.key,
        state=CallState.RD_AGENTREQ if flight.call.agent_interface else CallState.REQUESTED,
        agent=flight.call.agent,
        agent_interface=flight.call.agent_interface,
    )
