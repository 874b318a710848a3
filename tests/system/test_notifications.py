"""Notifications and e-mails of a real dialer with real calls: each attempt is told, verifiably, across ``kill -9``."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from typing import Any

import pytest

from tests.notify.receiver import Letter, Receiver
from tests.notify.test_mail import Server
from tests.system.conftest import NewSite
from tests.system.site import Site, server_of, until
from tests.system.witness import Witness
from wombat_ari.model.errands import MAIL, Errand, ErrandKind, Undone
from wombat_ari.store import outbox

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::UserWarning:aiosmtpd", "ignore::DeprecationWarning:aiosmtpd"),
]

SECRET = "open sesame"
#: Answered at once and for 0.3 s, busy, no answer; each 20 times.
NUMBERS = [f"555{kind}{serial:02}" for kind in ("10003", "20000", "90000") for serial in range(20)]


def prepared(site: Site, witness: Witness, receiver: Receiver, **values: Any) -> None:
    campaign = {
        "name": "Sales", "trunks": ["network"], "end_points": ["waits"], "lists": ["people"],
        "answer_timeout_ms": 1000, "http_notify_url": receiver.url, "notify_secret": SECRET,
        "rule": [{"status": "RS_BUSY", "max_attempts": 2, "retry_after_s": 1}], **values,
    }  # fmt: skip
    site.apply(
        {
            "server": [server_of(witness.pbx)],
            "trunk": [{"name": "network", "dial_string": "Local/${num}@watched/n", "capacity": 10}],
            "end_point": [{"name": "waits", "extension": "101", "context": "watched-ends", "max_channels": 20}],
            "list": [{"name": "people"}],
            "campaign": [campaign],
        }
    )
    site.fill("people", [f"{number},NAME:Zoë & {number}" for number in NUMBERS])


def empty(site: Site) -> bool:
    return site.rows("SELECT COUNT(*) FROM outbox") == [(0,)]


def failing(site: Site, receiver: Receiver) -> str:
    """What the dialer says is wrong with it, empty when nothing is."""
    known = {each["name"]: each for each in site.snapshot()["outbox"]["receivers"]}
    about = known.get(receiver.name, {"failing_since": None})
    return about["error"] if about["failing_since"] else ""


def judged(site: Site, letters: list[Letter], *, campaign: str = "Sales") -> None:
    """What was accepted is what the call log says, signed, and in order for each record."""
    log = {str(row["wombatid"]): row for row in site.attempts(campaign)}
    told: dict[str, Letter] = {}
    order: dict[str, list[int]] = defaultdict(list)
    for letter in letters:
        form = letter.form
        assert letter.is_signed_with(SECRET)
        again = told.setdefault(form["wombatid"], letter)
        assert (again.message_id, again.body) == (letter.message_id, letter.body), "a resend is the same"
        if again is letter:
            order[form["num"]].append(int(form["retry"]))
    assert told.keys() == log.keys()
    for wombatid, letter in told.items():
        form, row = letter.form, log[wombatid]
        assert form["num"] == row["number"]
        assert (form["state"], form["retry"]) == (row["outcome"], str(row["attempt"] - 1))
        assert (form["reschedule"], form["talk"]) == (str(row["retry_in_s"]), str(row["talk_ms"]))
        assert (form["I_NAME"], form["campaign"], form["list"]) == (f"Zoë & {row['number']}", campaign, "people")
    assert all(retries == sorted(retries) for retries in order.values())


def test_every_attempt_is_told_and_the_run_by_e_mail(new_site: NewSite, witness: Witness) -> None:
    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver())
        post = Server(stack)
        mail = {"SERVER": "127.0.0.1", "PORT": str(post.port), "SECURITY": "none", "FROM": "dialer@example.com"}
        site: Site = new_site(settings={f"WOMBAT_ARI_MAIL_{key}": value for key, value in mail.items()})
        prepared(site, witness, receiver, email_addresses="boss@example.com", email_events="ALL")
        site.serve()
        site.await_pbx()
        site.run("Sales")
        site.finish(90)
        until(lambda: empty(site), 20, "the outbox is empty")
        judged(site, receiver.letters)
        assert len(receiver.letters) == len(site.attempts()) == 20 + 60 + 20
        subjects = [letter["Subject"] for letter in post.postbox.letters]
        assert subjects == ["Sales is running", "Sales has completed"]
        assert "Calls attempted:      100" in post.postbox.letters[-1].get_content()
        shown = site.wombat("status").stdout
        assert receiver.name in shown
        assert "well" in shown
        assert "the outbox is empty" in site.wombat("outbox", "list").stdout
        assert "takes our e-mails" in site.wombat("check", status=0).stdout
        assert "mistake of ours" not in site.log()


def test_none_is_lost_when_the_receiver_is_away_and_the_dialer_is_killed(new_site: NewSite, witness: Witness) -> None:
    with Receiver() as receiver:
        site: Site = new_site()
        prepared(site, witness, receiver, email_addresses="boss@example.com", email_events="COMPLETION")
        receiver.refuse = lambda letter: letter.form["num"].endswith("7")
        site.serve()
        site.await_pbx()
        site.run("Sales")
        until(lambda: len(receiver.accepted) > 10, 30)
        _killed(site)
        receiver.close()
        until(lambda: len(site.attempts()) > 60, 60)
        _killed(site)
        site.finish(120)
        assert not empty(site)
        until(lambda: failing(site, receiver) == "connection refused", 30)
        listed = json.loads(site.wombat("outbox", "list", "--json", "--limit", "500").stdout)
        assert "connection refused" in {each["error"] for each in listed["errands"]}
        (letter,) = [each for each in listed["errands"] if each["kind"] == "EMAIL"]
        assert (letter["state"], "set mail.server" in letter["error"]) == ("PARKED", True)
        assert "e-mails of Sales are parked; set mail.server" in site.log()
        assert "e-mails of Sales are parked" in site.wombat("check", status=1).stdout
        assert SECRET not in json.dumps(listed) + site.log()

        receiver.refuse = lambda letter: False
        receiver.released.clear()
        receiver.open()
        assert "to be tried again" in site.wombat("outbox", "replay", "--receiver", receiver.name).stdout
        until(lambda: site.rows("SELECT COUNT(*) FROM outbox") == [(1,)], 60, "only the e-mail is left")
        judged(site, receiver.accepted)
        assert "1 deleted" in site.wombat("outbox", "drop", "--receiver", "e-mail").stdout
        site.check_ledger()


def test_a_receiver_of_every_mood(new_site: NewSite, witness: Witness) -> None:
    """The first try of each gets 500, a cut connection, two answers, and of two no answer. All arrive, and calls go on
    as ever. A real minute down, and rates side by side: ``test_notifications_minute``."""
    moods = itertools.chain(["slow", "twice", "cut", "slow", "500"], itertools.cycle(["500", "cut", "twice", "ok"]))
    first: dict[str, str] = {}
    with Receiver() as receiver:
        site: Site = new_site()
        prepared(site, witness, receiver)
        rule = {"status": "RS_BUSY", "max_attempts": 2, "retry_after_s": 1}
        uses = {"trunks": ["network"], "end_points": ["waits"], "lists": ["people"]}
        site.apply({"campaign": [{"name": "Plain", **uses, "answer_timeout_ms": 1000, "rule": [rule]}]})

        def choose(letter: Letter) -> str:
            if letter.message_id in first:
                return "ok"
            return first.setdefault(letter.message_id, next(moods))

        receiver.choose = choose
        site.serve()
        site.await_pbx()
        for campaign in ("Plain", "Sales"):
            site.run(campaign)
            site.finish(90)
        until(lambda: empty(site), 240, "all have been told")
        told = [letter for letter in receiver.letters if letter.answered == 200]
        judged(site, told)
        assert {letter.message_id for letter in told} == set(first)
        twice = [message for message, mood in first.items() if mood == "twice"]
        tries = Counter(letter.message_id for letter in receiver.letters)
        assert twice
        assert all(tries[message] == 1 for message in twice), "an answer too many is still one yes"
        plain, sales = (took for (took,) in site.rows("SELECT ended_at - started_at FROM run ORDER BY id"))
        assert sales < plain * 1.2 + 1, f"without a receiver {plain:.1f} s, with it {sales:.1f} s"
        assert "mistake of ours" not in site.log()


def test_the_outbox_without_a_dialer(new_site: NewSite) -> None:
    site: Site = new_site(settings={"COLUMNS": "200"})  # no line is broken, whatever the tests run in
    assert "the outbox is empty" in site.wombat("outbox", "list").stdout
    now = time.time()
    form = {"url": "http://crm.example/x", "fields": {"num": "5551234", "state": "RS_BUSY", "extstate": "[7]"}}
    letter = {"to": ["boss@example.com"], "subject": "Sales has completed", "body": "..."}
    with site.database.transaction() as tx:
        outbox.add(tx, [Errand(ErrandKind.NOTIFY, "crm.example", form, now, now)])
        outbox.add(tx, [Errand(ErrandKind.EMAIL, MAIL, letter, now, now)])
    listed = site.wombat("outbox", "list").stdout
    assert "5551234 RS_BUSY [7]" in " ".join(listed.split())
    assert "boss@example.com" in listed
    parked = Undone(1, "", now, 9, "connection refused", parked=True)
    outbox.settle(site.database, done=[], undone=[parked])
    assert "connection refused" in site.wombat("outbox", "list", "--parked", "--json").stdout
    assert "1 to be tried again, once a dialer runs" in site.wombat("outbox", "replay", "--all").stdout
    assert "say which" in site.wombat("outbox", "drop", status=2).stderr
    assert "no errand 99" in site.wombat("outbox", "drop", "99", status=2).stderr
    assert "1 deleted" in site.wombat("outbox", "drop", "1").stdout


def _killed(site: Site) -> None:
    """``kill -9`` of the dialer; the supervisor starts it again."""
    pid = site.dialer_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: site.dialer_pid() not in (None, pid), 30)
    site.await_ready()
