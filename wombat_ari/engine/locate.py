"""Around it: what is known of a call by its WOMBATID, wherever it is: live, in the hopper, waiting, on a list, over."""

from collections.abc import Callable
from dataclasses import asdict

from wombat_ari.bridge.desk import Desk
from wombat_ari.bridge.journal import Journal
from wombat_ari.engine.board import Board, Flight
from wombat_ari.engine.glance import LIVE_STATES, told
from wombat_ari.engine.publish import Snapshot
from wombat_ari.model.errors import UserError
from wombat_ari.model.reports import CallInfo
from wombat_ari.model.states import CallState


class Locate:
    """``is_recent`` knows the calls that ended a moment ago."""

    def __init__(self, board: Board, *, desk: Desk, journal: Journal, is_recent: Callable[[int], bool]) -> None:
        self._board = board
        self._desk = desk
        self._journal = journal
        self._is_recent = is_recent

    async def call_info(self, wombatid: int) -> Snapshot:
        """Fields of ``CallInfo``, ``is_live``, ``live`` as ``glance`` tells it, and ``reserved_until`` of a number
        that an agent holds. UserError: there is no such call."""
        flight = self._board.flights.get(wombatid)
        if flight is not None:
            is_live = flight.call.state in LIVE_STATES
            found = {**asdict(_about(flight)), "is_live": is_live, "live": told(flight) if is_live else None}
            if flight.call.state == CallState.RD_RESERVED:
                found["reserved_until"] = flight.call.deadline
            return found
        if self._is_recent(wombatid):
            await self._journal.drain()  # how it ended may not be written yet
        stored = await self._desk.find_call(wombatid)
        if stored is None:
            raise UserError(f"no call has the WOMBATID {wombatid}", code="no-call")
        return {**asdict(stored), "is_live": False, "live": None}


def _about(flight: Flight) -> CallInfo:
    call, claim, run = flight.call, flight.call.claim, flight.run
    return CallInfo(
        wombatid=call.wombatid,
        state=call.state.value,
        campaign_name=run.name,
        run_id=run.id,
        run_name=run.title,
        list_name=claim.list_name,
        number=claim.number,
        attempt=claim.attempt,
        due_at=None,
        attempted_at=call.requested_at,
        ended_at=call.ended_at,
        outcome=call.outcome.value if call.outcome else "",
        extended_status=call.extended_status,
        retry_in_s=0,
        agent=call.agent,
        input_attributes=claim.input_attributes,
        output_attributes={**claim.output_attributes, **call.output_attributes},
        agent_interface=call.agent_interface,
    )
