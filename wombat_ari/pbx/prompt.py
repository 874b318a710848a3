"""A TCP port whose connections are read, written and closed at once, not in a later turn of the reactor.

FastAGI sessions are a handful of bytes each way, one connection each: registering a socket for reading and writing, and
a turn for each of them, is most of what they cost. What the socket does not take at once goes Twisted's usual way.
"""

from collections import deque
from contextlib import suppress
from socket import SHUT_WR
from typing import Any

from twisted.internet import main, tcp
from twisted.python.failure import Failure

DONE = Failure(main.CONNECTION_DONE)
DRAIN_S = 0.05  #: how often connections that only wait for the other side's end are looked at
AT_A_TIME = 4096  #: bytes


class AtOnce(tcp.Server):
    """A connection whose writing goes to the socket at once, as far as that takes it."""

    def write(self, data: bytes) -> None:
        if self._is_clear():
            with suppress(OSError):  # full, or broken: the usual way finds out which
                data = data[self.socket.send(data) :]
        if data:
            super().write(data)

    def _is_clear(self) -> bool:
        """Nothing waits to be written."""
        return bool(self.connected) and not (self.disconnecting or self.dataBuffer or self._tempDataBuffer)


class AtOncePort(tcp.Port):
    """As ``reactor.listenTCP``, once ``startListening`` was called."""

    transport = AtOnce


class PromptConnection(AtOnce):
    """Twisted's, without the detours."""

    server: "PromptPort"
    _reads = False

    def startReading(self) -> None:
        if self._reads:
            super().startReading()

    def begin(self) -> None:
        """Read what is there already; then as usual. Called by the protocol when its connection was made."""
        self._reads = True
        lost = self.doRead()
        if lost is not None:
            self.connectionLost(lost if isinstance(lost, Failure) else Failure(lost))
        elif self.connected and not self.disconnecting:
            self.startReading()

    def loseConnection(self, _connDone: Any = DONE) -> None:
        if self._is_clear():
            self.connectionLost(DONE)
        else:
            super().loseConnection()

    def endWriting(self) -> None:
        """Nothing more is written, and nothing more is told to the protocol but the end. What the other side still says
        is read, so that it need not see its writing fail, until it closes.
        """
        if not self._is_clear():
            super().loseConnection()
            return
        try:
            self.socket.shutdown(SHUT_WR)
        except OSError:
            self.connectionLost(DONE)
            return
        self.stopReading()
        self._reads = False
        self.server.drain(self)

    def is_drained(self) -> bool:
        """Read what is there; whether that was the end."""
        if not self.connected:
            return True
        try:
            while self.socket.recv(AT_A_TIME):
                pass
        except BlockingIOError:
            return False
        except OSError:
            pass
        self.connectionLost(DONE)
        return True

    def _closeSocket(self, orderly: bool) -> None:
        if orderly:
            self.socket.close()
        else:
            super()._closeSocket(orderly)


class PromptPort(tcp.Port):
    """As ``reactor.listenTCP``, once ``startListening`` was called."""

    transport = PromptConnection

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._draining: deque[PromptConnection] = deque()
        self._timer: Any = None

    def drain(self, connection: PromptConnection) -> None:
        """Look at it now and then, all of them together: a turn of the reactor for each would cost more."""
        self._draining.append(connection)
        if self._timer is None:
            self._timer = self.reactor.callLater(DRAIN_S, self._drain)

    def connectionLost(self, reason: Any) -> None:
        super().connectionLost(reason)
        self._drain()

    def _drain(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        for _ in range(len(self._draining)):
            connection = self._draining.popleft()
            if not connection.is_drained():
                self._draining.append(connection)
        self._timer = self.reactor.callLater(DRAIN_S, self._drain) if self._draining else None
