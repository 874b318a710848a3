"""The peer of P1: an AMI loop that originates and counts, and does nothing else.

It keeps ``window`` Originates outstanding (sent, OriginateResponse not seen yet), which is the rate Asterisk itself can
sustain: more than it can do never waits in its queues. It is as quick as Python can be: actions leave in batches as one
write, answers are counted in the bytes as they come, nothing is parsed.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from types import TracebackType

_ENDED = b"Event: OriginateResponse\r\n"
_END = b"\r\n\r\n"
_READ = 1 << 18


class BareLoop:
    """One AMI connection. ``channel(n)`` is the dial string of call number n."""

    def __init__(
        self,
        port: int,
        *,
        user: str,
        secret: str,
        window: int,
        channel: Callable[[int], str],
        context: str,
        exten: str,
    ) -> None:
        self.window = window
        self.sent = 0
        self.ended = 0  #: OriginateResponses seen
        self._channel = channel
        self._head = "Action: Originate\r\nActionID: bare-{}\r\nChannel: {}\r\n"
        self._tail = f"Context: {context}\r\nExten: {exten}\r\nPriority: 1\r\nTimeout: 30000\r\nAsync: true\r\n\r\n"
        self._rest = b""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        login = f"Action: Login\r\nUsername: {user}\r\nSecret: {secret}\r\nEvents: system,call,user\r\n\r\n"
        self._socket.sendall(login.encode())
        while b"Event: FullyBooted" not in self._rest:
            self._rest += self._receive()
        self._rest = b""

    def go(self, seconds: float) -> None:
        """Originate for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._fill()
            self._take()

    def drain(self) -> None:
        """Wait for the calls that are under way."""
        while self.ended < self.sent:
            self._take()

    def __enter__(self) -> BareLoop:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._socket.close()

    def _fill(self) -> None:
        room = self.window - (self.sent - self.ended)
        if room <= 0:
            return
        actions = [self._head.format(n, self._channel(n)) + self._tail for n in range(self.sent, self.sent + room)]
        self.sent += room
        self._socket.sendall("".join(actions).encode())

    def _take(self) -> None:
        data = self._rest + self._receive()
        end = data.rfind(_END)
        if end < 0:
            self._rest = data
            return
        self.ended += data.count(_ENDED, 0, end)
        self._rest = data[end + len(_END) :]

    def _receive(self) -> bytes:
        data = self._socket.recv(_READ)
        if not data:
            raise ConnectionError("Asterisk closed the connection of the bare loop")
        return data
