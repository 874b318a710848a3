"""The Asterisk Manager Interface as bytes: a decoder that eats what comes, an encoder that refuses what would hurt.

Rules of the place:
- A value can forge nothing. CR, LF and NUL are refused before a byte exists, a variable's name is checked (Asterisk
  executes a function's name), what a dialplan puts into a UserEvent stands apart from what Asterisk itself says.
- Bytes that are not UTF-8 become U+FFFD, as Asterisk shows them: a lone surrogate would break the database later.
- Memory is bounded: a message that does not end within ``MAX_MESSAGE`` bytes is an error, not a leak.
- It is the hot path: a message is one string, cut out of the bytes by C code; its headers are looked up when asked for.
"""

from collections.abc import Collection, Sequence

from wombat_ari.model.calls import OriginateRequest
from wombat_ari.model.errors import PbxError, UserError
from wombat_ari.model.ids import channel_id, other_channel_id
from wombat_ari.wire.ami_variables import FORBIDDEN, MAX_LINE, encode_variables, shown

MAX_MESSAGE = 1_000_000  #: bytes of one message; the longest real one is the output of a Command
MAX_HEADERS = 128  #: headers of one action (measured)
_MAX_BANNER = 256
_MAX_NAMES = 1000  # Asterisk has about 200 events
_BANNER = b"Asterisk Call Manager/"


class ProtocolError(PbxError):
    """What came is not AMI, or is longer than anything Asterisk sends: the link cannot go on."""

    code = "pbx.protocol"


class Message:
    """One message: ``kind`` is its first header (``Event``, ``Response``), ``name`` that header's value."""

    __slots__ = ("kind", "name", "text")

    def __init__(self, kind: str, name: str, text: str) -> None:
        self.kind = kind
        self.name = name
        self.text = text  #: the whole message, lines parted by CRLF

    def get(self, key: str, default: str = "") -> str:
        """The first value of a header. In a UserEvent only Asterisk's own headers count, never the dialplan's."""
        return field(self.snapshot(), f"\r\n{key}: ", default)

    def snapshot(self) -> str:
        """The text without what the dialplan said."""
        return snapshot(self.text) if self.name == "UserEvent" else self.text

    def headers(self) -> dict[str, str]:
        """All headers, the first of each name; of a UserEvent those up to and with ``UserEvent``."""
        found: dict[str, str] = {}
        for line in self.snapshot().split("\r\n"):
            key, _, value = line.partition(":")
            found.setdefault(key, value.removeprefix(" "))
        return found

    def user(self) -> list[tuple[str, str]]:
        """What the dialplan said in a UserEvent, in order: everything behind the ``UserEvent:`` line."""
        return user_pairs(self.text) if self.name == "UserEvent" else []

    def output(self) -> list[str]:
        """The lines of a Command's answer."""
        return [line[8:] for line in self.text.split("\r\n") if line.startswith("Output: ")]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}>"


class Decoder:
    """Bytes in, messages out, whatever pieces the bytes come in. The banner tells whether CRLF or LF ends a line."""

    def __init__(self, *, max_message: int = MAX_MESSAGE) -> None:
        self.banner = ""  #: the first line, ``Asterisk Call Manager/11.0.0``
        self._max = max_message
        self._rest = b""
        self._bare = False  #: lines end with LF alone
        self._wanted: frozenset[str] | None = None
        self._names: dict[str, str] = {}  #: first line of an event seen before -> its name, empty: to be skipped

    def want(self, events: Collection[str] | None) -> None:
        """Let only these events through, by name (None: all). Answers always pass. The others cost a look-up."""
        self._wanted = None if events is None else frozenset(events)
        self._names = {}

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete with ``data``. ProtocolError: not AMI, or without an end."""
        if self._bare:
            data = _with_cr(data)
        buffer = self._rest + data if self._rest else data
        if not self.banner:
            buffer = self._take_banner(buffer)
        end = buffer.rfind(b"\r\n\r\n")
        if end < 0:
            self._keep(buffer)
            return []
        self._keep(buffer[end + 4 :])
        return self._cut(buffer[:end].decode("utf-8", "replace"))

    def _cut(self, text: str) -> list[Message]:
        names = self._names
        messages = []
        for piece in self._blocks(text):
            # Stray line ends at its edges depend on how the bytes came in pieces.
            block = piece.strip("\r\n")
            end = block.find("\r\n")
            name = names.get(block[:end] if end >= 0 else block)
            if name is None:
                messages += self._unknown(block)
            elif name:
                messages.append(Message("Event", name, block))
        return messages

    def _unknown(self, block: str) -> list[Message]:
        """A block whose first line was not seen before: an answer, an event to be remembered, or nothing at all."""
        head = block.partition("\r\n")[0]
        kind, _, name = head.partition(": ")
        if kind == "Event" and len(self._names) < _MAX_NAMES:
            self._names[head] = name if self._wanted is None or name in self._wanted else ""
        if not head or (kind == "Event" and self._wanted is not None and name not in self._wanted):
            return []
        return [Message(kind, name, block)]

    def _blocks(self, text: str) -> list[str]:
        blocks = text.split("\r\n\r\n")
        if len(text) > self._max and any(len(block) > self._max for block in blocks):
            raise ProtocolError(f"a message of more than {self._max} characters came")
        return blocks

    def _take_banner(self, buffer: bytes) -> bytes:
        line, newline, rest = buffer.partition(b"\n")
        if len(line) > _MAX_BANNER or not line.startswith(_BANNER[: len(line)] if not newline else _BANNER):
            raise ProtocolError(f"not an AMI: the first line is {line[:60]!r}", code="pbx.not_ami")
        if not newline:
            return buffer
        self.banner = line.rstrip(b"\r").decode("utf-8", "replace")
        self._bare = not line.endswith(b"\r")
        return _with_cr(rest) if self._bare else rest

    def _keep(self, rest: bytes) -> None:
        if len(rest) > self._max:
            raise ProtocolError(f"a message of more than {self._max} bytes has no end: {rest[:60]!r}...")
        self._rest = rest


def field(text: str, key: str, default: str = "") -> str:
    """The first value behind ``key``, written with its frame: ``"\\r\\nUniqueid: "``. The fast way to one header."""
    at = text.find(key)
    if at < 0:
        return default
    at += len(key)
    end = text.find("\r\n", at)
    return text[at:end] if end >= 0 else text[at:]


def snapshot(text: str) -> str:
    """A UserEvent's text up to and with its name: what Asterisk says of the channel, without the dialplan's keys."""
    at = text.find("\r\nUserEvent: ")
    end = text.find("\r\n", at + 2) if at >= 0 else -1
    return text[:end] if end >= 0 else text


def user_pairs(text: str) -> list[tuple[str, str]]:
    """The dialplan's own keys of a UserEvent, in order, double ones included."""
    lines = text[len(snapshot(text)) + 2 :].split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    return [(key, value.removeprefix(" ")) for key, _, value in pairs]


def _with_cr(data: bytes) -> bytes:
    return data.replace(b"\r", b"").replace(b"\n", b"\r\n")


def encode_action(name: str, headers: Sequence[tuple[str, str]] = (), *, more: Sequence[bytes] = ()) -> bytes:
    """One action, ready to be written; ``more`` are lines that are spelled already, without their ends. UserError names
    the header that cannot be sent.
    """
    in_all = 1 + len(headers) + len(more)
    if in_all > MAX_HEADERS:
        raise UserError(f"action {name} has {in_all} headers, Asterisk takes {MAX_HEADERS}", code="ami.headers")
    lines = [f"Action: {name}", *[f"{key}: {value}" for key, value in headers], "\r\n"]
    text = "\r\n".join(lines)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        data = b""
    count = len(lines)  # line ends of our own: one more of either byte came with a value
    if not data or data.count(b"\n") != count or data.count(b"\r") != count or b"\0" in data or len(data) > MAX_LINE:
        _check(name, headers)
    return b"\r\n".join([data[:-4], *more, b"\r\n"]) if more else data


def _check(name: str, headers: Sequence[tuple[str, str]]) -> None:
    """Find the header that is wrong, and say so. Returns when all are right (a long action of short lines)."""
    for key, value in (("Action", name), *headers):
        label = f"variable {value.partition('=')[0]}" if key == "Variable" and "=" in value else f"header {key}"
        if FORBIDDEN.search(key) or FORBIDDEN.search(value):
            raise UserError(f"{shown(label)} holds a line break or NUL, which cannot be sent", code="ami.line_break")
        _check_length(label, f"{key}: {value}")


def _check_length(label: str, line: str) -> None:
    try:
        size = len(line.encode())
    except UnicodeEncodeError:
        raise UserError(f"{shown(label)} holds half a character", code="ami.character") from None
    if size > MAX_LINE:
        raise UserError(f"{shown(label)} is {size} bytes long, Asterisk takes {MAX_LINE}", code="ami.too_long")


def encode_originate(request: OriginateRequest) -> bytes:
    """The Originate of an attempt: one identity as ActionID and ChannelId, never without a time-out."""
    if request.timeout_ms <= 0:
        raise UserError("the answer timeout must be more than 0: Asterisk would wait for ever", code="ami.timeout")
    unique_id = channel_id(request.call)
    headers = [
        ("ActionID", unique_id),
        ("Channel", _needed("dial string", request.channel)),
        ("Context", _needed("end point's context", request.context)),
        ("Exten", _needed("end point's extension", request.extension)),
        ("Priority", "1"),
        ("Timeout", str(request.timeout_ms)),
        ("Async", "true"),
        ("ChannelId", unique_id),
        ("OtherChannelId", other_channel_id(request.call)),
    ]
    if request.caller_id:
        headers.append(("CallerID", request.caller_id))
    if request.account:
        headers.append(("Account", request.account))
    variables, long = encode_variables(request.variables)
    return encode_action("Originate", headers + variables, more=long)


def _needed(what: str, value: str) -> str:
    if not value.strip():
        raise UserError(f"the {what} is empty", code="ami.empty")
    return value
