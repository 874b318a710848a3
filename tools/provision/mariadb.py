"""One private MariaDB server: its own data folder, port and users, as a plain process of ours.

It runs as whoever starts it, listens on the loopback address only, and never touches a MariaDB of the system. A new
instance is a copy of a template made once per server version (``mariadb-install-db`` takes seconds, the copy does not).
"""

from __future__ import annotations

import functools
import getpass
import json
import re
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from tools.provision import debian
from tools.provision.cache import cache_dir, only_one, remove_tree, require_space
from tools.provision.errors import ProvisionError
from tools.provision.ports import HOST, free_port, require_free
from tools.provision.process import ServerProcess, Spec, tail, wait_until
from tools.provision.say import run_showing

# Debian's mariadb-server is these two and a service of the system, which is not wanted here.
PACKAGES = ("mariadb-server-core", "mariadb-client-core")
USER = "wombat"
_STATE = "instance.json"
# Relative to the data folder, which is the server's and the client's working folder: absolute, it could be longer
# than the 107 bytes a socket's path may have.
_SOCKET = "server.sock"
#: Options of a server that need not outlive a power cut: it writes as ever but waits for no disk. Killed, it loses
#: nothing. The tables of a test's database are made in a tenth of the time.
NO_POWER_CUT = ("--innodb-flush-method=nosync", "--debug-no-sync")
_FOOTPRINT = ("--innodb-log-file-size=32M", "--innodb-buffer-pool-size=256M")


def _program(name: str) -> str | None:
    return shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


@functools.cache
def _installed_version() -> str:
    """Version of the installed server, or nothing if it or its client is missing."""
    server = _program("mariadbd")
    if server is None or _program("mariadb") is None or _program("mariadb-install-db") is None:
        return ""
    answer = subprocess.run([server, "--no-defaults", "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"Ver (\S+?)-MariaDB", answer.stdout)
    return found.group(1) if found else ""


def ensure_mariadb() -> Path:
    """The folder of the template of the installed server's version; installs and makes what is missing."""
    if not _installed_version():
        with only_one("mariadb"):
            _installed_version.cache_clear()
            if not _installed_version():
                debian.install(PACKAGES, why="A private MariaDB")
                _installed_version.cache_clear()
    version = _installed_version()
    if not version:
        raise ProvisionError("mariadbd, mariadb or mariadb-install-db is missing after apt installed them.")
    template = cache_dir() / f"mariadb-{version}"
    if not template.exists():
        with only_one("mariadb"):
            if not template.exists():
                _make_template(template)
    return template


def _make_template(template: Path) -> None:
    require_space(cache_dir(), megabytes=300)
    making = template.with_name(f"{template.name}.making")
    if making.exists():
        remove_tree(making)
    command = [
        *("mariadb-install-db", "--no-defaults", f"--datadir={making}", f"--user={getpass.getuser()}"),
        # root comes in over the socket only, and only as the user of the system who made it.
        *("--auth-root-authentication-method=socket", f"--auth-root-socket-user={getpass.getuser()}"),
        *("--skip-test-db", "--skip-name-resolve", *_FOOTPRINT),
    ]
    status, last = run_showing(command, doing="making an empty MariaDB", log=cache_dir() / "mariadb.log")
    if status != 0:
        raise ProvisionError("mariadb-install-db failed.", log=last)
    making.rename(template)


class MariaDBInstance:
    """A MariaDB server in ``directory``; stop, kill and start again keep port, password and data.

    ``options`` are further options of mariadbd. A second object on the same directory takes up the same instance.
    """

    def __init__(self, directory: Path, *, port: int | None = None, options: Sequence[str] = ()) -> None:
        self.directory = Path(directory).resolve()
        self.host = HOST
        self.user = USER
        self._options = list(options)
        self._template = ensure_mariadb()
        self.version = self._template.name.partition("-")[2]
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port, self.password = self._remembered() or self._invented(port)
        if port not in (None, self.port):
            raise ProvisionError(f"{self.directory} has a MariaDB on port {self.port}, not {port}.")
        self._data = self.directory / "data"
        self._tmp = self.directory / "tmp"
        self._process = ServerProcess("MariaDB", output=self.directory / "output.log")

    @property
    def alive(self) -> bool:
        """Whether its process runs (frozen or not)."""
        return self._process.alive

    @property
    def pid(self) -> int:
        """Process id of mariadbd itself."""
        return self._process.pid

    def cpu_seconds(self) -> float:
        """User and system time used so far, in seconds."""
        return self._process.cpu_seconds()

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of its log."""
        return tail(self.directory / "output.log", lines)

    def url(self, name: str) -> str:
        """Address of the database ``name`` for the dialer's configuration."""
        return f"mysql://{self.user}:{self.password}@{self.host}:{self.port}/{name}"

    def start(self, timeout: float = 60) -> None:
        """Start it; returns when it answers."""
        require_free(self.port, server="MariaDB")
        if not self._data.exists():
            require_space(self.directory, megabytes=500)
            shutil.copytree(self._template, self._data)
        self._tmp.mkdir(exist_ok=True)
        self._data.joinpath("users.sql").write_text(
            f"CREATE OR REPLACE USER '{self.user}'@'%' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL PRIVILEGES ON *.* TO '{self.user}'@'%' WITH GRANT OPTION;\n"
        )
        self._process.spawn(Spec(argv=self._argv(), directory=str(self._data), env={"PATH": "/usr/sbin:/usr/bin"}))
        answered = wait_until(lambda: not self.alive or self._answers(), timeout=timeout)
        if answered and self.alive:
            return
        what = f"did not become ready within {timeout:.0f} s" if self.alive else "ended while it started"
        self.kill()
        raise ProvisionError(f"MariaDB {what}.", log=self.log_tail())

    def stop(self, timeout: float = 15) -> None:
        """End it in good order (SIGTERM), by SIGKILL after ``timeout`` seconds; harmless when it does not run."""
        self._process.stop(timeout=timeout)

    def kill(self) -> None:
        """End it by SIGKILL, as a power cut would."""
        self._process.kill()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open and silent."""
        self._process.freeze()

    def thaw(self) -> None:
        """SIGCONT: go on after `freeze`."""
        self._process.thaw()

    def sql(self, statement: str, *, database: str = "") -> str:
        """What the client program prints for ``statement``: rows as lines, columns apart by tabs."""
        answer = self._client(["--execute", statement, *([database] if database else [])])
        if answer.returncode != 0:
            raise ProvisionError(f"MariaDB did not take `{statement}`.", log=answer.stderr)
        return answer.stdout

    def create_database(self, name: str) -> None:
        """Make the database ``name``, of full UTF-8, unless it exists."""
        self.sql(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")

    def drop_database(self, name: str) -> None:
        """Delete the database ``name`` if it exists."""
        self.sql(f"DROP DATABASE IF EXISTS `{name}`")

    def __enter__(self) -> MariaDBInstance:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _argv(self) -> list[str]:
        return [
            _program("mariadbd") or "mariadbd",
            "--no-defaults",
            f"--datadir={self._data}",
            # A server that starts deletes the temporary tables it finds: in a shared folder those of the others.
            f"--tmpdir={self._tmp}",
            f"--socket={_SOCKET}",
            f"--port={self.port}",
            f"--bind-address={self.host}",
            f"--user={getpass.getuser()}",
            "--init-file=users.sql",
            "--pid-file=server.pid",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            *_FOOTPRINT,
            *self._options,
        ]

    def _answers(self) -> bool:
        return self._client(["--execute", "SELECT 1"]).returncode == 0

    def _client(self, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        command = [_program("mariadb") or "mariadb", "--no-defaults", f"--socket={_SOCKET}", f"--user={self.user}"]
        return subprocess.run(
            [*command, "--batch", "--skip-column-names", *arguments],
            cwd=self._data,
            env={"MYSQL_PWD": self.password, "PATH": "/usr/bin"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def _remembered(self) -> tuple[int, str] | None:
        try:
            kept = json.loads((self.directory / _STATE).read_text())
        except FileNotFoundError:
            return None
        return kept["port"], kept["password"]

    def _invented(self, port: int | None) -> tuple[int, str]:
        chosen, password = port or free_port(), secrets.token_hex(12)
        state = self.directory / _STATE
        state.touch(mode=0o600)
        state.write_text(json.dumps({"port": chosen, "password": password}))
        return chosen, password
