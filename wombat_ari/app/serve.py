"""The supervisor: the console and API in this process, the dialer as a child that is watched and restarted.

They are apart because web threads that serialise JSON would delay the dialer's reactor. The console is a plug-in, found
by the entry point ``wombat_ari.web``: this package does not import it.
"""

import os
import signal
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from threading import Thread
from typing import Any

from twisted.internet import defer
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from twisted.web.server import Site
from twisted.web.wsgi import WSGIResource

from wombat_ari.app.clock import LifeClock
from wombat_ari.app.config import Settings
from wombat_ari.app.control import ControlClient
from wombat_ari.app.dialer import EXIT_REFUSED
from wombat_ari.app.signals import stop_on_signals
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.model.errors import WombatError

WEB_THREADS = 8
LOOPBACK = ("127.0.0.1", "::1", "localhost")
WEB_STOP_S = 5.0  #: requests under way may take so long
STOP_S = 12.0  #: the dialer stops within 10 s; what is still there then is killed
FIRST_RESTART_S, LAST_RESTART_S = 1.0, 30.0
STABLE_S = 60.0  #: a dialer that lived so long starts again at once

log = Logger()


def run(settings: Settings, *, web: bool = True, dialer: bool = True) -> int:
    """Run until SIGTERM or SIGINT. Answers the exit status."""
    from twisted.internet import reactor

    supervisor = Supervisor(reactor, settings, web=web, dialer=dialer)
    reactor.callWhenRunning(stop_on_signals, reactor)
    reactor.callWhenRunning(supervisor.begin)
    reactor.addSystemEventTrigger("before", "shutdown", supervisor.end)
    reactor.run()
    if supervisor.hangs:
        os._exit(supervisor.status)  # Python would wait for its threads
    return supervisor.status


class Supervisor:
    """What ``serve`` runs."""

    def __init__(self, reactor: Any, settings: Settings, *, web: bool, dialer: bool) -> None:
        self._reactor = reactor
        self._settings = settings
        self._with_web = web
        self._with_dialer = dialer and settings["dialer.autostart"] and not settings.do_not_start.exists()
        self._threads: ThreadPool | None = None
        self._watchdog: Watchdog | None = None
        self._port: Any = None
        self.status = 0
        self.hangs = False  #: a thread may wait for a database that does not answer

    def begin(self) -> None:
        try:
            self._begin()
        except WombatError as error:
            log.critical("cannot start: {error}", error=error)
            # A database may come back: worth trying again (systemd does). A wrong setting is not.
            self.status = 1 if getattr(error, "transient", False) else EXIT_REFUSED
            self._reactor.stop()

    def end(self) -> defer.Deferred[Any]:
        dialer = self._watchdog.stop() if self._watchdog else defer.succeed(None)
        return defer.DeferredList([dialer, self._end_web()])

    def _begin(self) -> None:
        from wombat_ari.app.stage import open_stage

        database = open_stage(self._settings)
        if self._with_web:
            self._start_web(database)
        if self._with_dialer:
            self._watchdog = Watchdog(self._reactor, self._settings, lambda entry: _write_log(database, entry))
            self._watchdog.start()
        elif not self._with_web:
            raise WombatError(
                f"nothing to run: the dialer is not to start by itself (see {self._settings.do_not_start})"
            )

    def _start_web(self, database: Any) -> None:
        control = ControlClient(self._reactor, self._settings.control_socket)
        app = _web_plugin()(settings=self._settings, database=database, ask=BlockingControl(self._reactor, control))
        self._threads = ThreadPool(0, WEB_THREADS, name="web")
        self._threads.start()
        site = Site(WSGIResource(self._reactor, self._threads, app))
        site.noisy = False
        address, port = self._settings["console.address"], self._settings["console.port"]
        if address not in LOOPBACK:
            raise WombatError(
                f"console.address is {address}: there is no log-on yet, so the console is offered on"
                f" {' or '.join(LOOPBACK)} only; put a proxy that asks for a password before it"
            )
        try:
            self._port = self._reactor.listenTCP(port, site, interface=address)
        except CannotListenError as error:
            raise WombatError(
                f"the console cannot listen on {address}:{port}: {error.socketError.strerror}; end what uses it or set"
                " console.port"
            ) from None
        log.info("console at http://{address}:{port}/", address=address, port=self._port.getHost().port)

    def _end_web(self) -> defer.Deferred[Any]:
        closed = defer.maybeDeferred(self._port.stopListening) if self._port else defer.succeed(None)
        return closed.addBoth(lambda _: self._end_threads())

    def _end_threads(self) -> defer.Deferred[Any] | None:
        """The reactor does not wait: a request under way may want an answer of it, or of a database that is away."""
        threads = self._threads
        if threads is None:
            return None
        ended: defer.Deferred[Any] = defer.Deferred()

        def wait() -> None:
            threads.stop()
            self._reactor.callFromThread(ended.callback, None)

        Thread(target=wait, daemon=True).start()
        return ended.addTimeout(WEB_STOP_S, self._reactor).addErrback(self._threads_hang)

    def _threads_hang(self, failure: Failure) -> None:
        log.warn("requests under way are cut off")
        self.hangs = True


class BlockingControl:
    """The control client for web threads: each call waits for the reactor's answer."""

    def __init__(self, reactor: Any, client: ControlClient) -> None:
        self._reactor = reactor
        self._client = client

    def snapshot(self, *, calls: bool = True) -> dict[str, Any]:
        """The dialer's picture of now; UserError when no dialer runs."""
        from twisted.internet.threads import blockingCallFromThread

        def ask() -> defer.Deferred[dict[str, Any]]:
            return defer.Deferred.fromCoroutine(self._client.snapshot(calls=calls))

        return blockingCallFromThread(self._reactor, ask)


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

    def start(self) -> None:
        self._again = None
        self._born = self._clock.seconds()
        command = [sys.executable, "-m", "wombat_ari", "dialer", "--supervised"]
        environment = dict(os.environ)
        if self._settings.source != "the defaults":
            environment["WOMBAT_ARI_CONFIG"] = self._settings.source
        # Its output is ours: one log for both. Its input is a pipe that ends with us, and then it stops.
        self._reactor.spawnProcess(self, sys.executable, command, environment, childFDs={0: "w", 1: 1, 2: 2})

    def stop(self) -> defer.Deferred[None]:
        """SIGTERM, and SIGKILL if it is still there after STOP_S."""
        self._stopping = True
        if self._again is not None:
            self._again.cancel()
            return defer.succeed(None)
        if self.transport is None or self.transport.pid is None:
            return defer.succeed(None)
        self._gone = defer.Deferred()
        self.transport.signalProcess("TERM")
        killer = self._reactor.callLater(STOP_S, self._kill)
        return self._gone.addBoth(lambda _: killer.active() and killer.cancel())

    def processEnded(self, reason: Any) -> None:
        if self._stopping:
            if self._gone is not None:
                self._gone.callback(None)
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
        self._again = self._reactor.callLater(self._pause, self.start)
        self._pause = min(LAST_RESTART_S, self._pause * 2)

    def _kill(self) -> None:
        log.error("the dialer did not stop within {seconds:g} s: killed", seconds=STOP_S)
        self.transport.signalProcess("KILL")


def _web_plugin() -> Callable[..., Any]:
    """The console's factory, by its entry point."""
    found = list(entry_points(group="wombat_ari.web"))
    if not found:
        raise WombatError("the console is not installed: reinstall wombat-ari")
    return found[0].load()


def _write_log(database: Any, entry: SystemLogEntry) -> None:
    from wombat_ari.store import journal

    try:
        journal.write(database, [entry])
    except WombatError as error:
        log.error("the system log was not written: {error}", error=error)
