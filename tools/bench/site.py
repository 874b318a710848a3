"""A private site to be measured: an Asterisk, a MariaDB, and the dialer as a process of its own between them.

The dialer's database and configuration are made by its own commands, the list's records by one statement. Everything
runs under ``tools/provision/supervise``: it ends with the benchmark, however that ends.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType

from tools.bench.machine import busy_seconds, cpu_seconds
from tools.provision.asterisk import AsteriskInstance
from tools.provision.mariadb import MariaDBInstance
from tools.provision.ports import free_port
from tools.provision.process import ServerProcess, Spec, tail, wait_until
from wombat_ari.store.database import Database, Row, open_database

CAMPAIGN = "bench"
REPOSITORY = Path(__file__).parents[2]


class Site:
    """Use it as a context. ``profile`` is a file for cProfile's statistics of the dialer's main thread."""

    def __init__(self, *, extra_conf: dict[str, str] | None = None, profile: Path | None = None) -> None:
        self._extra_conf = extra_conf or {}
        self._profile = profile
        self._stack = ExitStack()
        self.asterisk: AsteriskInstance
        self.mariadb: MariaDBInstance
        self.database: Database
        self._dialer: ServerProcess

    def __enter__(self) -> Site:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stack.close()

    def _start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="wombat-bench-"))
        self._stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
        # The asterisk user has to reach its folder.
        self._folder.chmod(0o755)
        self.asterisk = self._stack.enter_context(AsteriskInstance(self._folder / "pbx", extra_conf=self._extra_conf))
        self.mariadb = self._stack.enter_context(MariaDBInstance(self._folder / "db"))
        subprocess.run(
            ["mariadb", "--no-defaults", "--protocol=tcp", "-h127.0.0.1", f"-P{self.mariadb.port}",
             f"-u{self.mariadb.user}", "-e", "CREATE DATABASE bench CHARACTER SET utf8mb4"],
            env={**os.environ, "MYSQL_PWD": self.mariadb.password}, check=True,
        )  # fmt: skip
        self._environment = {
            **os.environ,
            "WOMBAT_ARI_STATE_FOLDER": str(self._folder / "state"),
            "WOMBAT_ARI_DATABASE_URL": self.mariadb.url("bench"),
            "WOMBAT_ARI_FASTAGI_PORT": str(free_port()),
        }
        self._log = self._folder / "dialer.log"
        self._dialer = ServerProcess("the dialer", output=self._log)

    # The dialer

    def apply(self, plan: str) -> None:
        """Configure by a plan file, see docs/plan.md."""
        file = self._folder / "plan.toml"
        file.touch(mode=0o600)
        file.write_text(plan, encoding="utf-8")
        self.wombat("apply", str(file))
        self.database = open_database(self.mariadb.url("bench"), key_file=self._folder / "state" / "secret.key")
        self._stack.callback(self.database.close)

    def fill_list(self, name: str, *, count: int, prefix: str) -> None:
        """Add ``count`` numbers: the prefix and a serial of seven digits."""
        with self.database.transaction() as tx:
            tx.run(
                "INSERT INTO record (list_id, number, input_attributes, output_attributes) "
                f"SELECT l.id, CONCAT(%s, LPAD(s.seq, 7, '0')), '{{}}', '{{}}' FROM call_list l, seq_1_to_{count} s "
                "WHERE l.name = %s ORDER BY s.seq",
                (prefix, name),
            )
            tx.run("UPDATE call_list SET records = records + %s WHERE name = %s", (count, name))

    @contextmanager
    def dialer(self) -> Iterator[None]:
        """The dialer as a process: connected to the PBX when this begins, stopped in good order when it ends."""
        how = ["-m", "cProfile", "-o", str(self._profile)] if self._profile else []
        argv = [sys.executable, *how, "-m", "wombat_ari", "dialer"]
        self._log.unlink(missing_ok=True)
        self._dialer.spawn(Spec(argv=argv, directory=str(REPOSITORY), env=self._environment))
        try:
            if not wait_until(self._is_ready, timeout=30, pause=0.1):
                raise RuntimeError(f"the dialer did not become ready:\n{self.dialer_log()}")
            yield
        finally:
            self._dialer.stop(timeout=20)

    def wombat(self, *arguments: str) -> str:
        """One of the dialer's own commands; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "wombat_ari", *arguments],
            env=self._environment, cwd=REPOSITORY, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"wombat-ari {' '.join(arguments)}: {done.stderr or done.stdout}\n{self.dialer_log()}")
        return done.stdout

    def dialer_log(self, lines: int = 15) -> str:
        return tail(self._log, lines)

    def _is_ready(self) -> bool:
        if not self._dialer.alive:
            raise RuntimeError(f"the dialer ended:\n{self.dialer_log()}")
        return "logged in as" in self.dialer_log(200)

    # What can be read at any moment

    def value(self, sql: str, params: Sequence[object] = ()) -> int:
        with self.database.transaction(write=False) as tx:
            return int(tx.value(sql, params) or 0)

    def rows(self, sql: str) -> list[Row]:
        with self.database.transaction(write=False) as tx:
            return tx.rows(sql)

    def cpu(self) -> dict[str, float]:
        """Processor seconds so far of all that take part; ``busy`` is the whole machine."""
        return {
            "asterisk": self.asterisk.cpu_seconds(),
            "mariadb": self.mariadb.cpu_seconds(),
            "dialer": cpu_seconds(self._dialer.pid) if self._dialer.alive else 0.0,
            "bench": cpu_seconds(os.getpid()),
            "busy": busy_seconds(),
        }
