"""Connections of clients: request lines as they send them, no long body from strangers, strict headers on every answer.

A request that came whole (``app/whole``) goes to ``site.take_whole``, if that wants it, without Twisted's detours.

A body of more than ``UNASKED`` bytes is taken only when whoever sends it was let in, by the headers: the reading stops
until that is known (``100 Continue``, too, is said then). What is refused is answered and closed in peace: a client
that is still sending reads why.
"""

import re
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.http_headers import Headers

from wombat_ari.app.whole import whole_in

MOST = 1 << 16  #: bytes of a request line, and of all header lines with it
UNASKED = 1 << 16  #: bytes of a body that is read before it is asked who sends it
LINGER_S = 5.0  #: so long what a client that was refused still sends is read, and thrown away

_REQUEST = re.compile(rb"[A-Z]+ /[^\r\n]* HTTP/1\.[01]")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_STRICT = (
    b"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\nX-Content-Type-Options: nosniff\r\n"
    b"Referrer-Policy: no-referrer\r\nX-Frame-Options: DENY\r\nCache-Control: no-store\r\n"
)

log = Logger()


class Channel(HTTPChannel):
    """``curl "$API/campaigns/?campaign=Città"`` escapes nothing; servers of the original took it.

    ``site.admit(request)`` is a Deferred: None, or a function that answers the request with a refusal.
    ``site.take_whole(request)`` is None, or a function that begins with it.
    """

    MAX_LENGTH = totalHeadersSize = MOST
    _asking = False  #: whether somebody is let in
    _owes_continue = False
    _over = False  #: what comes now is not read
    _take_whole: Any = None
    peer: Any = None

    def connectionMade(self) -> None:
        super().connectionMade()
        self.peer = self.getPeer()
        self._take_whole = getattr(getattr(self, "site", None), "take_whole", None)

    def dataReceived(self, data: bytes) -> None:
        if not self._over and not self._is_taken_whole(data):
            super().dataReceived(data)

    def lineReceived(self, line: bytes) -> Any:
        if self._over:
            return None
        if not line.isascii() and _REQUEST.fullmatch(line):
            line = _NOT_ASCII.sub(lambda byte: b"%%%02X" % ord(byte[0]), line)
        return super().lineReceived(line)

    def rawDataReceived(self, data: bytes) -> None:
        if not self._over:
            super().rawDataReceived(data)

    def lineLengthExceeded(self, line: bytes) -> None:
        self.refuse(b"431 Request Header Fields Too Large" if self.requests else b"414 URI Too Long")

    def allHeadersReceived(self) -> None:
        admit: Any = getattr(getattr(self, "site", None), "admit", None)
        self._asking = admit is not None and (self.length is None or self.length > UNASKED)
        super().allHeadersReceived()
        if not self._asking or self._over:
            return
        self.paused = True  # the rest of what came already waits in the buffer
        self._networkProducer.pauseProducing()
        request = self.requests[-1]
        request.client, request.host = self.getPeer(), self.getHost()
        request.method, request.uri, request.clientproto = self._command, self._path, self._version
        request.path = self._path.partition(b"?")[0]
        asking: Deferred[Any] = admit(request)
        asking.addCallback(self._told, request).addErrback(self._failed)

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        """Nobody is told with which versions to try."""
        headers.removeHeader(b"server")
        super().writeHeaders(version, code, reason, headers)

    def timeoutConnection(self) -> None:
        """A request that was taken whole may take its time; others have Twisted stop the clock."""
        if self._handlingRequest:
            self.setTimeout(self.timeOut)
        else:
            super().timeoutConnection()

    def refuse(self, status: bytes) -> None:
        """Answer without a body, in the middle of a request, and close."""
        self._over = True
        self.transport.write(b"HTTP/1.1 %s\r\n%sConnection: close\r\nContent-Length: 0\r\n\r\n" % (status, _STRICT))
        self._linger()

    def requestDone(self, request: Any) -> None:
        if self._over and self.requests and request is self.requests[0]:
            del self.requests[0]
            self._linger()
        else:
            super().requestDone(request)

    def _is_taken_whole(self, data: bytes) -> bool:
        at_a_start = not (self.requests or self._buffer or self._busyReceiving) and self.persistent
        if self._take_whole is None or not data or not at_a_start:
            return False
        request = whole_in(self, data)
        begin = request and self._take_whole(request)
        if not begin:
            return False
        self.resetTimeout()
        self.requests.append(request)
        self._handlingRequest = True
        self.setRawMode()  # what comes meanwhile waits for its turn
        begin()
        return True

    def _told(self, refusal: Any, request: Any) -> None:
        if self._over or request.channel is None:
            return
        self._asking = False
        if refusal is None:
            if self._owes_continue:
                self._owes_continue = False
                super()._send100Continue()
            self._go_on()
            return
        self._over = True
        request.responseHeaders.setRawHeaders(b"connection", [b"close"])
        refusal(request)

    def _failed(self, failure: Failure) -> None:
        log.failure("letting somebody in: a mistake of ours", failure=failure)
        self.refuse(b"500 Internal Server Error")

    def _go_on(self) -> None:
        self.paused = False
        self._networkProducer.resumeProducing()
        self.dataReceived(b"")

    def _linger(self) -> None:
        """Closed at once, with data unread, the answer could be lost on its way."""
        self.persistent = False
        self.setTimeout(None)
        self._networkProducer.resumeProducing()
        half_close = getattr(self.transport, "loseWriteConnection", None)
        if half_close is None or self.isSecure():
            self.loseConnection()
            return
        self._networkProducer.unregisterProducer()
        half_close()
        self.callLater(LINGER_S, self.transport.abortConnection)

    def _send100Continue(self) -> None:
        if self._asking:
            self._owes_continue = True
        else:
            super()._send100Continue()

    def _respondToBadRequestAndDisconnect(self) -> None:
        self.refuse(b"400 Bad Request")
