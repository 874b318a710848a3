"""What the call machine does when the PBX was out of sight: the link broke, it restarted, what lives was asked for.

Each function answers the effects wanted, in order. ``core/call_table`` says when which is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wombat_ari.core.call_ends import RING_TIMEOUT, hang_up, may_be_shutdown, over
from wombat_ari.core.call_steps import ANSWER_MARGIN_S, connected
from wombat_ari.model import effects as do
from wombat_ari.model import events as ev
from wombat_ari.model.effects import Effect
from wombat_ari.model.states import CallState

if TYPE_CHECKING:
    from wombat_ari.core.call import Call

S = CallState


def pbx_stopped(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.evidence.lost = True
    return over(call, now)


def pbx_stopped_closing(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.evidence.lost = may_be_shutdown(call.evidence)
    return over(call, now)


def link_broke(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.unseen = True
    call.deadline = None
    return []


def found_live(call: Call, event: ev.FoundLive, now: float) -> list[Effect]:
    call.unseen = False
    call.taken = True
    call.channel = event.channel
    call.evidence.channel_seen = True
    if call.dialling_at is None:
        call.dialling_at = max(call.requested_at or now, now - event.seconds)
    if event.up or call.connected_at is not None:
        call.evidence.answered = True
        # When it was answered meanwhile nobody saw it: the moment of this finding is the honest one.
        return connected(call, now)
    call.state = S.DIALLING
    if call.evidence.hung_up_by_us:
        return [do.Save(), *hang_up(call, now)]
    call.deadline = now + call.limits.answer_timeout_s + ANSWER_MARGIN_S
    return [do.Save()]


def found_live_closing(call: Call, event: ev.FoundLive, now: float) -> list[Effect]:
    """OriginateResponse said Failure, yet the channel lives on: end it, nobody may stay on a line that is forgotten."""
    if not call.holds_line:
        return []
    call.unseen = False
    return hang_up(call, now)


def found_gone(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.evidence.never_taken = not call.taken and not call.evidence.channel_seen
    # Asked to be gone, and gone: its hang-up was only not heard.
    call.evidence.lost = not (call.evidence.never_taken or call.evidence.hung_up_by_us)
    return over(call, now)


def gone_closing(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    # It was over already: what was seen decides.
    return over(call, now)


def trace_found(call: Call, event: ev.TraceFound, now: float) -> list[Effect]:
    seen = call.evidence
    seen.channel_seen = True
    seen.answered = seen.answered or event.answered
    seen.cause = event.cause
    seen.dial_status = event.dial_status
    if seen.reason is None and not event.answered and _rang_out(call, event):
        seen.reason = RING_TIMEOUT
    call.dialling_at = call.requested_at if call.dialling_at is None else call.dialling_at
    latest = next((at for at in (call.connected_at, call.dialling_at) if at is not None), event.ended_at)
    # The PBX counted the talk in milliseconds, its moment of the end is a whole second, and its clock may differ from
    # ours: the talk is kept as it was, and the phases stay in order, whatever that moment says.
    talk = event.talk_ms / 1000 if event.answered else 0.0
    known = call.connected_at is not None and talk > 0
    call.ended_at = min(now, latest + talk if known else max(event.ended_at, latest + talk))
    if event.answered and call.connected_at is None:
        call.connected_at = min(call.ended_at, max(latest, call.ended_at - talk))
    return over(call, now)


def _rang_out(call: Call, event: ev.TraceFound) -> bool:
    """A note tells no Reason, and of a ring time-out Asterisk 16 (and one that stood still) no cause: its length does.

    The moment of the end is a whole second, cut off.
    """
    if call.agent_interface or call.requested_at is None:
        return False
    return event.ended_at - call.requested_at >= call.limits.answer_timeout_s - 1
