"""The supervisor: the console and API in this process, the dialer as a child that is watched and restarted.

They are apart because web threads that serialise JSON would delay the dialer's reactor. The console is a plug-in, found
by the entry point ``wombat_ari.web``: this package does not import it.
"""

import gc
import os
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from threading import Thread
from typing import Any

from twisted.internet import defer
from twisted.internet.error import CannotListenError
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from twisted.web.server import Site
from twisted.web.wsgi import WSGIResource

from wombat_ari.app import room
from wombat_ari.app.blocking import BlockingControl
from wombat_ari.app.channel import Channel
from wombat_ari.app.config import Settings
from wombat_ari.app.control import ControlClient
from wombat_ari.app.dialer import EXIT_REFUSED
from wombat_ari.app.pacing import PacedRequest, paced
from wombat_ari.app.signals import stop_on_signals
from wombat_ari.app.systemd import tell_systemd
from wombat_ari.app.watchdog import Engine, Watchdog
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.model.errors import UserError, WombatError
from wombat_ari.pbx.prompt import AtOncePort

WEB_THREADS = 8
SWITCH_S = 0.001  #: a web thread at work lets the reactor go on after so long
LOOPBACK = ("127.0.0.1", "::1", "localhost")
MAX_BODY = 512 << 20  #: bytes of a request; a million numbers with attributes have some 50 MB
WEB_STOP_S = 5.0  #: requests under way may take so long

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
        self._watches = dialer
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
        tell_systemd("STOPPING=1")
        dialer = self._watchdog.stop() if self._watchdog else defer.succeed(None)
        return defer.DeferredList([dialer, self._end_web()])

    def _begin(self) -> None:
        from wombat_ari.app.stage import open_stage

        database = open_stage(self._settings)
        if self._watches:
            self._watchdog = Watchdog(self._reactor, self._settings, lambda entry: _write_log(database, entry))
        if self._with_web:
            self._start_web(database)
            # As in the dialer: what is here now stays, the garbage collector need not look through it again. What else
            # there is is little, and looked through in a moment: when that was seldom (10, 10), what requests leave in
            # circles made the process grow by 0.8 KB with each refresh of the live page.
            gc.freeze()
            gc.set_threshold(5000, 5, 2)
        if self._with_dialer and self._watchdog is not None:
            self._watchdog.start()
        elif not self._with_web:
            raise WombatError(
                f"nothing to run: the dialer is not to start by itself (see {self._settings.do_not_start})"
            )
        tell_systemd("READY=1")

    def _start_web(self, database: Any) -> None:
        control = ControlClient(self._reactor, self._settings.control_socket)
        app = _web_plugin()(
            settings=self._settings,
            database=database,
            ask=BlockingControl(self._reactor, control),
            engine=Engine(self._reactor, self._watchdog) if self._watchdog else None,
        )
        sys.setswitchinterval(SWITCH_S)
        self._threads = ThreadPool(0, WEB_THREADS, name="web")
        self._threads.start()
        # Forms are read by the application: here they would be held in memory, whatever their size, by the reactor.
        root: Any = WSGIResource(self._reactor, self._threads, paced(app))
        before = getattr(app, "extensions", {}).get("wombat_front")  # what is answered without a thread
        if before is not None:
            root = before(root, reactor=self._reactor, threads=self._threads, control=control)
        site = Quiet(root, Bounded, parsePOSTFormSubmission=False)
        site.noisy = False
        site.admit = getattr(root, "admit", None)  # who may send a long body
        site.take_whole = getattr(root, "take_whole", None)  # who answers small requests
        address, port = self._settings["console.address"], self._settings["console.port"]
        tls = tls_of(self._settings)
        try:
            if tls is None:
                self._port = AtOncePort(port, site, interface=address, reactor=self._reactor)
                self._port.startListening()
            else:
                self._port = self._reactor.listenSSL(port, site, tls, interface=address)
        except CannotListenError as error:
            raise WombatError(
                f"the console cannot listen on {address}:{port}: {error.socketError.strerror}; end what uses it or set"
                " console.port"
            ) from None
        scheme, at = "https" if tls else "http", self._port.getHost().port
        log.info("console and API at {scheme}://{address}:{port}/", scheme=scheme, address=address, port=at)

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


class Quiet(Site):
    """Without a line in the log for each request, which would be spelled whether it is read or not."""

    protocol = Channel

    def log(self, request: Any) -> None:
        pass


class Bounded(PacedRequest):
    """A request whose body is kept on disk while it comes, up to ``MAX_BODY``; a larger one is cut off, and so is one
    for which there is no room beside those of others."""

    _share: room.Share | None = None

    def gotLength(self, length: int | None) -> None:
        self._cut_off = length is not None and length > MAX_BODY
        super().gotLength(0 if self._cut_off else length)
        if self._cut_off:
            self._refuse(b"413 Content Too Large", f"more than {MAX_BODY} bytes")

    def process(self) -> None:
        """Of a body that came in chunks the application learns the length here: it could not know where it ends."""
        if not self.requestHeaders.hasHeader(b"content-length") and self.content is not None:
            length = self.content.seek(0, os.SEEK_END)
            self.content.seek(0)
            if length:
                self.requestHeaders.setRawHeaders(b"content-length", [b"%d" % length])
                self.requestHeaders.removeHeader(b"transfer-encoding")
        super().process()

    def handleContentChunk(self, data: bytes) -> None:
        if self._cut_off:
            return
        if self.content.tell() + len(data) > MAX_BODY:
            self._refuse(b"413 Content Too Large", f"more than {MAX_BODY} bytes")
            return
        try:
            self._share = self._share or room.COMING.take(0)
            self._share.more(len(data))
        except UserError as full:
            self._refuse(b"503 Service Unavailable", str(full))
            return
        super().handleContentChunk(data)

    def finish(self) -> None:
        super().finish()
        self._give_back()

    def connectionLost(self, reason: Failure) -> None:
        super().connectionLost(reason)
        self._give_back()

    def _give_back(self) -> None:
        if self._share is not None:
            self._share.give_back()

    def _refuse(self, status: bytes, why: str) -> None:
        self._cut_off = True
        log.warn("a request from {address} is cut off: {why}", address=self.getClientAddress().host, why=why)
        self.channel.refuse(status)


def tls_of(settings: Settings) -> Any:
    """What TLS needs, None without. WombatError when passwords would be readable on the way and nobody said so."""
    certificate = settings["console.certificate"]
    if not certificate:
        address = settings["console.address"]
        if address not in LOOPBACK and not settings["console.plain_http"]:
            raise WombatError(
                f"console.address is {address}: passwords and tokens would go there unencrypted; set"
                " console.certificate, or put a proxy with TLS before it, or (in a network that you trust)"
                " console.plain_http = true"
            )
        return None
    from twisted.internet.ssl import DefaultOpenSSLContextFactory

    key = settings["console.private_key"] or certificate
    for file in (certificate, key):
        try:
            Path(file).read_bytes()
        except OSError as error:
            raise WombatError(f"console.certificate: cannot read {file}: {error.strerror}") from None
    try:
        return DefaultOpenSSLContextFactory(key, certificate)
    except Exception as error:  # noqa: BLE001 - fence: whatever OpenSSL says of a file means one thing here
        raise WombatError(f"console.certificate {certificate}, private key {key}: cannot be used: {error}") from None


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
