"""A caller carried by a FastAGI session.

Rules of the place:
- One command at a time: Asterisk reads a second one only when more comes (it looks at the socket, not at its buffer).
- Digits are taken by GET DATA where it can: one command, so nothing that is pressed falls between two.
- A hang-up ends what is waited for. Which command it was that Asterisk refused because of it makes no difference.
"""

from collections.abc import Sequence

from wombat_ari.flows.line import DIGITS, CallerHungUp, FlowError, RecordEnd, Recording, Spoken
from wombat_ari.pbx.fastagi import AGIHangup, FastAGIProtocol
from wombat_ari.wire.agi import Reply, asking_variable

LONG_S = 3600.0  #: a sound, a text that is read
RATE = 8000  #: samples a second of ``endpos``, for WAV at 8 kHz
SPOOL = "AST_CONFIG(asterisk.conf,directories,astspooldir)"
DATE_FORMAT = "ABdY 'digits/at' IMp"  #: Asterisk's own default, spelled out


class AgiLine:
    def __init__(self, agi: FastAGIProtocol) -> None:
        self._agi = agi

    @property
    def hung_up(self) -> bool:
        return self._agi.hungUp

    async def until_hung_up(self) -> None:
        await self._agi.onHangup()

    async def answer(self) -> None:
        if (await self._ask("CHANNEL STATUS")).result != "6":
            _well(await self._ask("ANSWER"), "answer")

    async def play(self, sound: str, interrupt: str = "") -> str:
        reply = await self._ask("STREAM FILE", sound, interrupt, timeout=LONG_S)
        if reply.result == "-1":
            raise FlowError(f"play: the PBX has no sound {sound!r} that it can play", code="flow.sound")
        return _digit(_well(reply, f"play {sound}"))

    async def say(self, kind: Spoken, text: str, interrupt: str = "") -> str:
        if kind is Spoken.DATE:
            epoch, _, zone = text.partition(" ")
            asked = self._ask("SAY DATETIME", epoch, interrupt, DATE_FORMAT, *([zone] if zone else []), timeout=LONG_S)
        else:
            asked = self._ask(f"SAY {kind.upper()}", text, interrupt, timeout=LONG_S)
        return _digit(_well(await asked, f"say {kind} {text}"))

    async def digits(self, prompts: Sequence[str], *, most: int, timeout_s: float, terminator: str) -> str:
        wait = max(1, int(timeout_s * 1000))
        by_data = terminator == "#" and most > 1
        *first, last = prompts or ("",)
        pressed = ""
        for sound in first if by_data else prompts:
            if pressed := await self.play(sound, DIGITS):
                last = ""
                break
        while True:
            if pressed and pressed[-1] == terminator:
                return pressed[:-1]
            if len(pressed) == most:
                return pressed
            if by_data:
                limit = LONG_S + (most + 1) * timeout_s
                reply = await self._ask("GET DATA", last, wait, most - len(pressed), timeout=limit)
                return pressed + _well(reply, "digits").result
            digit = _digit(_well(await self._ask("WAIT FOR DIGIT", wait, timeout=timeout_s + 10), "digits"))
            if not digit:
                return pressed
            pressed += digit

    async def record(self, name: str, *, limit_s: float, silence_s: float, terminator: str, beep: bool) -> Recording:
        folder = (await self.get_variable(SPOOL)) or "/var/spool/asterisk"
        sound = f"{folder}/recording/{name}"
        more = [*(["BEEP"] if beep else []), *([f"s={max(1, round(silence_s))}"] if silence_s else [])]
        given: tuple[str | int, ...] = (sound, "wav", terminator, int(limit_s * 1000), *more)
        try:
            reply = await self._recorded(folder, given, limit_s)
        except CallerHungUp:
            raise CallerHungUp(sound) from None
        if reply.result == "-1" or reply.code != 200:
            raise FlowError(f"record: the PBX cannot record to {sound}.wav: {reply.text}", code="flow.record")
        if silence_s and reply.value == "timeout" and (reply.end_position or 0) < (limit_s - 0.5) * RATE:
            end = RecordEnd.SILENCE
        else:
            end = {"dtmf": RecordEnd.DIGIT}.get(reply.value, RecordEnd.TIMEOUT)
        return Recording(sound, (reply.end_position or 0) / RATE, end)

    async def _recorded(self, folder: str, given: Sequence[str | int], limit_s: float) -> Reply:
        reply = await self._ask("RECORD FILE", *given, timeout=limit_s + 30)
        if reply.value == "writefile":  # there is no such folder yet, and only some applications make one
            await self._ask("EXEC", "MixMonitor", f"{folder}/recording/none.wav")
            await self._ask("EXEC", "StopMixMonitor")
            reply = await self._ask("RECORD FILE", *given, timeout=limit_s + 30)
        return reply

    async def get_variable(self, name: str) -> str:
        return (await self._ask(*asking_variable(name))).value

    async def set_variable(self, name: str, value: str) -> None:
        _well(await self._ask("SET VARIABLE", name, value), f"set {name}")

    async def transfer(self, context: str, extension: str, priority: int = 1) -> None:
        exists = await self.get_variable(f"DIALPLAN_EXISTS({context},{extension},{priority})")
        if exists != "1":
            raise FlowError(f"there is no {extension}@{context}, priority {priority}, on the PBX", code="flow.transfer")
        for command, value in (("CONTEXT", context), ("EXTENSION", extension), ("PRIORITY", str(priority))):
            _well(await self._ask(f"SET {command}", value), f"transfer to {extension}@{context}")

    async def hang_up(self) -> None:
        await self._ask("HANGUP")
        self._agi.hungUp = True

    async def _ask(self, name: str, *arguments: str | int, timeout: float | None = None) -> Reply:
        if self._agi.hungUp:
            raise CallerHungUp
        try:
            reply: Reply = await self._agi.sendCommand(name, *arguments, timeout=timeout)
        except AGIHangup:
            raise CallerHungUp from None
        if reply.result == "-1" and reply.value != "writefile" and not self._agi.hungUp:
            # Refused, or hung up: the line that tells comes behind, so it is asked for.
            try:
                reply_or_dead: Reply = await self._agi.sendCommand("CHANNEL STATUS")
            except AGIHangup:
                raise CallerHungUp from None
            if reply_or_dead.code == 511:
                raise CallerHungUp
        if reply.code == 511 or self._agi.hungUp:
            raise CallerHungUp
        return reply


def _well(reply: Reply, what: str) -> Reply:
    if reply.code != 200 or reply.result == "-1":
        raise FlowError(f"{what}: the PBX says {reply.code} {reply.text[:200]}", code="flow.refused")
    return reply


def _digit(reply: Reply) -> str:
    return chr(int(reply.result)) if reply.result not in ("0", "") else ""
