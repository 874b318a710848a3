"""The one error of the provisioning: what is wrong, and what to do about it."""

from __future__ import annotations

import os


class ProvisionError(Exception):
    """Something could not be made or started; ``str()`` is written to be shown to a person."""

    def __init__(self, what: str, *, hint: str = "", log: str = "") -> None:
        parts = [what]
        if hint:
            parts.append(f"What to do: {hint}")
        if log:
            parts.append("Last lines of its log:\n" + "\n".join(f"  | {line}" for line in log.splitlines()))
        super().__init__("\n".join(parts))


def require_root(purpose: str) -> None:
    """Refuse early, by name, what only root may do."""
    if os.geteuid() != 0:
        raise ProvisionError(
            f"{purpose} needs root, and this is user {os.geteuid()}.",
            hint="run the same command as root (a container will do).",
        )
