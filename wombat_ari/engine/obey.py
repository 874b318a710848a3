"""Around it: commands from people and programs. Each is checked, done, and answers when what it did is durable."""

from dataclasses import asdict, replace
from typing import Any

from wombat_ari.bridge.journal import Journal
from wombat_ari.core.run import RunEvent
from wombat_ari.engine.annotate import Annotate
from wombat_ari.engine.announce import Announce
from wombat_ari.engine.append import Append
from wombat_ari.engine.board import Board, Flight, LiveRun
from wombat_ari.engine.deliver import Deliver
from wombat_ari.engine.follow import Follow
from wombat_ari.engine.locate import Locate
from wombat_ari.engine.overhear import Overhear
from wombat_ari.engine.preview import Preview
from wombat_ari.engine.publish import Publish, Snapshot
from wombat_ari.engine.steer import Lists, Steer
from wombat_ari.engine.supervise import Supervise
from wombat_ari.model import events as ev
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.model.errors import UserError
from wombat_ari.model.live import CallsWanted
from wombat_ari.model.states import DialerState


class Obey:
    """What the control socket may ask. A refusal is a UserError whose text says why."""

    def __init__(
        self,
        board: Board,
        follow: Follow,
        *,
        supervise: Supervise,
        steer: Steer,
        publish: Publish,
        preview: Preview,
        deliver: Deliver,
        append: Append,
        announce: Announce,
        overhear: Overhear,
        annotate: Annotate,
        locate: Locate,
        journal: Journal,
    ) -> None:
        self._board = board
        self._follow = follow
        self._supervise = supervise
        self._steer = steer
        self._publish = publish
        self._preview = preview
        self.add_call = append.add_call
        self.add_calls = append.add_calls
        self._append = append
        self.events_since = announce.since
        self.overhear = overhear.read
        self.set_status = annotate.set_status
        self.set_attribute = annotate.set_attribute
        self.append_attribute = annotate.append_attribute
        self.clear_attribute = annotate.clear_attribute
        self.call_info = locate.call_info
        self._deliver = deliver
        self._journal = journal

    def numbers_came(self, list_name: str) -> None:
        self._append.numbers_came(list_name)

    async def start_run(self, campaign: str, by: str) -> Snapshot:
        self._ready()
        return _about(await self._supervise.start(campaign, by))

    async def pause_run(self, campaign: str, by: str) -> Snapshot:
        return _about(await self._supervise.command(campaign, RunEvent.PAUSED, by))

    async def resume_run(self, campaign: str, by: str) -> Snapshot:
        return _about(await self._supervise.command(campaign, RunEvent.RESUMED, by))

    async def remove_run(self, campaign: str, by: str) -> Snapshot:
        run = await self._supervise.command(campaign, RunEvent.REMOVED, by)
        self._preview.give_up(run)
        return _about(run)

    async def run_lists(self, campaign: str) -> list[Snapshot]:
        """The lists of a live run in their order, with how far they are."""
        return _as_values(await self._steer.lists(campaign))

    async def add_list(self, campaign: str, name: str) -> list[Snapshot]:
        return _as_values(await self._steer.add_list(campaign, name))

    async def pause_list(self, campaign: str, name: str, *, paused: bool) -> list[Snapshot]:
        return _as_values(await self._steer.pause_list(campaign, name, paused=paused))

    async def order_lists(self, campaign: str, names: list[str]) -> list[Snapshot]:
        return _as_values(await self._steer.order_lists(campaign, names))

    async def boost(self, campaign: str, factor: float) -> Snapshot:
        return _about(await self._steer.boost(campaign, factor))

    async def reload(self, campaign: str) -> Snapshot:
        run = await self._steer.reload(campaign)
        self._supervise.look_at(run)  # its hours may be other ones: before the next pass
        return _about(run)

    def hang_up(self, wombatid: int) -> None:
        """Hang up a live call."""
        flight = self._board.flights.get(wombatid)
        if flight is None:
            raise UserError(f"no live call has the WOMBATID {wombatid}", code="no-call")
        self._follow.tell(flight, ev.HangUpAsked(wombatid))

    def note(self, line: SystemLogEntry | None) -> None:
        """What the system log says of who asked, and for what."""
        if line is not None:
            self._journal.add(line)

    def reserve(self, agent: str, line: SystemLogEntry | None = None) -> Snapshot:
        """Preview: the number reserved for an agent, with its input attributes. Who only asks again what they hold is
        not noted."""
        held = self._preview.holds(agent)
        flight = self._preview.reserve(agent)
        claim = flight.call.claim
        if not held:
            self._note_of(flight, line, f"for {agent}")
        return {"id": claim.wombatid, "number": claim.number, "attributes": dict(claim.input_attributes)}

    def dial_reserved(self, wombatid: int, line: SystemLogEntry | None = None) -> None:
        flight = self._board.flights.get(wombatid)
        self._preview.dial(wombatid)
        self._note_of(flight, line)

    def skip_reserved(self, wombatid: int, code: str, line: SystemLogEntry | None = None) -> None:
        flight = self._board.flights.get(wombatid)
        self._preview.skip(wombatid, code)
        self._note_of(flight, line, f"as {code}" if code else "")

    def retry_errands(self, receiver: str) -> None:
        """Somebody says that this receiver (an empty text: each) is well again."""
        self._deliver.retry(receiver)

    def snapshot(self, *, calls: bool = True) -> Snapshot:
        return self._publish.snapshot(calls=calls)

    def live_calls(self, wanted: CallsWanted) -> Snapshot:
        """A page of the live calls."""
        return self._publish.page(wanted)

    def _note_of(self, flight: Flight | None, line: SystemLogEntry | None, what: str = "") -> None:
        if flight is None or line is None:
            return
        claim = flight.call.claim
        call = " ".join(filter(None, (f"call {claim.wombatid} to {claim.number}", what)))
        self.note(replace(line, object=flight.run.name, detail="; ".join(filter(None, (call, line.detail)))))

    def _ready(self) -> None:
        if self._board.state != DialerState.READY:
            raise UserError(f"the dialer is {self._board.state}, try again when it is READY", code="not-ready")


def _about(run: LiveRun) -> dict[str, Any]:
    return {"id": run.id, "campaign": run.name, "state": str(run.machine.state)}


def _as_values(lists: Lists) -> list[Snapshot]:
    return [asdict(each) for each in lists]
