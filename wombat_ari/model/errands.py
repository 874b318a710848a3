"""Words of what is to be told or done outside the calls: durable with what it is about, done later."""

from dataclasses import dataclass
from enum import StrEnum

from wombat_ari.model.secret import NO_SECRET, Secret

MAIL = "e-mail"  #: receiver of all e-mails: one mail server sends them


class ErrandKind(StrEnum):
    """What an errand is; the first four reach somebody outside, the others change our own database."""

    NOTIFY = "NOTIFY"  #: POST of an attempt to its campaign's URL
    HTTP_GET = "HTTP_GET"
    HTTP_POST = "HTTP_POST"
    EMAIL = "EMAIL"
    ADD_LIST = "ADD_LIST"
    BLACK_LIST = "BLACK_LIST"
    RESCHEDULE = "RESCHEDULE"


class ErrandState(StrEnum):
    WAITING = "WAITING"
    PARKED = "PARKED"  #: given up, until somebody replays or deletes it


@dataclass(frozen=True, slots=True)
class Errand:
    """One thing to tell or do. ``payload`` is JSON; what is in it depends on the kind:

    NOTIFY ``url``, ``fields`` (of the form); HTTP_GET ``url``, maybe ``fields`` (of its query); HTTP_POST ``url``, and
    ``fields`` or ``body`` with ``content_type``; EMAIL ``to`` (a list; better one errand an address), ``subject``,
    ``body``. What is in the others is between who writes them and ``store/outbox_acts``.

    Errands of one ``sequence`` are done in the order in which they were written; an empty one waits for none.
    """

    kind: ErrandKind
    receiver: str  #: host of the URL, ``MAIL``, list or campaign: what is shown as being well or ill
    payload: dict[str, object]
    created_at: float
    due_at: float
    sequence: str = ""
    campaign_id: int | None = None
    run_id: int | None = None
    wombatid: int | None = None


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An errand as stored."""

    id: int
    errand: Errand
    state: ErrandState = ErrandState.WAITING
    tries: int = 0
    error: str = ""
    first_due_at: float = 0.0  #: when it was due first, or replayed: giving up counts from here
    secret: Secret = NO_SECRET  #: of its campaign, when it is one to be signed; looked up, never stored with it

    @property
    def message_id(self) -> str:
        """The same at each resend, and no other's, also after a database was made anew or restored."""
        return f"wbt-{self.id}-{round(self.errand.created_at * 1000)}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of one try. Without an error it is done."""

    error: str = ""
    reached: bool = True  #: somebody answered; False: away, silent or not to be trusted
    hopeless: bool = False  #: trying again changes nothing until a person has done something
    wait_s: float = 0.0  #: the receiver asks to be left alone so long


DONE = Receipt()


@dataclass(frozen=True, slots=True)
class Undone:
    """Written for an errand that failed: when it is tried next, or that it is parked."""

    id: int
    sequence: str
    due_at: float
    tries: int
    error: str
    parked: bool = False


@dataclass(frozen=True, slots=True)
class DueErrands:
    """What is to be done now, and when something falls due next (None: nothing is known to)."""

    rows: tuple[OutboxRow, ...] = ()
    next_at: float | None = None


@dataclass(frozen=True, slots=True)
class ReceiverCount:
    """How much lies in the outbox for one receiver."""

    receiver: str
    waiting: int
    parked: int
