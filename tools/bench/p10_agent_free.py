"""P10: from "agent free" to the Originate, with 500 agents, while half a processor of the dialer is busy.

    python -m tools.bench.p10_agent_free [--seconds 60] [--agents 500] [--load 0.5] [--database mariadb|sqlite] [--json]

The dialer is the real process, its database as in life: an Originate waits for the commit that says who is called. One
PBX, played by the benchmark, has a queue of agents who have a call for most of the time. It writes the events of a
call's end down to ``QueueMemberStatus: not in use``, and takes the time; the dialer's next Originate is the answer
(there are lines enough, boost 1, so each is answered by one). So the time has everything in it: sockets, decoding,
pass, commit, congestion control, and the scheduling of both processes by the kernel. A second PBX in a process of its
own takes calls of another campaign that are busy at once, at a rate at which the dialer is as busy as wanted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.internet import threads

from tools.bench.machine import Load, busy_seconds, cpu_seconds
from tools.bench.played import Played, listening, patiently, play, reactor, say, server_toml
from tools.fake_pbx import FakePbx, FakeQueue
from tools.fake_pbx.session import FakeSession
from tools.provision.ports import free_port
from tools.provision.process import ServerProcess

REACH_MS = 10.0
QUEUE = "agents"
TALK_S = (10.0, 30.0)  #: how long calls of agents last
RING_S = 0.3
TALKS, BUSY = "55510000{:06}", "55520000{:06}"
RATES = (1, 100)  #: calls of the load in 50 ms: none is no load
SETTLE_S, TRY_S, TRIES = 2.0, 4.0, 4
CALLS_A_SECOND = 1000  #: more than the load becomes
WINDOW_S = 5.0
NOISY, MORE = 0.15, 2  #: processors used by others in a window: another is taken, so many times as many at most


class Watch:
    """Takes the times at the PBX with the agents: from setting one free to the next Originate."""

    def __init__(self, pbx: FakePbx, queue: FakeQueue) -> None:
        self._free: deque[float] = deque()
        self._came = 0.0
        self._chance = random.Random(1)
        self.ms: list[float] = []
        self.unasked = 0  #: Originates without an agent who became free
        say, originate, answer = pbx.say, pbx.originate, queue._answer
        data_received = FakeSession.dataReceived

        def said(texts: Any) -> None:
            told = list(texts)
            say(told)
            free = sum("Event: QueueMemberStatus" in text and "\nStatus: 1\n" in text for text in told)
            self._free.extend([time.perf_counter()] * free)

        def received(session: FakeSession, data: bytes) -> None:
            self._came = time.perf_counter()
            data_received(session, data)

        def originated(headers: dict[str, str], variables: dict[str, str]) -> None:
            if self._free:
                self.ms.append(1000 * (self._came - self._free.popleft()))
            else:
                self.unasked += 1
            originate(headers, variables)

        def answered(agent: Any) -> None:
            answer(agent)
            call = pbx.live[agent.talks]
            call._later(self._chance.uniform(*TALK_S), call.hang_up, 16)

        pbx.say, pbx.originate, queue._answer = said, originated, answered  # type: ignore[method-assign]
        FakeSession.dataReceived = received  # type: ignore[method-assign]

    def taken(self) -> list[float]:
        """The times since this was asked last."""
        taken, self.ms = self.ms, []
        return taken


@dataclass(frozen=True, slots=True)
class Window:
    """Some seconds: the times of the answers, and the processors used by whom."""

    ms: list[float]
    used: dict[str, float]

    @property
    def others(self) -> float:
        return self.used["others"]


def main() -> int:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    result = play(lambda: measure(arguments))
    print(json.dumps(result, indent=2) if arguments.json else shown(result))
    return 0 if result["reached"] else 1


def measure(wanted: argparse.Namespace) -> dict[str, Any]:
    machine, agents, seconds = Load.now(), wanted.agents, wanted.seconds
    with Played(wanted.database) as site:
        pbx, port = listening()
        watch = threads.blockingCallFromThread(reactor, lambda: _with_agents(pbx, agents))
        load_port = free_port()
        load_pbx = site.spawn("load", "tools.bench.load_pbx", str(load_port))
        ports = port, load_port
        site.apply(_plan(ports, agents=agents, rate=RATES[0]))
        calls = int(agents * 2 + agents / TALK_S[0] * (seconds + 60))
        site.fill_list("talks", (TALKS.format(n) for n in range(calls)))
        site.fill_list("busy", (BUSY.format(n) for n in range(int(CALLS_A_SECOND * (MORE * seconds + 60)))))
        parts = site.folder / "parts.json"
        with site.dialer(2, "tools.bench.timed_dialer", str(parts)) as dialer:
            if wanted.precedence:
                _take_precedence(site, dialer.pid, load_pbx.pid)
            site.wombat("run", "--no-watch", "agents")
            patiently(lambda: len(pbx.live) >= agents * 0.98, "the agents have calls", timeout=120)
            time.sleep(TALK_S[1] / 2)  # they no more end together
            rate = _find_rate(site, dialer, wanted.load, lambda rate: _plan(ports, agents=agents, rate=rate))
            windows = _windows(site, watch, {"dialer": dialer, "load": load_pbx}, seconds)
        inside = json.loads(parts.read_text(encoding="utf-8"))
    result = _result(windows, wanted, load_calls_per_s=20 * rate, unasked=watch.unasked, machine=machine)
    return {**result, "inside": _inside(inside)}


def _take_precedence(site: Played, *pids: int) -> None:
    """Where the machine has other work: these go before others', as the kernel groups them by session."""
    mariadb = [site.mariadb.pid] if site.mariadb else []
    for pid in (*pids, *mariadb, os.getpid()):
        Path(f"/proc/{pid}/autogroup").write_text("-20")


def _with_agents(pbx: FakePbx, agents: int) -> Watch:
    queue = pbx.queues[QUEUE] = FakeQueue(pbx, QUEUE)
    for serial in range(agents):
        queue.log_on(f"PJSIP/{serial}", ring_s=RING_S)
    return Watch(pbx, queue)


def _find_rate(site: Played, dialer: ServerProcess, load: float, plan: Any) -> int:
    """Calls of the load in 50 ms with which the dialer is as busy as wanted; 0: it is that without."""
    if _busy(dialer) >= load:
        return 0
    site.wombat("run", "--no-watch", "load")
    rate = 5
    for _ in range(TRIES):
        site.apply(plan(rate))
        site.wombat("reload", "load")
        time.sleep(SETTLE_S)
        busy = _busy(dialer)
        say(f"{rate} calls in 50 ms: the dialer uses {busy:.2f} processors")
        if abs(busy - load) < 0.04:
            break
        rate = max(RATES[0], min(RATES[1], round(rate * load / max(0.05, busy))))
    return rate


def _busy(dialer: ServerProcess) -> float:
    before, began = cpu_seconds(dialer.pid), time.monotonic()
    time.sleep(TRY_S)
    return (cpu_seconds(dialer.pid) - before) / (time.monotonic() - began)


def _windows(site: Played, watch: Watch, processes: dict[str, ServerProcess], seconds: float) -> list[Window]:
    """As many as are wanted, the quietest of those taken; more are taken while others use the processors."""

    def now() -> dict[str, float]:
        used = {name: cpu_seconds(process.pid) for name, process in processes.items()}
        mariadb = site.mariadb.cpu_seconds() if site.mariadb else 0.0
        return {**used, "bench": time.process_time(), "mariadb": mariadb, "machine": busy_seconds()}

    wanted, taken = max(1, round(seconds / WINDOW_S)), []  # type: int, list[Window]
    watch.taken()
    while sum(each.others <= NOISY for each in taken) < wanted and len(taken) < MORE * wanted:
        before, began = now(), time.monotonic()
        time.sleep(WINDOW_S)
        took, after = time.monotonic() - began, now()
        used = {name: (after[name] - before[name]) / took for name in after}
        used["others"] = max(0.0, 2 * used["machine"] - sum(used.values()))
        taken.append(Window(watch.taken(), used))
        say(
            f"{len(taken)}: 99 % {percentile(sorted(taken[-1].ms), 99):.1f} ms, dialer {used['dialer']:.2f},"
            f" others {used['others']:.2f}"
        )
    return sorted(taken, key=lambda each: each.others)[:wanted]


def _plan(ports: tuple[int, int], *, agents: int, rate: int) -> str:
    lines = agents * 2
    return f"""
{server_toml("agents", ports[0], per_unit=50, lines=lines)}
{server_toml("load", ports[1], per_unit=rate, lines=2000)}
[[end_point]]
name = "{QUEUE}"
server = "agents"
type = "QUEUE"
context = "simulated-endpoints"
extension = "{QUEUE}"
max_channels = {lines}
[[end_point]]
name = "end point"
server = "load"
type = "PHONE"
context = "simulated-endpoints"
extension = "101"
max_channels = 2000
[[list]]
name = "talks"
[[list]]
name = "busy"
[[campaign]]
name = "agents"
trunks = ["trunk agents"]
end_points = ["{QUEUE}"]
lists = ["talks"]
[[campaign]]
name = "load"
trunks = ["trunk load"]
end_points = ["end point"]
lists = ["busy"]
batch_size = 1000
"""


def _result(
    windows: list[Window], wanted: argparse.Namespace, *, load_calls_per_s: int, unasked: int, machine: Load
) -> dict[str, Any]:
    ms = sorted(time for window in windows for time in window.ms)
    used = {name: sum(window.used[name] for window in windows) / len(windows) for name in windows[0].used}
    late = percentile(ms, 99)
    return {
        "row": "P10",
        "database": wanted.database,
        "agents": wanted.agents,
        "wanted_load": wanted.load,
        "precedence": wanted.precedence,
        "seconds": WINDOW_S * len(windows),
        "machine": {"processors": machine.processors, "average_1m": machine.average_1m},
        "load_calls_per_s": load_calls_per_s,
        "used": {name: round(processors, 2) for name, processors in used.items()},
        "answers": len(ms),
        "unasked": unasked,
        "ms": {
            "median": round(percentile(ms, 50), 2),
            **{str(part): round(percentile(ms, part), 2) for part in (90, 95, 99)},
            "worst": round(percentile(ms, 100), 2),
        },
        "reach": {"ms_99": REACH_MS},
        "reached": bool(ms) and late < REACH_MS,
    }


def _inside(inside: dict[str, Any]) -> dict[str, dict[str, float]]:
    """What the dialer's own stop-watch says, of all calls of the run: where the time goes."""
    columns = zip(*inside["ms"], strict=True)
    times = {name: sorted(column) for name, column in zip(inside["parts"], columns, strict=False)}
    return {
        name: {"median": round(percentile(ms, 50), 2), "99": round(percentile(ms, 99), 2)} for name, ms in times.items()
    }


def percentile(ordered: list[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part / 100))] if ordered else 0.0


def shown(result: dict[str, Any]) -> str:
    ms, used = result["ms"], result["used"]
    verdict = "reached" if result["reached"] else "NOT reached"
    lines = [
        f"P10  agent free to Originate: {result['agents']} agents, {result['database']},"
        f" {result['answers']} times in {result['seconds']:.0f} s",
        f"  median {ms['median']} ms   90 % {ms['90']}   95 % {ms['95']}   99 % {ms['99']}   worst {ms['worst']}",
        f"  beside it at most {result['load_calls_per_s']} other calls/s; processors used: "
        + ", ".join(f"{name} {processors}" for name, processors in used.items())
        + f" of {result['machine']['processors']}",
        "  inside the dialer, median and 99 %: "
        + ", ".join(f"{name} {part['median']} {part['99']}" for name, part in result["inside"].items()),
        f"  reach: 99 % under {REACH_MS:.0f} ms: {verdict}",
    ]
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench.p10_agent_free", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--agents", type=int, default=500)
    parser.add_argument("--load", type=float, default=0.5, help="processors the dialer is to use (default 0.5)")
    parser.add_argument("--database", choices=("mariadb", "sqlite"), default="mariadb")
    parser.add_argument(
        "--precedence",
        action="store_true",
        help="go before others' processes where the machine has other work (root, Linux)",
    )
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
