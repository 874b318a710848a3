"""FastAGI on the reactor: a server in starpy's vocabulary. What the dialer's own verbs do is in ``fastagi_verbs``.

Rules of the place:
- Only addresses on the allow list are spoken to. Lines, their number and every wait are bounded.
- ``HANGUP`` may come at any time. The channel stays in Asterisk until this side closes, so this side closes: at once,
  or (``lingers``) when the short work that is under way is done; variable commands are served until then.
- A session ends when its main function has ended, however it ended. One session's failure touches no other.
"""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address, ip_network
from typing import Any

from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.python.failure import Failure

from wombat_ari.model.errors import PbxError
from wombat_ari.pbx.reach import the_reactor
from wombat_ari.wire.agi import (
    HANGUP,
    MAX_ENV_LINES,
    MAX_LINE,
    AgiError,
    Reply,
    encode_command,
    is_more_to_come,
    parse_env,
    parse_reply,
)

log = logging.getLogger(__name__)

MainFunction = Callable[["FastAGIProtocol"], "Awaitable[object] | Deferred[Any] | object"]
LOCAL = ("127.0.0.0/8", "::1/128")


class AGICommandFailure(PbxError):
    """Asterisk answered a command with something else than 200, or with result -1."""

    code = "pbx.agi.refused"


class AGIHangup(PbxError):
    """The channel was hung up, or the connection ended, before the answer came."""

    code = "pbx.agi.hangup"


class AGITimeout(PbxError):
    """Asterisk did not answer a command in time."""

    code = "pbx.agi.timeout"


class FastAGIProtocol(Protocol):
    """One AGI session. ``variables`` holds what Asterisk sent first; commands return Deferreds."""

    factory: "FastAGIFactory"
    transport: Any

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        self.hungUp = False  #: the channel is gone; only variable commands are answered
        self._buffer = b""
        self._env: list[str] | None = []
        self._reply: list[str] = []
        self._pending: deque[tuple[str, Deferred[Reply], Any]] = deque()
        self._limit: Any = None
        self._closed: Deferred[None] = Deferred()

    # The connection

    def connectionMade(self) -> None:
        self.factory.sessions.add(self)
        self._limit = self.factory.clock.callLater(self.factory.envTimeout, self._too_slow)
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)

    def dataReceived(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        try:
            for line in lines:
                self._check_length(line)
                self._line(line.rstrip(b"\r").decode("utf-8", "replace"))
            self._check_length(self._buffer)
        except AgiError as trouble:
            log.warning("FastAGI from %s: %s", self._peer(), trouble)
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.factory.sessions.discard(self)
        self.hungUp, self.connected = True, 0
        self._stop_limit()
        self._fail_pending(AGIHangup("the AGI connection ended"))
        self._closed.callback(None)

    def onClose(self) -> "Deferred[None]":
        """Fires when the session has ended."""
        return self._closed

    def finish(self) -> None:
        """Hand the channel back to the dialplan."""
        self.transport.loseConnection()

    # Lines

    def _check_length(self, line: bytes) -> None:
        if len(line) > MAX_LINE:
            raise AgiError(f"a line of more than {MAX_LINE} bytes")

    def _line(self, line: str) -> None:
        if line == HANGUP and not self._reply:
            self._hang_up()
        elif self._env is not None:
            self._env_line(line)
        elif self._reply or is_more_to_come(line):
            self._more(line)
        else:
            self._answer([line])

    def _env_line(self, line: str) -> None:
        assert self._env is not None
        if line:
            self._env.append(line)
            if len(self._env) > MAX_ENV_LINES:
                raise AgiError(f"more than {MAX_ENV_LINES} lines before the first command")
            return
        self.variables = parse_env(self._env)
        self._env = None
        self._stop_limit()
        self._run()

    def _more(self, line: str) -> None:
        self._reply.append(line)
        if len(self._reply) > MAX_ENV_LINES:
            raise AgiError(f"an answer of more than {MAX_ENV_LINES} lines")
        if len(self._reply) > 1 and line.startswith(f"{self._reply[0][:3]} "):
            lines, self._reply = self._reply, []
            self._answer(lines)

    def _answer(self, lines: list[str]) -> None:
        if not self._pending:
            raise AgiError(f"an answer that nobody asked for: {lines[0][:60]!r}")
        reply = parse_reply(lines)
        _, deferred, timer = self._pending.popleft()
        timer.cancel()
        deferred.callback(reply)

    def _hang_up(self) -> None:
        self.hungUp = True
        if not self.factory.lingers:
            self._fail_pending(AGIHangup("the channel was hung up"))
            self.finish()

    def _fail_pending(self, trouble: PbxError) -> None:
        pending, self._pending = self._pending, deque()
        for _, deferred, timer in pending:
            if timer.active():
                timer.cancel()
            deferred.errback(trouble)

    # The main function

    def _run(self) -> None:
        if self.factory.sessionTimeout:
            self._limit = self.factory.clock.callLater(self.factory.sessionTimeout, self._too_slow)
        done = maybeDeferred(_as_deferred, self.factory.mainFunction, self)
        done.addErrback(self._failed).addBoth(lambda _: self.finish())

    def _failed(self, failure: Failure) -> None:
        if failure.check(AGIHangup):
            log.info("FastAGI from %s: %s", self._peer(), failure.value)
        else:
            where = f"{self._peer()}, {self.variables.get('agi_network_script', '')!r}"
            log.error("FastAGI from %s: %s", where, failure.getTraceback())

    def _too_slow(self) -> None:
        log.warning("FastAGI from %s: the session took too long", self._peer())
        self.transport.abortConnection()

    def _stop_limit(self) -> None:
        if self._limit is not None and self._limit.active():
            self._limit.cancel()

    def _peer(self) -> str:
        return str(getattr(self.transport.getPeer(), "host", "?"))

    # Commands

    def sendCommand(self, name: str, *arguments: str | int, timeout: float | None = None) -> "Deferred[Reply]":
        """Write one command; fires with its answer whatever its code. Answers come in the order of the commands."""
        if not self.connected:
            return fail(AGIHangup("the AGI connection ended"))
        data = encode_command(name, *arguments)
        deferred: Deferred[Reply] = Deferred()
        timer = self.factory.clock.callLater(timeout or self.factory.commandTimeout, self._expire, name)
        self._pending.append((name, deferred, timer))
        self.transport.write(data)
        return deferred

    def _expire(self, name: str) -> None:
        # The answers have no numbers: after one that did not come none can be told from another.
        self._fail_pending(AGITimeout(f"{name} was not answered in time"))
        self.transport.abortConnection()

    def _checked(self, name: str, *arguments: str | int, timeout: float | None = None) -> "Deferred[Reply]":
        return self.sendCommand(name, *arguments, timeout=timeout).addCallback(_successful, name)

    def getVariable(self, variable: str) -> "Deferred[str]":
        """The value; empty when it is not set."""
        return self._checked("GET VARIABLE", variable).addCallback(lambda reply: reply.value)

    def setVariable(self, variable: str, value: str) -> "Deferred[Reply]":
        return self._checked("SET VARIABLE", variable, value)

    def execute(self, application: str, *options: str, timeout: float = 3600) -> "Deferred[Reply]":
        return self._checked("EXEC", application, ",".join(options), timeout=timeout)

    def answer(self) -> "Deferred[Reply]":
        return self._checked("ANSWER")

    def hangup(self) -> "Deferred[Reply]":
        return self._checked("HANGUP")

    def verbose(self, message: str, level: int = 1) -> "Deferred[Reply]":
        return self._checked("VERBOSE", message, level)

    def streamFile(self, filename: str, escapeDigits: str = "") -> "Deferred[Reply]":
        return self._checked("STREAM FILE", filename, escapeDigits, timeout=3600)

    def sayDigits(self, digits: str, escapeDigits: str = "") -> "Deferred[Reply]":
        return self._checked("SAY DIGITS", digits, escapeDigits, timeout=600)

    def waitForDigit(self, timeout: float) -> "Deferred[str]":
        """The digit pressed within ``timeout`` seconds, or an empty text."""
        done = self._checked("WAIT FOR DIGIT", int(timeout * 1000), timeout=timeout + self.factory.commandTimeout)
        return done.addCallback(lambda reply: chr(int(reply.result)) if reply.result not in ("0", "") else "")


class FastAGIFactory(ServerFactory):
    """Runs ``mainFunction(agi)`` per session: a function, a coroutine function, or one that returns a Deferred."""

    protocol: Any = FastAGIProtocol
    noisy = False

    def __init__(
        self,
        mainFunction: MainFunction,
        *,
        allow: Iterable[str] = LOCAL,
        clock: Any = None,
        envTimeout: float = 5.0,
        commandTimeout: float = 10.0,
        sessionTimeout: float = 0.0,
        lingers: bool = False,
        maxSessions: int = 2000,
    ) -> None:
        self.mainFunction = mainFunction
        self.clock = clock or the_reactor()
        self.envTimeout = envTimeout
        self.commandTimeout = commandTimeout
        self.sessionTimeout = sessionTimeout  #: seconds for the whole main function, 0: no limit
        self.lingers = lingers  #: a hang-up does not close the session at once
        self.maxSessions = maxSessions
        self.sessions: set[FastAGIProtocol] = set()
        self._allow = [ip_network(one, strict=False) for one in allow]

    def buildProtocol(self, addr: Any) -> Any:
        if not self.isAllowed(addr.host):
            log.warning("FastAGI: %s is not on the allow list", addr.host)
            return None
        if len(self.sessions) >= self.maxSessions:
            log.warning("FastAGI: %s sessions are open, %s is turned away", len(self.sessions), addr.host)
            return None
        return super().buildProtocol(addr)

    def isAllowed(self, host: str) -> bool:
        address = ip_address(host)
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._allow)


def _successful(reply: Reply, name: str) -> Reply:
    if reply.code != 200 or reply.result == "-1":
        raise AGICommandFailure(f"{name}: {reply.code} {reply.text}")
    return reply


def _as_deferred(function: MainFunction, agi: FastAGIProtocol) -> Any:
    result = function(agi)
    return Deferred.fromCoroutine(result) if hasattr(result, "send") else result
