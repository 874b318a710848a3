"""``live``, ``reports``, ``runs/export.jsp``, ``sysup``, ``engine``, ``callinfo``: on runs that have rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.app.service.conftest import BOTH
from tests.store.builders import add_campaign, add_list, result_of
from tests.store.conftest import NOW
from tests.store.test_claims import start, take
from tests.webui.conftest import Api, Dialer, Switch
from webui.compat import health
from wombat_ari.model.states import Outcome, RunState
from wombat_ari.store import entities, journal, runs
from wombat_ari.store.database import Database

RUN = {
    "id": 1, "campaign": "Sales", "state": "RUNNING", "priority": 10, "started_at": NOW, "attempts": 3, "closed": 2,
    "answered": 1, "estimated_remaining": 5, "open_retries": 1, "open_calls": 1, "why_not": "",
}  # fmt: skip
CALL = {
    "id": 1000001, "campaign": "Sales", "number": "101", "list": "numbers", "state": "CONNECTED",
    "extended_status": "", "retry": 0, "originated_at": NOW, "answered_at": NOW + 3, "trunk": "t", "end_point": "e",
    "agent": "",
}  # fmt: skip


@pytest.fixture
def picture(dialer: Dialer) -> Dialer:
    dialer.picture = {"state": "READY", "now": NOW + 90, "up_since": NOW, "runs": [RUN], "calls": [CALL]}
    return dialer


def dialled(database: Database, name: str = "Sales") -> int:
    """A run with 12 attempts: 3 answered, 9 busy, of which one waits for its next try. Its id."""
    numbers = add_list(database, f"numbers of {name}", [str(number) for number in range(100, 112)])
    run = start(database, add_campaign(database, name, normal=[numbers]).id)
    for place, claim in enumerate(take(database, run, 12).claims):
        outcome = Outcome.TERMINATED if place < 3 else Outcome.RS_BUSY
        one = replace(result_of(claim, outcome, retry_in_s=600 * (place == 11)), extended_status="1" * (place == 0))
        journal.write(database, [one])
    return run


@BOTH
def test_reports(api: Api, database: Database) -> None:
    run = dialled(database)
    runs = api.get("reports/runs", **{"from": "2025-10-09", "to": "2025-10-09"}).json["result"]["runs"]
    assert [(one["hoppercampId"], one["name"], one["n_calls_attempted"]) for one in runs] == [(run, "Sales", 12)]
    for period in ({"from": "2025-10-10"}, {"to": "2025-10-08"}, {"from": "2025-10-09.10:53:21"}):
        assert api.get("reports/runs", **period).json["result"]["runs"] == []
    assert len(api.get("reports/runs", **{"from": "2025-10-09T10:53:20"}).json["result"]["runs"]) == 1
    stats = api.get("reports/stats/", id=run).json["result"]
    assert stats["statsOut"] == [{"gbState": "RS_BUSY", "nCalls": 9}, {"gbState": "TERMINATED", "nCalls": 3}]
    assert {"gbState": "TERMINATED", "gbStateExt": "1", "nCalls": 1} in stats["statsExt"]
    assert [one["hoppercampId"] for one in stats["campaignsToConsider"]] == [run]
    assert (stats["nCalls"], stats["nAnswered"]) == (12, 3)
    assert stats["campaignsToConsider"][0]["n_est_remaining_calls"] == 1, "it is live: one waits for its next try"
    logs = api.get("reports/logs", id=run, items=5, **{"from": 10}).json
    assert (len(logs["results"]), logs["allResults"], logs["startFrom"]) == (2, 12, 10)
    assert logs["result"]["logs"] == logs["results"]
    assert (logs["results"][1]["number"], logs["results"][1]["nextRetry"]) == ("111", 600)


@BOTH
def test_export(api: Api, database: Database) -> None:
    first, second = dialled(database), dialled(database, "Other")
    answer = api.get("runs/export.jsp", runId=f"{first},{second}", mode="csv")
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert len(rows) == 24
    assert (rows[0]["number"], rows[0]["outcome"], rows[-1]["campaign_name"]) == ("100", "TERMINATED", "Other")
    assert json.loads(rows[0]["input_attributes"]) == {"N": "0"}


@BOTH
def test_live(api: Api, database: Database, picture: Dialer) -> None:
    run = dialled(database)
    assert run == RUN["id"]
    campaigns = api.get("live/runs/").json["result"]["campaigns"]
    assert [
        (one["hoppercampId"], one["name"], one["state"], one["n_calls_attempted"], one["n_calls_completed"],
         one["n_est_remaining_calls"], one["n_open_retries"]) for one in campaigns
    ] == [(1, "Sales", "RUNNING", 3, 2, 5, 1)]  # fmt: skip
    assert campaigns[0]["campaignId"] == entities.load_campaign(database, "Sales").id
    calls = api.get("live/calls").json["result"]["hopperState"]
    assert [(one["wombatid"], one["number"], one["state"]) for one in calls] == [(1000001, "101", "CONNECTED")]
    recalls = api.get("recallinfo").json["result"]["recalls"]
    assert [(one["number"], one["hoppercampId"]) for one in recalls] == [("111", run)]


@BOTH
def test_a_call_that_has_ended(api: Api, database: Database) -> None:
    """With or without a dialer."""
    run = dialled(database)
    wombatid = api.get("reports/logs", id=run, items=1).json["results"][0]["wombatid"]
    info = api.get("callinfo/index.jsp", id=wombatid).json["result"]
    assert (info["isLive"], info["call"]["number"], info["call"]["status"]) == (False, "100", "TERMINATED")


def test_the_engine(api: Api, dialer: Dialer, switch: Switch, picture: Dialer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "START_S", 0.0)
    assert api.get("engine", op="STATE").json == {"state": "READY", "uptimeMs": 90_000}
    assert api.get("dialer/", op="state").json["state"] == "READY"
    dialer.picture = {**(picture.picture or {}), "state": "STOPPING"}
    assert api.get("engine").json["state"] == "TERMINATION_REQD"
    dialer.picture = None
    assert api.get("engine").json == {"state": "DOWN", "uptimeMs": 0}
    assert api.post("engine", {"op": "START"}).json["state"] == "TIMEOUT_NO_REPLY", (
        "its process is there, no answer yet"
    )
    assert api.post("engine", {"op": "STOP"}).json["state"] == "DOWN"
    assert switch.done == ["start", "stop"]


def test_system_up(api: Api) -> None:
    answer = api.get("sysup").json
    assert answer["status"] == "WBTUP"
    assert answer["ramUsedMb"] > 0
    assert answer["threads"] >= 1
    assert answer["accessMs"] >= 0
    assert set(answer) < set(api.get("sysup/jmx").json)
    assert api.get("addkey", key="X").get_data(as_text=True).startswith("OK: no licence")


@pytest.mark.parametrize(
    ("path", "params", "status", "words"),
    [
        ("reports/runs", {"from": "yesterday"}, 400, "parameter from is 'yesterday'"),
        ("reports/runs", {"to": "2025-02-30"}, 400, "parameter to is '2025-02-30'"),
        ("reports/stats", {}, 400, "parameter id is missing"),
        ("reports/stats", {"id": "1,x"}, 400, "parameter id is 'x'"),
        ("reports/stats", {"id": "99"}, 404, "there is no run 99"),
        ("reports/logs", {"id": "99"}, 404, "there is no run 99"),
        ("reports/logs", {"id": str(1 << 70)}, 400, "parameter id is"),
        ("runs/export.jsp", {"runId": "1", "mode": "xls"}, 400, "mode is 'xls'"),
        ("runs/export.jsp", {"runId": ""}, 400, "parameter runId is missing"),
        ("callinfo", {}, 400, "parameter id is missing"),
        ("callinfo", {"id": "77"}, 404, "there is no logged call 77"),
        ("recallinfo", {"id": "77"}, 503, "the dialer is not running"),
        ("engine", {"op": "JUMP"}, 400, "op is 'JUMP'"),
        ("live/runs", {}, 503, "the dialer is not running"),
    ],
)
def test_refusals(api: Api, path: str, params: dict[str, str], status: int, words: str) -> None:
    answer = api.get(path, **params)
    assert (answer.status_code, answer.json["status"]) == (status, "ERROR")
    assert words in answer.json["error"]


def test_who_may(api_of: Callable[..., Api], database: Database, picture: Dialer, switch: Switch) -> None:
    run = dialled(database)
    watcher, reporter = api_of("watcher", "LIVE"), api_of("reporter", "REPORT")
    assert watcher.get("live/runs").status_code == watcher.get("live/calls").status_code == 200
    assert watcher.get("reports/stats", id=run).status_code == 403
    assert reporter.get("reports/stats", id=run).status_code == 200
    assert reporter.get("live/runs").status_code == 403
    for who in (watcher, reporter):
        assert who.get("engine", op="STOP").status_code == 403
    assert switch.done == []
    assert api_of("operator", "CTRL_WBT", "STATUS").get("engine", op="STOP").status_code == 200


def test_lists_of_a_campaign_say_how_far_the_last_run_is(api: Api, database: Database) -> None:
    numbers, more = add_list(database, "numbers", ["1", "2", "3"]), add_list(database, "more", ["4"])
    never = add_list(database, "never", ["9"])
    campaign = add_campaign(database, normal=[numbers, more], black=[never])

    def lists() -> list[tuple[object, object]]:
        return [(one["complete"], one["highwater"]) for one in api.edit("campaign/list", parent=campaign.id)]

    assert lists() == [(False, "")] * 3
    run = start(database, campaign.id)
    assert lists() == [(False, "")] * 3
    ids = [claim.record_id for claim in take(database, run, 2).claims]
    assert lists() == [(False, ids[1]), (False, ""), (False, "")]
    ids += [claim.record_id for claim in take(database, run, 2).claims]
    assert lists() == [(True, ids[2]), (True, ids[3]), (False, "")]
    runs.set_run_state(database, run, state=RunState.COMPLETED, now=NOW)
    assert lists()[0] == (True, ids[2])
    start(database, campaign.id)
    assert lists() == [(False, "")] * 3


def test_a_call_is_told_under_result_and_beside_it(api: Api, database: Database) -> None:
    run = dialled(database)
    wombatid = api.get("reports/logs", id=run, items=1).json["results"][0]["wombatid"]
    answer = api.get("callinfo/", id=wombatid).json
    assert (answer["isLive"], answer["result"]["isLive"]) == (False, False)
    assert answer["call"] == answer["result"]["call"]
    assert answer["call"]["wombatid"] == wombatid
