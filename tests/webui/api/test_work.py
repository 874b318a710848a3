"""Runs, calls, reports, outbox, log, dialer: on runs that have rows. Acting on a live run is in docs/api.md."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.app.service.conftest import BOTH
from tests.store.builders import add_campaign, add_list, result_of
from tests.store.conftest import NOW
from tests.store.test_claims import start, take
from tests.store.test_outbox import errand, put
from tests.webui.api.conftest import Rest
from tests.webui.conftest import Switch
from tests.webui.test_live_and_reports import dialled
from wombat_ari.app.control import Unanswered
from wombat_ari.model.states import Outcome
from wombat_ari.store import journal, outbox
from wombat_ari.store.database import Database


@BOTH
def test_reports(rest: Rest, database: Database) -> None:
    first, second = dialled(database), dialled(database, "Other")
    stats = rest.ok("GET", f"/reports/statistics?run={first}")
    assert (stats["calls"], stats["answered"], stats["rescheduled"]) == (12, 3, 1)
    assert sum(each["calls"] for each in stats["outcomes"]) == 12
    assert rest.ok("GET", f"/reports/statistics?run={first}&run={second}")["calls"] == 24
    seen, after = [], 0
    while True:
        page = rest.ok("GET", f"/reports/attempts?run={first}&run={second}&limit=7&after={after}")
        seen += [one["wombatid"] for one in page["items"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert (len(seen), seen) == (24, sorted(seen))
    answer = rest.ask("GET", f"/reports/attempts/export?run={first}&run={second}&run={first}")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert (len(rows), rows[0]["outcome"], json.loads(rows[0]["input_attributes"])) == (24, "TERMINATED", {"N": "0"})
    assert rest.refused(404, "GET", "/reports/statistics?run=99")["detail"] == "there is no run 99"
    assert "run" in rest.refused(400, "GET", "/reports/statistics")["detail"]


@BOTH
def test_runs(rest: Rest, database: Database) -> None:
    first, second = dialled(database), dialled(database, "Other")
    page = rest.ok("GET", "/runs?limit=1")
    assert ([one["id"] for one in page["items"]], page["next"]) == ([second], second)
    page = rest.ok("GET", f"/runs?limit=1&after={page['next']}")
    assert ([one["id"] for one in page["items"]], page["next"]) == ([first], None)
    run = rest.ok("GET", f"/runs/{first}")
    counters = run["counters"]
    assert (run["campaign_name"], run["live"], counters["attempts"], counters["answered"]) == ("Sales", None, 12, 3)
    assert counters["taken"] == counters["closed"] + counters["open_attempts"] + counters["open_retries"]
    assert len(rest.ok("GET", "/runs?live=true")["items"]) == 2
    assert [one["id"] for one in rest.ok("GET", f"/runs?campaign_id={run['campaign_id']}")["items"]] == [first]
    [listed] = rest.ok("GET", f"/runs/{first}/lists")["items"]
    assert (listed["name"], listed["taken"], listed["remaining"]) == ("numbers of Sales", 12, 0)
    for path in ("pause", "resume", "remove", "reload"):
        assert rest.refused(503, "POST", f"/runs/{first}/{path}")["code"] == "dialer-down"
    rest.refused(404, "POST", "/runs/99/pause")
    rest.refused(404, "POST", f"/runs/{first}/lists/99/pause")


@BOTH
def test_the_history_of_a_call(rest: Rest, database: Database) -> None:
    numbers = add_list(database, "numbers", ["5551"])
    run = start(database, add_campaign(database, "Sales", normal=[numbers]).id)
    [first] = take(database, run, 1).claims
    journal.write(database, [result_of(first, Outcome.RS_BUSY, retry_in_s=60)])
    told = rest.ok("GET", f"/calls/{first.wombatid}")
    assert (told["state"], told["is_live"], told["outcome"], told["retry_in_s"]) == ("ENDED", False, "RS_BUSY", 60)
    assert [step["decision"] for step in told["history"]] == ["RS_BUSY: tried again after 60 s"]
    assert (told["next_retry"]["attempt"], told["next_retry"]["due_at"] > NOW) == (2, True)
    [second] = take(database, run, 1, now=NOW + 1000).claims
    open_call = rest.ok("GET", f"/calls/{second.wombatid}")
    assert (open_call["state"], open_call["is_live"], open_call["next_retry"]) == ("IN_HOPPER", None, None)
    journal.write(database, [result_of(second, Outcome.TERMINATED, at=NOW + 1000)])
    for wombatid in (first.wombatid, second.wombatid):
        steps = rest.ok("GET", f"/calls/{wombatid}")["history"]
        assert [(step["call"]["attempt"], step["decision"]) for step in steps] == [
            (1, "RS_BUSY: tried again after 60 s"), (2, "TERMINATED: its record is closed"),
        ]  # fmt: skip
    rest.refused(404, "GET", "/calls/4711")


def test_runs_of_a_campaign_that_is_not_seen_are_not_there(
    rest: Rest, rest_of: Callable[..., Rest], database: Database
) -> None:
    run = dialled(database)
    campaign = rest.ok("GET", f"/runs/{run}")["campaign_id"]
    wombatid = rest.ok("GET", f"/reports/attempts?run={run}")["items"][0]["wombatid"]
    rest.ok("PATCH", f"/campaigns/{campaign}", {"security_key": "VIP"})
    other = rest_of("carol", "LIVE", "REPORT", "CAMPAIGNS")
    assert other.ok("GET", "/runs")["items"] == []
    for path in (f"/runs/{run}", f"/runs/{run}/lists", f"/calls/{wombatid}", f"/reports/attempts?run={run}",
                 f"/reports/attempts/export?run={run}", f"/campaigns/{campaign}"):  # fmt: skip
        other.refused(404, "GET", path)
    other.refused(404, "POST", f"/runs/{run}/pause")


@BOTH
def test_the_outbox(rest: Rest, database: Database, dialer: Any) -> None:
    told: list[str] = []
    dialer.retry_errands = told.append
    put(database, errand("crm"), errand("crm"), errand("mail"))
    page = rest.ok("GET", "/outbox?limit=2")
    assert ([one["receiver"] for one in page["items"]], page["next"]) == (["crm", "crm"], page["items"][1]["id"])
    assert [one["receiver"] for one in rest.ok("GET", f"/outbox?after={page['next']}")["items"]] == ["mail"]
    assert rest.ok("GET", f"/outbox/{page['items'][0]['id']}") == page["items"][0]
    counted = {"receiver": "crm", "waiting": 2, "parked": 0}
    assert counted in rest.ok("GET", "/outbox/receivers")["items"]
    assert rest.ok("POST", "/outbox/replay", {"id": page["items"][0]["id"]}) == {"count": 1}
    assert told == ["crm"]
    assert rest.ok("POST", "/outbox/drop", {"id": page["items"][0]["id"]}) == {"count": 1}
    rest.refused(404, "GET", f"/outbox/{page['items'][0]['id']}")
    rest.refused(404, "POST", "/outbox/drop", {"id": page["items"][0]["id"]})
    rest.refused(422, "POST", "/outbox/drop", {})
    rest.refused(422, "POST", "/outbox/drop", {"all": True, "receiver": "crm"})
    assert rest.ok("POST", "/outbox/drop", {"all": True}) == {"count": 0}, "what still waits is not dropped"
    assert len(outbox.listing(database)) == 2


def test_an_errand_is_seen_with_its_campaign(rest: Rest, rest_of: Callable[..., Rest], database: Database) -> None:
    campaign = add_campaign(database, "Sales").id
    rest.ok("PATCH", f"/campaigns/{campaign}", {"security_key": "VIP"})
    put(database, errand("crm", campaign_id=campaign), errand("mail"))
    boss = rest_of("boss", "ADMIN")
    [seen] = boss.ok("GET", "/outbox")["items"]
    assert seen["receiver"] == "mail"
    hidden = next(row.id for row in outbox.listing(database) if row.errand.receiver == "crm")
    for method, path, body in (("GET", f"/outbox/{hidden}", None), ("POST", "/outbox/replay", {"id": hidden}),
                               ("POST", "/outbox/drop", {"id": hidden})):  # fmt: skip
        boss.refused(404, method, path, body)
    assert len(outbox.listing(database)) == 2


def test_the_system_log(rest: Rest) -> None:
    for n in range(3):
        rest.ok("POST", "/lists", {"name": f"list {n}"}, status=201)
    page = rest.ok("GET", "/system-log?action=list%20made&limit=2")
    assert [line["object"] for line in page["items"]] == ["list 2", "list 1"]
    assert page["items"][0]["user"] == "admin"
    assert "192.0.2.7" in page["items"][0]["detail"]
    rest_of_it = rest.ok("GET", f"/system-log?action=list%20made&after={page['next']}")
    assert ([line["object"] for line in rest_of_it["items"]], rest_of_it["next"]) == (["list 0"], None)


def test_the_dialer_is_switched(rest: Rest, switch: Switch) -> None:
    assert rest.ok("GET", "/dialer")["state"] == "DOWN"
    assert rest.ok("POST", "/dialer/start")["state"] is None
    rest.ok("POST", "/dialer/stop")
    assert switch.done == ["start", "stop"]


@pytest.mark.parametrize("path", ["/calls", "/calls/batch", "/runs"])
def test_without_a_dialer_nothing_is_added(rest: Rest, database: Database, path: str) -> None:
    dialled(database)
    body = {
        "/calls": {"campaign": "Sales", "number": "1"}, "/runs": {"campaign": "Sales"},
        "/calls/batch": {"campaign": "Sales", "calls": [{"number": "1"}]},
    }[path]  # fmt: skip
    assert rest.refused(503, "POST", path, body)["code"] == "dialer-down"
    rest.refused(404, "POST", path, {**body, "campaign": "None"})


def test_a_batch_whose_dialer_goes_says_which_were_added(rest: Rest, database: Database, dialer: Any) -> None:
    dialled(database)
    numbers = iter([1000001, None])

    def add_call(*args: Any, **options: Any) -> int:
        wombatid = next(numbers)
        if wombatid is None:
            raise Unanswered("the dialer went away")
        return wombatid

    dialer.add_call = add_call
    body = {"campaign": "Sales", "calls": [{"number": "1"}, {"number": "2"}]}
    answer = rest.ok("POST", "/calls/batch", body)
    assert answer["added"] == 1
    assert [(one["wombatid"], one["code"]) for one in answer["items"]] == [(1000001, ""), (None, "dialer-down")]
