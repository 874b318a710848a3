"""How those outside are, and how long to wait for them (pure: moments and chance are handed in).

A receiver is *held* when it is away or silent, asks to be left alone, or refuses one errand after the other: then one
try is made when the hold ends, and the next hold is longer. An errand that is refused alone waits alone.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from wombat_ari.model.errands import OutboxRow, Receipt, Undone

FIRST_S = 1.0
LONGEST_S = 3600.0
REFUSALS = 5  #: bad answers in a row at which a receiver is held


def back_off(failures: int, chance: float) -> float:
    """Seconds after so many failures in a row (from 1): doubled each time from 1 s to 1 h, of which a random part of up
    to a quarter (``chance`` is from 0 to 1) is taken off, so that what failed together does not come back together.
    """
    whole = min(LONGEST_S, FIRST_S * 2.0 ** min(failures - 1, 20))
    return max(FIRST_S, whole * (1 - chance / 4))


def undone(row: OutboxRow, receipt: Receipt, *, now: float, last_try_at: float, chance: float) -> Undone:
    """What is written for an errand that failed: tried again later, at last at ``last_try_at``; then parked."""
    tries = row.tries + 1
    parked = receipt.hopeless or now >= last_try_at
    wait = max(back_off(tries, chance), receipt.wait_s)
    return Undone(
        id=row.id,
        sequence=row.errand.sequence,
        due_at=now if parked else min(now + wait, last_try_at),
        tries=tries,
        error=receipt.error.encode("utf-8", "replace").decode(),
        parked=parked,
    )


class Turn(StrEnum):
    """What a try changed about a receiver."""

    NONE = ""
    FAILING = "receiver failing"  #: it is held; it was well
    HELD = "receiver held"  #: it is held again
    WELL = "receiver well again"


@dataclass(slots=True)
class Receiver:
    """One of those outside, with what is in memory for it."""

    name: str
    ready: deque[OutboxRow] = field(default_factory=deque)
    in_flight: int = 0
    known: int = 0  #: rows in memory: ready, in flight, or tried and not yet written down
    more: bool = False  #: the last look did not bring all that is due
    refusals: int = 0  #: bad answers in a row
    holds: int = 0  #: times in a row that it was held
    held_at: float = 0.0
    held_until: float = 0.0
    ok_since: float | None = None
    failing_since: float | None = None
    error: str = ""  #: of the last try that failed
    waiting: int = 0
    parked: int = 0

    def room(self, now: float, limit: int) -> bool:
        """Whether one more may be begun; one at a time until it has shown that it is well again."""
        return now >= self.held_until and self.in_flight < (1 if self.holds else limit)

    def tried(self, receipt: Receipt, *, begun_at: float, now: float, chance: float) -> Turn:
        """Take in what came of a try."""
        if not receipt.error:
            return self._went_well(now)
        self.error = receipt.error
        self.refusals += receipt.reached
        if receipt.hopeless or (receipt.reached and self.refusals < REFUSALS and not receipt.wait_s):
            return Turn.NONE  # it is about this errand, not about the receiver
        if begun_at < self.held_at:
            return Turn.NONE  # it was under way when the trouble was noticed
        self.holds += 1
        self.held_at = now
        self.held_until = now + max(back_off(self.holds, chance), receipt.wait_s)
        self.ok_since = None
        if self.failing_since is not None:
            return Turn.HELD
        self.failing_since = now
        return Turn.FAILING

    def _went_well(self, now: float) -> Turn:
        was_failing = self.failing_since is not None
        self.failing_since = None
        self.refusals = self.holds = 0
        self.held_until = 0.0
        if self.ok_since is None:
            self.ok_since = now
        return Turn.WELL if was_failing else Turn.NONE
