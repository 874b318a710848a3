"""The outbox: what is due, in order; what fails comes later; what is given up is parked; nothing is lost on the way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.store.builders import add_campaign, add_list, result_of
from tests.store.conftest import NOW
from wombat_ari.core.errands import errands_of
from wombat_ari.model.calls import Amendment
from wombat_ari.model.errands import Errand, ErrandKind, ErrandState, OutboxRow, ReceiverCount, Undone
from wombat_ari.model.errors import UserError
from wombat_ari.model.secret import Secret
from wombat_ari.model.states import Outcome
from wombat_ari.store import campaigns, claims, journal, outbox, runs
from wombat_ari.store.database import Database, open_database
from wombat_ari.store.migrations import migrate


def errand(receiver: str = "a", sequence: str = "", **values: Any) -> Errand:
    given = {"created_at": NOW, "due_at": NOW, "kind": ErrandKind.NOTIFY, "payload": {"url": "http://a/"}, **values}
    return Errand(receiver=receiver, sequence=sequence, **given)


def put(db: Database, *errands: Errand) -> None:
    with db.transaction() as tx:
        outbox.add(tx, errands)


def due(db: Database, at: float = NOW, **options: Any) -> list[tuple[str, str]]:
    return [(row.errand.receiver, row.errand.sequence) for row in outbox.due(db, now=at, **options).rows]


def rows(db: Database, at: float = NOW, **options: Any) -> Sequence[OutboxRow]:
    return outbox.due(db, now=at, **options).rows


def undone(row: OutboxRow, at: float, *, parked: bool = False) -> Undone:
    return Undone(row.id, row.errand.sequence, at, row.tries + 1, "no answer", parked)


def test_a_row_comes_back_as_it_was_put(database: Database) -> None:
    given = errand("crm", "1/2", payload={"url": "http://x/", "fields": {"num": "1", "I_N": "é 日本"}}, wombatid=2**52)
    put(database, given)
    (row,) = rows(database)
    assert row.errand == given
    assert (row.state, row.tries, row.error, row.first_due_at) == (ErrandState.WAITING, 0, "", NOW)


def test_of_each_sequence_only_the_first_and_of_each_receiver_so_many(database: Database) -> None:
    put(database, errand("a", "1"), errand("a", "1"), errand("a", "2"), errand("b"), errand("b"), errand("b"))
    assert due(database) == [("a", "1"), ("a", "2"), ("b", ""), ("b", ""), ("b", "")]
    assert due(database, limit=1) == [("a", "1"), ("b", "")]
    assert due(database, held=["a"], limit=2) == [("b", ""), ("b", "")]
    first = rows(database)[0]
    assert outbox.settle(database, done=[first], undone=[]) is True
    assert [row.id for row in rows(database, held=["b"])] == [first.id + 1, first.id + 2]
    last = rows(database)[0]
    assert outbox.settle(database, done=[last], undone=[]) is False


def test_not_before_it_is_due_and_when_that_is(database: Database) -> None:
    put(database, errand("a", due_at=NOW + 60), errand("b", due_at=NOW + 30))
    found = outbox.due(database, now=NOW)
    assert (found.rows, found.next_at) == ((), NOW + 30)
    assert due(database, NOW + 45) == [("b", "")]
    assert outbox.due(database, now=NOW + 45).next_at == NOW + 60


def test_what_stands_behind_a_failure_waits_with_it(database: Database) -> None:
    put(database, errand("a", "1"), errand("a", "1"), errand("a", "2"))
    first = rows(database)[0]
    outbox.settle(database, done=[], undone=[undone(first, NOW + 10)])
    assert due(database, NOW + 9) == [("a", "2")]
    again = rows(database, NOW + 10)
    assert [(row.id, row.tries, row.error) for row in again] == [(first.id + 2, 0, ""), (first.id, 1, "no answer")]
    put(database, errand("a", "1"))  # comes later: behind it all the same
    assert [row.id for row in rows(database, NOW + 1000)] == [first.id + 2, first.id]


def test_what_is_parked_stands_in_nobodys_way_and_can_be_replayed(database: Database) -> None:
    put(database, errand("a", "1"), errand("a", "1", due_at=NOW + 5), errand("b"))
    first, other = rows(database)
    outbox.settle(database, done=[], undone=[undone(first, NOW, parked=True), undone(other, NOW, parked=True)])
    assert due(database, NOW + 5) == [("a", "1")]
    assert outbox.counts(database) == [ReceiverCount("a", 1, 1), ReceiverCount("b", 0, 1)]
    (shown, _) = outbox.listing(database, parked=True)
    assert (shown.id, shown.state, shown.tries, shown.error) == (first.id, ErrandState.PARKED, 1, "no answer")
    before = first.message_id
    assert outbox.replay(database, now=NOW + 100, row_id=first.id) == 1
    again = rows(database, NOW + 100)[0]
    assert (again.id, again.tries, again.first_due_at, again.message_id) == (first.id, 0, NOW + 100, before)
    with pytest.raises(UserError, match="no errand 999"):
        outbox.replay(database, now=NOW, row_id=999)


def test_replaying_a_receiver_draws_what_was_put_off_to_now_and_nothing_else(database: Database) -> None:
    put(
        database, *(errand("a", str(n)) for n in range(3)), errand("a", "2"), errand("a", due_at=NOW + 900), errand("b")
    )
    first, second, third, other = rows(database)
    failed = [
        undone(first, NOW, parked=True),
        undone(second, NOW + 500),
        undone(third, NOW + 600),
        undone(other, NOW + 9),
    ]
    outbox.settle(database, done=[], undone=failed)
    assert outbox.replay(database, now=NOW + 1, receiver="a") == 4  # with the one that waits behind the third
    assert due(database, NOW + 1) == [("a", "0"), ("a", "1"), ("a", "2")]
    assert outbox.due(database, now=NOW + 1).next_at == NOW + 9
    assert outbox.replay(database, now=NOW + 1) == 1
    assert ("a", "") in due(database, NOW + 900)


def test_dropping(database: Database) -> None:
    put(database, *(errand("a") for _ in range(4)), errand("b"))
    a, b, c, _, other = rows(database)
    parked = [undone(a, NOW - 100, parked=True), undone(b, NOW + 100, parked=True), undone(other, NOW, parked=True)]
    outbox.settle(database, done=[], undone=parked)
    assert outbox.drop(database, receiver="a", before=NOW) == 1
    assert outbox.drop(database, row_id=c.id) == 1
    assert outbox.drop(database, receiver="a") == 1
    assert outbox.drop(database, receiver="a") == 0
    assert outbox.drop(database, receiver="a", waiting=True) == 1
    assert outbox.counts(database) == [ReceiverCount("b", 0, 1)]
    assert outbox.drop(database) == 1
    with pytest.raises(UserError, match="no errand 1"):
        outbox.drop(database, row_id=a.id)


def test_giving_up_takes_the_old_ones_of_one_receiver(database: Database) -> None:
    put(database, *(errand("a", due_at=NOW - day * 86400) for day in (3, 2, 0)), errand("b", due_at=NOW - 90000))
    assert outbox.give_up(database, "a", before=NOW - 86400, error="dead", now=NOW) == 2
    assert outbox.give_up(database, "a", before=NOW - 86400, error="dead", now=NOW) == 0
    assert outbox.counts(database) == [ReceiverCount("a", 1, 2), ReceiverCount("b", 1, 0)]
    assert {row.error for row in outbox.listing(database, parked=True)} == {"dead"}


def test_the_secret_is_looked_up_and_never_stored_with_it(database: Database) -> None:
    campaign = add_campaign(database, normal=[add_list(database, "people", ["1"])])
    campaign = replace(campaign, notify_secret=Secret("open sesame"), http_notify_url="https://crm/")
    campaign = campaigns.save_campaign(database, campaign, by="test", now=NOW)
    put(database, errand(campaign_id=campaign.id), errand(campaign_id=campaign.id, kind=ErrandKind.HTTP_GET), errand())
    signed, get, other = rows(database)
    assert signed.secret.reveal() == "open sesame"
    assert not get.secret
    assert not other.secret
    with database.transaction(write=False) as tx:
        assert "sesame" not in json.dumps([list(map(str, row)) for row in tx.rows("SELECT * FROM outbox")])


def test_results_changes_and_black_lists_bring_theirs_in_one_transaction(database: Database) -> None:
    people = add_list(database, "people", ["1", "2", "3"])
    black = add_list(database, "black", ["2"])
    campaign = replace(add_campaign(database, normal=[people], black=[black]), http_notify_url="https://crm.example/x")
    run = runs.start_run(database, campaign.id or 0, now=NOW, by="test")
    batch = claims.take(database, run.id, fresh=5, retries=5, now=NOW, campaign=campaign)
    (told,) = rows(database)
    assert told.errand.payload["fields"]["state"] == Outcome.RS_BLACKLIST  # type: ignore[index]
    assert told.errand.payload["fields"]["num"] == "2"  # type: ignore[index]
    results = [result_of(claim, retry_in_s=60) for claim in batch.claims]
    results = [replace(each, errands=errands_of(each, campaign, run_name=run.name, now=NOW)) for each in results]
    late = Amendment(batch.claims[0].wombatid, "7", {}, errands_of(results[0], campaign, run_name=run.name, now=NOW))
    for _ in range(2):  # a batch whose commit was uncertain comes again
        journal.write(database, [*results, late])
    with database.transaction(write=False) as tx:
        kept = tx.rows("SELECT wombatid, sequence FROM outbox ORDER BY id")
    first, second = batch.claims
    sequences = [f"{run.id}/{claim.record_id}" for claim in (first, second, first)]
    assert [row[1] for row in kept[1:]] == sequences
    assert [row[0] for row in kept[1:]] == [first.wombatid, second.wombatid, first.wombatid]


def test_a_million_rows_for_a_dead_receiver_cost_the_others_nothing(tmp_path: Path) -> None:
    """By the plan of the questions: each is a seek in an index, nothing is scanned or sorted. (MariaDB is told by FORCE
    INDEX; what it tells of its plan depends on statistics.)
    """
    database = open_database(f"sqlite:///{tmp_path / 'plan.db'}")
    migrate(database, now=NOW)
    with database.transaction(write=False) as tx:
        for sql, params in _questions(tx):
            plan = " | ".join(str(row[3]) for row in tx.rows(f"EXPLAIN QUERY PLAN {sql}", params))
            assert "SEARCH" in plan
            assert "SCAN" not in plan
            assert "TEMP B-TREE" not in plan
    database.close()


def _questions(tx: Any) -> list[tuple[str, Any]]:
    """What a look asks, caught on its way."""
    caught: list[tuple[str, Any]] = []

    class Spy:
        by_index = staticmethod(tx.by_index)

        def rows(self, sql: str, params: Any = ()) -> list[Any]:
            caught.append((sql, params))
            return []

        def value(self, sql: str, params: Any = ()) -> Any:
            caught.append((sql, params))
            return None

    outbox._receivers(Spy(), "WAITING")  # type: ignore[arg-type]
    outbox._due(Spy(), "a", now=NOW, limit=10)  # type: ignore[arg-type]
    outbox._next_due(Spy(), "a", now=NOW)  # type: ignore[arg-type]
    return caught
