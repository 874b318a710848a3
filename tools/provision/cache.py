"""The folder where made things are kept, and the lock that lets only one process make them."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.provision.errors import ProvisionError
from tools.provision.say import say

_override: Path | None = None


def use_cache(directory: Path) -> None:
    """Keep made things in ``directory`` instead of the usual place (command line option)."""
    global _override
    _override = directory.resolve()


def cache_dir() -> Path:
    """The cache folder, made if missing: an option, WOMBAT_ARI_CACHE, XDG_CACHE_HOME, or ~/.cache."""
    if _override is not None:
        path = _override
    elif own := os.environ.get("WOMBAT_ARI_CACHE"):
        path = Path(own).resolve()
    else:
        path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wombat-ari"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProvisionError(
            f"The cache folder {path} cannot be made: {error.strerror}.",
            hint="set WOMBAT_ARI_CACHE to a folder that can be written.",
        ) from error
    return path


@contextmanager
def only_one(name: str) -> Iterator[None]:
    """Hold the lock ``name`` of the cache; a second process says that it waits, and waits.

    The lock is the kernel's: it goes with the process that held it, so a killed run leaves nothing locked.
    """
    path = cache_dir() / f"{name}.lock"
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process that is making {name}")
            began = time.monotonic()
            fcntl.flock(lock, fcntl.LOCK_EX)
            say(f"it is done, after {time.monotonic() - began:.0f} s")
        yield


def require_space(directory: Path, *, megabytes: int) -> None:
    """Refuse early what would fill the disk half-way."""
    free = shutil.disk_usage(directory).free // 1_000_000
    if free < megabytes:
        raise ProvisionError(
            f"Not enough disk space in {directory}: {free} MB are free, {megabytes} MB are needed.",
            hint="free some space, or set WOMBAT_ARI_CACHE to a folder on a larger disk.",
        )


def remove_tree(path: Path) -> None:
    """Delete ``path``, unless something is mounted below it: then deleting would reach outside."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    below = [mount for mount in mounts if mount == str(path) or mount.startswith(f"{path}/")]
    if below:
        raise ProvisionError(
            f"{path} is half-made and cannot be removed: something is mounted at {below[0]}.",
            hint=f"umount {below[0]}, then run this again.",
        )
    shutil.rmtree(path)
