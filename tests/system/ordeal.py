"""One campaign through every crash: the dialer is killed twice, Asterisk once, the database is frozen, then killed.

Everything is noted with the moment at which it happened; ``test_crashes`` judges.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.system.scene import Stalls
from tests.system.site import Site, server_of, until
from tests.system.watcher import Watcher
from tests.system.witness import Seen, Witness
from tools.provision.mariadb import MariaDBInstance

CAMPAIGN = "Ordeal"
LINES = 25
FROZEN_S = 20.0
AWAY_S = 6.0
DOWN_S = 3.0
RULES: list[dict[str, Any]] = [
    {"status": "RS_BUSY", "max_attempts": 1, "retry_after_s": 2},
    {"status": "RS_NOANSWER", "max_attempts": 1, "retry_after_s": 2},
    {"status": "RS_LOST", "max_attempts": 9, "retry_after_s": 1},
    {"status": "RS_ERROR", "max_attempts": 9, "retry_after_s": 1},
]
#: digit -> how a record ends for good, whatever was lost on the way
FINAL = {
    "1": "TERMINATED", "2": "RS_BUSY", "3": "RS_NOANSWER", "4": "RS_NUMBER", "5": "RS_REJECTED", "6": "RS_REJECTED",
    "7": "TERMINATED", "8": "TERMINATED", "9": "RS_NOANSWER",
}  # fmt: skip
#: digits behind 555 (behaviour, ring time, talk time) and how many such records
MIX = {"10599": 20, "10210": 110, "10620": 60, "20300": 30, "70310": 25, "30000": 15, "80410": 10, "40200": 20,
       "50300": 15, "60200": 15, "90000": 10}  # fmt: skip


def numbers() -> list[str]:
    """Mixed, but the long calls are among the first, so that some are up at the first crash."""
    made = [f"555{digits}{serial:03}" for digits, count in MIX.items() for serial in range(count)]
    long, others = made[: MIX["10599"]], made[MIX["10599"] :]
    random.Random(7).shuffle(others)
    return [*others[:5], *long[:12], *others[5:150], *long[12:], *others[150:]]


@dataclass
class Ordeal:
    """What happened. Moments are epoch seconds; each span is (begin, end)."""

    site: Site
    witness: Witness
    spans: dict[str, tuple[float, float]] = field(default_factory=dict)
    connected_before: set[int] = field(default_factory=set)  #: CONNECTED when the dialer was first killed
    connected_after: set[int] = field(default_factory=set)  #: CONNECTED when the next one had looked at the PBX
    gone_between: set[int] = field(default_factory=set)  #: of the former, those that had ended by then
    trouble_said: str = ""  #: what the status said while the database was frozen
    health: tuple[int, str] = (0, "")  #: what /healthz answered then
    dialers: list[int] = field(default_factory=list)  #: process ids
    attempts: list[dict[str, Any]] = field(default_factory=list)
    handed_on: list[str] = field(default_factory=list)  #: numbers on the list onto which each goes when it is closed
    seen: dict[int, Seen] = field(default_factory=dict)
    stall_s: float = 0.0
    watcher: Watcher | None = None
    took_s: float = 0.0

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        began = time.time()
        yield
        self.spans[name] = (began, time.time())

    def during(self, moment: float, *names: str) -> bool:
        """Whether a moment is in one of these spans, or just around it."""
        return any(self.spans[name][0] - 0.5 <= moment <= self.spans[name][1] + 0.5 for name in names)

    def summary(self) -> str:
        outcomes = Counter(row["outcome"] for row in self.attempts)
        lost = Counter(row["number"][3] for row in self.attempts if row["outcome"] == "RS_LOST")
        parts = [
            f"{len(numbers())} records, {len(self.attempts)} attempts in {self.took_s:.0f} s: {dict(outcomes)}",
            f"RS_LOST by behaviour: {dict(lost)}; {len(self.connected_after & self.connected_before)} live calls taken"
            f" up, {len(self.gone_between)} of {len(self.connected_before)} had ended meanwhile",
            f"{notes_left(self.witness)} notes are left in the AstDB",
            *(f"{name}: {end - begin:.1f} s" for name, (begin, end) in self.spans.items()),
        ]
        if self.watcher is not None:
            parts.append(f"the database looked at {self.watcher.looks} times, {self.watcher.away} times it was away")
        return "\n".join(parts)


def notes_left(witness: Witness) -> int:
    """How many notes of ended calls are in the AstDB."""
    return witness.pbx.cli("database show wombat-gone").count("wombat-gone/")


def undergo(site: Site, witness: Witness, mariadb: MariaDBInstance) -> Ordeal:
    """The whole story. About a minute and a half."""
    ordeal = Ordeal(site, witness)
    _set_up(site, witness)
    site.serve()
    site.await_pbx()
    began = time.monotonic()
    with Stalls() as stalls, Watcher(site.environment["WOMBAT_ARI_DATABASE_URL"]) as ordeal.watcher:
        site.run(CAMPAIGN)
        _kill_dialer_with_live_calls(ordeal)
        _after(ordeal, 40)
        _kill_asterisk(ordeal)
        _after(ordeal, 40)
        _freeze_database(ordeal, mariadb)
        _after(ordeal, 30)
        _kill_dialer(ordeal, "the dialer killed again")
        _after(ordeal, 20)
        _kill_database(ordeal, mariadb)
        site.finish(120)
        until(lambda: not site.rows("SELECT id FROM outbox"), 30, "all errands are done")
    ordeal.took_s = time.monotonic() - began
    ordeal.stall_s = stalls.worst
    ordeal.attempts = site.attempts()
    sql = "SELECT r.number FROM record r JOIN call_list l ON l.id = r.list_id WHERE l.name = 'done'"
    ordeal.handed_on = [number for (number,) in site.rows(sql)]
    ordeal.seen = witness.seen()
    return ordeal


def _set_up(site: Site, witness: Witness) -> None:
    site.apply({
        "server": [server_of(witness.pbx)],
        "trunk": [{"name": "network", "dial_string": "Local/${num}@watched/n", "capacity": LINES}],
        "end_point": [{"name": "waits", "extension": "101", "context": "watched-ends", "max_channels": LINES}],
        "list": [{"name": "everybody"}],
        "campaign": [{
            "name": CAMPAIGN, "trunks": ["network"], "end_points": ["waits"], "lists": ["everybody"],
            "answer_timeout_ms": 1500, "batch_size": 40, "rule": RULES,
            "disposition": [{"verb": "ADD_LIST", "destination": "done"}],
        }],
    })  # fmt: skip
    site.fill("everybody", numbers())


def _after(ordeal: Ordeal, attempts: int) -> None:
    """Go on when so many more attempts have begun: the dialer is in full swing again."""
    before = len(ordeal.witness.seen())
    until(lambda: len(ordeal.witness.seen()) >= before + attempts, 60, f"{attempts} more attempts")


def _live(ordeal: Ordeal, state: str) -> set[int]:
    return {call["id"] for call in ordeal.site.snapshot()["calls"] if call["state"] == state}


def _kill_dialer_with_live_calls(ordeal: Ordeal) -> None:
    until(lambda: len(_live(ordeal, "CONNECTED")) >= 12, 40, "twelve calls are up")
    _after(ordeal, 10)
    ordeal.connected_before = _live(ordeal, "CONNECTED")
    _kill_dialer(ordeal, "the dialer killed")
    ordeal.connected_after = _live(ordeal, "CONNECTED")
    seen = ordeal.witness.seen()
    ordeal.gone_between = {wombatid for wombatid in ordeal.connected_before if seen[wombatid].ended}


def _kill_dialer(ordeal: Ordeal, name: str) -> None:
    """``kill -9``; the watchdog starts another one. Over when that one has looked at the PBX."""
    site = ordeal.site
    old = until(site.dialer_pid, 10, "there is a dialer")
    ordeal.dialers.append(old)
    with ordeal.span(name):
        os.kill(old, signal.SIGKILL)
        until(lambda: site.dialer_pid() not in (None, old), 20, "the watchdog starts another dialer")
        site.await_ready(40)
        site.await_pbx(40)


def _kill_asterisk(ordeal: Ordeal) -> None:
    with ordeal.span("Asterisk killed"):
        ordeal.witness.pbx.kill()
        back_at = time.monotonic() + DOWN_S
        until(lambda: not ordeal.site.snapshot()["pbxs"][0]["connected"], 20, "the loss is noticed")
        until(lambda: time.monotonic() >= back_at, DOWN_S + 5)
        ordeal.witness.pbx.start()
        ordeal.site.await_pbx(60)


def _freeze_database(ordeal: Ordeal, mariadb: MariaDBInstance) -> None:
    """It keeps its connections and does not answer. The site's own connection is not used meanwhile."""
    with ordeal.span("the database frozen"):
        mariadb.freeze()
        thaw_at = time.monotonic() + FROZEN_S
        try:
            until(lambda: _trouble(ordeal) or time.monotonic() >= thaw_at, FROZEN_S + 5)
            ordeal.health = ordeal.site.get("/healthz")
            until(lambda: time.monotonic() >= thaw_at, FROZEN_S + 5)
        finally:
            mariadb.thaw()


def _trouble(ordeal: Ordeal) -> str:
    ordeal.trouble_said = ordeal.site.snapshot()["database_trouble"]
    return ordeal.trouble_said


def _kill_database(ordeal: Ordeal, mariadb: MariaDBInstance) -> None:
    with ordeal.span("the database killed"):
        mariadb.kill()
        back_at = time.monotonic() + AWAY_S
        until(lambda: "database" in ordeal.site.snapshot()["database_trouble"], 20, "the loss is said")
        until(lambda: time.monotonic() >= back_at, AWAY_S + 5)
        mariadb.start()
