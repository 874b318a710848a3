"""Around it: the runs. Start, pause, resume, remove, the active period, out of numbers."""

from collections.abc import Callable

from twisted.logger import Logger

from wombat_ari.bridge.desk import Desk, LoadedRun
from wombat_ari.bridge.journal import Journal
from wombat_ari.core.hopper import Hopper
from wombat_ari.core.hours import is_open, next_opening
from wombat_ari.core.letters import RunNews, run_letters
from wombat_ari.core.progress import progress_of
from wombat_ari.core.routes import WhyNot
from wombat_ari.core.run import RunEffect, RunEvent, RunMachine, Work, out_of_work
from wombat_ari.core.turns import Contender
from wombat_ari.engine.board import PLACEABLE, Board, Clock, LiveRun, Tally
from wombat_ari.engine.equip import Equip
from wombat_ari.engine.follow import Follow
from wombat_ari.engine.schedule import Schedule
from wombat_ari.model import events as ev
from wombat_ari.model.calls import RunChange, RunCounters, SystemLogEntry
from wombat_ari.model.entities import Campaign
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import RunState

OPENING_EACH_S = 3600.0  #: so often it is asked when a run that is out of its hours may dial again

log = Logger()

VERB = {RunEvent.PAUSED: "paused", RunEvent.RESUMED: "resumed", RunEvent.REMOVED: "removed"}


class Supervise:
    """``zone`` is the dialer's own time zone, for campaigns that name none; ``wall`` the machine's clock as it is set
    now, by which active periods are judged (the dialer's own never goes back).
    """

    def __init__(
        self,
        board: Board,
        clock: Clock,
        *,
        desk: Desk,
        journal: Journal,
        follow: Follow,
        schedule: Schedule,
        equip: Equip,
        zone: str = "UTC",
        wall: Callable[[], float],
    ) -> None:
        self._board = board
        self._clock = clock
        self._desk = desk
        self._journal = journal
        self._follow = follow
        self._schedule = schedule
        self._equip = equip
        self._zone = zone
        self._wall = wall
        self._looked_at = -1  #: the second of the wall clock at which all runs were looked at

    # Commands

    async def start(self, campaign: str, by: str) -> LiveRun:
        """Start a run, with what is configured now; UserError says why not."""
        self._equip.take(await self._desk.load_plan())
        self._refuse_without_route(await self._desk.load_campaign(campaign))
        loaded = await self._desk.start_run(campaign, now=self._clock.seconds(), by=by)
        run = self.adopt(loaded)
        if run.machine.state == RunState.RUNNABLE:
            self._happened(run, RunEvent.STARTED, by)
        else:
            self._perform(run, RunEffect.SAVE, by)  # it begins paused: that is said, too
        return run

    async def command(self, campaign: str, event: RunEvent, by: str) -> LiveRun:
        """Pause, resume or remove the live run of a campaign; durable when this returns."""
        run = self._commanded(campaign, event)
        if event == RunEvent.REMOVED:
            # Marks of its calls may still be on their way to the database: what is given up must not be marked then.
            await self._desk.marks_through()
            run = self._commanded(campaign, event)
        self._happened(run, event, by)
        await self._journal.drain()
        return run

    def _commanded(self, campaign: str, event: RunEvent) -> LiveRun:
        """The live run of a campaign, if it may do that now."""
        run = self._board.run_of(campaign)
        if run is None:
            raise UserError(f"campaign {campaign!r} has no live run", code="no-run")
        if not run.machine.allows(event):
            first = ": pause it first" if event == RunEvent.REMOVED else ""
            raise UserError(
                f"the run of {campaign!r} is {run.machine.state} and cannot be {VERB[event]}{first}", code="wrong-state"
            )
        return run

    def _refuse_without_route(self, campaign: Campaign) -> None:
        """Of a campaign whose trunks and end points are all apart no call could ever be placed."""
        if campaign.trunk_ids and campaign.end_point_ids and not self._board.ways_of(campaign):
            where = "; ".join(self._board.places_of(campaign))
            raise UserError(f"campaign {campaign.name!r} cannot start: {WhyNot.NO_ROUTE}: {where}", code="no-route")

    # What happens by itself

    def tick(self) -> None:
        """Look at every run, once in each second of the wall clock: active periods begin and end with a second."""
        second = int(self._wall())
        if second != self._looked_at:
            self._looked_at = second
            for run in list(self._board.runs.values()):
                self.look_at(run)

    def look_at(self, run: LiveRun) -> None:
        """Let happen what its hours and its work say; before the next pass, so that nothing is placed in between."""
        if run.machine.state == RunState.RUNNABLE:
            # Taken up: it was started, and the dialer died before that was written down.
            self._happened(run, RunEvent.STARTED)
        elif (event := self._by_itself(run)) is not None:
            run.opening_asked_at = float("-inf")
            self._happened(run, event)
        elif run.machine.state == RunState.WRONG_TIME:
            self._note_opening(run)

    def _by_itself(self, run: LiveRun) -> RunEvent | None:
        state = run.machine.state
        if state not in (RunState.RUNNING, RunState.WRONG_TIME, RunState.IDLE):
            return None
        if state == RunState.IDLE:
            return RunEvent.NUMBERS_CAME if _has_work(run) else None
        period = run.campaign.active_period
        open_now = is_open(period, self._wall(), hours=run.hours, default_zone=self._zone)
        if state == RunState.WRONG_TIME:
            return RunEvent.TIME_OPENED if open_now else None
        if not open_now:
            return RunEvent.TIME_CLOSED
        if not self._out_of_work(run):
            return None
        return RunEvent.RAN_IDLE if run.campaign.idles_on_termination else RunEvent.RAN_OUT

    def _note_opening(self, run: LiveRun) -> None:
        """For who looks at it; asked seldom, as a year of holidays takes some milliseconds."""
        now = self._wall()
        passed = run.opens_at is not None and now >= run.opens_at
        if passed or not 0 <= now - run.opening_asked_at < OPENING_EACH_S:
            period = run.campaign.active_period
            run.opens_at = next_opening(period, now, hours=run.hours, default_zone=self._zone)
            run.opening_asked_at = now

    def adopt(self, loaded: LoadedRun) -> LiveRun:
        """Take a stored run onto the board."""
        machine = RunMachine(loaded.row.state)
        hopper: Hopper = Hopper(loaded.campaign.batch_size)
        contender = Contender(
            run_id=loaded.row.id,
            priority=loaded.campaign.priority,
            state=machine.state,
            ways=self._board.ways_of(loaded.campaign),
            waiting=hopper.__len__,
            boost=loaded.row.boost,
        )
        run = LiveRun(
            id=loaded.row.id,
            campaign=loaded.campaign,
            started_at=loaded.row.started_at,
            machine=machine,
            hopper=hopper,
            contender=contender,
            tally=Tally.of(loaded.row.counters),
            lists={item.list_id: item for item in loaded.lists},
            title=loaded.row.name,
            hours=loaded.hours,
        )
        # What was due while we were away is due now: look at once.
        hopper.next_retry_at = 0.0 if run.tally.open_retries else None
        self._board.add(run)
        return run

    def level(self, run: LiveRun) -> None:
        """It comes among its equals now: what they placed without it is not made up for."""
        self._board.turns.level(run.contender)

    def _out_of_work(self, run: LiveRun) -> bool:
        hopper = run.hopper
        if hopper.filling or run.appending:
            return False
        return out_of_work(Work(len(hopper), len(run.flights), run.tally.open_retries, hopper.exhausted))

    def _happened(self, run: LiveRun, event: RunEvent, by: str = "dialer") -> None:
        before = run.machine.state
        effects = run.machine.handle(event)
        if effects is None:
            log.warn("run {run}: {event} is not known in {state}, ignored", run=run.id, event=event, state=before)
            return
        run.contender.state = run.machine.state
        log.info(
            "run {run} of {campaign}: {before} -> {after} on {event}",
            run=run.id, campaign=run.name, before=before, after=run.machine.state, event=event,
        )  # fmt: skip
        for effect in effects:
            self._perform(run, effect, by)
        if run.machine.state == RunState.RUNNING:
            self.level(run)
        self._schedule.kick()
        self.look_at(run)

    def _perform(self, run: LiveRun, effect: RunEffect, by: str) -> None:
        now = self._clock.seconds()
        if effect == RunEffect.SAVE:
            errands = run_letters(_news(run, now, by), run.campaign, default_zone=self._zone)
            self._journal.add(RunChange(run.id, run.machine.state, now, errands))
            self._journal.add(SystemLogEntry(now, by, run.machine.state, f"campaign {run.name}", f"run {run.id}"))
        elif effect == RunEffect.RELEASE:
            for flight in [each for each in run.flights.values() if each.call.state in PLACEABLE]:
                self._follow.tell(flight, ev.Released(flight.call.wombatid))
        elif effect == RunEffect.DISMISS:
            run.hopper.drain()
        elif effect == RunEffect.CLOSE:
            # It leaves the board when all that is known of it is in the database, so that who sees it gone can ask
            # for its report. Calls in progress go on and are settled; they know their run themselves.
            self._journal.drain().addCallback(lambda _: self._board.remove(run))


def _has_work(run: LiveRun) -> bool:
    """There is something to dial, now or later; that its lists are being looked at is none."""
    return not out_of_work(Work(len(run.hopper), len(run.flights), run.tally.open_retries, lists_exhausted=True))


def _news(run: LiveRun, now: float, by: str) -> RunNews:
    """The run as it is told to those outside."""
    tally, opened = run.tally, len(run.hopper) + len(run.flights)
    return RunNews(
        run_id=run.id,
        run_name=run.title,
        state=run.machine.state,
        at=now,
        by=by,
        counters=RunCounters(
            taken=tally.taken,
            closed=tally.closed,
            attempts=tally.attempts,
            answered=tally.answered,
            rescheduled=tally.rescheduled,
            open_attempts=opened,
            open_retries=tally.open_retries,
        ),
        progress=progress_of(
            attempts=tally.attempts,
            rescheduled=tally.rescheduled,
            unfinished=run.remaining + opened + tally.open_retries,
            started_at=run.started_at,
            now=now,
        ),
    )
