"""Shapes of what is configured. The bounds are those of ``core/validate``, which has the last word."""

from typing import Annotated

from pydantic import Field, SecretStr

from webui.api.shapes import Body, Id, Kept, Name, Text, Told
from wombat_ari.model import entities
from wombat_ari.model.states import (
    CallLogging,
    CampaignStatus,
    DispositionVerb,
    EmailEvents,
    EndPointType,
    ListUse,
    Outcome,
    RetryMode,
    SentAttributes,
)

Key = Annotated[str, Field(max_length=80, description="who sees it must hold this key; empty: everybody")]
SecretText = Annotated[
    SecretStr | None,
    Field(max_length=1000, description="never answered; absent or null: stays as it is; empty: cleared"),
]
Seconds = Annotated[int, Field(ge=0, le=86399, description="seconds since midnight")]
Code = Annotated[str, Field(max_length=80, description="empty, a code, or *")]
Ids = Annotated[list[Id], Field(max_length=1000, description="in their order, each once")]


class Server(Body):
    """An Asterisk PBX."""

    description: Name
    address: str = Field("127.0.0.1", min_length=1, max_length=255)
    port: int = Field(5038, ge=1, le=65535)
    login: str = Field("", max_length=80)
    tls: bool = False
    unit_length_ms: int = Field(50, ge=1, le=60000, description="congestion control: length of a unit")
    max_messages_per_unit: int = Field(5, ge=1, le=10000, description="actions written in a unit")
    ari_url: Text = ""
    ari_user: str = Field("", max_length=80)
    enabled: bool = True
    security_key: Key = ""


class ServerSent(Server):
    """An Asterisk PBX, with its passwords."""

    password: SecretText = None
    ari_password: SecretText = None


class ServerTold(Kept, Server):
    password_set: bool
    ari_password_set: bool


class Trunk(Body):
    """Lines to dial out on."""

    server_id: Id
    name: Name
    dial_string: str = Field(min_length=1, max_length=255, description="as PJSIP/${num}@carrier")
    capacity: int = Field(1, ge=1, le=1_000_000)
    security_key: Key = ""


class TrunkTold(Kept, Trunk):
    pass


class EndPoint(Body):
    """Where an answered call goes."""

    server_id: Id
    type: EndPointType
    name: Name = Field(description="of a QUEUE exactly the Asterisk queue")
    extension: str = Field(min_length=1, max_length=80, description="of a FLOW the flow's name")
    context: str = Field("", max_length=80, description="of a FLOW, if empty, the shipped wombat-flow; else needed")
    max_channels: int = Field(1, ge=1, le=1_000_000)
    boost_factor: float = Field(1.0, gt=0, le=100)
    max_waiting: int = Field(2, ge=0, le=1_000_000)
    wrap_up_s: int = Field(0, ge=0, le=86400)
    reverse: bool = False
    manual_preview: bool = False
    description: Text = ""
    dial_find: Text = ""
    dial_replace: Text = ""
    security_key: Key = ""


class EndPointTold(Kept, EndPoint):
    pass


class CallList(Body):
    """A list of numbers."""

    name: Name
    hidden: bool = False
    security_key: Key = ""


class CallListTold(Kept, CallList):
    pass


class OpeningRule(Body):
    """On these dates and days, between these times, it is open (or closed)."""

    open: bool = True
    from_date: str = Field("", max_length=10, description="YYYY-MM-DD, or MM-DD for every year; empty: no bound")
    to_date: str = Field("", max_length=10)
    days: str = Field("1234567", min_length=1, max_length=7, description="1 is Sunday")
    start_s: Seconds = 0
    end_s: Seconds = 86399
    comment: str = Field("", max_length=80)

    def word(self) -> entities.OpeningRule:
        return entities.OpeningRule(**dict(self))


class OpeningHours(Body):
    """When calls may be placed: the first rule that fits decides."""

    name: Name
    comment: Text = ""
    default_open: bool = True
    hidden: bool = False
    security_key: Key = ""
    rules: list[OpeningRule] = Field([], max_length=1000)


class OpeningHoursTold(Kept, OpeningHours):
    pass


class ActivePeriod(Body):
    """A start after the end spans midnight."""

    start_s: Seconds = 0
    end_s: Seconds = 86399
    days: str = Field("1234567", min_length=1, max_length=7, description="1 is Sunday")
    zone: str = Field("", max_length=64, description="IANA name; empty: the dialer's own")

    def word(self) -> entities.ActivePeriod:
        return entities.ActivePeriod(**dict(self))


class CampaignList(Body):
    """A list in its place in a campaign."""

    list_id: Id
    use: ListUse = ListUse.NORMAL

    def word(self) -> entities.CampaignList:
        return entities.CampaignList(self.list_id, "", self.use)


class RescheduleRule(Body):
    """When a record is tried again. With its ``id`` a rule that exists keeps it."""

    id: Id | None = None
    status: Outcome
    extended_status: Code = ""
    max_attempts: int = Field(1, ge=1, le=10_000)
    retry_after_s: int = Field(ge=1, le=366 * 86400)
    mode: RetryMode = RetryMode.FIXED

    def word(self) -> entities.RescheduleRule:
        return entities.RescheduleRule(**{**dict(self), "status": self.status.value})


class Disposition(Body):
    """What is done, besides retrying, about an attempt that ended so."""

    id: Id | None = None
    status: str = Field("*", max_length=32, description="an outcome, or *")
    extended_status: Code = "*"
    with_retries: bool = Field(False, description="also attempts that are tried again")
    verb: DispositionVerb = DispositionVerb.NONE
    destination: str = Field("", max_length=1000)
    text: str = Field("", max_length=20_000)
    delay_s: int = Field(0, ge=0, le=366 * 86400)
    attributes: SentAttributes = SentAttributes.ALL
    extra: str = Field("", max_length=2000)

    def word(self) -> entities.DispositionRule:
        return entities.DispositionRule(**dict(self))


class Campaign(Body):
    """A template; a run is one execution of it. Its links and rules are whole arrays, in their order."""

    name: Name
    priority: int = Field(10, ge=0, le=1_000_000)
    status: CampaignStatus = CampaignStatus.RUNNABLE
    idles_on_termination: bool = False
    batch_size: int = Field(100, ge=1, le=100_000)
    active_period: ActivePeriod = Field(default_factory=lambda: ActivePeriod.model_validate({}))
    answer_timeout_ms: int = Field(30000, ge=1000, le=3_600_000)
    forced_closure_s: int = Field(0, ge=0, le=86400)
    dial_clid: Text = ""
    agent_clid: Text = ""
    dial_account: Text = ""
    dial_presentation: Text = ""
    logging: CallLogging = CallLogging.NONE
    logging_alias: str = Field("", max_length=80)
    logging_attributes: str = Field("", max_length=1000)
    variables: str = Field("", max_length=4000)
    boost: float = Field(1.0, gt=0, le=100)
    starts_paused: bool = False
    http_notify_url: str = Field("", max_length=1000)
    email_addresses: str = Field("", max_length=1000)
    email_events: EmailEvents = EmailEvents.NONE
    security_key: Key = ""
    trunk_ids: Ids = []
    end_point_ids: Ids = []
    lists: list[CampaignList] = Field([], max_length=1000)
    rules: list[RescheduleRule] = Field([], max_length=1000, description="reschedule rules")
    opening_hours_ids: Ids = []
    dispositions: list[Disposition] = Field([], max_length=1000)


class CampaignSent(Campaign):
    """A campaign, with the secret that signs its notifications."""

    notify_secret: SecretText = None


class CampaignTold(Kept, Campaign):
    notify_secret_set: bool


class NewName(Body):
    name: Name


class Record(Body):
    """A number of a list."""

    number: str = Field(min_length=1, max_length=64)
    input_attributes: dict[str, str] = Field({}, max_length=100)
    output_attributes: dict[str, str] = Field({}, max_length=100)


class RecordTold(Told):
    id: int
    list_id: int
    number: str
    input_attributes: dict[str, str]
    output_attributes: dict[str, str]
