"""Runs blocking jobs in threads: one for what writes, in order, and three for what only reads."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from twisted.internet import defer, threads
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.threadpool import ThreadPool

Result = TypeVar("Result")


class Pool(Protocol):
    """Where jobs run. Tests use ``InlinePool``: the same, at once, without a thread."""

    def write(self, job: Callable[..., Result], *args: Any, **kwargs: Any) -> defer.Deferred[Result]:
        """Run a job that may write. Jobs run one at a time, in the order given."""

    def read(self, job: Callable[..., Result], *args: Any, **kwargs: Any) -> defer.Deferred[Result]:
        """Run a job that only reads, beside others."""

    def stop(self) -> None:
        """Wait for the jobs under way and end the threads."""


class ThreadedPool:
    """Threads named ``db-write`` and ``db-read``."""

    def __init__(self, reactor: IReactorFromThreads, readers: int = 3) -> None:
        self._reactor = reactor
        self._writer = ThreadPool(1, 1, name="db-write")
        self._readers = ThreadPool(0, readers, name="db-read")
        self._writer.start()
        self._readers.start()

    def write(self, job: Callable[..., Result], *args: Any, **kwargs: Any) -> defer.Deferred[Result]:
        return threads.deferToThreadPool(self._reactor, self._writer, job, *args, **kwargs)

    def read(self, job: Callable[..., Result], *args: Any, **kwargs: Any) -> defer.Deferred[Result]:
        return threads.deferToThreadPool(self._reactor, self._readers, job, *args, **kwargs)

    def stop(self) -> None:
        self._writer.stop()
        self._readers.stop()


class InlinePool:
    """Runs each job at once, in the caller's thread: for tests and for tools without a reactor."""

    def write(self, job: Callable[..., Result], *args: Any, **kwargs: Any) -> defer.Deferred[Result]:
        return defer.execute(job, *args, **kwargs)

    read = write

    def stop(self) -> None:
        """Nothing to stop."""
