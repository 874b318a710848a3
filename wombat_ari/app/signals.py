"""SIGTERM and SIGINT end a process once: Ctrl-C reaches a process and its child, and the child is then told again.

A child ends with its parent, too: a dialer whose supervisor was killed would go on dialling, watched by nobody.
"""

import os
import signal
import threading
from contextlib import suppress
from typing import Any

from twisted.internet.error import ReactorNotRunning


def stop_on_signals(reactor: Any) -> None:
    """To be called when the reactor runs (it sets handlers of its own before)."""
    stopping = False

    def stop() -> None:
        nonlocal stopping
        if not stopping:
            stopping = True
            with suppress(ReactorNotRunning):  # it stops by itself already: it could not start
                reactor.stop()

    def heard(number: int, frame: object) -> None:
        reactor.callFromThread(stop)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, heard)


def stop_with_parent() -> None:
    """Standard input is a pipe that the parent holds open: when it ends, so does this process, in order."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()
