"""P1 and P2: calls a second through one real Asterisk, the dialer beside a bare AMI loop, and what they cost.

    python -m tools.bench.p1_calls [--seconds 60] [--kind busy|answered] [--window N] [--rounds N] [--noisy N] [--json]

Both originate on the same private Asterisk, through the same dialplan and event filter, in turns (A B, B A, ...). The
dialer is the real process with its database on a private MariaDB: hopper, marks made durable before each Originate,
states, outcome, call log. Its calls are counted where they end, as committed rows of the call log; the bare loop's as
OriginateResponses. Each turn is measured in its middle, while the other side is not connected. The ratio is that of the
two turns of each round, the median of all rounds. A round during which others used the processors is taken again.

Beside the ratio stands what the processor time of a call says it is: that of bare loop and Asterisk, divided by that of
dialer, MariaDB and Asterisk. It suffers less from others.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools.bench.bare import BareLoop
from tools.bench.machine import Load, median, spread
from tools.bench.site import CAMPAIGN, Site

REACH_RATE = 0.70  #: of the bare loop's calls a second
REACH_CPU = 0.5  #: of Asterisk's processor time for a call
WINDOWS = (8, 16, 32, 64)  #: Originates outstanding, tried by the bare loop
RAMP_BARE_S, RAMP_DIALER_S, TRY_S = 1.0, 2.5, 2.0
RECORDS_A_SECOND = 2500  #: more than it dials
NOISY = 0.15  #: processors used by others in a turn: above it another round is taken, at most as many as are wanted

KINDS = {
    # number's digits (asterisk_conf/README.md), outcome each call must have
    "busy": ("55520000", "RS_BUSY"),
    "answered": ("55510010", "TERMINATED"),
}
PARTS = ("asterisk", "mariadb", "dialer", "bench", "others")
BARE_PARTS, DIALER_PARTS = ("asterisk", "bench"), ("asterisk", "mariadb", "dialer")


@dataclass(frozen=True, slots=True)
class Turn:
    """One side, measured once. ``cpu`` is in processor seconds, by who used it."""

    seconds: float
    calls: int
    cpu: dict[str, float]

    @property
    def rate(self) -> float:
        return self.calls / self.seconds

    def ms_per_call(self, *parts: str) -> float:
        return 1000 * sum(self.cpu[part] for part in parts) / max(1, self.calls)


@dataclass(frozen=True, slots=True)
class Round:
    bare: Turn
    dialer: Turn

    @property
    def others(self) -> float:
        """Processors that were busy with something else, the worse of both turns."""
        return max(turn.cpu["others"] / turn.seconds for turn in (self.bare, self.dialer))


def main() -> int:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    result = measure(
        arguments.kind, seconds=arguments.seconds, rounds=arguments.rounds or (4 if arguments.seconds >= 16 else 2),
        window=arguments.window, noisy=arguments.noisy, profile=arguments.profile,
    )  # fmt: skip
    print(json.dumps(result, indent=2) if arguments.json else _text(result))
    return 1 if result["wrong"] else 0


def measure(
    kind: str, *, seconds: float, rounds: int, window: int = 0, noisy: float = NOISY, profile: Path | None = None
) -> dict[str, Any]:
    """Start the site, measure ``seconds`` of each side in rounds, and end it. The answer is the JSON. ``window`` and
    ``noisy`` are as the arguments of these names; no window: it is found out."""
    load = Load.now()
    conf = {"extensions.d/zz-bench.conf": "[globals]\nWOMBAT_TRACK = no\n"}
    _say("starting Asterisk and MariaDB")
    with Site(extra_conf=conf, profile=profile) as site:
        wanted = int(RECORDS_A_SECOND * 2 * (seconds + rounds * (RAMP_DIALER_S + 2)))
        _set_up(site, kind, wanted)
        window = window or _best_window(site, kind)
        done = _rounds(site, kind, window, seconds=seconds / rounds, wanted=rounds, noisy=noisy)
        wrong = _wrong(site, kind)
        versions = {"asterisk": site.asterisk.version, "mariadb": site.mariadb.version}
        log = site.dialer_log(200)
    for line in log.splitlines():
        if " WARN" in line or " ERROR" in line or " CRITICAL" in line:
            _say(f"dialer: {line[:300]}")
    return _result(kind, done, wrong=wrong, window=window, load=load, versions=versions)


# Setting up


def _set_up(site: Site, kind: str, records: int) -> None:
    digits, _ = KINDS[kind]
    site.apply(_plan(site))
    _say(f"{records} numbers")
    site.fill_list("numbers", count=records, prefix=digits)


def _plan(site: Site) -> str:
    """Nothing that holds the dialer back: lines, channels and congestion control allow more than Asterisk can do."""
    return f"""
[[server]]
name = "pbx"
port = {site.asterisk.ami_port}
login = "{site.asterisk.ami_user}"
password = "{site.asterisk.ami_secret}"
unit_length_ms = 10
max_messages_per_unit = 1000
[[trunk]]
name = "trunk"
server = "pbx"
dial_string = "Local/${{num}}@simulated-network/n"
capacity = 5000
[[end_point]]
name = "end point"
server = "pbx"
type = "PHONE"
context = "simulated-endpoints"
extension = "101"
max_channels = 5000
[[list]]
name = "numbers"
[[campaign]]
name = "{CAMPAIGN}"
trunks = ["trunk"]
end_points = ["end point"]
lists = ["numbers"]
batch_size = 1000
"""


def _bare_loop(site: Site, kind: str, window: int) -> BareLoop:
    digits, _ = KINDS[kind]
    return BareLoop(
        site.asterisk.ami_port,
        user=site.asterisk.ami_user,
        secret=site.asterisk.ami_secret,
        window=window,
        channel=lambda number: f"Local/{digits}{number:07d}@simulated-network/n",
        context="simulated-endpoints",
        exten="101",
    )


# Measuring


def _best_window(site: Site, kind: str) -> int:
    """The number of outstanding Originates with which the bare loop is fastest."""
    rates = dict.fromkeys(WINDOWS, 0.0)
    for _ in range(2):  # the better of two: the first calls of an Asterisk are slower
        for window in WINDOWS:
            rates[window] = max(rates[window], _bare_turn(site, kind, window, seconds=TRY_S).rate)
    for window, rate in rates.items():
        _say(f"bare loop, {window} outstanding: {rate:.0f} calls/s")
    return max(rates, key=lambda window: rates[window])


def _rounds(site: Site, kind: str, window: int, *, seconds: float, wanted: int, noisy: float) -> list[Round]:
    """So many rounds as wanted, the quietest of those taken."""
    taken: list[Round] = []
    while sum(each.others <= noisy for each in taken) < wanted and len(taken) < 2 * wanted:
        turns: dict[str, Turn] = {}
        for side in ("bare", "dialer") if len(taken) % 2 == 0 else ("dialer", "bare"):
            turns[side] = (
                _bare_turn(site, kind, window, seconds=seconds) if side == "bare" else _dialer_turn(site, seconds)
            )
            others = turns[side].cpu["others"] / turns[side].seconds
            _say(f"round {len(taken) + 1}, {side}: {turns[side].rate:.0f} calls/s, others used {others:.2f} processors")
        taken.append(Round(**turns))
    return sorted(taken, key=lambda each: each.others)[:wanted]


def _bare_turn(site: Site, kind: str, window: int, *, seconds: float) -> Turn:
    with _bare_loop(site, kind, window) as bare:
        bare.go(RAMP_BARE_S)
        turn = _turn(site, lambda: bare.go(seconds), count=lambda: bare.ended)
        bare.drain()
    return turn


def _dialer_turn(site: Site, seconds: float) -> Turn:
    with site.dialer():
        _begin_run(site)
        time.sleep(RAMP_DIALER_S)
        turn = _turn(site, lambda: time.sleep(seconds), count=lambda: _logged(site))
        site.wombat("pause", CAMPAIGN)
        _wait_for_silence(site)
    return turn


def _begin_run(site: Site) -> None:
    if site.value("SELECT COUNT(*) FROM run"):
        site.wombat("resume", CAMPAIGN)
    else:
        site.wombat("run", "--no-watch", CAMPAIGN)


def _turn(site: Site, go: Callable[[], None], *, count: Callable[[], int]) -> Turn:
    began, calls, cpu = time.monotonic(), count(), site.cpu()
    go()
    seconds, calls, after = time.monotonic() - began, count() - calls, site.cpu()
    used = {part: after[part] - cpu[part] for part in after}
    used["others"] = max(0.0, used.pop("busy") - sum(used.values()))
    return Turn(seconds, calls, used)


def _logged(site: Site) -> int:
    """Attempts whose row in the call log is committed: counted in the transaction that writes it."""
    return site.value("SELECT attempts FROM run")


def _wait_for_silence(site: Site, limit_s: float = 15.0) -> None:
    """Until the calls under way have ended and are logged."""
    until = time.monotonic() + limit_s
    open_calls = "SELECT COUNT(*) FROM attempt WHERE state <> 'IN_HOPPER'"
    while site.value(open_calls) and time.monotonic() < until:
        time.sleep(0.1)


def _wrong(site: Site, kind: str) -> list[str]:
    """What is not as it must be after the run: each call once, each with the one outcome."""
    _, outcome = KINDS[kind]
    wrong = [
        f"{count} calls ended {found}, must be {outcome}"
        for found, count in site.rows("SELECT outcome, COUNT(*) FROM call_log GROUP BY outcome")
        if found != outcome
    ]
    twice = site.value("SELECT COUNT(*) - COUNT(DISTINCT record_id) FROM call_log")
    left = site.value("SELECT COUNT(*) FROM attempt WHERE state <> 'IN_HOPPER'")
    fresh = site.value("SELECT (SELECT COUNT(*) FROM record) - (SELECT taken FROM run)")
    return [
        *wrong,
        *([f"{twice} records were dialled twice"] if twice else []),
        *([f"{left} calls have no end"] if left else []),
        *([] if fresh > 0 else ["the list ran out of numbers while it was measured"]),
    ]


# Telling


def _result(
    kind: str, rounds: list[Round], *, wrong: list[str], window: int, load: Load, versions: dict[str, str]
) -> dict[str, Any]:
    sides = {side: _side([getattr(each, side) for each in rounds]) for side in ("bare", "dialer")}
    ratios = [each.dialer.rate / each.bare.rate for each in rounds]
    by_time = [each.bare.ms_per_call(*BARE_PARTS) / each.dialer.ms_per_call(*DIALER_PARTS) for each in rounds]
    costs = [each.dialer.ms_per_call("dialer") / each.dialer.ms_per_call("asterisk") for each in rounds]
    return {
        "bench": "P1, P2",
        "kind": kind,
        "versions": versions,
        "load": asdict(load),
        "window": window,
        **sides,
        "P1": {
            "ratio": median(ratios),
            "rounds": ratios,
            "by_processor_time": median(by_time),
            "reach": REACH_RATE,
            "met": median(ratios) >= REACH_RATE,
        },
        "P2": {"ratio": median(costs), "rounds": costs, "reach": REACH_CPU, "met": median(costs) <= REACH_CPU},
        "wrong": wrong,
    }


def _side(turns: list[Turn]) -> dict[str, Any]:
    rates = [turn.rate for turn in turns]
    return {
        "calls_per_s": median(rates),
        "rounds": rates,
        "spread": spread(rates),
        "calls": sum(turn.calls for turn in turns),
        "seconds": sum(turn.seconds for turn in turns),
        "cpu_ms_per_call": {part: median([turn.ms_per_call(part) for turn in turns]) for part in PARTS},
        "cpu_used": {part: median([turn.cpu[part] / turn.seconds for turn in turns]) for part in PARTS},
    }


def _text(result: dict[str, Any]) -> str:
    versions, load = result["versions"], result["load"]
    lines = [
        f"P1, P2: calls through one Asterisk {versions['asterisk']}, log in MariaDB {versions['mariadb']},"
        f" {load['processors']} processors; calls: {result['kind']}",
        "",
        f"{'':12}{'calls/s':>8}  {'rounds':28}{'spread':>7}   processor ms a call: "
        + " ".join(f"{part:>8}" for part in PARTS),
        _line("bare loop", result["bare"]),
        _line("dialer", result["dialer"]),
        "",
        f"P1  calls a second: {result['P1']['ratio']:.0%} of the bare loop    reach {REACH_RATE:.0%}    "
        + _met(result["P1"])
        + f"    (by processor time {result['P1']['by_processor_time']:.0%})",
        f"P2  dialer's processor time a call: {result['P2']['ratio']:.2f} of Asterisk's    reach {REACH_CPU}    "
        + _met(result["P2"]),
        f"noise: rounds differ by {result['bare']['spread']:.0%} and {result['dialer']['spread']:.0%};"
        f" others used {result['bare']['cpu_used']['others']:.2f} and {result['dialer']['cpu_used']['others']:.2f}"
        f" processors; load at start {load['average_1m']}",
        *(f"WRONG: {what}" for what in result["wrong"]),
    ]
    return "\n".join(lines)


def _line(name: str, side: dict[str, Any]) -> str:
    rounds = " ".join(f"{rate:.0f}" for rate in side["rounds"])
    costs = " ".join(f"{side['cpu_ms_per_call'][part]:8.2f}" for part in PARTS)
    return f"{name:12}{side['calls_per_s']:8.0f}  {rounds:28}{side['spread']:7.1%}   {'':20} {costs}"


def _met(row: dict[str, Any]) -> str:
    return "reached" if row["met"] else "MISSED"


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.p1_calls", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="measured time of each side (default 60)")
    parser.add_argument("--kind", choices=KINDS, default="busy", help="what the called numbers do (default busy)")
    parser.add_argument("--rounds", type=int, help="turns of each side (default 4, of less than 16 s 2)")
    parser.add_argument("--window", type=int, default=0, help="Originates outstanding of the bare loop (or tried)")
    parser.add_argument("--noisy", type=float, default=NOISY, help="take a round again if others used more processors")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument("--profile", type=Path, help="run the dialer under cProfile, statistics of its last turn here")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
