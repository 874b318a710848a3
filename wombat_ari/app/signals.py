"""SIGTERM and SIGINT end a process once: Ctrl-C reaches a process and its child, and the child is then told again."""

import signal
from typing import Any


def stop_on_signals(reactor: Any) -> None:
    """To be called when the reactor runs (it sets handlers of its own before)."""
    stopping = False

    def stop() -> None:
        nonlocal stopping
        if not stopping:
            stopping = True
            reactor.stop()

    def heard(number: int, frame: object) -> None:
        reactor.callFromThread(stop)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, heard)
