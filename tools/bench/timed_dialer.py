"""The dialer's process for P10, with a stop-watch: ``python -m tools.bench.timed_dialer FILE``.

Of each call for an agent it notes when the event that freed the agent was heard, when the call was granted, when its
mark was asked for, was begun and was committed in the thread, when the reactor was told, and when the Originate was
written. The differences are written to FILE at the end, as JSON.
"""

import json
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from wombat_ari.app import cli
from wombat_ari.engine.dial import Dial
from wombat_ari.engine.observe import Observe
from wombat_ari.engine.schedule import Schedule
from wombat_ari.model.queues import DeviceState, MemberSeen
from wombat_ari.store import claims

PARTS = ("until granted", "until marked", "until begun", "commit", "until told", "until written")

now = time.perf_counter


class Times:
    """Of the calls under way, by WOMBATID, and the differences of those written."""

    def __init__(self) -> None:
        self.heard = 0.0
        self.job = (0.0, 0.0)
        self.under_way: dict[int, list[float]] = {}
        self.parts: list[list[float]] = []

    def written(self, wombatid: int) -> None:
        times = [*self.under_way.pop(wombatid, []), now()]
        if len(times) == len(PARTS) + 1:
            self.parts.append([1000 * (after - before) for before, after in pairwise(times)])


def install(times: Times) -> None:
    """Put the stop-watch into the engine."""
    heard, mark_next, marked = Observe.heard, Schedule._mark_next, Schedule._marked
    grant, originate, commit = Schedule._grant, Dial._originate, claims.mark_requested

    def timed_heard(self: Any, pbx: Any, event: Any) -> None:
        if isinstance(event, MemberSeen) and event.member.status == DeviceState.NOT_INUSE:
            times.heard = now()
        heard(self, pbx, event)

    def timed_grant(self: Any, run: Any, route: Any) -> None:
        grant(self, run, route)
        newest = next(reversed(run.flights.values()), None)
        if newest is not None and run.name == "agents" and times.heard:
            times.under_way[newest.call.wombatid] = [times.heard, now()]
            times.heard = 0.0

    def timed_mark_next(self: Any) -> None:
        for flight in self._to_mark if not self._marking else ():
            if flight.call.wombatid in times.under_way:
                times.under_way[flight.call.wombatid].append(now())
        mark_next(self)

    def timed_commit(*args: Any, **kwargs: Any) -> Any:
        began = now()
        result = commit(*args, **kwargs)
        times.job = began, now()
        return result

    def timed_marked(self: Any, batch: Any) -> None:
        for flight, _ in batch:
            if flight.call.wombatid in times.under_way:
                times.under_way[flight.call.wombatid] += [*times.job, now()]
        marked(self, batch)

    def timed_originate(self: Any, pbx: Any, flight: Any) -> bool:
        done = originate(self, pbx, flight)
        times.written(flight.call.wombatid)
        return done

    Observe.heard, Schedule._grant = timed_heard, timed_grant  # type: ignore[method-assign]
    Schedule._mark_next, Schedule._marked = timed_mark_next, timed_marked  # type: ignore[method-assign]
    Dial._originate, claims.mark_requested = timed_originate, timed_commit  # type: ignore[method-assign]


def main() -> None:
    file, times = Path(sys.argv.pop(1)), Times()
    install(times)
    sys.argv.append("dialer")
    try:
        cli.main()
    finally:
        file.write_text(json.dumps({"parts": PARTS, "ms": times.parts}), encoding="utf-8")


if __name__ == "__main__":
    main()
