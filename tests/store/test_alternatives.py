"""Records with several numbers: which one is claimed, what is logged, what the black lists say of each."""

from __future__ import annotations

import pytest

from tests.store.builders import add_campaign, add_list, add_records, result_of
from tests.store.conftest import NOW
from tests.store.test_claims import start, take
from wombat_ari.model.calls import AddedCall, NewCall
from wombat_ari.store import calls, journal, reports
from wombat_ari.store.database import Database
from wombat_ari.store.ledger import check_ledger

THREE = '{"MULTINUM1":"0 2","MULTINUM2":"never!","MULTINUM3":"03","NAME":"x"}'


@pytest.fixture
def black(database: Database) -> int:
    return add_list(database, "no")


@pytest.fixture
def run(database: Database, black: int) -> int:
    """One record with the numbers 01, 02 and 03."""
    numbers = add_list(database, "a", ["01"])
    with database.transaction() as tx:
        tx.run("UPDATE record SET input_attributes = %s WHERE list_id = %s", (THREE, numbers))
    return start(database, add_campaign(database, normal=[numbers], black=[black]).id)


def tries(db: Database, run: int, count: int) -> list[str]:
    """The numbers dialled in so many tries, each busy; a try that brings nothing is empty."""
    found = []
    for n in range(count):
        batch = take(db, run, now=NOW + 100 * n)
        for claim in batch.claims:
            journal.write(db, [result_of(claim, at=NOW + 100 * n, retry_in_s=10)])
        found.append("".join(claim.number for claim in batch.claims))
        check_ledger(db, run)
    return found


def logged(db: Database) -> list[tuple[object, ...]]:
    with db.transaction(write=False) as tx:
        return [tuple(row) for row in tx.rows("SELECT number, attempt, outcome FROM call_log ORDER BY wombatid")]


def test_each_try_goes_to_the_next_number(database: Database, run: int) -> None:
    assert tries(database, run, 5) == ["01", "02", "03", "01", "02"]
    assert [(number, attempt) for number, attempt, _ in logged(database)] == [
        ("01", 1), ("02", 2), ("03", 3), ("01", 4), ("02", 5),
    ]  # fmt: skip


def test_a_black_listed_number_is_passed_over(database: Database, run: int, black: int) -> None:
    add_records(database, black, ["01"])
    assert tries(database, run, 4) == ["02", "03", "02", "03"]


def test_an_alternative_is_asked_about_when_its_turn_comes(database: Database, run: int, black: int) -> None:
    assert tries(database, run, 1) == ["01"]
    add_records(database, black, ["02"])
    assert tries(database, run, 3)[1:] == ["03", "01"]


def test_with_all_numbers_black_listed_the_record_is_closed(database: Database, run: int, black: int) -> None:
    add_records(database, black, ["01", "02", "03"])
    assert take(database, run).blacklisted == 1
    assert logged(database) == [("01", 1, "RS_BLACKLIST")]
    assert check_ledger(database, run).closed == 1


def test_a_retry_whose_numbers_are_black_listed_meanwhile_is_closed(database: Database, run: int, black: int) -> None:
    assert tries(database, run, 1) == ["01"]
    add_records(database, black, ["01", "02", "03"])
    batch = take(database, run, now=NOW + 100)
    assert (batch.claims, batch.blacklisted, batch.due, batch.open_retries) == ((), 1, 0, -1)
    assert logged(database) == [("01", 1, "RS_BUSY"), ("02", 2, "RS_BLACKLIST")]
    counted = check_ledger(database, run)
    assert (counted.closed, counted.open_retries) == (1, 0)


def test_who_looks_at_a_waiting_record_sees_the_number_whose_turn_it_is(database: Database, run: int) -> None:
    assert tries(database, run, 2) == ["01", "02"]
    (waiting,) = reports.waiting_retries(database, run)
    assert (waiting.number, waiting.attempt) == ("03", 3)
    (added,) = calls.add_calls(database, [NewCall(run, "4", {"MULTINUM1": "5"}, NOW + 60)], now=NOW)
    assert isinstance(added, AddedCall)
    found = calls.find_call(database, added.wombatid)
    assert found is not None
    assert (found.state, found.number) == ("WAITING", "4")
