"""What a person configures (spec 01), as frozen values. ``id`` is None until stored.

Checks that need only the value itself are done by ``core/validate``; rows and SQL are in ``store``.
"""

from dataclasses import dataclass, field

from wombat_ari.model.secret import NO_SECRET, Secret
from wombat_ari.model.states import (
    CallLogging,
    CampaignStatus,
    DispositionVerb,
    EmailEvents,
    EndPointType,
    ListUse,
    RetryMode,
    SentAttributes,
)


@dataclass(frozen=True, slots=True)
class Server:
    """One Asterisk PBX."""

    id: int | None
    description: str
    address: str = "127.0.0.1"
    port: int = 5038
    login: str = ""
    password: Secret = NO_SECRET
    tls: bool = False
    unit_length_ms: int = 50  #: congestion control: length of a unit
    max_messages_per_unit: int = 5  #: congestion control: actions written in a unit
    ari_url: str = ""
    ari_user: str = ""
    ari_password: Secret = NO_SECRET
    enabled: bool = True
    security_key: str = ""


@dataclass(frozen=True, slots=True)
class Trunk:
    """Lines to dial out on. ``dial_string`` holds ``${num}`` and may hold ``${ATTRIBUTE}``."""

    id: int | None
    server_id: int
    name: str
    dial_string: str
    capacity: int = 1
    security_key: str = ""


@dataclass(frozen=True, slots=True)
class EndPoint:
    """Where an answered call goes: an extension in a context; for a QUEUE ``name`` is exactly the Asterisk queue."""

    id: int | None
    server_id: int
    type: EndPointType
    name: str
    extension: str
    context: str
    max_channels: int = 1
    boost_factor: float = 1.0
    max_waiting: int = 2
    wrap_up_s: int = 0
    reverse: bool = False
    manual_preview: bool = False
    description: str = ""
    dial_find: str = ""  #: reverse: a regular expression, looked for in the agent's interface
    dial_replace: str = ""  #: reverse: what is dialled in place of it
    security_key: str = ""


@dataclass(frozen=True, slots=True)
class CallList:
    id: int | None
    name: str
    hidden: bool = False
    security_key: str = ""


@dataclass(frozen=True, slots=True)
class RescheduleRule:
    """When a record is tried again. ``extended_status``: empty, a code, or ``*``; ``max_attempts`` counts tries."""

    status: str
    extended_status: str = ""
    max_attempts: int = 1
    retry_after_s: int = 0
    mode: RetryMode = RetryMode.FIXED
    id: int | None = None


@dataclass(frozen=True, slots=True)
class CampaignList:
    """A list in its place in a campaign."""

    list_id: int
    name: str
    use: ListUse = ListUse.NORMAL
    position: int = 0


@dataclass(frozen=True, slots=True)
class ActivePeriod:
    """Times of day (seconds since midnight), days 1 (Sunday) to 7 (Saturday), IANA zone (empty: the dialer's own).

    A start after the end spans midnight; the day is then the day on which the span began.
    """

    start_s: int = 0
    end_s: int = 86399
    days: str = "1234567"
    zone: str = ""


@dataclass(frozen=True, slots=True)
class OpeningRule:
    """One line of opening hours: on these dates and days, between these times of day, it is open (or closed).

    A date is ``YYYY-MM-DD``, or ``MM-DD`` for every year; empty: no bound. Days and times are as in ``ActivePeriod``.
    """

    open: bool = True
    from_date: str = ""
    to_date: str = ""
    days: str = "1234567"
    start_s: int = 0
    end_s: int = 86399
    comment: str = ""


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """When calls may be placed, shared by campaigns: the first rule that fits decides, else ``default_open``."""

    id: int | None
    name: str
    comment: str = ""
    default_open: bool = True
    hidden: bool = False
    security_key: str = ""
    rules: tuple[OpeningRule, ...] = ()


@dataclass(frozen=True, slots=True)
class DispositionRule:
    """What is done, besides retrying, about an attempt that ended so.

    ``status``: an outcome, or ``*`` for any. ``extended_status``: empty, a code, or ``*``. Without ``with_retries``
    only the attempt that closes its record counts. ``destination``: a URL, addresses, a list or a campaign, as the verb
    needs.
    """

    status: str = "*"
    extended_status: str = "*"
    with_retries: bool = False
    verb: DispositionVerb = DispositionVerb.NONE
    destination: str = ""
    text: str = ""  #: body or subject, with placeholders
    delay_s: int = 0  #: so long after the attempt ended
    attributes: SentAttributes = SentAttributes.ALL
    extra: str = ""  #: more attributes: ``NAME:value,NAME:value`` with placeholders
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """A template; a run is one execution of it. Holds all that the dialer needs to run it."""

    id: int | None
    name: str
    priority: int = 10
    status: CampaignStatus = CampaignStatus.RUNNABLE
    idles_on_termination: bool = False
    batch_size: int = 100
    active_period: ActivePeriod = ActivePeriod()
    answer_timeout_ms: int = 30000
    forced_closure_s: int = 0
    dial_clid: str = ""
    agent_clid: str = ""
    dial_account: str = ""
    dial_presentation: str = ""
    logging: CallLogging = CallLogging.NONE
    logging_alias: str = ""
    logging_attributes: str = ""  #: names of attributes told in the queue_log, comma separated
    variables: str = ""  #: channel variables of each call: ``NAME:value,NAME:value`` with placeholders
    boost: float = 1.0  #: with which a run begins: a factor on the boost of its end points
    starts_paused: bool = False  #: a run begins PAUSED
    http_notify_url: str = ""
    notify_secret: Secret = NO_SECRET
    email_addresses: str = ""
    email_events: EmailEvents = EmailEvents.NONE
    security_key: str = ""
    trunk_ids: tuple[int, ...] = ()
    end_point_ids: tuple[int, ...] = ()
    lists: tuple[CampaignList, ...] = ()
    rules: tuple[RescheduleRule, ...] = ()
    opening_hours_ids: tuple[int, ...] = ()
    dispositions: tuple[DispositionRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One number of a list with its attributes. Input attributes go to Asterisk, output attributes come back."""

    id: int | None
    list_id: int
    number: str
    input_attributes: dict[str, str] = field(default_factory=dict)
    output_attributes: dict[str, str] = field(default_factory=dict)
