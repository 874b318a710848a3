"""FastAGI on the reactor: a server in starpy's vocabulary. What the dialer's own verbs do is in ``fastagi_verbs``.

Rules of the place:
- Only addresses on the allow list are listened to. Lines, their number and every wait are bounded.
- ``HANGUP`` may come at any time. The channel stays in Asterisk until this side closes, so this side closes: at once,
  or (``lingers``) when the short work that is under way is done; variable commands are served until then.
- A session ends when its main function has ended, however it ended. One session's failure touches no other.
- Time is looked at once a second for all sessions together: a timer for each would cost more than the session.
"""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.python.failure import Failure

from wombat_ari.model.errors import PbxError
from wombat_ari.pbx.agi_commands import AGICommandFailure, AGICommands, AGIHangup, AGITimeout
from wombat_ari.pbx.allowed import LOCAL, Allowed, Complaints, Refusal
from wombat_ari.pbx.reach import the_reactor
from wombat_ari.wire.agi import (
    FAILURE,
    HANGUP,
    MAX_ENV_LINES,
    MAX_LINE,
    AgiError,
    Environment,
    Reply,
    encode_command,
    is_more_to_come,
    is_whole,
    parse_reply,
)

__all__ = ["AGICommandFailure", "AGIHangup", "AGITimeout", "FastAGIFactory", "FastAGIProtocol", "Refusal"]

log = logging.getLogger(__name__)

MainFunction = Callable[["FastAGIProtocol"], "Awaitable[object] | Deferred[Any] | object"]
LOOK_S = 1.0  #: how often sessions that take too long are looked for


class FastAGIProtocol(AGICommands, Protocol):
    """One AGI session. ``variables`` holds what Asterisk sent first; commands return Deferreds."""

    factory: "FastAGIFactory"
    transport: Any

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        self.hungUp = False  #: the channel is gone; only variable commands are answered
        self.lingers = False  #: a hang-up does not close the session at once
        self._environment: Environment | None = Environment()
        self._buffer = b""
        self._reply: list[str] = []
        self._pending: deque[tuple[str, Deferred[Reply], float]] = deque()
        self._limit = 0.0  #: when the session ends at the latest, 0: no limit
        self._ending = False  #: nothing more is written, and what comes is not looked at
        self._closed: list[Deferred[None]] = []
        self._hangup: list[Deferred[None]] = []

    # The connection

    def connectionMade(self) -> None:
        self.factory.entered(self)
        self.lingers = self.factory.lingers
        self.limit(self.factory.envTimeout)
        begin = getattr(self.transport, "begin", None)
        if begin is not None:
            begin()
        if self.connected and ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)

    def dataReceived(self, data: bytes) -> None:
        if self._ending:
            return
        try:
            if self._environment is not None:
                data = self._begin(data)
            if data:
                self._lines(data)
        except AgiError as trouble:
            log.warning("FastAGI from %s: %s", self._peer(), str(trouble))  # a record would keep this session by it
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.factory.left(self)
        self.connected = 0
        self._set_hung_up()
        self._fail_pending(AGIHangup("the AGI connection ended"))
        closed, self._closed = self._closed, []
        for deferred in closed:
            deferred.callback(None)

    def onClose(self) -> "Deferred[None]":
        """Fires when the session has ended."""
        return _later(self._closed, not self.connected)

    def onHangup(self) -> "Deferred[None]":
        """Fires when the channel is hung up, or the session has ended."""
        return _later(self._hangup, self.hungUp)

    def finish(self) -> None:
        """Hand the channel back to the dialplan: AGISTATUS is SUCCESS, or HANGUP if it was."""
        if not self._ending:
            self.transport.loseConnection()

    def finishWith(self, name: str, *arguments: str | int, failed: bool = False) -> None:
        """Write a last command and hand the channel back, without waiting for its answer: Asterisk carries out what it
        has read before it sees the end. ``failed``: AGISTATUS is FAILURE.

        What it still says is read, until it closes: it would log an error for each byte that nobody takes.
        """
        if self.connected and not self._ending:
            self._ending = True
            self.limit(self.factory.envTimeout)
            self.transport.write(encode_command(name, *arguments) + (FAILURE if failed else b""))
            _end_writing(self.transport)

    def limit(self, seconds: float) -> None:
        """The session ends in so many seconds from now at the latest; 0: no limit."""
        self._limit = self.factory.clock.seconds() + seconds if seconds else 0.0

    def look(self, now: float) -> None:
        """Called now and then by the factory: is anything late?"""
        if self._limit and self._limit <= now:
            log.warning("FastAGI from %s: the session took too long", self._peer())
            self._give_up()
        elif self._pending and self._pending[0][2] <= now:
            # The answers have no numbers: after one that did not come none can be told from another.
            self._fail_pending(AGITimeout(f"{self._pending[0][0]} was not answered in time"))
            self._give_up()

    def _give_up(self) -> None:
        """End it now: AGISTATUS is FAILURE, if it is an Asterisk that still listens."""
        if self._environment is None and self.connected and not self._ending:
            self._ending = True
            self.limit(self.factory.envTimeout)
            self.transport.write(FAILURE)
            self.transport.loseConnection()
        else:
            self.transport.abortConnection()

    # Lines

    def _begin(self, data: bytes) -> bytes:
        """What Asterisk sends first; answers what is behind it."""
        assert self._environment is not None
        rest = self._environment.take(data)
        if rest is None:
            return b""
        self.variables, hung_up = self._environment.variables, self._environment.hung_up
        self._environment = None
        if hung_up:
            self._hang_up()
        if self.connected:
            self.limit(self.factory.sessionTimeout)
            self._run()
        return rest

    def _lines(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            if not self.connected or self._ending:
                return  # what was before it has ended the session
            _check_length(line)
            self._line(line.rstrip(b"\r").decode("utf-8", "replace"))
        _check_length(self._buffer)

    def _line(self, line: str) -> None:
        if line == HANGUP and not self._reply:
            self._hang_up()
        elif self._reply or is_more_to_come(line):
            self._more(line)
        else:
            self._answer([line])

    def _more(self, line: str) -> None:
        self._reply.append(line)
        if len(self._reply) > MAX_ENV_LINES:
            raise AgiError(f"an answer of more than {MAX_ENV_LINES} lines")
        if is_whole(self._reply):
            lines, self._reply = self._reply, []
            self._answer(lines)

    def _answer(self, lines: list[str]) -> None:
        if not self._pending:
            raise AgiError(f"an answer that nobody asked for: {lines[0][:60]!r}")
        reply = parse_reply(lines)
        self._pending.popleft()[1].callback(reply)

    def _hang_up(self) -> None:
        self._set_hung_up()
        if not self.lingers:
            self._fail_pending(AGIHangup("the channel was hung up"))
            self.finish()

    def _set_hung_up(self) -> None:
        self.hungUp = True
        waiting, self._hangup = self._hangup, []
        for deferred in waiting:
            deferred.callback(None)

    def _fail_pending(self, trouble: PbxError) -> None:
        pending, self._pending = self._pending, deque()
        for _, deferred, _at in pending:
            deferred.errback(trouble)

    # The main function

    def _run(self) -> None:
        try:
            result = self.factory.mainFunction(self)
        except Exception:  # noqa: BLE001 - fence: one session
            self._failed(Failure())
            self.finish()
            return
        if hasattr(result, "send"):
            result = Deferred.fromCoroutine(result)
        if isinstance(result, Deferred):
            result.addErrback(self._failed).addBoth(lambda _: self.finish())
        else:
            self.finish()

    def _failed(self, failure: Failure) -> None:
        if failure.check(AGIHangup):
            log.info("FastAGI from %s: %s", self._peer(), failure.value)
        else:
            where = f"{self._peer()}, {self.variables.get('agi_network_script', '')!r}"
            log.error("FastAGI from %s: %s", where, failure.getTraceback())
            if self.connected:
                self._give_up()

    def _peer(self) -> str:
        return str(getattr(self.transport.getPeer(), "host", "?"))

    # Commands

    def sendCommand(self, name: str, *arguments: str | int, timeout: float | None = None) -> "Deferred[Reply]":
        """Write one command; fires with its answer whatever its code. Wait for it before the next: Asterisk may leave a
        second one that came with the first in its buffer.
        """
        if not self.connected:
            return fail(AGIHangup("the AGI connection ended"))
        data = encode_command(name, *arguments)
        deferred: Deferred[Reply] = Deferred()
        late = self.factory.clock.seconds() + (timeout or self.factory.commandTimeout)
        self._pending.append((name, deferred, late))
        self.transport.write(data)
        return deferred


class FastAGIFactory(ServerFactory):
    """Runs ``mainFunction(agi)`` per session: a function, a coroutine function, or one that returns a Deferred."""

    protocol: Any = FastAGIProtocol
    noisy = False

    def __init__(
        self,
        mainFunction: MainFunction,
        *,
        allow: Allowed | Iterable[str] = LOCAL,
        clock: Any = None,
        envTimeout: float = 5.0,
        commandTimeout: float = 10.0,
        sessionTimeout: float = 0.0,
        lingers: bool = False,
        maxSessions: int = 10_000,
    ) -> None:
        self.mainFunction = mainFunction
        self.clock = clock or the_reactor()
        self.envTimeout = envTimeout
        self.commandTimeout = commandTimeout
        self.sessionTimeout = sessionTimeout  #: seconds for the whole main function, 0: no limit
        self.lingers = lingers  #: a hang-up does not close the session at once
        self.maxSessions = maxSessions
        self.sessions: set[FastAGIProtocol] = set()
        self.allowed = allow if isinstance(allow, Allowed) else Allowed(allow)
        self._look: Any = None
        self._complaints = Complaints(self.clock)

    def buildProtocol(self, addr: Any) -> Any:
        if addr.host not in self.allowed:
            self._complaints.say(addr.host, "is not on the allow list (fastagi.allow)")
            return Refusal()
        if len(self.sessions) >= self.maxSessions:
            self._complaints.say(addr.host, f"is turned away: {len(self.sessions)} sessions are open")
            return Refusal()
        return super().buildProtocol(addr)

    def stopFactory(self) -> None:
        if self._look is not None and self._look.active():
            self._look.cancel()
        self._look = None

    def entered(self, session: FastAGIProtocol) -> None:
        self.sessions.add(session)
        if self._look is None:
            self._look = self.clock.callLater(LOOK_S, self._look_at_all)

    def left(self, session: FastAGIProtocol) -> None:
        self.sessions.discard(session)

    def _look_at_all(self) -> None:
        self._look = self.clock.callLater(LOOK_S, self._look_at_all) if self.sessions else None
        now = self.clock.seconds()
        for session in list(self.sessions):
            session.look(now)


def _end_writing(transport: Any) -> None:
    end = getattr(transport, "endWriting", transport.loseConnection)
    end()


def _check_length(line: bytes) -> None:
    if len(line) > MAX_LINE:
        raise AgiError(f"a line of more than {MAX_LINE} bytes")


def _later(waiting: list[Deferred[None]], done: bool) -> "Deferred[None]":
    if done:
        return succeed(None)
    deferred: Deferred[None] = Deferred()
    waiting.append(deferred)
    return deferred
