"""Progress for people: one line when long work begins, one every few seconds while it goes on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

EVERY = 5.0
"""Seconds between two signs of life of a long command."""


def say(text: str) -> None:
    """Write one line to the standard error stream, at once."""
    print(f"provision: {text}", file=sys.stderr, flush=True)


def run_showing(argv: Sequence[str], *, doing: str, log: Path, env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run ``argv`` with its output kept in ``log``; say now and then where it is.

    Returns the exit status and the last lines of the output.
    """
    began = shown = time.monotonic()
    say(f"{doing} (log: {log})")
    tail: deque[str] = deque(maxlen=15)
    with log.open("w") as kept:
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env=env,
            )
        except FileNotFoundError as error:
            return 127, str(error)
        assert process.stdout is not None
        for line in process.stdout:
            kept.write(line)
            kept.flush()
            tail.append(line.rstrip())
            if time.monotonic() - shown >= EVERY:
                shown = time.monotonic()
                say(f"  {shown - began:3.0f} s  {line.strip()[:90]}")
        status = process.wait()
    say(f"{doing}: {'done' if status == 0 else f'failed with status {status}'} after {time.monotonic() - began:.0f} s")
    return status, "\n".join(tail)
