"""How a call ends: what is still waited for, when nothing more is, and the settling.

The PBX's words come in any order, so a call that is over goes to CLOSING until the proofs of its outcome are there or
waiting longer is useless. The steps that use this are in ``core/call_steps`` and ``core/call_reconcile``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wombat_ari.core.outcome import decide, telling
from wombat_ari.model import effects as do
from wombat_ari.model.calls import Evidence
from wombat_ari.model.effects import Effect
from wombat_ari.model.states import CallState

if TYPE_CHECKING:
    from wombat_ari.core.call import Call

S = CallState

NO_CHANNEL_S = 1.0  #: a failed call without a channel: none will come after this
PROOF_S = 5.0  #: longest wait for the second of OriginateResponse and Hangup, and for the answer to what we ask
LEG_S = 0.5  #: longest wait for the hang-up of the trunk's own channel: only it tells the network's cause
SHUTDOWN_S = 2.0  #: a hang-up with cause 0 may be the PBX going down: it says so within this
HANG_UP_CAUSE = 16
RING_TIMEOUT = 3  #: OriginateResponse's Reason when nobody answered in time
AGENT_ANSWERED = 4  #: the same when our channel was answered; in reverse dialling that is not the callee yet


def closing(call: Call, now: float) -> list[Effect]:
    """Settle when nothing more is to be waited for, else say until when."""
    wait = _patience(call, now)
    if wait is None:
        return over(call, now)
    if call.state != S.CLOSING:
        call.state = S.CLOSING
        call.deadline = now + wait
    else:
        # What is awaited has changed: the wait may become shorter, never longer.
        call.deadline = now + wait if call.deadline is None else min(call.deadline, now + wait)
    return []


def again_if_closing(call: Call, now: float) -> list[Effect]:
    return closing(call, now) if call.state == S.CLOSING else []


def _patience(call: Call, now: float) -> float | None:
    """How long to wait for a further proof, in seconds; None: nothing more to wait for."""
    seen = call.evidence
    if seen.answered:
        if seen.cause is None:
            return PROOF_S
        return SHUTDOWN_S if may_be_shutdown(seen) else None
    if seen.reason is None:
        return PROOF_S
    if seen.cause is None:
        return PROOF_S if seen.channel_seen else NO_CHANNEL_S
    if may_be_shutdown(seen):
        return SHUTDOWN_S
    return LEG_S if _leg_may_tell(seen) else None


def _leg_may_tell(seen: Evidence) -> bool:
    """Our channel's cause tells nothing: a trunk's leg may, and its hang-up may come last. Whether there is a leg
    cannot be known, the shipped event filters keep its dialling away.
    """
    told = seen.hung_up_by_us or seen.reason == RING_TIMEOUT or telling(seen.cause) is not None
    return seen.leg_cause is None and not told


def may_be_shutdown(seen: Evidence) -> bool:
    """A PBX that goes down hangs up with cause 0 and says Shutdown a moment later; so do some normal ends."""
    if seen.forced or seen.hung_up_by_us or seen.overload:
        return False
    told_by_leg = not seen.answered and telling(seen.leg_cause) is not None
    untold = seen.reason in (None, 0) and seen.dial_status in ("", "NOANSWER", "ANSWER")
    if seen.reason == AGENT_ANSWERED:
        # Reverse: a PBX that goes down ends the callee's leg first, and Dial() says one of these.
        untold = seen.dial_status in ("", "ANSWER", "CANCEL", "NOANSWER", "CHANUNAVAIL")
    return seen.cause in (None, 0) and untold and not told_by_leg


def over(call: Call, now: float) -> list[Effect]:
    call.state = S.ENDED
    call.deadline = None
    call.unseen = False
    end = now if call.ended_at is None else call.ended_at
    # A channel seen after its failure: the end is never before what was seen.
    call.ended_at = max(end, call.dialling_at or end, call.connected_at or end)
    call.outcome = decide(call.evidence)
    return [*free(call), do.Settle()]


def free(call: Call) -> list[Effect]:
    if not call.holds_line:
        return []
    call.holds_line = False
    return [do.FreeLine()]


def hang_up(call: Call, now: float) -> list[Effect]:
    call.deadline = now + PROOF_S
    return [do.HangUp(HANG_UP_CAUSE)]


def ask_alive(call: Call, now: float) -> list[Effect]:
    call.deadline = now + PROOF_S
    return [do.AskAlive()]
