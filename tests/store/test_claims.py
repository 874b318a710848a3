"""Records into the hopper: order, black lists, retries, marks, releases."""

from __future__ import annotations

import pytest

from tests.store.builders import BY, add_campaign, add_list, add_records, result_of
from tests.store.conftest import NOW
from wombat_ari.model.calls import ClaimBatch, DialMark
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.ids import MAX_SERIES, MAX_WOMBATID, SERIES, series_of
from wombat_ari.model.states import CallState, Outcome, RunState
from wombat_ari.store import claims, harvest, journal, runs
from wombat_ari.store.database import Database
from wombat_ari.store.ledger import check_ledger


def take(db: Database, run_id: int, limit: int = 10, *, now: float = NOW) -> ClaimBatch:
    return claims.take(db, run_id, fresh=limit, retries=limit, now=now)


def start(db: Database, campaign_id: int | None) -> int:
    assert campaign_id is not None
    return runs.start_run(db, campaign_id, now=NOW, by=BY).id


def test_records_come_in_the_order_of_the_lists(database: Database) -> None:
    second, first = add_list(database, "b", ["21", "22"]), add_list(database, "a", ["11", "12", "13"])
    run = start(database, add_campaign(database, normal=[first, second]).id)

    one, two, three = (take(database, run, 2) for _ in range(3))

    assert [c.number for c in one.claims + two.claims + three.claims] == ["11", "12", "13", "21", "22"]
    assert [b.exhausted for b in (one, two, three)] == [False, False, True]
    assert [c.input_attributes for c in two.claims] == [{"N": "2"}, {"N": "0"}]
    assert {(c.attempt, c.list_name) for c in one.claims} == {(1, "a")}
    progress = runs.run_lists(database, run)
    assert [(line.name, line.taken, line.remaining) for line in progress] == [("a", 3, 0), ("b", 2, 0)]
    assert check_ledger(database, run).taken == 5


def test_ids_are_unique_over_runs_and_grow(database: Database) -> None:
    numbers = add_list(database, "a", ["1", "2", "3"])
    run1 = start(database, add_campaign(database, "one", normal=[numbers]).id)
    run2 = start(database, add_campaign(database, "two", normal=[numbers]).id)
    ids = [c.wombatid for run in (run1, run2, run1) for c in take(database, run, 1).claims]
    assert ids == sorted(set(ids))
    assert len(ids) == 3
    assert 0 < ids[0] < 2**53


def test_ids_are_of_the_series_of_their_database(database: Database) -> None:
    """Drawn once, kept for good: by it a dialer knows its calls on a PBX where another dialer works."""
    run = start(database, add_campaign(database, normal=[add_list(database, "a", ["1", "2"])]).id)
    series = claims.series(database, now=NOW)
    assert 1 <= series <= MAX_SERIES
    ids = [take(database, run, 1, now=NOW + age).claims[0].wombatid for age in (0, 300 * 365 * 86400)]
    assert [series_of(wombatid) for wombatid in (*ids, MAX_SERIES * SERIES + ids[1] % SERIES)] == [
        series, series, MAX_SERIES,
    ]  # fmt: skip
    assert ids[1] % SERIES < SERIES < MAX_WOMBATID
    assert claims.series(database, now=NOW) == series


def test_a_database_from_before_series_draws_one(database: Database) -> None:
    with database.transaction() as tx:
        tx.run("UPDATE id_block SET next_id = %s", (60_000_000_000,))
    assert claims.series(database, now=NOW) == claims.series(database, now=NOW) > 0


def test_a_restored_backup_does_not_give_ids_out_again(database: Database) -> None:
    run = start(database, add_campaign(database, normal=[add_list(database, "a", ["1", "2"])]).id)
    (before,) = take(database, run, 1).claims
    with database.transaction() as tx:
        tx.run("UPDATE id_block SET next_id = %s", (before.wombatid - 1000,))
    (after,) = take(database, run, 1, now=NOW + 60).claims
    assert after.wombatid > before.wombatid


def test_appended_records_are_found_after_the_end(database: Database) -> None:
    numbers = add_list(database, "a", ["1"])
    run = start(database, add_campaign(database, normal=[numbers]).id)
    assert take(database, run).exhausted
    assert take(database, run) == ClaimBatch((), 0, True, None)
    add_records(database, numbers, ["2"])
    assert [c.number for c in take(database, run).claims] == ["2"]


def test_nothing_fresh_wanted_says_nothing_about_the_lists(database: Database) -> None:
    run = start(database, add_campaign(database, normal=[]).id)
    assert claims.take(database, run, fresh=0, retries=5, now=NOW).exhausted is False
    assert claims.take(database, run, fresh=1, retries=0, now=NOW).exhausted is True


def test_paused_lists_are_passed_over(database: Database) -> None:
    first, second = add_list(database, "a", ["1"]), add_list(database, "b", ["2"])
    run = start(database, add_campaign(database, normal=[first, second]).id)
    runs.pause_run_list(database, run, list_id=first, paused=True)
    batch = take(database, run)
    assert [c.number for c in batch.claims] == ["2"]
    assert batch.exhausted
    runs.pause_run_list(database, run, list_id=first, paused=False)
    assert [c.number for c in take(database, run).claims] == ["1"]


def test_black_listed_numbers_are_logged_and_closed(database: Database) -> None:
    numbers = add_list(database, "a", ["1", "2", "3", "4"])
    black1, black2 = add_list(database, "no1", ["2"]), add_list(database, "no2", ["9", "4"])
    add_list(database, "another campaign's", ["3"])
    run = start(database, add_campaign(database, normal=[numbers], black=[black1, black2]).id)

    batch = take(database, run)

    assert [c.number for c in batch.claims] == ["1", "3"]
    assert batch.blacklisted == 2
    counted = check_ledger(database, run)
    assert (counted.taken, counted.closed, counted.attempts, counted.open_attempts) == (4, 2, 2, 2)
    with database.transaction() as tx:
        rows = tx.rows("SELECT number, outcome, attempt, retry_in_s, list_name FROM call_log ORDER BY number")
    assert rows == [("2", "RS_BLACKLIST", 1, 0, "a"), ("4", "RS_BLACKLIST", 1, 0, "a")]


def test_a_black_list_does_not_touch_what_is_loaded(database: Database) -> None:
    numbers, black = add_list(database, "a", ["1", "2"]), add_list(database, "no")
    run = start(database, add_campaign(database, normal=[numbers], black=[black]).id)
    (claim,) = take(database, run, 1).claims
    journal.write(database, [result_of(claim, retry_in_s=10)])
    add_records(database, black, ["1", "2"])
    batch = take(database, run, 1, now=NOW + 20)
    assert [(c.number, c.attempt) for c in batch.claims] == [("1", 2)]
    assert batch.blacklisted == 1


def test_a_wholly_black_list_is_read_in_bounded_steps(database: Database) -> None:
    numbers = [f"5{n:04d}" for n in range(100)]
    plain, black = add_list(database, "a", [*numbers, "7"]), add_list(database, "no", numbers)
    run = start(database, add_campaign(database, normal=[plain], black=[black]).id)
    first = take(database, run, 3)
    assert (first.claims, first.exhausted) == ((), False)
    assert 3 <= first.blacklisted <= 30
    while not (batch := take(database, run, 3)).claims:
        assert not batch.exhausted
    assert [c.number for c in batch.claims] == ["7"]
    assert check_ledger(database, run).closed == 100


def test_the_black_list_check_uses_its_index(database: Database) -> None:
    black = add_list(database, "no", [str(n) for n in range(500)])
    with database.transaction() as tx:
        assert harvest.on_black_list(tx, [black], {"7", "x", "499"}) == {"7", "499"}
        hint = "INDEXED BY record_by_list_id_number" if tx.kind == "sqlite" else ""
        explain = "EXPLAIN QUERY PLAN" if tx.kind == "sqlite" else "EXPLAIN"
        plan = tx.rows(
            f"{explain} SELECT number FROM record {hint} WHERE list_id IN (%s) AND number IN ('7','x')", (black,)
        )
    assert "record_by_list_id_number" in str(plan)


def test_due_retries_go_first_the_oldest_first(database: Database) -> None:
    run = start(database, add_campaign(database, normal=[add_list(database, "a", list("123456"))]).id)
    one, two, three = take(database, run, 3).claims
    journal.write(
        database,
        [result_of(one, retry_in_s=300), result_of(two, retry_in_s=100), result_of(three, retry_in_s=9000)],
    )
    early = claims.take(database, run, fresh=0, retries=5, now=NOW + 50)
    assert (early.claims, early.next_retry_at) == ((), NOW + 100)
    batch = claims.take(database, run, fresh=1, retries=5, now=NOW + 400)
    assert [(c.number, c.attempt, c.retry) for c in batch.claims] == [("2", 2, 1), ("1", 2, 1), ("4", 1, 0)]
    assert batch.next_retry_at == NOW + 9000
    counted = check_ledger(database, run)
    assert (counted.taken, counted.open_attempts, counted.open_retries, counted.rescheduled) == (4, 3, 1, 3)


def test_marked_attempts_are_found_again(database: Database) -> None:
    run = start(database, add_campaign(database, normal=[add_list(database, "a", ["1", "2", "3"])]).id)
    batch = take(database, run).claims
    marks = [DialMark(batch[0].wombatid, 1, 2, 3), DialMark(batch[1].wombatid, 1, 5, 3)]
    claims.mark_requested(database, marks, now=NOW + 5)
    claims.mark_requested(database, marks, now=NOW + 5)  # an ambiguous commit is repeated

    found = claims.open_attempts(database, run)

    assert [a.claim for a in found] == list(batch)
    assert [a.state for a in found] == [CallState.REQUESTED, CallState.REQUESTED, CallState.IN_HOPPER]
    assert [(a.server_id, a.trunk_id, a.end_point_id) for a in found] == [(1, 2, 3), (1, 5, 3), (None, None, None)]
    assert [a.requested_at for a in found] == [NOW + 5, NOW + 5, None]


def test_whose_phone_is_called_first_is_kept_until_it_is_released(database: Database) -> None:
    run = start(database, add_campaign(database, normal=[add_list(database, "a", ["1", "2", "3"])]).id)
    one, two, three = (claim.wombatid for claim in take(database, run).claims)
    place = (1, 2, 3, CallState.RD_AGENTREQ)
    agents_of = {one: ("Ann", "PJSIP/1"), two: ("B" * 99, "P" * 300)}
    marks = [DialMark(wombatid, *place, *agent) for wombatid, agent in agents_of.items()]
    claims.mark_requested(database, [*marks, DialMark(three, 1, 2, 3)], now=NOW)

    def agents() -> list[tuple[str, str]]:
        return [(found.agent, found.agent_interface) for found in claims.open_attempts(database, run)]

    assert agents() == [("Ann", "PJSIP/1"), ("B" * 80, "P" * 255), ("", "")]
    assert claims.open_attempts(database, run)[0].state == CallState.RD_AGENTREQ
    claims.release(database, [one, two])
    assert agents() == [("", "")] * 3


def test_what_is_not_open_cannot_be_marked(database: Database) -> None:
    run = start(database, add_campaign(database, normal=[add_list(database, "a", ["1", "2"])]).id)
    one, two = take(database, run).claims
    journal.write(database, [result_of(two)])
    with pytest.raises(StoreError) as caught:
        claims.mark_requested(database, [DialMark(one.wombatid, 1, 2, 3), DialMark(two.wombatid, 1, 2, 3)], now=NOW)
    assert not caught.value.transient
    assert [a.state for a in claims.open_attempts(database, run)] == [CallState.IN_HOPPER]


def test_released_attempts_are_in_the_hopper_again(database: Database) -> None:
    run = start(database, add_campaign(database, normal=[add_list(database, "a", ["1"])]).id)
    (claim,) = take(database, run).claims
    claims.mark_requested(database, [DialMark(claim.wombatid, 1, 2, 3)], now=NOW)
    claims.release(database, [claim.wombatid, 999])
    (found,) = claims.open_attempts(database, run)
    assert (found.state, found.trunk_id, found.requested_at) == (CallState.IN_HOPPER, None, None)


def test_the_claim_keeps_what_it_was_dialled_with(database: Database) -> None:
    run = start(database, add_campaign(database, normal=[add_list(database, "a", ["1"])]).id)
    (claim,) = take(database, run).claims
    with database.transaction() as tx:
        tx.run("UPDATE record SET number = '99', input_attributes = '{}'")
    (found,) = claims.open_attempts(database, run)
    assert found.claim == claim


def test_an_ended_run_gives_nothing(database: Database) -> None:
    run = start(database, add_campaign(database, normal=[add_list(database, "a", ["1"])]).id)
    runs.set_run_state(database, run, state=RunState.REMOVED, now=NOW)
    assert take(database, run) == ClaimBatch((), 0, True, None)
    with pytest.raises(UserError, match="there is no run 4711"):
        take(database, 4711)


def test_the_answered_are_counted(database: Database) -> None:
    run = start(database, add_campaign(database, normal=[add_list(database, "a", ["1", "2"])]).id)
    one, two = take(database, run).claims
    journal.write(database, [result_of(one, Outcome.TERMINATED), result_of(two)])
    assert check_ledger(database, run).answered == 1
