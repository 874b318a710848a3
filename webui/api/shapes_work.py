"""Shapes of what goes on: runs, calls, what they did, imports."""

from pydantic import Field

from webui.api.frame import MOST_ID
from webui.api.shapes import Attributes, Body, Id, Name, PageQuery, Query, Told
from wombat_ari.model.states import RunState

AttributesSent = dict[str, str]


class LoggedCall(Told):
    """One attempt that has ended, with the names as they were."""

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
    retry_in_s: int = Field(description="seconds to the next try; 0: the record is closed")
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
    input_attributes: Attributes
    output_attributes: Attributes


class Counters(Told):
    """At every moment: taken = closed + open_attempts + open_retries."""

    taken: int
    closed: int
    attempts: int
    answered: int
    rescheduled: int
    open_attempts: int
    open_retries: int


class LiveFigures(Told):
    """What the dialer says of a live run."""

    priority: int
    open_calls: int
    in_hopper: int
    remaining: int
    next_retry_at: float | None
    why_not: str = Field(description="why no call is placed now; empty: one may be")
    opens_at: float | None
    attempts_per_hour: float
    completes_in_s: float | None


class Run(Told):
    """One execution of a campaign."""

    id: int
    campaign_id: int
    campaign_name: str
    name: str
    state: RunState
    started_at: float
    ended_at: float | None
    boost: float
    counters: Counters
    live: LiveFigures | None = Field(None, description="null for a past run, and while no dialer can tell")


class RunListTold(Told):
    """How far a list of a run is."""

    list_id: int
    name: str
    paused: bool
    taken: int
    remaining: int
    high_water: int = Field(description="id of the last record taken, 0 before the first")


class RunLists(Told):
    items: list[RunListTold]


class RunQuery(PageQuery):
    live: bool = Field(False, description="only live ones")
    campaign_id: int | None = Field(None, ge=1, le=MOST_ID)


class NewRun(Body):
    campaign: Name


class BoostSent(Body):
    factor: float = Field(gt=0, le=100, description="on the boost of the run's QUEUE end points")


class ListNamed(Body):
    list: Name


class ListOrder(Body):
    lists: list[Name] = Field(min_length=1, max_length=1000, description="all lists of the run, in their new order")


class NewCall(Body):
    """A call from outside, for the live run of a campaign."""

    number: str = Field(min_length=1, max_length=64)
    attributes: AttributesSent = Field({}, max_length=100)
    when: str = Field(
        "",
        max_length=40,
        description="seconds from now, or YYYY-MM-DD HH:MM:SS by the campaign's clock; empty: at once",
    )


class CallSent(NewCall):
    campaign: Name


class BatchSent(Body):
    campaign: Name
    calls: list[NewCall] = Field(min_length=1, max_length=1000)


class Added(Told):
    wombatid: int


class BatchItem(Told):
    """One call of a batch: its WOMBATID, or why it was not added."""

    wombatid: int | None = None
    code: str = ""
    detail: str = ""


class Batch(Told):
    """In the order of what was sent."""

    added: int
    items: list[BatchItem]


class LiveCall(Told):
    """A call that is going on."""

    wombatid: int
    campaign: str
    number: str
    list: str
    state: str
    attempt: int
    extended_status: str
    originated_at: float | None
    answered_at: float | None
    trunk: str
    end_point: str
    agent: str


class LiveCalls(Told):
    items: list[LiveCall]


class NextRetry(Told):
    attempt: int
    due_at: float
    number: str


class Step(Told):
    """One attempt of the record of a call, and what was decided after it, in words."""

    call: LoggedCall
    decision: str


class CallTold(Told):
    """A call, what was tried before it and after it, and what comes next."""

    wombatid: int
    is_live: bool | None = Field(description="null while no dialer can tell")
    state: str = Field(description="ON_LIST, WAITING (for due_at), the state of an open call, or ENDED")
    campaign_name: str
    run_id: int
    run_name: str
    list_name: str
    number: str
    attempt: int
    due_at: float | None
    attempted_at: float | None
    ended_at: float | None
    outcome: str
    extended_status: str
    retry_in_s: int
    agent: str
    input_attributes: Attributes
    output_attributes: Attributes
    history: list[Step]
    next_retry: NextRetry | None


class StatusSent(Body):
    status: str = Field(min_length=1, max_length=80)


class AttributeSent(Body):
    name: str = Field(min_length=1, max_length=64)
    value: str = Field(max_length=1000)
    append: bool = Field(False, description="behind the value that is there")


class AgentSent(Body):
    agent: str = Field(min_length=1, max_length=255, description="the channel, exactly as in Asterisk")


class SkipSent(Body):
    status: str = Field("", max_length=80)


class Reserved(Told):
    wombatid: int
    number: str
    attributes: Attributes


class RunIdsQuery(Query):
    run: list[Id] = Field(min_length=1, max_length=100, description="id of a run; may be given several times")


class AttemptsQuery(PageQuery):
    run: list[Id] = Field(min_length=1, max_length=100, description="id of a run; may be given several times")


class Share(Told):
    name: str
    calls: int
    share: float
    talk_ms: int


class OutcomeShare(Told):
    outcome: str
    extended_status: str
    calls: int
    share: float


class Hour(Told):
    at: float
    calls: int
    answered: int
    talk_ms: int


class Statistics(Told):
    """Over all attempts of the chosen runs, the black-listed ones included."""

    calls: int
    answered: int
    rescheduled: int
    talk_ms: int
    wait_pre_ms: int
    wait_after_ms: int
    used_ms: int
    outcomes: list[OutcomeShare]
    trunks: list[Share]
    end_points: list[Share]
    agents: list[Share]
    hours: list[Hour]
