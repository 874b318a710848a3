"""What happens in the queues of a PBX, in the past tense, as a driver reports it. Names are Asterisk's own."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class DeviceState(IntEnum):
    """``Status`` of a queue member (Asterisk's AST_DEVICE_*). UNKNOWN counts as free, as app_queue itself does."""

    UNKNOWN = 0
    NOT_INUSE = 1
    INUSE = 2
    BUSY = 3
    INVALID = 4
    UNAVAILABLE = 5
    RINGING = 6
    RINGINUSE = 7
    ONHOLD = 8


class AgentState(StrEnum):
    """What an agent does, as the status page shows it."""

    IDLE = "IDLE"
    WRAP_UP = "WRAP_UP"  #: after a call, for the queue's wrap-up time
    RINGING = "RINGING"
    TALKING = "TALKING"
    BUSY = "BUSY"  #: on a call that is not the queue's
    PAUSED = "PAUSED"
    ERROR = "ERROR"  #: the device is unavailable or invalid: nobody can ring it


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a queue as Asterisk describes it. ``last_call`` is epoch seconds, 0 for never. ``wrap_up_s`` is the
    member's own wrap-up time, in place of the queue's; 0 if there is none.
    """

    interface: str
    name: str
    paused: bool = False
    paused_reason: str = ""
    in_call: bool = False
    status: int = DeviceState.NOT_INUSE
    last_call: float = 0.0
    penalty: int = 0
    state_interface: str = ""
    wrap_up_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody in a queue. ``call`` is the WOMBATID when it is one of ours."""

    unique_id: str
    number: str = ""
    since: float = 0.0
    call: int | None = None


@dataclass(frozen=True, slots=True)
class QueueEvent:
    """``queue`` is Asterisk's name of it."""

    server: int
    queue: str


@dataclass(frozen=True, slots=True)
class MemberSeen(QueueEvent):
    """Added, or anything about it changed."""

    member: Member


@dataclass(frozen=True, slots=True)
class MemberRemoved(QueueEvent):
    interface: str


@dataclass(frozen=True, slots=True)
class CallerJoined(QueueEvent):
    caller: Caller


@dataclass(frozen=True, slots=True)
class CallerAbandoned(QueueEvent):
    """Hung up while waiting, or Queue() timed out. CallerLeft follows."""

    unique_id: str


@dataclass(frozen=True, slots=True)
class CallerLeft(QueueEvent):
    """Answered, abandoned or timed out: said once for each. When answered, AgentTookCall follows."""

    unique_id: str


@dataclass(frozen=True, slots=True)
class AgentCalled(QueueEvent):
    """The queue rings this agent for this caller."""

    interface: str
    unique_id: str  #: of the caller


@dataclass(frozen=True, slots=True)
class AgentRangNoAnswer(QueueEvent):
    """Did not answer, was busy, or hung up before the caller was connected: the caller waits on."""

    interface: str
    unique_id: str


@dataclass(frozen=True, slots=True)
class AgentTookCall(QueueEvent):
    """AgentConnect."""

    interface: str
    name: str
    unique_id: str
    call: int | None = None


@dataclass(frozen=True, slots=True)
class AgentEndedCall(QueueEvent):
    """AgentComplete. ``reason``: agent, caller or transfer; ``at``: epoch seconds, the wrap-up time begins.

    ``unique_id`` is empty when the PBX did not know any more whose call it was.
    """

    interface: str
    unique_id: str
    reason: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class QueueContents:
    """One queue in a full list."""

    name: str
    members: tuple[Member, ...] = ()
    callers: tuple[Caller, ...] = ()
    strategy: str = ""


@dataclass(frozen=True, slots=True)
class QueuesListed:
    """QueueStatus: everything, after a log-in and now and then; it replaces what was known."""

    server: int
    queues: tuple[QueueContents, ...]


AnyQueueEvent = QueueEvent | QueuesListed
