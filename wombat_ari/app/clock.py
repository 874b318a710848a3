"""The clock of a process: epoch seconds that never go back, and the reactor's timers."""

import time
from collections.abc import Callable
from typing import Any


class LifeClock:
    """Wall time at start plus what the monotonic clock counted since: NTP steps do not bend waits and talk times.

    A slow drift against the wall (or a step) is taken over gently at each ``settle``, forwards only.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._offset = time.time() - time.monotonic()

    def seconds(self) -> float:
        return time.monotonic() + self._offset

    def wall(self) -> float:
        """The machine's clock as it is set now: it may have been put back. For what people agree on by their clocks."""
        return time.time()

    def settle(self) -> None:
        """Follow the wall clock forwards: it was set, or the machine slept. Going back is left to its drift."""
        ahead = time.time() - self.seconds()
        if ahead > 0:
            self._offset += ahead

    def callLater(self, delay: float, callable: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self._reactor.callLater(delay, callable, *args, **kwargs)
