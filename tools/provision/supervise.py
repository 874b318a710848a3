"""Stands between a test run and one server process; run as a program, never imported.

Usage: ``python3 -I -S supervise.py SPEC`` where SPEC is JSON, see `process.Spec`. Its standard input is a pipe whose
other end only the owner holds: when the owner dies, even by SIGKILL, the pipe ends and the server is killed, with the
processes it made: they are one group. The server in turn is killed by the kernel when this program dies. So nothing
that a test started can stay behind. (The kernel's own signal at a parent's death would not do alone: it comes when the
*thread* that started the child ends.)

The first line on standard output is the server's process id. The exit status is the server's, 128+n for signal n.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import sys
from typing import Any

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_CLONE_NEWNS = 0x00020000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(source: str, target: str, flags: int) -> None:
    _check(_libc.mount(source.encode(), target.encode(), None, flags, None), f"mount {source} on {target}")


def _enter_root(spec: dict[str, Any]) -> None:
    """Into a mount namespace of our own, the wanted folders bound into ``root``, and into that root."""
    _check(_libc.unshare(_CLONE_NEWNS), "unshare")
    _mount("none", "/", _MS_REC | _MS_PRIVATE)
    for source, target in spec["binds"]:
        _mount(source, spec["root"] + target, _MS_BIND | _MS_REC)
    os.chroot(spec["root"])


def _raise_file_limit(wanted: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (max(hard, wanted), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        except (OSError, ValueError):
            continue
        return


def _become_server(spec: dict[str, Any], supervisor: int) -> None:
    os.setpgid(0, 0)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    _raise_file_limit(spec["files"])
    if spec["root"]:
        _enter_root(spec)
    os.chdir(spec["directory"])
    if spec["uid"] is not None:
        os.setgroups([])
        os.setgid(spec["gid"])
        os.setuid(spec["uid"])
    # After the change of user, which clears it.
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != supervisor:
        os._exit(1)
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.execve(spec["argv"][0], spec["argv"], spec["env"])


def _wait(pid: int) -> int:
    """Until the server ends, or the owner: then it is killed first."""
    waiting = select.poll()
    server = os.pidfd_open(pid)
    waiting.register(server, select.POLLIN)
    waiting.register(0, select.POLLIN)
    while True:
        ready = [fd for fd, _ in waiting.poll()]
        if server in ready:
            break
        if not os.read(0, 1024):
            os.killpg(pid, signal.SIGKILL)
            break
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def main() -> None:
    spec = json.loads(sys.argv[1])
    supervisor = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            _become_server(spec, supervisor)
        except BaseException as error:  # noqa: BLE001 - the fork must never run on into the parent's code
            os.write(2, f"supervise: {error}\n".encode())
        os._exit(127)
    with contextlib.suppress(PermissionError, ProcessLookupError):  # it did so itself and is the server by now
        os.setpgid(pid, pid)
    os.write(1, f"{pid}\n".encode())
    os.close(1)
    code = _wait(pid)
    sys.exit(128 - code if code < 0 else code)


if __name__ == "__main__":
    main()
