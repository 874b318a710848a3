"""The dialer's process: database, engine, FastAGI and control socket on one asyncio reactor, until a signal.

The asyncio reactor is chosen so that an asyncio library (ARI's) can live on it. Call ``run`` before anything else has
installed a reactor.
"""

import gc
import os
import resource
from pathlib import Path
from typing import Any

from twisted.internet import asyncioreactor, defer, task
from twisted.internet.error import CannotListenError
from twisted.logger import Logger
from twisted.python.failure import Failure

from wombat_ari import __version__
from wombat_ari.app.clock import LifeClock
from wombat_ari.app.config import Settings
from wombat_ari.app.signals import stop_on_signals
from wombat_ari.app.systemd import tell_systemd
from wombat_ari.bridge.desk import Desk
from wombat_ari.bridge.journal import Journal
from wombat_ari.bridge.pool import ThreadedPool
from wombat_ari.model.errors import StoreError, WombatError

STOP_S = 8.0  #: what a stop waits for; it is to be through within 10 s
LEASE_S = 5.0  #: how often the lease on the database is renewed
EXIT_REFUSED = 2  #: a mistake that a restart does not mend: the supervisor does not try again

log = Logger()


def run(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT. Answers the exit status."""
    # A FastAGI session is a descriptor; who starts us often gives 1,024 and allows many more.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncioreactor.install()
    from twisted.internet import reactor

    process = DialerProcess(reactor, settings)
    reactor.callWhenRunning(stop_on_signals, reactor)
    reactor.callWhenRunning(process.begin)
    reactor.addSystemEventTrigger("before", "shutdown", process.end)
    reactor.run()
    if process.hangs:
        os._exit(process.status or 1)  # Python would wait for its threads
    return process.status


class DialerProcess:
    """Everything that lives as long as the process, opened in order and closed in reverse."""

    def __init__(self, reactor: Any, settings: Settings) -> None:
        self._reactor = reactor
        self._settings = settings
        self._clock = LifeClock(reactor)
        self._pool: ThreadedPool | None = None
        self._desk: Desk | None = None
        self._journal: Journal | None = None
        self._dialer: Any = None
        self._courier: Any = None
        self._flows: Any = None
        self._dialplan: Any = None
        self._ports: list[Any] = []
        self._lease = task.LoopingCall(self._renew)
        self.status = 0
        self.hangs = False  #: a thread may wait for a database that does not answer

    def begin(self) -> defer.Deferred[None]:
        return defer.Deferred.fromCoroutine(self._begin()).addErrback(self._failed)

    def end(self) -> defer.Deferred[None]:
        return defer.Deferred.fromCoroutine(self._end()).addTimeout(STOP_S, self._reactor).addErrback(self._not_ended)

    async def _begin(self) -> None:
        # Imported here: a wrong command line or --help must not wait for the whole dialer to be imported.
        from wombat_ari.app.stage import open_stage

        settings = self._settings
        settings.make_state_folder()
        self._pool = ThreadedPool(self._reactor)
        database = await self._pool.write(open_stage, settings)
        self._desk = Desk(self._pool, database)
        await self._take_lease()
        self._journal = Journal(self._clock, self._desk.write_journal, settings["dialer.journal_limit"])
        await self._start(self._journal)
        # What is here now stays: the garbage collector need not look through it again and again for each few calls.
        gc.freeze()
        # Nor through all calls that live, except seldom: it takes 0.1 s for 20,000, and they are freed without it.
        gc.set_threshold(700, 10, 100)
        log.info("dialer READY, process {pid}", pid=os.getpid())
        tell_systemd("READY=1")

    async def _start(self, journal: Journal) -> None:
        from wombat_ari.app.ari import ari_maker
        from wombat_ari.app.control_server import ControlFactory
        from wombat_ari.app.fastagi import DialplanPort
        from wombat_ari.app.flow_desk import FlowDesk
        from wombat_ari.app.outside import complaint, limits_of, mail_server_of
        from wombat_ari.engine.dialer import Dialer
        from wombat_ari.notify.courier import Courier
        from wombat_ari.pbx.ami_driver import AmiDriver

        assert self._desk is not None
        if trouble := complaint(self._settings, await self._desk.campaigns_with_mail()):
            log.warn("{trouble}", trouble=trouble)
        self._courier = Courier(
            self._reactor, wall=self._clock.wall, mail=mail_server_of(self._settings),
            private=self._settings["notify.private_addresses"],
        )  # fmt: skip
        self._dialer = Dialer(
            self._clock,
            self._desk,
            journal,
            lambda server: AmiDriver(server, clock=self._reactor),
            version=__version__,
            send=self._courier.send,
            deliver=limits_of(self._settings),
            zone=self._settings.time_zone,
            wall=self._clock.wall,
            make_ari=ari_maker(
                await self._desk.series(now=self._clock.seconds()),
                lambda name, line, call, number: self._flows.run(name, line, call, number=number),
            ),
        )
        self._dialer.follow.trace = self._settings["log.level"] == "debug"
        self._flows = FlowDesk(self._reactor, self._settings, dialer=self._dialer, clock=self._clock)
        self._flows.start()
        await self._dialer.start()
        self._dialplan = DialplanPort(
            self._reactor, self._settings, desk=self._desk, follow=self._dialer.follow, flows=self._flows
        )
        await self._dialplan.open()
        self._ports.append(
            _listen_unix(self._reactor, self._settings.control_socket, ControlFactory(self._dialer.obey))
        )

    async def _take_lease(self) -> None:
        assert self._desk is not None
        node, holder = self._settings.node, await self._desk.lease_holder()
        if holder is not None and holder.node == node and not _is_alive(holder.pid):
            log.warn("taking over from process {pid}, which has died", pid=holder.pid)
            await self._desk.release_lease(node, holder.pid)
        await self._desk.acquire_lease(node, os.getpid(), now=self._clock.seconds())
        self._lease.start(LEASE_S, now=False)

    def _renew(self) -> defer.Deferred[None]:
        assert self._desk is not None
        self._clock.settle()
        renewal = self._desk.renew_lease(self._settings.node, os.getpid(), now=self._clock.seconds())
        return renewal.addErrback(self._not_renewed)

    def _not_renewed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, WombatError) and not getattr(error, "transient", False):
            log.critical("another dialer took this database over: {error}; stopping", error=error)
            self.status = EXIT_REFUSED
            self._reactor.stop()
        else:
            log.warn("the lease could not be renewed: {error}", error=error)

    async def _end(self) -> None:
        tell_systemd("STOPPING=1")
        if self._lease.running:
            self._lease.stop()
        if self._dialplan is not None:
            await self._dialplan.close()
        for port in self._ports:
            await defer.maybeDeferred(port.stopListening)
        if self._flows is not None:
            await self._flows.stop()
        if self._dialer is not None:
            await self._dialer.stop()
        if self._courier is not None:
            await self._courier.close()
        if self._desk is not None:
            await self._desk.release_lease(self._settings.node, os.getpid())
        if self._desk is None:
            self.hangs = True  # the database was not opened yet: a thread may still try
        elif self._pool is not None:
            self._pool.stop()
        log.info("dialer stopped")

    def _not_ended(self, failure: Failure) -> None:
        self.hangs = True
        if failure.check(defer.TimeoutError, StoreError) is None:
            log.failure("stopping: a mistake of ours", failure=failure)
            return
        waiting = self._journal.waiting if self._journal else 0
        log.error(
            "stopped without the database: {waiting} results are not written; the next start finds out what became of"
            " their calls",
            waiting=waiting,
        )

    def _failed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, WombatError):
            log.critical("the dialer cannot start: {error}", error=error)
            # Another dialer may go, a database may come back: worth trying again. A wrong setting is not.
            passing = getattr(error, "transient", False) or error.code == "lease"
            self.status = 1 if passing else EXIT_REFUSED
        else:
            log.failure("the dialer cannot start: a mistake of ours", failure=failure)
            self.status = 1
        self._reactor.stop()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _listen_unix(reactor: Any, path: Path, factory: Any) -> Any:
    """Listen on a UNIX socket; one that a dead process left is removed (the lease excludes a living one)."""
    path.unlink(missing_ok=True)
    try:
        return reactor.listenUNIX(str(path), factory, mode=0o600)
    except (CannotListenError, OSError) as error:
        raise WombatError(f"cannot open the control socket {path}: {error}; choose a shorter state.folder") from None
