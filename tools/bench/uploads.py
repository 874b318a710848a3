"""A million numbers by HTTP: ``addToList`` of the compatible API by POST, and CSV by the JSON API; time and memory.

    python -m tools.bench.uploads [--numbers 1000000] [--database both|mariadb|sqlite] [--json]

The real ``wombat-ari serve`` with its dialer, asked by curl with a file, as people do (``-F numbers=@FILE`` and
``--data-binary @FILE``). Each way three times: onto an empty list, onto an empty list without duplicates (``dedupe``),
and the same once more, when all are there. Two numbers are none; they must be told by their place, and all others be
on the list. Meanwhile its progress is asked for like everybody does, and ``sysup`` is asked all the time: the slowest
answer is told. Memory is the most that the web process had in each turn. Needs 1 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.system.site import Site
from tools.bench.machine import Load, cpu_seconds
from tools.bench.stores import KINDS, say
from tools.provision.mariadb import MariaDBInstance

MOST_MB = 150.0
MOST_RATIO = 3.0  #: what leaving out duplicates may cost: the same order of time
LOOK_S = 0.2
LIMIT_S = 1800.0
WAYS = ("addToList", "CSV")
TURNS = ("plain", "dedupe", "again")
POOL_MB = 256


@dataclass(slots=True)
class Turn:
    """What one upload took. ``steps``: how many different numbers of records were seen on the way."""

    seconds: float = 0.0
    peak_mb: float = 0.0
    processor_s: float = 0.0
    steps: int = 0
    slowest_ms: float = 0.0


@dataclass(slots=True)
class Watch:
    """Asks for the progress and for ``sysup`` until it is over."""

    site: Site
    token: str
    list_id: int
    over: threading.Event = field(default_factory=threading.Event)
    seen: set[int] = field(default_factory=set)
    slowest_ms: float = 0.0

    def run(self) -> None:
        while not self.over.wait(LOOK_S):
            began = time.perf_counter()
            self.get("/wombat/api/sysup/")
            self.slowest_ms = max(self.slowest_ms, (time.perf_counter() - began) * 1000)
            self.seen.update(one["read"] for one in self.imports()[:1])

    def imports(self) -> list[dict[str, Any]]:
        """Of the list, the latest first."""
        return list(self.get(f"/api/v1/lists/{self.list_id}/imports")["items"])

    def get(self, path: str) -> Any:
        address = f"http://127.0.0.1:{self.site.console_port}{path}"
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


class Served:
    """A site, a token, and the files to be sent."""

    def __init__(self, site: Site, folder: Path, numbers: int) -> None:
        self.site = site
        self.numbers = numbers
        self.wrong = (10, numbers - 1)  #: places of what is no number
        self.native, self.csv = folder / "numbers.txt", folder / "numbers.csv"
        self._write()
        site.wombat("init")
        site.apply({"list": [{"name": f"{way} {kind}"} for way in WAYS for kind in ("all", "once")]})
        site.serve()
        self.token = site.wombat(
            "token", "add", "admin", "bench", "--scope", "CONTROL", "--scope", "READ"
        ).stdout.strip()

    def upload(self, way: str, turn: str) -> Turn:
        """RuntimeError when the list is not as it must be afterwards."""
        name = f"{way} {'all' if turn == 'plain' else 'once'}"
        ((list_id,),) = self.site.rows("SELECT id FROM call_list WHERE name = %s", (name,))
        pid = self.site.supervisor_pid
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the most it has had begins anew
        watch = Watch(self.site, self.token, list_id)
        thread = threading.Thread(target=watch.run)
        used, began = cpu_seconds(pid), time.monotonic()
        thread.start()
        try:
            send = self._add_to_list if way == "addToList" else self._import
            refused = send(name, watch, dedupe=turn != "plain")
        finally:
            watch.over.set()
            thread.join()
        took = Turn(time.monotonic() - began, peak_mb(pid), cpu_seconds(pid) - used, len(watch.seen), watch.slowest_ms)
        stands = self.site.rows("SELECT COUNT(*) FROM record WHERE list_id = %s", (list_id,))[0][0]
        if (refused, stands) != (list(self.wrong), self.numbers - 2):
            raise RuntimeError(f"{way}, {turn}: refused {refused}, {stands} on the list")
        return took

    def _add_to_list(self, name: str, watch: Watch, *, dedupe: bool) -> list[int]:
        """Places that were refused."""
        forms = ["-F", "op=addToList", "-F", f"list={name}", "-F", f"numbers=@{self.native}"]
        said = self._curl("/wombat/api/lists/", *forms, *(["-F", "dedupe=1"] if dedupe else []))
        if not said.startswith("OK"):
            raise RuntimeError(said)
        return [int(place) for place in re.findall(r"^refused: record (\d+): the number is empty$", said, re.MULTILINE)]

    def _import(self, name: str, watch: Watch, *, dedupe: bool) -> list[int]:
        """Places of the lines of the CSV that were refused; its first line has the names."""
        file = ["-H", "Content-Type: text/csv", "--data-binary", f"@{self.csv}"]
        query = "?dedupe=true" if dedupe else ""
        told = json.loads(self._curl(f"/api/v1/lists/{watch.list_id}/imports{query}", *file))
        until = time.monotonic() + LIMIT_S
        while told["state"] in ("WAITING", "RUNNING") and time.monotonic() < until:
            time.sleep(LOOK_S)
            told = watch.get(f"/api/v1/imports/{told['id']}")
        if told["state"] != "DONE":
            raise RuntimeError(f"the import is {told['state']}: {told['error']}")
        return [each["line"] - 1 for each in told["refusals"]]

    def _curl(self, path: str, *arguments: str) -> str:
        address = f"http://127.0.0.1:{self.site.console_port}{path}"
        done = subprocess.run(
            ["curl", "-sS", "-H", f"Authorization: Bearer {self.token}", *arguments, address],
            capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"curl: {done.stderr}")
        return done.stdout

    def _write(self) -> None:
        with self.native.open("w") as native, self.csv.open("w") as csv:
            csv.write("NUMBER,NAME,CITY,CASE\n")
            for place in range(1, self.numbers + 1):
                number = "" if place in self.wrong else str(39 * 10**8 + place)
                native.write(f"{number},NAME:Ann Müller,CITY:Lyon,CASE:{place}{'|' if place < self.numbers else ''}")
                csv.write(f"{number},Ann Müller,Lyon,{place}\n")


def peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


def measure(kinds: Sequence[str], *, numbers: int) -> dict[str, Any]:
    load = Load.now()
    databases: dict[str, Any] = {}
    for kind in kinds:
        with _served(kind, numbers) as served:
            databases[kind] = {way: _turns(served, kind, way) for way in WAYS}
    turns = [turn for ways in databases.values() for way in ways.values() for turn in way["turns"].values()]
    peak = max(turn["peak_mb"] for turn in turns)
    ratio = max(way["dedupe_ratio"] for ways in databases.values() for way in ways.values())
    return {
        "numbers": numbers, "processors": load.processors, "load_before": load.average_1m, "databases": databases,
        "peak_mb": peak, "most_mb": MOST_MB, "worst_dedupe_ratio": ratio, "most_ratio": MOST_RATIO,
        "reached": peak < MOST_MB and ratio <= MOST_RATIO,
    }  # fmt: skip


def _turns(served: Served, kind: str, way: str) -> dict[str, Any]:
    turns: dict[str, dict[str, float]] = {}
    seconds: dict[str, float] = {}  # not rounded: a small one takes none
    for turn in TURNS:
        took = served.upload(way, turn)
        seconds[turn] = took.seconds
        turns[turn] = {
            "seconds": round(took.seconds, 1), "peak_mb": round(took.peak_mb, 1),
            "processor_s": round(took.processor_s, 1), "steps": took.steps, "slowest_ms": round(took.slowest_ms),
        }  # fmt: skip
        say(f"{kind}, {way}, {turn}: {served.numbers:,} of {served.numbers:,} in {took.seconds:.1f} s")
    ratio = seconds["dedupe"] / seconds["plain"]
    return {"turns": turns, "dedupe_ratio": round(ratio, 2)}


@contextmanager
def _served(kind: str, numbers: int) -> Iterator[Served]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wombat-bench-")))
        folder.chmod(0o755)
        url = ""
        if kind == "mariadb":
            options = [f"--innodb-buffer-pool-size={POOL_MB}M", "--innodb-log-file-size=512M"]
            mariadb = stack.enter_context(MariaDBInstance(folder / "db", options=options))
            mariadb.create_database("bench")
            url = mariadb.url("bench")
        site = Site(folder / "site", url=url)
        stack.callback(_quietly_closed, site)
        yield Served(site, folder, numbers)


def _quietly_closed(site: Site) -> None:
    with redirect_stdout(sys.stderr):
        site.close()


def shown(result: dict[str, Any]) -> str:
    lines = [f"{result['numbers']:,} numbers with 3 attributes by HTTP (load before {result['load_before']})"]
    for kind, ways in result["databases"].items():
        for way, found in ways.items():
            for name, turn in found["turns"].items():
                lines.append(
                    f"  {kind:8} {way:10} {name:7} {turn['seconds']:>7.1f} s, {turn['processor_s']:>6.1f} s of a"
                    f" processor, {turn['peak_mb']:>5.0f} MB, progress in {turn['steps']} steps, slowest other answer"
                    f" {turn['slowest_ms']} ms"
                )
    verdict = "reached" if result["reached"] else "NOT reached"
    lines.append(
        f"  at most {result['peak_mb']:.0f} MB (reach {MOST_MB:g}), dedupe {result['worst_dedupe_ratio']:.2f} times the"
        f" time at worst (reach {MOST_RATIO:g}): {verdict}"
    )
    return "\n".join(lines)


def main() -> int:
    arguments = _arguments()
    kinds = KINDS if arguments.database == "both" else (arguments.database,)
    result = measure(kinds, numbers=arguments.numbers)
    print(json.dumps(result, indent=2) if arguments.json else shown(result))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--numbers", type=int, default=1_000_000)
    parser.add_argument("--database", choices=("both", *KINDS), default="both")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.numbers < 100:
        parser.error("at least one hundred numbers")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
