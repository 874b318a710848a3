"""The language of the call machine's tests: what happened to a call, in short words, told in time.

``Story`` stands in for the engine: it tells events, fires TimeUp when a deadline passes, and writes down the effects.
Times are milliseconds since the Originate was sent.
"""

from wombat_ari.core.call import Call, Limits
from wombat_ari.model import effects as do
from wombat_ari.model import events as ev
from wombat_ari.model.calls import Claim
from wombat_ari.model.states import CallState

WOMBATID = 4711
START = 1_750_000_000.0  #: an epoch second, so that rounding is as in real life

ACCEPTED = ev.Accepted(WOMBATID)
CREATED = ev.ChannelCreated(WOMBATID, "Local/5551001@trunk-00000007;1")
ANSWERED = ev.Answered(WOMBATID)
SUCCEEDED = ev.OriginateSucceeded(WOMBATID, "Local/5551001@trunk-00000007;1")
END_POINT = ev.EndPointSeen(WOMBATID)
HANG_UP = ev.HangUpAsked(WOMBATID)
LINK_BROKE = ev.LinkBroke(WOMBATID)
PBX_STOPPED = ev.PbxStopped(WOMBATID)
GONE = ev.FoundGone(WOMBATID)
TIME_UP = ev.TimeUp(WOMBATID)
SCHEDULED = ev.Scheduled(WOMBATID)
RECORDED = ev.Recorded(WOMBATID)
RELEASED = ev.Released(WOMBATID)
SENT = ev.Sent(WOMBATID)


def refused(message: str = "Extension does not exist.") -> ev.Refused:
    return ev.Refused(WOMBATID, message)


def failed(reason: int) -> ev.OriginateFailed:
    return ev.OriginateFailed(WOMBATID, reason)


def dial_end(status: str) -> ev.DialEnded:
    return ev.DialEnded(WOMBATID, status)


def leg_end(status: str) -> ev.DialEnded:
    return ev.DialEnded(WOMBATID, status, leg=True)


def callee_end(status: str) -> ev.DialEnded:
    """Reverse: our own channel dials the leg."""
    return ev.DialEnded(WOMBATID, status, leg=True, dialled_by_us=True)


def hung_up(cause: int, sip: str = "") -> ev.HungUp:
    return ev.HungUp(WOMBATID, cause, sip)


def leg_hung_up(cause: int, sip: str = "") -> ev.LegHungUp:
    return ev.LegHungUp(WOMBATID, cause, sip)


def status(code: str) -> ev.StatusSet:
    return ev.StatusSet(WOMBATID, code)


def live(*, up: bool, seconds: int = 0, bridged: bool = False) -> ev.FoundLive:
    return ev.FoundLive(WOMBATID, "Local/5551001@trunk-00000007;1", up, seconds, bridged)


def trace(*, answered: bool, cause: int, ended_ms: int, talk_ms: int = 0, dial_status: str = "") -> ev.TraceFound:
    ended_at = START + ended_ms / 1000
    return ev.TraceFound(WOMBATID, answered, cause, dial_status, ended_at, talk_ms)


def claim(attempt: int = 1, **more: object) -> Claim:
    values: dict[str, object] = {
        "wombatid": WOMBATID,
        "run_id": 1,
        "record_id": 9,
        "list_id": 3,
        "list_name": "customers",
        "number": "5551001",
        "attempt": attempt,
    }
    return Claim(**{**values, **more})  # type: ignore[arg-type]


def new_call(*, timeout_s: float = 30.0, closure_s: float = 0.0, agent: str = "") -> Call:
    call = Call(claim(), Limits(timeout_s, closure_s))
    call.agent_interface = agent
    return call


class Story:
    """One call from the moment its Originate was sent (at 0 ms) on."""

    def __init__(self, *, timeout_s: float = 30.0, closure_s: float = 0.0, sent: bool = True, agent: str = "") -> None:
        self.call = new_call(timeout_s=timeout_s, closure_s=closure_s, agent=agent)
        self.effects: list[do.Effect] = []
        self.unknown: list[ev.CallEvent] = []
        self.ended_ms: int | None = None
        self._now = START
        if sent:
            self.at(0, SCHEDULED, RECORDED, SENT)
            self.effects.clear()

    def at(self, ms: int, *events: ev.CallEvent) -> "Story":
        """Let time pass until ``ms``, then tell the events."""
        self.pass_until(ms)
        for event in events:
            self._tell(event, START + ms / 1000)
        return self

    def pass_until(self, ms: int) -> "Story":
        """Let deadlines fire, in order, as the engine does."""
        now = START + ms / 1000
        while self.call.deadline is not None and self.call.deadline <= now:
            self._tell(TIME_UP, max(self._now, self.call.deadline))
        return self

    def _tell(self, event: ev.CallEvent, now: float) -> None:
        self._now = now
        effects = self.call.handle(event, now)
        if effects is None:
            self.unknown.append(event)
            return
        self.effects += effects
        if do.Settle() in effects:
            self.ended_ms = round((now - START) * 1000)

    @property
    def done(self) -> list[str]:
        """The names of the effects so far."""
        return [type(effect).__name__ for effect in self.effects]

    @property
    def ended(self) -> bool:
        return self.call.state == CallState.ENDED
