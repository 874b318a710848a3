"""Words of one attempt on its way: the claim it began as, what was seen of it, the result it ends as."""

from dataclasses import dataclass, field

from wombat_ari.model.errands import Errand
from wombat_ari.model.states import CallState, Outcome, RunState


@dataclass(frozen=True, slots=True)
class Claim:
    """A record taken into the hopper of a run: durable from here on, under the id of its next attempt."""

    wombatid: int
    run_id: int
    record_id: int
    list_id: int
    list_name: str
    number: str
    attempt: int  #: number of this try of the record in this run, 1 is the first
    input_attributes: dict[str, str] = field(default_factory=dict)
    output_attributes: dict[str, str] = field(default_factory=dict)  #: what earlier tries left on the record

    @property
    def retry(self) -> int:
        """0 for the first try: what logs, notifications and WOMBAT_RETRY_NO show."""
        return self.attempt - 1


@dataclass(frozen=True, slots=True)
class ClaimBatch:
    """What one refill brought."""

    claims: tuple[Claim, ...]
    blacklisted: int  #: records closed as RS_BLACKLIST in the same transaction
    exhausted: bool  #: no further new record in the run's active lists
    next_retry_at: float | None  #: when the earliest open retry falls due, None when there is none
    steps: tuple[tuple[int, int, int], ...] = ()  #: (list, id of the last record taken, how many) of each list read
    due: int = 0  #: the first so many claims were open retries, the others are new
    open_retries: int = 0  #: how many more of them there are now

    @property
    def taken(self) -> int:
        """Records taken from the lists."""
        return sum(taken for _, _, taken in self.steps)


@dataclass(frozen=True, slots=True)
class NewCall:
    """A call that somebody outside asks for: a record for a live run, at the end of what it has."""

    run_id: int
    number: str
    attributes: dict[str, str] = field(default_factory=dict)
    not_before: float | None = None  #: when it is to be placed (epoch seconds), None: as soon as may be
    by: str = ""  #: login of who asked, for the system log; empty: nobody did, a rule says so
    origin: str = ""  #: from where, as the system log says it


@dataclass(frozen=True, slots=True)
class AddedCall:
    """It is durable, and this is the WOMBATID of its first try."""

    wombatid: int
    list_id: int
    attached: "RunList | None" = None  #: that list, if it came to the run by this call


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt found open in the database at start: who may have been dialled before a crash."""

    claim: Claim
    state: CallState
    server_id: int | None
    trunk_id: int | None
    end_point_id: int | None
    requested_at: float | None
    dialling_at: float | None
    connected_at: float | None
    agent: str  #: reverse: whose phone was called first, empty otherwise
    agent_interface: str


@dataclass(frozen=True, slots=True)
class OriginateRequest:
    """All that an Originate says (spec 04). Built by ``core/request``, spelled by ``wire/ami``."""

    call: int
    channel: str  #: the trunk's dial string, expanded
    context: str
    extension: str
    timeout_ms: int
    caller_id: str = ""
    account: str = ""
    variables: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Evidence:
    """All that was seen of an attempt; ``core/outcome`` decides on it alone. None means: not seen.

    Filled by the call machine as events come; the one word here that is not frozen.
    """

    answered: bool = False
    forced: bool = False  #: we hung it up by forced closure
    hung_up_by_us: bool = False  #: somebody asked the dialer to hang it up (console, API)
    refused: bool = False  #: the PBX answered the action with an error
    never_taken: bool = False  #: the link broke before the PBX took the action, and no channel was found
    lost: bool = False  #: reconciliation found it gone without a trace
    no_agent: bool = False  #: reverse: the agent did not answer, or left before the callee answered
    ended_by_agent: bool = False  #: the agent of a queue hung up first; for the queue_log, no outcome depends on it
    skipped: bool = False  #: preview: the agent did not want it dialled
    overload: bool = False  #: answered and dropped at once with no sign of the end point: the PBX is over its limits
    channel_seen: bool = False
    reason: int | None = None  #: of OriginateResponse
    dial_status: str = ""  #: DialStatus of the last DialEnd of our channel
    cause: int | None = None  #: hang-up cause of our channel
    leg_cause: int | None = None  #: hang-up cause of the trunk's own channel (same Linkedid)
    sip_code: str = ""  #: TechCause, Asterisk 22 only
    message: str = ""  #: the PBX's words when it refused


@dataclass(frozen=True, slots=True)
class CallResult:
    """One row of the call log, with what decides what comes next. Times are epoch seconds, lengths are ms."""

    claim: Claim
    outcome: Outcome
    extended_status: str
    output_attributes: dict[str, str]
    attempted_at: float
    ended_at: float
    wait_pre_ms: int
    wait_after_ms: int
    talk_ms: int
    retry_in_s: int  #: seconds to the next try, 0: the record is closed
    trunk_id: int | None
    trunk_name: str
    end_point_id: int | None
    end_point_name: str
    server_id: int | None
    agent: str
    channel: str
    unique_id: str
    cause: int | None
    sip_code: str
    dial_status: str
    message: str = ""  #: what went wrong in words, for RS_ERROR
    errands: tuple[Errand, ...] = ()  #: what is to be told or done about it, durable with it

    @property
    def retry_at(self) -> float | None:
        """When the record is dialled again (epoch seconds), None when it is closed."""
        return self.ended_at + self.retry_in_s if self.retry_in_s else None


@dataclass(frozen=True, slots=True)
class CallProgress:
    """Written behind while a call lives, so that a restart takes it up in its state.

    Only the latest of a call is kept until it is written, so it says when the states before were entered, too.
    """

    wombatid: int
    state: CallState
    at: float
    dialling_at: float | None = None
    requested_at: float | None = None  #: reverse: when the callee was; else it is the moment of the mark


@dataclass(frozen=True, slots=True)
class DialMark:
    """Written (and committed) before the Originate: this attempt may be dialled over this trunk from now on."""

    wombatid: int
    server_id: int
    trunk_id: int
    end_point_id: int
    state: CallState = CallState.REQUESTED  #: or RD_AGENTREQ: the agent's phone first
    agent: str = ""  #: then also whose
    agent_interface: str = ""


@dataclass(frozen=True, slots=True)
class RunChange:
    """Written behind: a run's new state."""

    run_id: int
    state: RunState
    at: float
    errands: tuple[Errand, ...] = ()


@dataclass(frozen=True, slots=True)
class Amendment:
    """An extended status or attributes that came within 60 s after the hang-up: added to the log row and the record.

    ``extended_status`` None leaves it as it is. ``retry_in_s`` is what is decided anew (0: the record is closed), None
    leaves it; it counts only while the run lives and the retry that was decided first is not taken yet.
    """

    wombatid: int
    extended_status: str | None
    output_attributes: dict[str, str]
    errands: tuple[Errand, ...] = ()
    run_id: int | None = None  #: its run, where it is decided anew
    retry_in_s: int | None = None


@dataclass(frozen=True, slots=True)
class SystemLogEntry:
    """One line of the system log (spec 01)."""

    at: float
    user: str
    action: str
    object: str
    detail: str = ""


#: what ``store/journal`` writes
JournalEntry = CallProgress | CallResult | Amendment | RunChange | SystemLogEntry


@dataclass(frozen=True, slots=True)
class RunCounters:
    """The ledger of a run. At every commit: ``taken == closed + open_attempts + open_retries``."""

    taken: int = 0  #: records taken from the lists
    closed: int = 0  #: records closed for good
    attempts: int = 0  #: attempts ended (black-listed ones included)
    answered: int = 0
    rescheduled: int = 0  #: attempts that led to a retry
    open_attempts: int = 0  #: in the hopper or in progress
    open_retries: int = 0


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as stored."""

    id: int
    campaign_id: int
    campaign_name: str
    state: RunState
    started_at: float
    ended_at: float | None
    counters: RunCounters
    name: str = ""  #: campaign's name and start time
    boost: float = 1.0  #: factor on the end points' own boost


@dataclass(frozen=True, slots=True)
class RunList:
    """Progress of one list in a run. ``remaining`` counts records behind the position."""

    run_id: int
    list_id: int
    name: str
    position: int
    paused: bool
    high_water: int  #: id of the last record taken, 0 before the first
    taken: int
    remaining: int
    end: int = 0  #: id of the last record of the list when ``remaining`` was counted
