"""The peer of P11: Flask under waitress whose one address does one INSERT, committed, and answers.

    python -m tools.bench.p11_peer PORT KIND ADDRESS

``KIND`` is mariadb (ADDRESS: host:port:user:database, the password in MYSQL_PWD) or sqlite (ADDRESS: the file). A
connection for each thread, opened once; each commit is as durable as the dialer's.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from typing import Any

from flask import Flask, Response, request

THREADS = 8
INSERT = "INSERT INTO peer_call (campaign, number, attrs) VALUES ({0}, {0}, {0})"


def create_app(kind: str, address: str) -> Flask:
    app = Flask(__name__)
    local = threading.local()
    turn = threading.Lock()  # SQLite has one writer; waiting for it otherwise is looking again and again

    def connection() -> Any:
        if not hasattr(local, "connection"):
            local.connection = _connected(kind, address)
        return local.connection

    @app.route("/calls", methods=["GET", "POST"])
    def add_call() -> Response:
        row = (request.values["campaign"], request.values["number"], request.values.get("attrs", ""))
        if kind == "sqlite":
            with turn:
                made = connection().execute(INSERT.format("?"), row).lastrowid
        else:
            cursor = connection().cursor()
            cursor.execute(INSERT.format("%s"), row)
            made = cursor.lastrowid
            cursor.close()
        return Response(f"OK\nID:{made}\n", mimetype="text/plain")

    return app


def _connected(kind: str, address: str) -> Any:
    if kind == "sqlite":
        made = sqlite3.connect(address, isolation_level=None, timeout=10)
        made.execute("PRAGMA journal_mode = wal")
        made.execute("PRAGMA synchronous = full")
        return made
    import MySQLdb

    host, port, user, database = address.split(":")
    return MySQLdb.connect(
        host=host, port=int(port), user=user, password=os.environ["MYSQL_PWD"], database=database, autocommit=True
    )


def main() -> None:
    from waitress import serve

    port, kind, address = sys.argv[1:]
    serve(
        create_app(kind, address),
        host="127.0.0.1",
        port=int(port),
        threads=THREADS,
        connection_limit=1000,
        asyncore_use_poll=True,
    )


if __name__ == "__main__":
    main()
