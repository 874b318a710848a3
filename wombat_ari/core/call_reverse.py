"""What the call machine does in reverse dialling: the agent's phone first, then the callee (spec 03).

Our channel is the agent's. The shipped context plays music to the agent and dials the callee with Dial(); the callee's
channel is a leg of ours. The waits and the outcome are those of the callee. ``core/call_table`` says when each is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wombat_ari.core.call_ends import AGENT_ANSWERED, closing, hang_up, over
from wombat_ari.core.call_reconcile import trace_found
from wombat_ari.core.call_steps import ANSWER_MARGIN_S, connected, hung_up, released
from wombat_ari.model import effects as do
from wombat_ari.model import events as ev
from wombat_ari.model.effects import Effect
from wombat_ari.model.states import CallState

if TYPE_CHECKING:
    from wombat_ari.core.call import Call

S = CallState

RESERVED_S = 600.0  #: an agent holds a number so long
NOBODY_CAME = ("", "CANCEL")  #: DialStatus when the agent left: before the callee was dialled, or while they rang


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
    call.evidence.reason = AGENT_ANSWERED
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
    # It may be told before the agent's answer is: nobody but the shipped context dials from our channel.
    done = agent_answered(call, event, now) if call.state == S.RD_AGENTREQ else []
    call.dialling_at = now if call.dialling_at is None else call.dialling_at
    return [*done, do.Save()]


def callee_dial_ended(call: Call, event: ev.DialEnded, now: float) -> list[Effect]:
    if not event.dialled_by_us:
        return []  # the agent's own phone, or a channel behind the callee's
    if event.status == "ANSWER":
        call.evidence.answered = True
        call.dialling_at = now if call.dialling_at is None else call.dialling_at
        return connected(call, now)
    call.evidence.dial_status = event.status
    return []


def callee_ended(call: Call, event: ev.CalleeEnded, now: float) -> list[Effect]:
    """Told by the dialplan as our channel ends: counts where events were missed, or there was no channel at all."""
    seen = call.evidence
    seen.channel_seen = True
    seen.reason = AGENT_ANSWERED
    seen.dial_status = event.dial_status
    if seen.leg_cause is None:
        seen.leg_cause = event.cause
    if event.dial_status == "ANSWER":
        return _talked(call, event, now)
    seen.no_agent = event.dial_status in NOBODY_CAME and not seen.hung_up_by_us
    call.ended_at = now
    return closing(call, now)


def talk_ended(call: Call, event: ev.CalleeEnded, now: float) -> list[Effect]:
    """The same when we knew that they talk: the dialplan knows best since when. In a direct call it means nothing."""
    return _talked(call, event, now) if call.agent_interface and event.dial_status == "ANSWER" else []


def _talked(call: Call, event: ev.CalleeEnded, now: float) -> list[Effect]:
    call.evidence.answered = True
    earliest = call.dialling_at if call.dialling_at is not None else call.requested_at
    began = now - event.talk_ms / 1000
    call.connected_at = began if earliest is None else min(now, max(began, earliest))
    call.dialling_at = call.connected_at if call.dialling_at is None else call.dialling_at
    call.ended_at = now
    return closing(call, now)


def agent_hung_up(call: Call, event: ev.HungUp, now: float) -> list[Effect]:
    """Before the callee answered, and the dialplan has not told why."""
    call.evidence.no_agent = call.evidence.dial_status in NOBODY_CAME and not call.evidence.hung_up_by_us
    return hung_up(call, event, now)


def found_live(call: Call, event: ev.FoundLive, now: float) -> list[Effect]:
    """Up means that the agent is there, and the callee dialled; bridged, that the callee has answered."""
    call.unseen = False
    call.taken = True
    call.channel = event.channel
    call.evidence.channel_seen = True
    if event.up:
        call.evidence.reason = AGENT_ANSWERED
    if event.bridged:
        # Since when, the dialplan tells at the end.
        call.evidence.answered = True
        call.dialling_at = call.requested_at if call.dialling_at is None else call.dialling_at
        return connected(call, now)
    if event.up:
        done = agent_answered(call, event, now) if call.state == S.RD_AGENTREQ else []
        call.dialling_at = now if call.dialling_at is None else call.dialling_at
        if done:
            return done
    if call.evidence.hung_up_by_us:
        return hang_up(call, now)
    call.deadline = now + call.limits.answer_timeout_s + ANSWER_MARGIN_S
    return []


def note_found(call: Call, event: ev.TraceFound, now: float) -> list[Effect]:
    """It is about the callee, or about the agent's phone; that one tells no DialStatus."""
    nobody = not event.answered and event.dial_status in NOBODY_CAME
    call.evidence.no_agent = nobody and not call.evidence.hung_up_by_us
    return trace_found(call, event, now)
