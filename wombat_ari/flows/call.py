"""The object that a flow is given: the caller, the call's facts, and what the dialer is told of it.

It is the same for every carrier. Whatever needs the caller raises ``CallerHungUp`` once they are gone.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from wombat_ari.flows.line import (
    DIGITS,
    QUEUE_CONTEXT,
    QUEUE_EXTENSION,
    QUEUE_VARIABLE,
    CallerHungUp,
    CallFacts,
    FlowError,
    Line,
    Office,
    Recording,
    Spoken,
)

Sounds = str | Sequence[str]
MAX_DIGITS = 100


class Call:
    """One caller in one flow."""

    def __init__(self, line: Line, office: Office, facts: CallFacts) -> None:
        self._line = line
        self._office = office
        self._left = ""  #: where the caller was sent
        self.wombatid = facts.wombatid  #: 0: not a call of the dialer's
        self.number = facts.number
        self.campaign = facts.campaign
        self.attempt = facts.attempt
        #: input attributes: ``call.attributes["NAME"]``, ``call.attributes.get("NAME", "")``; read only
        self.attributes: Mapping[str, str] = MappingProxyType(dict(facts.attributes))

    @property
    def hung_up(self) -> bool:
        """The caller is gone."""
        return self._line.hung_up

    # The caller hears

    async def answer(self) -> None:
        """Answer; a call of the dialer's is answered already."""
        await self._caller().answer()

    async def play(self, sounds: Sounds, interrupt: str = "") -> str:
        """Play a sound, or one after the other; the digit of ``interrupt`` that interrupted, or an empty text."""
        _digits("interrupt", interrupt)
        for sound in _sounds(sounds):
            if digit := await self._caller().play(sound, interrupt):
                return digit
        return ""

    async def say_digits(self, digits: str | int, interrupt: str = "") -> str:
        _digits("say_digits", str(digits))
        return await self._caller().say(Spoken.DIGITS, str(digits), _digits("interrupt", interrupt))

    async def say_number(self, number: int, interrupt: str = "") -> str:
        return await self._caller().say(Spoken.NUMBER, str(int(number)), _digits("interrupt", interrupt))

    async def say_date(self, when: datetime | float, interrupt: str = "") -> str:
        """Day and time; a ``datetime`` with a zone is read in that zone, everything else in the PBX's."""
        zone = getattr(when.tzinfo, "key", "") if isinstance(when, datetime) else ""
        epoch = when.timestamp() if isinstance(when, datetime) else when
        return await self._caller().say(Spoken.DATE, f"{int(epoch)} {zone}".rstrip(), _digits("interrupt", interrupt))

    async def say_text(self, text: str, interrupt: str = "") -> str:
        """Text to speech, by the configured program; the same text is made once."""
        return await self.play(await self.speech(text), interrupt)

    async def speech(self, text: str) -> str:
        """The sound that speaks ``text``, for ``play`` and as a prompt."""
        return await self._office.speech(text) if text.strip() else "silence/1"

    # The caller presses

    async def digits(
        self, most: int, *, prompt: Sounds = (), timeout: float = 5.0, terminator: str = "#", tries: int = 1
    ) -> str:
        """At most ``most`` digits: until ``terminator``, or ``timeout`` seconds without one. Asked ``tries`` times
        before an empty text is answered.
        """
        if not 1 <= most <= MAX_DIGITS:
            raise FlowError(f"digits: at least 1, at most {MAX_DIGITS}, not {most}")
        if len(_digits("terminator", terminator)) > 1:
            raise FlowError(f"digits: one terminator, not {terminator!r}")
        for _ in range(tries):
            pressed = await self._caller().digits(_sounds(prompt), most=most, timeout_s=timeout, terminator=terminator)
            if pressed:
                return pressed
        return ""

    async def digit(self, timeout: float = 5.0) -> str:
        """One key, any; an empty text when none was pressed."""
        return await self.digits(1, timeout=timeout, terminator="")

    async def menu(
        self, prompt: Sounds, choices: str, *, tries: int = 3, timeout: float = 5.0, wrong: Sounds = ()
    ) -> str:
        """One of the keys ``choices``; the prompt is repeated up to ``tries`` times, after ``wrong`` if another key
        was pressed. An empty text: none of them was pressed.
        """
        if not _digits("choices", choices):
            raise FlowError("menu: no choices")
        for _ in range(tries):
            pressed = await self.digits(1, prompt=prompt, timeout=timeout, terminator="")
            if pressed and pressed in choices:
                return pressed
            if pressed and wrong:
                await self.play(wrong)
        return ""

    async def record(
        self,
        name: str = "",
        *,
        limit: float = 60.0,
        silence: float = 5.0,
        terminator: str = "#",
        beep: bool = True,
        attribute: str = "",
    ) -> Recording:
        """What the caller says; ends at a key of ``terminator``, after ``silence`` seconds (0: not) or ``limit``.

        ``attribute``: the output attribute that becomes the recording's ``sound``, also if they hang up instead.
        """
        name = name or f"flow-{self.wombatid or int(time.time() * 1000)}"
        if not all(letter.isalnum() or letter in "-_" for letter in name) or not name.isascii():
            raise FlowError(f"record: {name!r} must be letters, digits, - and _")
        _digits("terminator", terminator)
        sound = ""
        try:
            made = await self._caller().record(
                name, limit_s=limit, silence_s=silence, terminator=terminator, beep=beep
            )  # fmt: skip
            sound = made.sound
        except CallerHungUp as gone:
            sound = gone.sound
            raise
        finally:
            if attribute and sound:
                await self.attribute(attribute, sound)
        return made

    # The channel

    async def get_variable(self, name: str) -> str:
        return await self._caller().get_variable(name)

    async def set_variable(self, name: str, value: str) -> None:
        await self._caller().set_variable(name, str(value))

    async def transfer(self, extension: str, context: str, priority: int = 1) -> None:
        """The caller goes on in the dialplan, and the flow ends soon: nothing can be asked of them any more."""
        await self._caller().transfer(context, extension, priority)
        self._left = f"{extension}@{context}"

    async def queue(self, name: str) -> None:
        """The caller goes to a queue; they are gone for the flow, as by ``transfer``."""
        await self.set_variable(QUEUE_VARIABLE, name)
        await self._caller().transfer(QUEUE_CONTEXT, QUEUE_EXTENSION, 1)
        self._left = f"queue {name}"

    async def hang_up(self) -> None:
        await self._caller().hang_up()

    # The dialer

    async def status(self, code: str | int) -> None:
        """The call's extended status; the last one wins. Works after a hang-up too, as all below."""
        await self._office.status(str(code))

    async def attribute(self, name: str, value: object) -> None:
        """An output attribute; replaces what it was."""
        await self._office.attribute(name, str(value))

    async def append(self, name: str, value: object) -> None:
        """Continue an output attribute."""
        await self._office.append(name, str(value))

    async def clear(self, name: str) -> None:
        await self._office.clear(name)

    async def add_call(self, campaign: str, number: str, *, schedule: str = "", **attributes: object) -> int:
        """Add a call to the live run of a campaign; its WOMBATID, once it is safely stored."""
        texts = {name: str(value) for name, value in attributes.items()}
        return await self._office.add_call(campaign, number, texts, schedule)

    def _caller(self) -> Line:
        if self._line.hung_up:
            raise CallerHungUp
        if self._left:
            raise FlowError(f"the caller was sent to {self._left}: nothing more can be asked of them", code="flow.left")
        return self._line


def _sounds(sounds: Sounds) -> tuple[str, ...]:
    found = (sounds,) if isinstance(sounds, str) else tuple(sounds)
    for sound in found:
        if not isinstance(sound, str) or not sound or any(mark in sound for mark in "&|\r\n\0"):
            raise FlowError(f"{sound!r} is no sound: a name or a path without an ending")
    return found


def _digits(what: str, text: str) -> str:
    if any(letter not in DIGITS for letter in text):
        raise FlowError(f"{what}: {text!r} must be of the keys {DIGITS}")
    return text
