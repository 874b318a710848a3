"""A whole dialer behind the console, in the test's own process: the engine's world, asked as the control socket is."""

from __future__ import annotations

import json
import time
from pathlib import Path
from threading import RLock
from typing import Any

from twisted.internet.task import Clock

from tests.engine.world import World
from wombat_ari.model.errors import UserError
from wombat_ari.model.live import CallsWanted
from wombat_ari.store.database import Database

RINGS, TALKS = "55530000%02d", "55510100%02d"  #: see tools/fake_pbx/scenes


class Engine:
    """What services ask. The world is of one thread: who asks waits, and its clock goes on a little for each."""

    def __init__(self, folder: Path, database: Database) -> None:
        clock = Clock()
        clock.rightNow = time.time()  # what the console shows of a day is of today
        self.world = World(folder, database=database, clock=clock)
        self.world.end_point = self.world.add_end_point("Waits", exten="101")
        self._lock = RLock()
        self.down = False

    def start(self) -> None:
        self.world.start()

    def advance(self, seconds: float) -> None:
        with self._lock:
            self.world.advance(seconds)

    def advance_until(self, condition: Any) -> None:
        with self._lock:
            self.world.advance_until(condition)

    def snapshot(self, *, calls: bool = True) -> dict[str, Any]:
        return self._ask("snapshot", calls=calls)

    def live_calls(self, wanted: CallsWanted) -> dict[str, Any]:
        return self._ask("live_calls", CallsWanted.heard(json.loads(json.dumps(wanted.told()))))

    def overhear(self, server: int, *, after: int = 0, begin: bool = False) -> dict[str, Any]:
        return self._ask("overhear", server, after=after, begin=begin)

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **named: self._ask(name, *args, **named)

    def _ask(self, name: str, *args: Any, **named: Any) -> Any:
        """As it comes over the socket: through JSON."""
        if self.down:
            raise UserError("the dialer is not running", code="dialer-down")
        named.pop("line", None)
        with self._lock:
            found = getattr(self.world.dialer.obey, name)(*args, **named)
            if hasattr(found, "__await__"):
                found = self.world._now(found)
            self.world.advance(0.1)
        return None if found is None else json.loads(json.dumps(found))
