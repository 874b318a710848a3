"""Holds Asterisk and ``wombat-ari serve`` in the background until it is told to stop: the console stays open.

Both die with the process that started them, however it ends, so that process must stay; this is it. It writes
``ready.json`` when both run, or ``failed.txt`` when they cannot or one of them ends, and ends them in order on SIGTERM.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.provision.asterisk import AsteriskInstance
from tools.provision.errors import ProvisionError
from tools.provision.ports import free_port, require_free
from tools.provision.process import ServerProcess, Spec

READY_S, LOOK_S, STOP_S = 60.0, 0.2, 20.0
READY, FAILED, PID = "ready.json", "failed.txt", "keeper.pid"


class _Stop(Exception):
    """SIGTERM came."""


def keep(folder: Path) -> None:
    """Run until SIGTERM. ``folder`` holds everything of the demonstration."""
    signal.signal(signal.SIGTERM, _raise_stop)
    (folder / PID).write_text(str(os.getpid()))
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
            while server.alive and pbx.alive:
                time.sleep(LOOK_S)
            gone, log = ("Asterisk", pbx.directory) if server.alive else ("wombat-ari serve", folder / "serve.log")
            (folder / FAILED).write_text(f"{gone} ended by itself (its log: {log}); run tools/demo again")


def _await_dialer(folder: Path, server: ServerProcess) -> None:
    """The dialer opens its control socket when it is READY."""
    until = time.monotonic() + READY_S
    while not (folder / "state" / "control.sock").exists():
        if not server.alive or time.monotonic() > until:
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
def _serve(folder: Path, environment: dict[str, str]) -> Iterator[ServerProcess]:
    server = ServerProcess("wombat-ari serve", output=folder / "serve.log")
    command = [sys.executable, "-m", "wombat_ari", "serve"]
    try:
        server.spawn(Spec(command, str(folder), env={**os.environ, **environment}))
        yield server
    finally:
        server.stop(timeout=STOP_S)


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
