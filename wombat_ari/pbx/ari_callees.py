"""Reverse dialling by ARI: callees who answer while no dialer looks, and what is left of calls whose agent has gone."""

import logging

from wombat_ari.pbx.ari import AriError, Event
from wombat_ari.pbx.ari_app import REVERSE, AriApp
from wombat_ari.pbx.ari_reverse import BRIDGE_PREFIX, CALLEE_PREFIX, Reverse, agent_of, hang_up, remove_bridge

log = logging.getLogger(__name__)


class Callees:
    """Callees of whom no attendant knows: their agent has left while the dialer was away, or is not taken up yet."""

    def __init__(self, app: AriApp, reverse: Reverse) -> None:
        self._app = app
        self._reverse = reverse
        app.on_listed = self._listed

    def begin(self, channel: Event, arguments: list[str]) -> None:
        self._app.floor.listed[channel["id"]] = channel
        self._app.link.task(self._find_agent(channel["id"]), f"looking for the agent of {channel['id']}")

    async def take_up(self, channel: Event, arguments: list[str]) -> bool:
        return True  # by its agent, if there is one; else see below

    def _listed(self) -> None:
        listed = self._app.floor.listed
        for channel in listed:
            if channel.startswith(CALLEE_PREFIX) and agent_of(channel) not in listed:
                self._hang_up(channel)
        self._app.link.task(self._remove_bridges(set(listed)), "removing empty bridges")

    async def _remove_bridges(self, living: set[str]) -> None:
        for bridge in await self._app.link.ask("bridges", "list"):
            which = str(bridge["id"])
            if which.startswith(BRIDGE_PREFIX) and agent_of(which) not in living:
                await remove_bridge(self._app.link, which)

    async def _find_agent(self, callee: str) -> None:
        agent = agent_of(callee)
        try:
            channel = await self._app.link.ask("channels", "get", channelId=agent)
        except AriError as trouble:
            if not trouble.gone:
                raise
            self._hang_up(callee)
            return
        if agent in self._app.floor.attendants:
            return
        if self._app.arguments(channel)[:1] == [REVERSE]:
            self._reverse.find_callee(agent)
        else:
            self._hang_up(callee)

    def _hang_up(self, callee: str) -> None:
        log.info("ARI: %s is hung up: its agent is gone", callee)
        self._app.link.task(hang_up(self._app.link, callee), f"hanging up {callee}")
