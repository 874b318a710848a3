"""A stream of bytes into records, with constant memory: native text or CSV, UTF-8 (with or without BOM) or Latin-1.

Each line is decoded for itself: UTF-8, and what is not that is Latin-1. Lines end with LF or CR LF. A line that cannot
be a record gives a ``Refusal`` and the next one is read; what is wrong with a record that is taken is a ``Remark``.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from wombat_ari.core.csvlines import (
    Column,
    QuoteOpen,
    check_delimiter,
    columns_of,
    record_of,
    sniff_delimiter,
    split_line,
)
from wombat_ari.core.numbers import ParsedRecord, parse_native, wrong_alternatives
from wombat_ari.model.errors import UserError
from wombat_ari.model.lists import CsvPreview, Refusal, Remark

MAX_LINE = 1 << 20  #: bytes; what is longer is refused
_BLOCK = 1 << 16
_LOOK_AHEAD = 20  #: lines in which the end of a quoted value is looked for
_TOO_LONG = f"the line is longer than {MAX_LINE} bytes"

Item = ParsedRecord | Refusal | Remark


class Lines:
    """Numbered lines of a stream; ``bytes_read`` says how far it is. Other ``separator``: records in one text."""

    def __init__(self, stream: BinaryIO, separator: bytes = b"\n") -> None:
        self._stream = stream
        self._separator = separator
        self._back: deque[tuple[int, str]] = deque()
        self._source = self._numbered()
        self.bytes_read = 0

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return self

    def __next__(self) -> tuple[int, str]:
        return self._back.popleft() if self._back else next(self._source)

    def put_back(self, lines: Sequence[tuple[int, str]]) -> None:
        self._back.extendleft(reversed(lines))

    def _numbered(self) -> Iterator[tuple[int, str]]:
        pieces = self._pieces() if self._separator == b"\n" else _records(self._pieces(), self._separator)
        for number, piece in enumerate(pieces, start=1):
            if number == 1:
                piece = _without_mark(piece)
            yield number, _decoded(piece)

    def _pieces(self) -> Iterator[bytes]:
        """Cut at the separator. Of a piece that is too long its beginning is given, so that it is refused."""
        rest, skipping = b"", False
        while block := self._stream.read(_BLOCK):
            self.bytes_read += len(block)
            *whole, rest = (rest + block).split(self._separator)
            if whole and skipping:
                whole, skipping = whole[1:], False
            yield from whole
            if skipping:
                rest = b""
            elif len(rest) > MAX_LINE:
                yield rest
                rest, skipping = b"", True
        if rest:
            yield rest


def read_native(lines: Lines) -> Iterator[Item]:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            if len(line) > MAX_LINE:
                raise UserError(_TOO_LONG)
            record = parse_native(line)
            yield record
            yield from _remarks(number, record)
        except UserError as error:
            yield Refusal(number, str(error))


def read_csv(lines: Lines, *, delimiter: str | None, labels: Sequence[str] | None) -> Iterator[Item]:
    """``delimiter`` None: found out. ``labels`` replace those of the file (the number's stays first, empty: left out).

    UserError when the line of labels is wrong: then nothing is read.
    """
    delimiter, columns = _plan(lines, delimiter, labels=labels)
    for number, line in lines:
        if not line.strip():
            continue
        try:
            record = record_of(_cells(lines, line, delimiter), columns)
            yield record
            yield from _remarks(number, record)
        except UserError as error:
            yield Refusal(number, str(error))


def _remarks(line: int, record: ParsedRecord) -> list[Remark]:
    return [Remark(line, f"{wrong}; it will not be dialled") for wrong in wrong_alternatives(record.input_attributes)]


def preview_csv(stream: BinaryIO, *, delimiter: str | None = None, rows: int = 10) -> CsvPreview:
    """What a CSV would be read as. Labels are as in the file; UserError when its first one is not NUM or NUMBER."""
    lines = Lines(stream)
    _, header = _first(lines)
    delimiter = check_delimiter(delimiter or sniff_delimiter(header))
    shown: list[tuple[str, ...]] = []
    for _, line in lines:
        if len(shown) >= rows:
            break
        try:
            shown.append(tuple(split_line(line, delimiter)))
        except UserError:
            shown.append((line,))
    return CsvPreview(delimiter, tuple(label.strip() for label in split_line(header, delimiter)), tuple(shown))


def _plan(lines: Lines, delimiter: str | None, *, labels: Sequence[str] | None) -> tuple[str, list[Column]]:
    _, header = _first(lines)
    delimiter = check_delimiter(delimiter or sniff_delimiter(header))
    found = split_line(header, delimiter)
    if found[0].strip().upper() not in ("NUM", "NUMBER"):
        sniff_delimiter(found[0])
        raise UserError(
            f"CSV: with the delimiter {delimiter!r} the first label is {found[0][:20]!r}, not NUM or NUMBER"
        )
    if labels is not None and len(labels) != len(found):
        raise UserError(f"CSV: {len(labels)} labels were given for {len(found)} columns")
    return delimiter, columns_of(list(labels) if labels is not None else found)


def _first(lines: Lines) -> tuple[int, str]:
    for number, line in lines:
        if line.strip():
            return number, line
    raise UserError("the file is empty")


def _cells(lines: Lines, line: str, delimiter: str) -> list[str]:
    """A quoted value with line breaks is refused as a whole; a quote that is never closed costs its own line only."""
    if len(line) > MAX_LINE:
        raise UserError(_TOO_LONG)
    try:
        return split_line(line, delimiter)
    except QuoteOpen:
        _pass_over(lines, line, delimiter)
        raise


def _pass_over(lines: Lines, line: str, delimiter: str) -> None:
    """UserError when a quoted value ends some lines later, which are then passed over; else they are put back."""
    following: list[tuple[int, str]] = []
    for number, more in lines:
        following.append((number, more))
        line = f"{line} {more}"
        try:
            split_line(line, delimiter)
        except QuoteOpen:
            if len(following) < _LOOK_AHEAD and len(line) <= MAX_LINE:
                continue
            break
        except UserError:
            break
        raise UserError("a value holds a line break")
    lines.put_back(following)


def _records(pieces: Iterator[bytes], separator: bytes) -> Iterator[bytes]:
    """Without line breaks around: a file that is sent ends with one, and people put records on lines of their own."""
    return (piece.strip(b"\r\n") for piece in _rejoined(pieces, separator))


def _rejoined(pieces: Iterator[bytes], separator: bytes) -> Iterator[bytes]:
    """A separator behind an odd number of backslashes belongs to the text."""
    kept = b""
    for piece in pieces:
        kept += piece
        if (len(kept) - len(kept.rstrip(b"\\"))) % 2 and len(kept) <= MAX_LINE:
            kept = kept[:-1] + separator
            continue
        yield kept
        kept = b""
    if kept:
        yield kept


def _without_mark(piece: bytes) -> bytes:
    if piece.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UserError("the file is UTF-16; save it as UTF-8 and try again")
    return piece.removeprefix(b"\xef\xbb\xbf")


def _decoded(piece: bytes) -> str:
    try:
        text = piece.decode("utf-8")
    except UnicodeDecodeError:
        text = piece.decode("latin-1")
    return text.removesuffix("\r")
