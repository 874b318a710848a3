"""Watching over the dialer, a child process: started, restarted after a crash, stopped, and its switch for others."""

import os
import signal
import sys
from collections.abc import Callable
from threading import Thread
from typing import Any

from twisted.internet import defer
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger

from wombat_ari.app.clock import LifeClock
from wombat_ari.app.config import Settings
from wombat_ari.app.dialer import EXIT_REFUSED
from wombat_ari.model.calls import SystemLogEntry

STOP_S = 12.0  #: the dialer stops within 10 s; what is still there then is killed
FIRST_RESTART_S, LAST_RESTART_S = 1.0, 30.0
STABLE_S = 60.0  #: a dialer that lived so long starts again at once

log = Logger()


class Watchdog(ProcessProtocol):
    """Keeps one ``wombat-ari dialer`` running: started again after a crash, with a growing pause, and said in the log.

    Twisted's ProcessMonitor restarts whatever the exit status; a dialer that was refused (wrong configuration, another
    dialer on the database) must not be started again and again, so the few lines are ours.
    """

    def __init__(self, reactor: Any, settings: Settings, tell: Callable[[SystemLogEntry], None]) -> None:
        self._reactor = reactor
        self._clock = LifeClock(reactor)
        self._settings = settings
        self._tell = tell
        self._pause = FIRST_RESTART_S
        self._born = 0.0
        self._stopping = False
        self._gone: defer.Deferred[None] | None = None
        self._again: Any = None
        self.running = False  #: whether its process is there

    def start(self) -> None:
        """Have it run from now on."""
        if self._again is not None and self._again.active():
            self._again.cancel()
        self._again = None
        self._stopping = False
        if not self.running:
            self._spawn()

    def _spawn(self) -> None:
        self._again = None
        self._born = self._clock.seconds()
        command = [sys.executable, "-m", "wombat_ari", "dialer", "--supervised"]
        environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}  # that is ours
        if self._settings.source != "the defaults":
            environment["WOMBAT_ARI_CONFIG"] = self._settings.source
        self.running = True
        # Its output is ours: one log for both. Its input is a pipe that ends with us, and then it stops.
        self._reactor.spawnProcess(self, sys.executable, command, environment, childFDs={0: "w", 1: 1, 2: 2})

    def stop(self) -> defer.Deferred[None]:
        """SIGTERM, and SIGKILL if it is still there after STOP_S."""
        self._stopping = True
        if self._again is not None:
            self._again.cancel()
            self._again = None
            return defer.succeed(None)
        if not self.running:
            return defer.succeed(None)
        if self._gone is not None:
            return _also(self._gone)
        self._gone = defer.Deferred()
        self.transport.signalProcess("TERM")
        killer = self._reactor.callLater(STOP_S, self._kill)
        return self._gone.addBoth(lambda _: killer.active() and killer.cancel())

    def processEnded(self, reason: Any) -> None:
        self.running = False
        gone, self._gone = self._gone, None
        if gone is not None:
            gone.callback(None)
        if self._stopping:
            return
        if gone is not None:  # somebody wanted it again while it was stopping
            self._spawn()
            return
        status, by_signal = reason.value.exitCode, reason.value.signal
        how = f"killed by {signal.Signals(by_signal).name}" if by_signal else f"exit status {status}"
        if status == EXIT_REFUSED:
            log.critical("the dialer refuses to start; the console stays, correct what it says and start it again")
            return
        self._crashed(how)

    def _crashed(self, how: str) -> None:
        now = self._clock.seconds()
        self._pause = FIRST_RESTART_S if now - self._born > STABLE_S else self._pause
        log.error("the dialer ended ({how}), again in {pause:g} s", how=how, pause=self._pause)
        entry = SystemLogEntry(now, "supervisor", "dialer crashed", "dialer", f"{how}, restarted in {self._pause:g} s")
        # A thread of its own: the reactor's are waited for at the end, and the database may be away.
        Thread(target=self._tell, args=(entry,), daemon=True).start()
        self._again = self._reactor.callLater(self._pause, self._spawn)
        self._pause = min(LAST_RESTART_S, self._pause * 2)

    def _kill(self) -> None:
        log.error("the dialer did not stop within {seconds:g} s: killed", seconds=STOP_S)
        self.transport.signalProcess("KILL")


class Engine:
    """Starts and stops the dialer, for web threads."""

    def __init__(self, reactor: Any, watchdog: Watchdog) -> None:
        self._reactor = reactor
        self._watchdog = watchdog

    @property
    def running(self) -> bool:
        return self._watchdog.running

    def start(self) -> None:
        self._wait_for(self._watchdog.start)

    def stop(self) -> None:
        """Returns when it has ended."""
        self._wait_for(self._watchdog.stop)

    def _wait_for(self, work: Callable[[], Any]) -> None:
        from twisted.internet.threads import blockingCallFromThread

        blockingCallFromThread(self._reactor, work)


def _also(first: defer.Deferred[None]) -> defer.Deferred[None]:
    """Another one to wait for the same."""
    second: defer.Deferred[None] = defer.Deferred()
    first.addCallback(lambda value: second.callback(value))
    return second
