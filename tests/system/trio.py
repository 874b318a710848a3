"""One campaign over three Asterisks: one is killed and started again, one is frozen, the third is left alone.

Everything is noted with the moment at which it happened; ``test_many_pbxs`` judges.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.system.site import Site, Tables, server_of, until
from tests.system.watcher import Watcher
from tests.system.witness import CONF, Seen, Witness
from tools.provision.asterisk import AsteriskInstance
from tools.provision.process import wait_until

CAMPAIGN = "Trio"
NAMES = FROZEN, KILLED, SPARED = "alpha", "beta", "gamma"
LINES = 8
MEASURED = 40  #: calls of the spared one in which its rate is measured
BACK = 10  #: calls that one must have placed to be back at work
RULES: list[dict[str, Any]] = [
    {"status": "RS_BUSY", "max_attempts": 1, "retry_after_s": 2},
    {"status": "RS_NOANSWER", "max_attempts": 1, "retry_after_s": 2},
    {"status": "RS_LOST", "max_attempts": 9, "retry_after_s": 1},
    {"status": "RS_ERROR", "max_attempts": 9, "retry_after_s": 1},
]
#: digit -> how a record ends for good, whatever was lost on the way
FINAL = {
    "1": "TERMINATED", "2": "RS_BUSY", "3": "RS_NOANSWER", "4": "RS_NUMBER", "5": "RS_REJECTED", "6": "RS_REJECTED",
    "7": "TERMINATED",
}  # fmt: skip
#: digits behind 555 (behaviour, ring time, talk time) and how many such records of a hundred
MIX = {"10210": 40, "10620": 24, "10450": 8, "20300": 8, "70310": 6, "30000": 4, "40200": 4, "50300": 3, "60200": 3}


def numbers(hundreds: int) -> list[str]:
    """Each hundred is of the same mix, so that the rate depends on the lines only."""
    made: list[str] = []
    for hundred in range(hundreds):
        some = [f"555{digits}{hundred:02}{serial:02}" for digits, count in MIX.items() for serial in range(count)]
        random.Random(hundred).shuffle(some)
        made += some
    return made


@dataclass
class Trio:
    """What happened. Moments are epoch seconds."""

    site: Site
    witnesses: dict[str, Witness]
    records: list[str]
    rates: dict[str, float] = field(default_factory=dict)  #: calls a second that the spared one placed
    used: dict[str, list[int]] = field(default_factory=dict)  #: its lines in use, looked at again and again
    noticed: dict[str, dict[str, Any]] = field(
        default_factory=dict
    )  #: what the snapshot said of who was lost, and when
    lost_at: dict[str, float] = field(default_factory=dict)
    stood_still: list[tuple[str, float, float]] = field(default_factory=list)  #: who, from, until
    kills: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in NAMES})
    status: str = ""  #: what ``wombat-ari status`` printed meanwhile
    back_at: float = 0.0
    watcher: Watcher | None = None
    attempts: list[dict[str, Any]] = field(default_factory=list)
    seen: dict[str, dict[int, Seen]] = field(default_factory=dict)
    took_s: float = 0.0

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """SIGSTOP, and SIGCONT at the end."""
        pbx, began = self.witnesses[name].pbx, time.time()
        pbx.freeze()
        try:
            yield
        finally:
            pbx.thaw()
            self.stood_still.append((name, began, time.time()))

    def calls(self, name: str) -> int:
        """How many this PBX has begun so far, by its own notes."""
        return sum(line.startswith("began") for line in self.witnesses[name].lines())

    def shown(self) -> dict[str, dict[str, Any]]:
        return {pbx["name"]: pbx for pbx in self.site.snapshot()["pbxs"]}

    def summary(self) -> str:
        outcomes = Counter(row["outcome"] for row in self.attempts)
        began = {name: len(seen) for name, seen in self.seen.items()}
        lines = {name: sum(used) / len(used) for name, used in self.used.items()}
        noticed = {name: round(pbx["since"] - self.lost_at[name], 1) for name, pbx in self.noticed.items()}
        assert self.watcher is not None
        return "\n".join([
            f"{len(self.records)} records, {len(self.attempts)} attempts in {self.took_s:.0f} s: {dict(outcomes)}",
            f"calls by PBX: {began}; noticed after {noticed} s",
            f"{SPARED}: calls a second {({name: round(rate, 2) for name, rate in self.rates.items()})}, "
            f"lines in use {({name: round(each, 1) for name, each in lines.items()})} of {LINES}",
            f"the ledger looked at {self.watcher.looks} times",
        ])  # fmt: skip


@contextmanager
def three(folder: Path) -> Iterator[dict[str, Witness]]:
    """Three Asterisks, started at the same time; ended with the block."""
    with ExitStack() as stack:
        pbxs = [AsteriskInstance(folder / name, name=name, extra_conf=CONF) for name in NAMES]
        for pbx in pbxs:
            stack.callback(pbx.kill)
        witnesses = {pbx.name: Witness(pbx) for pbx in pbxs}
        with ThreadPoolExecutor(len(pbxs)) as pool:
            list(pool.map(lambda pbx: pbx.start(), pbxs))
        yield witnesses


def undergo(site: Site, witnesses: dict[str, Witness], *, long: bool = False) -> Trio:
    """The whole story: less than a minute, or several with everything in it."""
    trio = Trio(site, witnesses, numbers(12 if long else 4))
    site.apply(_tables(witnesses))
    site.fill("everybody", trio.records)
    site.serve()
    site.await_pbx()
    began = time.monotonic()
    url = site.environment["WOMBAT_ARI_DATABASE_URL"] or f"sqlite:///{site.state / 'wombat.db'}"
    with Watcher(url) as trio.watcher:
        site.run(CAMPAIGN)
        until(
            lambda: all(trio.calls(name) > 2 * LINES for name in NAMES), 30, "all lines are in use, in no step any more"
        )
        _measured(trio, "before", lambda calls: calls >= MEASURED)
        _lose_two(trio, frozen_s=40 if long else 0)
        if long:
            _lose_two_and_the_dialer(trio)
        site.finish(180)
    trio.took_s = time.monotonic() - began
    trio.attempts = site.attempts()
    trio.seen = {name: witness.seen() for name, witness in witnesses.items()}
    return trio


def _tables(witnesses: dict[str, Witness]) -> Tables:
    return {
        "server": [server_of(witness.pbx, name=name) for name, witness in witnesses.items()],
        "trunk": [
            {"name": f"to {name}", "server": name, "dial_string": "Local/${num}@watched/n", "capacity": LINES}
            for name in NAMES
        ],
        # Of the same name on each: an end point is named within its server.
        "end_point": [
            {"name": "waits", "server": name, "extension": "101", "context": "watched-ends", "max_channels": LINES}
            for name in NAMES
        ],
        "list": [{"name": "everybody"}],
        "campaign": [{
            "name": CAMPAIGN, "trunks": [f"to {name}" for name in NAMES],
            "end_points": [f"{name}/waits" for name in NAMES], "lists": ["everybody"], "answer_timeout_ms": 1500,
            "batch_size": 40, "rule": RULES,
        }],
    }  # fmt: skip


def _measured(trio: Trio, name: str, done: Callable[[int], bool]) -> None:
    """The rate of the spared one, and its lines in use, until ``done`` (told its calls since the begin)."""
    before, began, used = trio.calls(SPARED), time.monotonic(), trio.used.setdefault(name, [])

    def over() -> bool:
        trunks = {line["name"]: line["used"] for line in trio.site.snapshot()["trunks"]}
        used.append(trunks[f"to {SPARED}"])
        return done(trio.calls(SPARED) - before)

    assert wait_until(over, timeout=180, pause=0.2), f"{name}: it does not end"
    trio.rates[name] = (trio.calls(SPARED) - before) / (time.monotonic() - began)


def _lose_two(trio: Trio, *, frozen_s: float) -> None:
    """Kill one and freeze another at the same moment. The killed one is started again as soon as it is missed."""
    killed = trio.witnesses[KILLED].pbx
    trio.lost_at = dict.fromkeys((FROZEN, KILLED), time.time())
    with trio.frozen(FROZEN), ThreadPoolExecutor(1) as pool:
        _kill(trio, KILLED)
        starting: list[Any] = []

        def over(calls: int) -> bool:
            for name, pbx in trio.shown().items():
                if not pbx["connected"] and name not in trio.noticed:
                    trio.noticed[name] = pbx
            if KILLED in trio.noticed and not starting:
                starting.append(pool.submit(killed.start))
            long_enough = time.time() - trio.lost_at[FROZEN] >= frozen_s
            return FROZEN in trio.noticed and calls >= MEASURED and long_enough

        _measured(trio, "meanwhile", over)
        trio.status = trio.site.wombat("status").stdout
        starting[0].result()
    _back(trio, FROZEN, KILLED)


def _lose_two_and_the_dialer(trio: Trio) -> None:
    """The other way round; and while one is frozen the dialer is killed: what it had written may yet be read."""
    site = trio.site
    old = until(site.dialer_pid, 10, "there is a dialer")
    with trio.frozen(KILLED):
        placed = site.snapshot()["placed"]
        until(
            lambda: site.snapshot()["placed"] > placed + LINES, 20, "the dialer goes on, and writes to the frozen one"
        )
        os.kill(old, signal.SIGKILL)
        _kill(trio, FROZEN)
        until(lambda: site.dialer_pid() not in (None, old), 20, "the watchdog starts another dialer")
        site.await_ready(40)
        trio.witnesses[FROZEN].pbx.start()
        until(lambda: trio.shown()[SPARED]["connected"], 40, "the spared one is taken up")
        until(lambda: not trio.shown()[KILLED]["connected"] and trio.shown()[KILLED]["error"], 40, "one is missed")
    _back(trio, *NAMES)


def _kill(trio: Trio, name: str) -> None:
    trio.witnesses[name].pbx.kill()
    trio.kills[name].append(time.time())


def _back(trio: Trio, *names: str) -> None:
    """They are connected and place calls again."""
    trio.site.await_pbx(60)
    trio.back_at = time.time()
    before = {name: trio.calls(name) for name in names}
    until(lambda: all(trio.calls(name) >= before[name] + BACK for name in names), 60, "those that were lost dial again")
