"""Steps 7 to 9 once more: a status or an attribute that comes within a minute after the call has ended.

It is added to the attempt's row of the log. A status may change what is decided about the record: the rules are asked
again with it, while the run lives and the retry that was decided first is not taken. Until what is decided anew is
written, the run takes no claims, so that what is in memory and what the database finds are the same.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from twisted.logger import Logger

from wombat_ari.bridge.journal import Journal
from wombat_ari.core.disposition import fitting
from wombat_ari.core.errands import late_errands_of
from wombat_ari.core.reschedule import retry_delay
from wombat_ari.engine.board import Clock, Flight, LiveRun
from wombat_ari.model import events as ev
from wombat_ari.model.calls import Amendment, CallResult
from wombat_ari.model.entities import DispositionRule
from wombat_ari.model.events import CallEvent
from wombat_ari.model.states import LIVE_RUN_STATES

LATE_S = 60.0  #: so long after the hang-up
AGAIN_S = 0.05  #: while the run's claims are under way it is not known whether the retry is taken

ATTRIBUTES = (ev.AttributeSet, ev.AttributeAppended, ev.AttributeCleared)

log = Logger()


@dataclass(slots=True)
class Ended:
    """An attempt that ended a moment ago."""

    flight: Flight
    result: CallResult  #: with the late words that came
    at: float
    done: frozenset[DispositionRule]  #: rules that were obeyed
    words: deque[CallEvent] = field(default_factory=deque)  #: late ones that are still to be heard, in order
    waits: bool = False  #: until the claims of its run are through; the run does not end meanwhile


class Amend:
    """``tell`` hears each late word with the attempt as it is then, ``on_written`` each run that may claim again."""

    def __init__(self, clock: Clock, journal: Journal) -> None:
        self._clock = clock
        self._journal = journal
        self._recent: OrderedDict[int, Ended] = OrderedDict()
        self.tell: Callable[[Flight, CallEvent, CallResult], None] = lambda flight, event, result: None
        self.on_written: Callable[[LiveRun], None] = lambda run: None

    def remember(self, flight: Flight, result: CallResult) -> None:
        now = self._clock.seconds()
        done = frozenset(fitting(flight.run.campaign, result))
        self._recent[result.claim.wombatid] = Ended(flight, replace(result, errands=()), now, done)
        while self._recent and next(iter(self._recent.values())).at < now - LATE_S:
            self._recent.popitem(last=False)

    def remembers(self, wombatid: int) -> bool:
        """It ended so short a time ago that a late word is added to it."""
        ended = self._recent.get(wombatid)
        return ended is not None and self._clock.seconds() - ended.at <= LATE_S

    def late(self, event: CallEvent) -> None:
        """An event of a call that is not open."""
        if not self.remembers(event.call):
            return
        ended = self._recent[event.call]
        if isinstance(event, (ev.StatusSet, *ATTRIBUTES)):
            ended.words.append(event)
            if len(ended.words) == 1:
                self._hear(ended)

    def _hear(self, ended: Ended) -> None:
        while ended.words:
            word = ended.words[0]
            if isinstance(word, ev.StatusSet):
                retry_in_s = self._decided(ended, word.code)
                self._wait(ended, retry_in_s is None)
                if retry_in_s is None:
                    self._clock.callLater(AGAIN_S, self._hear, ended)
                    return
                self._status(ended, word.code, retry_in_s)
            elif isinstance(word, ev.AttributeSet | ev.AttributeAppended | ev.AttributeCleared):
                self._attribute(ended, word)
            ended.words.popleft()
            self.tell(ended.flight, word, ended.result)

    def _wait(self, ended: Ended, waits: bool) -> None:
        ended.flight.run.appending += waits - ended.waits
        ended.waits = waits

    def _decided(self, ended: Ended, code: str) -> int | None:
        """Seconds to the next try by the rules with this status; as it was where that cannot be changed any more. None:
        whether it can is not known yet.
        """
        run, result = ended.flight.run, ended.result
        if run.machine.state not in LIVE_RUN_STATES:
            return result.retry_in_s
        wanted = retry_delay(run.campaign.rules, result.outcome, code, result.claim.attempt) or 0
        if wanted == result.retry_in_s:
            return wanted
        if run.hopper.filling:
            return None
        return result.retry_in_s if self._taken(run, result) else wanted

    def _taken(self, run: LiveRun, result: CallResult) -> bool:
        """Whether the retry of this attempt was claimed: it waits in the hopper, is on its way, or has ended."""
        if not result.retry_in_s:
            return False
        claims = [flight.call.claim for flight in (*run.hopper, *run.flights.values())]
        claims += [each.result.claim for each in self._recent.values() if each.flight.run is run]
        record, attempt = result.claim.record_id, result.claim.attempt
        return any(claim.record_id == record and claim.attempt > attempt for claim in claims)

    def _status(self, ended: Ended, code: str, retry_in_s: int) -> None:
        run, before = ended.flight.run, ended.result
        result = replace(before, extended_status=code, retry_in_s=retry_in_s)
        errands = late_errands_of(
            result, before, run.campaign, run_name=run.title, now=self._clock.seconds(), done=ended.done
        )
        ended.done |= frozenset(fitting(run.campaign, result))
        ended.result = result
        if retry_in_s == before.retry_in_s:
            self._journal.add(Amendment(result.claim.wombatid, code, {}, errands))
            return
        log.info(
            "call {call}: {code} makes its retry {after} s instead of {before} s (0: none)",
            call=result.claim.wombatid, code=code, before=before.retry_in_s, after=retry_in_s,
        )  # fmt: skip
        self._journal.add(Amendment(result.claim.wombatid, code, {}, errands, run_id=run.id, retry_in_s=retry_in_s))
        _count(run, before, result)
        # Claims wait until it is written: the retry that they would take may be gone, or be another.
        run.hopper.filling = True
        self._journal.drain().addCallback(lambda _: self._go_on(run))

    def _go_on(self, run: LiveRun) -> None:
        """The run's claims have their turn before the next word, however many come."""
        run.hopper.filling = False
        self.on_written(run)

    def _attribute(self, ended: Ended, word: ev.AttributeSet | ev.AttributeAppended | ev.AttributeCleared) -> None:
        outputs = ended.result.output_attributes
        news = {word.name: _attribute_after(outputs.get(word.name, ""), word)}
        ended.result = replace(ended.result, output_attributes={**outputs, **news})
        self._journal.add(Amendment(word.call, None, news))


def _count(run: LiveRun, before: CallResult, after: CallResult) -> None:
    reopened = bool(after.retry_in_s) - bool(before.retry_in_s)
    run.tally.closed -= reopened
    run.tally.rescheduled += reopened
    run.tally.open_retries += reopened
    if after.retry_at is not None:
        run.hopper.retry_added(after.retry_at)


def _attribute_after(before: str, event: ev.AttributeSet | ev.AttributeAppended | ev.AttributeCleared) -> str:
    if isinstance(event, ev.AttributeCleared):
        return ""
    return before + event.value if isinstance(event, ev.AttributeAppended) else event.value
