"""The live page with 2,000 live calls and 50 runs: how long the server takes for it, and what an hour of it leaves.

    python -m tools.bench.live_page [--calls 2000] [--runs 50] [--watchers 20] [--seconds 30] [--refreshes 3600]

The real ``wombat-ari serve`` with its dialer, on a PBX played by another process, calls that talk without end. What is
asked for is what a browser fetches every two seconds. Measured: the time from the request to the whole answer, for one
who asks again at once, and for so many watchers each every two seconds; what of a processor that takes in both
processes; how long the dialer's reactor was away. Then so many refreshes as fast as they come (3,600 are an hour of two
watchers, or two hours of one), and what both processes have in memory meanwhile.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import re
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from tests.system.site import Site, until
from tools.bench.machine import Load, cpu_seconds, median
from tools.bench.played import rss_kb, say
from tools.provision.ports import free_port
from tools.provision.process import ServerProcess, Spec

REACH_MS = 300.0
STEPS = 4  #: memory is looked at after each part of the refreshes
GROWN_KB = 1000  #: the second half of them may leave so much: what the allocator keeps of it
EVERY_S = 2.0
WARM = 300  #: refreshes before memory is looked at
PASSWORD = "correct-horse-battery"
TALKS = "55510100{:06}"  #: answered, and nobody hangs up (tools/fake_pbx/scenes)
REPOSITORY = Path(__file__).parents[2]
PAGES = ("", "?by=number", "?by=answered&down=1", "?page=7", "?by=campaign&page=3")


class Watcher:
    """A browser session without a browser: logged on, one kept connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._cookies: dict[str, str] = {}
        self.post("/log-on", at="/log-on", login="admin", password=PASSWORD)

    def get(self, path: str) -> str:
        return self._ask("GET", path)

    def post(self, path: str, *, at: str, **fields: str) -> None:
        """A form of the page ``at``."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(at))
        assert token, f"{at} has no form"
        self._ask("POST", path, urllib.parse.urlencode({"csrf_token": token[1], **fields}))

    def refresh(self, query: str = "") -> float:
        """Milliseconds that it took; RuntimeError when it is not the live page."""
        began = time.perf_counter()
        text = self.get(f"/live/part{query}")
        took = (time.perf_counter() - began) * 1000
        if 'id="calls"' not in text:
            raise RuntimeError(f"that is not the live page: {text[:300]}")
        self.size = len(text)
        return took

    def _ask(self, method: str, path: str, form: str | None = None) -> str:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {
            "Cookie": cookies,
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept-Encoding": "identity",
        }
        self._connection.request(method, path, form, headers)
        answer = self._connection.getresponse()
        for value in answer.headers.get_all("Set-Cookie") or ():
            name, _, rest = value.partition("=")
            self._cookies[name] = rest.partition(";")[0]
        return answer.read().decode()


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    load = Load.now()
    with live_site(arguments.calls, arguments.runs) as site:
        one = Watcher(site.console_port)
        alone = [one.refresh(PAGES[n % len(PAGES)]) for n in range(100)]
        say(f"one who asks again at once: median {median(alone):.0f} ms")
        many, used, away = _together(site, arguments.watchers, arguments.seconds)
        say(f"{arguments.watchers} watchers: median {median(many):.0f} ms")
        memory = _memory(site, one, arguments.refreshes)
    grown = {name: found[-1] - found[STEPS // 2] for name, found in memory.items()}
    return {
        "calls": arguments.calls, "runs": arguments.runs, "processors": load.processors, "load_before": load.average_1m,
        "bytes": one.size, "alone_ms": _told(alone), "watchers": arguments.watchers, "together_ms": _told(many),
        "processor_ms": used, "event_loop_delay_ms": away, "refreshes": arguments.refreshes, "memory_kb": memory,
        "grown_kb": grown, "reach_ms": REACH_MS,
        "reached": max(_told(alone)["p99"], _told(many)["p99"]) <= REACH_MS and max(grown.values()) <= GROWN_KB,
    }  # fmt: skip


@contextmanager
def live_site(calls: int, runs: int) -> Iterator[Site]:
    """So many calls of so many runs, connected, and a console."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wombat-bench-")))
        port = free_port()
        pbx = ServerProcess("the PBX", output=folder / "pbx.log")
        stack.callback(pbx.kill_group)
        pbx.spawn(Spec([sys.executable, "-m", "tools.bench.load_pbx", str(port)], directory=str(REPOSITORY), env={}))
        site = Site(folder / "site", settings={"WOMBAT_ARI_ADMIN_PASSWORD": PASSWORD})
        stack.callback(_quietly_closed, site)
        site.wombat("init")
        site.apply(_plan(port, calls, runs))
        each = calls // runs + 20
        for run in range(runs):
            site.fill(f"numbers {run}", [TALKS.format(run * each + n) for n in range(each)])
        site.serve()
        site.await_pbx()
        site.run(*(f"Campaign of branch {run}" for run in range(runs)))
        until(lambda: site.snapshot()["calls_by_state"].get("CONNECTED") == calls, 180, f"{calls} calls are connected")
        say(f"{calls} calls of {runs} runs are connected")
        yield site


def _plan(port: int, calls: int, runs: int) -> dict[str, list[dict[str, Any]]]:
    lines = calls // runs
    server = {
        "name": "pbx", "address": "127.0.0.1", "port": port, "login": "wombat", "password": "dials",
        "max_messages_per_unit": 30,
    }  # fmt: skip
    line = {"server": "pbx", "capacity": lines, "dial_string": "Local/${num}@simulated-network/n"}
    point = {
        "server": "pbx", "type": "PHONE", "extension": "101", "context": "simulated-endpoints", "max_channels": lines
    }  # fmt: skip
    return {
        "server": [server],
        "trunk": [{"name": f"Carrier {run}", **line} for run in range(runs)],
        "end_point": [{"name": f"Desk {run}", **point} for run in range(runs)],
        "list": [{"name": f"numbers {run}"} for run in range(runs)],
        "campaign": [
            {
                "name": f"Campaign of branch {run}", "trunks": [f"Carrier {run}"], "end_points": [f"Desk {run}"],
                "lists": [f"numbers {run}"],
            }
            for run in range(runs)
        ],
    }  # fmt: skip


def _together(site: Site, watchers: int, seconds: float) -> tuple[list[float], dict[str, float], float]:
    """Times of all, milliseconds of a processor that each took, and the longest the dialer's reactor was away (ms)."""
    people = [Watcher(site.console_port) for _ in range(watchers)]
    times: list[float] = []
    before, began = _cpu(site), time.monotonic()

    def watch(person: Watcher, place: int) -> None:
        time.sleep(random.random() * EVERY_S)
        while time.monotonic() - began < seconds:
            took = person.refresh(PAGES[place % len(PAGES)])
            times.append(took)
            time.sleep(max(0.0, EVERY_S - took / 1000))

    threads = [threading.Thread(target=watch, args=(person, place)) for place, person in enumerate(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.monotonic() - began
    used = {name: round((value - before[name]) * 1000 / len(times), 1) for name, value in _cpu(site).items()}
    say(f"{len(times)} refreshes in {spent:.0f} s")
    return times, used, float(site.snapshot()["event_loop_delay_ms"])


def _memory(site: Site, one: Watcher, refreshes: int) -> dict[str, list[int]]:
    """Of each process, at first and after each step (KB)."""
    for n in range(WARM):
        one.refresh(PAGES[n % len(PAGES)])
    found = {name: [kb] for name, kb in _rss(site).items()}
    for _ in range(STEPS):
        for n in range(refreshes // STEPS):
            one.refresh(PAGES[n % len(PAGES)])
        for name, kb in _rss(site).items():
            found[name].append(kb)
    return found


def _pids(site: Site) -> dict[str, int]:
    dialer = site.dialer_pid()
    assert dialer is not None
    return {"web": site.supervisor_pid, "dialer": dialer}


def _cpu(site: Site) -> dict[str, float]:
    return {name: cpu_seconds(pid) for name, pid in _pids(site).items()}


def _rss(site: Site) -> dict[str, int]:
    return {name: rss_kb(pid) for name, pid in _pids(site).items()}


def _told(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "median": round(median(ordered), 1), "p99": round(ordered[int(len(ordered) * 0.99)], 1),
        "longest": round(ordered[-1], 1), "times": len(ordered),
    }  # fmt: skip


def _quietly_closed(site: Site) -> None:
    with redirect_stdout(sys.stderr):
        site.close()


def shown(result: dict[str, Any]) -> str:
    def line(name: str, times: dict[str, float]) -> str:
        return f"  {name:34} median {times['median']} ms, 99 % {times['p99']}, longest {times['longest']}"

    return "\n".join([
        f"Live page: {result['calls']:,} live calls, {result['runs']} runs, {result['bytes'] / 1000:.0f} KB, load at"
        f" start {result['load_before']}",
        line("one who asks again at once", result["alone_ms"]),
        line(f"{result['watchers']} watchers, each every 2 s", result["together_ms"]),
        f"  milliseconds of a processor for each {result['processor_ms']}, dialer's reactor away"
        f" {result['event_loop_delay_ms']} ms at most",
        *(
            f"  KB of {name:7} at first and after each {1 / STEPS:.0%} of {result['refreshes']:,} refreshes:"
            f" {', '.join(f'{kb:,}' for kb in found)}"
            for name, found in result["memory_kb"].items()
        ),
        f"  reach: {REACH_MS:.0f} ms, and {GROWN_KB:,} KB: {'reached' if result['reached'] else 'NOT reached'}",
    ])  # fmt: skip


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.live_page", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--watchers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30.0, help="so long all watch")
    parser.add_argument("--refreshes", type=int, default=3600, help="after which memory is looked at again")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    result = measure(arguments)
    print(json.dumps(result, indent=2) if arguments.json else shown(result))
    return 0 if result["reached"] else 1


if __name__ == "__main__":
    sys.exit(main())
