"""Around it: what is said to and by a PBX, kept while somebody watches (the AMI debugger), secrets masked.

Nothing is kept, cut or looked at before somebody begins; what is kept is bounded; it ends by itself when nobody has
read for ``UNREAD_S``. Reading alone never begins it.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from wombat_ari.engine.board import Board, Clock, Pbx
from wombat_ari.model.errors import UserError
from wombat_ari.wire.masking import Cutter, masked

UNREAD_S = 15.0
KEPT = 5_000  #: messages of one PBX
KEPT_TEXT = 2_000_000  #: characters of them
ANSWER = 500_000  #: characters of one answer, about

Kept = tuple[int, float, bool, str]  #: id, when, whether it was said by us, the text


@dataclass(slots=True)
class _Watch:
    """One PBX that is watched."""

    driver: Any
    known: tuple[str, ...]  #: secrets
    read_at: float
    kept: deque[Kept] = field(default_factory=deque)
    size: int = 0
    cutters: dict[bool, Cutter] = field(default_factory=lambda: {True: Cutter(), False: Cutter()})


class Overhear:
    def __init__(self, board: Board, clock: Clock) -> None:
        self._board = board
        self._clock = clock
        self._watches: dict[int, _Watch] = {}
        self._last = int(clock.seconds() * 1000) * 1000  #: ids grow, over restarts of the dialer too

    @property
    def watched(self) -> set[int]:
        """Ids of the servers that are watched now."""
        return set(self._watches)

    def read(self, server_id: int, *, after: int, begin: bool) -> dict[str, Any]:
        """What was said behind the id ``after``: ``on``, ``last``, ``messages``. UserError: no such server here."""
        watch = self._watches.get(server_id)
        if watch is None and not begin:
            return {"on": False, "last": after, "messages": []}
        pbx = self._board.pbxs.get(server_id)
        if pbx is None:
            raise UserError(
                "the dialer does not use this server yet: it takes a new one when a run is started", code="no-link"
            )
        watch = watch or self._begin(server_id, pbx)
        watch.read_at = self._clock.seconds()
        self._attach(watch, pbx)
        found = _behind(watch.kept, after)
        return {"on": True, "last": found[-1][0] if found else max(after, self._first(watch)), "messages": found}

    def tick(self) -> None:
        """Every second: end what nobody reads; follow a driver that was made anew."""
        for server_id, watch in list(self._watches.items()):
            pbx = self._board.pbxs.get(server_id)
            if pbx is None or self._clock.seconds() - watch.read_at > UNREAD_S:
                watch.driver.overhear(None)
                del self._watches[server_id]
            else:
                self._attach(watch, pbx)

    def _begin(self, server_id: int, pbx: Pbx) -> _Watch:
        watch = self._watches[server_id] = _Watch(None, (), self._clock.seconds())
        self._attach(watch, pbx)
        return watch

    def _attach(self, watch: _Watch, pbx: Pbx) -> None:
        server = pbx.server
        watch.known = tuple(secret.reveal() for secret in (server.password, server.ari_password) if secret)
        if watch.driver is pbx.driver:
            return
        if watch.driver is not None:
            watch.driver.overhear(None)
        watch.driver = pbx.driver
        pbx.driver.overhear(self._ear(watch))

    def _ear(self, watch: _Watch) -> Callable[[bool, bytes], None]:
        def hear(ours: bool, data: bytes) -> None:
            for message in watch.cutters[ours].feed(data):
                self._keep(watch, ours, masked(message, watch.known))

        return hear

    def _keep(self, watch: _Watch, ours: bool, text: str) -> None:
        self._last += 1
        watch.kept.append((self._last, self._clock.seconds(), ours, text))
        watch.size += len(text)
        while len(watch.kept) > KEPT or watch.size > KEPT_TEXT:
            watch.size -= len(watch.kept.popleft()[3])

    def _first(self, watch: _Watch) -> int:
        return watch.kept[0][0] if watch.kept else 0


def _behind(kept: deque[Kept], after: int) -> list[Kept]:
    """The oldest first, as many as one answer takes."""
    found: list[Kept] = []
    size = 0
    for each in kept:
        if each[0] <= after:
            continue
        size += len(each[3])
        if found and size > ANSWER:
            break
        found.append(each)
    return found
