"""States, outcomes and kinds. The value of each member is what SQL stores, the API sends and the console shows."""

from enum import StrEnum


class CallState(StrEnum):
    """Where a call is in its life (spec 02). ENDED and CLOSING are ours; CLOSING is never shown as a live call."""

    IN_HOPPER = "IN_HOPPER"  #: loaded, to be dialled soon
    SCHEDULED = "SCHEDULED"  #: has a line and an end point channel; not yet written to the PBX
    REQUESTED = "REQUESTED"  #: the Originate was written
    DIALLING = "DIALLING"  #: the PBX made the channel
    CONNECTED = "CONNECTED"  #: the callee answered
    RD_RESERVED = "RD_RESERVED"  #: preview: an agent holds it
    RD_SCHEDULED = "RD_SCHEDULED"  #: reverse: waiting to call the agent
    RD_AGENTREQ = "RD_AGENTREQ"  #: reverse: the agent's phone is being called
    RD_REQUESTED = "RD_REQUESTED"  #: reverse: the agent is there, the callee is being requested
    CLOSING = "CLOSING"  #: over on the PBX or refused; the last proofs of its outcome are awaited
    ENDED = "ENDED"  #: settled, final


class Outcome(StrEnum):
    """How an attempt ended (spec 02). Exactly one for each attempt."""

    TERMINATED = "TERMINATED"
    RS_BUSY = "RS_BUSY"
    RS_NOANSWER = "RS_NOANSWER"
    RS_REJECTED = "RS_REJECTED"
    RS_NUMBER = "RS_NUMBER"
    RS_TIMEOUT = "RS_TIMEOUT"
    RS_ERROR = "RS_ERROR"
    RS_LOST = "RS_LOST"
    RS_NOAGENT = "RS_NOAGENT"
    RS_AGENTSKIP = "RS_AGENTSKIP"
    RS_BLACKLIST = "RS_BLACKLIST"
    RS_AGENT = "RS_AGENT"
    RS_FAX = "RS_FAX"
    RS_VOICEMAIL = "RS_VOICEMAIL"


class RunState(StrEnum):
    """State of one execution of a campaign (spec 02)."""

    RUNNABLE = "RUNNABLE"
    RUNNING = "RUNNING"
    WRONG_TIME = "WRONG_TIME"
    PAUSED = "PAUSED"
    IDLE = "IDLE"
    COMPLETED = "COMPLETED"
    REMOVED = "REMOVED"


LIVE_RUN_STATES = frozenset({RunState.RUNNABLE, RunState.RUNNING, RunState.WRONG_TIME, RunState.PAUSED, RunState.IDLE})


class CampaignStatus(StrEnum):
    RUNNABLE = "RUNNABLE"
    CLOSED = "CLOSED"  #: visible, not startable
    HIDDEN = "HIDDEN"  #: not shown unless asked for, not startable
    ERROR = "ERROR"  #: marked broken, not startable


class EndPointType(StrEnum):
    PHONE = "PHONE"
    QUEUE = "QUEUE"
    FLOW = "FLOW"  #: a flow in Python: its name is the extension


class ListUse(StrEnum):
    """What a list is to a campaign."""

    NORMAL = "NORMAL"
    BLACK = "BLACK"


class RetryMode(StrEnum):
    FIXED = "FIXED"  #: delay = retry after
    MULTI = "MULTI"  #: delay = retry after x attempt


class CallLogging(StrEnum):
    NONE = "NONE"
    QM_COMPATIBLE = "QM_COMPATIBLE"


class DispositionVerb(StrEnum):
    """What a disposition rule does about an attempt that ended."""

    NONE = "NONE"
    HTTP_GET = "HTTP_GET"
    HTTP_POST = "HTTP_POST"
    ADD_LIST = "ADD_LIST"  #: append the record to a list
    BLACK_LIST = "BLACK_LIST"  #: append its number to a list that campaigns use as a black list
    EMAIL = "EMAIL"
    RESCHEDULE = "RESCHEDULE"  #: hand the record to the live run of another campaign


class SentAttributes(StrEnum):
    """Which attributes of a record a disposition hands on."""

    ALL = "ALL"
    INPUT = "INPUT"
    OUTPUT = "OUTPUT"
    NONE = "NONE"


class EmailEvents(StrEnum):
    NONE = "NONE"
    COMPLETION = "COMPLETION"
    ALL = "ALL"


class DialerState(StrEnum):
    DOWN = "DOWN"
    STARTING = "STARTING"
    READY = "READY"
    STOPPING = "STOPPING"
