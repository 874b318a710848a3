"""A TCP port whose connections are read, written and closed at once, not in a later turn of the reactor.

FastAGI sessions are a handful of bytes each way, one connection each: registering a socket for reading and writing, and
a turn for each of them, is most of what they cost. What the socket does not take at once goes Twisted's usual way.
"""

from contextlib import suppress
from typing import Any

from twisted.internet import main, tcp
from twisted.python.failure import Failure

DONE = Failure(main.CONNECTION_DONE)


class PromptConnection(tcp.Server):
    """Twisted's, without the detours."""

    _begun = False

    def startReading(self) -> None:
        if self._begun:
            super().startReading()

    def begin(self) -> None:
        """Read what is there already; then as usual. Called by the protocol when its connection was made."""
        self._begun = True
        lost = self.doRead()
        if lost is not None:
            self.connectionLost(lost if isinstance(lost, Failure) else Failure(lost))
        elif self.connected and not self.disconnecting:
            self.startReading()

    def write(self, data: bytes) -> None:
        if self.connected and not (self.disconnecting or self.dataBuffer or self._tempDataBuffer):
            with suppress(OSError):  # full, or broken: the usual way finds out which
                data = data[self.socket.send(data) :]
        if data:
            super().write(data)

    def loseConnection(self, _connDone: Any = DONE) -> None:
        if self.connected and not (self.disconnecting or self.dataBuffer or self._tempDataBuffer):
            self.connectionLost(DONE)
        else:
            super().loseConnection()

    def _closeSocket(self, orderly: bool) -> None:
        if orderly:
            self.socket.close()
        else:
            super()._closeSocket(orderly)


class PromptPort(tcp.Port):
    """As ``reactor.listenTCP``, once ``startListening`` was called."""

    transport = PromptConnection
