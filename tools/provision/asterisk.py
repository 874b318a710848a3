"""One private Asterisk: its own configuration, ports and folders, as a plain process of ours.

It runs as its user ``asterisk`` in a mount namespace of its own, where its folder is bound to ``/mnt``; several run
side by side in one root. Nothing is left on the machine when it ends.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tools.provision import config
from tools.provision.ami import is_fully_booted
from tools.provision.errors import ProvisionError, require_root
from tools.provision.ports import HOST, free_port, require_free
from tools.provision.process import ServerProcess, Spec, tail, wait_until
from tools.provision.root import ensure_asterisk

_FOLDERS = ("etc", "lib/keys", "db", "cache", "spool/recording", "run", "log/cdr-csv")
_STATE = "instance.json"


class AsteriskInstance:
    """An Asterisk in ``directory``; start, stop, kill and start again keep ports, secrets and AstDB.

    ``extra_conf`` adds or replaces configuration files (name below ``asterisk_conf/`` to content); ``manager_extra``
    adds lines to the AMI user's section. A second object on the same directory takes up the same instance.
    """

    def __init__(
        self,
        directory: Path,
        *,
        name: str = "pbx1",
        ami_port: int | None = None,
        extra_conf: Mapping[str, str] | None = None,
        manager_extra: str = "",
    ) -> None:
        self.directory = Path(directory).resolve()
        self.name = name
        self.host = HOST
        self.ami_user = config.AMI_USER
        self.ari_user = config.ARI_USER
        self._extra_conf = dict(extra_conf or {})
        self._manager_extra = manager_extra
        self._root = ensure_asterisk()
        self._wiring = self._remembered() or self._invented(ami_port)
        if ami_port not in (None, self.ami_port):
            raise ProvisionError(f"{self.directory} has an Asterisk on AMI port {self.ami_port}, not {ami_port}.")
        self._process = ServerProcess(f"Asterisk {name}", output=self.directory / "output.log")

    # What it is and where

    @property
    def ami_port(self) -> int:
        """TCP port of AMI on `host`."""
        return self._wiring.ami_port

    @property
    def http_port(self) -> int:
        """TCP port of ARI on `host`."""
        return self._wiring.http_port

    @property
    def sip_port(self) -> int:
        """UDP port of PJSIP on `host`."""
        return self._wiring.sip_port

    @property
    def ami_secret(self) -> str:
        """Secret of the AMI user, random per instance."""
        return self._wiring.ami_secret

    @property
    def ari_password(self) -> str:
        """Password of the ARI user, random per instance."""
        return self._wiring.ari_password

    @property
    def version(self) -> str:
        """Version, as ``22.10.1~dfsg``."""
        return self._root.version

    @property
    def alive(self) -> bool:
        """Whether its process runs (frozen or not)."""
        return self._process.alive

    @property
    def pid(self) -> int:
        """Process id of Asterisk itself."""
        return self._process.pid

    def cpu_seconds(self) -> float:
        """User and system time used so far, in seconds."""
        return self._process.cpu_seconds()

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of its message log and of what it printed."""
        parts = [tail(self.directory / "log" / "messages.log", lines), tail(self.directory / "output.log", lines)]
        return "\n".join(part for part in parts if part)

    # Its life

    def start(self, timeout: float = 60) -> None:
        """Start it; returns when AMI answers and Asterisk is fully booted."""
        require_root("Running a private Asterisk")
        require_free(self.ami_port, server=f"Asterisk {self.name} (AMI)")
        require_free(self.http_port, server=f"Asterisk {self.name} (ARI)")
        require_free(self.sip_port, server=f"Asterisk {self.name} (SIP)", kind=socket.SOCK_DGRAM)
        self._write_folders()
        self._process.spawn(self._spec())
        booted = wait_until(lambda: not self.alive or self._booted(), timeout=timeout)
        if booted and self.alive:
            return
        what = f"did not become ready within {timeout:.0f} s" if self.alive else "ended while it started"
        self.kill()
        raise ProvisionError(f"Asterisk {self.name} {what}.", log=self.log_tail(20))

    def stop(self, timeout: float = 15) -> None:
        """End it in good order (SIGTERM), by SIGKILL after ``timeout`` seconds; harmless when it does not run."""
        self._process.stop(timeout=timeout)

    def kill(self) -> None:
        """End it by SIGKILL."""
        self._process.kill()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open and silent."""
        self._process.freeze()

    def thaw(self) -> None:
        """SIGCONT: go on after `freeze`."""
        self._process.thaw()

    def cli(self, command: str, timeout: float = 15) -> str:
        """What the command line of the running Asterisk answers."""
        asterisk = [self._root.program, "-C", f"{config.HOME}/etc/asterisk.conf", "-rx", command]
        # Into its mount namespace and its root: only there its control socket has its name.
        enter = ["nsenter", f"--target={self.pid}", "--mount", "--root"]
        answer = subprocess.run([*enter, *asterisk], capture_output=True, text=True, timeout=timeout, check=False)
        if answer.returncode != 0:
            raise ProvisionError(f"Asterisk {self.name} did not take `{command}`.", log=answer.stdout + answer.stderr)
        return answer.stdout

    def __enter__(self) -> AsteriskInstance:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    # Inside

    def _booted(self) -> bool:
        return is_fully_booted(self.ami_port, user=self.ami_user, secret=self.ami_secret)

    def _remembered(self) -> config.Wiring | None:
        try:
            return config.Wiring(**json.loads((self.directory / _STATE).read_text()))
        except FileNotFoundError:
            return None

    def _invented(self, ami_port: int | None) -> config.Wiring:
        wiring = config.Wiring(
            ami_port=ami_port or free_port(),
            http_port=free_port(),
            sip_port=free_port(socket.SOCK_DGRAM),
            ami_secret=secrets.token_hex(12),
            ari_password=secrets.token_hex(12),
        )
        self.directory.mkdir(parents=True, exist_ok=True)
        state = self.directory / _STATE
        state.touch(mode=0o600)
        state.write_text(json.dumps({name: getattr(wiring, name) for name in wiring.__slots__}))
        return wiring

    def _write_folders(self) -> None:
        for folder in _FOLDERS:
            (self.directory / folder).mkdir(parents=True, exist_ok=True)
        config.write(
            self.directory / "etc",
            root=self._root,
            name=self.name,
            wiring=self._wiring,
            extra_conf=self._extra_conf,
            manager_extra=self._manager_extra,
        )
        if user := self._root.user():
            # Seen from outside the folder keeps its owner's rights; inside, it is its own mount.
            for path in [self.directory, *self.directory.rglob("*")]:
                os.chown(path, *user, follow_symlinks=False)

    def _spec(self) -> Spec:
        user = self._root.user()
        binds = [(str(self.directory), config.HOME)]
        if self._root.path != Path("/"):
            binds = [("/proc", "/proc"), ("/dev", "/dev"), *binds]
        return Spec(
            argv=[self._root.program, "-f", "-C", f"{config.HOME}/etc/asterisk.conf"],
            directory="/",
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": f"{config.HOME}/lib", "LANG": "C.UTF-8"},
            root=str(self._root.path),
            binds=binds,
            uid=user[0] if user else None,
            gid=user[1] if user else None,
        )
