"""A caller carried by ARI: a channel in our Stasis application.

ARI says that a thing has begun, and by an event that it is done; here that is one coroutine for each thing. What is
awaited inside is asyncio's, so each is a task there, wrapped in a Deferred for whoever asks from Twisted's side.

Rules of the place:
- Digits are events and come at any time. Those that come between two things that are asked are kept for the next one;
  those that nobody wants while something plays are dropped, as by FastAGI.
- A lost link is to the flow as a hang-up: what happens to the caller meanwhile cannot be seen any more. The dialplan
  goes on with the caller when the link is back (``pbx/ari_app``).
"""

import asyncio
import itertools
import math
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from wombat_ari.flows.line import CallerHungUp, FlowError, RecordEnd, Recording, Spoken
from wombat_ari.pbx.ari import AriError, Event
from wombat_ari.pbx.ari_app import AriApp, variable

T = TypeVar("T")

SPOOL = "AST_CONFIG(asterisk.conf,directories,astspooldir)"
RECORD_MARGIN_S = 10.0  #: so long after its limit a recording must have told that it is done
GONE_S = 1.0
_serial = itertools.count(1)


class AriLine:
    """``flows/line.Line``, and an attendant of ``pbx/ari_app``."""

    def __init__(self, app: AriApp, channel: str) -> None:
        self._app = app
        self._link = app.link
        self._channel = channel
        self._gone = asyncio.Event()
        self._left = False  #: by transfer
        #: Digits, ends of sounds and recordings, in their order; None: the caller is gone.
        self._inbox: asyncio.Queue[Event | None] = asyncio.Queue()

    @property
    def channels(self) -> tuple[str, ...]:
        return (self._channel,)

    @property
    def hung_up(self) -> bool:
        return self._gone.is_set()

    @property
    def left(self) -> bool:
        """The caller was sent on."""
        return self._left

    # What the PBX tells

    def hear(self, event: Event) -> None:
        kind = event["type"]
        if kind in ("ChannelDtmfReceived", "PlaybackFinished", "RecordingFinished", "RecordingFailed"):
            self._inbox.put_nowait(event)
        elif kind == "ChannelDestroyed" or (kind == "StasisEnd" and not self._left):
            self.let_go()

    def let_go(self) -> None:
        self._gone.set()
        self._inbox.put_nowait(None)

    # Line

    async def until_hung_up(self) -> None:
        await self._on_asyncio(self._gone.wait())

    async def answer(self) -> None:
        await self._on_asyncio(self._answer())

    async def play(self, sound: str, interrupt: str = "") -> str:
        return await self._on_asyncio(self._play([f"sound:{sound}"], interrupt, f"play: the PBX cannot play {sound!r}"))

    async def say(self, kind: Spoken, text: str, interrupt: str = "") -> str:
        return await self._on_asyncio(self._say(kind, text, interrupt))

    async def digits(self, prompts: Sequence[str], *, most: int, timeout_s: float, terminator: str) -> str:
        return await self._on_asyncio(self._take(prompts, most, timeout_s=timeout_s, terminator=terminator))

    async def record(self, name: str, *, limit_s: float, silence_s: float, terminator: str, beep: bool) -> Recording:
        return await self._on_asyncio(
            self._record(name, limit_s=limit_s, silence_s=silence_s, terminator=terminator, beep=beep)
        )

    async def get_variable(self, name: str) -> str:
        return await self._on_asyncio(self._variable(name))

    async def set_variable(self, name: str, value: str) -> None:
        await self._on_asyncio(self._asked(self._app.set_variable(self._channel, name, value)))

    async def transfer(self, context: str, extension: str, priority: int = 1) -> None:
        await self._on_asyncio(self._transfer(context, extension, priority))

    async def hang_up(self) -> None:
        await self._on_asyncio(self._ask("hangup", reason_code="16"))
        self.let_go()

    # Each of them

    async def _answer(self) -> None:
        if (await self._ask("get"))["state"] != "Up":
            await self._ask("answer")

    async def _say(self, kind: Spoken, text: str, interrupt: str) -> str:
        refused = f"say {kind} {text}: the PBX cannot"
        if kind is not Spoken.DATE:
            return await self._play([f"{kind.lower()}:{text}"], interrupt, refused)
        epoch, _, zone = text.partition(" ")
        parts = await self._variable(f"STRFTIME({epoch},{zone},%w|%m|%d|%Y|%H|%M)")
        return await self._play(date_sounds(*map(int, parts.split("|"))), interrupt, refused)

    async def _play(self, media: list[str], interrupt: str, refused: str) -> str:
        while not self._inbox.empty():
            if (digit := _digit(await self._next())) and digit in interrupt:
                return digit
        playback = await self._begin(media)
        try:
            while True:
                event = await self._next()
                if _is_end(event, playback):
                    playback = ""
                    if event is not None and event["playback"].get("state") == "failed":
                        await self._not_gone()
                        raise FlowError(refused, code="flow.sound")
                    return ""
                if (digit := _digit(event)) and digit in interrupt:
                    return digit
        finally:
            self._stop(playback)

    async def _take(self, prompts: Sequence[str], most: int, *, timeout_s: float, terminator: str) -> str:
        pressed, now = "", asyncio.get_running_loop().time
        playback = await self._begin([f"sound:{each}" for each in prompts]) if prompts and self._inbox.empty() else ""
        until = None if playback else now() + timeout_s
        try:
            while (event := await self._next(until)) is not None:
                digit = _digit(event)
                if digit:
                    self._stop(playback)
                    if digit == terminator:
                        break
                    pressed += digit
                    if len(pressed) == most:
                        break
                if digit or _is_end(event, playback):
                    playback, until = "", now() + timeout_s
        finally:
            self._stop(playback)
        return pressed

    async def _record(self, name: str, *, limit_s: float, silence_s: float, terminator: str, beep: bool) -> Recording:
        folder = await self._variable(SPOOL) or "/var/spool/asterisk"
        await self._ask(
            "record",
            name=name,
            format="wav",
            maxDurationSeconds=math.ceil(limit_s),
            maxSilenceSeconds=math.ceil(silence_s),
            ifExists="overwrite",
            beep=beep,
            # ARI knows one key, or any; of more than one, or of a number, we end it ourselves.
            terminateOn=terminator if terminator in ("#", "*") else "none",
        )
        sound = f"{folder}/recording/{name}"
        try:
            return await self._until_recorded(name, sound, limit_s=limit_s, silence_s=silence_s, terminator=terminator)
        except CallerHungUp:
            raise CallerHungUp(sound) from None

    async def _until_recorded(
        self, name: str, sound: str, *, limit_s: float, silence_s: float, terminator: str
    ) -> Recording:
        pressed, finished = False, False
        until = asyncio.get_running_loop().time() + limit_s + RECORD_MARGIN_S
        try:
            while True:
                event = await self._next(until)
                if event is None:
                    raise FlowError(f"record: the PBX did not say that {name} is done", code="flow.record")
                digit = _digit(event)
                if digit and digit in terminator:
                    pressed = True
                    if terminator not in ("#", "*"):
                        await self._asked(self._link.ask("recordings", "stop", recordingName=name))
                recording = event.get("recording", {})
                if recording.get("name") == name:
                    finished = True
                    break
        finally:
            if not finished and not self.hung_up:
                self._link.task(self._quietly("recordings", "stop", recordingName=name), f"ending recording {name}")
        if event["type"] == "RecordingFailed":
            cause = recording.get("cause", "no cause told")
            raise FlowError(f"record: the PBX cannot record {name}: {cause}", code="flow.record")
        duration = float(recording.get("duration") or 0)
        end = RecordEnd.DIGIT if pressed else RecordEnd.TIMEOUT
        if not pressed and silence_s and float(recording.get("silence_duration") or 0) >= silence_s - 0.5:
            end = RecordEnd.SILENCE
        if end is RecordEnd.TIMEOUT and asyncio.get_running_loop().time() < until - RECORD_MARGIN_S - 0.5:
            await self._not_gone(2.0)  # nothing else ends it before its time
        return Recording(sound, duration, end)

    async def _variable(self, name: str) -> str:
        return await self._asked(variable(self._link, self._channel, name))

    async def _transfer(self, context: str, extension: str, priority: int) -> None:
        if await self._variable(f"DIALPLAN_EXISTS({context},{extension},{priority})") != "1":
            raise FlowError(f"there is no {extension}@{context}, priority {priority}, on the PBX", code="flow.transfer")
        self._left = True
        await self._ask("continueInDialplan", context=context, extension=extension, priority=priority)

    # Inside

    async def _begin(self, media: list[str]) -> str:
        playback = f"{self._channel}-{next(_serial)}"
        await self._ask("playWithId", media=media, playbackId=playback)
        return playback

    def _stop(self, playback: str) -> None:
        """If one plays."""
        if playback and not self.hung_up:
            self._link.task(self._quietly("playbacks", "stop", playbackId=playback), f"stopping {playback}")

    async def _quietly(self, about: str, operation: str, **arguments: Any) -> None:
        try:
            await self._link.ask(about, operation, **arguments)
        except AriError as trouble:
            if not trouble.gone:
                raise

    async def _not_gone(self, patience_s: float = GONE_S) -> None:
        """Of a caller who hangs up ARI tells that what went on is over, and a moment later that they are gone."""
        try:
            async with asyncio.timeout(patience_s):
                await self._gone.wait()
        except TimeoutError:
            return
        raise CallerHungUp

    async def _next(self, until: float | None = None) -> Event | None:
        """What comes next; None: nothing came until then (the loop's time)."""
        if self.hung_up:
            raise CallerHungUp
        try:
            async with asyncio.timeout_at(until):
                event = await self._inbox.get()
        except TimeoutError:
            return None
        if event is None:
            raise CallerHungUp
        return event

    async def _ask(self, operation: str, **arguments: Any) -> Any:
        return await self._asked(self._link.ask("channels", operation, channelId=self._channel, **arguments))

    async def _asked(self, request: Coroutine[Any, Any, T]) -> T:
        if self.hung_up:
            request.close()
            raise CallerHungUp
        try:
            return await request
        except AriError as trouble:
            if trouble.gone or self.hung_up:
                self.let_go()
                raise CallerHungUp from None
            raise FlowError(str(trouble), code="flow.refused") from None

    def _on_asyncio(self, coroutine: Coroutine[Any, Any, T]) -> "Deferred[T]":
        return Deferred.fromFuture(asyncio.ensure_future(coroutine))


def date_sounds(weekday: int, month: int, day: int, year: int, hour: int, minute: int) -> list[str]:
    """ARI reads no dates. As Asterisk's own default, ``ABdY 'digits/at' IMp``, in the English order of words.

    ``weekday`` 0 is Sunday, ``month`` 1 January.
    """
    tens = [] if day < 21 or day == 30 else [f"sound:digits/{day // 10 * 10}"]
    ordinal = f"sound:digits/h-{day % 10 if tens else day}"
    minutes = [] if minute == 0 else [*(["sound:digits/oh"] if minute < 10 else []), f"number:{minute}"]
    return [
        f"sound:digits/day-{weekday}",
        f"sound:digits/mon-{month - 1}",
        *tens,
        ordinal,
        f"number:{year}",
        "sound:digits/at",
        f"number:{hour % 12 or 12}",
        *(minutes or ["sound:digits/oclock"]),
        "sound:digits/p-m" if hour >= 12 else "sound:digits/a-m",
    ]


def _digit(event: Event | None) -> str:
    return str(event["digit"]) if event is not None and event["type"] == "ChannelDtmfReceived" else ""


def _is_end(event: Event | None, playback: str) -> bool:
    return event is not None and bool(playback) and event.get("playback", {}).get("id") == playback
