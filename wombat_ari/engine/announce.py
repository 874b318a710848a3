"""Around it: what happens, told in order to whoever listens: runs, calls, PBXs, lists that grow.

The last ``KEPT`` events are remembered, so that a listener who was away goes on where it was. Nothing is spelled before
somebody asks: with nobody there an event costs a tuple. Ids grow, over restarts of the dialer too.
"""

import json
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred

from wombat_ari.bridge.journal import Journal
from wombat_ari.engine.board import Board, Clock, Flight
from wombat_ari.model.calls import CallProgress, CallResult, RunChange, SystemLogEntry
from wombat_ari.model.effects import Effect
from wombat_ari.model.states import CallState

KEPT = 10_000
GATHER_S = 0.05  #: a listener is told no more often
GROWN_S = 1.0  #: of one list it is told no more often
WAIT_S = 10.0  #: a listener who is told nothing for so long is answered nothing
PART = 50_000  #: bytes of one answer, about

Values = dict[str, Any]


class Event(NamedTuple):
    """``about`` is a campaign's, a list's or a server's name, whose rights decide who is told."""

    id: int
    kind: str
    at: float
    about: str
    values: tuple[Any, ...]


#: what the values of each kind of event are called
FIELDS: dict[str, tuple[str, ...]] = {
    "run.changed": ("run", "campaign", "state"),
    "call.requested": ("wombatid", "number", "campaign", "run", "attempt"),
    "call.answered": ("wombatid", "number", "campaign", "run", "attempt"),
    "call.ended": (
        "wombatid", "number", "campaign", "run", "attempt", "outcome", "extended_status", "talk_ms", "retry_in_s",
    ),
    "pbx.up": ("pbx", "why"),
    "pbx.down": ("pbx", "why"),
    "list.grown": ("list",),
}  # fmt: skip
_PBX = {"PBX up": "pbx.up", "PBX down": "pbx.down"}


class Announce:
    """Hears what is written behind (``journal.on_added``), what is placed, and which lists grew."""

    def __init__(self, board: Board, clock: Clock, journal: Journal) -> None:
        self._board = board
        self._clock = clock
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._first = int(clock.seconds() * 1000) * 1000  #: below all ids of this dialer, above those of earlier ones
        self._last = self._first
        self.outcomes: Counter[str] = Counter()  #: of calls since the start
        self._answered: set[int] = set()  #: calls of which it was told
        self._waiting: list[Deferred[None]] = []
        self._timer: Any = None
        self._growing: dict[str, bool] = {}  #: lists told of lately: whether they grew again
        journal.on_added = self.on_added

    def on_added(self, entry: object) -> None:
        if isinstance(entry, CallResult):
            self._ended(entry)
        elif isinstance(entry, CallProgress):
            self._progressed(entry)
        elif isinstance(entry, RunChange):
            run = self._board.runs.get(entry.run_id)
            if run is not None:
                self._tell("run.changed", run.name, (run.id, run.name, str(entry.state)))
        elif isinstance(entry, SystemLogEntry) and entry.action in _PBX:
            name = entry.object.removeprefix("server ")
            self._tell(_PBX[entry.action], name, (name, entry.detail))

    def placed(self, flight: Flight, effect: Effect) -> None:
        """A performer of ``Place``."""
        self._tell("call.requested", flight.run.name, _call(flight))

    def grown(self, list_name: str) -> None:
        """Told at once, and then once a second while it goes on growing: calls are added in thousands."""
        if list_name in self._growing:
            self._growing[list_name] = True
            return
        self._growing[list_name] = False
        self._tell("list.grown", list_name, (list_name,))
        self._clock.callLater(GROWN_S, self._grown_for_a_while, list_name)

    def _grown_for_a_while(self, list_name: str) -> None:
        if self._growing.pop(list_name):
            self.grown(list_name)

    async def since(self, after: int) -> Values:
        """Events behind the id ``after`` (negative: all that are kept), as many as go into one answer; waits a while
        when there are none. ``missed``: some behind it are not kept. ``last`` is the id of the last event of all.
        """
        if after >= self._last:
            if after > self._last:  # of a dialer whose clock was ahead
                return {"events": [], "last": self._last, "missed": True}
            await self._next()
        oldest = self._kept[0].id if self._kept else self._last + 1
        events: list[Values] = []
        size = 0
        for event in self._behind(after):
            spelled = _spelled(event)
            size += len(json.dumps(spelled))
            if events and size > PART:
                break
            events.append(spelled)
        return {"events": events, "last": self._last, "missed": 0 <= after < oldest - 1}

    def stop(self) -> None:
        """Listeners are answered."""
        self._wake()

    def _behind(self, after: int) -> Iterator[Event]:
        if not self._kept or after < self._kept[0].id:
            yield from self._kept
            return
        for place in range(after - self._kept[0].id + 1, len(self._kept)):  # ids have no gaps
            yield self._kept[place]

    def _ended(self, result: CallResult) -> None:
        claim = result.claim
        self._answered.discard(claim.wombatid)
        self.outcomes[result.outcome.value] += 1
        run = self._board.runs.get(claim.run_id)
        if run is None:
            return
        values = (
            claim.wombatid, claim.number, run.name, run.id, claim.attempt, result.outcome.value, result.extended_status,
            result.talk_ms, result.retry_in_s,
        )  # fmt: skip
        self._tell("call.ended", run.name, values)

    def _progressed(self, progress: CallProgress) -> None:
        if progress.state is not CallState.CONNECTED or progress.wombatid in self._answered:
            return
        flight = self._board.flights.get(progress.wombatid)
        if flight is not None:
            self._answered.add(progress.wombatid)
            self._tell("call.answered", flight.run.name, _call(flight))

    def _tell(self, kind: str, about: str, values: tuple[Any, ...]) -> None:
        self._last += 1
        self._kept.append(Event(self._last, kind, self._clock.seconds(), about, values))
        if self._waiting and self._timer is None:
            self._timer = self._clock.callLater(GATHER_S, self._wake)

    def _next(self) -> Deferred[None]:
        """Fires when something has happened, or after a while all the same."""
        done: Deferred[None] = Deferred()
        if not self._waiting:
            self._clock.callLater(WAIT_S, self._time_out, done)
        self._waiting.append(done)
        return done

    def _time_out(self, first: Deferred[None]) -> None:
        if first in self._waiting:
            self._wake()

    def _wake(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)


def _call(flight: Flight) -> tuple[Any, ...]:
    claim = flight.call.claim
    return (claim.wombatid, claim.number, flight.run.name, flight.run.id, claim.attempt)


def _spelled(event: Event) -> Values:
    data = {"at": round(event.at, 3), **dict(zip(FIELDS[event.kind], event.values, strict=True))}
    return {"id": event.id, "kind": event.kind, "about": event.about, "data": data}
