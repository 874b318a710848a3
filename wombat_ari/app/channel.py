"""Request lines as existing clients send them: letters of all alphabets unescaped, and many numbers in one address."""

import re
from typing import Any

from twisted.web.http import HTTPChannel

MOST = 1 << 16  #: bytes of a request line, and of all header lines with it

_REQUEST = re.compile(rb"[A-Z]+ /[^\r\n]* HTTP/1\.[01]")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")


class Channel(HTTPChannel):
    """``curl "$API/campaigns/?campaign=Città"`` escapes nothing; servers of the original took it."""

    MAX_LENGTH = totalHeadersSize = MOST

    def lineReceived(self, line: bytes) -> Any:
        if not line.isascii() and _REQUEST.fullmatch(line):
            line = _NOT_ASCII.sub(lambda byte: b"%%%02X" % ord(byte[0]), line)
        return super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> Any:
        self.transport.write(b"HTTP/1.1 414 URI Too Long\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        return super().lineLengthExceeded(line)
