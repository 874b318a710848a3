"""Long answers at the pace of who reads them: the web thread that makes one waits while the socket is full.

Twisted's WSGI container writes whatever the application gives at once, and keeps in memory what the reader has not
taken yet. So the request (on the reactor) hears of the transport when to pause, and the answer's iterator (in its
thread) waits for it between two pieces. A header that only we set says which request an answer belongs to.
"""

from collections.abc import Callable, Iterable, Iterator
from threading import Event, Lock
from typing import Any

from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from twisted.web.server import Request
from zope.interface import implementer

PATIENCE_S = 60.0  #: a reader that takes nothing for so long is cut off: its thread is wanted by others
_HEADER = b"X-Wombat-Request"
_VARIABLE = "HTTP_X_WOMBAT_REQUEST"

log = Logger()
_lock = Lock()
_gates: dict[str, "Gate"] = {}


@implementer(IPushProducer)
class Gate:
    """Open while the transport takes more. ``cut_off``: ends the connection, whatever is still to be sent."""

    def __init__(self, cut_off: Callable[[], None]) -> None:
        self._cut_off = cut_off
        self._open = Event()
        self._open.set()
        self.gone = False

    def pauseProducing(self) -> None:
        self._open.clear()

    def resumeProducing(self) -> None:
        self._open.set()

    def stopProducing(self) -> None:
        self.gone = True
        self._open.set()

    def wait(self) -> None:
        """In the thread of the answer."""
        if not self._open.wait(PATIENCE_S):
            log.warn("the reader of an answer took nothing for {patience} s: it is cut off", patience=PATIENCE_S)
            self.gone = True
            self._cut_off()


class PacedRequest(Request):
    """Registers as its own producer at the first piece of an answer whose length is not known beforehand."""

    _gate: Gate | None = None
    _registered = False

    def process(self) -> None:
        self._gate, name = Gate(self._abort), str(id(self))
        self.requestHeaders.setRawHeaders(_HEADER, [name.encode()])
        with _lock:
            _gates[name] = self._gate
        self.notifyFinish().addBoth(self._over, name)
        super().process()

    def write(self, data: bytes) -> None:
        if data and not self._registered and self._gate and not self.responseHeaders.hasHeader(b"content-length"):
            self._registered = True
            self.registerProducer(self._gate, True)
        super().write(data)

    def paces_itself(self) -> None:
        """Who answers is the producer."""
        self._gate = None

    def finish(self) -> None:
        if self._registered:
            self._registered = False
            self.unregisterProducer()
        super().finish()

    def _abort(self) -> None:
        """From the thread of the answer. To lose the connection in peace would wait for the reader."""
        from twisted.internet import reactor

        reactor.callFromThread(self.channel.transport.abortConnection)

    def _over(self, _: object, name: str) -> None:
        with _lock:
            gate = _gates.pop(name, None)
        if gate is not None:
            gate.stopProducing()


def paced(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """A WSGI application whose answers keep the pace of their readers."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with _lock:
            gate = _gates.get(environ.pop(_VARIABLE, ""))
        answer = app(environ, start_response)
        return answer if gate is None else _Paced(answer, gate)

    return application


class _Paced:
    def __init__(self, answer: Iterable[bytes], gate: Gate) -> None:
        self._answer = answer
        self._gate = gate

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._answer:
            yield piece
            self._gate.wait()  # before the next piece is made
            if self._gate.gone:
                return

    def close(self) -> None:
        close = getattr(self._answer, "close", None)
        if close is not None:
            close()
