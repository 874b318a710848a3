"""Runs blocking jobs in threads: two lanes for what writes, each in order, and three threads for what only reads.

``urgent`` is a lane of its own for what an Originate waits for: it must not queue behind a batch of results. A job of
one lane knows nothing about what the other has done, unless its giver has waited for that.
"""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, Protocol, TypeVar

from twisted.internet import defer, threads
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

Result = TypeVar("Result")


class Pool(Protocol):
    """Where jobs run. Tests use ``InlinePool``: the same, at once, without a thread."""

    def write(self, job: Callable[..., Result], *args: Any, **kwargs: Any) -> defer.Deferred[Result]:
        """Run a job that may write. Jobs run one at a time, in the order given."""

    def urgent(self, job: Callable[..., Result], *args: Any, **kwargs: Any) -> defer.Deferred[Result]:
        """The same beside ``write``, for short jobs that something waits for; in order among themselves."""

    def read(self, job: Callable[..., Result], *args: Any, **kwargs: Any) -> defer.Deferred[Result]:
        """Run a job that only reads, beside others."""

    def stop(self) -> None:
        """Wait for the jobs under way and end the threads."""


class ThreadedPool:
    """Threads named ``db-write``, ``db-urgent`` and ``db-read``."""

    def __init__(self, reactor: IReactorFromThreads, readers: int = 3) -> None:
        self._reactor = reactor
        self._writer = _Lane(reactor, "db-write")
        self._urgent = _Lane(reactor, "db-urgent")
        self._readers = ThreadPool(0, readers, name="db-read")
        self._readers.start()

    def write(self, job: Callable[..., Result], *args: Any, **kwargs: Any) -> defer.Deferred[Result]:
        return self._writer.run(job, args, kwargs)

    def urgent(self, job: Callable[..., Result], *args: Any, **kwargs: Any) -> defer.Deferred[Result]:
        return self._urgent.run(job, args, kwargs)

    def read(self, job: Callable[..., Result], *args: Any, **kwargs: Any) -> defer.Deferred[Result]:
        return threads.deferToThreadPool(self._reactor, self._readers, job, *args, **kwargs)

    def stop(self) -> None:
        self._urgent.stop()
        self._writer.stop()
        self._readers.stop()


class _Lane:
    """One thread that runs jobs in the order given. Lighter than a ThreadPool of one: hundreds of jobs a second."""

    def __init__(self, reactor: IReactorFromThreads, name: str) -> None:
        self._reactor = reactor
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, job: Callable[..., Result], args: Any, kwargs: Any) -> defer.Deferred[Result]:
        done: defer.Deferred[Result] = defer.Deferred()

        def work() -> None:
            try:
                result = job(*args, **kwargs)
            except Exception:  # noqa: BLE001 - fence: one job; whoever gave it is told
                self._reactor.callFromThread(done.errback, Failure())
            else:
                self._reactor.callFromThread(done.callback, result)

        self._jobs.put(work)
        return done

    def stop(self) -> None:
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (work := self._jobs.get()) is not None:
            work()


class InlinePool:
    """Runs each job at once, in the caller's thread: for tests and for tools without a reactor."""

    def write(self, job: Callable[..., Result], *args: Any, **kwargs: Any) -> defer.Deferred[Result]:
        return defer.execute(job, *args, **kwargs)

    read = write

    def urgent(self, job: Callable[..., Result], *args: Any, **kwargs: Any) -> defer.Deferred[Result]:
        return self.write(job, *args, **kwargs)

    def stop(self) -> None:
        """Nothing to stop."""
