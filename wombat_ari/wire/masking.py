"""AMI as text for people: cut into messages, with what must not be seen masked.

Masked are the proof of a log-in, the headers and variables that are called like secrets, lines of configuration files
that hold them, and, wherever they stand, the secrets that are known (``known``).
"""

import re
from collections.abc import Iterable

MASK = "***"
LONGEST = 8000  #: characters of one message; the rest is cut
MOST = 262_144  #: bytes without an end of a message; then they are shown as they are

_NAMES = r"secret|passw(?:or)?d|passwd|pwd|token|credential\w*|vmsecret|remotesecret|md5(?:_cred|secret)?|auth_pass"
_HEADER = re.compile(rf"^((?:\w*[-_])?(?:{_NAMES}))(\s*:\s*).*$", re.IGNORECASE | re.MULTILINE)
_LOGIN_KEY = re.compile(r"^(key)(\s*:\s*).*$", re.IGNORECASE | re.MULTILINE)
_LOGIN = re.compile(r"^action\s*:\s*(login|challenge)\s*$", re.IGNORECASE | re.MULTILINE)
#: what any of these needs, in small letters: most messages have none of it, and are let through at once
_SUSPECT = ("secret", "passw", "pwd", "token", "credential", "md5", "auth_pass", "pin", "login", "challenge")
#: ``NAME=value`` and ``NAME => value``, in variables, configuration lines, the output of commands
_PAIR = re.compile(
    rf"(\b\w*(?:{_NAMES}|pin)\w*\s*(?:=>?)\s*)(\"(?:[^\"\\]|\\.)*\"|[^\s,;|&]+)", re.IGNORECASE
)  # fmt: skip


def masked(message: str, known: Iterable[str] = ()) -> str:
    """The message, with LF between its lines, as anybody may see it who may see AMI at all."""
    text = message[: 2 * LONGEST].replace("\r\n", "\n").strip("\n")
    small = text.lower()
    if any(word in small for word in _SUSPECT):
        if _LOGIN.search(text):
            text = _LOGIN_KEY.sub(rf"\1\2{MASK}", text)
        text = _HEADER.sub(rf"\1\2{MASK}", text)
        text = _PAIR.sub(rf"\1{MASK}", text)
    for secret in known:
        if len(secret) >= 4:
            text = text.replace(secret, MASK)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n... {len(message) - LONGEST:,} characters more"


class Cutter:
    """Bytes in, whole messages out, whatever pieces the bytes come in."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The messages that are complete with ``data``; one without an end is let go in pieces."""
        *whole, self._rest = (self._rest + data).split(b"\r\n\r\n")
        if len(self._rest) > MOST:
            whole, self._rest = [*whole, self._rest], b""
        return [piece.decode("utf-8", "replace") for piece in whole if piece.strip()]
