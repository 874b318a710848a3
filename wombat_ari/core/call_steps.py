"""What the call machine does at each step: one function for each thing that happened. They alone write a Call's fields.

Each answers the effects wanted, in order. ``core/call_table`` says when which is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wombat_ari.core.outcome import UNTELLING_CAUSES, decide, telling
from wombat_ari.model import effects as do
from wombat_ari.model import events as ev
from wombat_ari.model.calls import Evidence
from wombat_ari.model.effects import Effect
from wombat_ari.model.states import CallState

if TYPE_CHECKING:
    from wombat_ari.core.call import Call

S = CallState

NO_CHANNEL_S = 1.0  #: a failed call without a channel: none will come after this
PROOF_S = 5.0  #: longest wait for the second of OriginateResponse and Hangup
LEG_S = 0.5  #: longest wait for the hang-up of the trunk's own channel: only it tells the network's cause
SHUTDOWN_S = 2.0  #: a hang-up with cause 0 may be the PBX going down: it says so within this
OVERLOAD_S = 0.05  #: answered and dropped within this with cause 0 and no sign of the end point
ANSWER_MARGIN_S = 10.0  #: after the answer timeout the PBX must have told something
CLOSURE_MARGIN_S = 10  #: AbsoluteTimeout comes so much later than our own forced closure
HANG_UP_CAUSE = 16


def scheduled(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.state = S.SCHEDULED
    call.holds_line = True
    return [do.Record()]


def recorded(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    return [do.Place()]


def released(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.state = S.IN_HOPPER
    call.history.clear()
    return [*_free(call), do.ReturnToHopper()]


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
    return _over(call, now)


def channel(call: Call, event: ev.ChannelCreated, now: float) -> list[Effect]:
    call.channel = event.channel
    call.evidence.channel_seen = True
    if call.dialling_at is not None:
        return []
    call.dialling_at = now
    if call.state != S.REQUESTED:
        return []
    call.state = S.DIALLING
    return [do.Save()]


def answered(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.evidence.answered = True
    call.evidence.channel_seen = True
    if isinstance(event, ev.OriginateSucceeded) and event.channel:
        call.channel = event.channel
    call.dialling_at = now if call.dialling_at is None else call.dialling_at
    return _connected(call, now)


def _connected(call: Call, since: float) -> list[Effect]:
    call.state = S.CONNECTED
    call.connected_at = since if call.connected_at is None else call.connected_at
    closure = call.limits.forced_closure_s
    if not closure:
        call.deadline = None
        return [do.Save()]
    call.deadline = call.connected_at + closure
    return [do.Save(), do.LimitLife(int(closure) + CLOSURE_MARGIN_S)]


def failed(call: Call, event: ev.OriginateFailed, now: float) -> list[Effect]:
    call.evidence.reason = event.reason
    return _closing(call, now)


def hung_up(call: Call, event: ev.HungUp, now: float) -> list[Effect]:
    call.evidence.cause = event.cause
    call.evidence.channel_seen = True
    call.evidence.sip_code = call.evidence.sip_code or event.sip_code
    call.ended_at = now
    return [*_free(call), *_closing(call, now)]


def hung_up_connected(call: Call, event: ev.HungUp, now: float) -> list[Effect]:
    at_once = call.connected_at is not None and now - call.connected_at <= OVERLOAD_S
    call.evidence.overload = at_once and event.cause == 0 and not call.end_point_seen
    return hung_up(call, event, now)


def dial_ended(call: Call, event: ev.DialEnded, now: float) -> list[Effect]:
    if event.leg:
        call.evidence.leg_seen = True
    else:
        call.evidence.dial_status = event.status
    return _again_if_closing(call, now)


def leg_hung_up(call: Call, event: ev.LegHungUp, now: float) -> list[Effect]:
    call.evidence.leg_seen = True
    # A trunk may be tried after another: the last telling cause counts.
    if call.evidence.leg_cause is None or event.cause not in UNTELLING_CAUSES:
        call.evidence.leg_cause = event.cause
        call.evidence.sip_code = event.sip_code or call.evidence.sip_code
    return _again_if_closing(call, now)


def _again_if_closing(call: Call, now: float) -> list[Effect]:
    return _closing(call, now) if call.state == S.CLOSING else []


def _closing(call: Call, now: float) -> list[Effect]:
    """Settle when nothing more is to be waited for, else say until when."""
    wait = _patience(call, now)
    if wait is None:
        return _over(call, now)
    if call.state != S.CLOSING:
        call.state = S.CLOSING
        call.deadline = now + wait
    else:
        # What is awaited has changed: the wait may become shorter, never longer.
        call.deadline = now + wait if call.deadline is None else min(call.deadline, now + wait)
    return []


def _patience(call: Call, now: float) -> float | None:
    """How long to wait for a further proof, in seconds; None: nothing more to wait for."""
    seen = call.evidence
    if seen.answered:
        if seen.cause is None:
            return PROOF_S
        return SHUTDOWN_S if _may_be_shutdown(seen) else None
    if seen.reason is None:
        return PROOF_S
    if seen.cause is None:
        return PROOF_S if seen.channel_seen else NO_CHANNEL_S
    if seen.leg_seen and seen.leg_cause is None and telling(seen.cause) is None:
        return LEG_S
    return SHUTDOWN_S if _may_be_shutdown(seen) else None


def _may_be_shutdown(seen: Evidence) -> bool:
    """A PBX that goes down hangs up with cause 0 and says Shutdown a moment later; so do some normal ends."""
    told = seen.forced or seen.hung_up_by_us or seen.overload or telling(seen.leg_cause) is not None
    return seen.cause == 0 and not told and seen.reason in (None, 0) and seen.dial_status in ("", "NOANSWER", "ANSWER")


def pbx_stopped(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.evidence.lost = True
    return _over(call, now)


def pbx_stopped_closing(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.evidence.lost = call.evidence.cause is None or _may_be_shutdown(call.evidence)
    return _over(call, now)


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
        return _connected(call, now)
    call.state = S.DIALLING
    call.deadline = now + call.limits.answer_timeout_s + ANSWER_MARGIN_S
    return [do.Save()]


def found_gone(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.evidence.never_taken = not call.taken and not call.evidence.channel_seen
    call.evidence.lost = not call.evidence.never_taken
    return _over(call, now)


def gone_closing(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    # It was over already: what was seen decides.
    return _over(call, now)


def trace_found(call: Call, event: ev.TraceFound, now: float) -> list[Effect]:
    seen = call.evidence
    seen.channel_seen = True
    seen.answered = seen.answered or event.answered
    seen.cause = event.cause
    seen.dial_status = event.dial_status
    call.ended_at = min(now, max(event.ended_at, call.requested_at or event.ended_at))
    call.dialling_at = call.requested_at if call.dialling_at is None else call.dialling_at
    if event.answered:
        call.connected_at = call.connected_at or call.ended_at - event.talk_ms / 1000
    return _over(call, now)


def hang_up_asked(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.evidence.hung_up_by_us = True
    call.deadline = now + PROOF_S
    return [do.HangUp(HANG_UP_CAUSE)]


def time_up(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    """The PBX should have told something long ago: ask it."""
    call.deadline = now + PROOF_S
    return [do.AskAlive()]


def time_up_connected(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    first = not (call.evidence.forced or call.evidence.hung_up_by_us)
    if not first:
        return time_up(call, event, now)
    call.evidence.forced = True
    call.deadline = now + PROOF_S
    return [do.HangUp(HANG_UP_CAUSE)]


def time_up_closing(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    if call.holds_line and call.evidence.channel_seen and call.evidence.cause is None:
        return time_up(call, event, now)
    return _over(call, now)


def found_live_closing(call: Call, event: ev.FoundLive, now: float) -> list[Effect]:
    """OriginateResponse said Failure, yet the channel lives on: end it, nobody may stay on a line that is forgotten."""
    call.deadline = now + PROOF_S
    return [do.HangUp(HANG_UP_CAUSE)]


def _over(call: Call, now: float) -> list[Effect]:
    call.state = S.ENDED
    call.deadline = None
    call.unseen = False
    call.ended_at = now if call.ended_at is None else call.ended_at
    call.outcome = decide(call.evidence)
    return [*_free(call), do.Settle()]


def _free(call: Call) -> list[Effect]:
    if not call.holds_line:
        return []
    call.holds_line = False
    return [do.FreeLine()]


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
    return []


def end_point(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    call.end_point_seen = True
    return []


def nothing(call: Call, event: ev.CallEvent, now: float) -> list[Effect]:
    """Normal and late: known here, and nothing to do."""
    return []
