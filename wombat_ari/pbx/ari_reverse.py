"""Reverse dialling by ARI: two channels and one bridge, where Dial() would have one do it all (docs/reverse.md).

The agent was called by AMI as ever and is in the context ``wombat-bridge``, which plays music and brings them here.
The callee is called by ARI, with the agent's channel as originator: so its Linkedid and variables are the agent's, and
AMI tells of it as of any leg. When the callee answers the two are put into a bridge.

The rest is the agent's channel's own: its variables say how it went, in Dial()'s words, and its hang-up handlers tell
AMI and leave the note. So everything that the engine knows of a reverse call it knows here too, whoever dies.

Rules of the place:
- What is to be known after a restart is in the PBX: the ids of callee and bridge are made of the attempt's, and the
  agent's channel has a DIALSTATUS before the callee is called. Nobody is called twice.
- Nobody is left alone: who remains of the two is hung up; the agent's channel has an absolute time-out until then.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from wombat_ari.model.events import AttributeSet, DialEnded, LegDialled
from wombat_ari.model.ids import CHANNEL_PREFIX, channel_id, wombatid_of
from wombat_ari.pbx.ari import AriError, AriLink, Event
from wombat_ari.pbx.ari_app import AriApp, variable
from wombat_ari.pbx.ari_recording import RECORDING, WANTED, recording_name

log = logging.getLogger(__name__)

CALLEE_PREFIX, BRIDGE_PREFIX = "wbc-", "wbb-"
NO_ROUTE = 3  #: Asterisk makes no channel, for want of a technology or an end point, and ARI does not tell the cause
RANG_OUT = 19
ANSWERED_CONTEXT = "wombat-bridged"  #: where a callee comes who has answered
NORMAL = 16
CALLED = "CANCEL"
UNTOLD = "UNKNOWN"  #: DialStatus of a callee of whom nobody knows how it ended: the dialer was away
#: Causes with which Dial() says NOANSWER; with all others but busy and congestion it says CHANUNAVAIL.
_UNANSWERED = (16, 19)


class Reverse:
    """Sees to the reverse calls of one PBX."""

    def __init__(self, app: AriApp) -> None:
        self._app = app

    def begin(self, channel: Event, arguments: list[str]) -> None:
        self._made(channel["id"], Bridged.call)

    async def take_up(self, channel: Event, arguments: list[str]) -> bool:
        self.find_callee(channel["id"])
        return True

    def find_callee(self, agent: str) -> None:
        """The agent was left here."""
        self._made(agent, Bridged.find_callee)

    def _made(self, agent: str, what: Callable[["Bridged"], Coroutine[Any, Any, None]]) -> None:
        wombatid = wombatid_of(agent)
        if wombatid is None:
            log.warning("ARI: %s is not one of our channels: no reverse call", agent)
            self._app.send_on(agent)
            return
        bridged = Bridged(self._app, wombatid)
        self._app.floor.add(bridged)
        bridged.work(what(bridged))


class Bridged:
    """One call. From the moment when the agent is here to the end of both."""

    def __init__(self, app: AriApp, wombatid: int) -> None:
        self._app = app
        self._link: AriLink = app.link
        self._wombatid = wombatid
        self.agent, self.callee = channel_id(wombatid), callee_id(wombatid)
        self.bridge = f"{BRIDGE_PREFIX}{wombatid:016}"
        self._answered = asyncio.Event()
        self._status = ""  #: DialStatus, as ARI last told it
        self._rang_out = False
        self._joined = False
        self._over = False
        self._work: asyncio.Task[Any] | None = None

    @property
    def channels(self) -> tuple[str, ...]:
        return self.agent, self.callee, self.bridge

    def work(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._work = self._link.task(self._or_end(coroutine), f"reverse call {self._wombatid}")

    async def _or_end(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """A PBX that refuses what must be does not keep the agent waiting."""
        try:
            await coroutine
        except AriError as trouble:
            log.warning("call %s: %s", self._wombatid, trouble)
            self._status = self._status or UNTOLD
            self._end(0)
            self._drop_callee()

    def let_go(self) -> None:
        if self._work is not None:
            self._work.cancel()

    # What the PBX tells

    def hear(self, event: Event) -> None:
        kind, channel = event["type"], event.get("channel", {}).get("id")
        if kind == "Dial" and event["peer"]["id"] == self.callee and event.get("dialstatus"):
            self._status = event["dialstatus"]
        elif kind == "StasisStart" and channel == self.callee and not self._joined:
            self._answered.set()
            self.work(self._join(str(_milliseconds(event["timestamp"]))))
        elif kind == "ChannelDestroyed" and channel == self.callee:
            self._end(event.get("cause", 0))
        elif kind in ("StasisEnd", "ChannelDestroyed") and channel == self.agent:
            self._agent_left()

    def _agent_left(self) -> None:
        if not self._over:
            self._finish()
            self._drop_callee()

    def _drop_callee(self) -> None:
        self._link.task(hang_up(self._link, self.callee), f"hanging up {self.callee}")

    def _end(self, cause: int) -> None:
        """The callee is gone."""
        if not self._over:
            self._finish()
            self._link.task(if_there(self._tell_and_hang_up(cause)), f"ending call {self._wombatid}")

    def _finish(self) -> None:
        self._over = True
        self.let_go()
        self._app.floor.remove(self)
        if self._joined:
            self._link.task(remove_bridge(self._link, self.bridge), f"removing the bridge of call {self._wombatid}")

    # What is done

    async def call(self) -> None:
        """Call the callee. Whoever answers comes to a context that brings them here, and waits if nobody is here."""
        dial, timeout, clid = [
            await variable(self._link, self.agent, name)
            for name in ("WOMBAT_DIAL", "WOMBAT_DIAL_TIMEOUT", "WOMBAT_DIAL_CLID")
        ]
        seconds = float(timeout or 30)
        # What it is if the agent leaves while the callee rings, as by Dial().
        await self._app.set_variable(self.agent, "DIALSTATUS", CALLED)
        try:
            made = await self._link.ask(
                "channels",
                "originateWithId",
                channelId=self.callee,
                otherChannelId=f"wbd-{self._wombatid:016}",
                endpoint=dial,
                context=ANSWERED_CONTEXT,
                extension="s",
                priority=1,
                callerId=clid or None,
                # Whole seconds; the exact ones are ours. These are for the callee of a dialer that died.
                timeout=math.ceil(seconds) + 1,
                originator=self.agent,
            )
        except AriError as trouble:
            if not trouble.status:
                raise
            log.info("call %s: the callee's channel was not made: %s", self._wombatid, trouble)
            self._status = "CHANUNAVAIL"
            self._end(NO_ROUTE)
            return
        self._app.tell(LegDialled(self._wombatid, made["name"]))
        if await self._watch_callee():
            await self._wait_for_answer(seconds)

    async def _watch_callee(self) -> bool:
        """ARI tells of channels that are not in the application only if asked to. False: it has ended already, and why,
        AMI tells.
        """
        try:
            source = f"channel:{self.callee}"
            await self._link.ask("applications", "subscribe", applicationName=self._app.app, eventSource=source)
        except AriError as trouble:
            if trouble.status not in (404, 422):
                raise
            self._end(0)
            return False
        return True

    async def find_callee(self) -> None:
        """The agent was left here: go on with what is found of the callee."""
        callee = self._app.floor.listed.get(self.callee)
        if callee is None:
            await self._callee_is_gone()
        elif callee["dialplan"].get("app_name") == "Stasis":
            bridges = await self._link.ask("bridges", "list")
            self._joined = any({self.agent, self.callee} <= set(each["channels"]) for each in bridges)
            if not self._joined:
                await self._join(await variable(self._link, self.agent, "STRFTIME(,,%s%3q)"))
        elif await self._watch_callee():
            timeout = float(await variable(self._link, self.agent, "WOMBAT_DIAL_TIMEOUT") or 30)
            await self._wait_for_answer(timeout)

    async def _callee_is_gone(self) -> None:
        status = await variable(self._link, self.agent, "DIALSTATUS")
        if not status:
            await self.call()
            return
        # They talked, and the callee has hung up; or how it ended nobody has seen.
        self._joined = status == "ANSWER"
        self._status = UNTOLD if status == CALLED else status
        self._end(NORMAL if self._joined else 0)

    async def _wait_for_answer(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._answered.wait()
        except TimeoutError:
            self._rang_out = True
            await hang_up(self._link, self.callee, cause=RANG_OUT)

    async def _join(self, at_ms: str) -> None:
        """The callee has answered, at this time of the PBX: the two are put together, and it is said to all."""
        self._joined, self._status = True, "ANSWER"
        link = self._link
        await link.ask("bridges", "createWithId", bridgeId=self.bridge, type="mixing", name=self.bridge)
        await link.ask("channels", "stopMoh", channelId=self.agent)
        both = f"{self.agent},{self.callee}"
        # The agent's phone goes on to show the number, not what Asterisk knows of the callee's channel.
        await link.ask("bridges", "addChannel", bridgeId=self.bridge, channel=both, inhibitConnectedLineUpdates=True)
        await self._app.set_variable(self.agent, "DIALSTATUS", "ANSWER")
        await self._app.set_variable(self.agent, "WOMBAT_UP", at_ms)
        # They may talk as long as they like; what the campaign allows is set by the engine when it hears of the answer.
        await self._app.set_variable(self.agent, "TIMEOUT(absolute)", "0")
        self._app.tell(DialEnded(self._wombatid, "ANSWER", leg=True, dialled_by_us=True))
        await self._record()

    async def _record(self) -> None:
        if await variable(self._link, self.agent, WANTED) != "yes":
            return
        name = recording_name(self._wombatid)
        await self._link.ask("bridges", "record", bridgeId=self.bridge, name=name, format="wav", ifExists="overwrite")
        self._app.tell(AttributeSet(self._wombatid, RECORDING, name))

    async def _tell_and_hang_up(self, cause: int) -> None:
        """How it went, in Dial()'s words, on the agent's channel; its hang-up handlers tell it to everybody else."""
        status = self._status
        if status in ("", "NOANSWER", "RINGING", "PROGRESS"):
            status = "NOANSWER" if self._rang_out or cause in _UNANSWERED else "CHANUNAVAIL"
        if not self._joined:
            await self._app.set_variable(self.agent, "DIALSTATUS", status)
        # Its context hangs it up with this cause; ARI of Asterisk 16 could not.
        await self._app.set_variable(self.agent, "WOMBAT_CAUSE", str(cause))
        await self._link.ask("channels", "continueInDialplan", channelId=self.agent)


def callee_id(wombatid: int) -> str:
    return f"{CALLEE_PREFIX}{wombatid:016}"


def agent_of(callee_or_bridge: str) -> str:
    return CHANNEL_PREFIX + callee_or_bridge[len(CALLEE_PREFIX) :]


async def remove_bridge(link: AriLink, bridge: str) -> None:
    await if_there(link.ask("bridges", "destroy", bridgeId=bridge))


async def hang_up(link: AriLink, channel: str, *, cause: int = NORMAL) -> None:
    await if_there(link.ask("channels", "hangup", channelId=channel, reason_code=str(cause)))


async def if_there(request: Coroutine[Any, Any, Any]) -> None:
    """What is gone already is as good as ended."""
    try:
        await request
    except AriError as trouble:
        if not trouble.gone:
            raise


def _milliseconds(timestamp: str) -> int:
    """``2026-11-24T12:10:16.824+0000``, the PBX's own clock."""
    return round(datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp() * 1000)
