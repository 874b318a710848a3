"""Calls that come to our Stasis application for a flow: each gets a line and runs its flow to the end."""

import logging
from collections.abc import Callable

from twisted.internet.defer import Deferred

from wombat_ari.flows.ari_line import AriLine
from wombat_ari.model.ids import wombatid_of
from wombat_ari.pbx.ari import Event
from wombat_ari.pbx.ari_app import AriApp
from wombat_ari.pbx.ari_recording import Recorder

log = logging.getLogger(__name__)

#: Run the flow of this name with a line, a WOMBATID (0: not a call of ours) and the caller's number. Fires at its end.
RunFlow = Callable[[str, AriLine, int, str], "Deferred[object]"]


class FlowCalls:
    """``Stasis(app,flow,NAME)``."""

    def __init__(self, app: AriApp, run: RunFlow) -> None:
        self._app = app
        self._run = run

    def begin(self, channel: Event, arguments: list[str]) -> None:
        name, wombatid = (arguments or [""])[0], wombatid_of(channel["id"]) or 0
        line = AriLine(self._app, channel["id"])
        self._app.floor.add(line)
        Recorder(self._app).begin_if_wanted(channel["id"], wombatid)
        ended = self._run(name, line, wombatid, str(channel.get("caller", {}).get("number", "")))
        ended.addErrback(lambda failure: log.error("flow %s: a mistake of ours: %s", name, failure.getTraceback()))
        ended.addBoth(lambda _: self._ended(line))

    async def take_up(self, channel: Event, arguments: list[str]) -> bool:
        """What it had heard and said is not known any more: the dialplan goes on, as after a lost FastAGI session."""
        return False

    def _ended(self, line: AriLine) -> None:
        self._app.floor.remove(line)
        if not line.hung_up and not line.left:
            self._app.send_on(line.channels[0])
