"""P4: FastAGI ``callstatus`` requests a second, beside panoramisk's and pystrix's FastAGI servers.

    python -m tools.bench.p4_fastagi [--seconds 5] [--callers 64] [--rounds 3] [--json]

A request is what an Asterisk does for ``AGI(agi://host/callstatus?V=1)``: connect, send the environment, answer each
command until the server closes. The same client, with so many callers at a time, asks each server in turn; a request
counts when the variable was set and the server has closed. Afterwards each server must have noted every one.

Needs ``pip install -e '.[bench]'`` (panoramisk, pystrix).
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.bench.machine import Load, cpu_seconds, median, spread
from tools.bench.p4_side import HOST, SIDES
from tools.bench.stores import say

ROOT = Path(__file__).parents[2]
REACH = 1.0  #: times the fastest of the others
CONNECT_S = 10.0
FIRST = b"agi_network: yes\n"
REST = b"""agi_network_script: callstatus?V=1
agi_request: agi://127.0.0.1:4573/callstatus?V=1
agi_channel: Local/5556001@dialout-0000003a;1
agi_language: en
agi_type: Local
agi_uniqueid: wbt-%016d
agi_version: 22.10.1
agi_callerid: 555
agi_calleridname: Joe, D
agi_callingpres: 0
agi_callingani2: 0
agi_callington: 0
agi_callingtns: 0
agi_dnid: unknown
agi_rdnis: unknown
agi_context: agi
agi_extension: env
agi_priority: 2
agi_enhanced: 0.0
agi_accountcode: 
agi_threadid: 139973417105088

"""
SETS = b"SET VARIABLE"


@dataclass(slots=True)
class Turn:
    """What a server did in its seconds."""

    done: int = 0
    seconds: float = 0.0
    waits_ms: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.done / self.seconds


@dataclass(slots=True)
class Caller:
    """One request under way."""

    link: socket.socket
    began: float
    said: bytes = b""
    set: bool = False


class Asterisk:
    """So many channels, each with one AGI at a time."""

    def __init__(self, port: int, callers: int) -> None:
        self._port = port
        self._callers = callers
        self._poll = select.epoll()
        self._under_way: dict[int, Caller] = {}
        self._number = 0

    def ask(self, seconds: float) -> Turn:
        turn = Turn()
        began = time.perf_counter()
        ends = began + seconds
        for _ in range(self._callers):
            self._begin()
        while self._under_way:
            events = self._poll.poll(CONNECT_S)
            if not events:
                raise RuntimeError("the server does not answer")
            now = time.perf_counter()
            for descriptor, _ in events:
                caller = self._under_way[descriptor]
                if self._goes_on(caller):
                    continue
                if not caller.set:
                    raise RuntimeError(f"the server closed without setting the variable: {caller.said!r}")
                del self._under_way[descriptor]
                caller.link.close()
                turn.done += 1
                turn.waits_ms.append((now - caller.began) * 1000)
                if now < ends:
                    self._begin()
        turn.seconds = time.perf_counter() - began
        return turn

    def _begin(self) -> None:
        self._number += 1
        link = socket.socket()
        link.connect((HOST, self._port))
        link.setblocking(False)
        # Asterisk writes line by line: the first goes out alone, the others together while that is on its way.
        link.send(FIRST)
        link.send(REST % self._number)
        self._under_way[link.fileno()] = Caller(link, time.perf_counter())
        self._poll.register(link, select.EPOLLIN)

    def _goes_on(self, caller: Caller) -> bool:
        """Whether the server has more to say after this."""
        try:
            data = caller.link.recv(4096)
        except ConnectionResetError:
            return False
        if not data:
            return False
        caller.said += data
        while b"\n" in caller.said:
            line, _, caller.said = caller.said.partition(b"\n")
            caller.set = caller.set or line.startswith(SETS)
            try:
                caller.link.send(b"200 result=1\n")
            except ConnectionError:  # it has closed behind its command, and read no answer
                return False
        return True


class Side:
    """One server's process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.bench.p4_side", name],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def turn(self, callers: int, seconds: float) -> tuple[Turn, float]:
        """What it did, and its processor milliseconds a request."""
        before = cpu_seconds(self._process.pid)
        turn = Asterisk(self.port, callers).ask(seconds)
        self.asked += turn.done
        return turn, (cpu_seconds(self._process.pid) - before) * 1000 / turn.done

    def end(self) -> int:
        """How many it has noted."""
        said, _ = self._process.communicate(timeout=30)
        return int(said or 0)

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def measure(*, callers: int, seconds: float, rounds: int) -> dict[str, Any]:
    load = Load.now()
    sides = [Side(name) for name in SIDES]
    try:
        found = _measured(sides, callers=callers, seconds=seconds, rounds=rounds)
        for side in sides:
            if (noted := side.end()) != side.asked:
                raise RuntimeError(f"{side.name}: asked {side.asked}, noted {noted}")
    finally:
        for side in sides:
            side.kill()
    ratios = [
        ours / max(others)
        for ours, *others in zip(*(found[name]["rates"] for name in SIDES), strict=True)
    ]  # fmt: skip
    return {
        "row": "P4", "callers": callers, "seconds": seconds, "rounds": rounds, "processors": load.processors,
        "load_before": load.average_1m, "sides": found, "ratio_to_fastest_other": round(median(ratios), 2),
        "ratio_by_processor": _by_processor(found), "spread": round(spread(ratios), 2), "reach": REACH,
        "reached": median(ratios) > REACH,
    }  # fmt: skip


def _by_processor(found: dict[str, dict[str, Any]]) -> float:
    """What the fastest other one uses for a request, in ours: others on the machine change it little."""
    ours, *others = (found[name]["cpu_ms_per_request"] for name in SIDES)
    return round(min(others) / ours, 2) if ours else 0.0


def _measured(sides: list[Side], *, callers: int, seconds: float, rounds: int) -> dict[str, Any]:
    rates: dict[str, list[float]] = {side.name: [] for side in sides}
    waits: dict[str, list[float]] = {side.name: [] for side in sides}
    used: dict[str, list[float]] = {side.name: [] for side in sides}
    for number in range(rounds + 1):  # the first one warms up and is not counted
        for side in sides if number % 2 else reversed(sides):
            turn, cpu_ms = side.turn(callers, seconds if number else min(1.0, seconds))
            say(f"{side.name}, round {number} of {rounds}: {turn.rate:,.0f} a second")
            if number:
                rates[side.name].append(turn.rate)
                used[side.name].append(cpu_ms)
                waits[side.name] += turn.waits_ms
    return {
        name: {
            "per_s": round(median(rates[name])),
            "rates": [round(rate) for rate in rates[name]],
            "wait_ms_median": round(median(waits[name]), 2),
            "wait_ms_worst": round(max(waits[name]), 1),
            "cpu_ms_per_request": round(median(used[name]), 3),
        }
        for name in rates
    }


def shown(result: dict[str, Any]) -> str:
    lines = [f"P4   FastAGI callstatus, {result['callers']} callers at a time"]
    for name, found in result["sides"].items():
        lines.append(
            f"  {name:10} {found['per_s']:>6,} a second, {found['wait_ms_median']} ms each in the middle,"
            f" {found['wait_ms_worst']} at worst; processor {found['cpu_ms_per_request']} ms a request"
        )
    verdict = "reached" if result["reached"] else "NOT reached"
    ratio = f"{result['ratio_to_fastest_other']:.2f} x the fastest of the others (spread {result['spread']:.0%})"
    lines.append(
        f"  P4: {ratio}, {result['ratio_by_processor']:.2f} x by processor time; reach: fastest of all: {verdict}"
    )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="of each turn")
    parser.add_argument("--callers", type=int, default=64, help="at a time")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not 1 <= arguments.callers <= 500 or arguments.rounds < 1 or arguments.seconds <= 0:
        parser.error("at least one caller (at most 500) and one round, and some seconds")
    result = measure(callers=arguments.callers, seconds=arguments.seconds, rounds=arguments.rounds)
    print(json.dumps(result, indent=2) if arguments.json else shown(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
