"""FastAGI as lines: what Asterisk sends first, what it answers, and how a command is written.

Rules of the place:
- Lines end with LF. ``HANGUP`` is a line that may come before or instead of any answer.
- ``agi_network_script`` is ``path?query`` as the dialplan wrote it, not URL-decoded: it is decoded here, once.
- A command's argument is quoted always; what cannot be inside quotes (CR, LF, NUL) is refused.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from wombat_ari.model.errors import PbxError, UserError

MAX_LINE = 65536  #: bytes of one line that is read: a variable's value may be long
MAX_COMMAND = 2048  #: bytes of a command: Asterisk's AGI_BUF_LEN
MAX_ENV_LINES = 300
MAX_ENV = 1 << 16  #: bytes of all of them
HANGUP = "HANGUP"
FAILURE = b"FAILURE\n"  #: a command that ends the session in Asterisk with AGISTATUS FAILURE

_TOO_MUCH = f"more than {MAX_ENV_LINES} lines or {MAX_ENV} bytes before the first command"
_FORBIDDEN = re.compile(r"[\r\n\0]")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_REPLY = re.compile(r"(\d{3})([ -]?)(.*)", re.DOTALL)
_OPEN = "200 result=1 ("  #: a variable's answer; its value has line breaks where nothing closes it
_RESULT = re.compile(r"result=(\S*)(?: \((.*)\)(?: endpos=(\d+))?| endpos=(\d+))?\s*", re.DOTALL)


class AgiError(PbxError):
    """What came is not AGI, or too long for it."""

    code = "pbx.agi"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: ``200 result=1 (value)``. ``text`` is what stands behind the code, whole."""

    code: int
    result: str  #: as it came; ``-1`` is a failure, empty when there is none
    value: str  #: what stood in parentheses
    text: str
    end_position: int | None = None  #: samples played or recorded, where it says so


@dataclass(frozen=True, slots=True)
class Request:
    """What the dialplan asked for: ``AGI(agi://host/path?name=value&...,arg,...)``."""

    path: str
    query: tuple[tuple[str, str], ...]
    arguments: tuple[str, ...]


class Environment:
    """What Asterisk sends before it listens, as its bytes come."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        self.hung_up = False  #: a ``HANGUP`` was among the lines
        self._buffer = b""

    def take(self, data: bytes) -> bytes | None:
        """None: there is more to come. Else what came behind it. AgiError: this is not AGI."""
        self._buffer = data = self._buffer + data
        if b"\r" in data:
            self._buffer = data = data.replace(b"\r\n", b"\n")
        head, end, rest = data.partition(b"\n\n")
        if not end:
            if len(data) > MAX_ENV or data.count(b"\n") > MAX_ENV_LINES:
                raise AgiError(_TOO_MUCH)
            if data[:4] != b"agi_"[: len(data)] and data[:6] != b"HANGUP"[: len(data)]:
                raise AgiError(f"not AGI: {data[:60]!r}")
            return None
        if len(head) > MAX_ENV or head.count(b"\n") >= MAX_ENV_LINES:
            raise AgiError(_TOO_MUCH)
        lines = head.decode("utf-8", "replace").split("\n")
        if HANGUP in lines:
            self.hung_up = True
            lines = [line for line in lines if line != HANGUP]
        self.variables = parse_env(lines)
        return rest


def parse_env(lines: Iterable[str]) -> dict[str, str]:
    """The variables that Asterisk sends before it listens: ``agi_uniqueid: wbt-...``. The first of a name wins."""
    env: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.startswith("agi_"):
            raise AgiError(f"not AGI: {line[:60]!r}")
        env.setdefault(name, value.removeprefix(" "))
    return env


def parse_request(env: dict[str, str]) -> Request:
    """Path, query and arguments of an AGI call, decoded. ``+`` stays a plus: URIENCODE writes a blank as ``%20``."""
    path, _, query = env.get("agi_network_script", "").partition("?")
    arguments: list[str] = []
    while (name := f"agi_arg_{len(arguments) + 1}") in env:
        arguments.append(env[name])
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    decoded = tuple((unquote(name), unquote(value)) for name, _, value in pairs)
    return Request(unquote(path).strip("/"), decoded, tuple(arguments))


def parse_reply(lines: list[str]) -> Reply:
    """One answer, from its line or, for a ``520-``, its lines."""
    match = _REPLY.match(lines[0])
    if match is None:
        raise AgiError(f"not an AGI answer: {lines[0][:60]!r}")
    text = "\n".join([match[3], *lines[1:]])
    result = _RESULT.match(text)
    if result is None:
        return Reply(int(match[1]), "", "", text)
    end = result[3] or result[4]
    return Reply(int(match[1]), result[1], result[2] or "", text, int(end) if end else None)


def is_more_to_come(line: str) -> bool:
    """Whether this first line of an answer opens one of several lines: an error's, or a variable's of several lines."""
    if line.startswith(_OPEN):
        return _RESULT.fullmatch(line[4:]) is None
    return line[3:4] == "-" and line[:3].isdecimal()


def is_whole(lines: Sequence[str]) -> bool:
    """Whether an answer that was opened so is complete: the same code and a blank end an error, a ``)`` a variable."""
    if lines[0].startswith(_OPEN):
        return lines[-1].endswith(")")
    return len(lines) > 1 and lines[-1].startswith(f"{lines[0][:3]} ")


def encode_command(name: str, *arguments: str | int) -> bytes:
    """``SET VARIABLE`` and its arguments as one line. UserError: an argument that no line can carry."""
    line = " ".join([name, *[quoted(str(argument)) for argument in arguments]])
    if _FORBIDDEN.search(line):
        raise UserError(f"an argument of {name} holds a line break or NUL, which cannot be sent", code="agi.line_break")
    data = line.encode("utf-8", "replace") + b"\n"
    if len(data) > MAX_COMMAND:
        raise UserError(f"{name} is {len(data)} bytes long, Asterisk takes {MAX_COMMAND}", code="agi.too_long")
    return data


def asking_variable(name: str) -> tuple[str, str]:
    """The command that answers a channel variable whole: GET VARIABLE cuts at 1,023 bytes without a word. What is more
    than a name (a function) is not put where Asterisk would evaluate it.
    """
    return ("GET FULL VARIABLE", f"${{{name}}}") if _NAME.fullmatch(name) else ("GET VARIABLE", name)


def quoted(text: str) -> str:
    """In quotes, with quotes and backslashes escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
