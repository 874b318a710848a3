"""Around it: what is to be told or done outside is taken from the outbox and delivered.

A look at the outbox brings what is due, some of each receiver; so many are under way in all and to each. One that is
held (``core/receivers``) gets a try now and then and delays nobody else; its rows stay where they are. What came of
each try is written down in batches (``bridge/receipts``), and a row goes only when it is done.
"""

import random
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from wombat_ari.bridge.desk import Desk
from wombat_ari.bridge.journal import Journal
from wombat_ari.bridge.receipts import Receipts
from wombat_ari.core.receivers import FIRST_S, REFUSALS, Receiver, Turn, undone
from wombat_ari.engine.board import Clock
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.model.errands import DueErrands, ErrandKind, OutboxRow, Receipt, ReceiverCount
from wombat_ari.model.errors import StoreError

LOOK_S = 5.0  #: what another process wrote or replayed is found by then
AWAY_S = 1.0  #: the database is asked again after so long
COUNT_S = 10.0  #: how old the numbers of waiting and parked rows may be
KNOWN = 100  #: rows of a receiver in memory at which no more are looked for
TOGETHER = 50  #: what changes our own database is done so many at a time
GRACE_S = 3600.0  #: after a start nothing is given up so long: it may have waited for us
STOP_S = 2.0  #: what is under way at a stop may end so long; else it is sent again after the start

_ACTS = (ErrandKind.ADD_LIST, ErrandKind.BLACK_LIST, ErrandKind.RESCHEDULE)

log = Logger()

Send = Callable[[OutboxRow], "Deferred[Receipt]"]


@dataclass(frozen=True, slots=True)
class DeliverLimits:
    in_flight: int = 64  #: in all
    per_receiver: int = 8
    give_up_s: float = 86400.0  #: parked so long after it was due first


class Deliver:
    """``send`` makes one try of what goes outside, and never fails; None: nothing is delivered. ``chance`` spreads the
    tries.
    """

    def __init__(
        self,
        clock: Clock,
        desk: Desk,
        journal: Journal,
        send: Send | None,
        *,
        limits: DeliverLimits,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._desk = desk
        self.perform: Callable[[list[OutboxRow]], Deferred[list[Receipt]]] = lambda rows: desk.perform_errands(
            rows, now=clock.seconds()
        )
        self._journal = journal
        self._send_outside = send
        self._limits = limits
        self._chance = chance
        self._receivers: OrderedDict[str, Receiver] = OrderedDict()
        self._known: set[int] = set()
        self._overtaken: set[int] = set()  #: written down while a look was under way: it may tell what they were before
        self._in_flight = 0
        self._receipts = Receipts(clock, lambda done, undone: desk.settle_errands(done=done, undone=undone))
        self._receipts.on_written = self._settled
        self._names: dict[int, str] = {}  #: whose each row is that was tried and is not written down
        self._looking = self._look_again = self._pumping = self._counting = False
        self._next_at: float | None = None
        self._timer: Any = None
        self._count_at = 0.0
        self._started_at = 0.0
        self._running = False
        self.trouble = ""  #: what the database last said, empty when all is well

    def start(self) -> None:
        if self._send_outside is None:
            return
        self._running, self._started_at = True, self._clock.seconds()
        self._journal.on_written = self._written
        self.look()

    async def stop(self) -> None:
        """Begin nothing, let end what is under way, write down what is done."""
        self._running = False
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        until = self._clock.seconds() + STOP_S
        while (self._in_flight or self._receipts.waiting) and self._clock.seconds() < until:
            moment: Deferred[None] = Deferred()
            self._clock.callLater(0.05, moment.callback, None)
            await moment

    def retry(self, name: str) -> None:
        """A person says that this receiver (an empty text: each) is well again: it is tried now."""
        for receiver in self._receivers.values():
            if name in ("", receiver.name):
                receiver.held_until = 0.0
        self.look()

    def look(self) -> None:
        """Ask what is due, now."""
        if self._looking:
            self._look_again = True
        elif self._running:
            self._looking = True
            now = self._clock.seconds()
            held = [each.name for each in self._receivers.values() if each.held_until > now or each.known >= KNOWN]
            due = self._desk.due_errands(now=now, held=held, limit=2 * KNOWN)
            due.addCallbacks(self._found, self._not_found).addErrback(self._fence)

    @property
    def in_flight(self) -> int:
        return self._in_flight

    @property
    def says(self) -> str:
        """What is wrong with the outbox itself. Empty: all is well."""
        return self.trouble or self._receipts.trouble

    def receivers(self) -> list[Receiver]:
        """How each is, by name."""
        return sorted(self._receivers.values(), key=lambda each: each.name)

    # Looking

    def _written(self, entries: Sequence[Any]) -> None:
        if any(getattr(entry, "errands", ()) for entry in entries):
            self.look()

    def _found(self, due: DueErrands) -> None:
        self._looking, self.trouble = False, ""
        self._next_at = due.next_at
        brought: dict[str, int] = {}
        for row in due.rows:
            name = row.errand.receiver
            brought[name] = brought.get(name, 0) + 1
            if row.id not in self._known and row.id not in self._overtaken:
                self._known.add(row.id)
                receiver = self._receiver(name)
                receiver.known += 1
                receiver.ready.append(row)
        for name, count in brought.items():
            self._receiver(name).more = count >= 2 * KNOWN
        self._overtaken.clear()
        self._count()
        self._pump()
        self._sleep()

    def _not_found(self, failure: Failure) -> None:
        self._looking = False
        self._overtaken.clear()
        self._say_trouble(failure)
        self._sleep(AWAY_S)

    def _sleep(self, longest: float = LOOK_S) -> None:
        """Until something falls due, a hold ends, or it is time to look in any case."""
        if not self._running:
            return
        now = self._clock.seconds()
        moments = [each.held_until for each in self._receivers.values() if each.held_until > now]
        if self._next_at is not None and longest == LOOK_S:
            moments.append(self._next_at)
        seconds = 0.0 if self._look_again else max(0.0, min([now + longest, *moments]) - now)
        self._look_again = False
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = self._clock.callLater(seconds, self.look)

    def _receiver(self, name: str) -> Receiver:
        return self._receivers.setdefault(name, Receiver(name))

    def _count(self) -> None:
        now = self._clock.seconds()
        if now >= self._count_at and not self._counting:
            self._counting = True
            counts = self._desk.count_errands()
            counts.addCallbacks(self._counted, self._not_counted, callbackArgs=(now,)).addErrback(self._fence)

    def _counted(self, counts: list[ReceiverCount], asked_at: float) -> None:
        now = self._clock.seconds()
        self._counting = False
        # With a million rows it takes a second: then it is done seldom.
        self._count_at = now + max(COUNT_S, 50 * (now - asked_at))
        found = {each.receiver: each for each in counts}
        for name in found:
            self._receiver(name)
        for receiver in self._receivers.values():
            count = found.get(receiver.name) or ReceiverCount(receiver.name, 0, 0)
            if count.parked > receiver.parked:
                self._log("errands parked", receiver, f"{count.parked:,} in all; {receiver.error}")
            receiver.waiting, receiver.parked = count.waiting, count.parked

    def _not_counted(self, failure: Failure) -> None:
        self._counting = False
        self._count_at = self._clock.seconds() + COUNT_S
        self._say_trouble(failure)

    # Sending

    def _pump(self) -> None:
        """Begin what may be begun, one of each receiver in turn."""
        if self._pumping or not self._running:
            return
        self._pumping = True
        try:
            while sum(self._begin(each) for each in list(self._receivers.values())):
                """Until none of them may begin one more."""
        finally:
            self._pumping = False

    def _begin(self, receiver: Receiver) -> bool:
        if not receiver.ready or self._in_flight >= self._limits.in_flight:
            return False
        if not receiver.room(self._clock.seconds(), self._limits.per_receiver):
            return False
        self._receivers.move_to_end(receiver.name)
        rows = [receiver.ready.popleft()]
        while rows[0].errand.kind in _ACTS and receiver.ready and len(rows) < TOGETHER:
            if receiver.ready[0].errand.kind not in _ACTS:
                break
            rows.append(receiver.ready.popleft())
        receiver.in_flight += 1
        self._in_flight += 1
        tried = self._try(rows).addErrback(_mistake, rows)
        tried.addCallback(self._tried, receiver, rows, self._clock.seconds()).addErrback(self._fence)
        return True

    def _try(self, rows: list[OutboxRow]) -> "Deferred[list[Receipt]]":
        if rows[0].errand.kind in _ACTS:
            return self.perform(rows)
        assert self._send_outside is not None, "started without anybody who sends"
        return self._send_outside(rows[0]).addCallback(lambda receipt: [receipt])

    def _tried(self, receipts: list[Receipt], receiver: Receiver, rows: list[OutboxRow], begun_at: float) -> None:
        receiver.in_flight -= 1
        self._in_flight -= 1
        for receipt, row in zip(receipts, rows, strict=True):
            self._names[row.id] = receiver.name
            if receipt.error:
                parked = self._put_off(row, receipt)
            else:
                parked = False
                self._receipts.done(row)
            self._turned(receiver, receipt, begun_at)
            if parked and not receipt.hopeless:
                # Its time was over. The next one's may be, too: it need not wait until the receiver's long hold ends.
                receiver.held_until = min(receiver.held_until, self._clock.seconds() + FIRST_S)
        self._receipts.write()
        self._pump()

    def _put_off(self, row: OutboxRow, receipt: Receipt) -> bool:
        """Whether it is parked."""
        last_try_at = self._last_try_at(row.first_due_at)
        now = self._clock.seconds()
        entry = undone(row, receipt, now=now, last_try_at=last_try_at, chance=self._chance())
        self._receipts.undone(entry)
        if entry.parked:
            log.warn(
                "errand {id} for {receiver} is parked after {tries} tries: {error}",
                id=row.id, receiver=row.errand.receiver, tries=entry.tries, error=entry.error,
            )  # fmt: skip
        elif self._next_at is None or entry.due_at < self._next_at:
            self._next_at = entry.due_at
            self._sleep()
        return entry.parked

    def _last_try_at(self, first_due_at: float) -> float:
        give_up_s = self._limits.give_up_s
        return max(first_due_at + give_up_s, self._started_at + min(GRACE_S, give_up_s))

    def _turned(self, receiver: Receiver, receipt: Receipt, begun_at: float) -> None:
        now = self._clock.seconds()
        turn = receiver.tried(receipt, begun_at=begun_at, now=now, chance=self._chance())
        if turn in (Turn.FAILING, Turn.WELL):
            self._log(turn, receiver, receipt.error)
        if turn in (Turn.FAILING, Turn.HELD):
            self._forget(receiver)
            self._give_up(receiver)
            self._sleep()

    def _forget(self, receiver: Receiver) -> None:
        """What was not begun is looked for again when the hold ends."""
        self._known.difference_update(row.id for row in receiver.ready)
        receiver.known -= len(receiver.ready)
        receiver.ready.clear()

    def _give_up(self, receiver: Receiver) -> None:
        """Park what has waited too long without its turn: of many rows only one is tried now and then."""
        now = self._clock.seconds()
        if receiver.holds < REFUSALS or now < self._last_try_at(0.0):
            return
        before = now - self._limits.give_up_s
        parked = self._desk.give_up_errands(receiver.name, before=before, error=receiver.error, now=now)
        parked.addCallbacks(lambda count: self._give_up(receiver) if count else None, self._say_trouble)
        parked.addErrback(self._fence)

    def _log(self, action: str, receiver: Receiver, detail: str) -> None:
        log.info("{action}: {receiver}: {detail}", action=action, receiver=receiver.name, detail=detail)
        self._journal.add(SystemLogEntry(self._clock.seconds(), "dialer", action, receiver.name, detail))

    # Written down

    def _settled(self, ids: list[int], freed: bool) -> None:
        self._known.difference_update(ids)
        if self._looking:
            self._overtaken.update(ids)
        for row_id in ids:
            self._receivers[self._names.pop(row_id)].known -= 1
        if freed or any(each.more and each.known < KNOWN // 2 for each in self._receivers.values()):
            self.look()

    def _say_trouble(self, failure: Failure) -> None:
        if failure.check(StoreError) is None:
            log.failure("outbox: a mistake of ours", failure=failure)
        trouble = failure.getErrorMessage()
        if trouble != self.trouble:
            log.warn("the outbox cannot be read or written: {trouble}", trouble=trouble)
        self.trouble = trouble

    def _fence(self, failure: Failure) -> None:
        log.failure("deliver: a mistake of ours", failure=failure)


def _mistake(failure: Failure, rows: list[OutboxRow]) -> list[Receipt]:
    """A try that did not even answer: the database is away, or a mistake of ours."""
    if failure.check(StoreError) is None:
        log.failure("errands {ids}: a mistake of ours", failure=failure, ids=[row.id for row in rows])
    return [Receipt(f"{failure.type.__name__}: {failure.getErrorMessage()}", reached=False)] * len(rows)
