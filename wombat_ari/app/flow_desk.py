"""Flows in the dialer's process: what a carrier needs to run one, put together from settings and the engine."""

from collections.abc import Mapping
from typing import Any

from wombat_ari.app.config import Settings
from wombat_ari.core.moments import moment_of
from wombat_ari.core.numbers import parse_pairs
from wombat_ari.engine.board import Board, Clock
from wombat_ari.engine.dialer import Dialer
from wombat_ari.flows.agi_line import AgiLine
from wombat_ari.flows.errands import Limits
from wombat_ari.flows.keeper import Ended, How, Keeper
from wombat_ari.flows.line import CallFacts, Line
from wombat_ari.flows.office import CallOffice
from wombat_ari.flows.speech import Speech
from wombat_ari.model.calls import Claim
from wombat_ari.pbx.fastagi import FastAGIProtocol

BY, ORIGIN = "dialplan", "fastagi"  #: who adds calls, for the system log


class FlowDesk:
    """``run`` for any carrier, ``run_agi`` for a FastAGI session, ``add_call`` for the verb."""

    def __init__(self, reactor: Any, settings: Settings, *, dialer: Dialer, clock: Clock) -> None:
        self._settings = settings
        self._board: Board = dialer.board
        self._tell = dialer.follow.on_event
        self._obey = dialer.obey
        self._clock = clock
        limits = Limits(settings["flows.limit"], settings["flows.silence"], settings["flows.at_once"])
        self.keeper = Keeper(reactor, settings.flows_folder, limits)
        self._speech = Speech(reactor, settings["flows.speech_command"], settings.speech_folder)

    def start(self) -> None:
        self.keeper.start()

    async def stop(self) -> None:
        await self.keeper.stop()

    async def run(self, name: str, line: Line, wombatid: int, *, number: str = "") -> Ended:
        """Run a flow with a caller, to its end. ``number``: of whoever called in, where it is no call of ours."""
        office = CallOffice(wombatid, tell=self._tell, speak=self._speech.sound, add_call=self.add_call)
        return await self.keeper.run(name, line, self._facts(wombatid, number), office)

    async def run_agi(self, agi: FastAGIProtocol, wombatid: int, name: str) -> str:
        caller = agi.variables.get("agi_callerid", "").replace("unknown", "")
        ended = await self.run(name, AgiLine(agi), wombatid, number=caller)
        return f"flow {name}: {ended.reason}" if ended.how is How.FAILED else ""

    async def add_call(self, campaign: str, number: str, attributes: Mapping[str, str], schedule: str) -> int:
        """As the compatible API's addcall; ``attrs`` among the attributes is its native text."""
        pairs = dict(attributes)
        if "attrs" in pairs:
            pairs = {**parse_pairs(pairs.pop("attrs")), **pairs}
        run = self._board.run_of(campaign)
        zone = (run.campaign.active_period.zone if run else "") or self._settings.time_zone
        due = moment_of(schedule, now=self._clock.seconds(), zone=zone) if schedule.strip() else None
        return await self._obey.add_call(campaign, number, pairs, due, by=BY, origin=ORIGIN)

    def _facts(self, wombatid: int, number: str) -> CallFacts:
        flight = self._board.flights.get(wombatid)
        if flight is None:
            return CallFacts(wombatid, number)
        claim: Claim = flight.call.claim
        return CallFacts(wombatid, claim.number, flight.run.name, claim.attempt, claim.input_attributes)
