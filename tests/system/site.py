"""A whole site for a test: configuration, database, lists, and the real ``wombat-ari`` processes, in one folder.

The command line is used as a person would; what the dialer is doing is asked over the control socket and the database
by small clients of the tests' own, which need no reactor and cost no start of Python.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.system.control import Control
from tools.provision.asterisk import AsteriskInstance
from tools.provision.ports import HOST
from tools.provision.process import ServerProcess, Spec, tail, wait_until
from wombat_ari.model.calls import RunCounters
from wombat_ari.store import ledger
from wombat_ari.store.database import Database, open_database

Tables = dict[str, list[dict[str, Any]]]


PATIENCE = 2.0
"""Limits are those of a machine that does little else; one that is full with other tests is given this much more."""


def until(condition: Callable[[], Any], limit: float, what: str = "") -> Any:
    """Poll ``condition`` until it is true and return what it gave; ``PATIENCE`` x ``limit`` seconds later it fails."""
    limit *= PATIENCE
    found: list[Any] = []

    def asked() -> bool:
        found[:] = [condition()]
        return bool(found[0])

    if not wait_until(asked, timeout=limit, pause=0.05):
        pytest.fail(f"within {limit:g} s it did not come true: {what or condition}; the last answer was {found[0]!r}")
    return found[0]


def _port() -> int:
    """A free port below those that servers of other test runs are given: it is bound later, by another process."""
    while True:
        port = random.SystemRandom().randrange(10_000, 20_000)
        with contextlib.suppress(OSError), socket.create_server((HOST, port)):
            return port


class Site:
    """``url`` is the database, SQLite in the folder when empty. ``settings`` are further WOMBAT_ARI_* variables."""

    def __init__(self, folder: Path, *, url: str = "", settings: dict[str, str] | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.state = folder / "state"
        self.console_port = self.agi_port = _port()
        while self.agi_port == self.console_port:  # nothing is bound yet: the same may come twice
            self.agi_port = _port()
        self.environment = {
            "WOMBAT_ARI_STATE_FOLDER": str(self.state),
            "WOMBAT_ARI_CONSOLE_PORT": str(self.console_port),
            "WOMBAT_ARI_FASTAGI_PORT": str(self.agi_port),
            "WOMBAT_ARI_DATABASE_URL": url,
            **(settings or {}),
        }
        self._plans = 0
        self._server = ServerProcess("wombat-ari serve", output=folder / "serve.log")
        self._database: Database | None = None

    # The command line

    def wombat(self, *arguments: str, status: int = 0, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run ``wombat-ari`` with these arguments (``text``: its standard input); it must end with ``status``."""
        done = subprocess.run(
            [sys.executable, "-m", "wombat_ari", *arguments],
            env=self._environment(), input=text, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        said = f"{done.stdout}{done.stderr}"
        assert done.returncode == status, f"wombat-ari {' '.join(arguments)}: status {done.returncode}\n{said}"
        assert "Traceback" not in said, said
        return done

    def apply(self, tables: Tables) -> str:
        """Apply a plan; answers what was said."""
        self._plans += 1
        plan = self.folder / f"plan{self._plans}.toml"
        plan.write_text(plan_text(tables), encoding="utf-8")
        return self.wombat("apply", str(plan)).stdout

    def fill(self, name: str, lines: Sequence[str]) -> None:
        """Import native text into a list."""
        self.wombat("import", name, "-", text="".join(f"{line}\n" for line in lines))

    # The processes

    def serve(self, *, prefix: Sequence[str] = (), ready: bool = True) -> None:
        """Start ``wombat-ari serve``; returns when the dialer is READY. ``prefix`` is a command to run it under."""
        argv = [*prefix, sys.executable, "-m", "wombat_ari", "serve"]
        self._server.spawn(Spec(argv=argv, directory=str(self.folder), env=self._environment()))
        if ready:
            self.await_ready()

    def await_ready(self, limit: float = 60) -> None:
        """A busy machine takes half a minute and more to start two Pythons; who has ended already is not waited for."""
        until(lambda: self.state_of_dialer() == "READY" or not self.serving, limit, "the dialer is READY")
        assert self.serving, f"wombat-ari serve has ended with status {self.status}"

    def await_pbx(self, limit: float = 30) -> None:
        until(self._all_connected, limit, "every PBX is connected")

    def stop(self, limit: float = 15) -> int | None:
        """SIGTERM to ``serve``; answers its exit status once it has ended."""
        self._server.stop(timeout=limit)
        return self._server.status

    def close(self) -> None:
        """End whatever still runs. The log's tail is shown by pytest if the test failed."""
        try:
            if self._server.alive:
                self._server.stop(timeout=15)
        finally:
            self._server.kill_group()
        if self._database is not None:
            self._database.close()
        print(f"--- the end of {self.folder / 'serve.log'}:\n{self.log(80)}")

    @property
    def serving(self) -> bool:
        return self._server.alive

    @property
    def supervisor_pid(self) -> int:
        return self._server.pid

    @property
    def status(self) -> int | None:
        """Exit status of ``serve``, None while it runs."""
        return self._server.status

    def dialer_pid(self) -> int | None:
        """The process id of the dialer under ``serve``."""
        if not self.serving:
            return None
        children = Path(f"/proc/{self._server.pid}/task/{self._server.pid}/children").read_text().split()
        return next((int(pid) for pid in children if _runs_dialer(int(pid))), None)

    def log(self, lines: int = 400) -> str:
        """The end of what both processes logged."""
        return tail(self.folder / "serve.log", lines)

    # What the dialer is doing

    def snapshot(self) -> dict[str, Any]:
        """The dialer's picture of now."""
        with Control(self.state / "control.sock") as control:
            return control.snapshot()

    def state_of_dialer(self) -> str:
        """Its state, or DOWN when nothing answers."""
        try:
            return str(self.snapshot()["state"])
        except OSError:
            return "DOWN"

    def run(self, *campaigns: str) -> None:
        """Start a run of each."""
        with Control(self.state / "control.sock") as control:
            for campaign in campaigns:
                control.ask("StartRun", campaign=campaign, by="test")

    def hang_up(self, wombatid: int) -> None:
        with Control(self.state / "control.sock") as control:
            control.ask("HangUp", wombatid=str(wombatid))

    def finish(self, limit: float = 60) -> None:
        """Until no run is live any more, as the database has it."""
        question = "SELECT campaign_name, state FROM run WHERE live_campaign_id IS NOT NULL"
        until(lambda: not self.rows(question), limit, f"all runs have ended: {self.rows(question)}")

    def _all_connected(self) -> bool:
        try:
            return all(pbx["connected"] for pbx in self.snapshot()["pbxs"])
        except OSError:
            return False

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page of the console; OSError when nothing listens."""
        address = f"http://{HOST}:{self.console_port}{path}"
        try:
            with urllib.request.urlopen(address, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    # What came of it

    @property
    def database(self) -> Database:
        if self._database is None:
            url = self.environment["WOMBAT_ARI_DATABASE_URL"] or f"sqlite:///{self.state / 'wombat.db'}"
            self._database = open_database(url, key_file=self.state / "secret.key")
        return self._database

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self.database.transaction(write=False) as tx:
            return [tuple(row) for row in tx.rows(sql, params)]

    def attempts(self, campaign: str = "%") -> list[dict[str, Any]]:
        """Rows of the call log in the order of their ids."""
        names = (
            "wombatid", "number", "campaign_name", "attempt", "outcome", "extended_status", "attempted_at", "ended_at",
            "wait_pre_ms", "wait_after_ms", "talk_ms", "retry_in_s", "cause", "dial_status", "message",
            "input_attributes", "output_attributes", "channel", "unique_id", "trunk_name", "end_point_name",
            "agent",
        )  # fmt: skip
        sql = f"SELECT {', '.join(names)} FROM call_log WHERE campaign_name LIKE %s ORDER BY wombatid"
        found = [dict(zip(names, row, strict=True)) for row in self.rows(sql, (campaign,))]
        for row in found:
            for name in ("input_attributes", "output_attributes"):
                row[name] = json.loads(row[name])
        return found

    def outcomes(self, campaign: str = "%") -> dict[str, list[str]]:
        """number -> outcomes of its attempts, in order."""
        found: dict[str, list[str]] = {}
        for row in self.attempts(campaign):
            found.setdefault(row["number"], []).append(row["outcome"])
        return found

    def check_ledger(self) -> list[RunCounters]:
        """Count every run again; StoreError when its row does not say what its rows are."""
        return [ledger.check_ledger(self.database, run_id) for (run_id,) in self.rows("SELECT id FROM run")]

    def system_log(self) -> list[tuple[str, str, str]]:
        """(action, object, detail) of the system log, in order."""
        return [
            (row[0], row[1], row[2]) for row in self.rows("SELECT action, object, detail FROM system_log ORDER BY id")
        ]

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("WOMBAT_ARI_")}
        return {**inherited, **self.environment}


def _runs_dialer(pid: int) -> bool:
    try:
        return b"\0dialer\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


# Plans


def plan_text(tables: Tables) -> str:
    """A plan file: ``{"trunk": [{"name": ...}], "campaign": [{"name": ..., "rule": [{...}]}]}`` as TOML."""
    return "\n".join(_table(name, item) for name, items in tables.items() for item in items)


def _table(name: str, item: dict[str, Any]) -> str:
    plain = [f"{key} = {json.dumps(value)}" for key, value in item.items() if key not in ("rule", "disposition")]
    below = [_table(f"{name}.{key}", each) for key in ("rule", "disposition") for each in item.get(key, [])]
    return "\n".join([f"[[{name}]]", *plain, "", *below])


def server_of(pbx: AsteriskInstance, **values: Any) -> dict[str, Any]:
    """The plan's table of a private Asterisk."""
    return {
        "name": "pbx",
        "address": HOST,
        "port": pbx.ami_port,
        "login": pbx.ami_user,
        "password": pbx.ami_secret,
        **values,
    }
