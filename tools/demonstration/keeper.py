"""Holds Asterisk and ``wombat-ari serve`` in the background until it is told to stop: the console stays open.

Asterisk dies with the process that started it, so that process must stay; this is it. It writes ``ready.json`` when
both run, or ``failed.txt`` when they cannot, and ends them in order on SIGTERM.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.provision.asterisk import AsteriskInstance
from tools.provision.errors import ProvisionError
from tools.provision.ports import free_port, require_free

READY_S = 30.0
READY, FAILED, PID = "ready.json", "failed.txt", "keeper.pid"


class _Stop(Exception):
    """SIGTERM came."""


def keep(folder: Path) -> None:
    """Run until SIGTERM. ``folder`` holds everything of the demonstration."""
    (folder / PID).write_text(str(os.getpid()))
    signal.signal(signal.SIGTERM, _raise_stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is for the watcher
    try:
        _keep(folder)
    except _Stop:
        pass
    except (ProvisionError, OSError) as error:
        (folder / FAILED).write_text(str(error))
    finally:
        for name in (PID, READY):
            (folder / name).unlink(missing_ok=True)


def _keep(folder: Path) -> None:
    with AsteriskInstance(folder / "pbx", name="pbx") as pbx:
        environment = _environment(folder)
        with _serve(folder, environment) as server:
            about = {
                "ami_port": pbx.ami_port,
                "login": pbx.ami_user,
                "secret": pbx.ami_secret,
                "version": pbx.version,
                "console": f"http://127.0.0.1:{environment['WOMBAT_ARI_CONSOLE_PORT']}/",
                "environment": environment,
            }
            _await_dialer(folder, server)
            ready = folder / "ready.tmp"
            ready.touch(mode=0o600)
            ready.write_text(json.dumps(about))
            ready.rename(folder / READY)
            server.wait()
            (folder / FAILED).write_text(f"wombat-ari serve ended by itself; see {folder / 'serve.log'}")


def _await_dialer(folder: Path, server: subprocess.Popen[bytes]) -> None:
    """The dialer opens its control socket when it is READY."""
    until = time.monotonic() + READY_S
    while not (folder / "state" / "control.sock").exists():
        if server.poll() is not None or time.monotonic() > until:
            raise OSError(f"the dialer did not get READY; see {folder / 'serve.log'}")
        time.sleep(0.05)


def _environment(folder: Path) -> dict[str, str]:
    """Whatever is set for another installation: a database of its own, and a console for this machine only, since
    everybody knows how to log on to it."""
    return {
        "WOMBAT_ARI_STATE_FOLDER": str(folder / "state"),
        "WOMBAT_ARI_DATABASE_URL": "",
        "WOMBAT_ARI_CONSOLE_ADDRESS": "127.0.0.1",
        "WOMBAT_ARI_CONSOLE_PORT": str(_port(8080)),
        "WOMBAT_ARI_FASTAGI_PORT": str(_port(4573)),
    }


def _port(usual: int) -> int:
    """The usual port if it is free, else any."""
    try:
        require_free(usual, server="the demonstration")
    except ProvisionError:
        return free_port()
    return usual


@contextmanager
def _serve(folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "serve.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "wombat_ari", "serve"],
            env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            yield server
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def stop(folder: Path, seconds: float = 40.0) -> bool:
    """Tell a running keeper to stop and wait for it. Answers whether there was one."""
    pid = running(folder)
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + seconds
    while _is_keeper(pid) and time.monotonic() < until:
        time.sleep(0.1)
    return True


def running(folder: Path) -> int | None:
    """The process id of the keeper of this folder, None when there is none."""
    try:
        pid = int((folder / PID).read_text())
    except (OSError, ValueError):
        return None
    return pid if _is_keeper(pid) else None


def _is_keeper(pid: int) -> bool:
    """Not just any process that has got the number since."""
    try:
        return b"tools.demonstration" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _raise_stop(signum: int, frame: object) -> None:
    raise _Stop
