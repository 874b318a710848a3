"""The dialer's FastAGI port: the verbs and flows, and who may connect, which follows the configured servers."""

from ipaddress import ip_network
from typing import Any

from twisted.internet import defer, task
from twisted.internet.error import CannotListenError, DNSLookupError
from twisted.logger import Logger
from twisted.python.failure import Failure

from wombat_ari.app.config import Settings
from wombat_ari.app.flow_desk import FlowDesk
from wombat_ari.bridge.desk import Desk
from wombat_ari.engine.follow import Follow
from wombat_ari.model.errors import WombatError
from wombat_ari.pbx.allowed import LOCAL, Allowed
from wombat_ari.pbx.fastagi_verbs import verb_factory
from wombat_ari.pbx.prompt import PromptPort

RENEW_S = 5.0  #: how often the servers' addresses are looked up
NAME_S = 60.0  #: how long an address of a name is believed
BACKLOG = 1024  #: connections that wait to be taken

log = Logger()


class DialplanPort:
    """Opened by ``open``; ``allowed`` is renewed as long as it is open."""

    def __init__(self, reactor: Any, settings: Settings, *, desk: Desk, follow: Follow, flows: FlowDesk) -> None:
        self._reactor = reactor
        self._settings = settings
        self._desk = desk
        self.allowed = Allowed(LOCAL)
        self._names: dict[str, tuple[str, float]] = {}  #: name -> its address, empty: unknown; and when that was asked
        self._factory = verb_factory(
            follow.on_event,
            add_call=flows.add_call,
            run_flow=flows.run_agi,
            allow=self.allowed,
            clock=reactor,
            max_sessions=settings["fastagi.sessions"],
        )
        self._port: Any = None
        self._renewing = task.LoopingCall(self._renew_fenced)
        self._renewing.clock = reactor

    async def open(self) -> None:
        """WombatError: the port is taken."""
        await self._renew()
        address, port = self._settings["fastagi.address"], self._settings["fastagi.port"]
        self._port = PromptPort(port, self._factory, BACKLOG, address, self._reactor)
        try:
            self._port.startListening()
        except CannotListenError as error:
            self._port = None
            raise WombatError(
                f"FastAGI cannot listen on {address}:{port}: {error.socketError.strerror}; end what uses it or set"
                " fastagi.port"
            ) from None
        self._renewing.start(RENEW_S, now=False)

    async def close(self) -> None:
        if self._renewing.running:
            self._renewing.stop()
        if self._port is not None:
            await defer.maybeDeferred(self._port.stopListening)

    async def _renew(self) -> None:
        """Who may connect: this machine, the PBXs, and whom the settings name."""
        named = {*await self._desk.server_addresses(), *self._settings["fastagi.allow"]}
        networks = [*LOCAL]
        for name in sorted(named):
            networks += [network] if (network := await self._network_of(name)) else []
        if self.allowed.replace(networks):
            log.info("FastAGI: who may connect: {networks}", networks=" ".join(networks))
        self._names = {name: known for name, known in self._names.items() if name in named}

    async def _network_of(self, name: str) -> str:
        """The name itself if it is an address or a network; else the address it has now; empty: none."""
        try:
            return str(ip_network(name, strict=False))
        except ValueError:
            pass
        address, asked_at = self._names.get(name, ("", float("-inf")))
        now = self._reactor.seconds()
        if now - asked_at < NAME_S:
            return address
        try:
            found = str(await self._reactor.resolve(name, timeout=(1, 2)))
        except (DNSLookupError, defer.TimeoutError):
            found = address  # a name server that is away takes nobody's right
            if not address:
                log.warn("FastAGI: the name {name} is not known, it may not connect", name=name)
        self._names[name] = (found, now)
        return found

    def _renew_fenced(self) -> "defer.Deferred[None]":
        return defer.Deferred.fromCoroutine(self._renew()).addErrback(self._not_renewed)

    def _not_renewed(self, failure: Failure) -> None:
        # The database may be away: those who may connect still may.
        if failure.check(WombatError) is None:
            log.failure("FastAGI: the list of who may connect was not renewed", failure=failure)
