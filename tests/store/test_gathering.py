"""Numbers of past attempts onto a new list: which, each once, under which name, and nothing half done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.store.builders import BY, add_campaign, add_list, result_of
from tests.store.conftest import NOW
from tests.store.test_claims import start, take
from wombat_ari.model.entities import CallList
from wombat_ari.model.errors import UserError
from wombat_ari.model.reports import Wanted
from wombat_ari.model.states import Outcome, RunState
from wombat_ari.store import entities, gathering, journal, lists, runs
from wombat_ari.store.database import Database

BUSY, DONE, SALE, NO = ("RS_BUSY", ""), ("TERMINATED", ""), ("TERMINATED", "SALE"), ("RS_NOANSWER", "")


@pytest.fixture
def run(database: Database) -> int:
    """11 sold and, on the list again, answered, 12 answered, 13 busy and waiting, 14 busy for good, 15 busy and then
    answered, 16 no answer."""
    numbers = add_list(database, "numbers", ["11", "12", "13", "14", "15", "16", "11"])
    run = start(database, add_campaign(database, normal=[numbers]).id)
    one, two, three, four, five, six, again = take(database, run).claims
    journal.write(database, [
        replace(result_of(one, Outcome.TERMINATED), extended_status="SALE"), result_of(two, Outcome.TERMINATED),
        result_of(three, retry_in_s=900), result_of(four), result_of(five, retry_in_s=10),
        result_of(six, Outcome.RS_NOANSWER), result_of(again, Outcome.TERMINATED),
    ])  # fmt: skip
    (retry,) = take(database, run, now=NOW + 60).claims
    journal.write(database, [result_of(retry, Outcome.TERMINATED)])
    return run


def gathered(database: Database, run_ids: list[int], *outcomes: tuple[str, str], final: bool = True) -> list[str]:
    wanted, name = Wanted(frozenset(outcomes), final=final), f"new {NOW}"
    filled = gathering.begin(database, CallList(None, name), by=BY, now=NOW)
    assert (filled.name, filled.hidden) == (f"{name} (unfinished)", True)
    heard: list[int] = []
    found = gathering.fill(database, filled.id or 0, run_ids, wanted=wanted, by=BY, now=NOW, heard=heard.append)
    whole = gathering.finish(database, filled.id or 0, CallList(None, name), by=BY, now=NOW)
    assert (whole.id, whole.name, whole.hidden) == (filled.id, name, False)
    assert found.read == gathering.count(database, run_ids, wanted)
    assert heard[-1:] == [found.read][: bool(found.read)]
    records = lists.page_of_records(database, whole.id or 0)
    assert found.added == len(records) == lists.count_records(database, whole.id or 0)
    gathering.discard(database, whole.id or 0, by=BY, now=NOW)
    return [record.number for record in records]


def test_numbers_whose_record_ended_so(database: Database, run: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "_PAGE", 2)
    assert gathered(database, [run], BUSY) == ["14"]
    assert gathered(database, [run], DONE) == ["12", "11", "15"]
    assert gathered(database, [run], DONE, SALE) == ["11", "12", "15"], "each once"
    assert gathered(database, [run], SALE, NO) == ["11", "16"]
    assert gathered(database, [run], BUSY, final=False) == ["13", "14", "15"]
    assert gathered(database, [run], ("RS_FAX", "")) == []
    assert gathered(database, [run]) == []
    assert gathered(database, [], BUSY) == []


def test_a_run_that_is_over_leaves_nothing_to_wait_for(database: Database, run: int) -> None:
    runs.set_run_state(database, run, state=RunState.REMOVED, now=NOW + 100)
    assert gathered(database, [run], BUSY) == ["13", "14"], "15 was answered after it was busy"


def test_numbers_of_several_runs_with_their_attributes(database: Database, run: int) -> None:
    other = start(database, add_campaign(database, "Other", normal=[add_list(database, "more", ["21", "12"])]).id)
    journal.write(database, [result_of(claim, Outcome.TERMINATED) for claim in take(database, other).claims])
    filled = gathering.begin(database, CallList(None, "new", security_key="VIP"), by=BY, now=NOW)
    wanted = Wanted(frozenset({DONE}))
    gathering.fill(database, filled.id or 0, [run, other], wanted=wanted, by=BY, now=NOW, heard=lambda read: None)
    records = lists.page_of_records(database, filled.id or 0)
    assert [(one.number, one.input_attributes) for one in records] == [
        ("12", {"N": "1"}), ("11", {"N": "6"}), ("15", {"N": "4"}), ("21", {"N": "0"}),
    ]  # fmt: skip
    assert entities.load_list(database, "new (unfinished)").security_key == "VIP"


def test_a_name_that_is_taken(database: Database, run: int) -> None:
    with pytest.raises(UserError, match="list numbers: there is one of that name"):
        gathering.begin(database, CallList(None, "numbers"), by=BY, now=NOW)
    filled = gathering.begin(database, CallList(None, "new"), by=BY, now=NOW)
    with pytest.raises(UserError, match=r"list new \(unfinished\): an export to this name is under way") as refusal:
        gathering.begin(database, CallList(None, "new"), by=BY, now=NOW)
    assert refusal.value.code == "name_taken"
    add_list(database, "new")
    with pytest.raises(UserError, match="list new: there is one of that name"):
        gathering.finish(database, filled.id or 0, CallList(None, "new"), by=BY, now=NOW)
    with pytest.raises(UserError):
        gathering.begin(database, CallList(None, "x" * 81), by=BY, now=NOW)


def test_what_is_broken_off_has_a_name_that_says_so(
    database: Database, run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "BATCH", 2)
    monkeypatch.setattr(gathering, "_PAGE", 2)
    filled = gathering.begin(database, CallList(None, "new"), by=BY, now=NOW)

    def stop(read: int) -> None:
        raise KeyboardInterrupt

    wanted = Wanted(frozenset({DONE, SALE, BUSY}))
    with pytest.raises(KeyboardInterrupt):
        gathering.fill(database, filled.id or 0, [run], wanted=wanted, by=BY, now=NOW, heard=stop)
    names = [one.name for one in entities.list_lists(database)]
    assert names == ["new (unfinished)", "numbers"]
    assert lists.count_records(database, filled.id or 0) == 2
    gathering.discard(database, filled.id or 0, by=BY, now=NOW)
    assert [one.name for one in entities.list_lists(database)] == ["numbers"]
    with database.transaction(write=False) as tx:
        assert tx.value("SELECT COUNT(*) FROM record WHERE list_id = %s", (filled.id,)) == 0


def test_a_list_that_somebody_uses_is_not_taken_away(database: Database, run: int) -> None:
    filled = gathering.begin(database, CallList(None, "new"), by=BY, now=NOW)
    gathering.fill(
        database, filled.id or 0, [run], wanted=Wanted(frozenset({SALE})), by=BY, now=NOW, heard=lambda read: None
    )
    add_campaign(database, "Other", black=[filled.id or 0])
    with pytest.raises(UserError, match="it is used by campaign Other"):
        gathering.discard(database, filled.id or 0, by=BY, now=NOW)
    assert lists.count_records(database, filled.id or 0) == 1


@pytest.mark.parametrize("name", ["Leads", "n" * 67, "n" * 68, "é" * 80])
def test_the_name_of_before(name: str) -> None:
    found = gathering.unfinished(name)
    assert len(found) <= 80
    assert found.endswith(" (unfinished)")
    assert found.startswith(name[:50])
    assert gathering.unfinished(name[:-1] + "x") != found
