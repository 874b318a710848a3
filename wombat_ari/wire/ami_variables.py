"""Channel variables as ``Variable`` headers of an Originate: any text arrives exactly, also one longer than a line.

A long value is cut into pieces, which Asterisk's function ``PUSH`` puts together on the channel before any dialplan
runs: ``PUSH(NOTE,c)=more`` makes of NOTE what it was, the one byte c, and ``more``. So the byte between two pieces is
spelled as that c; nothing is lost or added, also where a cut goes through a letter of several bytes. Asterisk takes the
variables of an Originate from the last to the first, so the first piece stands last (seen with 16.28 and 22.10).
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from wombat_ari.model.errors import UserError

MAX_LINE = 1021  #: bytes of one header line of an action, without its CRLF (measured on Asterisk 16 and 22)
MAX_VALUE = 16_000  #: bytes of one variable's value
#: The variable that names those which were to be inherited and are long: the shipped ``wombat-track`` sees to it, for
#: ``PUSH`` knows no underscores.
INHERITED = "WOMBAT_INHERITED"

_NAME = re.compile(r"_{0,2}[A-Za-z][A-Za-z0-9_]*")
FORBIDDEN = re.compile(r"[\r\n\0]")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', ",": "\\,"})
_ESCAPED = frozenset(b'\\",')


def encode_variable(name: str, value: str) -> tuple[str, str]:
    """The ``Variable`` header that sets one channel variable to exactly this text. One header per variable, always."""
    if not _is_name(name):
        raise UserError(f"{shown(name)!r} cannot be a channel variable's name", code="ami.variable_name")
    if value.isalnum():  # most are: there is nothing to refuse or to escape
        return "Variable", f"{name}={value}"
    if FORBIDDEN.search(value):
        raise UserError(f"variable {name} holds a line break or NUL, which cannot be sent", code="ami.line_break")
    return "Variable", f"{name}={value.translate(_ESCAPES)}"


def encode_variables(variables: Iterable[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[bytes]]:
    """The headers of those that fit a line, and the lines of all others."""
    headers: list[tuple[str, str]] = []
    lines: list[bytes] = []
    inherited: list[str] = []
    for name, value in variables:
        if is_long(name, value):
            lines += encode_long_variable(name, value)
            inherited += [name.lstrip("_")] if name.startswith("_") else []
        else:
            headers.append(encode_variable(name, value))
    if inherited:
        headers.append(encode_variable(INHERITED, ",".join(inherited)))
    return headers, lines


def is_long(name: str, value: str) -> bool:
    """Whether it must be cut. Most need not, and that is seen by their letters, of four bytes at most."""
    if 4 * len(value) + len(name) <= MAX_LINE - len("Variable: ="):
        return False
    return len(f"Variable: {name}={value.translate(_ESCAPES)}".encode("utf-8", "replace")) > MAX_LINE


def encode_long_variable(name: str, value: str) -> list[bytes]:
    """The lines that set it, in the order in which they are written. UserError: they cannot be."""
    encode_variable(name, value)
    plain = name.lstrip("_")
    try:
        data = value.encode()
    except UnicodeEncodeError:
        raise UserError(f"variable {plain} holds half a character", code="ami.character") from None
    if len(data) > MAX_VALUE:
        raise UserError(f"variable {plain} is {len(data)} bytes long, {MAX_VALUE} can be sent", code="ami.too_long")
    room = MAX_LINE - len(f"Variable: PUSH({plain},\\\\x00)=")
    lines, key = [], plain
    for piece, next_byte in _pieces(data, room):
        lines.append(f"Variable: {key}=".encode() + piece)
        key = f"PUSH({plain},\\\\x{next_byte:02x})"
    return lines[::-1]


def _pieces(data: bytes, room: int) -> Iterator[tuple[bytes, int]]:
    """Each escaped, of ``room`` bytes at most; and the byte behind it, which is in none of them."""
    at = 0
    while at < len(data):
        end = _end_of_piece(data, at, room)
        piece = data[at:end].replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b",", b"\\,")
        yield piece, data[end] if end < len(data) else 0
        at = end + 1


def _end_of_piece(data: bytes, at: int, room: int) -> int:
    end, size = at, 0
    while end < len(data) and (size := size + 1 + (data[end] in _ESCAPED)) <= room:
        end += 1
    if end == len(data):
        return end
    # Asterisk's log complains of half a letter, though it comes to no harm: better cut at a letter of one byte.
    whole = next((place for place in range(min(end, len(data) - 2), at + room // 2, -1) if data[place] < 0x80), 0)
    return whole or min(end, len(data) - 2)  # PUSH() of nothing would not add the byte before it


def shown(label: str) -> str:
    """For a message: short, in one line."""
    return FORBIDDEN.sub("?", label[:80])


@lru_cache(maxsize=1024)
def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None
