"""Step 9: results and states written behind, in batches, kept and retried while the database is away.

One batch is in flight at a time, in order. A batch is written again after trouble that passes: ``store/journal`` is
idempotent by key. A row that the database refuses for its content is found by halving the batch, logged in full and
left out, so that it harms nobody else. Too much waiting means ``full``: the scheduler then places no call.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from wombat_ari.model.calls import CallProgress, CallResult
from wombat_ari.model.errors import StoreError

BATCH = 200  #: rows of one transaction
LINGER_S = 0.5  #: a lone row waits so long for company
FIRST_RETRY_S, LAST_RETRY_S = 0.5, 5.0
SILENT_S = 3.0  #: a batch that takes longer is said to be trouble
LIMIT = 20_000  #: rows waiting at which new calls stop

log = Logger()


class Journal:
    """``write`` is a job that takes a list of entries and answers a Deferred."""

    def __init__(self, reactor: Any, write: Callable[[list[Any]], Deferred[None]], limit: int = LIMIT) -> None:
        self._reactor = reactor
        self._write = write
        self._limit = limit
        self._rows: list[Any] = []
        self._progress: dict[int, CallProgress] = {}
        self._in_flight = 0
        self._asked_at = 0.0  #: when the batch in flight was given to the database
        self._timer: Any = None
        self._retry_s = FIRST_RETRY_S
        self._added = 0  #: rows ever added, progress apart
        self._settled = 0  #: of these, written or left out as poison
        self._awaited: deque[tuple[int, Deferred[None]]] = deque()  #: who waits until so many are settled
        self.trouble = ""  #: what the database last said, empty when all is well
        self.poisoned = 0  #: rows that were refused for their content
        self.written = 0
        self.on_added: Callable[[Any], None] = lambda entry: None  #: told what is to be written, as it comes
        self.on_written: Callable[[list[Any]], None] = lambda entries: None  #: told what has just become durable

    @property
    def waiting(self) -> int:
        return len(self._rows) + len(self._progress) + self._in_flight

    @property
    def says(self) -> str:
        """What is wrong with the database, in words; also when it neither answers nor breaks. Empty: all is well."""
        if self.trouble or not self._in_flight:
            return self.trouble
        silent = self._reactor.seconds() - self._asked_at
        return f"the database has not answered for {silent:.0f} s" if silent >= SILENT_S else ""

    @property
    def full(self) -> bool:
        return self.waiting >= self._limit

    def add(self, entry: Any) -> None:
        """Keep an entry until it is written. A call's progress replaces its earlier one, its result replaces both."""
        self.on_added(entry)
        if isinstance(entry, CallProgress):
            self._progress[entry.wombatid] = entry
        else:
            if isinstance(entry, CallResult):
                self._progress.pop(entry.claim.wombatid, None)
            self._rows.append(entry)
            self._added += 1
        if len(self._rows) >= BATCH and not self.trouble:
            self._begin()
        else:
            self._later(LINGER_S)

    def drain(self) -> Deferred[None]:
        """Write now, without lingering. Fires when everything added until now is written (a call's progress apart)."""
        if self._settled >= self._added and not self._progress:
            return succeed(None)
        done: Deferred[None] = Deferred()
        self._awaited.append((self._added, done))
        self._begin()
        return done

    def _later(self, seconds: float) -> None:
        if self._timer is None and not self._in_flight:
            self._timer = self._reactor.callLater(seconds, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._begin()

    def _begin(self) -> None:
        if self._in_flight:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch = self._next_batch()
        if batch:
            self._in_flight, self._asked_at = len(batch), self._reactor.seconds()
            Deferred.fromCoroutine(self._store(batch)).addCallbacks(self._ended, self._fence, callbackArgs=(batch,))

    def _next_batch(self) -> list[Any]:
        batch = self._rows[:BATCH]
        del self._rows[: len(batch)]
        while self._progress and len(batch) < BATCH:
            batch.append(self._progress.pop(next(iter(self._progress))))
        return batch

    async def _store(self, batch: list[Any]) -> list[Any]:
        """Write a batch. Answers the rows to be tried again later: from the first that met passing trouble on."""
        try:
            await self._write(batch)
        except StoreError as error:
            if error.transient:
                self._say_trouble(str(error))
                return batch
            return await self._halve(batch, Failure())
        except Exception:  # noqa: BLE001 - fence: one batch; a mistake of ours in a row is treated as poison
            return await self._halve(batch, Failure())
        self.written += len(batch)
        return []

    async def _halve(self, batch: list[Any], failure: Failure) -> list[Any]:
        if len(batch) == 1:
            self.poisoned += 1
            log.failure("the database refuses this row, it is left out: {row}", failure=failure, row=repr(batch[0]))
            return []
        half = len(batch) // 2
        again = await self._store(batch[:half])
        return [*again, *batch[half:]] if again else await self._store(batch[half:])

    def _ended(self, again: list[Any], batch: list[Any]) -> None:
        self._in_flight = 0
        self._settled += sum(not isinstance(row, CallProgress) for row in batch[: len(batch) - len(again)])
        self._rows[:0] = again
        self.on_written(batch[: len(batch) - len(again)])
        while self._awaited and self._awaited[0][0] <= self._settled:
            self._awaited.popleft()[1].callback(None)
        if again:
            self._later(self._retry_s)
            self._retry_s = min(LAST_RETRY_S, self._retry_s * 2)
            return
        if self.trouble:
            log.info("the database is back, {waiting} rows wait", waiting=self.waiting)
        self.trouble, self._retry_s = "", FIRST_RETRY_S
        if self._awaited or len(self._rows) >= BATCH:
            self._begin()
        elif self.waiting:
            self._later(LINGER_S)

    def _say_trouble(self, trouble: str) -> None:
        if trouble != self.trouble:
            log.error("{waiting} results wait for the database: {trouble}", waiting=self.waiting, trouble=trouble)
        self.trouble = trouble

    def _fence(self, failure: Failure) -> None:
        self._in_flight = 0
        log.failure("journal: a mistake of ours", failure=failure)
