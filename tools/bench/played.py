"""A dialer as a process of its own, with its database, on PBXs that the benchmark itself plays (``tools/fake_pbx``).

The benchmark's reactor plays; what waits (commands, databases) is done in a thread. Everything ends with the benchmark.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet import threads
from twisted.python.failure import Failure

from tools.fake_pbx import FakePbx
from tools.provision.mariadb import MariaDBInstance
from tools.provision.ports import free_port
from tools.provision.process import ServerProcess, Spec, tail, wait_until
from wombat_ari.store.database import Database, open_database

reactor: Any = _reactor

REPOSITORY = Path(__file__).parents[2]
ATTRIBUTES = ("NAME", "CITY", "CASE")  #: of each number


def play(story: Callable[[], Any]) -> Any:
    """Run the reactor while ``story`` runs in a thread; answers what it answers, or raises what it raises."""
    outcome: list[Any] = []

    def over(result: Any) -> None:
        outcome.append(result)
        reactor.stop()

    reactor.callWhenRunning(lambda: threads.deferToThread(story).addBoth(over))
    reactor.run()
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    return outcome[0]


def listening() -> tuple[FakePbx, int]:
    """From the story: a PBX on loopback, and its port."""

    def listen() -> tuple[FakePbx, int]:
        pbx = FakePbx(reactor)
        return pbx, pbx.listen().getHost().port

    return threads.blockingCallFromThread(reactor, listen)  # type: ignore[no-any-return]


class Played:
    """Use it as a context, in the story. ``kind`` of the database is sqlite or mariadb."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._stack = ExitStack()
        self.mariadb: MariaDBInstance | None = None
        self.database: Database

    def __enter__(self) -> Played:
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
        url = f"sqlite:///{self._folder / 'bench.db'}"
        if self._kind == "mariadb":
            self.mariadb = self._stack.enter_context(MariaDBInstance(self._folder / "db"))
            self.mariadb.create_database("bench")
            url = self.mariadb.url("bench")
        self._url = url
        self._environment = {
            **os.environ,
            "WOMBAT_ARI_STATE_FOLDER": str(self._folder / "state"),
            "WOMBAT_ARI_DATABASE_URL": url,
            "WOMBAT_ARI_FASTAGI_PORT": str(free_port()),
        }
        self._log = self._folder / "dialer.log"
        self._dialer = ServerProcess("the dialer", output=self._log)
        self._stack.callback(self._dialer.kill)

    def apply(self, plan: str) -> None:
        """Configure by a plan file, see docs/plan.md."""
        file = self._folder / "plan.toml"
        file.touch(mode=0o600)
        file.write_text(plan, encoding="utf-8")
        self.wombat("apply", str(file))
        self.database = open_database(self._url, key_file=self._folder / "state" / "secret.key")
        self._stack.callback(self.database.close)

    def fill_list(self, name: str, numbers: Iterator[str]) -> None:
        """Each number with three attributes."""
        file = self._folder / "numbers.csv"
        with file.open("w", encoding="utf-8") as rows:
            rows.write("number," + ",".join(ATTRIBUTES) + "\n")
            rows.writelines(f"{number},Person Number {n},Springfield,{n:08}\n" for n, number in enumerate(numbers))
        self.wombat("import", name, str(file))

    @contextmanager
    def dialer(self, servers: int, *module: str) -> Iterator[ServerProcess]:
        """The dialer as a process, connected to so many PBXs; ``module`` runs it if it is not its own command."""
        argv = [sys.executable, "-m", *(module or ("wombat_ari", "dialer"))]
        self._dialer.spawn(Spec(argv, directory=str(REPOSITORY), env=self._environment))
        if not wait_until(lambda: self.log(500).count("logged in as") >= servers, timeout=30, pause=0.1):
            raise RuntimeError(f"the dialer did not become ready:\n{self.log()}")
        try:
            yield self._dialer
        finally:
            self._dialer.stop(timeout=20)

    def spawn(self, name: str, *module: str) -> ServerProcess:
        """Another process of the benchmark: ``python -m module ...``."""
        made = ServerProcess(name, output=self._folder / f"{name}.log")
        self._stack.callback(made.kill)
        made.spawn(Spec([sys.executable, "-m", *module], directory=str(REPOSITORY), env=dict(os.environ)))
        return made

    def wombat(self, *arguments: str) -> str:
        """One of the dialer's own commands; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "wombat_ari", *arguments],
            env=self._environment, cwd=REPOSITORY, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"wombat-ari {' '.join(arguments)}: {done.stderr or done.stdout}\n{self.log()}")
        return done.stdout

    @property
    def folder(self) -> Path:
        """For whatever else the benchmark writes; it is deleted at the end."""
        return self._folder

    def log(self, lines: int = 15) -> str:
        return tail(self._log, lines)

    def value(self, sql: str) -> int:
        with self.database.transaction(write=False) as tx:
            return int(tx.value(sql) or 0)


def server_toml(name: str, port: int, *, per_unit: int, lines: int) -> str:
    return f"""
[[server]]
name = "{name}"
port = {port}
login = "wombat"
password = "dials"
max_messages_per_unit = {per_unit}
[[trunk]]
name = "trunk {name}"
server = "{name}"
dial_string = "Local/${{num}}@simulated-network/n"
capacity = {lines}
"""


def rss_kb(pid: int) -> int:
    """What a process has in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError(f"process {pid} says nothing of its memory")


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def patiently(condition: Callable[[], bool], what: str, *, timeout: float) -> None:
    """Wait for it; RuntimeError says for what in vain."""
    until = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > until:
            raise RuntimeError(f"not within {timeout:.0f} s: {what}")
        time.sleep(0.1)
