"""A dialer to talk to: what it was asked, and answers of every kind."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest


@dataclass
class Dialer:
    """Answers as the compatible API does. ``answers``: (status, text) each; the last one for ever."""

    url: str = ""
    answers: list[tuple[int, str]] = field(default_factory=lambda: [(200, "OK: Event CALLSTATUS queued\n")])
    delay_s: float = 0.0
    drops: bool = False  #: it closes the connection instead of answering
    asked: list[dict[str, str]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None

    @property
    def env(self) -> dict[str, str]:
        return {"WOMBAT_AGI_URL": self.url}


@pytest.fixture
def dialer() -> Iterator[Dialer]:
    told = Dialer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            told.paths.append(self.path)
            told.tokens.append(self.headers.get("Authorization", ""))
            told.asked.append(dict(parse_qsl(body, keep_blank_values=True)))
            time.sleep(told.delay_s)
            if told.drops:
                return
            status, text = told.answers.pop(0) if len(told.answers) > 1 else told.answers[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = told.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    told.url = f"http://127.0.0.1:{server.server_address[1]}/wombat/api"
    yield told
    server.shutdown()
    server.server_close()
