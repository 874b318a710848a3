"""A receiver that is down for a minute, then of every mood, beside one that is well: rates of the dialer, and all that
is told. Minutes long, so it is for the floor; the short one is ``test_notifications``.

    tools/test -m floor tests/system/test_notifications_minute.py
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections import Counter

import pytest

from tests.notify.receiver import Letter, Receiver
from tests.system.conftest import NewSite
from tests.system.control import Control
from tests.system.site import Site, server_of, until
from tests.system.test_notifications import SECRET, empty, failing, judged
from tests.system.witness import Witness

pytestmark = [pytest.mark.floor, pytest.mark.timeout(1500)]

WELL_S = float(os.environ.get("WOMBAT_TEST_WELL_S", "30"))
DOWN_S = 60.0
MOODY_S = 30.0
RAMP_S = 3.0  #: at the begin of a window calls of before are still about
EVERY = 60  #: of so many messages one meets a mood at its first try
LEAST = 0.85  #: of the rate beside a receiver that is well; what others use of the machine is in it
MOODS = ("500", "cut", "twice", "slow")
#: Busy at once, and answered for 0.3 s; more than the story dials.
NUMBERS = [f"555{'10003' if serial % 4 == 0 else '20000'}{serial:05}" for serial in range(20_000)]


def prepared(site: Site, witness: Witness, receivers: dict[str, Receiver]) -> None:
    uses = {"trunks": ["network"], "end_points": ["waits"], "lists": ["people"], "answer_timeout_ms": 1000}
    rule = {"status": "RS_BUSY", "max_attempts": 2, "retry_after_s": 5}
    site.apply({
        "server": [server_of(witness.pbx)],
        "trunk": [{"name": "network", "dial_string": "Local/${num}@watched/n", "capacity": 20}],
        "end_point": [{"name": "waits", "extension": "101", "context": "watched-ends", "max_channels": 40}],
        "list": [{"name": "people"}],
        "campaign": [
            {"name": name, "http_notify_url": receiver.url, "notify_secret": SECRET, "rule": [rule], **uses}
            for name, receiver in receivers.items()
        ],
    })  # fmt: skip
    site.fill("people", [f"{number},NAME:Zoë & {number}" for number in NUMBERS])


def steer(site: Site, command: str, campaign: str) -> None:
    with Control(site.state / "control.sock") as control:
        control.ask(command, campaign=campaign, by="test")


def ended(site: Site, campaign: str) -> None:
    """Pause, let live calls end, remove: what waits is dismissed."""
    steer(site, "PauseRun", campaign)
    until(lambda: not site.snapshot()["calls"], 30, "its calls have ended")
    steer(site, "RemoveRun", campaign)
    site.finish(30)


def rate(site: Site, campaign: str, begin: float, end: float) -> float:
    """Attempts a second that ended in this time."""
    sql = "SELECT COUNT(*) FROM call_log WHERE campaign_name = %s AND ended_at >= %s AND ended_at < %s"
    ((count,),) = site.rows(sql, (campaign, begin + RAMP_S, end))
    return float(count / (end - begin - RAMP_S))


def dialled_beside_a_receiver_that_is_well(site: Site, campaign: str) -> float:
    began = time.time()
    site.run(campaign)
    time.sleep(WELL_S)
    now = time.time()
    ended(site, campaign)
    return rate(site, campaign, began, now)


def test_a_minute_down_and_then_every_mood(new_site: NewSite, witness: Witness) -> None:
    first: dict[str, str] = {}
    moods, places = itertools.cycle(MOODS), itertools.count(1)
    lock = threading.Lock()

    def choose(letter: Letter) -> str:
        with lock:
            if letter.message_id in first:
                return "ok"
            return first.setdefault(letter.message_id, next(moods) if next(places) % EVERY == 0 else "ok")

    with Receiver() as well, Receiver() as away:
        away.choose = choose
        site: Site = new_site()
        prepared(site, witness, {"Before": well, "Troubled": away, "After": well})
        site.serve()
        site.await_pbx()
        before = dialled_beside_a_receiver_that_is_well(site, "Before")

        away.close()
        down_at = time.time()
        site.run("Troubled")
        time.sleep(DOWN_S)
        assert failing(site, away) == "connection refused"
        assert away.letters == []
        up_at = time.time()
        away.released.clear()
        away.open()
        until(lambda: away.accepted, 90, "the dialer has found that it is there again")
        heard_at = time.time()
        time.sleep(MOODY_S)
        over_at = time.time()
        ended(site, "Troubled")

        after = dialled_beside_a_receiver_that_is_well(site, "After")
        until(lambda: empty(site), 400, "all has been told")
        told = [letter for letter in away.letters if letter.answered == 200]
        judged(site, told, campaign="Troubled")
        assert {letter.message_id for letter in told} == set(first)
        met = Counter(first.values())
        tries = Counter(letter.message_id for letter in away.letters)
        assert set(met) == {*MOODS, "ok"}, met
        assert all(tries[message] == 1 for message, mood in first.items() if mood == "twice")
        judged(site, [each for each in well.accepted if each.form["campaign"] == "After"], campaign="After")

        rates = {
            "well, before": before, "down": rate(site, "Troubled", down_at, up_at),
            "moods": rate(site, "Troubled", heard_at, over_at), "well, after": after,
        }  # fmt: skip
        print({name: round(value, 1) for name, value in rates.items()}, "calls a second;", dict(met), len(told), "told")
        print(f"heard of {heard_at - up_at:.0f} s after it was up; the last one told {told[-1].at - up_at:.0f} s after")
        beside = min(before, after)
        assert rates["down"] > beside * LEAST, rates
        assert rates["moods"] > beside * LEAST, rates
        site.check_ledger()
        assert "mistake of ours" not in site.log()
