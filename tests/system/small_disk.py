"""A small file system in the memory, seen by one thread and the processes it starts: it is gone with them.

The thread has a mount namespace of its own, so nothing is mounted on the machine, whatever happens to the test.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_CLONE_NEWNS = 0x00020000
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000
_libc = ctypes.CDLL(None, use_errno=True)


def on_small_disk(folder: Path, megabytes: int, work: Callable[[], None]) -> None:
    """Run ``work`` in a thread to which ``folder`` is an empty disk of this size."""

    def inside() -> None:
        _check(_libc.unshare(_CLONE_NEWNS), "unshare")
        _check(_libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), "making mounts private")
        _check(_libc.mount(b"none", str(folder).encode(), b"tmpfs", 0, f"size={megabytes}m".encode()), "tmpfs")
        work()

    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(inside).result()


def fill_up(folder: Path) -> None:
    """Write until there is no room for one more page."""
    with (folder / "ballast").open("ab", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def make_room(folder: Path) -> None:
    (folder / "ballast").unlink()


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
