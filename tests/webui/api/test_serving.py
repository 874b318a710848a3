"""The real ``wombat-ari serve``: long imports and exports in little memory, also for a reader that takes its time."""

from __future__ import annotations

import json
import os
import re
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.site import Site, until
from tests.webui.api.conftest import basic

PASSWORD = "correct-horse-battery"
MANY = int(os.environ.get("WOMBAT_TEST_NUMBERS", "120000"))
NOTE = "x" * 550  #: so that the list is much longer than all buffers on the way
MOST_MORE_MB = 58  #: the list has 68, and memory does not grow with it; what is imported late is in it


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("api"), settings={"WOMBAT_ARI_ADMIN_PASSWORD": PASSWORD})
    site.wombat("init")
    try:
        site.serve()
        yield site
    finally:
        site.close()


def ask(site: Site, method: str, path: str, data: Any = None, kind: str = "application/json") -> Any:
    body = json.dumps(data).encode() if kind == "application/json" and data is not None else data
    request = urllib.request.Request(f"http://127.0.0.1:{site.console_port}/api/v1{path}", data=body, method=method)
    request.add_header("Authorization", basic("admin", PASSWORD))
    request.add_header("Content-Type", kind)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def memory_mb(site: Site) -> float:
    status = Path(f"/proc/{site.supervisor_pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) / 1024


def test_a_long_list_in_and_out_again(site: Site, tmp_path: Path) -> None:
    list_id = ask(site, "POST", "/lists", {"name": "numbers"})["id"]
    file = tmp_path / "numbers.txt"
    with file.open("w") as out:
        out.writelines(f"55{n:08d},NOTE:{NOTE}\n" for n in range(MANY))
    before = memory_mb(site)
    with file.open("rb") as source:
        begun = ask(site, "POST", f"/lists/{list_id}/imports", source.read(), "text/plain")
    assert begun["state"] in ("WAITING", "RUNNING")
    told = begun

    def over() -> bool:
        nonlocal told
        last, told = told, ask(site, "GET", f"/imports/{begun['id']}")
        assert told["read"] >= last["read"]
        return bool(told["state"] == "DONE")

    until(over, 120, "the import is over")
    assert (told["added"], told["refused"], told["bytes_read"]) == (MANY, 0, file.stat().st_size)
    assert memory_mb(site) - before < MOST_MORE_MB

    # A reader that takes nothing for a while: what it has not taken yet is not made.
    reader = _begin(site, f"/api/v1/lists/{list_id}/export")
    try:
        before = memory_mb(site)
        began = time.monotonic()
        while time.monotonic() - began < 3:  # there is nothing to wait for: nothing may happen
            assert memory_mb(site) - before < MOST_MORE_MB
            time.sleep(0.1)
        assert ask(site, "GET", "/version"), "others are answered meanwhile"
        text = _rest(reader)
    finally:
        reader.close()
    assert text == file.read_bytes()
    assert memory_mb(site) - before < MOST_MORE_MB


def test_a_reader_that_goes_leaves_nothing_behind(site: Site) -> None:
    for _ in range(10):  # more than there are threads
        reader = _begin(site, "/api/v1/lists/1/export?format=csv")
        assert reader.recv(1000)
        reader.close()
    assert ask(site, "GET", "/version")
    assert "Traceback" not in site.log()


def test_answers_without_a_body_end_well(site: Site) -> None:
    """Both on one connection."""
    list_id = ask(site, "POST", "/lists", {"name": "short"})["id"]
    lines = ("HTTP/1.1", "Host: localhost", f"Authorization: {basic('admin', PASSWORD)}")
    with socket.create_connection(("127.0.0.1", site.console_port), 30) as connection:
        for method, path, status in (("DELETE", f"lists/{list_id}", b"204"), ("GET", f"lists/{list_id}", b"404")):
            head = "\r\n".join([f"{method} /api/v1/{path} {lines[0]}", *lines[1:], "", ""])
            connection.sendall(head.encode())
            assert connection.recv(1 << 16).split()[1] == status
    assert "CRITICAL" not in site.log()


def test_serving_the_page_and_the_document(site: Site) -> None:
    for path, kind in (("/docs", "text/html"), ("/openapi.json", "application/json")):
        request = urllib.request.Request(f"http://127.0.0.1:{site.console_port}/api/v1{path}")
        request.add_header("Authorization", basic("admin", PASSWORD))
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.headers["Content-Type"].startswith(kind)
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
            text = answer.read().decode()
    assert "/campaigns/{campaign_id}" in text


def _begin(site: Site, path: str) -> socket.socket:
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    reader.settimeout(120)
    reader.connect(("127.0.0.1", site.console_port))
    lines = (
        f"GET {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: {basic('admin', PASSWORD)}",
        "Connection: close",
    )
    reader.sendall("\r\n".join([*lines, "", ""]).encode())
    return reader


def _rest(reader: socket.socket) -> bytes:
    """The body, out of its chunks."""
    with reader.makefile("rb") as stream:
        assert b" 200 " in stream.readline()
        while stream.readline().strip():
            pass
        pieces = []
        while size := int(stream.readline(), 16):
            pieces.append(stream.read(size))
            stream.readline()
        return b"".join(pieces)
