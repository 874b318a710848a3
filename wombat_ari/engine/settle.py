"""Steps 7 and 8: a call has its outcome; decide whether it is tried again, and write down what happened.

A BUSY becomes a retry in ``settle``: ``core/reschedule`` answers the delay, the log row carries it, ``store/journal``
turns it into an open retry in the transaction that closes the attempt.
"""

from collections.abc import Callable
from dataclasses import replace

from twisted.logger import Logger

from wombat_ari.bridge.journal import Journal
from wombat_ari.core.errands import errands_of
from wombat_ari.core.reschedule import retry_delay
from wombat_ari.engine.amend import Amend
from wombat_ari.engine.board import Board, Clock, Flight, LiveRun
from wombat_ari.engine.follow import progress_of
from wombat_ari.model.calls import CallResult
from wombat_ari.model.effects import Effect
from wombat_ari.model.states import LIVE_RUN_STATES, Outcome

log = Logger()


class Settle:
    """``on_settled`` is told each run one of whose calls has ended."""

    def __init__(self, board: Board, clock: Clock, journal: Journal, amend: Amend) -> None:
        self._board = board
        self._clock = clock
        self._journal = journal
        self._amend = amend
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
        self._amend.remember(flight, result)
        if call.outcome == Outcome.RS_ERROR:
            log.warn("call {call} to {num}: {why}", call=call.wombatid, num=call.claim.number, why=result.message)
        if result.retry_at is not None:
            run.hopper.retry_added(result.retry_at)
        if call.evidence.overload and flight.route is not None:
            self._board.pbxs[flight.route.server_id].pressure.trouble(self._clock.seconds())
        self.on_settled(run)

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
