"""sd_notify(3): what a unit with ``Type=notify`` waits for."""

import os
import socket
import sys


def tell_systemd(state: str) -> None:
    """``READY=1`` or ``STOPPING=1``; nothing when not under systemd."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        try:
            notify.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)
        except OSError as error:
            print(f"systemd was not told {state}: {error}", file=sys.stderr)
