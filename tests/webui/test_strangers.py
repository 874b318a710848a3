"""Long bodies are read of those only who were let in, and every answer, also of HTTP itself, has the strict headers."""

from __future__ import annotations

import base64
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.site import Site

PASSWORD = "correct-horse-battery"
BASIC = "Authorization: Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
WRONG = "Authorization: Basic " + base64.b64encode(b"admin:wrong").decode()
FAR = "X-Forwarded-For: 192.0.2.9"  #: of a proxy that is not known: nothing is trusted then
LONG = 64 << 20
UPLOADS = ("/wombat/api/lists/?op=addToList&list=x", "/wombat/api/edit/list", "/api/v1/lists/1/imports", "/console/x")
STRICT = ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "X-Frame-Options")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("strangers"), settings={"WOMBAT_ARI_ADMIN_PASSWORD": PASSWORD})
    site.wombat("init")
    try:
        site.serve()
        yield site
    finally:
        site.close()


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``numbers=111...``: one number that is none."""
    file = tmp_path_factory.mktemp("long") / "body"
    with file.open("wb") as out:
        out.write(b"numbers=")
        for _ in range(LONG >> 20):
            out.write(b"1" * (1 << 20))
    return file


class Talk:
    """A connection to the web server, word by word."""

    def __init__(self, site: Site) -> None:
        self.socket = socket.create_connection(("127.0.0.1", site.console_port), timeout=20)
        self.got = b""

    def __enter__(self) -> Talk:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, *lines: str, body: bytes = b"") -> None:
        self.socket.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode() + body)

    def hear(self, count: int = 1) -> str:
        """So many heads of answers."""
        while self.got.count(b"\r\n\r\n") < count:
            data = self.socket.recv(65536)
            assert data, f"closed after {self.got!r}"
            self.got += data
        return self.got.decode()

    def hear_end(self) -> str:
        while data := self.socket.recv(65536):
            self.got += data
        return self.got.decode()


def bytes_on_disk(site: Site) -> int:
    """Of files that the web process has open and nobody else sees any more."""
    found = 0
    for file in Path(f"/proc/{site.supervisor_pid}/fd").iterdir():
        try:
            if "(deleted)" in os.readlink(file):
                found += file.stat().st_size
        except OSError:
            continue
    return found


@pytest.mark.parametrize("path", UPLOADS)
@pytest.mark.parametrize("header", [WRONG, FAR])
def test_the_body_of_a_stranger_is_not_read(site: Site, path: str, header: str) -> None:
    with Talk(site) as talk:
        head = (f"POST {path} HTTP/1.1", "Host: x", header, f"Content-Length: {LONG}")
        talk.say(*head, "Content-Type: text/csv", body=b"numbers=" + b"1" * (1 << 20))
        answer = talk.hear()
        assert re.match(r"HTTP/1\.1 (401|403|429) ", answer), answer
        assert "connection: close" in answer.lower()
        assert all(name in answer for name in STRICT)
        assert "Server:" not in answer
        assert bytes_on_disk(site) < 1 << 16
        talk.hear_end()


@pytest.mark.parametrize("path", UPLOADS[:3])
def test_curl_reads_why_it_was_refused(site: Site, long_file: Path, path: str) -> None:
    """It is still sending then."""
    for expect in ("Expect:", "Expect: 100-continue"):
        done = subprocess.run(
            ["curl", "-sS", "-w", "\n%{http_code} %{size_upload}", "-H", FAR, "-H", expect, "-H",
             "Content-Type: text/csv", "--data-binary", f"@{long_file}", f"http://127.0.0.1:{site.console_port}{path}"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        status, sent = done.stdout.splitlines()[-1].split()
        assert status == "401", done.stdout + done.stderr
        assert int(sent) < LONG / 2
        assert "log-on" in done.stdout


def test_who_waits_for_100_continue_is_told_when_let_in_and_not_before(site: Site) -> None:
    for header, told in ((BASIC, "HTTP/1.1 100 Continue"), (WRONG, "HTTP/1.1 4")):
        with Talk(site) as talk:
            size = 1 << 17
            talk.say(
                "POST /wombat/api/lists/?op=addToList&list=y HTTP/1.1", "Host: x", header, "Expect: 100-continue",
                "Content-Type: application/x-www-form-urlencoded", f"Content-Length: {size}",
            )  # fmt: skip
            assert talk.hear().startswith(told)
            if header is BASIC:
                talk.socket.sendall((b"numbers=5551" + b"%7C5552" * size)[:size])
                assert talk.hear(2).partition("\r\n\r\n")[2].startswith("HTTP/1.1 200")


def test_who_is_let_in_sends_in_pieces_and_asks_again_on_the_same_connection(site: Site) -> None:
    body = b"numbers=5551" + b"%7C" * 30000
    with Talk(site) as talk:
        for count in (1, 2):
            talk.say(
                "POST /wombat/api/lists/?op=addToList&list=z HTTP/1.1", "Host: x", BASIC,
                "Content-Type: application/x-www-form-urlencoded", "Transfer-Encoding: chunked",
            )  # fmt: skip
            for piece in (body[:50], body[50:]):
                talk.socket.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
            talk.socket.sendall(b"0\r\n\r\n")
            assert talk.hear(count).count("HTTP/1.1 200") == count, talk.got


BROKEN = {
    "no request line": ("x", 400),
    "a header without a colon": ("GET / HTTP/1.1\r\nHost x\r\n\r\nGET / HTTP/1.1\r\n\r\n", 400),
    "two lengths": ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    "too long a line": (f"GET /{'x' * 70000} HTTP/1.1\r\n\r\n", 414),
    "too many headers": ("GET / HTTP/1.1\r\n" + "X: y\r\n" * 1000 + "\r\n", 400),
    "too long a header": (f"GET / HTTP/1.1\r\nX: {'x' * 70000}\r\n\r\n", 431),
    "too long a body": (f"POST / HTTP/1.1\r\nContent-Length: {1 << 40}\r\n\r\n", 413),
    "a chunk that is none": ("POST /wombat/api/lists/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_http_itself_refuses_has_the_strict_headers_and_is_one_answer(site: Site, case: str) -> None:
    sent, status = BROKEN[case]
    with Talk(site) as talk:
        talk.socket.sendall(sent.encode() + b"\r\n\r\n")
        answer = talk.hear_end()
    assert answer.startswith(f"HTTP/1.1 {status} "), answer
    assert answer.count("HTTP/1.1") == 1
    assert all(name in answer for name in STRICT)
    assert "Server:" not in answer
