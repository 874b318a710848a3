"""Step 9 beside the call log: what a campaign with QM_COMPATIBLE logging says in the PBX's own queue_log."""

from wombat_ari.core import queuelog
from wombat_ari.engine.board import Flight
from wombat_ari.engine.dial import Dial
from wombat_ari.model import events as ev
from wombat_ari.model.calls import CallResult
from wombat_ari.model.effects import Effect
from wombat_ari.model.events import CallEvent
from wombat_ari.model.states import CallState

LATE_ATTRIBUTES = (ev.AttributeSet, ev.AttributeAppended, ev.AttributeCleared)


class Tell:
    """Hears the same effects as ``settle``, before it: the call is still on the board."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._entered: set[int] = set()  #: calls whose ENTERQUEUE was said

    def save(self, flight: Flight, effect: Effect) -> None:
        if not queuelog.wanted(flight.run.campaign):
            return
        self._enter(flight)
        if flight.call.state == CallState.CONNECTED:
            self._dial.queue_log(
                flight, queuelog.answered(flight.call, flight.run.campaign, end_point=_end_point(flight))
            )

    def settle(self, flight: Flight, effect: Effect) -> None:
        if not queuelog.wanted(flight.run.campaign) or flight.route is None or flight.call.requested_at is None:
            return
        self._enter(flight)
        self._entered.discard(flight.call.wombatid)
        for line in queuelog.ended(flight.call, flight.run.campaign, end_point=_end_point(flight)):
            self._dial.queue_log(flight, line)

    def late(self, flight: Flight, event: CallEvent, result: CallResult) -> None:
        """What came after the end, within a minute."""
        call, campaign = flight.call, flight.run.campaign
        if not queuelog.wanted(campaign) or flight.route is None or call.requested_at is None:
            return
        end_point = _end_point(flight)
        if isinstance(event, ev.StatusSet):
            line = queuelog.status(call, campaign, code=event.code, end_point=end_point)
        elif isinstance(event, LATE_ATTRIBUTES) and event.name in queuelog.told_attributes(campaign):
            value = result.output_attributes[event.name]
            line = queuelog.attribute(call, campaign, name=event.name, value=value, end_point=end_point)
        else:
            return
        self._dial.queue_log(flight, line)

    def _enter(self, flight: Flight) -> None:
        if flight.call.wombatid not in self._entered:
            self._entered.add(flight.call.wombatid)
            self._dial.queue_log(flight, queuelog.dialled(flight.call, flight.run.campaign))


def _end_point(flight: Flight) -> str:
    """The agent, where one is known, else the end point."""
    assert flight.route is not None
    return flight.call.agent or flight.route.end_point.name
