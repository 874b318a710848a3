"""Calls from outside: durable under the WOMBATID that is told, taken once, when they are due."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from tests.store.builders import BY, add_campaign, add_list, add_records, result_of
from tests.store.conftest import NOW
from tests.store.test_append_order import LIMIT_S, through_or_waiting
from tests.store.test_claims import start, take
from wombat_ari.model.calls import AddedCall, Claim, NewCall, RunList
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.states import RunState
from wombat_ari.store import calls, claims, entities, journal, runs, syslog
from wombat_ari.store.database import Database, Row, Transaction
from wombat_ari.store.faults import StoreFault
from wombat_ari.store.ledger import check_ledger


def add(db: Database, run_id: int, *numbers: str, at: float | None = None, now: float = NOW) -> list[int]:
    """Their WOMBATIDs."""
    return ids_of(calls.add_calls(db, [NewCall(run_id, number, {}, at) for number in numbers], now=now))


def ids_of(answers: Sequence[AddedCall | UserError]) -> list[int]:
    assert all(isinstance(answer, AddedCall) for answer in answers), answers
    return [answer.wombatid for answer in answers if isinstance(answer, AddedCall)]


def dialled(found: Sequence[Claim]) -> list[tuple[str, int, int]]:
    return [(claim.number, claim.wombatid, claim.attempt) for claim in found]


@pytest.fixture
def run(database: Database) -> int:
    return start(database, add_campaign(database, normal=[add_list(database, "a", ["1"])]).id)


def test_a_call_is_taken_after_the_lists_under_its_promised_id(database: Database, run: int) -> None:
    (answer,) = calls.add_calls(database, [NewCall(run, "5551", {"NAME": "Zoë"})], now=NOW)
    assert isinstance(answer, AddedCall)
    assert answer.attached == RunList(run, answer.list_id, "Sales/AUTO", 1, False, 0, 0, 0, 0)
    batch = take(database, run)
    assert [claim.number for claim in batch.claims] == ["1", "5551"]
    assert batch.claims[1].wombatid == answer.wombatid
    assert batch.claims[1].wombatid < batch.claims[0].wombatid
    assert batch.claims[1].input_attributes == {"NAME": "Zoë"}
    assert batch.claims[1].list_name == "Sales/AUTO"
    with database.transaction(write=False) as tx:
        assert tx.rows("SELECT wombatid FROM record ORDER BY id") == [(None,), (None,)]
    assert check_ledger(database, run).taken == 2


def test_a_later_one_finds_the_list_there(database: Database, run: int) -> None:
    one = add(database, run, "2", "3")
    (answer,) = calls.add_calls(database, [NewCall(run, "4")], now=NOW)
    assert isinstance(answer, AddedCall)
    assert answer.attached is None
    assert [line.name for line in runs.run_lists(database, run)] == ["a", "Sales/AUTO"]
    assert dialled(take(database, run).claims[1:]) == [
        ("2", one[0], 1), ("3", one[1], 1), ("4", answer.wombatid, 1),
    ]  # fmt: skip
    assert len({*one, answer.wombatid}) == 3


def test_what_another_run_dialled_is_not_dialled_again(database: Database) -> None:
    campaign = add_campaign(database).id
    first = start(database, campaign)
    add(database, first, "2")
    assert [claim.number for claim in take(database, first).claims] == ["2"]
    add(database, first, "never placed")
    runs.set_run_state(database, first, state=RunState.REMOVED, now=NOW)
    second = start(database, campaign)
    assert take(database, second).claims == ()
    (added,) = add(database, second, "3")
    (line,) = runs.run_lists(database, second)
    assert (line.remaining, line.taken) == (1, 0)
    assert dialled(take(database, second).claims) == [("3", added, 1)]
    assert runs.run_lists(database, second)[0].remaining == 0
    check_ledger(database, second)


def test_each_gets_an_answer_of_its_own(database: Database) -> None:
    one = start(database, add_campaign(database, "one").id)
    two = start(database, add_campaign(database, "two").id)
    ended = start(database, add_campaign(database, "ended").id)
    runs.set_run_state(database, ended, state=RunState.COMPLETED, now=NOW)
    answers = calls.add_calls(
        database,
        [NewCall(two, "2"), NewCall(ended, "3"), NewCall(one, "1"), NewCall(4711, "4"), NewCall(two, "22")],
        now=NOW,
    )
    assert [isinstance(answer, AddedCall) for answer in answers] == [True, False, True, False, True]
    assert str(answers[1]) == f"run {ended} has ended"
    assert [claim.wombatid for claim in take(database, two).claims] == ids_of([answers[0], answers[4]])
    assert [claim.wombatid for claim in take(database, one).claims] == ids_of([answers[2]])
    assert calls.add_calls(database, [], now=NOW) == []
    assert calls.add_calls(database, [NewCall(4711, "4")], now=NOW)[0].code == "no-run"  # type: ignore[union-attr]


def test_a_scheduled_one_waits_for_its_time_however_much_comes_before_it(database: Database) -> None:
    numbers = add_list(database, "a", [str(n) for n in range(50)])
    run = start(database, add_campaign(database, normal=[numbers]).id)
    late, soon = add(database, run, "later", at=NOW + 600), add(database, run, "soon", at=NOW + 60)
    counted = check_ledger(database, run)
    assert (counted.taken, counted.open_retries) == (2, 2)
    early = take(database, run, 3)
    assert ([claim.number for claim in early.claims], early.due, early.next_retry_at) == (["0", "1", "2"], 0, NOW + 60)
    batch = take(database, run, 3, now=NOW + 60)
    assert dialled(batch.claims[:1]) == [("soon", soon[0], 1)]
    assert (batch.due, batch.open_retries, batch.next_retry_at) == (1, -1, NOW + 600)
    batch = take(database, run, 100, now=NOW + 600)
    assert dialled(batch.claims[:1]) == [("later", late[0], 1)]
    assert len(batch.claims) == 1 + 50 - 6
    assert batch.exhausted
    assert take(database, run, now=NOW + 9999).claims == ()
    assert check_ledger(database, run).taken == 52
    assert [line.remaining for line in runs.run_lists(database, run)] == [0, 0]


def test_who_reads_the_list_of_another_run_keeps_to_the_time(database: Database) -> None:
    """Its own record of the call: the promised id is that of the run for which it was added."""
    first = start(database, add_campaign(database, "first").id)
    (promised,) = add(database, first, "2", at=NOW + 60)
    auto = entities.load_list(database, "first/AUTO").id or 0
    second = start(database, add_campaign(database, "second", normal=[auto]).id)
    batch = take(database, second)
    assert (batch.claims, batch.open_retries, batch.taken, batch.next_retry_at) == ((), 1, 1, NOW + 60)
    (mine,) = take(database, second, now=NOW + 60).claims
    assert (mine.number, mine.attempt) == ("2", 1)
    assert mine.wombatid != promised
    assert dialled(take(database, first, now=NOW + 60).claims) == [("2", promised, 1)]
    assert check_ledger(database, first).taken == check_ledger(database, second).taken == 1


def test_of_two_runs_on_one_list_one_gets_the_promised_id(database: Database) -> None:
    first = start(database, add_campaign(database, "first").id)
    (promised,) = add(database, first, "2")
    auto = entities.load_list(database, "first/AUTO").id or 0
    second = start(database, add_campaign(database, "second", normal=[auto]).id)
    (theirs,), (ours,) = take(database, second).claims, take(database, first).claims
    assert theirs.wombatid == promised
    assert ours.wombatid not in (0, promised)


def test_a_black_list_is_asked_when_it_is_due(database: Database) -> None:
    black = add_list(database, "no", ["2"])
    run = start(database, add_campaign(database, black=[black]).id)
    now_id, later_id, other_id = (*add(database, run, "2"), *add(database, run, "3", "4", at=NOW + 60))
    assert take(database, run).blacklisted == 1
    add_records(database, black, ["3"])
    batch = take(database, run, now=NOW + 60)
    assert (dialled(batch.claims), batch.blacklisted, batch.due) == ([("4", other_id, 1)], 1, 1)
    assert batch.open_retries == -2
    with database.transaction(write=False) as tx:
        rows = tx.rows("SELECT wombatid, number, outcome FROM call_log ORDER BY wombatid")
    assert rows == [(now_id, "2", "RS_BLACKLIST"), (later_id, "3", "RS_BLACKLIST")]
    counted = check_ledger(database, run)
    assert (counted.taken, counted.closed, counted.open_attempts) == (3, 2, 1)


def test_its_retries_have_ids_of_their_own(database: Database, run: int) -> None:
    (promised,) = add(database, run, "2", at=NOW + 10)
    (_, claim) = sorted(take(database, run, now=NOW + 10).claims, key=lambda claim: claim.number)
    assert claim.wombatid == promised
    journal.write(database, [result_of(claim, at=NOW + 20, retry_in_s=5)])
    (again,) = take(database, run, now=NOW + 30).claims
    assert (again.number, again.attempt) == ("2", 2)
    assert again.wombatid > promised


def test_an_ended_run_gives_up_what_was_scheduled(database: Database, run: int) -> None:
    add(database, run, "2", "3", at=NOW + 60)
    runs.set_run_state(database, run, state=RunState.REMOVED, now=NOW)
    counted = check_ledger(database, run)
    assert (counted.taken, counted.closed, counted.open_retries) == (2, 2, 0)


@pytest.mark.parametrize(
    ("campaign", "name"),
    [("Sales", "Sales/AUTO"), ("x" * 75, "x" * 75 + "/AUTO")],
)
def test_the_name_of_the_list(campaign: str, name: str) -> None:
    assert calls.auto_list(campaign) == name


def test_the_lists_of_long_names_are_distinct(database: Database) -> None:
    names = ["é" * 79 + letter for letter in "ab"]
    lists = [calls.auto_list(name) for name in names]
    assert len(set(lists)) == 2
    assert {len(name) for name in lists} == {80}
    run = start(database, add_campaign(database, "short").id)
    with database.transaction() as tx:
        tx.run("UPDATE run SET campaign_name = %s", (names[0],))
    add(database, run, "2")
    assert runs.run_lists(database, run)[0].name == lists[0]


def test_a_call_whose_commit_comes_late_is_not_jumped_over(
    database: Database, run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two connections append while a claim reads: ids become visible in their order, or the claim waits."""
    add(database, run, "0")
    take(database, run)
    inserted, go = threading.Event(), threading.Event()
    many = Transaction.many
    answers: dict[str, list[int]] = {}

    def slow(tx: Transaction, sql: str, rows: Sequence[Row]) -> None:
        many(tx, sql, rows)
        if threading.current_thread() is first and "INSERT INTO record" in sql:
            inserted.set()
            assert go.wait(LIMIT_S)

    def asking(number: str) -> None:
        answers[number] = add(database, run, number)
        database.close()

    def claim() -> None:
        claimed.extend(take(database, run).claims)
        database.close()

    monkeypatch.setattr(Transaction, "many", slow)
    first = threading.Thread(target=asking, args=("late",))
    other = threading.Thread(target=asking, args=("other",))
    claimed: list[Claim] = []
    claiming = threading.Thread(target=claim)
    first.start()
    assert inserted.wait(LIMIT_S)
    other.start()
    claiming.start()
    if database.kind == "mysql":
        through_or_waiting(database, other)
    go.set()
    for thread in (first, other, claiming):
        thread.join(LIMIT_S)
    claimed.extend(take(database, run).claims)
    assert {number: ids[0] for number, ids in answers.items()} == {c.number: c.wombatid for c in claimed}
    assert sorted(each.number for each in claimed) == ["late", "other"]
    check_ledger(database, run)


def test_an_import_that_commits_late_is_not_jumped_over_by_a_call(
    database: Database, run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody imports into the very list that calls from outside go to."""
    from wombat_ari.store import lists

    add(database, run, "0")
    take(database, run)
    auto = entities.load_list(database, "Sales/AUTO").id or 0
    inserted, go = threading.Event(), threading.Event()
    many = Transaction.many

    def slow(tx: Transaction, sql: str, rows: Sequence[Row]) -> None:
        many(tx, sql, rows)
        if threading.current_thread() is importing and "INSERT INTO record" in sql:
            inserted.set()
            assert go.wait(LIMIT_S)

    def work(job: str) -> None:
        if job == "import":
            lists.import_native(database, auto, source="101\n102\n", by=BY, now=NOW)
        else:
            add(database, run, "999")
        database.close()

    monkeypatch.setattr(Transaction, "many", slow)
    importing = threading.Thread(target=work, args=("import",))
    adding = threading.Thread(target=work, args=("add",))
    importing.start()
    assert inserted.wait(LIMIT_S)
    adding.start()
    found: list[str] = []

    def claim() -> None:
        found.extend(each.number for each in claims.take(database, run, fresh=10, retries=0, now=NOW).claims)
        database.close()

    claiming = threading.Thread(target=claim)
    if database.kind == "mysql":
        through_or_waiting(database, adding)
        claiming.start()
        through_or_waiting(database, claiming)
    else:
        claiming.start()
    go.set()
    for thread in (importing, adding, claiming):
        thread.join(LIMIT_S)
    claim()
    assert found == ["101", "102", "999"]


@pytest.mark.parametrize("at", [None, NOW + 60], ids=["now", "later"])
@pytest.mark.parametrize("committed", [True, False])
def test_a_commit_that_was_not_answered(
    database: Database, run: int, monkeypatch: pytest.MonkeyPatch, at: float | None, committed: bool
) -> None:
    """The caller is told the truth: who is told of an error would ask again, and two calls would ring."""
    lost = StoreFault("the connection broke", code="store_lost", transient=True, lost=True)
    execute, fail = Database._execute, [True]

    def breaking(self: Database, sql: str) -> None:
        if sql == "COMMIT" and fail and fail.pop():
            execute(self, "COMMIT" if committed else "ROLLBACK")
            raise lost
        execute(self, sql)

    monkeypatch.setattr(Database, "_execute", breaking)
    monkeypatch.setattr("wombat_ari.store.database.fault_of", lambda error, name: error if error is lost else None)
    if committed:
        (added,) = add(database, run, "2", at=at)
        assert ("2", added, 1) in dialled(take(database, run, now=NOW + 60).claims)
    else:
        with pytest.raises(StoreError, match="the connection broke"):
            add(database, run, "2", at=at)
        assert [claim.number for claim in take(database, run, now=NOW + 60).claims] == ["1"]
    check_ledger(database, run)


def test_a_call_is_found_wherever_it_is(database: Database) -> None:
    run = start(database, add_campaign(database).id)
    (soon,) = ids_of(calls.add_calls(database, [NewCall(run, "2", {"NAME": "é"})], now=NOW))
    (later,) = add(database, run, "3", at=NOW + 60)

    def state(wombatid: int) -> str:
        found = calls.find_call(database, wombatid)
        assert found is not None
        assert (found.wombatid, found.run_id, found.campaign_name, found.list_name) == (
            wombatid,
            run,
            "Sales",
            "Sales/AUTO",
        )
        assert found.run_name.startswith("Sales 20")
        assert found.due_at == (NOW + 60 if found.state == "WAITING" else None)
        assert found.input_attributes == ({"NAME": "é"} if wombatid == soon else {})
        return f"{found.state} {found.number} {found.outcome}"

    assert (state(soon), state(later)) == ("ON_LIST 2 ", "WAITING 3 ")
    claims_ = take(database, run, now=NOW + 60).claims
    assert {state(soon), state(later)} == {"IN_HOPPER 2 ", "IN_HOPPER 3 "}
    journal.write(database, [result_of(claim) for claim in claims_])
    assert {state(soon), state(later)} == {"ENDED 2 RS_BUSY", "ENDED 3 RS_BUSY"}
    assert calls.find_call(database, later + 1) is None


def test_the_system_log_has_who_added_which_calls_in_the_same_transaction(
    database: Database, run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = {"by": "ada", "origin": "from 192.0.2.7"}, {"by": "-", "origin": "from 127.0.0.1"}
    asked = [NewCall(run, "1", **here), NewCall(run, "2", **there), NewCall(run, "3", **here),
             NewCall(run, "4", **here), NewCall(4711, "5", **here), NewCall(run, "6")]  # fmt: skip
    begun: list[bool] = []
    transaction = database.transaction
    monkeypatch.setattr(database, "transaction", lambda **how: [begun.append(True), transaction(**how)][1])
    one, two, three, four, refused, _ = calls.add_calls(database, asked, now=NOW)
    assert len(begun) == 1
    assert isinstance(refused, UserError)
    ids = ids_of([one, two, three, four])
    lines = [(each.user, each.object, each.detail) for each in syslog.read(database, action="calls added")]
    assert sorted(lines) == [
        ("-", "Sales", f"call {ids[1]} to 2; from 127.0.0.1"),
        ("ada", "Sales", f"3 calls: {ids[0]}, {ids[2]}-{ids[3]}; from 192.0.2.7"),
    ]


def test_what_cannot_be_said_in_the_system_log_is_not_added(
    database: Database, run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError("the disk is full", code="store_full", transient=True)

    monkeypatch.setattr(calls, "write_system_log", full)
    with pytest.raises(StoreError, match="full"):
        calls.add_calls(database, [NewCall(run, "777", by="ada")], now=NOW)
    with database.transaction(write=False) as tx:
        assert tx.value("SELECT COUNT(*) FROM record WHERE number = '777'") == 0
