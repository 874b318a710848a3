"""Steps 7 and 8: a call has its outcome; decide whether it is tried again, and write down what happened.

A BUSY becomes a retry in ``settle``: ``core/reschedule`` answers the delay, the log row carries it, ``store/journal``
turns it into an open retry in the transaction that closes the attempt.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from twisted.logger import Logger

from wombat_ari.bridge.journal import Journal
from wombat_ari.core.errands import errands_of, late_errands_of
from wombat_ari.core.reschedule import retry_delay
from wombat_ari.engine.board import Board, Clock, Flight, LiveRun
from wombat_ari.engine.follow import progress_of
from wombat_ari.model import events as ev
from wombat_ari.model.calls import Amendment, CallResult
from wombat_ari.model.effects import Effect
from wombat_ari.model.events import CallEvent
from wombat_ari.model.states import LIVE_RUN_STATES, Outcome

LATE_S = 60.0  #: an extended status or attribute is still added so long after the hang-up

log = Logger()


@dataclass(slots=True)
class _Ended:
    """An attempt that ended a moment ago: late words are added to it."""

    run: LiveRun
    result: CallResult  #: with the late words that came
    at: float


class Settle:
    """``on_settled`` is told each run one of whose calls has ended."""

    def __init__(self, board: Board, clock: Clock, journal: Journal) -> None:
        self._board = board
        self._clock = clock
        self._journal = journal
        self._recent: OrderedDict[int, _Ended] = OrderedDict()
        self.on_settled: Callable[[LiveRun], None] = lambda run: None

    # Performers of effects

    def save(self, flight: Flight, effect: Effect) -> None:
        self._journal.add(progress_of(flight, self._clock.seconds()))

    def settle(self, flight: Flight, effect: Effect) -> None:
        call, run = flight.call, flight.run
        assert call.outcome is not None, "settled without an outcome"
        delay = retry_delay(run.campaign.rules, call.outcome, call.extended_status, call.attempt)
        ended = run.machine.state not in LIVE_RUN_STATES  # nothing is retried then, and nobody is told so
        result = self._result(flight, call.outcome, 0 if ended else delay or 0)
        errands = errands_of(result, run.campaign, run_name=run.title, now=self._clock.seconds())
        result = replace(result, errands=errands)
        self._board.flights.pop(call.wombatid, None)
        run.flights.pop(call.wombatid, None)
        self._journal.add(result)
        self._count(run, result)
        self._remember(run, result)
        if call.outcome == Outcome.RS_ERROR:
            log.warn("call {call} to {num}: {why}", call=call.wombatid, num=call.claim.number, why=result.message)
        if result.retry_at is not None:
            run.hopper.retry_added(result.retry_at)
        if call.evidence.overload and flight.route is not None:
            self._board.pbxs[flight.route.server_id].pressure.trouble(self._clock.seconds())
        self.on_settled(run)

    def late(self, event: CallEvent) -> None:
        """An event of a call that is not open: a late status or attribute is added to its log row."""
        ended = self._recent.get(event.call)
        if ended is None or self._clock.seconds() - ended.at > LATE_S:
            return
        outputs = ended.result.output_attributes
        if isinstance(event, ev.StatusSet):
            self._amend(ended, replace(ended.result, extended_status=event.code), {})
        elif isinstance(event, ev.AttributeSet | ev.AttributeAppended | ev.AttributeCleared):
            news = {event.name: _attribute_after(outputs.get(event.name, ""), event)}
            self._amend(ended, replace(ended.result, output_attributes={**outputs, **news}), news)

    def _amend(self, ended: _Ended, result: CallResult, news: dict[str, str]) -> None:
        run, before = ended.run, ended.result
        status = result.extended_status if result.extended_status != before.extended_status else None
        errands = late_errands_of(result, before, run.campaign, run_name=run.title, now=self._clock.seconds())
        self._journal.add(Amendment(result.claim.wombatid, status, news, errands))
        ended.result = replace(result, errands=())

    def _remember(self, run: LiveRun, result: CallResult) -> None:
        now = self._clock.seconds()
        self._recent[result.claim.wombatid] = _Ended(run, replace(result, errands=()), now)
        while self._recent and next(iter(self._recent.values())).at < now - LATE_S:
            self._recent.popitem(last=False)

    def _count(self, run: LiveRun, result: CallResult) -> None:
        run.tally.attempts += 1
        run.tally.answered += result.outcome == Outcome.TERMINATED or result.talk_ms > 0
        if result.retry_at is None:
            run.tally.closed += 1
        else:
            run.tally.rescheduled += 1
            run.tally.open_retries += 1

    def _result(self, flight: Flight, outcome: Outcome, retry_in_s: int) -> CallResult:
        call, route, seen = flight.call, flight.route, flight.call.evidence
        now = self._clock.seconds()
        wait_pre, wait_after, talk = call.waits_ms()
        return CallResult(
            claim=call.claim,
            outcome=outcome,
            extended_status=call.extended_status,
            output_attributes={**call.claim.output_attributes, **call.output_attributes},
            attempted_at=call.requested_at if call.requested_at is not None else now,
            ended_at=call.ended_at if call.ended_at is not None else now,
            wait_pre_ms=wait_pre,
            wait_after_ms=wait_after,
            talk_ms=talk,
            retry_in_s=retry_in_s,
            trunk_id=route.trunk.key if route else None,
            trunk_name=route.trunk.name if route else "",
            end_point_id=route.end_point.key if route else None,
            end_point_name=route.end_point.name if route else "",
            server_id=route.server_id if route else None,
            agent=call.agent,
            channel=call.channel,
            unique_id=call.unique_id,
            cause=seen.cause if seen.answered or seen.leg_cause is None else seen.leg_cause,
            sip_code=seen.sip_code,
            dial_status=seen.dial_status,
            message=seen.message,
        )


def _attribute_after(before: str, event: ev.AttributeSet | ev.AttributeAppended | ev.AttributeCleared) -> str:
    if isinstance(event, ev.AttributeCleared):
        return ""
    return before + event.value if isinstance(event, ev.AttributeAppended) else event.value
