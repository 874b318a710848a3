"""Around it: preview. An agent asks for the next number, looks at it, and has it dialled or skips it (spec 03).

A number is reserved for ten minutes; asking again gives the same one. It holds no line until its agent dials it.
"""

from wombat_ari.core.routes import Route
from wombat_ari.engine.board import Board, Flight, LiveRun
from wombat_ari.engine.follow import Follow
from wombat_ari.engine.observe import Observe
from wombat_ari.engine.schedule import Schedule
from wombat_ari.model import events as ev
from wombat_ari.model.entities import EndPoint
from wombat_ari.model.errors import UserError
from wombat_ari.model.queues import Member
from wombat_ari.model.states import CallState, DialerState, RunState


class Preview:
    """Refusals are UserErrors whose codes are the words of the API (spec 05)."""

    def __init__(self, board: Board, follow: Follow, observe: Observe, schedule: Schedule) -> None:
        self._board = board
        self._follow = follow
        self._observe = observe
        self._schedule = schedule
        self._held: dict[str, Flight] = {}  #: agent -> the number reserved for them

    def holds(self, agent: str) -> bool:
        """Whether a number is reserved for this agent."""
        self._held = {holder: held for holder, held in self._held.items() if held.call.state == CallState.RD_RESERVED}
        return agent in self._held

    def reserve(self, agent: str) -> Flight:
        """The next callable number for this agent (exactly as in Asterisk), or the one they hold already."""
        if self.holds(agent):
            return self._held[agent]
        self._refuse_if_stopping("AGENT_CANNOT_RESERVE")
        places = self._places(agent)
        if not places:
            raise UserError(f"agent {agent} is on no preview queue, or busy, or paused", code="AGENT_NOT_AVAILABLE")
        flight = self._next(places)
        if flight is None:
            raise UserError(f"there is no number to reserve for agent {agent}", code="AGENT_CANNOT_RESERVE")
        self._held[agent] = flight
        return flight

    def dial(self, wombatid: int) -> None:
        """Call the agent, then the callee."""
        agent, flight = self._reserved(wombatid)
        self._refuse_if_stopping("AGENT_NOT_AVAILABLE")
        if flight.run.machine.state != RunState.RUNNING:
            raise UserError(
                f"call {wombatid} cannot be dialled: its run is {flight.run.machine.state}", code="ID_FOUND_WRONG_STATE"
            )
        for end_point, member in self._places(agent):
            route = self._route(flight.run, end_point)
            if route is not None:
                self._place(flight, route, member)
                return
        raise UserError(f"call {wombatid}: its agent is not free, or no line is", code="AGENT_NOT_AVAILABLE")

    def skip(self, wombatid: int, code: str = "") -> None:
        """It is not dialled; ``code`` is its extended status, for the reschedule rules."""
        _, flight = self._reserved(wombatid)
        self._follow.tell(flight, ev.Skipped(wombatid, code))

    def give_up(self, run: LiveRun) -> None:
        """The run was removed: nobody holds a number of it any more."""
        for flight in list(run.flights.values()):
            if flight.call.state == CallState.RD_RESERVED:
                self._follow.tell(flight, ev.Released(flight.call.wombatid))

    def _refuse_if_stopping(self, code: str) -> None:
        if self._board.state != DialerState.READY:
            raise UserError(f"the dialer is {self._board.state}", code=code)

    def _places(self, agent: str) -> list[tuple[EndPoint, Member]]:
        """The preview end points where this agent could take a call now."""
        found = ((one, self._observe.agent(one, agent)) for one in self._board.end_points.values() if _previews(one))
        return [(end_point, member) for end_point, member in found if member is not None]

    def _next(self, places: list[tuple[EndPoint, Member]]) -> Flight | None:
        """From the most urgent run that works for one of these end points and has something to dial; equals in turn."""
        for run in sorted(self._board.runs.values(), key=lambda run: (run.campaign.priority, run.contender.served)):
            member = next((member for end_point, member in places if self._serves(run, end_point)), None)
            if member is None or run.machine.state != RunState.RUNNING:
                continue
            flight = run.hopper.take()
            if flight is not None:
                wombatid = flight.call.wombatid
                run.contender.served += 1
                self._board.flights[wombatid] = run.flights[wombatid] = flight
                flight.call.assign(member.interface, member.name)
                self._follow.tell(flight, ev.Reserved(wombatid))
                return flight
        return None

    def _reserved(self, wombatid: int) -> tuple[str, Flight]:
        if wombatid not in self._board.flights:
            raise UserError(f"there is no call {wombatid}", code="ID_NOT_FOUND")
        for agent, flight in self._held.items():
            if flight.call.wombatid == wombatid and flight.call.state == CallState.RD_RESERVED:
                return agent, flight
        raise UserError(f"call {wombatid} is not reserved", code="ID_FOUND_WRONG_STATE")

    def _serves(self, run: LiveRun, end_point: EndPoint) -> bool:
        return any(lines.key == end_point.id for way in run.contender.ways for lines in way.end_points)

    def _route(self, run: LiveRun, end_point: EndPoint) -> Route | None:
        pbx = self._board.pbxs.get(end_point.server_id)
        if pbx is None or not (pbx.ready and pbx.driver.connected):
            return None
        routes = (
            Route(trunk, channels, way.server_id)
            for way in run.contender.ways
            for channels in way.end_points
            for trunk in way.trunks
            if channels.key == end_point.id and channels.free and trunk.free
        )
        return next(routes, None)

    def _place(self, flight: Flight, route: Route, member: Member) -> None:
        route.trunk.take()
        route.end_point.take()
        self._schedule.route(flight, route)
        self._observe.give(flight, member)
        self._follow.tell(flight, ev.DialAsked(flight.call.wombatid))
        self._schedule.kick_now()


def _previews(end_point: EndPoint) -> bool:
    return end_point.reverse and end_point.manual_preview
