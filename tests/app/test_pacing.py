"""Long answers at the pace of their readers, on a real reactor in a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.system.site import until

SERVER = """
import sys
from twisted.internet import reactor
from twisted.python.threadpool import ThreadPool
from twisted.web.server import Site
from twisted.web.wsgi import WSGIResource
from wombat_ari.app import pacing

pacing.PATIENCE_S = 1.0

def app(environ, start_response):
    assert "HTTP_X_WOMBAT_REQUEST" not in environ
    start_response("200 OK", [])
    made = 0
    try:
        for _ in range(200):
            made += 1
            yield b"x" * (1 << 20)
    finally:
        print("made", made, flush=True)

threads = ThreadPool(0, 2)
threads.start()
reactor.addSystemEventTrigger("after", "shutdown", threads.stop)
site = Site(WSGIResource(reactor, threads, pacing.paced(app)), pacing.PacedRequest)
print(reactor.listenTCP(0, site, interface="127.0.0.1").getHost().port, flush=True)
reactor.run()
"""


@pytest.fixture
def server() -> Iterator[tuple[subprocess.Popen[str], int]]:
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.terminate()


def connected(port: int, *, headers: str = "") -> socket.socket:
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    reader.settimeout(60)
    reader.connect(("127.0.0.1", port))
    reader.sendall(f"GET / HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n".encode())
    return reader


def test_who_reads_gets_it_all(server: tuple[subprocess.Popen[str], int]) -> None:
    process, port = server
    with connected(port, headers="X-Wombat-Request: 1\r\n") as reader:
        total = 0
        while piece := reader.recv(1 << 20):
            total += len(piece)
    assert total > 200 << 20
    assert process.stdout is not None
    assert process.stdout.readline() == "made 200\n"


def test_who_takes_nothing_is_cut_off_and_not_much_was_made(server: tuple[subprocess.Popen[str], int]) -> None:
    process, port = server
    with connected(port) as reader:
        assert process.stdout is not None
        made = int(process.stdout.readline().split()[1])
        assert made < 20

        def cut() -> bool:
            try:
                return reader.recv(1 << 20) == b""
            except ConnectionResetError:
                return True

        until(cut, 30, "the connection is cut")


def test_who_goes_stops_it(server: tuple[subprocess.Popen[str], int]) -> None:
    process, port = server
    for _ in range(3):  # more than there are threads
        with connected(port) as reader:
            assert reader.recv(100)
        assert process.stdout is not None
        assert int(process.stdout.readline().split()[1]) < 20
