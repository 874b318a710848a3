"""From a thread of the console to the reactor and back."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from wombat_ari.model.errors import UserError

Result = TypeVar("Result")
Work = Callable[[Any], Coroutine[Any, Any, Result]]  #: is given the reactor


def on_reactor(work: Work[Result]) -> Result:
    """``work(reactor)`` to its end, while this thread waits: its result, or its exception. Never on the reactor."""
    from twisted.internet.defer import Deferred
    from twisted.internet.threads import blockingCallFromThread

    reactor = _running()
    return blockingCallFromThread(reactor, lambda: Deferred.fromCoroutine(work(reactor)))


def begin_on_reactor(work: Work[None]) -> None:
    """``work(reactor)`` is begun; nobody waits for it, so it must deal with its own mistakes."""
    from twisted.internet.defer import Deferred
    from twisted.logger import Logger

    reactor = _running()
    log = Logger()

    def begin() -> None:
        Deferred.fromCoroutine(work(reactor)).addErrback(
            lambda failure: log.failure("mistake of ours", failure=failure)
        )

    reactor.callFromThread(begin)


def _running() -> Any:
    from twisted.internet import reactor

    if not reactor.running:
        raise UserError("this process has no network: it is asked in `wombat-ari serve`", code="no-reactor")
    return reactor
