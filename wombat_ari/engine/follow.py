"""Steps 5 and 6: every event goes to its call, and what the call wants is done.

Effects are performed by one dictionary from type to method, after ``handle`` returned. Events that an effect causes are
queued behind it, never nested.
"""

import heapq
from collections import deque
from collections.abc import Callable

from twisted.logger import Logger

from wombat_ari.engine.board import Board, Clock, Flight
from wombat_ari.model import events as ev
from wombat_ari.model.calls import CallProgress
from wombat_ari.model.effects import Effect
from wombat_ari.model.events import CallEvent
from wombat_ari.model.states import CallState

log = Logger()

#: Events that say nothing about the channel: they do not relieve the pressure.
SILENT = (ev.Sent, ev.Accepted, ev.NotSent)

Performer = Callable[[Flight, Effect], None]


class Follow:
    """``performers`` says who does what: given by ``engine/dialer``, so that steps know only the board and events."""

    def __init__(self, board: Board, clock: Clock) -> None:
        self._board = board
        self._clock = clock
        self._perform: dict[type[Effect], Performer] = {}
        self._on_unknown: Callable[[CallEvent], None] = lambda event: None
        self._queue: deque[tuple[Flight, CallEvent]] = deque()
        self._busy = False
        self.trace = True  #: each change of state is logged (at debug); off where nobody would see it: it costs
        self._deadlines: list[tuple[float, int]] = []

    def wire(self, performers: dict[type[Effect], Performer], on_unknown: Callable[[CallEvent], None]) -> None:
        """Say who performs which effect, and who hears events of calls that are not open."""
        self._perform = performers
        self._on_unknown = on_unknown

    def on_event(self, event: CallEvent) -> None:
        """From a driver, the dialplan or an API: find the call and tell it."""
        flight = self._board.flights.get(event.call)
        if flight is None:
            self._board.unknown_events += 1
            self._on_unknown(event)
            return
        if flight.route is not None and type(event) not in SILENT:
            self._board.pbxs[flight.route.server_id].pressure.signed(event.call)
        self.tell(flight, event)

    def tell(self, flight: Flight, event: CallEvent) -> None:
        """Tell a call what happened and do what it wants."""
        if self._busy:
            self._queue.append((flight, event))
            return
        self._busy = True
        try:
            self._one(flight, event)
            while self._queue:
                self._one(*self._queue.popleft())
        finally:
            self._busy = False

    def fire_deadlines(self) -> None:
        """TimeUp for each call whose deadline has passed. Called by the dialer's tick."""
        now = self._clock.seconds()
        while self._deadlines and self._deadlines[0][0] <= now:
            _, wombatid = heapq.heappop(self._deadlines)
            flight = self._board.flights.get(wombatid)
            # A call's deadline moves: an entry that is no longer its deadline is stale.
            if flight is not None and flight.call.deadline is not None and flight.call.deadline <= now:
                self.tell(flight, ev.TimeUp(wombatid))

    def watch(self, flight: Flight) -> None:
        """Note a call's deadline, as it is now."""
        if flight.call.deadline is not None:
            heapq.heappush(self._deadlines, (flight.call.deadline, flight.call.wombatid))

    def _one(self, flight: Flight, event: CallEvent) -> None:
        call = flight.call
        before, deadline = call.state, call.deadline
        try:
            effects = call.handle(event, self._clock.seconds())
        except Exception:  # noqa: BLE001 - fence: one event; the other calls go on
            log.failure("call {call}: {event} failed in {state}", call=call.wombatid, event=event, state=before)
            return
        if effects is None:
            self._odd(flight, event)
            return
        if call.deadline is not None and call.deadline != deadline:
            self.watch(flight)
        if self.trace and call.state is not before:
            log.debug(
                "call {call} run {run}: {before} -> {after} on {event}",
                call=call.wombatid, run=flight.run.id, before=before, after=call.state, event=type(event).__name__,
            )  # fmt: skip
        for effect in effects:
            self._perform[type(effect)](flight, effect)

    def _odd(self, flight: Flight, event: CallEvent) -> None:
        self._board.odd_events += 1
        log.warn(
            "call {call}: {event} is not known in {state}, ignored; history: {history}",
            call=flight.call.wombatid, event=event, state=flight.call.state, history=" ".join(flight.call.history),
        )  # fmt: skip


def progress_of(flight: Flight, now: float) -> CallProgress:
    """What is written behind while a call lives."""
    call = flight.call
    at = call.connected_at if call.state == CallState.CONNECTED else call.dialling_at
    requested_at = call.requested_at if call.agent_interface else None
    return CallProgress(call.wombatid, call.state, at if at is not None else now, call.dialling_at, requested_at)
