"""What came of errands, written behind in batches: one in flight at a time, kept and tried again while the database is
away. Until it is written the rows are as they were: after a crash they are delivered again.
"""

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from wombat_ari.model.errands import OutboxRow, Undone
from wombat_ari.model.errors import StoreError

RETRY_S = 1.0

log = Logger()

Write = Callable[[Sequence[OutboxRow], Sequence[Undone]], "Deferred[bool]"]


class Receipts:
    """``on_written`` is told which rows, and whether something waited behind one of them."""

    def __init__(self, reactor: Any, write: Write) -> None:
        self._reactor = reactor
        self._write = write
        self._done: list[OutboxRow] = []
        self._undone: list[Undone] = []
        self._writing = False
        self.on_written: Callable[[list[int], bool], None] = lambda ids, freed: None
        self.trouble = ""  #: what the database last said, empty when all is well

    @property
    def waiting(self) -> bool:
        return self._writing or bool(self._done or self._undone)

    def done(self, row: OutboxRow) -> None:
        self._done.append(row)

    def undone(self, entry: Undone) -> None:
        self._undone.append(entry)

    def write(self) -> None:
        """Write now what there is; what is added meanwhile goes with the next batch."""
        if self._writing or not (self._done or self._undone):
            return
        self._writing = True
        done, self._done = self._done, []
        undone, self._undone = self._undone, []
        written = self._write(done, undone)
        written.addCallbacks(
            self._written, self._not_written, callbackArgs=(done, undone), errbackArgs=(done, undone)
        ).addErrback(lambda failure: log.failure("receipts: a mistake of ours", failure=failure))

    def _written(self, freed: bool, done: list[OutboxRow], undone: list[Undone]) -> None:
        self._writing, self.trouble = False, ""
        self.on_written([row.id for row in done] + [entry.id for entry in undone], freed)
        self.write()

    def _not_written(self, failure: Failure, done: list[OutboxRow], undone: list[Undone]) -> None:
        self._writing = False
        if failure.check(StoreError) is None or not failure.value.transient:
            # Nobody is told that they are written, so they stay known and are not delivered again and again.
            log.failure("what came of {count} errands cannot be written", failure=failure, count=len(done + undone))
            return
        if not self.trouble:
            log.warn("what came of {count} errands waits for the database", count=len(done + undone))
        self.trouble = failure.getErrorMessage()
        self._done, self._undone = done + self._done, undone + self._undone
        self._reactor.callLater(RETRY_S, self.write)
