"""Free ports on the loopback address."""

from __future__ import annotations

import random
import socket

from tools.provision.errors import ProvisionError

HOST = "127.0.0.1"
# Below the kernel's own range for outgoing connections: while a server is down for a restart, no client's socket
# can be given its port.
_LOWEST, _HIGHEST = 20_000, 31_999


def _can_bind(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody uses now, of TCP or (``socket.SOCK_DGRAM``) UDP."""
    for _ in range(200):
        port = random.randint(_LOWEST, _HIGHEST)
        if _can_bind(port, kind):
            return port
    raise ProvisionError(f"No free port between {_LOWEST} and {_HIGHEST} on {HOST}.", hint="end some servers.")


def require_free(port: int, *, server: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> None:
    """Refuse to start ``server`` on a port that is taken: it would only say so deep in its log."""
    if not _can_bind(port, kind):
        raise ProvisionError(
            f"{server} cannot start: port {port} on {HOST} is taken by another program.",
            hint=f"end that program (`ss -lntup | grep {port}` names it), or choose another port.",
        )
