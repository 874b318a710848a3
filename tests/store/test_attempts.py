"""Attempts of runs: found, sorted, page by page; runs that were started in a period."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.store.builders import add_campaign, add_list, result_of
from tests.store.conftest import NOW
from tests.store.test_claims import start, take
from wombat_ari.model.reports import AttemptFilter, AttemptOrder
from wombat_ari.model.states import Outcome
from wombat_ari.store import attempts, journal, runs
from wombat_ari.store.database import Database


@pytest.fixture
def run(database: Database) -> int:
    """11 to 14, and 15 on a black list: talks of 3, 0, 1, 0 s; 14 is not dialled by the trunk of the others."""
    numbers = add_list(database, "numbers", ["11", "12", "13", "14", "15"])
    black = add_list(database, "black", ["15"])
    run = start(database, add_campaign(database, normal=[numbers], black=[black]).id)
    claims = take(database, run).claims
    results = [
        replace(result_of(claims[0], Outcome.TERMINATED), talk_ms=3000, extended_status="SALE", agent="SIP/1"),
        replace(result_of(claims[1]), end_point_name="e2"),
        replace(result_of(claims[2], Outcome.TERMINATED), talk_ms=1000, wait_after_ms=9000),
        replace(result_of(claims[3], Outcome.RS_NOANSWER), trunk_name="other", attempted_at=NOW - 50),
    ]
    journal.write(database, results)
    return run


def numbers(database: Database, run: int, where: AttemptFilter = attempts.ALL, **options: object) -> list[str]:
    found = [call.number for call in attempts.page(database, [run], where, **options)]  # type: ignore[arg-type]
    if not options:
        assert attempts.count(database, [run], where) == len(found)
        assert [call.number for call in attempts.stream(database, [run], where)] == found
    return found


def test_found_by_what_is_known_of_them(database: Database, run: int) -> None:
    assert numbers(database, run) == ["11", "12", "13", "14", "15"]
    assert numbers(database, run, AttemptFilter(number="3")) == ["13"]
    assert numbers(database, run, AttemptFilter(outcome="TERMINATED")) == ["11", "13"]
    assert numbers(database, run, AttemptFilter(outcome="TERMINATED", extended_status="")) == ["13"]
    assert numbers(database, run, AttemptFilter(extended_status="SALE")) == ["11"]
    assert numbers(database, run, AttemptFilter(agent="SIP/1")) == ["11"]
    assert numbers(database, run, AttemptFilter(trunk_name="other")) == ["14"]
    assert numbers(database, run, AttemptFilter(end_point_name="e2", number="1")) == ["12"]
    for special in ("%", "_", "!", "'", "\\"):
        assert numbers(database, run, AttemptFilter(number=special)) == []
        assert numbers(database, run, AttemptFilter(agent=special)) == []


def test_sorted_and_page_by_page(database: Database, run: int) -> None:
    assert numbers(database, run, order=AttemptOrder.TALK, descending=True) == ["11", "13", "15", "14", "12"]
    assert numbers(database, run, order=AttemptOrder.TALK) == ["12", "14", "15", "13", "11"]
    assert numbers(database, run, order=AttemptOrder.NUMBER, descending=True, limit=2) == ["15", "14"]
    assert numbers(database, run, order=AttemptOrder.NUMBER, descending=True, limit=2, skip=4) == ["11"]
    assert numbers(database, run, order=AttemptOrder.WAIT_AFTER, descending=True, limit=1) == ["13"]
    assert numbers(database, run, order=AttemptOrder.ATTEMPTED, limit=1) == ["14"]
    assert numbers(database, run, skip=5) == []
    for order in AttemptOrder:
        assert len(numbers(database, run, order=order)) == 5


def test_runs_of_campaigns_in_a_period(database: Database, run: int) -> None:
    first = runs.run(database, run)
    other = start(database, add_campaign(database, "Other").id)
    second = runs.run(database, other)
    ids = [first.campaign_id, second.campaign_id]
    assert [one.id for one in runs.search(database, ids)] == [other, run]
    assert [one.id for one in runs.search(database, ids, limit=1)] == [other]
    assert [one.id for one in runs.search(database, ids[:1])] == [run]
    assert runs.search(database, []) == runs.search(database, ids, to_at=NOW) == []
    assert len(runs.search(database, ids, from_at=NOW, to_at=NOW + 1)) == 2
    assert [one.id for one in runs.some(database, [other, run, 4711])] == [run, other]
    assert runs.some(database, []) == []
