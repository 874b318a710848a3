"""Where ARI is tested: our application on a real Asterisk, or on a fake one, on an asyncio loop of the test's own."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from wombat_ari.model.entities import Server
from wombat_ari.model.ids import channel_id
from wombat_ari.model.secret import Secret
from wombat_ari.pbx.ari import AriSettings, Event
from wombat_ari.pbx.ari_app import AriApp

QUICK = AriSettings(answer=1.0, silence=1.0, backoff_min=0.05, backoff_max=0.2)
_calls = itertools.count(random.SystemRandom().randrange(2**51))


def next_call() -> int:
    """A WOMBATID that nobody has had."""
    return next(_calls)


def server_of(url: str, password: str, user: str = "wombat") -> Server:
    return Server(1, "pbx", ari_url=url, ari_user=user, ari_password=Secret(password))


class Stage:
    """One application with all that it told and heard."""

    def __init__(self, server: Server, *, app: str = "", settings: AriSettings = QUICK) -> None:
        self.app = AriApp(server, app or f"wombat-{next_call() % 10**6}", settings=settings)
        self.told: list[Any] = []
        self.events: list[Event] = []
        self.went_down: list[str] = []
        hear, down = self.app.hear, self.app.ari_down
        self.app.hear = lambda event: (self.events.append(event), hear(event))[1]  # type: ignore[method-assign]
        self.app.ari_down = lambda why: (self.went_down.append(why), down(why))[1]  # type: ignore[method-assign]

    async def __aenter__(self) -> Stage:
        self.app.start(self.told.append)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.app.link.stop()

    async def up(self) -> Stage:
        await self.until(lambda: self.app.connected, "connected")
        return self

    async def until(self, condition: Callable[[], Any], what: str = "", limit: float = 10) -> Any:
        end = time.monotonic() + limit
        while not (found := condition()):
            if time.monotonic() > end:
                kinds = [each["type"] for each in self.events if each["type"] != "ChannelDialplan"]
                pytest.fail(f"did not come true: {what}; {self.app.last_error=}; told {self.told}; events {kinds}")
            await asyncio.sleep(0.01)
        return found

    async def ask(self, about: str, operation: str, **arguments: Any) -> Any:
        return await self.app.link.ask(about, operation, **arguments)

    async def call(self, number: str, arguments: str, **variables: str) -> int:
        """A call that comes to the application when it is answered: to a number of the simulated network, or to an
        extension of another context.
        """
        call, place = next_call(), number if "@" in number else f"{number}@simulated-network"
        await self.ask(
            "channels", "originateWithId", channelId=channel_id(call), otherChannelId=f"wbo-{call:016}",
            endpoint=f"Local/{place}/n", app=self.app.app, appArgs=arguments, timeout=20,
            variables={"WOMBATID": str(call), **variables},
        )  # fmt: skip
        return call


def play(story: Coroutine[Any, Any, None]) -> None:
    """Run a story to its end."""

    async def limited() -> None:
        async with asyncio.timeout(60):
            await story

    asyncio.run(limited())


async def done(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine of Twisted's side answers."""
    return await Deferred.fromCoroutine(coroutine).asFuture(asyncio.get_running_loop())
