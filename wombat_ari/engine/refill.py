"""Step 2: keep each run's hopper filled: due retries, then new numbers. One claim a run at a time, off the reactor.

What a claim brings is durable under the ids of the next attempts before it gets here; what it puts on the black list is
logged and counted in the same transaction.
"""

from collections.abc import Callable
from dataclasses import replace

from twisted.logger import Logger
from twisted.python.failure import Failure

from wombat_ari.bridge.desk import Desk
from wombat_ari.engine.board import Board, Clock, LiveRun
from wombat_ari.engine.schedule import Schedule
from wombat_ari.model.calls import ClaimBatch
from wombat_ari.model.errors import StoreError
from wombat_ari.model.states import RunState

LOOK_AGAIN_S = 2.0  #: how often exhausted lists are looked at for appended numbers
COUNT_AGAIN_S = 5.0  #: how often the lists of all runs are asked how many numbers came, for the statistics

log = Logger()


class Refill:
    """``tick`` it often; it asks the database only when a hopper wants something. ``on_filled`` is told of an IDLE run
    that was looked at.
    """

    def __init__(self, board: Board, clock: Clock, desk: Desk, schedule: Schedule) -> None:
        self._board = board
        self._clock = clock
        self._desk = desk
        self._schedule = schedule
        self._count_again_at = 0.0
        self.on_filled: Callable[[LiveRun], None] = lambda run: None

    def tick(self) -> None:
        now = self._clock.seconds()
        for run in list(self._board.runs.values()):
            self.look(run)
        if now >= self._count_again_at:
            self._count_again_at = now + COUNT_AGAIN_S
            self._count_appended()

    def look(self, run: LiveRun) -> None:
        """Fill its hopper if it wants something; for a run that is not at work nothing is done."""
        if run.machine.state not in (RunState.RUNNING, RunState.IDLE):
            return
        now = self._clock.seconds()
        if run.hopper.exhausted and now >= run.look_again_at:
            run.look_again_at = now + LOOK_AGAIN_S
            run.hopper.exhausted = False
        fresh, retries = run.hopper.wants(now)
        if fresh or retries:
            self._fill(run, fresh, retries)

    def _fill(self, run: LiveRun, fresh: int, retries: int) -> None:
        run.hopper.filling = True
        now = self._clock.seconds()
        taken = self._desk.take(run.id, fresh=fresh, retries=retries, now=now, campaign=run.campaign)
        taken.addCallbacks(
            lambda batch: self._filled(run, batch, looked=fresh > 0, asked_at=now),
            lambda failure: self._failed(run, failure),
        ).addErrback(lambda failure: log.failure("refill: a mistake of ours", failure=failure))

    def _filled(self, run: LiveRun, batch: ClaimBatch, *, looked: bool, asked_at: float) -> None:
        run.hopper.filling = False
        if looked:
            run.hopper.exhausted = batch.exhausted
        run.hopper.next_retry_at = _earlier(run.hopper.next_retry_at, batch.next_retry_at, after=asked_at)
        self._count(run, batch)
        if run.machine.state == RunState.REMOVED:
            return  # removed while the claim was under way: the removal has given these up
        run.hopper.put([run.flight_of(claim, due=place < batch.due) for place, claim in enumerate(batch.claims)])
        if batch.claims:
            self._schedule.kick()
        if run.machine.state == RunState.IDLE:
            self.on_filled(run)

    def _count(self, run: LiveRun, batch: ClaimBatch) -> None:
        run.tally.open_retries += batch.open_retries
        run.tally.taken += batch.taken
        run.tally.closed += batch.blacklisted
        run.tally.attempts += batch.blacklisted
        for list_id, high_water, taken in batch.steps:
            _stepped(run, list_id, high_water, taken=taken)

    def _count_appended(self) -> None:
        """How many records remain is counted when a run is taken up; from then on only what came is."""
        ends = {(each.list_id, each.end) for run in self._board.runs.values() for each in run.lists.values()}
        if ends:
            self._desk.appended(ends).addCallback(self._appended).addErrback(self._not_counted)

    def _appended(self, grown: dict[tuple[int, int], tuple[int, int]]) -> None:
        for run in self._board.runs.values():
            for each in run.lists.values():
                came = grown.get((each.list_id, each.end))
                if came is not None:
                    run.lists[each.list_id] = replace(each, remaining=each.remaining + came[0], end=came[1])

    def _not_counted(self, failure: Failure) -> None:
        if failure.check(StoreError) is None:
            log.failure("refill: a mistake of ours", failure=failure)

    def _failed(self, run: LiveRun, failure: Failure) -> None:
        run.hopper.filling = False
        run.hopper.exhausted = False
        self._schedule.note_trouble(failure)


def _stepped(run: LiveRun, list_id: int, high_water: int, *, taken: int) -> None:
    known = run.lists.get(list_id)
    if known is not None:
        # What was appended since it was counted may be taken before it is known of: below zero for a moment.
        run.lists[list_id] = replace(
            known, high_water=high_water, taken=known.taken + taken, remaining=known.remaining - taken
        )


def _earlier(known: float | None, stored: float | None, *, after: float) -> float | None:
    """A retry of a call that has just ended is known here before the journal has stored it: it is not forgotten."""
    if known is None or known <= after:
        return stored
    return known if stored is None else min(known, stored)
