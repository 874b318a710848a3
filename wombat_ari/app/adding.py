"""Calls from outside that are asked for at the same time go to the dialer in company; each has its own answer."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from wombat_ari.app.control_commands import MOST
from wombat_ari.model.errors import UserError, WombatError

Answer = int | WombatError
Asked = tuple[bytes, Deferred[int]]

log = Logger()

_spell = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Adding:
    """``send`` takes a JSON array of calls, at most ``MOST`` bytes, to the dialer and brings its array of answers."""

    def __init__(self, clock: Any, send: Callable[[bytes], Awaitable[bytes]]) -> None:
        self._clock = clock
        self._send = send
        self._together: list[tuple[bytes, Deferred[int]]] = []  #: asked for in this turn of the reactor

    def add(
        self, campaign: str, number: str, *, attributes: Mapping[str, str], due: float | None, by: str, origin: str
    ) -> Deferred[int]:
        """Its WOMBATID. UserError, nothing is asked then, for what cannot be sent. ``by``: who asks, ``origin``: from
        where, for the system log."""
        try:
            item = _spell([campaign, number, dict(attributes), due, by, origin]).encode()
        except UnicodeEncodeError:
            raise UserError("a text holds half a character (a lone surrogate)") from None
        if len(item) + 2 > MOST:
            raise UserError(f"a text, or the attributes, has more than {MOST} bytes")
        done: Deferred[int] = Deferred()
        if not self._together:
            self._clock.callLater(0, self._go)
        self._together.append((item, done))
        return done

    def _go(self) -> None:
        """Not one after the other: those who wait while the database works are put together by the dialer."""
        together, self._together = self._together, []
        for part in _parts(together):
            asking = Deferred.fromCoroutine(self._ask([item for item, _ in part]))
            asking.addCallback(_tell, [done for _, done in part])
            asking.addErrback(lambda failure: log.failure("adding calls: a mistake of ours", failure=failure))

    async def _ask(self, items: list[bytes]) -> list[Answer]:
        """Never fails: a call whose answer was lost must not be asked for again, it would ring twice."""
        try:
            answers = json.loads(await self._send(b"[" + b",".join(items) + b"]"))
        except WombatError as error:
            return [error] * len(items)
        return [answer if isinstance(answer, int) else UserError(answer[1], code=answer[0]) for answer in answers]


def _tell(answers: list[Answer], givers: list[Deferred[int]]) -> None:
    for answer, done in zip(answers, givers, strict=True):
        if isinstance(answer, int):
            done.callback(answer)
        else:
            done.errback(answer)


def _parts(items: list[Asked]) -> list[list[Asked]]:
    """As few as may be of at most ``MOST`` bytes."""
    parts: list[list[Asked]] = []
    size = MOST
    for item in items:
        size += len(item[0]) + 1
        if size > MOST - 2:
            parts.append([])
            size = len(item[0]) + 1
        parts[-1].append(item)
    return parts
