"""Requests that came whole: GET, in one piece, with few headers, on a connection that is kept. Programs ask so.

Most of what a small request costs is what Twisted makes of its head, line by line, and of the answer's. One of these is
found by one expression, which knows those headers only that change nothing in how the connection goes on; any other
request goes Twisted's way. What the headers say is looked at by whoever lets the visitor in, as always.
"""

import re
from functools import cached_property
from typing import Any

from twisted.web.http import datetimeToString
from twisted.web.http_headers import Headers

MOST = 8192  #: bytes; a longer one is no small request

_NAMES = (
    b"Host|User-Agent|Accept|Accept-Encoding|Accept-Charset|Authorization|X-Forwarded-For|X-Forwarded-Proto|X-Real-IP"
)
_WHOLE = re.compile(
    rb"GET (/[!->@-~]*)(?:\?([!-~]*))? HTTP/1\.1\r\n"
    rb"((?:(?i:Connection: ?keep-alive|(?:" + _NAMES + rb"): ?[ -~]*)\r\n)*)\r\n"
)


class Whole:
    """``path``, ``query`` and ``head`` (the header lines) as they came. What lets visitors in asks the rest, as of
    Twisted's requests. ``answer`` is called once; nothing is written when nobody waits any more."""

    def __init__(self, channel: Any, path: bytes, query: bytes, head: bytes) -> None:
        self.channel = channel
        self.path = path
        self.query = query
        self.head = head

    def answer(self, data: bytes) -> None:
        """``data``: status, headers and body."""
        channel, self.channel = self.channel, None
        if channel is not None:
            channel.transport.write(data)
            channel.requestDone(self)

    def connectionLost(self, reason: object) -> None:
        self.channel = None

    @cached_property
    def requestHeaders(self) -> Headers:
        headers = Headers()
        for line in self.head.splitlines():
            name, _, value = line.partition(b":")
            headers.addRawHeader(name, value.strip(b" \t"))
        return headers

    def getClientAddress(self) -> Any:
        return self.channel.peer

    def getRequestHostname(self) -> bytes:
        host: list[bytes] = self.requestHeaders.getRawHeaders(b"host", [b""])
        return host[-1].partition(b":")[0] or self.getHost().host.encode()

    def getHost(self) -> Any:
        return self.channel.getHost()

    def isSecure(self) -> bool:
        return bool(self.channel.isSecure())


def whole_in(channel: Any, data: bytes) -> Whole | None:
    """The request that these bytes are, no more and no less."""
    found = _WHOLE.fullmatch(data) if len(data) <= MOST else None
    return found and Whole(channel, found[1], found[2] or b"", found[3])


def head_of(status: bytes, headers: list[tuple[str, str]]) -> bytes:
    """Of an answer: ``status`` as ``200 OK``, the date added, the empty line too."""
    lines = [b"HTTP/1.1 " + status, b"Date: " + datetimeToString()]
    lines += [f"{name}: {value}".encode("latin-1") for name, value in headers]
    return b"\r\n".join([*lines, b"", b""])
