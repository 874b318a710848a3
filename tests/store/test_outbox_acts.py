"""Errands that change our own database: done once, with the deletion of their row."""

from __future__ import annotations

import pytest

from tests.store.builders import add_campaign, add_list
from tests.store.conftest import NOW
from tests.store.test_claims import start, take
from wombat_ari.core.disposition import HOPS, MAX_HOPS
from wombat_ari.model.errands import DONE, Errand, ErrandKind, OutboxRow
from wombat_ari.model.errors import StoreError
from wombat_ari.model.states import RunState
from wombat_ari.store import entities, lists, outbox, outbox_acts, runs
from wombat_ari.store.database import Database
from wombat_ari.store.ledger import check_ledger


def add(db: Database, kind: ErrandKind, **payload: object) -> OutboxRow:
    with db.transaction() as tx:
        outbox.add(tx, [Errand(kind, "somebody", payload, NOW, NOW)])
    return outbox.due(db, now=NOW).rows[-1]


def perform(db: Database, *rows: OutboxRow) -> list[str]:
    return [receipt.error for receipt in outbox_acts.perform(db, rows, now=NOW)]


def waiting(db: Database) -> int:
    return len(outbox.listing(db))


def numbers(db: Database, name: str) -> list[str]:
    return [record.number for record in lists.page_of_records(db, entities.load_list(db, name).id or 0)]


def test_a_record_goes_onto_a_list_which_is_made(database: Database) -> None:
    row = add(database, ErrandKind.ADD_LIST, list=" later ", number="5551", attributes={"A": "é,1", HOPS: "1"})
    assert perform(database, row) == [""]
    stored = entities.load_list(database, "later")
    (record,) = lists.page_of_records(database, stored.id or 0)
    assert (record.number, record.input_attributes) == ("5551", {"A": "é,1", HOPS: "1"})
    assert lists.count_records(database, stored.id or 0) == 1
    assert waiting(database) == 0
    assert perform(database, row) == [""], "its row is gone, so it was done"
    assert numbers(database, "later") == ["5551"]


def test_a_number_goes_onto_a_black_list_once(database: Database) -> None:
    black = add_list(database, "never", ["5552"])
    rows = [add(database, ErrandKind.BLACK_LIST, list="never", number=n) for n in ("5551", "5552", "5551")]
    assert perform(database, *rows) == ["", "", ""]
    assert numbers(database, "never") == ["5552", "5551"]
    assert lists.count_records(database, black) == 2


def test_a_record_is_handed_to_the_live_run_of_a_campaign(database: Database) -> None:
    row = add(database, ErrandKind.RESCHEDULE, campaign="Other", number="5551", attributes={"A": "1", HOPS: "1"})
    why = "campaign 'Other' has no live run that could take the record"
    assert perform(database, row) == [why], "there is none of that name"
    campaign = add_campaign(database, "Other", normal=[add_list(database, "first", ["1"])])
    assert perform(database, row) == [why], "it does not run"
    run = start(database, campaign.id)
    assert perform(database, row) == [""]
    assert perform(database, row) == [""]
    first, handed = take(database, run).claims
    assert (first.number, handed.number, handed.list_name) == ("1", "5551", "Other/AUTO")
    assert handed.input_attributes == {"A": "1", HOPS: "1"}
    check_ledger(database, run)
    runs.set_run_state(database, run, state=RunState.COMPLETED, now=NOW + 1)
    assert perform(database, add(database, ErrandKind.RESCHEDULE, campaign="Other", number="2", attributes={})) == [why]
    assert waiting(database) == 1


def test_one_that_cannot_be_done_keeps_no_other(database: Database) -> None:
    rows = [
        add(database, ErrandKind.ADD_LIST, list="later", number=number, attributes={"1": "x"} if bad else {})
        for number, bad in (("1", False), ("2", True), ("3", False))
    ]
    receipts = outbox_acts.perform(database, rows, now=NOW)
    assert [receipt.hopeless for receipt in receipts] == [False, True, False]
    assert "attribute name" in receipts[1].error
    assert numbers(database, "later") == ["1", "3"]
    assert [row.id for row in outbox.listing(database)] == [rows[1].id]


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ({"list": "x" * 81, "number": "1", "attributes": {}}, "80 are allowed"),
        ({"list": " ", "number": "1", "attributes": {}}, "must not be empty"),
        ({"list": "l", "number": "1", "attributes": {HOPS: str(MAX_HOPS + 1)}}, "handed on 10 times"),
    ],
)
def test_what_never_can_be_done_is_said_to_be_hopeless(
    database: Database, payload: dict[str, object], why: str
) -> None:
    (receipt,) = outbox_acts.perform(database, [add(database, ErrandKind.ADD_LIST, **payload)], now=NOW)
    assert receipt.hopeless
    assert why in receipt.error
    assert entities.list_lists(database) == []


def test_a_crash_before_the_commit_leaves_all_as_it_was(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record is on the list when the row cannot be deleted: both come to nothing, and then both are done."""
    run = start(database, add_campaign(database, "Other").id)
    rows = [
        add(database, ErrandKind.ADD_LIST, list="later", number="1", attributes={}),
        add(database, ErrandKind.RESCHEDULE, campaign="Other", number="2", attributes={}),
    ]
    handed_on = outbox_acts.calls.add_within

    def cut(*args: object, **values: object) -> object:
        handed_on(*args, **values)  # type: ignore[arg-type]
        raise StoreError("the connection is gone", transient=True)

    with monkeypatch.context() as patch:
        patch.setattr(outbox_acts.calls, "add_within", cut)
        with pytest.raises(StoreError):
            outbox_acts.perform(database, rows, now=NOW)
    assert waiting(database) == 2
    assert entities.list_lists(database) == []
    assert outbox_acts.perform(database, rows, now=NOW) == [DONE, DONE]
    assert [claim.number for claim in take(database, run).claims] == ["2"]
    assert numbers(database, "later") == ["1"]
    check_ledger(database, run)
