"""An Asterisk to run: the system's own if it is new enough, else Debian's in a private root of the cache.

Debian 12 has no Asterisk package, and the one of a later suite needs a later C library, so it cannot be installed
beside the system. A small root made by debootstrap holds both.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.provision import debian
from tools.provision.cache import cache_dir, only_one, remove_tree, require_space
from tools.provision.errors import ProvisionError, require_root
from tools.provision.say import run_showing, say

OLDEST = 16
"""The oldest major version of Asterisk that the dialer supports."""
SUITE = "forky"
PACKAGES = (
    *("asterisk", "asterisk-core-sounds-en", "asterisk-moh-opsound-wav", "ca-certificates"),
    *("python3", "espeak-ng"),  # what agi_scripts/ need on a PBX
)
_STAMP = "provisioned.json"
_MEGABYTES = 1_500


@dataclass(frozen=True, slots=True)
class AsteriskRoot:
    """Where an Asterisk program is: ``path`` is ``/`` for the system's own."""

    path: Path
    program: str
    version: str

    @property
    def major(self) -> int:
        """Major version, as 16 or 22."""
        return _major(self.version)

    def inside(self, absolute: str) -> Path:
        """The place outside of a path inside the root."""
        return self.path / absolute.lstrip("/")

    def user(self) -> tuple[int, int] | None:
        """User and group id of ``asterisk`` in this root; None if there is no such user.

        Read from the file: the C library must not be asked, it would load the root's name service modules.
        """
        for line in self.inside("/etc/passwd").read_text().splitlines():
            fields = line.split(":")
            if fields[0] == "asterisk":
                return int(fields[2]), int(fields[3])
        return None

    def modules(self) -> Path:
        """Folder of the loadable modules, as a path inside the root."""
        for module in self.inside("/usr/lib").glob("**/asterisk/modules/app_dial.so"):
            return Path("/") / module.parent.relative_to(self.path)
        raise ProvisionError(f"The Asterisk in {self.path} has no modules.", hint="delete that folder and run again.")


def _major(version: str) -> int:
    found = re.match(r"\d+", version)
    return int(found.group()) if found else 0


def _version_of(command: list[str]) -> str:
    """What ``asterisk -V`` says, without the leading word; empty if it cannot be run."""
    try:
        answer = subprocess.run([*command, "-V"], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"Asterisk (\S+)", answer.stdout)
    return found.group(1) if found else ""


@functools.cache
def system_asterisk() -> AsteriskRoot | None:
    """The Asterisk installed on this machine, if it is new enough."""
    program = shutil.which("asterisk", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        return None
    version = _version_of([program])
    if _major(version) < OLDEST:
        say(f"the system's Asterisk is {version or 'unknown'}, older than {OLDEST}: not used")
        return None
    return AsteriskRoot(Path("/"), program, version)


def private_asterisk() -> AsteriskRoot | None:
    """The Asterisk in the cache, if it was made to the end."""
    path = _private_path()
    try:
        version = json.loads((path / _STAMP).read_text())["version"]
    except (OSError, ValueError, KeyError):
        return None
    return AsteriskRoot(path, "/usr/sbin/asterisk", version)


def _private_path() -> Path:
    """Where the private root is. Its list of packages is in the name: a check-out that wants others makes its own,
    and never takes the root of another one away under a running Asterisk."""
    return cache_dir() / f"asterisk-{SUITE}-{hashlib.sha256(' '.join(PACKAGES).encode()).hexdigest()[:8]}"


def ensure_asterisk() -> AsteriskRoot:
    """An Asterisk to run, made if there is none yet (about a minute)."""
    if found := system_asterisk() or private_asterisk():
        return found
    with only_one("asterisk"):
        return private_asterisk() or _make()


def _clear_remains(path: Path) -> None:
    """Take away what an interrupted run left."""
    for remains in [path, *path.parent.glob(f"{path.name}.making*")]:
        if remains.exists():
            say(f"removing {remains.name}: it was not made to the end")
            remove_tree(remains)


def _make() -> AsteriskRoot:
    require_root("Making a private root for Asterisk")
    path = _private_path()
    making = path.with_name(f"{path.name}.making")
    _clear_remains(path)
    require_space(cache_dir(), megabytes=_MEGABYTES)
    if shutil.which("debootstrap") is None:
        debian.install(["debootstrap"], why="A private root for Asterisk")
    _debootstrap(making)
    version = _version_of(["chroot", str(making), "/usr/sbin/asterisk"])
    if _major(version) < OLDEST:
        raise ProvisionError(f"The Asterisk in {making} does not run.", hint="run this again; it starts afresh.")
    shutil.rmtree(making / "var/cache/apt/archives", ignore_errors=True)
    (making / _STAMP).write_text(json.dumps({"version": version, "suite": SUITE, "packages": PACKAGES}))
    making.rename(path)
    say(f"Asterisk {version} is in {path}")
    return AsteriskRoot(path, "/usr/sbin/asterisk", version)


def _debootstrap(target: Path) -> None:
    script = Path("/usr/share/debootstrap/scripts") / SUITE
    # An older debootstrap does not know the suite's name yet; all newer suites are made as sid is.
    script = script if script.exists() else script.with_name("sid")
    command = [
        # What debootstrap mounts goes with its mount namespace, what it starts with its process namespace: neither
        # stays behind when it, or this process, is killed.
        *("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"),
        *("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}"),
        *(SUITE, str(target), debian.apt_mirror(), str(script)),
    ]
    log = cache_dir() / "asterisk.log"
    doing = f"making a private root with Debian {SUITE}'s Asterisk, once, one to three minutes and 500 MB"
    status, last = run_showing(command, doing=doing, log=log, env=debian.apt_environment())
    if status != 0:
        raise ProvisionError("debootstrap failed.", hint=debian.why_it_failed(log.read_text()), log=last)
