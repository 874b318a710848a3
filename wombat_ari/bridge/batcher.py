"""Small jobs of the same kind in company: what comes while one is under way goes into the next, all in one commit.

Each giver is answered when the job that its thing was in has been done. Nothing is held back to wait for company longer
than a turn of the reactor, so alone it is as quick as a job of its own, and under load a commit is shared by many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from wombat_ari.model.errors import UserError, WombatError

BATCH = 500  #: of one job
LIMIT = 10_000  #: waiting; who comes then is refused

Item = TypeVar("Item")
Answer = TypeVar("Answer")

log = Logger()


class Batcher(Generic[Item, Answer]):
    """``write`` is a job that takes a list and answers each of it, in order; an exception among the answers is for its
    giver alone. A job that fails for what is in it is done in halves, so that one thing harms no other.
    """

    def __init__(self, clock: Any, write: Callable[[list[Item]], Deferred[Sequence[Answer | WombatError]]]) -> None:
        self._clock = clock
        self._write = write
        self._waiting: list[tuple[Item, _Company]] = []
        self._drained: list[Deferred[None]] = []  #: who waits for everybody to be answered
        self._busy = False  #: a job is under way, or will be in this turn

    def add(self, item: Item) -> Deferred[Answer]:
        return self.add_all([item]).addCallback(_the_only)

    def add_all(self, items: Sequence[Item]) -> Deferred[list[Answer | Exception]]:
        """One answer for each, in order, when all are known; an exception among them is for that one alone."""
        room = max(0, LIMIT - len(self._waiting))
        company = _Company(len(items[:room]), refused=len(items[room:]))
        self._waiting += [(item, company) for item in items[:room]]
        if self._waiting and not self._busy:
            self._busy = True
            self._clock.callLater(0, self._begin)
        return company.done

    def drain(self) -> Deferred[None]:
        """Fires when everybody who came has been answered."""
        done: Deferred[None] = Deferred()
        self._drained.append(done)
        if not self._busy:
            self._begin()
        return done

    def _begin(self) -> None:
        self._busy = bool(self._waiting)
        if not self._busy:
            drained, self._drained = self._drained, []
            for done in drained:
                done.callback(None)
            return
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        job = Deferred.fromCoroutine(self._do([item for item, _ in batch]))
        job.addCallback(self._answered, [company for _, company in batch]).addErrback(self._fence)

    async def _do(self, items: list[Item]) -> list[Any]:
        try:
            return list(await self._write(items))
        except Exception as error:  # noqa: BLE001 - fence: one batch; its givers are told
            if len(items) == 1 or getattr(error, "transient", False):
                if not isinstance(error, WombatError):
                    log.failure("this could not be written: {items}", items=repr(items)[:500])
                return [error] * len(items)
        half = len(items) // 2
        return [*await self._do(items[:half]), *await self._do(items[half:])]

    def _answered(self, answers: list[Any], givers: list[_Company]) -> None:
        if self._waiting:
            self._begin()  # before the givers: the database works while they are told
            _tell(answers, givers)
        else:
            _tell(answers, givers)
            self._begin()

    def _fence(self, failure: Failure) -> None:
        log.failure("batcher: a mistake of ours", failure=failure)


class _Company:
    """Things given together. They are done in the order in which they came, so their answers come in it too."""

    def __init__(self, count: int, *, refused: int) -> None:
        self.done: Deferred[list[Any]] = Deferred()
        self._missing = count
        self._answers: list[Any] = []
        self._refusals = [_busy() for _ in range(refused)]
        if not count:
            self.done.callback(self._refusals)

    def hear(self, answer: Any) -> None:
        self._answers.append(answer)
        self._missing -= 1
        if not self._missing:
            self.done.callback(self._answers + self._refusals)


def _tell(answers: list[Any], givers: list[_Company]) -> None:
    for answer, company in zip(answers, givers, strict=True):
        company.hear(answer)


def _busy() -> UserError:
    return UserError(f"{LIMIT} others wait already; try again in a moment", code="busy")


def _the_only(answers: list[Any]) -> Any:
    """A Deferred whose callback answers a Failure fails."""
    return Failure(answers[0]) if isinstance(answers[0], Exception) else answers[0]
