"""Long work: its turn, how far it is, its end, being called off, and whose it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.app.service.conftest import caller
from tests.system.site import until
from wombat_ari.app.service import jobs
from wombat_ari.app.service.jobs import Job, JobCancelled, Jobs, JobState, Progress
from wombat_ari.app.service.rights import MISSING
from wombat_ari.model.errors import UserError
from wombat_ari.store.database import Database


class Gate:
    """Work that goes on when it is let."""

    def __init__(self) -> None:
        self.inside = threading.Event()
        self.go_on = threading.Event()
        self.tidied = False

    def __call__(self, progress: Progress) -> str:
        progress(3, total=10, message="third")
        self.inside.set()
        assert self.go_on.wait(30)
        try:
            progress(4)
        except JobCancelled:
            progress.note(message="tidying up")
            self.tidied = True
            raise
        return "all of it"


@pytest.fixture
def gates() -> Iterator[Callable[[], Gate]]:
    made: list[Gate] = []

    def make() -> Gate:
        made.append(Gate())
        return made[-1]

    yield make
    for gate in made:
        gate.go_on.set()


def start(known: Jobs, work: Any, **options: str) -> Job:
    return known.start(work, **{"kind": "test", "title": "A test", "owner": "ann", **options})


def over(known: Jobs, job: Job) -> Job:
    def look() -> Job | None:
        found = known.find(job.id)
        return found if found is not None and found.over else None

    return until(look, 30, "the job is over")


def test_it_says_how_far_it_is_and_what_came_of_it(gates: Callable[[], Gate]) -> None:
    known, gate, closed = Jobs(), gates(), threading.Event()
    job = known.start(gate, kind="test", title="A test", owner="ann", after=closed.set)
    assert gate.inside.wait(30)
    now = known.find(job.id)
    assert now is not None
    assert (now.state, now.done, now.total, now.share, now.message) == (JobState.RUNNING, 3, 10, 0.3, "third")
    gate.go_on.set()
    ended = over(known, job)
    assert (ended.state, ended.done, ended.share, ended.result, ended.error) == ("DONE", 4, 1.0, "all of it", "")
    assert ended.ended_at is not None
    assert closed.wait(30), "the thread gives back what it held"


def test_two_are_worked_on_the_others_wait_in_their_order(gates: Callable[[], Gate]) -> None:
    known, four = Jobs(), [gates() for _ in range(4)]
    made = [start(known, gate) for gate in four]
    assert all(gate.inside.wait(30) for gate in four[:2])
    assert [known.find(job.id).state for job in made] == ["RUNNING", "RUNNING", "WAITING", "WAITING"]  # type: ignore[union-attr]
    four[0].go_on.set()
    assert four[2].inside.wait(30)
    assert not four[3].inside.is_set()
    for gate in four:
        gate.go_on.set()
    assert {over(known, job).state for job in made} == {JobState.DONE}
    last = gates()
    last.go_on.set()
    assert over(known, start(known, last)).state == "DONE", "after a rest too"


def test_one_that_is_worked_on_stops_at_its_next_progress(gates: Callable[[], Gate]) -> None:
    known, gate = Jobs(), gates()
    job = start(known, gate)
    assert gate.inside.wait(30)
    asked = known.cancel(job.id)
    assert asked is not None
    assert (asked.state, asked.cancelling) == (JobState.RUNNING, True)
    gate.go_on.set()
    ended = over(known, job)
    assert (ended.state, ended.cancelling, ended.message, ended.result) == ("CANCELLED", False, "tidying up", None)
    assert gate.tidied
    assert known.cancel(job.id) == ended, "it is over"


def test_one_that_waits_is_never_begun(gates: Callable[[], Gate]) -> None:
    known, busy, waiting = Jobs(), [gates(), gates()], gates()
    for gate in busy:
        start(known, gate)
    job = start(known, waiting)
    assert known.cancel(job.id).state is JobState.CANCELLED  # type: ignore[union-attr]
    for gate in (*busy, waiting):
        gate.go_on.set()
    for each in known.all():
        over(known, each)
    assert not waiting.inside.is_set()


def test_what_fails_says_why_and_the_next_is_done(gates: Callable[[], Gate]) -> None:
    known = Jobs()

    def refused(progress: Progress) -> None:
        raise UserError("there is no such list")

    def mistaken(progress: Progress) -> None:
        raise ZeroDivisionError("secret thing")

    first, second = over(known, start(known, refused)), over(known, start(known, mistaken))
    assert (first.state, first.error) == (JobState.FAILED, "there is no such list")
    assert (second.state, second.error) == (JobState.FAILED, jobs.OUR_MISTAKE)
    with pytest.raises(UserError, match="no such list"):
        known.do(refused, kind="test", title="At once", owner="ann")
    assert [job.state for job in known.all()] == ["FAILED"] * 3
    assert known.do(lambda progress: 7, kind="test", title="At once", owner="ann").result == 7


def test_no_more_than_may(gates: Callable[[], Gate], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MOST_WAITING", 3)
    known = Jobs()
    for _ in range(3):
        start(known, gates())
    with pytest.raises(UserError, match="jobs are waiting") as refusal:
        start(known, gates())
    assert refusal.value.code == "too-many-jobs"


def test_what_is_over_is_kept_for_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "KEPT", 3)
    now = [1000.0]
    known = Jobs(clock=lambda: now[0])
    made = [known.do(lambda progress: None, kind="test", title=str(n), owner="ann") for n in range(4)]
    assert [job.title for job in known.all()] == ["3", "2", "1"]
    assert known.find(made[0].id) is None
    now[0] += jobs.KEPT_S + 1
    known.do(lambda progress: None, kind="other", title="new", owner="bob", about="list 1")
    assert [job.title for job in known.all()] == ["new"]
    assert known.all(kind="test") == known.all(about="list 2") == known.all(owner="ann") == []
    assert len(known.all(kind="other", about="list 1", owner="bob")) == 1


def test_a_process_that_stops_calls_them_off(gates: Callable[[], Gate]) -> None:
    known, gate = Jobs(), gates()
    job = start(known, gate)
    assert gate.inside.wait(30)
    threading.Timer(0.05, gate.go_on.set).start()
    known.stop(30)
    assert known.find(job.id).state is JobState.CANCELLED  # type: ignore[union-attr]
    assert gate.tidied
    with pytest.raises(UserError):
        start(known, gates())


def test_a_job_is_its_owners(database: Database) -> None:
    ann, bob, master = caller("ann", "LISTS"), caller("bob", "LISTS"), caller("root", master=True)
    job = jobs.begin(ann, database, lambda progress: "done", kind="test", title="Ann's")
    over(jobs.of(database), job)
    assert jobs.find(ann, database, job.id).result == "done"
    assert jobs.find(master, database, job.id).owner == "ann"
    assert [each.id for each in jobs.mine(ann, database)] == [job.id]
    assert jobs.mine(bob, database) == []
    for ask in (jobs.find, jobs.cancel):
        with pytest.raises(UserError) as refusal:
            ask(bob, database, job.id)
        assert refusal.value.code == MISSING
