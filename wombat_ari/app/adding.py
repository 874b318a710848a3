"""Calls from outside that are asked for at the same time go to the dialer in company; each has its own answer."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, gatherResults

from wombat_ari.app.control_commands import MOST
from wombat_ari.bridge.batcher import Batcher
from wombat_ari.model.errors import UserError, WombatError

Answer = int | WombatError

_spell = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Adding:
    """``send`` takes a JSON array of calls, at most ``MOST`` bytes, to the dialer and brings its array of answers."""

    def __init__(self, clock: Any, send: Callable[[bytes], Awaitable[bytes]]) -> None:
        self._send = send
        self._batcher: Batcher[bytes, int] = Batcher(clock, self._write)

    def add(self, campaign: str, number: str, *, attributes: Mapping[str, str], due: float | None) -> Deferred[int]:
        """Its WOMBATID. UserError, nothing is asked then, for what cannot be sent."""
        try:
            item = _spell([campaign, number, dict(attributes), due]).encode()
        except UnicodeEncodeError:
            raise UserError("a text holds half a character (a lone surrogate)") from None
        if len(item) + 2 > MOST:
            raise UserError(f"a text, or the attributes, has more than {MOST} bytes")
        return self._batcher.add(item)

    def _write(self, items: list[bytes]) -> Deferred[Sequence[Answer]]:
        """Never fails as a whole: a call whose answer was lost must not be asked for again, it would ring twice."""
        sent = [Deferred.fromCoroutine(self._ask(part)) for part in _parts(items)]
        return gatherResults(sent).addCallback(lambda found: [answer for part in found for answer in part])

    async def _ask(self, items: list[bytes]) -> list[Answer]:
        try:
            answers = json.loads(await self._send(b"[" + b",".join(items) + b"]"))
        except WombatError as error:
            return [error] * len(items)
        return [answer if isinstance(answer, int) else UserError(answer[1], code=answer[0]) for answer in answers]


def _parts(items: list[bytes]) -> list[list[bytes]]:
    """As few as may be of at most ``MOST`` bytes."""
    parts: list[list[bytes]] = []
    size = MOST
    for item in items:
        size += len(item) + 1
        if size > MOST - 2:
            parts.append([])
            size = len(item) + 1
        parts[-1].append(item)
    return parts
