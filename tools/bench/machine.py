"""What the machine and its processes have used: processor seconds from /proc, and how busy others keep it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and all its threads, ended ones included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def busy_seconds() -> float:
    """Processor time all processes of the machine have used, all processors together."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq) / _TICKS


@dataclass(frozen=True, slots=True)
class Load:
    """How quiet the machine was."""

    processors: int
    average_1m: float

    @classmethod
    def now(cls) -> Load:
        return cls(os.cpu_count() or 1, round(os.getloadavg()[0], 2))


def spread(values: list[float]) -> float:
    """Half of largest minus smallest, as part of the middle one: what repeating the same round changed."""
    middle = median(values)
    return (max(values) - min(values)) / 2 / middle if middle else 0.0


def median(values: list[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def go_ahead(pids: list[int]) -> None:
    """Put the sessions of these processes before what others run here. Needs root, and a kernel that groups by session
    (``kernel.sched_autogroup_enabled``)."""
    for pid in pids:
        Path(f"/proc/{pid}/autogroup").write_text("-16")
