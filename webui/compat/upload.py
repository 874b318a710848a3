"""Forms of any length: one big field is spooled to a file while it comes, so memory does not grow with it."""

import tempfile
from typing import BinaryIO, cast
from urllib.parse import unquote_to_bytes

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from wombat_ari.model.errors import UserError

IN_MEMORY = 1 << 20  #: bytes of the big field that stay in memory
_PIECE = 1 << 16
_MOST_OTHER = 1 << 16  #: bytes of a name or of any other field
_MOST_PARTS = 100


def spooled_form(request: Request, big: str) -> tuple[dict[str, str], BinaryIO | None]:
    """All fields of the body but ``big``, and that one as a file at its beginning (None: it was not sent; of a
    multipart form it may have one CR more at its end).

    Urlencoded and multipart forms, and for the field ``big`` also an uploaded file.
    """
    if request.mimetype == "multipart/form-data":
        boundary = request.mimetype_params.get("boundary", "").encode("latin-1", "replace")
        if not boundary:
            raise UserError("the body is multipart/form-data without a boundary")
        return _Spool(big).read_parts(cast(BinaryIO, request.stream), boundary)
    if not request.content_length:  # some clients name a type for a body that they do not send
        return {}, None
    if request.mimetype not in ("application/x-www-form-urlencoded", ""):
        raise UserError(f"the body is {request.mimetype}: it must be a form")
    return _Spool(big).read(cast(BinaryIO, request.stream))


def _new_file() -> BinaryIO:
    """It goes when nobody holds it any more."""
    return cast(BinaryIO, tempfile.SpooledTemporaryFile(IN_MEMORY))


class _Spool:
    """Reads ``a=1&numbers=...``, piece by piece (an escape may be cut by the end of a piece), or the parts of a
    multipart form: of the big field or a file of that name, it makes no difference."""

    def __init__(self, big: str) -> None:
        self._big = big
        self._file: BinaryIO | None = None
        self._others: dict[str, str] = {}
        self._name: str | None = None
        self._value = bytearray()

    def read(self, stream: BinaryIO) -> tuple[dict[str, str], BinaryIO | None]:
        rest = b""
        while piece := stream.read(_PIECE):
            rest = self._take(rest + piece)
        self._take(rest + b"&")
        if self._file is not None:
            self._file.seek(0)
        return self._others, self._file

    def read_parts(self, stream: BinaryIO, boundary: bytes) -> tuple[dict[str, str], BinaryIO | None]:
        decoder = MultipartDecoder(boundary, max_form_memory_size=_MOST_OTHER + _PIECE, max_parts=_MOST_PARTS)
        ended = False
        try:
            while not ended:
                piece = stream.read(_PIECE)
                decoder.receive_data(piece or None)
                ended = self._take_parts(decoder)
        except (ValueError, RequestEntityTooLarge):
            raise UserError(
                "the form (multipart/form-data) cannot be read: it is cut off, or has too many parts"
            ) from None
        if self._file is not None:
            self._file.seek(0)
        return self._others, self._file

    def _take_parts(self, decoder: MultipartDecoder) -> bool:
        """All that is complete; whether that was the end."""
        while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
            if isinstance(event, Field | File):
                self._name = event.name
                self._begin()
            elif isinstance(event, Data):
                self._store(event.data)
                if not event.more_data:
                    # werkzeug leaves the CR of the boundary where a piece ends within that one
                    self._value = self._value.removesuffix(b"\r")
                    self._end()
        return isinstance(event, Epilogue)

    def _take(self, data: bytes) -> bytes:
        """All that is complete; answers what is not."""
        while data:
            if self._name is None:
                name, found, after = data.partition(b"=")
                if b"&" in name:  # a name without a value
                    data = data.partition(b"&")[2]
                    continue
                if not found:
                    return self._bounded(data)
                self._name, data = _text(name), after
                self._begin()
                continue
            value, ended, after = data.partition(b"&")
            held = b"" if ended else _cut_escape(value)
            self._feed(value[: len(value) - len(held)])
            if not ended:
                return held
            self._end()
            data = after
        return b""

    def _begin(self) -> None:
        self._value.clear()
        if self._name == self._big and self._file is None:
            self._file = _new_file()

    def _feed(self, value: bytes) -> None:
        self._store(unquote_to_bytes(value.replace(b"+", b" ")))

    def _store(self, plain: bytes) -> None:
        if self._name == self._big and self._file is not None:
            self._file.write(plain)
        else:
            self._value += plain
            self._bounded(self._value)

    def _end(self) -> None:
        if self._name is not None and self._name != self._big:
            self._others.setdefault(self._name, self._value.decode("utf-8", "replace"))
        self._name = None

    def _bounded(self, data: bytes | bytearray) -> bytes:
        if len(data) > _MOST_OTHER:
            raise UserError(
                f"a field of the form has more than {_MOST_OTHER} bytes; only {self._big} may", code="too-large"
            )
        return bytes(data)


def _text(name: bytes) -> str:
    return unquote_to_bytes(name.replace(b"+", b" ")).decode("utf-8", "replace")


def _cut_escape(value: bytes) -> bytes:
    """The beginning of ``%xx`` at the end."""
    if value.endswith(b"%"):
        return value[-1:]
    return value[-2:] if value[-2:-1] == b"%" else b""
