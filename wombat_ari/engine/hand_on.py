"""Around it: errands that change our own database: a record onto a list, a number onto a black list, a record to the
live run of another campaign.

While a record is being handed to a run it is not out of numbers, as with calls from outside; then it looks at once.
"""

from twisted.internet.defer import Deferred, succeed

from wombat_ari.bridge.desk import Desk
from wombat_ari.engine.append import Append
from wombat_ari.engine.board import Board, Clock, LiveRun
from wombat_ari.engine.refill import Refill
from wombat_ari.model.calls import RunList
from wombat_ari.model.errands import ErrandKind, OutboxRow, Receipt

Receipts = list[Receipt]


class HandOn:
    """``perform`` answers a receipt for each; what cannot be done now is tried again later."""

    def __init__(self, board: Board, clock: Clock, *, desk: Desk, refill: Refill, append: Append) -> None:
        self._board = board
        self._clock = clock
        self._desk = desk
        self._refill = refill
        self._append = append

    def perform(self, rows: list[OutboxRow]) -> Deferred[Receipts]:
        """Rows of one receiver: one list, or one campaign."""
        if rows[0].errand.kind != ErrandKind.RESCHEDULE:
            return self._desk.perform_errands(rows, now=self._clock.seconds()).addCallback(self._listed, rows)
        campaign = str(rows[0].errand.payload["campaign"])
        run = self._board.run_of(campaign)
        if run is None:
            why = f"campaign {campaign!r} has no live run that could take the record"
            return succeed([Receipt(why)] * len(rows))
        run.appending += 1
        done = self._desk.perform_errands(rows, now=self._clock.seconds())
        return done.addBoth(self._released, run).addCallback(self._handed, run)

    def _listed(self, receipts: Receipts, rows: list[OutboxRow]) -> Receipts:
        if rows[0].errand.kind == ErrandKind.ADD_LIST and not all(receipt.error for receipt in receipts):
            self._append.numbers_came(str(rows[0].errand.payload["list"]))
        return receipts

    def _released(self, result: object, run: LiveRun) -> object:
        run.appending -= 1
        return result

    def _handed(self, receipts: Receipts, run: LiveRun) -> Receipts:
        if not all(receipt.error for receipt in receipts):
            self._desk.run_lists(run.id).addCallbacks(_take_lists, lambda failure: None, callbackArgs=(run,))
            run.hopper.exhausted = False
            self._refill.look(run)
        return receipts


def _take_lists(lists: list[RunList], run: LiveRun) -> None:
    """Its list of calls from outside may have come to the run by this."""
    for each in lists:
        run.lists.setdefault(each.list_id, each)
