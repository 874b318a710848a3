"""Keeps one AMI link up: connect, log in, ask what it is, watch that it answers, and do it again when it broke.

Rules of the place:
- Whatever happens ends in a text for people: what is wrong, with whom, and where to look.
- A PBX that accepts a connection and then says nothing is as dead as one that refuses: every step has a time-out, and
  a silent link is pinged and dropped when the ping is not answered.
- Only the link is repeated, never what was sent over it.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.task import deferLater

from wombat_ari.model.entities import Server
from wombat_ari.model.errors import PbxError, WombatError
from wombat_ari.pbx.ami import AMICommandFailure, AMIConnectionLost, AMIFactory, AMIProtocol, AMITimeout
from wombat_ari.pbx.reach import endpoint_of, in_words
from wombat_ari.wire.ami import Message

log = logging.getLogger(__name__)

#: What the dialer cannot work without, and the AMI write class that allows it.
NEEDED = {"Originate": "originate", "Hangup": "call", "Status": "call", "CoreShowChannels": "reporting"}


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Seconds. ``classes`` are the event classes asked for."""

    connect: float = 5.0
    log_in: float = 10.0  #: from the connection to the answers of the first questions
    boot: float = 10.0  #: how long FullyBooted is awaited after the log-in
    silence: float = 10.0  #: without a byte for so long: ping
    answer: float = 5.0  #: without a byte for so long after the ping: drop
    backoff_min: float = 1.0
    backoff_max: float = 30.0
    proven: float = 60.0  #: a link that was up for so long is made again at once, even if it ended in silence
    classes: str = "system,call,user,agent"


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a PBX says of itself at log-in."""

    version: str
    booted_at: float  #: epoch seconds, 0 when the login may not read the class ``system``
    commands: frozenset[str]  #: the actions this login may use


class LinkUser(Protocol):
    """Told how the link goes, on the reactor thread."""

    def link_made(self, ami: AMIProtocol) -> None:
        """The log-in is about to be sent: register for events now."""

    def link_up(self, ami: AMIProtocol, greeting: Greeting) -> None: ...

    def link_down(self, reason: str) -> None:
        """It broke, or could not be made for another reason than the last time."""


class AmiLink:
    """One link that wants to be up from ``start`` to ``stop``."""

    def __init__(
        self,
        server: Server,
        user: LinkUser,
        *,
        clock: Any,
        endpoint: Any = None,
        settings: LinkSettings = LinkSettings(),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.where = f"{server.address}:{server.port}"
        self._user = user
        self._clock = clock
        self._settings = settings
        self._chance = chance
        self._login = server.login
        self._factory = AMIFactory(server.login, server.password, plaintextLogin=server.tls, clock=clock)
        self._endpoint = endpoint or endpoint_of(server, clock, timeout=settings.connect)
        self._delay = settings.backoff_min
        self._stopping = False
        self._ami: AMIProtocol | None = None
        self._loop: Deferred[None] | None = None
        self._last_reason = ""
        self._uptime: Deferred[float] = Deferred()

    def start(self) -> None:
        if self._loop is None:
            self._stopping = False
            self._loop = Deferred.fromCoroutine(self._keep())

    def stop(self) -> "Deferred[None]":
        """Log off and close; fires when closed."""
        self._stopping = True
        done: Deferred[None] = Deferred()
        loop, self._loop = self._loop, None
        if loop is None:
            done.callback(None)
            return done
        loop.addBoth(lambda _: done.callback(None))
        if self._ami is not None:
            self._take_leave(self._ami)
        else:
            loop.cancel()
        return done

    def _take_leave(self, ami: AMIProtocol) -> None:
        # One that does not answer may not read either: what is still to be written would keep the connection open.
        ami.sendDeferred({"action": "Logoff"}, timeout=1).addCallbacks(
            lambda _: ami.transport.loseConnection(), lambda _: ami.drop(AMIConnectionLost("the dialer stops"))
        )

    # The loop

    async def _keep(self) -> None:
        while not self._stopping:
            try:
                await self._session()
            except CancelledError:
                return
            except WombatError as trouble:
                self._fell(str(trouble))
            except Exception as trouble:  # the fence: one session
                log.exception("AMI %s: the session failed", self.where)
                self._fell(f"internal error: {trouble}")
            if not self._stopping:
                await self._pause()

    async def _pause(self) -> None:
        # Shorter by chance, never longer: cut off at the longest, half of all dialers would knock at the same moment.
        delay = self._delay * (1 - 0.25 * self._chance())
        self._delay = min(self._delay * 2, self._settings.backoff_max)
        await deferLater(self._clock, delay)

    def _fell(self, reason: str) -> None:
        was_up, self._ami = self._ami is not None, None
        if self._stopping:
            log.info("AMI %s: closed", self.where)
            if was_up:
                self._user.link_down("stopped")
        elif was_up or reason != self._last_reason:
            self._last_reason = reason
            log.warning("AMI %s: %s", self.where, reason)
            self._user.link_down(reason)

    async def _session(self) -> None:
        ami = await self._connect()
        try:
            greeting = await self._greet(ami)
        except BaseException as trouble:
            ami.drop(trouble if isinstance(trouble, PbxError) else AMIConnectionLost("the dialer stops"))
            raise
        self._up(ami, greeting)
        since = self._clock.seconds()
        watch = _Watch(ami, self._clock, settings=self._settings, mute=self._mute)
        try:
            end = await ami.onClose()
        finally:
            watch.stop()
        if not isinstance(end, AMITimeout) or self._clock.seconds() - since >= self._settings.proven:
            self._delay = self._settings.backoff_min
        raise end

    def _up(self, ami: AMIProtocol, greeting: Greeting) -> None:
        self._ami = ami
        self._last_reason = ""
        log.info("AMI %s: logged in as %s, Asterisk %s", self.where, self._login, greeting.version)
        self._user.link_up(ami, greeting)

    def _mute(self, what: str) -> str:
        return f"{self.where} accepts the connection but does not answer {what}"

    async def _connect(self) -> AMIProtocol:
        try:
            ami: AMIProtocol = await self._endpoint.connect(self._factory)
        except CancelledError:
            raise
        except Exception as trouble:
            raise PbxError(in_words(trouble, self.where), code="pbx.connect") from trouble
        return ami

    # The greeting

    async def _greet(self, ami: AMIProtocol) -> Greeting:
        self._uptime = Deferred()
        ami.registerEvent("FullyBooted", self._booted)
        self._user.link_made(ami)
        limit = self._clock.callLater(self._settings.log_in, ami.drop, AMITimeout(self._mute("to the log-in")))
        try:
            version, commands = await self._ask_what_it_is(ami)
        except AMITimeout:
            raise AMITimeout(self._mute("to the log-in")) from None
        finally:
            if limit.active():
                limit.cancel()
        return Greeting(version, await self._booted_at(ami), commands)

    async def _ask_what_it_is(self, ami: AMIProtocol) -> tuple[str, frozenset[str]]:
        await self._log_in(ami)
        commands = frozenset((await ami.listCommands()).headers())
        self._check(commands)
        version = (await ami.coreSettings()).get("AsteriskVersion")
        return version.partition("+")[0].partition("~")[0], commands

    async def _log_in(self, ami: AMIProtocol) -> None:
        try:
            await ami.login(events=self._settings.classes)
        except AMICommandFailure as refusal:
            text = f"{self.where} refused the login {self._login!r} or its secret ({refusal}); see its manager.conf"
            raise PbxError(text, code="pbx.login") from None

    def _check(self, commands: frozenset[str]) -> None:
        missing = {action: right for action, right in NEEDED.items() if action not in commands}
        if missing:
            rights, actions = ", ".join(sorted(set(missing.values()))), ", ".join(missing)
            text = f"the AMI login {self._login!r} at {self.where} may not use {actions}: give it write = {rights}"
            raise PbxError(text, code="pbx.privilege")

    def _booted(self, ami: AMIProtocol, message: Message) -> None:
        if not self._uptime.called:
            self._uptime.callback(float(message.get("Uptime") or 0))

    async def _booted_at(self, ami: AMIProtocol) -> float:
        waiting = self._uptime
        if not waiting.called:
            waiting.addTimeout(self._settings.boot, self._clock)
        try:
            # Uptime is in whole seconds, cut off: one less, so that a call of the first second is not taken for older.
            return float(self._clock.seconds() - await waiting) - 1
        except TimeoutError:
            if not ami.connected:
                raise await ami.onClose() from None
            log.warning("AMI %s: no FullyBooted: give %s read = system, or it is not booted", self.where, self._login)
            return 0.0


class _Watch:
    """Pings a silent link and drops it when nothing comes back."""

    def __init__(self, ami: AMIProtocol, clock: Any, *, settings: LinkSettings, mute: Callable[[str], str]) -> None:
        self._ami = ami
        self._clock = clock
        self._settings = settings
        self._mute = mute
        self._timer = clock.callLater(settings.silence, self._look)

    def stop(self) -> None:
        if self._timer.active():
            self._timer.cancel()

    def _look(self) -> None:
        idle = self._clock.seconds() - self._ami.lastReceived
        limit = self._settings.silence + self._settings.answer
        if idle >= limit:
            self._ami.drop(AMITimeout(self._mute(f"(silent for {idle:.0f} s)")))
            return
        if idle >= self._settings.silence:
            self._ami.ping().addErrback(lambda _: None)
            self._timer = self._clock.callLater(limit - idle, self._look)
        else:
            self._timer = self._clock.callLater(self._settings.silence - idle, self._look)
