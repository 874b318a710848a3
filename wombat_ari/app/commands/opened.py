"""What commands need to go through ``app/service``: who runs them, the database, and a dialer to ask.

Services block, the control client needs a reactor. So a command that asks the dialer is a coroutine on a reactor of its
own, and each service that it calls runs in a thread. The threads do not keep the process alive: Ctrl-C ends it at once.
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable, Coroutine
from threading import Thread
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from wombat_ari.app.cli import settings_of
from wombat_ari.app.commands.reacting import react
from wombat_ari.app.service.caller import Caller, machine_caller

if TYPE_CHECKING:
    from wombat_ari.app.service.asks import Asks, Picture
    from wombat_ari.store.database import Database

Given = ParamSpec("Given")
Result = TypeVar("Result")


def opened(ctx: click.Context) -> tuple[Caller, Database]:
    """Who runs the command, and the database."""
    from wombat_ari.app.stage import open_stage

    return operator(), open_stage(settings_of(ctx))


def operator() -> Caller:
    """Who runs the command: may do everything."""
    try:
        login = getpass.getuser()
    except (OSError, KeyError):
        login = "cli"  # a user without a name
    return machine_caller(login, at=time.time())


def with_dialer(
    ctx: click.Context, work: Callable[[Beside], Coroutine[Any, Any, Result]], *, database: Database | None = None
) -> Result:
    """Run a coroutine beside a running dialer; a user's mistake is raised again here."""
    settings = settings_of(ctx)

    async def whole(reactor: Any) -> Result:
        from wombat_ari.app.blocking import BlockingControl
        from wombat_ari.app.control import ControlClient
        from wombat_ari.app.stage import open_beside

        client = ControlClient(reactor, settings.control_socket)
        try:
            asks = BlockingControl(reactor, client)
            return await work(Beside(reactor, database or open_beside(settings), asks))
        finally:
            client.close()

    return react(whole)


class Beside:
    """The operator beside a running dialer: asks services, each in a thread."""

    def __init__(self, reactor: Any, database: Database, ask: Asks) -> None:
        self._reactor = reactor
        self._caller = operator()
        self._db = database
        self._ask = ask

    async def act(
        self, service: Callable[Concatenate[Caller, Database, Asks, Given], Result],
        *given: Given.args, **options: Given.kwargs,
    ) -> Result:  # fmt: skip
        """A service that asks the dialer: its answer, or its error raised here."""
        return await self._in_thread(lambda: service(self._caller, self._db, self._ask, *given, **options))

    async def read(
        self, service: Callable[Concatenate[Caller, Database, Given], Result],
        *given: Given.args, **options: Given.kwargs,
    ) -> Result:  # fmt: skip
        """A service that asks the database only."""
        return await self._in_thread(lambda: service(self._caller, self._db, *given, **options))

    async def picture(self, *, calls: bool = True) -> Picture:
        """Of now: see ``service/runs``."""
        from wombat_ari.app.service import runs

        return await self._in_thread(lambda: runs.picture(self._caller, self._ask, calls=calls))

    async def wait(self, seconds: float) -> None:
        from twisted.internet.task import deferLater

        await deferLater(self._reactor, seconds, lambda: None)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        from twisted.internet.defer import Deferred
        from twisted.python.failure import Failure

        answer: Deferred[Result] = Deferred()

        def run() -> None:
            try:
                done = answer.callback, work()
            except BaseException:  # noqa: BLE001 - fence: raised again where it is awaited
                done = answer.errback, Failure()
            finally:
                self._db.close()
            self._reactor.callFromThread(*done)

        Thread(target=run, daemon=True).start()
        return await answer
