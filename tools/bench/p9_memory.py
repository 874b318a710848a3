"""P9: live calls tracked at once, and what each takes in the dialer's memory.

    python -m tools.bench.p9_memory [--calls 20000] [--database sqlite|mariadb] [--json]

The dialer is the real process. It dials numbers with three attributes on a PBX that the benchmark plays, until so many
calls are connected at once; all are answered, none ends. Beside it stands the same dialer with its hopper full and no
call. What each call takes is the difference of what the process has in memory, divided. That all are tracked is proved
at the end: each is hung up by the PBX, and all are in the call log, once.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from dataclasses import dataclass
from typing import Any

from twisted.internet import threads

from tools.bench.machine import Load
from tools.bench.played import Played, listening, patiently, play, reactor, rss_kb, say, server_toml
from tools.fake_pbx import FakePbx
from tools.provision.process import wait_until

REACH_CALLS = 20_000
REACH_KB = 4.0
STEPS = 4  #: the memory is read at so many points on the way
BATCH = 1000
NUMBER = "55510000{:05}"  #: answers at once, never hangs up


@dataclass(frozen=True, slots=True)
class Reading:
    calls: int
    rss_kb: int


def main() -> int:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    result = play(lambda: measure(arguments.calls, database=arguments.database))
    print(json.dumps(result, indent=2) if arguments.json else shown(result))
    return 0 if result["reached"] else 1


def measure(calls: int, *, database: str) -> dict[str, Any]:
    load = Load.now()
    with Played(database) as site:
        pbx, port = listening()
        site.apply(_plan(port, calls))
        # There is more to dial, so that the hopper stays full.
        site.fill_list("numbers", (NUMBER.format(n) for n in range(calls + 2 * BATCH)))
        with site.dialer(1) as dialer:
            time.sleep(1)
            readings = [Reading(0, rss_kb(dialer.pid))]
            say(f"no call: {readings[0].rss_kb:,} KB")
            began = time.monotonic()
            site.wombat("run", "--no-watch", "bench")
            for step in range(1, STEPS + 1):
                readings.append(_reading(site, pbx, calls * step // STEPS, pid=dialer.pid, last=step == STEPS))
            seconds = time.monotonic() - began
            site.wombat("pause", "bench")
            wrong = _wrong(site, pbx, calls)
    return _result(readings, calls=calls, seconds=seconds, wrong=wrong, load=load, database=database)


def _reading(site: Played, pbx: FakePbx, calls: int, *, pid: int, last: bool) -> Reading:
    patiently(lambda: len(pbx.live) >= calls, f"{calls} live calls", timeout=300)
    if last:
        connected = "SELECT COUNT(*) FROM attempt WHERE state = 'CONNECTED'"
        patiently(lambda: site.value(connected) >= calls, f"{calls} calls known to be connected", timeout=60)
    reading = Reading(len(pbx.live), rss_kb(pid))
    say(f"{reading.calls:,} calls: {reading.rss_kb:,} KB")
    return reading


def _wrong(site: Played, pbx: FakePbx, calls: int) -> list[str]:
    """All hang up: each must have been tracked to its end."""
    threads.blockingCallFromThread(reactor, lambda: [call.hang_up(16) for call in list(pbx.live.values())])
    dialled = len({headers["channelid"] for headers in pbx.originates})
    logged = "SELECT COUNT(*) FROM call_log WHERE outcome = 'TERMINATED'"
    wait_until(lambda: site.value(logged) >= calls, timeout=120, pause=0.2)
    wrong = []
    if dialled != len(pbx.originates):
        wrong.append(f"{len(pbx.originates) - dialled} calls were dialled twice")
    if (told := site.value(logged)) != dialled:
        wrong.append(f"{dialled} calls were dialled, {told} are in the log as TERMINATED")
    return wrong


def _plan(port: int, calls: int) -> str:
    return f"""
{server_toml("pbx", port, per_unit=60, lines=calls)}
[[end_point]]
name = "end point"
server = "pbx"
type = "PHONE"
context = "simulated-endpoints"
extension = "101"
max_channels = {calls}
[[list]]
name = "numbers"
[[campaign]]
name = "bench"
trunks = ["trunk pbx"]
end_points = ["end point"]
lists = ["numbers"]
batch_size = {BATCH}
"""


def _result(
    readings: list[Reading], *, calls: int, seconds: float, wrong: list[str], load: Load, database: str
) -> dict[str, Any]:
    kb = (readings[-1].rss_kb - readings[0].rss_kb) / readings[-1].calls
    # Without the first ones, which bring what all share; a few calls on a busy machine may all have come at once.
    grown, more = readings[-1].rss_kb - readings[1].rss_kb, readings[-1].calls - readings[1].calls
    return {
        "row": "P9",
        "database": database,
        "load": {"processors": load.processors, "average_1m": load.average_1m},
        "readings": [{"calls": each.calls, "rss_kb": each.rss_kb} for each in readings],
        "seconds": round(seconds, 1),
        "calls": readings[-1].calls,
        "kb_per_call": round(kb, 2),
        "kb_per_further_call": round(grown / more, 2) if more else None,
        "wrong": wrong,
        "reach": {"calls": REACH_CALLS, "kb_per_call": REACH_KB},
        "reached": not wrong and readings[-1].calls >= min(calls, REACH_CALLS) and kb < REACH_KB,
    }


def shown(result: dict[str, Any]) -> str:
    verdict = "reached" if result["reached"] else "NOT reached"
    lines = [f"P9  live calls in one dialer ({result['database']}), load at start {result['load']['average_1m']}"]
    lines += [f"  {each['calls']:>8,} calls {each['rss_kb']:>10,} KB" for each in result["readings"]]
    lines += [
        f"  each {result['kb_per_call']} KB, of the last three quarters each {result['kb_per_further_call']} KB"
        f" (connected within {result['seconds']} s)",
        *(f"  WRONG: {what}" for what in result["wrong"]),
        f"  reach: {REACH_CALLS:,} calls, under {REACH_KB:.0f} KB each: {verdict}",
    ]
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.p9_memory", description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=REACH_CALLS, help="how many are to live at once")
    parser.add_argument("--database", choices=("sqlite", "mariadb"), default="sqlite")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
