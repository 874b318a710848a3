"""Around it: steer a run while it is live: its lists (add, pause, resume, order), its boost, its campaign.

Each is durable when it returns, and counts from the next refill or pass on; calls in progress are left alone.
"""

from wombat_ari.bridge.desk import Desk
from wombat_ari.engine.board import Board, LiveRun
from wombat_ari.engine.equip import Equip
from wombat_ari.engine.schedule import Schedule
from wombat_ari.model.calls import RunList
from wombat_ari.model.errors import UserError

Lists = list[RunList]


class Steer:
    """Runs are named by their campaign, lists by their name. A refusal is a UserError."""

    def __init__(self, board: Board, *, desk: Desk, schedule: Schedule, equip: Equip) -> None:
        self._board = board
        self._desk = desk
        self._schedule = schedule
        self._equip = equip

    async def lists(self, campaign: str) -> Lists:
        """The lists of the live run in their order, with how far each is."""
        return await self._desk.run_lists(self._run(campaign).id)

    async def add_list(self, campaign: str, name: str) -> Lists:
        run = self._run(campaign)
        return self._changed(run, await self._desk.add_run_list(run.id, name))

    async def pause_list(self, campaign: str, name: str, *, paused: bool) -> Lists:
        """Nothing new is taken from a paused list; its retries go on. A run whose lists are all paused is out of
        numbers.
        """
        run = self._run(campaign)
        return self._changed(run, await self._desk.pause_run_list(run.id, name, paused=paused))

    async def order_lists(self, campaign: str, names: list[str]) -> Lists:
        """All lists of the run in their new order."""
        run = self._run(campaign)
        return self._changed(run, await self._desk.order_run_lists(run.id, names))

    async def boost(self, campaign: str, factor: float) -> LiveRun:
        """A factor on the boost of its QUEUE end points: 1.5 calls half as many again."""
        run = self._run(campaign)
        await self._desk.set_boost(run.id, factor)
        self._board.set_boost(run, factor)
        self._schedule.kick()
        return run

    async def reload(self, campaign: str) -> LiveRun:
        """Take the campaign as it is configured now: priority, hours, rules, trunks, end points, texts. Lists stay."""
        run = self._run(campaign)
        self._equip.take(await self._desk.load_plan())
        campaign_id = run.campaign.id or 0
        run.campaign, run.hours = await self._desk.load_campaign(campaign_id), await self._desk.load_hours(campaign_id)
        run.opening_asked_at = float("-inf")
        self._board.renew(run)
        run.hopper.batch = run.campaign.batch_size
        self._schedule.kick()
        return run

    def _run(self, campaign: str) -> LiveRun:
        run = self._board.run_of(campaign)
        if run is None:
            raise UserError(f"campaign {campaign!r} has no live run", code="no-run")
        return run

    def _changed(self, run: LiveRun, lists: Lists) -> Lists:
        run.lists = {each.list_id: each for each in lists}
        # Whatever was exhausted may not be any more: look at once.
        run.hopper.exhausted = False
        run.look_again_at = 0.0
        self._schedule.kick()
        return lists
