"""A real HTTP receiver in a thread, which verifies what it gets and behaves as it is told.

It checks signatures by the text of the Standard Webhooks specification, with nothing of ours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

HOST = "127.0.0.1"


@dataclass
class Letter:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.time)
    answered: int = 0  #: with which status, 0: with none

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("ascii"), keep_blank_values=True, strict_parsing=True))

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))

    def is_signed_with(self, secret: str) -> bool:
        timestamp = self.headers["webhook-timestamp"]
        if abs(self.at - int(timestamp)) > 300:
            return False
        signed = f"{self.message_id}.{timestamp}.".encode() + self.body
        wanted = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
        return f"v1,{wanted}" in self.headers.get("webhook-signature", "").split(" ")


class Receiver:
    """``behaviour``: ok, 500 (or any status), slow, silent, endless, big, cut, twice, redirect, busy."""

    def __init__(self, *, port: int = 0, certificate: tuple[Path, Path] | None = None) -> None:
        self.behaviour = "ok"
        self.refuse = lambda letter: False  #: those are answered 500 whatever the behaviour
        self.choose = lambda letter: self.behaviour  #: for this one
        self.letters: list[Letter] = []
        self.connections = 0
        self._lock = threading.Lock()
        self._certificate = certificate
        self._server: ThreadingHTTPServer | None = None
        self.port = port
        self.released = threading.Event()  #: ends all waiting
        self.open()

    @property
    def url(self) -> str:
        return f"{'https' if self._certificate else 'http'}://{HOST}:{self.port}/calls"

    @property
    def name(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def accepted(self) -> list[Letter]:
        return [letter for letter in self.letters if 200 <= letter.answered < 300]

    def open(self) -> None:
        """Listen (again) on the same port."""
        server = ThreadingHTTPServer((HOST, self.port), _handler(self))
        server.daemon_threads = True
        if self._certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self._certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = server.server_address[1]
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Down: nothing listens; what is under way ends by itself."""
        self.released.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30
        wbufsize = -1  # one write for head and body

        def setup(self) -> None:
            super().setup()
            receiver.connections += 1

        def do_POST(self) -> None:
            self._take()

        do_GET = do_POST

        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            letter = Letter(self.command, self.path, headers, body)
            with receiver._lock:
                receiver.letters.append(letter)
            behaviour = "500" if receiver.refuse(letter) else receiver.choose(letter)
            getattr(self, f"_{behaviour}", lambda letter: self._answer(letter, int(behaviour)))(letter)

        def _answer(self, letter: Letter, status: int, body: bytes = b"thank you", **headers: str) -> None:
            letter.answered = status
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def _ok(self, letter: Letter) -> None:
            self._answer(letter, 200)

        def _slow(self, letter: Letter) -> None:
            receiver.released.wait(60)
            self.close_connection = True

        def _silent(self, letter: Letter) -> None:
            """A good head, and then a body that does not come."""
            letter.answered = 200
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.flush()
            self._slow(letter)

        def _big(self, letter: Letter) -> None:
            try:
                self._answer(letter, 200, b"x" * 5_000_000)
            except OSError:
                self.close_connection = True  # the other side has had enough

        def _cut(self, letter: Letter) -> None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.close_connection = True

        def _twice(self, letter: Letter) -> None:
            self._answer(letter, 200)
            self._answer(letter, 200)

        def _redirect(self, letter: Letter) -> None:
            self._answer(letter, 302, Location=f"http://{HOST}:{receiver.port}/elsewhere")

        def _busy(self, letter: Letter) -> None:
            self._answer(letter, 503, Retry_After="7")

        def log_message(self, format: str, *args: Any) -> None:
            """Not on the screen."""

    return Handler
