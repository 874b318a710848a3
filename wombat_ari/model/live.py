"""Words of watching: which of the live calls somebody wants to see, what there is to start, what a caller may do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from wombat_ari.model.states import CampaignStatus

MOST_AT_ONCE = 2000  #: calls of one page: some 15 ms of the dialer


class CallOrder(StrEnum):
    """What live calls are sorted by. WOMBATID: who asks for all of them asks for those ``after`` the last of a page."""

    WOMBATID = "wombatid"
    NUMBER = "number"
    STATE = "state"
    CAMPAIGN = "campaign"
    ORIGINATED = "originated"
    ANSWERED = "answered"
    TRUNK = "trunk"
    END_POINT = "end_point"
    RETRY = "retry"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class CallsWanted:
    """A page of the live calls. Those that lack what is sorted by (no answer yet, no agent) come last, either way."""

    runs: frozenset[int] | None = None  #: of these runs only, None: of all
    order: CallOrder = CallOrder.ORIGINATED
    descending: bool = False
    skip: int = 0
    limit: int = 50
    number: str = ""  #: only those whose number holds these characters
    after: int = 0  #: only those with a greater WOMBATID

    def told(self) -> dict[str, Any]:
        """In JSON types."""
        return {
            "runs": None if self.runs is None else sorted(self.runs),
            "order": self.order.value,
            "descending": self.descending,
            "skip": self.skip,
            "limit": self.limit,
            "number": self.number,
            "after": self.after,
        }

    @classmethod
    def heard(cls, told: dict[str, Any]) -> "CallsWanted":
        """From what ``told`` says."""
        runs = told["runs"]
        return cls(
            runs=None if runs is None else frozenset(runs),
            order=CallOrder(told["order"]),
            descending=told["descending"],
            skip=max(0, told["skip"]),
            limit=min(max(1, told["limit"]), MOST_AT_ONCE),
            number=told["number"],
            after=told["after"],
        )


@dataclass(frozen=True, slots=True)
class CampaignGlance:
    """As much of a campaign as says who sees it, and whether it can be started."""

    id: int
    name: str
    security_key: str
    status: CampaignStatus
    priority: int
    created_at: float
    has_lines: bool  #: a trunk and an end point


@dataclass(frozen=True, slots=True)
class Locked:
    """A thing with a security key."""

    id: int | None
    security_key: str


class Act(StrEnum):
    """What can be done to a run (START: to a campaign without one)."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    REMOVE = "remove"
    RELOAD = "reload"
