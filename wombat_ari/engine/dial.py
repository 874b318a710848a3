"""Step 4: write to the PBX, no faster than it may be told (congestion control): hang-ups first, the rest in order.

An Originate is written only for a call that is still SCHEDULED, whose mark is durable, and whose PBX is connected;
otherwise the call goes back to the hopper. Nothing is written twice.
"""

from collections.abc import Callable

from twisted.logger import Logger

from wombat_ari.core.queuelog import Line
from wombat_ari.core.request import build_request, build_reverse_request
from wombat_ari.engine.board import PLACEABLE, Board, Clock, Flight, Pbx
from wombat_ari.engine.follow import Follow
from wombat_ari.model import effects as do
from wombat_ari.model import events as ev
from wombat_ari.model.calls import OriginateRequest
from wombat_ari.model.effects import Effect
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import RunState

log = Logger()


class Dial:
    """Orders wait here, each server in its own line."""

    def __init__(self, board: Board, clock: Clock, follow: Follow) -> None:
        self._board = board
        self._clock = clock
        self._follow = follow

    # Performers of effects

    def place(self, flight: Flight, effect: Effect) -> None:
        pbx, turn = self._pbx(flight), flight.turn
        self._order(pbx, lambda: flight.turn == turn and self._originate(pbx, flight))

    def hang_up(self, flight: Flight, effect: Effect) -> None:
        assert isinstance(effect, do.HangUp)
        pbx = self._pbx(flight)
        pbx.urgent.append(_writing(pbx.driver.hang_up, flight.call.wombatid, effect.cause))
        self.pump(pbx)

    def limit_life(self, flight: Flight, effect: Effect) -> None:
        assert isinstance(effect, do.LimitLife)
        pbx = self._pbx(flight)
        self._order(pbx, _writing(pbx.driver.limit_life, flight.call.wombatid, effect.seconds))

    def ask_alive(self, flight: Flight, effect: Effect) -> None:
        pbx = self._pbx(flight)
        self._order(pbx, _writing(pbx.driver.ask_alive, flight.call.wombatid))

    def queue_log(self, flight: Flight, line: Line) -> None:
        """Write a line of the queue_log of the call's PBX, in its turn; given up when the link is down."""
        pbx = self._pbx(flight)
        if not pbx.driver.connected:
            return

        def order() -> bool:
            pbx.driver.queue_log(
                line.queue, line.event, unique_id=line.unique_id, interface=line.interface, message=line.message
            )
            return True

        self._order(pbx, order)

    # The line of orders

    def pump(self, pbx: Pbx) -> None:
        """Write what the budget allows now, and come back when it opens again."""
        while (pbx.urgent or pbx.orders) and pbx.budget.left(self._clock.seconds()) > 0:
            order = (pbx.urgent or pbx.orders).popleft()
            if order():
                pbx.budget.spend(self._clock.seconds())
        if (pbx.urgent or pbx.orders) and pbx.pump_at is None:
            now = self._clock.seconds()
            pbx.pump_at = self._clock.callLater(max(0.0, pbx.budget.opens_at(now) - now), self._again, pbx)

    def drop(self, pbx: Pbx) -> None:
        """The link is down: forget orders; calls not yet written hear of it by LinkBroke."""
        pbx.urgent.clear()
        pbx.orders.clear()
        pbx.pressure.clear()

    def _again(self, pbx: Pbx) -> None:
        pbx.pump_at = None
        self.pump(pbx)

    def _order(self, pbx: Pbx, order: Callable[[], bool]) -> None:
        pbx.orders.append(order)
        self.pump(pbx)

    def _originate(self, pbx: Pbx, flight: Flight) -> bool:
        call = flight.call
        if call.state not in PLACEABLE or flight.route is None:
            return False
        if not (pbx.ready and pbx.driver.connected and flight.route.stands) or not self._wanted(flight):
            self._follow.tell(flight, ev.Released(call.wombatid))
            return False
        now = self._clock.seconds()
        call.limits = flight.run.limits  # as the campaign is now, like the request: it may have been loaded long ago
        try:
            request = self._request(flight)
        except UserError as wrong:
            self._follow.tell(flight, ev.NotSent(call.wombatid, str(wrong)))
            return False
        pbx.granted.discard(call.wombatid)
        pbx.pressure.sent(call.wombatid, now)
        self._board.placed += 1
        pbx.driver.originate(request)
        return True

    def _request(self, flight: Flight) -> OriginateRequest:
        assert flight.route is not None
        claim, campaign = flight.call.claim, flight.run.campaign
        trunk = self._board.trunks[flight.route.trunk.key]
        end_point = self._board.end_points[flight.route.end_point.key]
        agent, stasis = flight.call.agent_interface, self._pbx(flight).stasis
        if agent:
            return build_reverse_request(claim, campaign, trunk=trunk, end_point=end_point, agent=agent, stasis=stasis)
        return build_request(claim, campaign, trunk=trunk, end_point=end_point, stasis=stasis)

    def _wanted(self, flight: Flight) -> bool:
        """A run that was paused or removed while the call waited for its turn does not place it."""
        return flight.run.machine.state == RunState.RUNNING

    def _pbx(self, flight: Flight) -> Pbx:
        assert flight.route is not None, "a call without a line has no PBX"
        return self._board.pbxs[flight.route.server_id]


def _writing(action: Callable[..., None], *args: int) -> Callable[[], bool]:
    """An order that writes one action, and so spends budget."""

    def order() -> bool:
        action(*args)
        return True

    return order
