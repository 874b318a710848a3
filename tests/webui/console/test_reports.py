"""The pages of reports: what they say, to whom, and how they behave in a real Chromium."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from tests.store.builders import add_campaign, add_list, result_of
from tests.store.conftest import NOW
from tests.store.test_claims import start, take
from tests.system.site import until
from tests.webui.console.conftest import Desk, Visitor
from webui.console.reports import labels_of, length
from wombat_ari.app.cli import cli
from wombat_ari.app.service import jobs, reports
from wombat_ari.app.service.caller import machine_caller
from wombat_ari.model.entities import CallList, RescheduleRule
from wombat_ari.model.reports import Hour, Span
from wombat_ari.model.states import Outcome, RunState
from wombat_ari.store import entities, journal, lists, runs
from wombat_ari.store.database import Database

Visitors = Callable[..., Visitor]
MACHINE = machine_caller("test", at=NOW)
OUTCOMES = (Outcome.TERMINATED, Outcome.RS_BUSY, Outcome.RS_NOANSWER, Outcome.TERMINATED, Outcome.RS_REJECTED)


def dialled(
    database: Database, name: str = "Sales", *, key: str = "", calls: int = 60, ended: bool = True, extra: str = ""
) -> int:
    """A run with attempts of all kinds, over some hours. 560001 is busy for good, 560005 waits for a second try."""
    numbers = add_list(database, f"numbers of {name}"[:80], [f"56{number:04}" for number in range(calls)])
    campaign = add_campaign(database, name, normal=[numbers])
    rules = (RescheduleRule("RS_BUSY", "", 3, 600),)
    entities.set_campaign_rules(database, campaign.id or 0, rules=rules, by="x", now=NOW)
    if key:
        entities.save_campaign(database, replace(campaign, security_key=key), by="x", now=NOW)
    run = start(database, campaign.id)
    results = []
    for place, claim in enumerate(take(database, run, calls).claims):
        outcome = OUTCOMES[place % 5]
        one = result_of(claim, outcome, at=NOW + place * 300 + 30, retry_in_s=600 if place % 10 == 5 + 1 else 0)
        status = ("SALE", "", "CALL_BACK")[place % 3] if outcome is Outcome.TERMINATED else ""
        agent = f"SIP/{200 + place % 7}" if outcome is Outcome.TERMINATED else ""
        end_point = {"end_point_id": 1 + place % 2, "end_point_name": f"queue {place % 2}"}
        results.append(replace(
            one, attempted_at=NOW + place * 300, extended_status=status, agent=agent, **end_point,
            talk_ms=place * 1000 * bool(agent), output_attributes={"NOTE": f"note {place} {extra}"},
        ))  # fmt: skip
    journal.write(database, results)
    if ended:
        runs.set_run_state(database, run, state=RunState.COMPLETED, now=NOW + calls * 300)
    return run


@pytest.fixture
def run(database: Database) -> int:
    return dialled(database)


def over(database: Database, owner: str = "admin") -> jobs.Job:
    def look() -> jobs.Job | None:
        return next((job for job in jobs.of(database).all(owner=owner) if job.over), None)

    return until(look, 30, "the job is over")


def test_runs_are_searched_and_chosen(visitor: Visitors, database: Database, run: int) -> None:
    other = dialled(database, "Other", calls=5, ended=False)
    page = visitor().get("/reports", **{"from": "2025-10-09", "to": "2025-10-09", "campaign": "sal"}).text
    assert f'name="run" value="{run}"' in page
    assert f'name="run" value="{other}"' not in page
    assert "2025-10-09 10:53:20" in page, "in the dialer's zone, Rome"
    for period in ({"from": "2025-10-10"}, {"from": "", "to": "2025-10-08"}, {"from": "2025-10-09T10:54"}):
        assert "No run of yours was started" in visitor().get("/reports", **period).text
    assert "No run of yours" in visitor().get("/reports").text, "the last week, when nothing is asked"
    minute = visitor().get("/reports", **{"from": "2025-10-09T10:53", "to": "2025-10-09T10:53"}).text
    assert minute.count('name="run"') == 2
    kept = visitor().get("/reports", **{"from": "2025-10-10", "run": run}).text
    assert f'name="run" value="{run}" checked' in kept, "what was chosen stays, found or not"
    everything = visitor().get("/reports", **{"from": "2025-10-09", "all": 1}).text
    assert everything.count(" checked>") == 2
    wrong = visitor().get("/reports", **{"from": "yesterday"})
    assert wrong.status_code == 400
    assert "must be a day" in wrong.text


def test_a_report_says_what_the_service_says(visitor: Visitors, database: Database, run: int) -> None:
    page = visitor().get("/reports/runs", run=run).text
    figures = reports.statistics(MACHINE, database, [run])
    assert (figures.calls, figures.answered) == (60, 24)
    for text in ("60", "24", "40.0 %", "SALE", "CALL_BACK", "pbx of Sales/t1", "queue 1", "SIP/203", "Europe/Rome"):
        assert text in page
    for part in figures.outcomes:
        assert f">{part.calls}</td>" in page
        assert f"{part.share * 100:.1f} %" in page
    assert "Calls by hour" in page
    assert "10:00" in page


def test_a_report_says_what_the_command_says(visitor: Visitors, database: Database, run: int, tmp_path: Path) -> None:
    answer = CliRunner(env={"WOMBAT_ARI_STATE_FOLDER": str(tmp_path)}).invoke(
        cli, ["report", "Sales", "--json"], catch_exceptions=False
    )
    said = json.loads(answer.output)["statistics"]
    page = visitor().get("/reports/runs", run=run).text
    for name, text in (
        ("Calls", f"{said['calls']}"), ("Answered", f"{said['answered']}"), ("Talk", length(said["talk_ms"])),
        ("Wait pre", length(said["wait_pre_ms"])), ("Wait after", length(said["wait_after_ms"])),
        ("Used time", length(said["talk_ms"] + said["wait_pre_ms"] + said["wait_after_ms"])),
    ):  # fmt: skip
        assert f'<h2>{name}</h2><p class="big">{text}</p>' in page
    for part in (*said["trunks"], *said["end_points"], *said["agents"]):
        assert re.search(f'{part["name"]}(</a>)?</th><td class="n" data-label="Calls">{part["calls"]}</td>', page)


def test_lengths() -> None:
    assert [length(ms) for ms in (0, 120, 59_949, 59_960, 62_000, 3_600_000, 360_123_000)] == [
        "0.0 s", "0.1 s", "59.9 s", "1:00", "1:02", "1:00:00", "100:02:03"
    ]  # fmt: skip


def test_the_hour_that_comes_twice_says_which_it_is() -> None:
    rome, two = ZoneInfo("Europe/Rome"), 1_761_436_800.0  # 26 October 2025, 02:00 the first time
    hours = [Hour(two + 3600 * n, 1, 0, 0) for n in range(3)]
    assert labels_of(hours, Span.HOUR, rome) == ["02:00 CEST", "02:00 CET", "03:00"]
    assert labels_of([Hour(two - 3 * 3600, 1, 0, 0), *hours[2:]], Span.HOUR, rome) == ["10-25 23:00", "10-26 03:00"]
    assert labels_of(hours[:1], Span.DAY, rome) == ["2025-10-26"]


def test_numbers_that_are_no_runs(visitor: Visitors, database: Database, run: int) -> None:
    me = visitor()
    assert me.get("/reports/runs").headers["Location"].startswith("/reports?")
    for path in ("/reports/runs", "/reports/attempts", "/reports/export", "/reports", "/reports/numbers"):
        assert me.get(path, run="99").status_code == 404
        assert me.get(path, run="x").status_code == 400
        assert me.get(path, run="9" * 30).status_code == 400
    for path in ("/reports/attempts", "/reports/export", "/reports/numbers"):
        assert me.get(path).status_code == 400
    assert me.get("/reports/attempts/99").status_code == 404
    assert me.get(f"/jobs/{'0' * 32}").status_code == 404


def test_attempts_are_searched_sorted_and_paged(visitor: Visitors, database: Database, run: int) -> None:
    me = visitor()

    def found(**params: Any) -> list[str]:
        page = me.get("/reports/attempts", run=run, **params)
        assert page.status_code == 200
        return [part.partition("<")[0] for part in page.text.split('<th scope="row"><a href="/reports/attempts/')][1:]

    def numbers(**params: Any) -> list[str]:
        return [part.partition(">")[2] for part in found(**params)]

    latest = numbers()
    assert (latest[0], len(latest)) == ("560059", 50)
    assert numbers(page=2) == [f"56{number:04}" for number in range(9, -1, -1)]
    assert numbers(number="0001") == ["560001"]
    assert len(numbers(outcome="RS_BUSY", status="")) == 12
    assert len(numbers(agent="SIP/203")) == len(numbers(agent="SIP/203", outcome=""))
    assert numbers(sort="-talk_ms")[0] == "560058"
    assert numbers(sort="number")[:2] == ["560000", "560001"]
    assert numbers(sort="") == latest
    page = me.get("/reports/attempts", run=run, sort="-wait_pre_ms", agent="SIP/203", status="").text
    assert '<option value="-wait_pre_ms" selected>' in page
    for word, value in (("agent", "SIP/203"), ("status", "")):
        assert f'<input type="hidden" name="{word}" value="{value}">' in page, "what was found stays found by"
    assert numbers(sort="nonsense", page="x") == sorted(numbers(sort="wombatid"))
    assert "There are no more" in me.get("/reports/attempts", run=run, page=99).text
    assert "No attempt is like this" in me.get("/reports/attempts", run=run, number="777").text


def test_one_attempt_in_full(visitor: Visitors, database: Database) -> None:
    run = dialled(database, ended=False)
    call = next(one for one in reports.find_attempts(MACHINE, database, [run]).calls if one.number == "560006")
    page = visitor().get(f"/reports/attempts/{call.wombatid}").text
    for text in (
        "560006",
        "RS_BUSY",
        "max attempts 3, retry after 10:00",
        "try 2 to 560006",
        "NOTE",
        "note 6",
        "PJSIP/carrier-00000001",
    ):
        assert text in page
    assert page.count('aria-current="true"') == 1


def test_what_is_found_is_exported(visitor: Visitors, database: Database, run: int) -> None:
    answer = visitor().get("/reports/export", run=run, outcome="RS_BUSY")
    assert (answer.mimetype, "attachment" in answer.headers["Content-Disposition"]) == ("text/csv", True)
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["number"] for row in rows] == [f"56{number:04}" for number in range(1, 60, 5)]
    assert (rows[0]["attempted"], rows[0]["outcome"]) == ("2025-10-09 10:58:20+02:00", "RS_BUSY")
    assert json.loads(rows[0]["input_attributes"]) == {"N": "1"}
    assert len(list(csv.DictReader(io.StringIO(visitor().get("/reports/export", run=run).text)))) == 60


def test_who_may(visitor: Visitors, person: Callable[..., str], database: Database, run: int) -> None:
    hidden = dialled(database, "Hidden", key="VIP", calls=5)
    wombatid = reports.find_attempts(MACHINE, database, [hidden]).calls[0].wombatid
    stranger, watcher = visitor(person("stranger", "LIVE", "LISTS")), visitor(person("watcher", "REPORT"))
    both, holder = visitor(person("both", "REPORT", "LISTS")), visitor(person("holder", "REPORT", "LISTS", "VIP"))
    for path in ("/reports", "/reports/runs", "/reports/attempts", "/reports/export", f"/reports/attempts/{wombatid}"):
        assert stranger.get(path, run=run).status_code == 403, path
        assert holder.get(path, run=hidden).status_code == 200, path
        assert watcher.get(path, run=hidden).status_code == 404, path
    assert "Hidden" not in watcher.get("/reports", **{"from": "2025-01-01"}).text
    assert "Hidden" in holder.get("/reports", **{"from": "2025-01-01"}).text
    assert 'href="/reports"' not in stranger.get("/account").text
    fields = {"run": run, "outcome": "RS_BUSY:", "name": "new", "which": "final", "security_key": ""}
    for who in (stranger, watcher):
        assert who.get("/reports/numbers", run=run).status_code == 403
        assert who.post("/reports/numbers", **fields).status_code == 403
    assert "/reports/numbers" not in watcher.get("/reports/runs", run=run).text
    assert both.post("/reports/numbers", **{**fields, "run": hidden}).status_code == 404
    assert both.client.post("/reports/numbers", data=fields).status_code == 400, "not by our form"
    assert [one.name for one in entities.list_lists(database)] == ["numbers of Hidden", "numbers of Sales"]


def test_numbers_to_a_list(visitor: Visitors, person: Callable[..., str], database: Database, run: int) -> None:
    me = visitor()
    form = me.get("/reports/numbers", run=run).text
    assert 'value="TERMINATED:SALE"' in form
    fields = {
        "run": run,
        "outcome": ["TERMINATED:SALE", "RS_BUSY:"],
        "name": "again",
        "which": "final",
        "security_key": "",
    }
    begun = me.post("/reports/numbers", **fields)
    assert begun.status_code == 303
    job = over(database)
    assert job.state is jobs.JobState.DONE
    assert begun.headers["Location"] == f"/jobs/{job.id}"
    page = me.get(f"/jobs/{job.id}").text
    assert f"<b>{job.result.added}</b> numbers" in page
    assert "data-refresh" not in page
    assert me.get(f"/jobs/{job.id}/part").headers["X-Stop"]
    assert "Numbers to list again" in me.get("/jobs").text
    found = entities.load_list(database, "again")
    assert lists.count_records(database, found.id or 0) == job.result.added > 12
    other = visitor(person("other", "REPORT", "LISTS"))
    for path in (f"/jobs/{job.id}", f"/jobs/{job.id}/part"):
        assert other.get(path).status_code == 404
    assert other.post(f"/jobs/{job.id}/cancel").status_code == 404


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "it needs a name"),
        ({"name": "numbers of Sales"}, "there is one of that name already"),
        ({"outcome": []}, "choose at least one outcome"),
        ({"which": "nonsense"}, "Not a valid choice"),
        ({"security_key": "VIP"}, "Not a valid choice"),
    ],
)
def test_what_is_filled_in_wrong_is_said_and_kept(
    visitor: Visitors, database: Database, run: int, changes: dict[str, Any], words: str
) -> None:
    fields = {"run": run, "outcome": ["RS_BUSY:"], "name": "again", "which": "final", "security_key": "", **changes}
    answer = visitor().post("/reports/numbers", **fields)
    assert answer.status_code in (400, 409)
    assert words in answer.text
    assert ('value="RS_BUSY:" checked' in answer.text) is bool(fields["outcome"])
    assert [one.name for one in entities.list_lists(database)] == ["numbers of Sales"]


def test_a_hidden_campaigns_numbers_get_its_key(visitor: Visitors, database: Database) -> None:
    run = dialled(database, "Hidden", key="VIP")
    me = visitor()
    assert '<option selected value="VIP">' in me.get("/reports/numbers", run=run).text
    me.post("/reports/numbers", run=run, outcome="RS_BUSY:", name="again", which="any", security_key="VIP")
    assert over(database).state is jobs.JobState.DONE
    assert entities.load_list(database, "again").security_key == "VIP"


def test_from_a_search_to_a_list(desk: Callable[..., Desk], database: Database, run: int, tmp_path: Path) -> None:
    """Search, choose two runs, see what the command would say, export, copy numbers to a list, look at the job."""
    other = dialled(database, "Other", calls=12)
    me = desk()
    page = me.go("/reports")
    page.get_by_label("Started from").fill("2025-10-09T00:00")
    page.get_by_role("button", name="Search").click()
    for name in ("Sales", "Other"):
        page.get_by_role("checkbox", name=name).check()
    page.get_by_role("button", name="Report on the chosen runs").click()
    assert f"run={run}" in page.url
    assert f"run={other}" in page.url
    tile = page.locator(".tile", has_text="Calls").first
    assert "72" in tile.inner_text()
    figures = reports.statistics(MACHINE, database, [run, other])
    shown = page.locator("section", has=page.get_by_role("heading", name="Outcomes")).locator("tbody tr").all()
    rows = [[cell.inner_text() for cell in row.locator("th, td").all()] for row in shown]
    assert rows == [
        [part.outcome, part.extended_status or "–", str(part.calls), f"{part.share * 100:.1f} %"]
        for part in figures.outcomes
    ]
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    file = tmp_path / "attempts.csv"
    download.value.save_as(file)
    assert len(list(csv.DictReader(file.open()))) == 72
    page.get_by_role("link", name="Numbers to a list").click()
    page.get_by_role("checkbox", name="RS_BUSY").check()
    page.get_by_label("Name of the new list").fill("do not call")
    page.get_by_role("button", name="Make the list").click()
    page.get_by_text("Done.").wait_for()
    assert "numbers of" in page.inner_text("main")
    found = entities.load_list(database, "do not call")
    assert lists.count_records(database, found.id or 0) == over(database).result.added
    page.get_by_role("link", name="All your jobs").click()
    assert "Numbers to list do not call" in page.inner_text("main")


def test_a_job_is_followed_and_called_off(
    desk: Callable[..., Desk], database: Database, run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page shows how far it is, survives a reload, and stops it."""
    go_on, append = threading.Event(), lists.append
    monkeypatch.setattr(lists, "BATCH", 5)
    seen: list[int] = []

    def held(*args: Any, **options: Any) -> int:
        seen.append(1)
        if len(seen) > 2:
            assert go_on.wait(60)
        return append(*args, **options)

    monkeypatch.setattr(lists, "append", held)
    me = desk()
    page = me.go(f"/reports/numbers?run={run}")
    page.get_by_role("checkbox", name="RS_NOANSWER").check()
    page.get_by_role("checkbox", name="RS_REJECTED").check()
    page.get_by_label("Name of the new list").fill("again")
    page.get_by_role("button", name="Make the list").click()
    page.get_by_text("10 of 24").wait_for()
    page.reload()
    page.get_by_text("10 of 24").wait_for()
    every = page.context.new_page()
    every.goto(f"{me.address}/jobs")
    every.get_by_text("RUNNING").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Yes").click()
    page.get_by_text("stopping").wait_for()
    go_on.set()
    page.get_by_text("Cancelled.").wait_for()
    every.get_by_text("CANCELLED").wait_for()
    assert [one.name for one in entities.list_lists(database)] == ["numbers of Sales"]
    assert CallList(None, "again") not in entities.list_lists(database)
