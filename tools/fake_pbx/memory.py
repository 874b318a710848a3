"""A connection without a socket: two transports that hand each other's bytes over on the clock's next turn."""

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import ITransport
from twisted.python.failure import Failure
from zope.interface import implementer


def join(clock: Any, client: Any, server: Any) -> "tuple[MemoryTransport, MemoryTransport]":
    """Connect two protocols. Nothing is delivered before the clock's next turn, so no call is re-entrant."""
    near, far = MemoryTransport(clock, client), MemoryTransport(clock, server)
    near.peer, far.peer = far, near
    client.makeConnection(near)
    server.makeConnection(far)
    return near, far


@implementer(ITransport)
class MemoryTransport:
    """One end. ``frozen`` keeps what is written and delivers nothing, as a network that went away does."""

    def __init__(self, clock: Any, protocol: Any) -> None:
        self.peer: MemoryTransport
        self.frozen = False
        self.disconnecting = False
        self.disconnected = False
        self._clock = clock
        self._protocol = protocol
        self._waiting = bytearray()
        self._due = False

    def write(self, data: bytes) -> None:
        if not self.disconnecting and not self.disconnected:
            self._waiting += data
            self._schedule()

    def writeSequence(self, data: Any) -> None:
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        self.disconnecting = True
        self._schedule()

    def abortConnection(self) -> None:
        self.disconnecting = True
        self._waiting.clear()
        self._clock.callLater(0, self._end, ConnectionAborted(), ConnectionLost())

    def getPeer(self) -> IPv4Address:
        return IPv4Address("TCP", "127.0.0.1", 5038)

    def getHost(self) -> IPv4Address:
        return IPv4Address("TCP", "127.0.0.1", 50380)

    def _schedule(self) -> None:
        if not self._due:
            self._due = True
            self._clock.callLater(0, self._flush)

    def _flush(self) -> None:
        self._due = False
        if self.frozen or self.disconnected:
            return
        data = bytes(self._waiting)
        self._waiting.clear()
        if data:
            self.peer._protocol.dataReceived(data)
        if self.disconnecting and not self._waiting:
            self._end(ConnectionDone(), ConnectionDone())

    def _end(self, here: Exception, there: Exception) -> None:
        for end, reason in ((self, here), (self.peer, there)):
            if not end.disconnected:
                end.disconnected = True
                end._protocol.connectionLost(Failure(reason))
