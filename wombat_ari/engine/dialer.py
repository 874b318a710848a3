"""The dialer: the nine steps put together, started and stopped. What is wired to what is said here and nowhere else."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from wombat_ari.bridge.desk import Desk
from wombat_ari.bridge.journal import Journal
from wombat_ari.engine.amend import Amend
from wombat_ari.engine.annotate import Annotate
from wombat_ari.engine.announce import Announce
from wombat_ari.engine.append import Append
from wombat_ari.engine.board import Board, Clock, Flight, LiveRun, Pbx
from wombat_ari.engine.deliver import Deliver, DeliverLimits, Send
from wombat_ari.engine.dial import Dial
from wombat_ari.engine.equip import AriFactory, DriverFactory, Equip
from wombat_ari.engine.follow import Follow, Performer
from wombat_ari.engine.hand_on import HandOn
from wombat_ari.engine.locate import Locate
from wombat_ari.engine.obey import Obey
from wombat_ari.engine.observe import Observe
from wombat_ari.engine.overhear import Overhear
from wombat_ari.engine.preview import Preview
from wombat_ari.engine.publish import Publish
from wombat_ari.engine.recover import Recover
from wombat_ari.engine.refill import Refill
from wombat_ari.engine.schedule import Schedule
from wombat_ari.engine.settle import Settle
from wombat_ari.engine.steer import Steer
from wombat_ari.engine.supervise import Supervise
from wombat_ari.engine.tell import Tell
from wombat_ari.model import effects as do
from wombat_ari.model import events as ev
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.model.effects import Effect
from wombat_ari.model.events import CallEvent
from wombat_ari.model.states import LIVE_RUN_STATES, DialerState
from wombat_ari.pbx.driver import Heard

FAST_TICK_S = 0.05  #: deadlines, refills, a new second for the runs, and a pass in case nothing kicked one
SLOW_TICK_S = 1.0  #: pressure, notes, queues

log = Logger()


class Dialer:
    """One process's dialer. ``make_driver`` gives a driver for a server (AMI in life, the fake PBX in tests),
    ``make_ari`` its ARI, if it has one. ``wall`` tells the machine's clock as it is set now, where ``clock`` may differ
    from it. ``send`` takes errands outside (``notify/courier``); without it they stay in the outbox.
    """

    def __init__(
        self,
        clock: Clock,
        desk: Desk,
        journal: Journal,
        make_driver: DriverFactory,
        *,
        version: str,
        zone: str = "UTC",
        wall: Callable[[], float] | None = None,
        send: Send | None = None,
        deliver: DeliverLimits | None = None,
        make_ari: AriFactory = lambda server, set_variable: None,
    ) -> None:
        self.board = Board()
        self._clock = clock
        self._desk = desk
        self._journal = journal
        self.follow = Follow(self.board, clock)
        self._announce = Announce(self.board, clock, journal)
        self._dial = Dial(self.board, clock, self.follow)
        self._schedule = Schedule(self.board, clock, desk, journal, self.follow)
        self._tell = Tell(self._dial)
        self._amend = Amend(clock, journal)
        self._settle = Settle(self.board, clock, journal, self._amend)
        self._refill = Refill(self.board, clock, desk, self._schedule)
        self._observe = Observe(self.board, clock, self.follow, self._schedule.kick_now)
        self._equip = Equip(self.board, clock, make_driver, make_ari)
        self._supervise = Supervise(
            self.board,
            clock,
            desk=desk,
            journal=journal,
            follow=self.follow,
            schedule=self._schedule,
            equip=self._equip,
            zone=zone,
            wall=wall or clock.seconds,
        )
        self._recover = Recover(
            self.board,
            clock,
            desk=desk,
            journal=journal,
            follow=self.follow,
            dial=self._dial,
            schedule=self._schedule,
            supervise=self._supervise,
        )
        self._deliver = Deliver(clock, desk, journal, send, limits=deliver or DeliverLimits())
        self.publish = Publish(
            self.board,
            clock,
            journal=journal,
            schedule=self._schedule,
            observe=self._observe,
            deliver=self._deliver,
            version=version,
            zone=zone,
        )
        self.publish.outcomes = self._announce.outcomes
        self._overhear = Overhear(self.board, clock)
        preview = Preview(self.board, self.follow, self._observe, self._schedule)
        steer = Steer(self.board, desk=desk, schedule=self._schedule, equip=self._equip)
        self._append = Append(
            self.board, clock, desk=desk, refill=self._refill, supervise=self._supervise, grown=self._announce.grown
        )
        self._hand_on = HandOn(self.board, clock, desk=desk, refill=self._refill, append=self._append)
        self.obey = Obey(
            self.board,
            self.follow,
            supervise=self._supervise,
            steer=steer,
            publish=self.publish,
            preview=preview,
            deliver=self._deliver,
            append=self._append,
            announce=self._announce,
            overhear=self._overhear,
            annotate=Annotate(self.board, self.follow, late=self._amend.late, is_recent=self._amend.remembers),
            locate=Locate(self.board, desk=desk, journal=journal, is_recent=self._amend.remembers),
            journal=journal,
        )
        self._wire()
        self._ticks = [LoopingCall(self._fast_tick), LoopingCall(self._slow_tick)]

    async def start(self) -> None:
        """Load, take up what was open, connect. READY when this returns; PBXs connect in their own time."""
        self._equip.take(await self._desk.load_plan())
        await self._recover.take_up_runs()
        self.board.state = DialerState.READY
        self._say("dialer started")
        self._equip.listen(self._heard)
        self._deliver.start()
        for tick, seconds in zip(self._ticks, (FAST_TICK_S, SLOW_TICK_S), strict=True):
            tick.clock = self._clock
            tick.start(seconds, now=False).addErrback(self._fence)

    async def stop(self) -> None:
        """No new calls, everything written down, links closed. Live calls go on in the PBX."""
        self.board.state = DialerState.STOPPING
        self._announce.stop()
        for tick in self._ticks:
            if tick.running:
                tick.stop()
        self._schedule.release_scheduled()
        links = [pbx.driver.stop() for pbx in self.board.pbxs.values()]
        links += [pbx.ari.stop() for pbx in self.board.pbxs.values() if pbx.ari is not None]
        await gatherResults([*links, Deferred.fromCoroutine(self._deliver.stop())], consumeErrors=True)
        await self._append.drain()
        self._say("dialer stopped")
        await self._journal.drain()

    def _wire(self) -> None:
        self.follow.wire(
            {
                do.Record: self._schedule.record,
                do.Place: _both(self._announce.placed, self._dial.place),
                do.HangUp: self._dial.hang_up,
                do.LimitLife: self._dial.limit_life,
                do.AskAlive: self._dial.ask_alive,
                do.FreeLine: self._free_line,
                do.ReturnToHopper: self._schedule.return_to_hopper,
                do.Save: _both(self._tell.save, self._settle.save),
                do.Settle: _both(self._tell.settle, self._settle.settle),
            },
            self._amend.late,
        )
        self._settle.on_settled = self._on_settled
        self._refill.on_filled = self._supervise.look_at
        self._amend.tell = self._tell.late
        self._amend.on_written = self._refill.look
        self._deliver.perform = self._hand_on.perform
        self._schedule.assign = self._observe.assign
        self.board.turns.room = self._observe.room
        self._recover.on_survey = self._observe.surveyed
        self._recover.on_taken_up = self._observe.taken_up

    def _heard(self, pbx: Pbx, event: Heard) -> None:
        if isinstance(event, CallEvent):
            self.follow.on_event(event)
        elif isinstance(event, ev.LinkUp):
            self._recover.link_up(pbx, event)
            self._observe.link_up(pbx)
        elif isinstance(event, ev.LinkDown):
            self._recover.link_down(pbx, event)
            self._observe.link_down(pbx)
        elif isinstance(event, ev.PbxShutdown):
            self._recover.shutdown(pbx)
        else:
            self._observe.heard(pbx, event)

    def _on_settled(self, run: LiveRun) -> None:
        self._schedule.kick()
        if run.flights or len(run.hopper):
            return
        if run.machine.state in LIVE_RUN_STATES:
            self._supervise.look_at(run)
        else:
            # An ended run whose last call has ended now: it leaves the board when that is in the database.
            self._journal.drain().addCallback(lambda _: self.board.remove(run))

    def _free_line(self, flight: Flight, effect: Effect) -> None:
        self._observe.line_freed(flight)
        self._schedule.free_line(flight, effect)

    def _fast_tick(self) -> None:
        try:
            self.publish.ticked(FAST_TICK_S)
            self._supervise.tick()
            self.follow.fire_deadlines()
            self._refill.tick()
            self._observe.rouse.tick()
            self._schedule.kick()
        except Exception:  # noqa: BLE001 - fence: one tick
            log.failure("tick: a mistake of ours")

    def _slow_tick(self) -> None:
        try:
            now = self._clock.seconds()
            self._equip.tick()
            self._overhear.tick()
            for pbx in self.board.pbxs.values():
                pbx.pressure.tick(now)
                self._recover.sweep(pbx)
                self._observe.tick(pbx)
        except Exception:  # noqa: BLE001 - fence: one tick
            log.failure("tick: a mistake of ours")

    def _say(self, action: str) -> None:
        self._journal.add(SystemLogEntry(self._clock.seconds(), "dialer", action, "dialer"))

    def _fence(self, failure: Failure) -> None:
        log.failure("the dialer's tick stopped: a mistake of ours", failure=failure)


def _both(first: Performer, second: Performer) -> Performer:
    def perform(flight: Flight, effect: Effect) -> None:
        first(flight, effect)
        second(flight, effect)

    return perform
