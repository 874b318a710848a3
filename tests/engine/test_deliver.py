"""What is told outside, on the virtual clock: order, patience, fairness, and that nothing is lost or told too often.

``Outside`` stands for the world behind the courier: each receiver answers as the test says, after as long as it says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail

from tests.engine.world import START, World, rule
from tools.fake_pbx import QuickClock
from wombat_ari.bridge.desk import Desk
from wombat_ari.bridge.journal import Journal
from wombat_ari.bridge.pool import InlinePool
from wombat_ari.core.receivers import LONGEST_S
from wombat_ari.engine.deliver import Deliver, DeliverLimits
from wombat_ari.model.entities import CallList
from wombat_ari.model.errands import DONE, MAIL, Errand, ErrandKind, OutboxRow, Receipt
from wombat_ari.model.errors import StoreError
from wombat_ari.model.states import EmailEvents
from wombat_ari.store import outbox
from wombat_ari.store.database import Database, open_database
from wombat_ari.store.migrations import migrate

DOWN = Receipt("connection refused", reached=False)
BAD = Receipt("answered 500 Internal Server Error")
URL = "https://crm.example/calls"
CRM = "crm.example"


class Outside:
    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.delay = defaultdict(lambda: 0.05)
        self.answer: dict[str, Callable[[OutboxRow], Receipt]] = {}
        self.tries: list[tuple[float, OutboxRow]] = []
        self.told: list[OutboxRow] = []
        self.open: dict[str, int] = defaultdict(int)
        self.most: dict[str, int] = defaultdict(int)
        self.most_in_all = 0

    def __call__(self, row: OutboxRow) -> Deferred[Receipt]:
        name = row.errand.receiver
        self.tries.append((self.clock.seconds(), row))
        self.open[name] += 1
        self.most[name] = max(self.most[name], self.open[name])
        self.most_in_all = max(self.most_in_all, sum(self.open.values()))
        done: Deferred[Receipt] = Deferred()
        self.clock.callLater(self.delay[name], self._answer, row, done)
        return done

    def _answer(self, row: OutboxRow, done: Deferred[Receipt]) -> None:
        self.open[row.errand.receiver] -= 1
        receipt = self.answer.get(row.errand.receiver, lambda row: DONE)(row)
        if not receipt.error:
            self.told.append(row)
        done.callback(receipt)

    def forms(self) -> list[tuple[Any, ...]]:
        fields: Any = [row.errand.payload["fields"] for row in self.told if row.errand.kind == ErrandKind.NOTIFY]
        return [(each["num"], each["state"], each["retry"], each["reschedule"]) for each in fields]

    def letters(self) -> list[str]:
        return [str(row.errand.payload["subject"]) for row in self.told if row.errand.kind == ErrandKind.EMAIL]


class Post:
    """Outbox and deliverer alone, without a dialer."""

    def __init__(self, folder: Path, **limits: Any) -> None:
        self.clock = QuickClock()
        self.clock.advance(START)
        self.database: Database = open_database(f"sqlite:///{folder / 'o.db'}")
        migrate(self.database, now=START)
        self.database._handle.execute_sql("PRAGMA synchronous = OFF")  # no power cuts here
        self.outside = Outside(self.clock)
        self.limits = DeliverLimits(**limits)
        self.pool = _FlakyPool(self.clock)
        self.start()

    def start(self) -> None:
        desk = Desk(self.pool, self.database)
        self.journal = Journal(self.clock, desk.write_journal)
        self.deliver = Deliver(self.clock, desk, self.journal, self.outside, limits=self.limits, chance=lambda: 0.0)
        self.deliver.start()

    def kill(self) -> None:
        for call in list(self.clock.getDelayedCalls()):
            call.cancel()
        self.outside.open.clear()

    def put(self, receiver: str, sequence: str = "", *, count: int = 1, **values: Any) -> None:
        now = self.clock.seconds()
        given = {"created_at": now, "due_at": now, "kind": ErrandKind.NOTIFY, "payload": {"url": "x"}, **values}
        with self.database.transaction() as tx:
            outbox.add(tx, [Errand(receiver=receiver, sequence=sequence, **given) for _ in range(count)])
        self.deliver.look()

    def advance(self, seconds: float, step: float = 0.05) -> None:
        for _ in range(round(seconds / step)):
            self.clock.advance(step)

    def counts(self) -> dict[str, tuple[int, int]]:
        return {each.receiver: (each.waiting, each.parked) for each in outbox.counts(self.database)}


class _FlakyPool(InlinePool):
    """``trouble`` is raised by every job; what is read is ``lag`` seconds old when it arrives, as from a thread."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.trouble: Exception | None = None
        self.lag = 0.0

    def write(self, job: Any, *args: Any, **kwargs: Any) -> Any:
        return fail(self.trouble) if self.trouble is not None else super().write(job, *args, **kwargs)

    def read(self, job: Any, *args: Any, **kwargs: Any) -> Any:
        answer = self.write(job, *args, **kwargs)
        if self.lag:
            answer.pause()
            self.clock.callLater(self.lag, answer.unpause)
        return answer


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return Post(tmp_path)


# A whole dialer


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.send = Outside(made.clock)
    return made


def test_every_attempt_of_a_campaign_is_told_in_order_per_record(world: World) -> None:
    numbers = ["5551000101", "5552000001", "5553000001"]
    world.add_campaign("Sales", numbers, http_notify_url=URL, rules=(rule("RS_BUSY", times=2, after=3),))
    world.start()
    world.run("Sales")
    world.finish()
    world.advance(10)
    told = world.send.forms()  # type: ignore[union-attr]
    log = world.log("number, outcome, attempt - 1, retry_in_s")
    assert sorted(told) == sorted((number, outcome, str(retry), str(wait)) for number, outcome, retry, wait in log)
    busy = [form for form in told if form[0] == "5552000001"]
    assert [form[2:] for form in busy] == [("0", "3"), ("1", "3"), ("2", "0")]
    assert world.rows("SELECT COUNT(*) FROM outbox") == [(0,)]


def test_a_receiver_that_is_down_for_a_minute_gets_all_and_the_dialer_does_not_slow_down(world: World) -> None:
    numbers = [f"55510010{n:02}" for n in range(100)]
    world.add_campaign("Sales", numbers, http_notify_url=URL)
    world.add_campaign("Silent", [f"55510010{n:02}" for n in range(100)])
    outside: Any = world.send
    outside.answer[CRM] = lambda row: DOWN if world.clock.seconds() < START + 60 else DONE
    outside.delay[CRM] = 0.5
    world.start()
    world.run("Sales")
    began = world.clock.seconds()
    world.finish()
    with_it = world.clock.seconds() - began
    world.advance(10)
    assert outside.told == []
    snapshot = world.dialer.publish.snapshot()
    (receiver,) = snapshot["outbox"]["receivers"]
    assert (receiver["name"], receiver["error"]) == (CRM, "connection refused")
    assert receiver["failing_since"] is not None
    assert len(outside.tries) < 40, "it is not hammered"
    world.advance_until(lambda: world.rows("SELECT COUNT(*) FROM outbox") == [(0,)], 200)
    assert sorted(form[0] for form in outside.forms()) == numbers
    (receiver,) = world.dialer.publish.snapshot()["outbox"]["receivers"]
    assert receiver["failing_since"] is None
    assert receiver["ok_since"] is not None
    actions = [row[0] for row in world.rows("SELECT action FROM system_log WHERE object = 'crm.example' ORDER BY id")]
    assert actions == ["receiver failing", "receiver well again"]
    began = world.clock.seconds()
    world.run("Silent")
    world.finish()
    assert with_it == pytest.approx(world.clock.seconds() - began, abs=1.0)


def test_a_crash_loses_none(world: World) -> None:
    numbers = [f"5551000{n:03}" for n in range(60)]
    world.add_campaign("Sales", numbers, http_notify_url=URL)
    outside: Any = world.send
    outside.delay[CRM] = 0.7
    world.start()
    world.run("Sales")
    for _ in range(3):
        world.advance(2)
        world.kill()
        outside.open.clear()
        world.start()
    world.finish()
    world.advance_until(lambda: world.rows("SELECT COUNT(*) FROM outbox") == [(0,)], 100)
    ids = {row.message_id for row in outside.told}
    assert {row.errand.wombatid for row in outside.told} == {
        row[0] for row in world.rows("SELECT wombatid FROM call_log")
    }
    assert len(ids) == len(numbers)


def test_black_listed_records_are_told_too(world: World) -> None:
    from tests.engine.world import CampaignList, ListUse
    from wombat_ari.store import entities

    black = entities.save_list(world.database, CallList(None, "black"), by="test", now=START)
    world.append(black.id or 0, ["5551000002"])
    people = world.add_list(["5551000001", "5551000002"])
    world.add_campaign(
        "Sales", people, http_notify_url=URL, lists=(people, CampaignList(black.id or 0, "black", ListUse.BLACK))
    )
    world.start()
    world.run("Sales")
    world.finish()
    world.advance(10)
    told = {form[0]: form[1] for form in world.send.forms()}  # type: ignore[union-attr]
    assert told == {"5551000001": "TERMINATED", "5551000002": "RS_BLACKLIST"}


def test_a_late_status_is_told_again_with_the_whole_form(world: World) -> None:
    from wombat_ari.model import events as ev

    world.add_campaign("Sales", ["5551000001"], http_notify_url=URL, idles_on_termination=True)
    world.start()
    world.run("Sales")
    outside: Any = world.send
    world.advance_until(lambda: outside.told, 60)
    wombatid = outside.told[0].errand.wombatid
    for _ in range(2):
        world.dialer.follow.on_event(ev.StatusSet(wombatid, "7"))
    world.advance(3)
    first, again = [row.errand.payload["fields"] for row in outside.told]
    assert first["extstate"] != again["extstate"] == "7"
    assert {**first, "extstate": "7"} == again


def test_letters_of_a_run(world: World) -> None:
    given = {"email_addresses": "boss@example.com, second@example.com", "email_events": EmailEvents.ALL}
    world.add_campaign("Sales", ["5551000001", "5551000002"], **given)
    world.add_campaign("Quiet", ["5551000003"], **{**given, "email_events": EmailEvents.COMPLETION})
    world.start()
    world.run("Sales")
    world.command("pause", "Sales")
    world.command("resume", "Sales")
    world.run("Quiet")
    world.finish()
    world.advance(10)
    outside: Any = world.send
    letters = [(row.errand.payload["to"][0], row.errand.payload["subject"]) for row in outside.told]
    of_boss = [subject for to, subject in letters if to == "boss@example.com" and subject.startswith("Sales")]
    assert of_boss == ["Sales is running", "Sales is paused", "Sales is running", "Sales has completed"]
    assert [subject for to, subject in letters if to == "second@example.com" and "Quiet" in subject] == [
        "Quiet has completed"
    ]
    body = next(
        row.errand.payload["body"] for row in outside.told if row.errand.payload["subject"].endswith("completed")
    )
    assert "COMPLETED since 20" in body
    assert outside.most[MAIL] <= 8


# The deliverer alone


def test_patience_grows_from_a_second_to_an_hour_until_a_day_is_over(post: Post) -> None:
    post.outside.answer["a"] = lambda row: DOWN
    post.put("a")
    post.advance(26 * 3600, step=1.0)
    moments = [round(at - START) for at, _ in post.outside.tries]
    gaps = [after - before for before, after in pairwise(moments)]
    assert gaps[:5] == pytest.approx([1, 2, 4, 8, 16], abs=1.1)
    assert max(gaps) <= LONGEST_S + 2
    assert 24 * 3600 - 2 <= moments[-1] <= 25 * 3600
    assert post.counts() == {"a": (0, 1)}
    (row,) = outbox.listing(post.database, parked=True)
    assert (row.tries, row.error) == (len(moments), "connection refused")
    post.outside.answer.clear()
    outbox.replay(post.database, now=post.clock.seconds(), receiver="a")
    post.deliver.retry("a")
    post.advance(1)
    assert post.counts() == {}
    assert {row.message_id for _, row in post.outside.tries} == {row.message_id}


def test_many_rows_for_a_dead_receiver_are_parked_together_in_the_end(post: Post) -> None:
    post.outside.answer["a"] = lambda row: DOWN
    post.put("a", count=2500)
    post.advance(26 * 3600, step=10.0)
    assert post.counts() == {"a": (0, 2500)}
    assert len(post.outside.tries) < 100


def test_a_dead_receiver_delays_nobody_else(post: Post) -> None:
    for name in ("dead", "slow", "refusing"):
        post.put(name, count=500)
        post.outside.delay[name] = 10.0
        post.outside.answer[name] = lambda row: DOWN
    post.outside.answer["refusing"] = lambda row: BAD
    post.outside.delay["refusing"] = 0.05
    post.put("well", count=300)
    post.advance(3)
    assert len(post.outside.told) == 300
    post.put("well", count=300)
    post.advance(8)
    assert len(post.outside.told) == 600
    assert post.outside.most["dead"] <= 8
    assert post.outside.most_in_all <= 64


def test_one_errand_that_is_refused_stops_only_its_sequence(post: Post) -> None:
    poison: list[int] = []
    post.outside.answer["a"] = lambda row: BAD if row.id in poison else DONE
    post.put("a", "poison", count=2)
    poison.append(outbox.due(post.database, now=START).rows[0].id)
    for n in range(200):
        post.put("a", f"{n % 50}")
    post.advance(20)
    assert len(post.outside.told) == 200
    assert post.counts() == {"a": (2, 0)}
    poison.clear()
    post.advance(20)
    assert post.counts() == {}
    assert [row.id for row in post.outside.told[-2:]] == sorted(row.id for row in post.outside.told[-2:])


def test_what_a_receiver_asks_for_is_respected(post: Post) -> None:
    post.outside.answer["a"] = lambda row: Receipt("answered 429", wait_s=30) if len(post.outside.tries) < 2 else DONE
    post.put("a")
    post.advance(60)
    assert [round(at - START) for at, _ in post.outside.tries] == [0, 30]


def test_what_cannot_be_sent_at_all_is_parked_at_once(post: Post) -> None:
    post.outside.answer[MAIL] = lambda row: Receipt("no mail server is configured", hopeless=True)
    post.put(MAIL, count=3, kind=ErrandKind.EMAIL)
    post.advance(20)
    assert post.counts() == {MAIL: (0, 3)}
    assert len(post.outside.tries) == 3
    (receiver,) = post.deliver.receivers()
    assert (receiver.parked, receiver.error) == (3, "no mail server is configured")


def test_what_is_due_later_comes_later_to_the_second(post: Post) -> None:
    post.put("a", due_at=START + 100)
    post.put("a", due_at=START + 3)
    post.advance(120)
    assert [round(at - START) for at, _ in post.outside.tries] == [3, 100]


def test_while_the_database_is_away_nothing_is_told_twice(post: Post) -> None:
    post.put("a", count=20)
    post.outside.delay["a"] = 2.0
    post.advance(1)
    post.pool.trouble = StoreError("away", transient=True)
    post.advance(30)
    assert len(post.outside.tries) == 20
    assert post.deliver.says == "away"
    post.pool.trouble = None
    post.advance(10)
    assert len(post.outside.tries) == 20
    assert post.counts() == {}
    assert post.deliver.says == ""


def test_what_was_read_before_it_was_done_is_not_done_again(post: Post) -> None:
    """A look takes a moment in its thread: what is told meanwhile is still in what it brings."""
    post.pool.lag = 0.3
    post.outside.delay["a"] = 0.1
    for _ in range(40):
        post.put("a", count=5)
        post.advance(0.15)
    post.advance(5)
    assert len(post.outside.tries) == 200
    assert post.counts() == {}


def test_a_restart_forgets_no_patience_and_nothing_else(post: Post) -> None:
    post.outside.answer["a"] = lambda row: DOWN
    post.put("a", count=3)
    post.advance(30)
    before = len(post.outside.tries)
    post.kill()
    post.start()
    post.advance(1)
    assert len(post.outside.tries) <= before + 3
    post.outside.answer.clear()
    post.advance(60)
    assert post.counts() == {}


def test_a_backlog_of_thousands_goes_in_order_with_a_few_at_a_time(post: Post) -> None:
    for _ in range(3):
        for record in range(200):
            post.put("a", f"1/{record}")
    post.outside.delay["a"] = 0.02
    post.advance(20, step=0.01)
    assert post.counts() == {}
    assert len(post.outside.told) == 600
    assert post.outside.most["a"] == 8
    of_record: dict[str, list[int]] = defaultdict(list)
    for row in post.outside.told:
        of_record[row.errand.sequence].append(row.id)
    assert all(ids == sorted(ids) and len(set(ids)) == 3 for ids in of_record.values())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_order_in_any_world(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever fails whenever, with crashes in between: in each sequence nothing overtakes, nothing is missing."""
    post = Post(tmp_path_factory.mktemp("any"))
    luck = data.draw(st.randoms(use_true_random=False))
    names = ["a", "b", MAIL]
    ill = data.draw(st.floats(0, 0.7))
    for name in names:
        post.outside.answer[name] = lambda row: DONE if luck.random() >= ill else luck.choice([DOWN, BAD])
    put = 0
    for _ in range(data.draw(st.integers(1, 6))):
        step = data.draw(st.sampled_from(["put", "put", "wait", "crash", "away"]))
        if step == "put":
            for _ in range(data.draw(st.integers(1, 30))):
                post.put(luck.choice(names[:2]), luck.choice(["", "x", "y", "z"]))
                put += 1
        elif step == "wait":
            post.advance(data.draw(st.floats(0.1, 20)))
        elif step == "crash":
            post.kill()
            post.start()
        else:
            post.pool.trouble = StoreError("away", transient=True)
            post.advance(2)
            post.pool.trouble = None
        for name in names:
            post.outside.delay[name] = luck.choice([0.0, 0.02, 1.0])
        post.pool.lag = luck.choice([0.0, 0.1, 0.5])
    ill = 0.0
    post.advance(400, step=0.25)
    assert post.counts() == {}
    assert len({row.id for row in post.outside.told}) == put
    last: dict[str, int] = {}
    for row in post.outside.told:
        if row.errand.sequence:
            # Told twice is allowed after a crash; something older than what was told is not.
            assert row.id >= last.get(row.errand.sequence, 0), row
            last[row.errand.sequence] = row.id
    post.database.close()
