"""Forms of any length: what is read is what was sent, wherever pieces end, and memory stays flat."""

from __future__ import annotations

import tracemalloc
from io import BytesIO
from typing import BinaryIO
from urllib.parse import urlencode

import pytest
from flask import Request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from webui.compat import upload
from webui.compat.upload import spooled_form
from wombat_ari.model.errors import UserError


def read(body: bytes, kind: str = "application/x-www-form-urlencoded") -> tuple[dict[str, str], str | None]:
    builder = EnvironBuilder(method="POST", input_stream=BytesIO(body), content_type=kind, content_length=len(body))
    others, file = spooled_form(Request(builder.get_environ()), "numbers")
    return others, None if file is None else file.read().decode()


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


@given(st.lists(st.tuples(st.sampled_from(["list", "dedupe", "ä&="]), texts), max_size=4), texts, st.integers(1, 7))
def test_it_reads_what_was_sent(fields: list[tuple[str, str]], numbers: str, piece: int) -> None:
    body = urlencode([*fields[:2], ("numbers", numbers), *fields[2:]]).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upload, "_PIECE", piece)
        others, found = read(body)
    first: dict[str, str] = {}
    for name, value in fields:
        first.setdefault(name, value)
    assert (others, found) == (first, numbers)


@pytest.mark.parametrize(
    ("body", "others", "numbers"),
    [
        (b"", {}, None),
        (b"list=a", {"list": "a"}, None),
        (b"flag&list=a&&numbers=1%7c2|3+4&", {"list": "a"}, "1|2|3 4"),
        (b"numbers=", {}, ""),
        (b"numbers=50%", {}, "50%"),
        (b"numbers=50%2", {}, "50%2"),
    ],
)
def test_table(body: bytes, others: dict[str, str], numbers: str | None) -> None:
    assert read(body) == (others, numbers)


def test_multipart_with_a_file() -> None:
    builder = EnvironBuilder(method="POST", data={"list": "a", "numbers": (BytesIO(b"1|2"), "numbers.txt")})
    others, file = spooled_form(Request(builder.get_environ()), "numbers")
    assert (others, file and file.read()) == ({"list": "a"}, b"1|2")


def in_parts(numbers: bytes, *, disposition: str = "", ending: bytes = b"--\r\n") -> tuple[dict[str, str], str | None]:
    head = f'--cut\r\nContent-Disposition: form-data; name="numbers"{disposition}\r\n\r\n'.encode()
    other = b'--cut\r\nContent-Disposition: form-data; name="list"\r\n\r\n\xc3\xa4\r\n'
    return read(other + head + numbers + b"\r\n--cut" + ending, "multipart/form-data; boundary=cut")


@pytest.mark.parametrize("disposition", ["", '; filename="numbers.txt"'])
def test_multipart_with_a_field_or_a_file_of_any_size(disposition: str) -> None:
    """curl -F numbers=@file, and -F numbers=<file."""
    numbers = "|".join(str(10**9 + number) for number in range(600_000))
    assert in_parts(numbers.encode(), disposition=disposition) == ({"list": "ä"}, numbers)


@given(st.text("0123456789|,:ä\r\n-", max_size=200), st.integers(16, 70))
def test_multipart_in_pieces(numbers: str, piece: int) -> None:
    text = f"+39{numbers}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upload, "_PIECE", piece)
        others, found = in_parts(text.encode())
    assert others == {"list": "ä"}
    assert found is not None
    assert found in (text, text + "\r"), "one CR more is of the line's end"


def test_multipart_that_is_cut_off_is_refused() -> None:
    with pytest.raises(UserError, match="cut off"):
        in_parts(b"1|2", ending=b"")
    with pytest.raises(UserError, match="without a boundary"):
        read(b"x", "multipart/form-data")


def test_what_is_no_form_is_refused() -> None:
    with pytest.raises(UserError, match="application/json: it must be a form"):
        read(b"{}", "application/json")


@pytest.mark.parametrize("body", [b"list=" + b"x" * 100_000, b"x" * 100_000])
def test_other_fields_are_bounded(body: bytes) -> None:
    with pytest.raises(UserError, match="only numbers may"):
        read(body)


class Endless(BytesIO):
    """A body of 64 MB that is nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 64 << 20

    def read(self, size: int | None = -1) -> bytes:
        size = min(size or 0, self.left)
        self.left -= size
        return b"5" * size


def test_memory_is_flat() -> None:
    stream: BinaryIO = Endless()
    environ = {"REQUEST_METHOD": "POST", "wsgi.input": BytesIO(b""), "wsgi.url_scheme": "http", "SERVER_NAME": "x"}
    request = Request(
        {
            **environ,
            "SERVER_PORT": "80",
            "CONTENT_LENGTH": str(16 + (64 << 20)),
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
        }
    )
    request.__dict__["stream"] = _With(b"list=a&numbers=", stream)
    tracemalloc.start()
    others, file = spooled_form(request, "numbers")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert others == {"list": "a"}
    assert file is not None
    assert file.seek(0, 2) == 64 << 20
    assert peak < 8 << 20


class _With:
    """Bytes before another stream."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int) -> bytes:
        head, self._head = self._head, b""
        return head or self._rest.read(size)
