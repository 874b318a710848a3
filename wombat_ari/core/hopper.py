"""Step 2: the cache of calls to be dialled soon, one for each run (spec 03 "Hopper").

What waited for its time (a retry, a call that was scheduled) goes before new numbers; within each, first in, first out.
A call that was taken out and could not be placed goes back to the very front. When to refill is decided here, the
reading is ``engine/refill``.
"""

from collections import deque
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class _Claimed(Protocol):
    @property
    def due(self) -> bool:
        """It waited for its time, as a retry does; else it is a new number."""
        ...


Item = TypeVar("Item", bound=_Claimed)


class Hopper(Generic[Item]):
    """Holds what was claimed and not yet scheduled. ``batch`` is the campaign's batch size."""

    __slots__ = ("_fresh", "_retries", "batch", "exhausted", "filling", "next_retry_at")

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.exhausted = False  #: no further new record in the lists, as far as known
        self.next_retry_at: float | None = None  #: earliest open retry, as far as known
        self.filling = False  #: a refill is under way, or must not be
        self._retries: deque[Item] = deque()
        self._fresh: deque[Item] = deque()

    def __len__(self) -> int:
        return len(self._retries) + len(self._fresh)

    def __iter__(self) -> Iterator[Item]:
        yield from self._retries
        yield from self._fresh

    def put(self, items: list[Item]) -> None:
        """Add what a refill brought, in its order."""
        for item in items:
            (self._retries if item.due else self._fresh).append(item)

    def put_back(self, item: Item) -> None:
        """It was not placed: it is the next one."""
        (self._retries if item.due else self._fresh).appendleft(item)

    def take(self) -> Item | None:
        """The next to be dialled, or None."""
        if self._retries:
            return self._retries.popleft()
        return self._fresh.popleft() if self._fresh else None

    def drain(self) -> list[Item]:
        """Everything, for a run that ends."""
        items = [*self._retries, *self._fresh]
        self._retries.clear()
        self._fresh.clear()
        return items

    def wants(self, now: float) -> tuple[int, int]:
        """How many (new records, due retries) a refill should read now; (0, 0) for no refill.

        New numbers are read when half the batch is gone, retries as soon as they are due. Retries may fill a second
        batch, so that a full cache of new numbers does not keep them waiting; memory stays within two batches.
        """
        if self.filling:
            return 0, 0
        low = len(self) * 2 <= self.batch and not self.exhausted
        due = self.next_retry_at is not None and self.next_retry_at <= now
        fresh = self.batch - len(self) if low else 0
        retries = max(0, self.batch - len(self._retries)) if due or low else 0
        return fresh, retries

    def retry_added(self, due_at: float) -> None:
        """A call was rescheduled: look again when it falls due."""
        self.next_retry_at = due_at if self.next_retry_at is None else min(self.next_retry_at, due_at)
