"""How many calls a QUEUE end point may have placed now (spec 03 "QUEUE end points, direct")."""

from dataclasses import dataclass
from math import floor


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """What was counted: agents that could take a call, callers for whom no agent rings, and our own calls."""

    available: int
    waiting: int
    on_the_way: int  #: our calls for it that have neither joined the queue nor ended
    assigned: int  #: our calls for it, from SCHEDULED until they ended


def blocked_by_waiting(load: QueueLoad, max_waiting: int) -> bool:
    """More callers wait than may: nothing is placed (shown as ``BK W``)."""
    return load.waiting > max_waiting


def free_channels(
    load: QueueLoad, *, boost: float, max_waiting: int, max_channels: int, spare: float | None = None
) -> int:
    """How many more calls may be placed. With 7 agents, nobody waiting, boost 1.3: 9.

    Nobody on the way is counted twice: a call is either on the way, or in the queue, or ended. ``spare``: agents that
    other queues leave to this one, where they share some (``core/sharing``).
    """
    if blocked_by_waiting(load, max_waiting):
        return 0
    # A hair is added: 7 x 1.3 is 9.1 in decimals and must not become 9.099... - or 10 x 1.1 become 10.
    wanted = floor((load.available - load.waiting) * boost + 1e-9) - load.on_the_way
    if spare is not None:
        wanted = min(wanted, floor(spare * boost + 1e-9))
    return max(0, min(wanted, max_channels - load.assigned))
