"""Words of what is to be told or done outside the calls: durable with what it is about, done later."""

from dataclasses import dataclass
from enum import StrEnum


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
    """One thing to tell or do. ``payload`` is JSON; what is in it depends on the kind (``store/outbox``).

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
