"""Around it: the live calls for those who watch, counted in one look, and a page of them.

Whoever watches is not told all calls: with thousands of them, to say them takes the reactor longer than to place them.
"""

from collections.abc import Callable, Iterable, Mapping
from heapq import nlargest, nsmallest
from typing import Any

from wombat_ari.engine.board import Board, Clock, Flight
from wombat_ari.model.live import CallOrder, CallsWanted
from wombat_ari.model.states import CallState

LIVE_STATES = frozenset(CallState) - {CallState.IN_HOPPER, CallState.CLOSING, CallState.ENDED}

Told = dict[str, Any]
Cell = list[Any]  #: run, server, trunk, end point (ids; 0: no line yet), state, how many


class Glance:
    """All answers are of JSON types. Times are epoch seconds."""

    def __init__(self, board: Board, clock: Clock) -> None:
        self._board = board
        self._clock = clock

    def counts(self) -> list[Cell]:
        """How many live calls there are of each run, on each trunk and end point, in each state: all else is a sum."""
        found: dict[tuple[int, int, CallState], Cell] = {}
        for flight in self._board.flights.values():
            state = flight.call.state
            if state in LIVE_STATES:
                # Calls of one route share it, and a look-up by what it is would cost more than all the rest.
                key = (flight.run.id, id(flight.route), state)
                cell = found.get(key)
                if cell is None:
                    cell = found[key] = _cell(flight)
                cell[-1] += 1
        return list(found.values())

    def calls(self) -> list[Told]:
        """Each of them."""
        return [told(flight) for flight in self._live(None)]

    def page(self, wanted: CallsWanted) -> Told:
        """``calls``, of ``total``, from ``skip`` on: the last page when there are not so many any more."""
        live = self._live(wanted.runs)
        if wanted.number:
            live = [flight for flight in live if wanted.number in flight.call.claim.number]
        if wanted.after:
            live = [flight for flight in live if flight.call.wombatid > wanted.after]
        skip = min(wanted.skip, max(0, (len(live) - 1) // wanted.limit * wanted.limit))
        return {
            "now": self._clock.seconds(),
            "total": len(live),
            "skip": skip,
            "calls": [told(flight) for flight in _sorted(live, wanted, until=skip + wanted.limit)[skip:]],
        }

    def _live(self, runs: frozenset[int] | None) -> list[Flight]:
        if runs is None:
            return [flight for flight in self._board.flights.values() if flight.call.state in LIVE_STATES]
        known = (self._board.runs[run] for run in sorted(runs) if run in self._board.runs)
        return [flight for run in known for flight in run.flights.values() if flight.call.state in LIVE_STATES]


def open_calls(counts: Iterable[Cell]) -> dict[int, int]:
    """Run -> live calls."""
    found: dict[int, int] = {}
    for run, *_, count in counts:
        found[run] = found.get(run, 0) + count
    return found


def calls_by_state(counts: Iterable[Cell]) -> dict[str, int]:
    found: dict[str, int] = {}
    for *_, state, count in counts:
        found[state] = found.get(state, 0) + count
    return found


def told(flight: Flight) -> Told:
    """A call as those who watch see it."""
    call, route = flight.call, flight.route
    return {
        "id": call.wombatid,
        "number": call.claim.number,
        "campaign": flight.run.name,
        "run": flight.run.id,
        "list": call.claim.list_name,
        "state": str(call.state),
        "retry": call.claim.retry,
        "originated_at": call.requested_at,
        "answered_at": call.connected_at,
        "trunk": route.trunk.name if route else "",
        "end_point": route.end_point.name if route else "",
        "extended_status": call.extended_status,
        "agent": call.agent,
        "unseen": call.unseen,
    }


def _cell(flight: Flight) -> Cell:
    route, state = flight.route, str(flight.call.state)
    if route is None:
        return [flight.run.id, 0, 0, 0, state, 0]
    return [flight.run.id, route.server_id, route.trunk.key, route.end_point.key, state, 0]


def _sorted(live: list[Flight], wanted: CallsWanted, *, until: int) -> list[Flight]:
    """The first ``until`` in the order wanted; equal ones in the order in which they were scheduled."""
    key = _KEYS[wanted.order]
    have = [flight for flight in live if key(flight) is not None]
    lack = [flight for flight in live if key(flight) is None] if len(have) < len(live) else []
    found = (nlargest if wanted.descending else nsmallest)(until, have, key)
    return (found + lack[: until - len(found)]) if len(found) < until else found


def _trunk(flight: Flight) -> str | None:
    return flight.route.trunk.name if flight.route else None


def _end_point(flight: Flight) -> str | None:
    return flight.route.end_point.name if flight.route else None


_KEYS: Mapping[CallOrder, Callable[[Flight], Any]] = {
    CallOrder.WOMBATID: lambda flight: flight.call.wombatid,
    CallOrder.NUMBER: lambda flight: flight.call.claim.number,
    CallOrder.STATE: lambda flight: flight.call.state.value,
    CallOrder.CAMPAIGN: lambda flight: flight.run.name,
    CallOrder.ORIGINATED: lambda flight: flight.call.requested_at,
    CallOrder.ANSWERED: lambda flight: flight.call.connected_at,
    CallOrder.TRUNK: _trunk,
    CallOrder.END_POINT: _end_point,
    CallOrder.RETRY: lambda flight: flight.call.claim.attempt,
    CallOrder.AGENT: lambda flight: flight.call.agent or None,
}  #: None: it has none (yet)
