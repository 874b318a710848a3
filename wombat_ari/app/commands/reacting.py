"""Run one coroutine on a reactor of its own, for commands that ask a dialer or a PBX."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


def react(work: Callable[[Any], Awaitable[Result]]) -> Result:
    """``work(reactor)`` to its end: its result, or its exception raised here."""
    from twisted.internet import defer, reactor, task

    outcome: list[Any] = []

    async def whole() -> None:
        try:
            outcome.append(await work(reactor))
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - fence: raised again below, outside the reactor
            outcome.append(error)

    with contextlib.suppress(SystemExit):
        task.react(lambda _: defer.Deferred.fromCoroutine(whole()), _reactor=reactor)
    if not outcome:
        raise KeyboardInterrupt
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]
