"""What a machine wants done, in the imperative. Performed by ``engine/follow`` after ``handle`` returned."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """Make durable that this call may be dialled; the answer is the event Recorded."""


@dataclass(frozen=True, slots=True)
class Place:
    """Build and queue the Originate."""


@dataclass(frozen=True, slots=True)
class HangUp:
    cause: int = 16


@dataclass(frozen=True, slots=True)
class LimitLife:
    """AbsoluteTimeout: the PBX hangs up after so many seconds from now, in case the dialer dies."""

    seconds: int


@dataclass(frozen=True, slots=True)
class AskAlive:
    """Ask the PBX whether the channel still lives; the answer is FoundLive, FoundGone or TraceFound."""


@dataclass(frozen=True, slots=True)
class FreeLine:
    """Give back the line and the end point channel. Exactly once for each time they were taken."""


@dataclass(frozen=True, slots=True)
class Save:
    """Write the state behind, so that a restart takes the call up in it."""


@dataclass(frozen=True, slots=True)
class ReturnToHopper:
    """The call was not placed: it is the next to be dialled again."""


@dataclass(frozen=True, slots=True)
class Settle:
    """The outcome is decided: log, reschedule or close."""


Effect = Record | Place | HangUp | LimitLife | AskAlive | FreeLine | Save | ReturnToHopper | Settle
