"""``addcall`` answered OK is dialled, once, whoever is killed a millisecond later: real processes, both databases."""

from __future__ import annotations

import os
import signal
import time
import urllib.parse
from collections.abc import Callable
from http.client import HTTPConnection

from tests.system.conftest import NewSite
from tests.system.site import Site, server_of, until
from tests.system.witness import Seen, Witness

TIMES = int(os.environ.get("WOMBAT_TEST_KILLS", "2"))  #: of each kind
SOON_S = 2  #: what is asked for later is not dialled before the kill


def prepared(site: Site, witness: Witness) -> None:
    site.apply({
        "server": [server_of(witness.pbx)],
        "trunk": [{"name": "network", "dial_string": "Local/${num}@watched/n", "capacity": 10}],
        "end_point": [{"name": "waits", "extension": "101", "context": "watched-ends", "max_channels": 10}],
        "campaign": [{
            "name": "from outside", "trunks": ["network"], "end_points": ["waits"], "idles_on_termination": True,
            # A kill between the mark that a call may be dialled and its Originate leaves a call that was never dialled.
            "rule": [{"status": "RS_LOST", "max_attempts": 3, "retry_after_s": 1}],
        }],
    })  # fmt: skip


def added_and_killed(site: Site, numbers: tuple[str, str], kill: Callable[[int], None]) -> dict[int, str]:
    """WOMBATID and number of a call for soon and of one for now, added over one connection; then the kill, to which
    the dialer's process id is given: to look for it takes longer than a millisecond."""
    dialer = site.dialer_pid()
    assert dialer is not None
    web = HTTPConnection("127.0.0.1", site.console_port, timeout=20)
    answers: dict[int, str] = {}
    for number, schedule in zip(numbers, (str(SOON_S), ""), strict=True):
        params = {"op": "addcall", "campaign": "from outside", "number": number, "schedule": schedule}
        web.request("GET", f"/wombat/api/calls/?{urllib.parse.urlencode(params)}")
        said = web.getresponse().read().decode()
        assert said.startswith("OK\nWOMBATID:"), said
        answers[int(said.split(":")[1])] = number
    time.sleep(0.001)
    kill(dialer)
    web.close()
    return answers


def await_outcomes(site: Site, numbers: tuple[str, str]) -> None:
    def answered() -> bool:
        outcomes = site.outcomes()
        return all(outcomes.get(number, [""])[-1] == "TERMINATED" for number in numbers)

    until(answered, 60, "both have been dialled")


def test_each_is_dialled_once(new_site: NewSite, witness: Witness, url: str) -> None:
    site: Site = new_site(url=url)
    prepared(site, witness)
    site.serve()
    site.await_pbx()
    site.run("from outside")

    def dialer(pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        until(lambda: site.dialer_pid() not in (None, pid), 30, "a new dialer")
        site.await_ready()

    def both(pid: int) -> None:
        """At once: one that outlives the other could still write what it had answered."""
        os.kill(pid, signal.SIGKILL)
        os.kill(site.supervisor_pid, signal.SIGKILL)
        until(lambda: not site.serving, 10, "serve is dead")
        site.serve()

    answered: dict[int, str] = {}
    for serial in range(TIMES):
        for kill, kind in ((dialer, 1), (both, 2)):
            numbers = (f"5551010{kind}{serial}01", f"5551010{kind}{serial}02")
            answered.update(added_and_killed(site, numbers, kill))
            site.await_pbx()
            await_outcomes(site, numbers)
    seen, attempts = witness.seen(), site.attempts()
    first = {row["wombatid"]: row["number"] for row in attempts if row["attempt"] == 1}
    assert first == answered, "each is called under the WOMBATID that was told"
    for number in answered.values():
        began = {
            row["wombatid"]: len(seen.get(row["wombatid"], Seen()).began) for row in attempts if row["number"] == number
        }
        ended = {row["wombatid"]: row["outcome"] for row in attempts if row["number"] == number}
        assert sum(began.values()) == 1, f"{number} rang {began}"
        assert {wombatid for wombatid, times in began.items() if times} == {
            wombatid for wombatid, outcome in ended.items() if outcome == "TERMINATED"
        }
        assert set(ended.values()) <= {"TERMINATED", "RS_LOST"}
    site.check_ledger()
    assert "mistake of ours" not in site.log()
