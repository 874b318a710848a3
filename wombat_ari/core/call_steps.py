"""What the call machine does at each step: one function for each thing that happened.

Each answers the effects wanted, in order. ``core/call_table`` says when which is used, ``core/call_ends`` holds what
the end of a call needs, ``core/call_reconcile`` the steps after the PBX was out of sight. They alone write a Call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wombat_ari.core.call_ends import again_if_closing, ask_alive, closing, free, hang_up, over
from wombat_ari.core.outcome import UNTELLING_CAUSES
from wombat_ari.model import effects as do
from wombat_ari.model import events as ev
from wombat_ari.model.effects import Effect
from wombat_ari.model.states import CallState

if TYPE_CHECKING:
    from wombat_ari.core.call import Call

S = CallState

OVERLOAD_S = 0.05  #: answered and dropped within this with cause 0 and no sign of the end point
ANSWER_MARGIN_S = 10.0  #: after the answer timeout the PBX must have told something
CLOSURE_MARGIN_S = 10  #: AbsoluteTimeout comes so much later than our own forced closure


def scheduled(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.state = S.RD_SCHEDULED if call.agent_interface else S.SCHEDULED
    call.holds_line = True
    call.placed = False
    return [do.Record()]


def recorded(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    # A commit of an earlier turn may be told late, after this one's: never place twice.
    if call.placed:
        return []
    call.placed = True
    return [do.Place()]


def released(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.state = S.IN_HOPPER
    call.history = ()
    call.agent_interface = call.agent = ""
    return [*free(call), do.ReturnToHopper()]


def called_off(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    """Hung up before it was placed: it will not be."""
    call.evidence.hung_up_by_us = True
    return over(call, now)


def sent(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.state = S.REQUESTED
    call.requested_at = now
    call.deadline = now + call.limits.answer_timeout_s + ANSWER_MARGIN_S
    return []


def not_sent(call: Call, event: ev.NotSent, now: float) -> list[Effect]:
    if event.again:
        return released(call, event, now)
    call.requested_at = now
    return refused(call, event, now)


def accepted(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.taken = True
    return []


def refused(call: Call, event: ev.Refused | ev.NotSent, now: float) -> list[Effect]:
    call.evidence.refused = True
    call.evidence.message = event.message
    return over(call, now)


def channel(call: Call, event: ev.ChannelCreated, now: float) -> list[Effect]:
    call.channel = event.channel
    call.evidence.channel_seen = True
    if call.dialling_at is not None:
        return []
    call.dialling_at = now
    if call.state != S.REQUESTED:
        return []
    call.state = S.DIALLING
    return [do.Save(), *(hang_up(call, now) if call.evidence.hung_up_by_us else [])]


def answered(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    asked_already = call.evidence.channel_seen
    call.evidence.answered = True
    call.evidence.channel_seen = True
    if isinstance(event, ev.OriginateSucceeded) and event.channel:
        call.channel = event.channel
    call.dialling_at = now if call.dialling_at is None else call.dialling_at
    return connected(call, now, asked_already=asked_already)


def connected(call: Call, now: float, *, asked_already: bool = False) -> list[Effect]:
    call.state = S.CONNECTED
    call.connected_at = now if call.connected_at is None else call.connected_at
    if call.evidence.forced or call.evidence.hung_up_by_us:
        # It should be gone: the hang-up crossed the answer, was lost, or could not be asked for yet.
        wanted = hang_up(call, now)
        return [do.Save(), *([] if asked_already else wanted)]
    closure = call.limits.forced_closure_s
    if not closure:
        call.deadline = None
        return [do.Save()]
    call.deadline = call.connected_at + closure
    return [do.Save(), do.LimitLife(int(max(0.0, call.deadline - now)) + CLOSURE_MARGIN_S)]


def answered_closing(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    """A call so short that its hang-up came before the success of its Originate."""
    seen = call.evidence
    if seen.cause is None or seen.reason is not None or seen.answered:
        return []
    seen.answered = True
    seen.overload = seen.cause == 0 and not call.end_point_seen
    end = now if call.ended_at is None else call.ended_at
    call.dialling_at = end if call.dialling_at is None else call.dialling_at
    call.connected_at = max(end, call.dialling_at)
    return closing(call, now)


def failed(call: Call, event: ev.OriginateFailed, now: float) -> list[Effect]:
    call.evidence.reason = event.reason
    call.ended_at = now if call.ended_at is None else call.ended_at
    return closing(call, now)


def hung_up(call: Call, event: ev.HungUp, now: float) -> list[Effect]:
    if call.evidence.cause is None:
        call.evidence.cause = event.cause
        call.ended_at = now
    call.evidence.channel_seen = True
    call.evidence.sip_code = call.evidence.sip_code or event.sip_code
    return [*free(call), *closing(call, now)]


def hung_up_connected(call: Call, event: ev.HungUp, now: float) -> list[Effect]:
    at_once = call.connected_at is not None and now - call.connected_at <= OVERLOAD_S
    call.evidence.overload = at_once and event.cause == 0 and not call.end_point_seen
    return hung_up(call, event, now)


def dial_ended(call: Call, event: ev.DialEnded, now: float) -> list[Effect]:
    if not event.leg:
        call.evidence.dial_status = event.status
    return again_if_closing(call, now)


def leg_hung_up(call: Call, event: ev.LegHungUp, now: float) -> list[Effect]:
    # A trunk may be tried after another: the last telling cause counts.
    if call.evidence.leg_cause is None or event.cause not in UNTELLING_CAUSES:
        call.evidence.leg_cause = event.cause
        call.evidence.sip_code = event.sip_code or call.evidence.sip_code
    return again_if_closing(call, now)


def hang_up_asked(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.evidence.hung_up_by_us = True
    # A channel that is not there yet would be said to be gone: it is hung up when it is seen.
    return hang_up(call, now) if call.evidence.channel_seen and not call.unseen else []


def time_up(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    """The PBX should have told something long ago: ask it."""
    return [] if _early(call, now) else ask_alive(call, now)


def time_up_connected(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    if _early(call, now):
        return []
    if call.evidence.forced or call.evidence.hung_up_by_us:
        return ask_alive(call, now)
    call.evidence.forced = True
    return hang_up(call, now)


def time_up_closing(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    if _early(call, now):
        return []
    may_live = call.holds_line and call.evidence.channel_seen and call.evidence.cause is None
    return ask_alive(call, now) if may_live else over(call, now)


def _early(call: Call, now: float) -> bool:
    """A TimeUp of a deadline that has moved meanwhile."""
    return call.deadline is None or now < call.deadline


def status(call: Call, event: ev.StatusSet, now: float) -> list[Effect]:
    call.extended_status = event.code
    call.end_point_seen = True
    return []


def attribute(call: Call, event: ev.AttributeSet, now: float) -> list[Effect]:
    call.output_attributes[event.name] = event.value
    call.end_point_seen = True
    return []


def append(call: Call, event: ev.AttributeAppended, now: float) -> list[Effect]:
    before = call.output_attributes.get(event.name, call.claim.output_attributes.get(event.name, ""))
    call.output_attributes[event.name] = before + event.value
    call.end_point_seen = True
    return []


def clear(call: Call, event: ev.AttributeCleared, now: float) -> list[Effect]:
    call.output_attributes[event.name] = ""
    call.end_point_seen = True
    return []


def agent(call: Call, event: ev.AgentConnected, now: float) -> list[Effect]:
    call.agent = event.agent
    call.end_point_seen = True
    return []


def agent_hung_up(call: Call, event: ev.AgentHungUp, now: float) -> list[Effect]:
    call.evidence.ended_by_agent = True
    return []


def end_point(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.end_point_seen = True
    return []


def nothing(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    """Normal and late: known here, and nothing to do."""
    return []
