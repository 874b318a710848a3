"""Our Stasis application on one PBX: which call is in its hands, and who sees to it.

The PBX brings calls here by ``Stasis(app,what,...)`` (asterisk_conf/extensions.d/wombat-ari.conf), and says what
happens to them by events. Each call here has an *attendant*, found by the ids of its channels.

Rules of the place:
- Nothing here is needed to dial. While the link is down the dialplan does without, and attendants are let go: what the
  PBX says when it is back is what counts.
- When the link is back: what lives in the application is listed and gets its attendant again, from nothing but what the
  PBX says; what nobody can see to goes on in the dialplan, which ends it. That is the same after a restart.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred

from wombat_ari.model.entities import Server
from wombat_ari.model.errors import PbxError, UserError
from wombat_ari.model.events import CallEvent
from wombat_ari.pbx.ari import AriError, AriLink, AriSettings, Event
from wombat_ari.pbx.driver import SetVariable

log = logging.getLogger(__name__)

#: What a channel is here for: the first argument of Stasis().
REVERSE, CALLEE, FLOW, RECORDER = "reverse", "callee", "flow", "recorder"

Tell = Callable[[CallEvent], None]


class Attendant(Protocol):
    """Sees to one call. ``channels`` are the ids by which it is found."""

    @property
    def channels(self) -> tuple[str, ...]: ...

    def hear(self, event: Event) -> None:
        """About one of its channels. May not wait."""

    def let_go(self) -> None:
        """The link is down, or the call is over: do nothing more."""


class Floor:
    """What is going on in the PBX: its channels as listed, and the attendants of those that are here."""

    def __init__(self) -> None:
        self.attendants: dict[str, Attendant] = {}
        self.listed: dict[str, Event] = {}  #: at the last connection

    def add(self, attendant: Attendant) -> None:
        self.attendants.update(dict.fromkeys(attendant.channels, attendant))

    def remove(self, attendant: Attendant) -> None:
        for channel in attendant.channels:
            if self.attendants.get(channel) is attendant:
                del self.attendants[channel]


class AriApp:
    """One PBX by ARI. ``kinds`` are those who see to calls, by what they are here for; ``by_ami`` sets a variable."""

    def __init__(
        self,
        server: Server,
        app: str,
        *,
        by_ami: SetVariable | None = None,
        settings: AriSettings = AriSettings(),  # noqa: B008
    ) -> None:
        self.server_id = server.id or 0
        self.app = app
        self.last_error = "connecting"
        self.tell: Tell = lambda event: None
        self.on_listed: Callable[[], None] = lambda: None  #: ``floor.listed`` is what lives in the PBX now
        self.floor = Floor()
        self._by_ami = by_ami
        self.kinds: dict[str, Kind] = {}
        self.link = AriLink(server, app, self, settings=settings)

    @property
    def connected(self) -> bool:
        return self.link.connected

    @property
    def calls(self) -> int:
        """How many calls are in our hands."""
        return len(set(map(id, self.floor.attendants.values())))

    def start(self, listener: Tell) -> None:
        self.tell = listener
        self.link.start()

    def stop(self) -> "Deferred[None]":
        """Close. Live calls go on in the PBX."""
        self._let_all_go()
        return Deferred.fromFuture(asyncio.ensure_future(self.link.stop()))

    async def set_variable(self, channel: str, name: str, value: str) -> None:
        """AriError. By AMI, if it can be: Asterisk takes a channel whose variable ARI has set for one that must not be
        trusted, from then on, and refuses what its dialplan does with DB() or FILE() (seen with 22.10), which is
        what leaves the note about a call's end.
        """
        if self._by_ami is not None:
            try:
                await self._by_ami(channel, name, value).asFuture(asyncio.get_running_loop())
            except PbxError as trouble:
                if "no such channel" in str(trouble).lower():
                    raise AriError(str(trouble), status=404) from None
            except UserError:
                pass  # longer than a line of AMI, or of several lines
            else:
                return
        await self.link.ask("channels", "setChannelVar", channelId=channel, variable=name, value=value)

    # What the link tells

    async def ari_up(self) -> None:
        channels = await self.link.ask("channels", "list")
        self.floor.listed = {channel["id"]: channel for channel in channels}
        for channel in channels:
            arguments = self.arguments(channel)
            if arguments and channel["id"] not in self.floor.attendants:
                await self._take_up(channel, arguments)
        self.on_listed()
        self.last_error = ""

    def ari_down(self, reason: str) -> None:
        self.last_error = reason
        self._let_all_go()

    def hear(self, event: Event) -> None:
        if event["type"] == "StasisStart":
            self._started(event)
            return
        attendant = self.floor.attendants.get(subject_of(event))
        if attendant is not None:
            attendant.hear(event)

    # Inside

    def _started(self, event: Event) -> None:
        what, *arguments = event["args"] or [""]
        known = self.floor.attendants.get(event["channel"]["id"])
        if known is not None:
            known.hear(event)
        elif what in self.kinds:
            self.kinds[what].begin(event["channel"], arguments)
        else:
            log.warning("ARI: a channel came to application %s for %r, which nobody knows", self.app, what)
            self.send_on(event["channel"]["id"])

    async def _take_up(self, channel: Event, arguments: list[str]) -> None:
        what, *rest = arguments
        log.info("ARI: %s was left in application %s (%s)", channel["id"], self.app, what)
        if what not in self.kinds or not await self.kinds[what].take_up(channel, rest):
            self.send_on(channel["id"])

    def send_on(self, channel: str) -> None:
        self.link.task(self.link.ask("channels", "continueInDialplan", channelId=channel), f"sending {channel} on")

    def arguments(self, channel: Event) -> list[str]:
        """Those of Stasis() if it is in our application, as the PBX lists it; else nothing."""
        plan = channel["dialplan"]
        if plan.get("app_name") != "Stasis":
            return []
        app, *arguments = str(plan.get("app_data", "")).split(",")
        return arguments if app == self.app else []

    def _let_all_go(self) -> None:
        for attendant in set(self.floor.attendants.values()):
            attendant.let_go()
        self.floor.attendants.clear()


class Kind(Protocol):
    """Who sees to the calls of one kind."""

    def begin(self, channel: Event, arguments: list[str]) -> None:
        """A channel has come into the application."""

    async def take_up(self, channel: Event, arguments: list[str]) -> bool:
        """It was left here while nobody looked. False: nobody can see to it any more."""
        ...


def subject_of(event: Event) -> str:
    """The id of the channel or bridge that an event is about."""
    for key in ("channel", "peer", "bridge"):
        if key in event:
            return str(event[key]["id"])
    for key in ("playback", "recording"):
        if key in event:
            return str(event[key].get("target_uri", "")).partition(":")[2]
    return ""


async def variable(link: AriLink, channel: str, name: str) -> str:
    """A channel's variable, empty when it has none. AriError, also when the channel does not live."""
    try:
        return str((await link.ask("channels", "getChannelVar", channelId=channel, variable=name))["value"])
    except AriError as trouble:
        if "variable" in str(trouble):  # 404 is said of a variable that is not set, too
            return ""
        raise
