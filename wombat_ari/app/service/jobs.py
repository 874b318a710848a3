"""Long work that somebody asked the console or an API for: it goes on when the page is closed, says how far it is, and
can be called off.

Jobs live in the process that does them and are forgotten with it. So what a job writes must be right at each of its
commits, whatever happens next: either it stays as it is (an import: what was added stays), or it has a name that says
that it is unfinished (numbers of a report). Two are worked on at a time, so that they leave the database to the
dialer; the others wait in their order. When the process is stopped, its jobs are called off and have a moment to tidy
up.
"""

import atexit
import threading
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from weakref import WeakKeyDictionary

from twisted.logger import Logger

from wombat_ari.app.memory import give_back
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.rights import MISSING
from wombat_ari.model.errors import UserError, WombatError
from wombat_ari.store.database import Database

WORKING = 2
MOST_WAITING = 20  #: waiting or worked on, of everybody together
KEPT = 100  #: that are over
KEPT_S = 86_400.0
STOP_S = 3.0  #: what is under way when the process stops may take so long
OUR_MISTAKE = "this went wrong on our side, see the log"

log = Logger()


class JobState(StrEnum):
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"  #: see ``error``
    CANCELLED = "CANCELLED"


OVER = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED})


class JobCancelled(Exception):
    """Raised inside the work by the first progress it tells after it was called off."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is at a moment."""

    id: str
    kind: str  #: one word for programs: ``import``, ``numbers``
    title: str  #: for people
    owner: str  #: login
    about: str  #: what it works on, as ``list 12``; empty: nothing that others ask by
    began_at: float  #: when it was asked for
    state: JobState = JobState.WAITING
    done: int = 0  #: of ``total``, in units of the work
    total: int | None = None  #: None: not known
    message: str = ""  #: what it is doing, for people
    detail: Any = None  #: what the work told last, of its own kind
    result: Any = None  #: of a DONE one
    error: str = ""
    cancelling: bool = False  #: somebody called it off, it has not ended yet
    ended_at: float | None = None

    @property
    def over(self) -> bool:
        return self.state in OVER

    @property
    def share(self) -> float | None:
        """0 to 1; None: not known."""
        if self.state is JobState.DONE:
            return 1.0
        return min(1.0, self.done / self.total) if self.total else None


class Progress:
    """What the work tells by calling it; JobCancelled when it is to stop."""

    def __init__(self, tell: Callable[..., Job]) -> None:
        self._tell = tell

    def __call__(
        self, done: int, *, total: int | None = None, message: str | None = None, detail: Any = None
    ) -> None:  # fmt: skip
        """``total`` and ``message`` stay as they were when they are left out."""
        told = {"done": done, "total": total, "message": message, "detail": detail}
        if self._tell(**{name: value for name, value in told.items() if value is not None}).cancelling:
            raise JobCancelled

    def note(self, **changes: Any) -> None:
        """The same, never to be stopped: while tidying up."""
        self._tell(**changes)


Work = Callable[[Progress], Any]


class Jobs:
    """Of one database in one process. Any thread may call."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Job] = OrderedDict()
        self._queue: deque[tuple[str, Work, Callable[[], object]]] = deque()
        self._workers: set[threading.Thread] = set()
        self._stopped = False

    def start(
        self, work: Work, *, kind: str, title: str, owner: str, about: str = "", total: int | None = None,
        after: Callable[[], object] = bool,
    ) -> Job:  # fmt: skip
        """In a thread, in its turn. ``after`` is called in it when it is over. UserError when too many wait."""
        with self._lock:
            if self._stopped or sum(not job.over for job in self._known.values()) >= MOST_WAITING:
                raise UserError(f"{MOST_WAITING} jobs are waiting: try again later", code="too-many-jobs")
            job = self._keep(Job(_new_id(), kind, title, owner, about, self._clock(), total=total))
            self._queue.append((job.id, work, after))
            if len(self._workers) < WORKING:
                worker = threading.Thread(target=self._work_off, name="job", daemon=True)
                self._workers.add(worker)
                worker.start()
        return job

    def do(
        self, work: Work, *, kind: str, title: str, owner: str, about: str = "", total: int | None = None
    ) -> Job:  # fmt: skip
        """At once, in this thread, for what is short. What goes wrong is raised as well."""
        with self._lock:
            job = self._keep(Job(_new_id(), kind, title, owner, about, self._clock(), total=total))
        return self._do(job.id, work)

    def find(self, job_id: str) -> Job | None:
        return self._known.get(job_id)

    def all(self, *, kind: str = "", about: str = "", owner: str = "") -> list[Job]:
        """The latest first; of one kind, about one thing, of one person."""
        with self._lock:
            found = list(reversed(self._known.values()))
        return [
            job for job in found
            if kind in ("", job.kind) and about in ("", job.about) and owner in ("", job.owner)
        ]  # fmt: skip

    def cancel(self, job_id: str) -> Job | None:
        """One that waits is over at once, one that is worked on as soon as it tells its next progress."""
        with self._lock:
            job = self._known.get(job_id)
            if job is None or job.over:
                return job
            if job.state is JobState.WAITING:
                return self._change(job_id, state=JobState.CANCELLED, ended_at=self._clock())
            return self._change(job_id, cancelling=True)

    def stop(self, wait_s: float = STOP_S) -> None:
        """Call everything off, and wait for it so long."""
        with self._lock:
            self._stopped = True
            live, workers = [job.id for job in self._known.values() if not job.over], list(self._workers)
        for job_id in live:
            self.cancel(job_id)
        until = time.monotonic() + wait_s
        for worker in workers:
            worker.join(max(0.0, until - time.monotonic()))

    def _work_off(self) -> None:
        while True:
            with self._lock:
                if not self._queue:
                    self._workers.discard(threading.current_thread())
                    return
                job_id, work, after = self._queue.popleft()
            try:
                self._do(job_id, work)
            except WombatError as error:
                log.info("job {job} failed: {error}", job=job_id, error=error)
            except Exception:  # noqa: BLE001 - fence: one job
                log.failure("mistake of ours in a job")
            finally:
                with suppress(Exception):
                    after()

    def _do(self, job_id: str, work: Work) -> Job:
        with self._lock:
            if self._known[job_id].over:  # called off while it waited
                return self._known[job_id]
            self._change(job_id, state=JobState.RUNNING)
        try:
            result = work(Progress(lambda **changes: self._tell(job_id, **changes)))
        except JobCancelled:
            return self._tell(job_id, state=JobState.CANCELLED, cancelling=False, ended_at=self._clock())
        except Exception as error:
            told = str(error) if isinstance(error, WombatError) else OUR_MISTAKE
            self._tell(job_id, state=JobState.FAILED, error=told, cancelling=False, ended_at=self._clock())
            raise
        return self._tell(job_id, state=JobState.DONE, result=result, cancelling=False, ended_at=self._clock())

    def _tell(self, job_id: str, **changes: Any) -> Job:
        with self._lock:
            return self._change(job_id, **changes)

    def _change(self, job_id: str, **changes: Any) -> Job:
        job = self._known[job_id] = replace(self._known[job_id], **changes)
        return job

    def _keep(self, job: Job) -> Job:
        queued = {job_id for job_id, _, _ in self._queue}
        over = [known for known in self._known.values() if known.over and known.id not in queued]
        too_many = max(0, len(over) + 1 - KEPT)
        for place, known in enumerate(over):
            if place < too_many or (known.ended_at or job.began_at) < job.began_at - KEPT_S:
                del self._known[known.id]
        self._known[job.id] = job
        return job


def _new_id() -> str:
    return uuid.uuid4().hex


_of_databases: WeakKeyDictionary[Database, Jobs] = WeakKeyDictionary()
_lock = threading.Lock()


def of(db: Database) -> Jobs:
    """The jobs of this database in this process. Rights are asked by who calls; below are those of owners."""
    with _lock:
        if db not in _of_databases:
            jobs = _of_databases[db] = Jobs()
            atexit.register(jobs.stop)
        return _of_databases[db]


def begin(
    caller: Caller, db: Database, work: Work, *, kind: str, title: str, about: str = "", total: int | None = None
) -> Job:  # fmt: skip
    """The caller's, in its turn, on a thread that gives its connection back when it is over."""
    known, owner = of(db), caller.login
    return known.start(
        work, kind=kind, title=title, owner=owner, about=about, total=total, after=lambda: let_go(db)
    )  # fmt: skip


def let_go(db: Database) -> None:
    """What a thread holds of the database after long work, and the memory that it took."""
    db.close()
    give_back()


def do(
    caller: Caller, db: Database, work: Work, *, kind: str, title: str, about: str = "", total: int | None = None
) -> Job:  # fmt: skip
    """The same at once, for what is short: known as a job afterwards; what goes wrong is raised as well."""
    return of(db).do(work, kind=kind, title=title, owner=caller.login, about=about, total=total)


def find(caller: Caller, db: Database, job_id: str) -> Job:
    """One's own; a master finds everybody's."""
    found = of(db).find(job_id)
    if found is None or not _is_for(caller, found):
        text = f"there is no job {job_id} of yours: it ended long ago, or the console was started again since"
        raise UserError(text, code=MISSING)
    return found


def cancel(caller: Caller, db: Database, job_id: str) -> Job:
    find(caller, db, job_id)
    return of(db).cancel(job_id) or find(caller, db, job_id)


def mine(caller: Caller, db: Database, *, kind: str = "") -> list[Job]:
    """One's own, the latest first."""
    return of(db).all(kind=kind, owner=caller.login)


def _is_for(caller: Caller, job: Job) -> bool:
    return caller.keyring.master or (not caller.trusted and job.owner == caller.login)
