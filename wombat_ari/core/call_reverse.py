"""What the call machine does in reverse dialling: the agent's phone first, then the callee (spec 03).

Our channel is the agent's. The shipped context plays music to the agent and dials the callee with Dial(); the callee's
channel is a leg of ours. The waits and the outcome are those of the callee. ``core/call_table`` says when each is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wombat_ari.core.call_ends import closing, hang_up, over
from wombat_ari.core.call_steps import ANSWER_MARGIN_S, connected, hung_up, released
from wombat_ari.model import effects as do
from wombat_ari.model import events as ev
from wombat_ari.model.effects import Effect
from wombat_ari.model.states import CallState

if TYPE_CHECKING:
    from wombat_ari.core.call import Call

S = CallState

RESERVED_S = 600.0  #: an agent holds a number so long
ANSWERED = 4  #: OriginateResponse's Reason when the agent answered


def reserved(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.state = S.RD_RESERVED
    call.deadline = now + RESERVED_S
    return []


def dial_asked(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.state = S.RD_SCHEDULED
    call.deadline = None
    call.holds_line = True
    call.placed = False
    return [do.Record()]


def skipped(call: Call, event: ev.Skipped, now: float) -> list[Effect]:
    call.evidence.skipped = True
    call.extended_status = event.code
    return over(call, now)


def reservation_over(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    """The agent did not decide: back to the pool of callable numbers."""
    call.deadline = None
    return released(call, event, now)


def sent(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.state = S.RD_AGENTREQ
    call.requested_at = now
    call.deadline = now + call.limits.answer_timeout_s + ANSWER_MARGIN_S
    return []


def agents_channel(call: Call, event: ev.ChannelCreated, now: float) -> list[Effect]:
    call.channel = event.channel
    call.evidence.channel_seen = True
    return hang_up(call, now) if call.evidence.hung_up_by_us else []


def agent_answered(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    """The agent is there: from now on it is about the callee."""
    call.state = S.RD_REQUESTED
    call.evidence.channel_seen = True
    call.evidence.reason = ANSWERED
    call.requested_at = now
    if call.evidence.hung_up_by_us:
        return [do.Save(), *hang_up(call, now)]
    call.deadline = now + call.limits.answer_timeout_s + ANSWER_MARGIN_S
    return [do.Save()]


def agent_failed(call: Call, event: ev.OriginateFailed, now: float) -> list[Effect]:
    call.evidence.no_agent = not call.evidence.hung_up_by_us
    call.evidence.reason = event.reason
    call.ended_at = now if call.ended_at is None else call.ended_at
    return closing(call, now)


def agent_hung_up_ringing(call: Call, event: ev.HungUp, now: float) -> list[Effect]:
    call.evidence.no_agent = not call.evidence.hung_up_by_us
    return hung_up(call, event, now)


def callee_dialled(call: Call, event: ev.LegDialled, now: float) -> list[Effect]:
    call.dialling_at = now if call.dialling_at is None else call.dialling_at
    return []


def callee_dial_ended(call: Call, event: ev.DialEnded, now: float) -> list[Effect]:
    if not event.leg:
        return []  # that is the agent's own
    if event.status == "ANSWER":
        call.evidence.answered = True
        call.dialling_at = now if call.dialling_at is None else call.dialling_at
        return connected(call, now)
    call.evidence.dial_status = event.status
    return []


def callee_ended(call: Call, event: ev.CalleeEnded, now: float) -> list[Effect]:
    """Told by the dialplan: counts where events were missed (the link was down), or there was no channel at all."""
    call.evidence.dial_status = event.dial_status
    if call.evidence.leg_cause is None:
        call.evidence.leg_cause = event.cause
    if event.dial_status == "ANSWER":
        call.evidence.answered = True
        began = now - event.talk_ms / 1000
        call.dialling_at = began if call.dialling_at is None else call.dialling_at
        call.connected_at = max(began, call.dialling_at)
        call.state = S.CONNECTED
        call.deadline = None
    return []


def agent_hung_up(call: Call, event: ev.HungUp, now: float) -> list[Effect]:
    """Before the callee answered. The dialplan hangs the agent up when the callee failed, and then has told why."""
    left = call.evidence.dial_status in ("", "CANCEL")
    call.evidence.no_agent = left and not call.evidence.hung_up_by_us
    return hung_up(call, event, now)


def found_live(call: Call, event: ev.FoundLive, now: float) -> list[Effect]:
    """Up means that the agent is there; whether the callee is, the dialplan will tell when it ends."""
    call.unseen = False
    call.taken = True
    call.channel = event.channel
    call.evidence.channel_seen = True
    if call.evidence.hung_up_by_us:
        return hang_up(call, now)
    if event.up and call.state == S.RD_AGENTREQ:
        return agent_answered(call, event, now)
    call.deadline = now + call.limits.answer_timeout_s + ANSWER_MARGIN_S
    return []
