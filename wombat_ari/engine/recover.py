"""Around it: take up what was going on before. At start from the database, after each reconnection from the PBX.

While a server's link is down its calls are unseen and keep their lines. When it is back: list what lives (events that
come meanwhile are applied as they come), then tell each call what was found. Only then are new calls placed there.
"""

from collections.abc import Callable

from twisted.logger import Logger
from twisted.python.failure import Failure

from wombat_ari.bridge.desk import Desk, LoadedRun
from wombat_ari.bridge.journal import Journal
from wombat_ari.core.turns import Route
from wombat_ari.engine.board import PLACEABLE, Board, Clock, Flight, LiveRun, Pbx
from wombat_ari.engine.dial import Dial
from wombat_ari.engine.follow import Follow
from wombat_ari.engine.schedule import Schedule
from wombat_ari.engine.supervise import Supervise
from wombat_ari.model import events as ev
from wombat_ari.model.calls import OpenAttempt, SystemLogEntry
from wombat_ari.model.events import CallEvent, Survey
from wombat_ari.model.states import CallState, DialerState

SURVEY_AGAIN_S = 2.0
SWEEP_S = 600.0  #: how often a PBX's notes about ended calls are deleted

log = Logger()


class Recover:
    """``on_survey`` is told what was found, when the calls have been told and before new ones are placed;
    ``on_taken_up`` each call that was placed before a restart.
    """

    def __init__(
        self,
        board: Board,
        clock: Clock,
        *,
        desk: Desk,
        journal: Journal,
        follow: Follow,
        dial: Dial,
        schedule: Schedule,
        supervise: Supervise,
    ) -> None:
        self._board = board
        self._clock = clock
        self._desk = desk
        self._journal = journal
        self._follow = follow
        self._dial = dial
        self._schedule = schedule
        self._supervise = supervise
        self.on_survey: Callable[[Pbx, Survey], None] = lambda pbx, survey: None
        self.on_taken_up: Callable[[Flight], None] = lambda flight: None

    async def take_up_runs(self) -> None:
        """At start, before the first pass: the live runs with their hoppers and open calls."""
        for loaded in await self._desk.unfinished_runs():
            run = self._supervise.adopt(loaded)
            self._take_up_calls(run, loaded)
            log.info(
                "run {run} of {campaign} taken up: {state}, {hopper} in the hopper, {open} calls open",
                run=run.id, campaign=run.name, state=run.machine.state, hopper=len(run.hopper), open=len(run.flights),
            )  # fmt: skip

    # The link's life

    def link_up(self, pbx: Pbx, event: ev.LinkUp) -> None:
        log.info("PBX {name} connected, Asterisk {version}", name=pbx.server.description, version=event.version)
        self._say(pbx, "PBX up", f"Asterisk {event.version}")
        pbx.since = self._clock.seconds()
        self._survey(pbx)

    def link_down(self, pbx: Pbx, event: ev.LinkDown) -> None:
        was_up, pbx.since, pbx.ready = pbx.since is not None, None, False
        if was_up and self._board.state != DialerState.STOPPING:
            log.warn("PBX {name} lost: {reason}", name=pbx.server.description, reason=event.reason)
            self._say(pbx, "PBX down", event.reason)
        self._dial.drop(pbx)
        self._tell_all(pbx, ev.LinkBroke)

    def shutdown(self, pbx: Pbx) -> None:
        """Asterisk goes down: what ended with cause 0 just now, and what is still open, is lost."""
        log.warn("PBX {name} is shutting down", name=pbx.server.description)
        pbx.ready = False
        self._tell_all(pbx, ev.PbxStopped)

    def _tell_all(self, pbx: Pbx, kind: type[CallEvent]) -> None:
        for flight in self._board.flights_on(pbx.id):
            self._follow.tell(flight, kind(flight.call.wombatid))

    # Reconciliation

    def _survey(self, pbx: Pbx) -> None:
        pbx.driver.survey().addCallbacks(
            lambda survey: self._reconcile(pbx, survey), lambda failure: self._survey_failed(pbx, failure)
        ).addErrback(lambda failure: log.failure("reconciliation: a mistake of ours", failure=failure))

    def _survey_failed(self, pbx: Pbx, failure: Failure) -> None:
        log.warn("PBX {name}: cannot list its calls: {why}", name=pbx.server.description, why=str(failure.value))
        if pbx.driver.connected:
            self._clock.callLater(SURVEY_AGAIN_S, self._survey_again, pbx)

    def _survey_again(self, pbx: Pbx) -> None:
        if pbx.driver.connected and not pbx.ready:
            self._survey(pbx)

    def _reconcile(self, pbx: Pbx, survey: Survey) -> None:
        live = {channel.wombatid: channel for channel in survey.live}
        for flight in self._board.flights_on(pbx.id):
            if flight.call.state == CallState.IN_HOPPER or flight.call.state in PLACEABLE:
                continue
            self._follow.tell(flight, self._finding(flight, live, survey))
        strangers = [wombatid for wombatid in live if wombatid not in self._board.flights]
        if strangers:
            log.warn(
                "PBX {name}: {count} calls with ids of a dialer are not ours (first: {first}); left alone",
                name=pbx.server.description, count=len(strangers), first=strangers[0],
            )  # fmt: skip
        self.on_survey(pbx, survey)
        pbx.ready, pbx.swept_at = True, self._clock.seconds()
        if survey.traces:
            # Their ends must be in the database before the PBX's notes about them go.
            self._journal.drain().addCallback(lambda _: pbx.driver.forget_traces(list(survey.traces)))
        self._schedule.kick()

    def _finding(self, flight: Flight, live: dict[int, ev.LiveChannel], survey: Survey) -> CallEvent:
        wombatid = flight.call.wombatid
        found, trace = live.get(wombatid), survey.traces.get(wombatid)
        if found is not None:
            return ev.FoundLive(wombatid, found.channel, found.up, found.seconds, found.bridged)
        if trace is not None:
            return ev.TraceFound(
                wombatid, trace.answered, trace.cause, trace.dial_status, trace.ended_at, trace.talk_ms
            )
        requested = flight.call.requested_at
        if requested is not None and survey.booted_at > requested:
            return ev.PbxStopped(wombatid)
        return ev.FoundGone(wombatid)

    def sweep(self, pbx: Pbx) -> None:
        """Now and then delete the notes about calls whose ends were told by events: nobody else does.

        What was told must be in the database first: if the dialer died in between, only the note would know.
        """
        now = self._clock.seconds()
        if pbx.ready and now - pbx.swept_at >= SWEEP_S:
            pbx.swept_at = now
            self._journal.drain().addCallback(lambda _: pbx.driver.sweep_traces())

    # Start

    def _take_up_calls(self, run: LiveRun, loaded: LoadedRun) -> None:
        waiting = [attempt for attempt in loaded.open_attempts if attempt.state == CallState.IN_HOPPER]
        run.hopper.put([run.flight_of(attempt.claim) for attempt in waiting])
        for attempt in loaded.open_attempts:
            if attempt.state != CallState.IN_HOPPER:
                self._take_up(run, attempt)

    def _take_up(self, run: LiveRun, attempt: OpenAttempt) -> None:
        flight = run.flight_of(attempt.claim)
        wombatid = attempt.claim.wombatid
        times = (attempt.requested_at, attempt.dialling_at, attempt.connected_at)
        flight.call.take_up(attempt.state, times)
        flight.call.assign(attempt.agent_interface, attempt.agent)
        route = self._route_of(attempt)
        self._board.flights[wombatid] = run.flights[wombatid] = flight
        if route is None:
            # Its server, trunk or end point is gone from the configuration: nobody can tell what became of it.
            flight.call.holds_line = False
            self._follow.tell(flight, ev.FoundGone(wombatid))
            return
        flight.route = route
        route.trunk.take_back()
        route.end_point.take_back()
        self.on_taken_up(flight)

    def _route_of(self, attempt: OpenAttempt) -> Route | None:
        trunk = self._board.trunk_lines.get(attempt.trunk_id or 0)
        end_point = self._board.end_point_lines.get(attempt.end_point_id or 0)
        if trunk is None or end_point is None or trunk.server_id not in self._board.pbxs:
            return None
        return Route(trunk, end_point, trunk.server_id)

    def _say(self, pbx: Pbx, action: str, detail: str) -> None:
        now = self._clock.seconds()
        self._journal.add(SystemLogEntry(now, "dialer", action, f"server {pbx.server.description}", detail))
