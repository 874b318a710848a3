"""Step 6: the call machine, one attempt of one record from the hopper to its outcome (spec 02, spec 04). Pure.

``Call.handle(event, now)`` answers effects. ``core/call_table`` says which event is known in which state and where it
may lead, ``core/call_steps`` what is done then. An event that a state does not know changes nothing and answers None.
``deadline`` is when TimeUp is wanted.

The PBX's events are not ordered against each other: OriginateResponse may come before or after the channel's own. So a
call that failed goes to CLOSING and is settled when both were seen, or when waiting longer is useless.
"""

from dataclasses import dataclass

from wombat_ari.core.call_table import TABLE
from wombat_ari.model import events as ev
from wombat_ari.model.calls import Claim, Evidence
from wombat_ari.model.effects import Effect
from wombat_ari.model.ids import channel_id
from wombat_ari.model.states import CallState, Outcome

S = CallState

HISTORY = 24  #: events remembered of each call, for the log when something is odd


@dataclass(frozen=True, slots=True)
class Limits:
    """What the campaign allows a call."""

    answer_timeout_s: float = 30.0
    forced_closure_s: float = 0.0  #: 0 is off


class Call:
    """One attempt. Public fields are read by the engine and the status page, written here only."""

    __slots__ = (
        "agent",
        "agent_interface",
        "channel",
        "claim",
        "connected_at",
        "deadline",
        "dialling_at",
        "end_point_seen",
        "ended_at",
        "evidence",
        "extended_status",
        "history",
        "holds_line",
        "limits",
        "outcome",
        "output_attributes",
        "placed",
        "requested_at",
        "state",
        "taken",
        "unseen",
    )

    def __init__(self, claim: Claim, limits: Limits) -> None:
        self.claim = claim
        self.limits = limits
        self.state = S.IN_HOPPER
        self.evidence = Evidence()
        self.deadline: float | None = None
        self.requested_at: float | None = None
        self.dialling_at: float | None = None
        self.connected_at: float | None = None
        self.ended_at: float | None = None
        self.outcome: Outcome | None = None
        self.extended_status = ""
        self.output_attributes: dict[str, str] = {}
        self.agent = ""
        self.agent_interface = ""  #: reverse: whom to call first; empty: the callee is called first
        self.channel = ""
        self.holds_line = False
        self.end_point_seen = False
        self.placed = False  #: Place was asked for in this turn
        self.taken = False  #: the PBX took the Originate, or may have (after a restart)
        self.unseen = False  #: the link is down: nothing is known until reconciliation
        self.history: tuple[str, ...] = ()  #: not a list: the garbage collector looks through those of 20,000 calls

    @property
    def wombatid(self) -> int:
        return self.claim.wombatid

    @property
    def attempt(self) -> int:
        return self.claim.attempt

    @property
    def unique_id(self) -> str:
        """Asterisk's Uniqueid of our channel: chosen by us, so it is known before the channel is."""
        return channel_id(self.claim.wombatid)

    def handle(self, event: ev.CallEvent, now: float) -> list[Effect] | None:
        """Move on. Answers what is to be done, in order; None when this state does not know the event."""
        step = TABLE[self.state].get(type(event))
        if len(self.history) < HISTORY:
            self.history += (type(event).__name__,)
        if step is None:
            return None
        effects = step.do(self, event, now)
        assert self.state in step.to, f"{type(event).__name__} led to {self.state}"
        return effects

    def assign(self, interface: str, name: str) -> None:
        """Reverse: this agent is called first. To be said before it is scheduled or dialled."""
        self.agent_interface, self.agent = interface, name

    def waits_ms(self) -> tuple[int, int, int]:
        """(wait pre, wait after, talk) in ms of an ended call; a phase that was not reached is 0."""
        if self.requested_at is None or self.ended_at is None:
            return 0, 0, 0
        end = self.ended_at
        dialling = end if self.dialling_at is None else self.dialling_at
        connected = end if self.connected_at is None else self.connected_at
        return _ms(dialling - self.requested_at), _ms(connected - dialling), _ms(end - connected)

    def take_up(self, state: CallState, times: tuple[float | None, float | None, float | None]) -> None:
        """After a restart of the dialer: continue in the stored state, unseen until reconciliation.

        ``times`` are when it was requested, dialling, connected (epoch seconds, None where it did not get that far).
        Whose agent it is is said by ``assign``.
        """
        self.state = state
        self.requested_at, self.dialling_at, self.connected_at = times
        self.evidence.channel_seen = self.dialling_at is not None
        self.evidence.answered = self.connected_at is not None
        self.holds_line = self.taken = self.unseen = True


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))
