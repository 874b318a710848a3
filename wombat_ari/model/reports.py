"""What reports say of chosen runs. Lengths are ms, moments epoch seconds, shares 0 to 1."""

from dataclasses import dataclass
from enum import StrEnum

from wombat_ari.model.calls import RunRow
from wombat_ari.model.entities import RescheduleRule


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the calls. ``name``: ``server/trunk``, an end point, an agent."""

    name: str
    calls: int
    share: float
    talk_ms: int


@dataclass(frozen=True, slots=True)
class OutcomeShare:
    """Outcomes with each extended status apart."""

    outcome: str
    extended_status: str
    calls: int
    share: float


@dataclass(frozen=True, slots=True)
class Hour:
    """What was attempted in the hour (or the day, or the slot of counting) that begins at ``at``."""

    at: float
    calls: int
    answered: int
    talk_ms: int


@dataclass(frozen=True, slots=True)
class RunStatistics:
    """Over all attempts of the chosen runs, the black-listed ones included."""

    calls: int
    answered: int
    rescheduled: int
    talk_ms: int
    wait_pre_ms: int
    wait_after_ms: int
    outcomes: tuple[OutcomeShare, ...]
    trunks: tuple[Share, ...]
    end_points: tuple[Share, ...]
    agents: tuple[Share, ...]
    hours: tuple[Hour, ...]

    @property
    def used_ms(self) -> int:
        """How long lines were used: waits and talk."""
        return self.wait_pre_ms + self.wait_after_ms + self.talk_ms


class Span(StrEnum):
    """How long the parts of a timeline are."""

    HOUR = "HOUR"
    DAY = "DAY"


@dataclass(frozen=True, slots=True)
class Report:
    """What the chosen runs did, by the wall clock of whoever looks: ``statistics.hours`` are hours of that zone."""

    runs: tuple[RunRow, ...]
    statistics: RunStatistics
    hours_of_day: tuple[Hour, ...]  #: 24, ``at`` is seconds since midnight
    timeline: tuple[Hour, ...]  #: from the first call to the last, gaps included
    span: Span  #: of the timeline


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One row of the call log, names as they were."""

    wombatid: int
    run_id: int
    run_name: str
    campaign_id: int
    campaign_name: str
    list_id: int
    list_name: str
    record_id: int
    number: str
    attempt: int
    outcome: str
    extended_status: str
    attempted_at: float
    ended_at: float
    wait_pre_ms: int
    wait_after_ms: int
    talk_ms: int
    retry_in_s: int
    server_id: int | None
    trunk_id: int | None
    trunk_name: str
    end_point_id: int | None
    end_point_name: str
    agent: str
    channel: str
    unique_id: str
    cause: int | None
    sip_code: str
    dial_status: str
    message: str
    input_attributes: dict[str, str]
    output_attributes: dict[str, str]

    @property
    def retry(self) -> int:
        """0 for the first try."""
        return self.attempt - 1


@dataclass(frozen=True, slots=True)
class AttemptFilter:
    """Which attempts. ``number``: those whose number holds these characters; the others are exact, None: any."""

    number: str = ""
    outcome: str | None = None
    extended_status: str | None = None
    trunk_name: str | None = None
    end_point_name: str | None = None
    agent: str | None = None


class AttemptOrder(StrEnum):
    """By what attempts are sorted; each has its column, and the WOMBATID decides between equals."""

    WOMBATID = "wombatid"  #: the order in which they were taken from their lists
    ATTEMPTED = "attempted_at"
    NUMBER = "number"
    OUTCOME = "outcome"
    WAIT_PRE = "wait_pre_ms"
    WAIT_AFTER = "wait_after_ms"
    TALK = "talk_ms"
    ATTEMPT = "attempt"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which numbers of runs go to a list: those of attempts with these outcomes, each as (outcome, extended status).

    ``final``: only attempts with which the record was over, not those that were or will be tried again.
    """

    outcomes: frozenset[tuple[str, str]]
    final: bool = True


@dataclass(frozen=True, slots=True)
class WaitingRetry:
    """A record of a run that waits for its next try."""

    run_id: int
    record_id: int
    number: str
    list_name: str
    attempt: int
    due_at: float


@dataclass(frozen=True, slots=True)
class CallInfo:
    """What is known of one call by its WOMBATID."""

    wombatid: int
    state: str  #: ON_LIST, WAITING (for ``due_at``), the state of an open call, or ENDED
    campaign_name: str
    run_id: int
    run_name: str
    list_name: str
    number: str  #: that is, was or is to be dialled (black lists may then say otherwise)
    attempt: int
    due_at: float | None
    attempted_at: float | None
    ended_at: float | None
    outcome: str
    extended_status: str
    retry_in_s: int  #: of an ended one: seconds to the next try, 0: the record is closed
    agent: str
    input_attributes: dict[str, str]
    output_attributes: dict[str, str]
    agent_interface: str = ""  #: reverse and preview: whose phone it is for


@dataclass(frozen=True, slots=True)
class AttemptStory:
    """One attempt in full.

    ``siblings``: all attempts of its record in runs that the caller sees, itself included, the first first; ``unseen``:
    how many more there are. ``rule``: by which it is tried again, as the campaign has its rules now; None: none of them
    says what was done.
    """

    call: LoggedCall
    run: RunRow
    siblings: tuple[LoggedCall, ...]
    unseen: int
    rule: RescheduleRule | None
    waiting: WaitingRetry | None  #: the record's next try in this run
