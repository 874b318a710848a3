"""The machine's apt: which mirror it uses, and installing packages without starting their services."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.provision.cache import cache_dir
from tools.provision.errors import ProvisionError, require_root
from tools.provision.say import run_showing

_ETC_APT = Path("/etc/apt")
_POLICY = Path("/usr/sbin/policy-rc.d")
_UNREACHABLE = ("could not resolve", "could not connect", "failed getting release", "temporary failure", "timed out",
                "connection failed", "network is unreachable", "unable to connect", "failed to fetch")  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Source:
    """One place that apt takes packages from."""

    uri: str
    suite: str
    components: tuple[str, ...]

    def may_be_debian(self) -> bool:
        """Whether debootstrap could use it: not a security or third-party archive, as far as its line tells."""
        known = self.uri.partition(":")[0] in {"http", "https", "file"}
        return known and "main" in self.components and "security" not in self.suite


def _deb822(text: str) -> Iterator[_Source]:
    """What the paragraphs of a ``.sources`` file name."""
    for paragraph in text.split("\n\n"):
        fields: dict[str, str] = {}
        name = ""
        for line in paragraph.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace():
                fields[name] = f"{fields.get(name, '')} {line.strip()}"
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in {"no", "false", "0"}:
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield _Source(uri.rstrip("/"), suite, tuple(fields.get("components", "").split()))


def _one_line(text: str) -> Iterator[_Source]:
    """What the lines of a ``.list`` file name: ``deb [options] address suite component...``."""
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words or words[0] != "deb":
            continue
        words = words[1:]
        if words and words[0].startswith("["):
            while words and not words[0].endswith("]"):
                words = words[1:]
            words = words[1:]
        if len(words) >= 2:
            yield _Source(words[0].rstrip("/"), words[1], tuple(words[2:]))


def apt_mirror(etc_apt: Path = _ETC_APT) -> str:
    """The address of the Debian mirror that this machine's own apt uses for its main suite."""
    sources: list[_Source] = []
    for path in sorted(etc_apt.glob("sources.list.d/*.sources")):
        sources += _deb822(path.read_text())
    for path in [etc_apt / "sources.list", *sorted(etc_apt.glob("sources.list.d/*.list"))]:
        if path.is_file():
            sources += _one_line(path.read_text())
    usable = [source.uri for source in sources if source.may_be_debian()]
    # Third parties name their suites as Debian does; Debian's mirrors mostly end so, and theirs do not.
    for uri in [*(uri for uri in usable if uri.endswith("/debian")), *usable]:
        return uri
    raise ProvisionError(
        f"No Debian mirror found in {etc_apt} (sources.list, sources.list.d).",
        hint="give apt a Debian mirror, or install an Asterisk of version 16 or later by yourself.",
    )


def apt_environment() -> dict[str, str]:
    """The environment for apt and debootstrap: no questions, and apt's own proxy, if it has one, for both."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    asked = subprocess.run(
        ["apt-config", "shell", "P", "Acquire::http::Proxy"], capture_output=True, text=True, check=False
    )
    if "='" in asked.stdout and "http_proxy" not in env:
        env["http_proxy"] = asked.stdout.split("'")[1]
    return env


@contextmanager
def no_services() -> Iterator[None]:
    """Keep packages from starting services while they are installed; put back what was there before.

    ``policy-rc.d`` is Debian's own way to say so: its status 101 means "starting is forbidden".
    """
    before = _POLICY.read_bytes() if _POLICY.exists() else None
    mode = _POLICY.stat().st_mode if before is not None else 0
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        if before is None:
            _POLICY.unlink(missing_ok=True)
        else:
            _POLICY.write_bytes(before)
            _POLICY.chmod(mode)


def why_it_failed(log: str) -> str:
    """A hint for a person, from the output of apt or debootstrap."""
    text = log.lower()
    if any(sign in text for sign in _UNREACHABLE):
        return "the Debian mirror of this machine's apt sources cannot be reached: check the network and the sources."
    if "no space left" in text:
        return "the disk is full: free some space."
    return "read the log below; running the same command again starts afresh."


def install(packages: Sequence[str], *, why: str) -> None:
    """Install Debian packages with apt, without their services being started."""
    if shutil.which("apt-get") is None:
        raise ProvisionError(
            f"{why}: the packages {' '.join(packages)} are missing, and this machine has no apt-get.",
            hint="install them with the system's own package manager, or use Debian 12.",
        )
    require_root(f"{why}: installing {' '.join(packages)}")
    log = cache_dir() / "apt.log"
    apt = ["apt-get", "-q", "-y", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=300"]
    command = [*apt, "install", "--no-install-recommends", *packages]
    with no_services():
        status, last = run_showing(command, doing=f"installing {' '.join(packages)}", log=log, env=apt_environment())
        if status != 0:
            # Lists of packages are missing or old: fetched only now, since it takes longer than most installations.
            run_showing([*apt, "update"], doing="apt-get update", log=log, env=apt_environment())
            doing = f"installing {' '.join(packages)}"
            status, last = run_showing(command, doing=doing, log=log, env=apt_environment())
    if status != 0:
        raise ProvisionError(f"{why}: apt could not install {' '.join(packages)}.", hint=why_it_failed(last), log=last)
