"""Around it: take up what was going on before. At start from the database, after each reconnection from the PBX.

While a server's link is down its calls are unseen and keep their lines. When it is back: list what lives (events that
come meanwhile are applied as they come), then tell each call what was found. Only then are new calls placed there.

Each server is on its own: nothing here waits for another. The system log is told once that one is down, however often
it is tried and whatever the reasons, and once that it is up: when its calls are known, not when it let us in.
"""

from collections.abc import Callable

from twisted.logger import Logger
from twisted.python.failure import Failure

from wombat_ari.bridge.desk import Desk, LoadedRun
from wombat_ari.bridge.journal import Journal
from wombat_ari.core.routes import Route, route_over
from wombat_ari.engine.board import PLACEABLE, Board, Clock, Flight, LiveRun, Pbx
from wombat_ari.engine.dial import Dial
from wombat_ari.engine.follow import Follow
from wombat_ari.engine.schedule import Schedule
from wombat_ari.engine.supervise import Supervise
from wombat_ari.model import effects as do
from wombat_ari.model import events as ev
from wombat_ari.model.calls import OpenAttempt, SystemLogEntry
from wombat_ari.model.events import CallEvent, Survey
from wombat_ari.model.ids import series_of
from wombat_ari.model.states import CallState, DialerState
from wombat_ari.pbx.driver import Driver

SURVEY_AGAIN_S = 2.0
NOT_YET_S = 5.0  #: a PBX that is behind may make the channel of a call so long after it was told to
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
        self._series = 0  #: of all our WOMBATIDs: what has another belongs to another dialer
        self.on_survey: Callable[[Pbx, Survey], None] = lambda pbx, survey: None
        self.on_taken_up: Callable[[Flight], None] = lambda flight: None

    async def take_up_runs(self) -> None:
        """At start, before the first pass: the live runs with their hoppers and open calls."""
        self._series = await self._desk.series(now=self._clock.seconds())
        for loaded in await self._desk.unfinished_runs():
            run = self._supervise.adopt(loaded)
            self._take_up_calls(run, loaded)
            self._supervise.look_at(run)  # its hours may have ended meanwhile: before the first pass, not with a tick
            log.info(
                "run {run} of {campaign} taken up: {state}, {hopper} in the hopper, {open} calls open",
                run=run.id, campaign=run.name, state=run.machine.state, hopper=len(run.hopper), open=len(run.flights),
            )  # fmt: skip

    # The link's life

    def link_up(self, pbx: Pbx, event: ev.LinkUp) -> None:
        log.info("PBX {name} connected, Asterisk {version}", name=pbx.server.description, version=event.version)
        pbx.trouble = pbx.trouble or "its calls are being listed"  # until they are, it is not known to be well
        self._survey(pbx)

    def link_down(self, pbx: Pbx, event: ev.LinkDown) -> None:
        pbx.surveyed, pbx.trouble = False, event.reason
        self._is(pbx, up=False, why=event.reason)
        self._dial.drop(pbx)
        self._tell_all(pbx, ev.LinkBroke)

    def shutdown(self, pbx: Pbx) -> None:
        """Asterisk goes down: what ended with cause 0 just now, and what is still open, is lost."""
        log.warn("PBX {name} is shutting down", name=pbx.server.description)
        pbx.surveyed, pbx.trouble = False, "it is shutting down"
        self._tell_all(pbx, ev.PbxStopped)

    def _tell_all(self, pbx: Pbx, kind: type[CallEvent]) -> None:
        for flight in self._board.flights_on(pbx.id):
            self._follow.tell(flight, kind(flight.call.wombatid))

    # Reconciliation

    def _survey(self, pbx: Pbx) -> None:
        driver = pbx.driver
        driver.survey().addCallbacks(
            lambda survey: self._reconcile(pbx, driver, survey),
            lambda failure: self._survey_failed(pbx, driver, failure),
        ).addErrback(lambda failure: log.failure("reconciliation: a mistake of ours", failure=failure))

    def _survey_failed(self, pbx: Pbx, driver: Driver, failure: Failure) -> None:
        if not _is_current(pbx, driver):
            return
        trouble = f"its calls cannot be listed: {failure.value}"
        if trouble != pbx.trouble:
            log.warn("PBX {name}: {trouble}", name=pbx.server.description, trouble=trouble)
            pbx.trouble = trouble
        self._clock.callLater(SURVEY_AGAIN_S, self._survey_again, pbx, driver)

    def _survey_again(self, pbx: Pbx, driver: Driver) -> None:
        if _is_current(pbx, driver) and not pbx.surveyed:
            self._survey(pbx)

    def _reconcile(self, pbx: Pbx, driver: Driver, survey: Survey) -> None:
        if not _is_current(pbx, driver):
            return
        live = {channel.wombatid: channel for channel in survey.live}
        doubtful = []
        for flight in self._board.flights_on(pbx.id):
            if flight.call.state == CallState.IN_HOPPER or flight.call.state in PLACEABLE:
                continue
            finding = self._finding(flight, live, survey)
            if isinstance(finding, ev.FoundGone) and not flight.call.evidence.channel_seen:
                doubtful.append(flight)
            else:
                self._follow.tell(flight, finding)
        if doubtful:
            self._clock.callLater(NOT_YET_S, self._look_again, pbx, driver, doubtful)
        self._note_strangers(pbx, live)
        self.on_survey(pbx, survey)
        pbx.surveyed, pbx.trouble, pbx.swept_at = True, "", self._clock.seconds()
        self._is(pbx, up=True, why=f"Asterisk {driver.version}")
        read = [wombatid for wombatid in survey.traces if series_of(wombatid) == self._series]
        if read:
            # Their ends must be in the database before the PBX's notes about them go.
            self._journal.drain().addCallback(lambda _: driver.forget_traces(read))
        self._schedule.kick()

    def _look_again(self, pbx: Pbx, driver: Driver, doubtful: list[Flight]) -> None:
        """Of these nothing was found, nor was their channel ever seen: it may have been made since, or will never be.

        Lost too early, such a call would be dialled again while its first channel was on its way.
        """
        if _is_current(pbx, driver) and pbx.surveyed:
            for flight in doubtful:
                if flight.call.unseen and self._board.flights.get(flight.call.wombatid) is flight:
                    self._dial.ask_alive(flight, do.AskAlive())

    def _note_strangers(self, pbx: Pbx, live: dict[int, ev.LiveChannel]) -> None:
        """Calls of other dialers on the same PBX are their business; some of our own that we do not know are odd."""
        ours = [wombatid for wombatid in live if series_of(wombatid) == self._series]
        strangers = [wombatid for wombatid in ours if wombatid not in self._board.flights]
        if strangers:
            log.warn(
                "PBX {name}: {count} calls with ids of this dialer are not known (first: {first}); left alone",
                name=pbx.server.description, count=len(strangers), first=strangers[0],
            )  # fmt: skip

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
            self._journal.drain().addCallback(lambda _: pbx.driver.sweep_traces(self._series))

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
        # Where it was placed: the trunk may be on another server now.
        server_id = attempt.server_id or 0
        if trunk is None or end_point is None or server_id not in self._board.pbxs:
            return None
        return route_over(trunk, end_point, server_id)

    def _is(self, pbx: Pbx, *, up: bool, why: str) -> None:
        """It is up, or down: said once."""
        if pbx.up is up or self._board.state == DialerState.STOPPING:
            return
        pbx.up, pbx.since = up, self._clock.seconds()
        if not up:
            log.warn("PBX {name} is down: {why}", name=pbx.server.description, why=why)
        action = "PBX up" if up else "PBX down"
        self._journal.add(SystemLogEntry(pbx.since, "dialer", action, f"server {pbx.server.description}", why))


def _is_current(pbx: Pbx, driver: Driver) -> bool:
    """An answer of a driver that was let go, or whose link is down by now, tells nothing about this PBX."""
    return pbx.driver is driver and driver.connected
