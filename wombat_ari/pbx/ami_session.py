"""One AMI connection on the reactor: what is sent, what comes, how it ends. The actions by name are in ``ami``.

Rules of the place:
- Every action has a time-out, by the clock that was handed in. When the connection breaks all that wait fail, at once.
- Nothing is ever written a second time. What the connection did not take is the caller's to decide about.
- Bytes are read at once, or within ``GATHER`` when they stream: Asterisk cuts a reader that pauses for long. A handler
  that fails is logged, the next one runs.
- The decoder skips by its first header every event for which nobody has registered.
"""

import itertools
import logging
from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from wombat_ari.model.errors import PbxError
from wombat_ari.pbx.reach import end_in_words
from wombat_ari.wire.ami import Decoder, Message, ProtocolError, encode_action

log = logging.getLogger(__name__)

ACTION_TIMEOUT = 10.0  #: seconds an action may wait for its answer
GATHER = 0.002  #: seconds in which a stream of events is left to gather; a lone one is taken at once
LIST_TIMEOUT = 30.0  #: seconds a list may take to be complete

Handler = Callable[[Any, Message], object]
Headers = Mapping[str, str | Sequence[str]]
EventNames = str | tuple[str, ...] | None


class SessionFactory(ABC):
    """What a session needs of its factory."""

    clock: Any  #: IReactorTime
    actionTimeout: float  #: seconds


class AMICommandFailure(PbxError):
    """Asterisk answered ``Response: Error``; the text is Asterisk's."""

    code = "pbx.refused"


class AMITimeout(PbxError):
    """An action was not answered in time."""

    code = "pbx.timeout"


class AMIConnectionLost(PbxError):
    """The connection is not there, or broke before the answer came."""

    code = "pbx.connection"


class AMISession(Protocol):
    """One AMI connection: answers find their action, events their handlers, the end reaches everyone who waits."""

    factory: "SessionFactory"
    transport: Any

    def __init__(self) -> None:
        self.decoder = Decoder()
        self.lastReceived = 0.0  #: when the last bytes came, by the factory's clock
        self.trouble: PbxError | None = None  #: why the connection was dropped from this side
        self._numbers = itertools.count(1)
        self._pending: dict[str, _Pending] = {}
        self._handlers: dict[str, list[Handler]] = {}
        self._unasked: Handler | None = None
        self.ear: Callable[[bool, bytes], None] | None = None  #: hears all bytes: whether ours, and which
        self._lists = 0
        self._over_tcp = False
        self._waiting: list[Deferred[str]] = []
        self._closed: Deferred[PbxError] = Deferred()

    # Events

    def registerEvent(self, event: EventNames, function: Handler) -> None:
        """Call ``function(protocol, message)`` for every event of this name, or of these; None is all events."""
        for name in _names(event):
            self._handlers.setdefault(name, []).append(function)
        self._set_wanted()

    def deregisterEvent(self, event: EventNames, function: Handler | None = None) -> None:
        """Undo ``registerEvent``: one function, or all of this event."""
        for name in _names(event):
            kept = [one for one in self._handlers.pop(name, []) if function is not None and one != function]
            if kept:
                self._handlers[name] = kept
        self._set_wanted()

    def registerAnswers(self, function: Handler) -> None:
        """Call ``function(protocol, message)`` for answers to what was written with ``sendBytes``."""
        self._unasked = function

    # Sending

    def sendDeferred(self, message: Headers, *, timeout: float | None = None) -> "Deferred[Message]":
        """Write an action (``{"action": "ping"}``; a list value is one header for each); fires with its answer."""
        return self._send(message, timeout=timeout, collect=False)

    def collectDeferred(self, message: Headers, *, timeout: float | None = None) -> "Deferred[list[Message]]":
        """Write an action that is answered by a list; fires with the events of the list, without its last."""
        return self._send(message, timeout=timeout or LIST_TIMEOUT, collect=True)

    def sendBytes(self, data: bytes) -> None:
        """Write what ``wire`` spelled. The answer goes to whoever has ``registerAnswers``; there is no time-out."""
        if self.ear is not None:
            self.ear(True, data)
        self.transport.write(data)

    def _send(self, message: Headers, *, timeout: float | None, collect: bool) -> "Deferred[Any]":
        if not self.connected:
            return fail(AMIConnectionLost("the connection to the PBX is not there"))
        number = f"w{next(self._numbers)}"
        name, headers = _pairs(message, number)
        data = encode_action(name, headers)
        pending = _Pending(name, collect=collect)
        pending.timer = self.factory.clock.callLater(timeout or self.factory.actionTimeout, self._expire, number)
        self._pending[number] = pending
        self._lists += collect
        self._set_wanted()
        if self.ear is not None:
            self.ear(True, data)
        self.transport.write(data)
        return pending.deferred

    def _expire(self, number: str) -> None:
        pending = self._finish(number)
        pending.deferred.errback(AMITimeout(f"{pending.name} was not answered in time"))

    def _finish(self, number: str) -> "_Pending":
        pending = self._pending.pop(number)
        if pending.timer.active():
            pending.timer.cancel()
        self._lists -= pending.collect
        if pending.collect:
            self._set_wanted()
        return pending

    def _set_wanted(self) -> None:
        everything = self._lists or "*" in self._handlers
        self.decoder.want(None if everything else self._handlers.keys())

    # Receiving

    def connectionMade(self) -> None:
        self.lastReceived = self.factory.clock.seconds()
        self._over_tcp = bool(ITCPTransport.providedBy(self.transport))
        if self._over_tcp:
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)

    def dataReceived(self, data: bytes) -> None:
        now = self.factory.clock.seconds()
        if self._over_tcp and now - self.lastReceived < GATHER:
            self._gather()
        self.lastReceived = now
        if self.ear is not None:
            self.ear(False, data)
        try:
            messages = self.decoder.feed(data)
        except ProtocolError as trouble:
            self.drop(trouble)
            return
        if self._waiting and self.decoder.banner:
            self._greet(self.decoder.banner)
        for message in messages:
            self._received(message)

    def _gather(self) -> None:
        """Let events gather for a moment: taking many at once costs much less than waking up for each."""
        self.transport.pauseProducing()
        self.factory.clock.callLater(GATHER, self.transport.resumeProducing)

    def _received(self, message: Message) -> None:
        if message.kind == "Event":
            for handler in self._handlers.get(message.name, ()):
                self._call(handler, message)
            if self._lists:
                self._collect(message)
            if "*" in self._handlers:
                for handler in self._handlers["*"]:
                    self._call(handler, message)
        elif message.kind == "Response":
            self._answered(message)

    def whenGreeted(self) -> "Deferred[str]":
        """Fires with the banner; until then it is not known that this is an AMI."""
        waiter: Deferred[str] = Deferred()
        self._waiting.append(waiter)
        if self.decoder.banner:
            self._greet(self.decoder.banner)
        return waiter

    def _greet(self, result: str | Failure) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(result)

    def _call(self, handler: Handler, message: Message) -> None:
        try:
            handler(self, message)
        except Exception:  # the fence: one event
            log.exception("a handler of %s failed on:\n%s", message.name, message.text)

    def _answered(self, message: Message) -> None:
        number = message.get("ActionID")
        pending = self._pending.get(number)
        if pending is None:
            if self._unasked is not None:
                self._call(self._unasked, message)
        elif pending.collect and message.name == "Success":
            if "\r\nEventList: start" not in message.text:
                self._finish(number).deferred.callback([])
        elif pending.collect:
            self._finish(number).deferred.errback(AMICommandFailure(message.get("Message")))
        else:
            self._finish(number).deferred.callback(message)

    def _collect(self, message: Message) -> None:
        number = message.get("ActionID")
        pending = self._pending.get(number)
        if pending is None or not pending.collect:
            return
        if "\r\nEventList: Complete" in message.text:
            self._finish(number).deferred.callback(pending.items)
        else:
            pending.items.append(message)

    # The end

    def drop(self, trouble: PbxError) -> None:
        """Cut the connection now, for this reason."""
        self.trouble = self.trouble or trouble
        self.connected = 0
        self.transport.abortConnection()

    def onClose(self) -> "Deferred[PbxError]":
        """Fires with the reason when the connection has ended, however it ended."""
        return self._closed

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        trouble = self.trouble or AMIConnectionLost(end_in_words(reason.value))
        self.trouble, self.connected = trouble, 0
        waiting = [self._finish(number).deferred for number in list(self._pending)]
        self._closed.callback(trouble)
        self._greet(Failure(trouble))
        for deferred in waiting:
            deferred.errback(trouble)


class _Pending:
    """An action that waits for its answer."""

    __slots__ = ("collect", "deferred", "items", "name", "timer")

    timer: Any

    def __init__(self, name: str, *, collect: bool) -> None:
        self.name = name
        self.collect = collect
        self.items: list[Message] = []
        self.deferred: Deferred[Any] = Deferred()


def _names(event: EventNames) -> tuple[str, ...]:
    return event if isinstance(event, tuple) else (event or "*",)


def _pairs(message: Headers, number: str) -> tuple[str, list[tuple[str, str]]]:
    """starpy's dictionary as the wire's list of pairs: the ActionID is ours to give."""
    name = ""
    pairs = [("ActionID", number)]
    for key, value in message.items():
        if key.lower() == "action":
            name = str(value)
        elif isinstance(value, str):
            pairs.append((key, value))
        else:
            pairs += [(key, one) for one in value]
    return name, pairs
