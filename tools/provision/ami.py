"""The least of AMI that tells whether an Asterisk is ready."""

from __future__ import annotations

import socket

from tools.provision.ports import HOST


def is_fully_booted(port: int, *, user: str, secret: str) -> bool:
    """Log in and see whether ``FullyBooted`` comes within a moment; False for whatever goes wrong on the way."""
    try:
        with socket.create_connection((HOST, port), timeout=2) as link:
            link.sendall(f"Action: Login\r\nUsername: {user}\r\nSecret: {secret}\r\n\r\n".encode())
            received = b""
            while chunk := link.recv(65536):
                received += chunk
                if b"Event: FullyBooted" in received:
                    return True
                if b"Response: Error" in received:
                    return False
    except OSError:
        pass
    return False
