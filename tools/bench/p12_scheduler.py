"""P12: a pass of the scheduler with 1,000 runs, 1,000 trunks, 1,000 end points and 20,000 live calls, beside a tenth.

    python -m tools.bench.p12_scheduler [--size 1000] [--rounds 30] [--json]

The whole engine, without a world around it (``tools/bench/crowd``): ten PBXs, five priorities, all lines in use. Of
each shape (who may use which trunks and end points) two dialers are made, one with a tenth of everything, and the same
is done to both in turns. What is measured is one call into the engine, as the reactor makes it: nothing else is served
while it lasts. The ratio is that of the medians; the worst is the processor time of this thread (what others on the
machine take is not the dialer's), the collector of garbage included.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tools.bench.crowd import Crowd, Shape, Size
from tools.bench.machine import Load, median
from wombat_ari.engine.schedule import AT_ONCE, LOOK_AT

REACH_RATIO = 10.0  #: times a pass with a tenth of each
REACH_MS = 20.0  #: never longer

SHAPES = {
    "own trunk, own end point": Shape(),
    "ten trunks and end points, shared": Shape("some", "some"),
    "all trunks, own end point": Shape("all", "own"),
    "all trunks, all end points": Shape("all", "all"),
    "own trunk, own queue": Shape(queues=True),
    "all trunks, own queue": Shape("all", "own", queues=True),
}


@dataclass(slots=True)
class Times:
    """Milliseconds of each round, and how many calls they placed."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    placed: list[int] = field(default_factory=list)


class Scene:
    """One crowd, and what can be done to it. Each deed prepares something and answers what is to be measured."""

    def __init__(self, size: Size, shape: Shape) -> None:
        self.crowd = Crowd(size, shape)
        self.schedule = self.crowd.dialer._schedule
        self.times: dict[str, Times] = {}

    def nothing(self) -> Callable[[], object]:
        """Kicked by an event that freed nothing: all lines are in use."""
        return self.schedule._pass

    def one(self) -> Callable[[], object]:
        """A call has ended, its line is given to another."""
        self.end(1)
        return self.schedule._pass

    def many(self) -> Callable[[], object]:
        """As many have ended as one pass places at most."""
        self.end(AT_ONCE)
        return self.schedule._pass

    def needless(self) -> Callable[[], object]:
        """20 times a second some are looked at to whom nothing has happened."""
        self.crowd.dialer.board.turns.look_at(LOOK_AT)
        return self.schedule._pass

    def agent(self) -> Callable[[], object]:
        """A queue tells of an agent, the pass is run at once. Nobody is free."""

        def told() -> None:
            self.crowd.agent_pauses(1)
            self.schedule._pass()

        return told

    def fast_tick(self) -> Callable[[], object]:
        """20 times a second: deadlines, hours, refills."""
        return self.crowd.dialer._fast_tick

    def slow_tick(self) -> Callable[[], object]:
        return self.crowd.dialer._slow_tick

    def end(self, count: int) -> None:
        """So many calls, of runs all over the crowd."""
        calls = list(self.crowd.dialer.board.flights)
        self.crowd.end(calls[:: max(1, len(calls) // count)][:count])

    def measure(self, name: str) -> None:
        crowd, times = self.crowd, self.times.setdefault(name, Times())
        crowd.settle()
        deed = getattr(self, name)()
        marked, wall, cpu = crowd.desk.marked, time.perf_counter(), time.thread_time()
        deed()
        times.cpu.append(1000 * (time.thread_time() - cpu))
        times.wall.append(1000 * (time.perf_counter() - wall))
        times.placed.append(crowd.desk.marked - marked)


TICKS = ("fast_tick", "slow_tick")  #: not passes, but the reactor waits for them, too
DEEDS = ("nothing", "one", "many", "needless", "agent", *TICKS)


def main() -> int:
    arguments = _arguments()
    result = measure(arguments.size, rounds=arguments.rounds)
    print(json.dumps(result, indent=2) if arguments.json else shown(result))
    return 0 if result["reached"] else 1


def measure(size: int, *, rounds: int) -> dict[str, Any]:
    load = Load.now()
    rows = []
    for name, shape in SHAPES.items():
        _say(name)
        rows += _of_shape(name, shape, Size(size, size, size, 20 * size), rounds=rounds)
    ratio = max(row["ratio"] for row in rows if row["pass"] not in TICKS)
    worst = max(row["worst_ms"] for row in rows)
    return {
        "row": "P12",
        "size": size,
        "rounds": rounds,
        "load": {"processors": load.processors, "average_1m": load.average_1m},
        "passes": rows,
        "ratio": ratio,
        "worst_ms": worst,
        "reach": {"ratio": REACH_RATIO, "worst_ms": REACH_MS},
        "reached": ratio <= REACH_RATIO and worst <= REACH_MS,
    }


def _of_shape(name: str, shape: Shape, size: Size, *, rounds: int) -> list[dict[str, Any]]:
    whole, tenth = Scene(size, shape), Scene(size.tenth(), shape)
    # As the dialer's process does when it has started.
    gc.collect()
    gc.freeze()
    deeds = [deed for deed in DEEDS if shape.queues or deed != "agent"]
    for number in range(rounds):
        for deed in deeds:
            for scene in (whole, tenth) if number % 2 else (tenth, whole):
                scene.measure(deed)
    gc.unfreeze()
    return [_row(name, deed, whole.times[deed], tenth.times[deed]) for deed in deeds]


def _row(shape: str, deed: str, whole: Times, tenth: Times) -> dict[str, Any]:
    return {
        "shape": shape,
        "pass": deed,
        "placed": median([float(count) for count in whole.placed]),
        "ms": round(median(whole.wall), 3),
        "tenth_ms": round(median(tenth.wall), 3),
        "ratio": round(median(whole.wall) / max(1e-6, median(tenth.wall)), 1),
        "worst_ms": round(max(whole.cpu), 2),
        "worst_wall_ms": round(max(whole.wall), 2),
    }


def shown(result: dict[str, Any]) -> str:
    size = result["size"]
    lines = [
        f"P12  {size:,} runs, trunks and end points, {20 * size:,} live calls, beside a tenth of each"
        f" (median of {result['rounds']}, load {result['load']['average_1m']})",
        f"  {'':36}{'placed':>7}{'ms':>9}{'a tenth':>9}{'ratio':>7}{'worst ms':>10}{'by the clock':>14}",
    ]
    for row in result["passes"]:
        what = row["pass"].replace("_", " ")
        if row["pass"] == DEEDS[0]:
            lines.append(f"  {row['shape']}")
        lines.append(
            f"    {what:34}{row['placed']:>7.0f}{row['ms']:>9.3f}{row['tenth_ms']:>9.3f}{row['ratio']:>7.1f}"
            f"{row['worst_ms']:>10.2f}{row['worst_wall_ms']:>14.2f}"
        )
    verdict = "reached" if result["reached"] else "NOT reached"
    lines.append(
        f"  worst ratio {result['ratio']} (reach {REACH_RATIO:.0f}), worst {result['worst_ms']} ms"
        f" (reach {REACH_MS:.0f}): {verdict}"
    )
    return "\n".join(lines)


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.p12_scheduler", description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=1000, help="runs, trunks, end points; 20 times as many calls")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
