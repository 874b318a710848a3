"""What happened to a call or to a PBX, in the past tense. Drivers make them, machines are told them.

Every call event names the call by its WOMBATID. They are plain and small: thousands pass each second.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CallEvent:
    call: int


# From the dialer itself


@dataclass(frozen=True, slots=True)
class Scheduled(CallEvent):
    """A line and an end point channel were given to it."""


@dataclass(frozen=True, slots=True)
class Recorded(CallEvent):
    """That it may be dialled is durable: it may be written now."""


@dataclass(frozen=True, slots=True)
class Released(CallEvent):
    """It will not be dialled now (stop, pause, database away): back to the hopper."""


@dataclass(frozen=True, slots=True)
class Sent(CallEvent):
    """The Originate's bytes were handed to the link."""


@dataclass(frozen=True, slots=True)
class NotSent(CallEvent):
    """The Originate could not be spelled or handed to the link; ``message`` names the thing.

    ``again``: nothing is wrong with the call itself (the link is down), it may be placed later.
    """

    message: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class HangUpAsked(CallEvent):
    """Somebody asked the dialer to hang it up."""


@dataclass(frozen=True, slots=True)
class Reserved(CallEvent):
    """Preview: an agent holds it, to look at it before it is dialled."""


@dataclass(frozen=True, slots=True)
class DialAsked(CallEvent):
    """Preview: its agent wants it dialled; a line and the agent were given to it."""


@dataclass(frozen=True, slots=True)
class Skipped(CallEvent):
    """Preview: its agent does not want it dialled; ``code`` becomes its extended status."""

    code: str


@dataclass(frozen=True, slots=True)
class TimeUp(CallEvent):
    """The call's own deadline has passed."""


# From the PBX


@dataclass(frozen=True, slots=True)
class Accepted(CallEvent):
    """``Response: Success`` to the Originate."""


@dataclass(frozen=True, slots=True)
class Refused(CallEvent):
    """``Response: Error`` to the Originate: nothing was dialled."""

    message: str


@dataclass(frozen=True, slots=True)
class ChannelCreated(CallEvent):
    """Newchannel or DialBegin of our ChannelId."""

    channel: str


@dataclass(frozen=True, slots=True)
class Answered(CallEvent):
    """Our channel went Up."""


@dataclass(frozen=True, slots=True)
class OriginateSucceeded(CallEvent):
    """OriginateResponse Success: answered, if nothing said so before."""

    channel: str = ""


@dataclass(frozen=True, slots=True)
class OriginateFailed(CallEvent):
    """OriginateResponse Failure, with its Reason."""

    reason: int


@dataclass(frozen=True, slots=True)
class DialEnded(CallEvent):
    """DialEnd of our channel (``leg`` False) or of a channel behind it (``leg`` True)."""

    status: str
    leg: bool = False
    dialled_by_us: bool = False  #: our own channel dials the leg: in reverse dialling it is the callee


@dataclass(frozen=True, slots=True)
class LegHungUp(CallEvent):
    """The trunk's own channel (our Linkedid, another Uniqueid) ended: it tells the network's cause."""

    cause: int
    sip_code: str = ""


@dataclass(frozen=True, slots=True)
class HungUp(CallEvent):
    """Our channel ended."""

    cause: int
    sip_code: str = ""


@dataclass(frozen=True, slots=True)
class LegDialled(CallEvent):
    """Our channel dials another: an agent behind a queue, or, in reverse dialling, the callee."""

    channel: str


@dataclass(frozen=True, slots=True)
class CalleeEnded(CallEvent):
    """Reverse: the shipped context says how its Dial() to the callee ended."""

    dial_status: str
    cause: int
    talk_ms: int


@dataclass(frozen=True, slots=True)
class AgentConnected(CallEvent):
    """An agent of a queue took the call."""

    agent: str


@dataclass(frozen=True, slots=True)
class AgentHungUp(CallEvent):
    """The agent of a queue has ended the talk, not the callee."""


@dataclass(frozen=True, slots=True)
class EndPointSeen(CallEvent):
    """Some sign that the end point's dialplan ran (a user event, a FastAGI session, a queue event)."""


# From the dialplan, FastAGI or HTTP


@dataclass(frozen=True, slots=True)
class StatusSet(CallEvent):
    """An extended status; the last one wins."""

    code: str


@dataclass(frozen=True, slots=True)
class AttributeSet(CallEvent):
    """An output attribute; replaces what it was."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class AttributeAppended(CallEvent):
    """A text that continues an output attribute."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class AttributeCleared(CallEvent):
    """An output attribute is empty from now on."""

    name: str


# From reconciliation


@dataclass(frozen=True, slots=True)
class LinkBroke(CallEvent):
    """The link to its PBX is down: what lives, lives on unseen."""


@dataclass(frozen=True, slots=True)
class PbxStopped(CallEvent):
    """Its PBX shut down or restarted: no channel of before lives."""


@dataclass(frozen=True, slots=True)
class FoundLive(CallEvent):
    """After a reconnection the channel was found alive."""

    channel: str
    up: bool
    seconds: int  #: age of the channel
    bridged: bool = False  #: with another: in reverse dialling the callee has answered


@dataclass(frozen=True, slots=True)
class FoundGone(CallEvent):
    """After a reconnection no channel and no trace was found."""


@dataclass(frozen=True, slots=True)
class TraceFound(CallEvent):
    """After a reconnection the shipped hang-up handler's note was found: how and when it ended meanwhile."""

    answered: bool
    cause: int
    dial_status: str
    ended_at: float
    talk_ms: int


# About a PBX (no call)


@dataclass(frozen=True, slots=True)
class LinkUp:
    server: int
    version: str
    booted_at: float  #: when Asterisk started, epoch seconds; calls requested before it are gone


@dataclass(frozen=True, slots=True)
class LinkDown:
    server: int
    reason: str


@dataclass(frozen=True, slots=True)
class PbxShutdown:
    """Asterisk said ``Shutdown``: hang-ups with cause 0 of the last two seconds were its doing."""

    server: int


PbxEvent = LinkUp | LinkDown | PbxShutdown


@dataclass(frozen=True, slots=True)
class LiveChannel:
    """One of our channels in CoreShowChannels."""

    wombatid: int
    channel: str
    up: bool
    seconds: int
    queue: str = ""  #: whose caller it is, waiting or talking to an agent
    bridged: bool = False


@dataclass(frozen=True, slots=True)
class AgentChannel:
    """A channel by which a queue has called an agent."""

    interface: str  #: without what stands behind the address (``/n``)
    caller: str  #: unique id of whom the agent is called for
    up: bool


@dataclass(frozen=True, slots=True)
class Trace:
    """What the shipped hang-up handler left in the AstDB about a call that ended while nobody listened."""

    wombatid: int
    answered: bool
    cause: int
    dial_status: str
    ended_at: float
    talk_ms: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What a PBX says of our calls after a (re)connection."""

    server: int
    booted_at: float
    live: tuple[LiveChannel, ...] = ()
    traces: dict[int, Trace] = field(default_factory=dict)
    agents: tuple[AgentChannel, ...] = ()
