"""Recording a whole call, where a call asks for it by the variable ``WOMBAT_RECORD`` = yes.

A recording is ``wombat-WOMBATID.wav`` in the PBX's folder of recordings (``recording`` in its spool folder). Its name
becomes the output attribute RECORDING as soon as it has begun.
"""

import logging

from wombat_ari.model.events import AttributeSet
from wombat_ari.pbx.ari import Event
from wombat_ari.pbx.ari_app import RECORDER, AriApp, variable

log = logging.getLogger(__name__)

RECORDING = "RECORDING"  #: the output attribute
WANTED = "WOMBAT_RECORD"


class Recorder:
    """A call in a flow is listened to by a channel of its own, a snoop, since its own plays, records and takes digits.
    It ends with the call.
    """

    def __init__(self, app: AriApp) -> None:
        self._app = app

    def begin_if_wanted(self, channel: str, wombatid: int) -> None:
        if wombatid:
            self._app.link.task(self._snoop(channel, wombatid), f"recording call {wombatid}")

    def begin(self, channel: Event, arguments: list[str]) -> None:
        """The snoop has come."""
        self._app.link.task(self._record(channel["id"], int(arguments[0])), f"recording call {arguments[0]}")

    async def take_up(self, channel: Event, arguments: list[str]) -> bool:
        """It records on, whoever looks."""
        return True

    async def _snoop(self, channel: str, wombatid: int) -> None:
        if await variable(self._app.link, channel, WANTED) == "yes":
            await self._app.link.ask(
                "channels",
                "snoopChannelWithId",
                channelId=channel,
                snoopId=f"wbr-{wombatid:016}",
                spy="both",
                app=self._app.app,
                appArgs=f"{RECORDER},{wombatid}",
            )

    async def _record(self, snoop: str, wombatid: int) -> None:
        name = recording_name(wombatid)
        await self._app.link.ask(
            "channels", "record", channelId=snoop, name=name, format="wav", ifExists="overwrite", terminateOn="none"
        )
        self._app.tell(AttributeSet(wombatid, RECORDING, name))


def recording_name(wombatid: int) -> str:
    return f"wombat-{wombatid}"
