"""One supervised server process: start, stop, kill, freeze, processor time."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tools.provision.errors import ProvisionError

_SUPERVISE = Path(__file__).with_name("supervise.py")
_FILES = 65_536
"""Wanted limit of open files; the machine's hard limit counts where it may not be raised."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What `supervise` runs: ``argv`` in ``directory``, as user and group if given, inside ``root`` if given.

    ``binds`` are pairs of a folder outside and the place inside ``root`` where it is to be seen.
    """

    argv: list[str]
    directory: str
    env: dict[str, str] = field(default_factory=dict)
    root: str = ""
    binds: list[tuple[str, str]] = field(default_factory=list)
    uid: int | None = None
    gid: int | None = None
    files: int = _FILES


def wait_until(condition: Callable[[], bool], *, timeout: float, pause: float = 0.02) -> bool:
    """Ask ``condition`` until it holds (True) or ``timeout`` seconds went by (False)."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(pause)
    return True


class ServerProcess:
    """A server under `supervise`. Not thread-safe; may be started again after it ended."""

    def __init__(self, name: str, *, output: Path) -> None:
        self._name = name
        self._output = output
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._pid = 0

    @property
    def alive(self) -> bool:
        """Whether the server runs (a frozen one does)."""
        return self._supervisor is not None and self._supervisor.poll() is None

    @property
    def status(self) -> int | None:
        """Exit status of the server that ended last, 128+n for signal n; None while it runs or never did."""
        return None if self._supervisor is None else self._supervisor.poll()

    @property
    def pid(self) -> int:
        """Process id of the server itself (not of its supervisor)."""
        if not self.alive:
            raise ProvisionError(f"{self._name} is not running.")
        return self._pid

    def spawn(self, spec: Spec) -> None:
        """Start the server; returns when it has a process, not when it is ready."""
        if self.alive:
            raise ProvisionError(f"{self._name} runs already, as process {self._pid}.")
        with self._output.open("ab") as output:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_SUPERVISE), json.dumps(asdict(spec))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                # A session of its own: Ctrl-C reaches us only, and we stop the server in good order.
                start_new_session=True,
            )
        assert self._supervisor.stdout is not None
        with self._supervisor.stdout as stdout:
            self._pid = int(stdout.readline() or 0)

    def send(self, number: signal.Signals) -> None:
        """Send the server a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone; harmless when it does not run."""
        if self.alive:
            self.send(signal.SIGKILL)
        self._reap(timeout=10)

    def kill_group(self) -> None:
        """SIGKILL to the server and all processes it made; harmless when none is left."""
        if self._pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)
        self._reap(timeout=10)

    def stop(self, *, timeout: float) -> None:
        """SIGTERM, wait, SIGKILL after ``timeout`` seconds; harmless when it does not run."""
        if not self.alive:
            return self._reap(timeout=1)
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        if not self._reap_or_not(timeout=timeout):
            self.kill()
        return None

    def freeze(self) -> None:
        """SIGSTOP: the server keeps its sockets and does nothing. Returns when every thread has stopped."""
        self.send(signal.SIGSTOP)
        # The signal reaches a thread on the other processor a moment later: it could still answer.
        if not wait_until(self._all_threads_stopped, timeout=10, pause=0.001):
            raise ProvisionError(f"{self._name} (process {self._pid}) does not stop.")

    def thaw(self) -> None:
        """SIGCONT: undo `freeze`."""
        self.send(signal.SIGCONT)

    def cpu_seconds(self) -> float:
        """User and system time the server has used so far, in seconds."""
        fields = _stat(Path(f"/proc/{self.pid}"))
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _all_threads_stopped(self) -> bool:
        try:
            return all(_stat(task)[0] == "T" for task in Path(f"/proc/{self.pid}/task").iterdir())
        except FileNotFoundError:  # a thread ended while we looked
            return False

    def _reap_or_not(self, *, timeout: float) -> bool:
        if self._supervisor is None:
            return True
        try:
            self._supervisor.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        if self._supervisor.stdin is not None:
            self._supervisor.stdin.close()
        return True

    def _reap(self, *, timeout: float) -> None:
        if not self._reap_or_not(timeout=timeout):
            raise ProvisionError(f"{self._name} (process {self._pid}) does not go away.")


def _stat(process: Path) -> list[str]:
    """Fields of a process's or thread's ``stat`` from the third on; the second, its name, may hold spaces."""
    return (process / "stat").read_text().rpartition(")")[2].split()


def tail(path: Path, lines: int) -> str:
    """The last ``lines`` lines of a file, or nothing if there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - lines * 400))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
