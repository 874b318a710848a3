"""A caller by script: tests of flows without a PBX (docs/flows.md has an example).

seen = ScriptedCaller("142#", attributes={"NAME": "Ann"}).goes_through(survey)
assert seen.attributes == {"RATING": "1", "AGE": "42"}
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wombat_ari.flows.call import Call
from wombat_ari.flows.line import (
    QUEUE_CONTEXT,
    QUEUE_VARIABLE,
    CallerHungUp,
    CallFacts,
    FlowError,
    RecordEnd,
    Recording,
    Spoken,
)

WAITS = " "  #: among the keys: the caller lets the time pass


@dataclass(slots=True)
class Seen:
    """What came of it."""

    #: sounds, and ``digits:12``, ``number:7``, ``date:1790000000 UTC``, ``speech:text``
    heard: list[str] = field(default_factory=list)
    status: str = ""  #: the last extended status
    attributes: dict[str, str] = field(default_factory=dict)  #: output attributes
    variables: dict[str, str] = field(default_factory=dict)  #: channel variables, at the end
    recorded: list[str] = field(default_factory=list)  #: names
    added: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)  #: campaign, number, attributes
    sent_to: str = ""  #: ``queue NAME`` or ``EXTENSION@CONTEXT``
    hung_up: bool = False  #: by the caller, or by the flow
    answered: bool = False


class ScriptedCaller:
    """``keys`` are pressed in their order, whenever the flow waits for one; a blank is somebody who presses none.

    ``hangs_up_at`` counts what is asked of the caller (each sound, each wait for keys, ...), from 1. ``extensions`` are
    the places that a transfer may go to (``100@context``); None: any. ``sounds`` likewise.
    """

    def __init__(
        self,
        keys: str = "",
        *,
        hangs_up_at: int = 0,
        attributes: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        number: str = "5551000",
        campaign: str = "test",
        wombatid: int = 1,
        attempt: int = 1,
        sounds: Sequence[str] | None = None,
        extensions: Sequence[str] | None = None,
    ) -> None:
        self._keys = list(keys)
        self._hangs_up_at = hangs_up_at
        self._facts = CallFacts(wombatid, number, campaign, attempt, dict(attributes or {}))
        self._sounds = sounds
        self._extensions = extensions
        self._steps = 0
        self._gone: asyncio.Event | None = None
        self.seen = Seen(variables=dict(variables or {}))

    def goes_through(self, flow: Callable[[Any], Awaitable[object]]) -> Seen:
        """Run the flow to its end. What it raises is raised, but for the hang-up."""
        asyncio.run(self.go_through(flow))
        return self.seen

    async def go_through(self, flow: Callable[[Any], Awaitable[object]]) -> Seen:
        """The same inside a loop that runs."""
        self._gone = asyncio.Event()
        try:
            await flow(Call(self, self, self._facts))
        except CallerHungUp:
            self.seen.hung_up = True
        return self.seen

    # As a line

    @property
    def hung_up(self) -> bool:
        return self.seen.hung_up

    async def until_hung_up(self) -> None:
        assert self._gone is not None
        await self._gone.wait()

    async def answer(self) -> None:
        self._step()
        self.seen.answered = True

    async def play(self, sound: str, interrupt: str = "") -> str:
        self._step()
        if self._sounds is not None and sound not in self._sounds:
            raise FlowError(f"play: the PBX has no sound {sound!r} that it can play", code="flow.sound")
        return self._heard(sound, interrupt)

    async def say(self, kind: Spoken, text: str, interrupt: str = "") -> str:
        self._step()
        return self._heard(f"{kind}:{text}", interrupt)

    async def digits(self, prompts: Sequence[str], *, most: int, timeout_s: float, terminator: str) -> str:
        self._step()
        self.seen.heard += prompts
        pressed = ""
        while self._keys and len(pressed) < most:
            key = self._keys.pop(0)
            if key == WAITS or (terminator and key == terminator):
                break
            pressed += key
        return pressed

    async def record(self, name: str, *, limit_s: float, silence_s: float, terminator: str, beep: bool) -> Recording:
        self.seen.recorded.append(name)
        try:
            self._step()
        except CallerHungUp:
            raise CallerHungUp(f"/recordings/{name}") from None
        return Recording(f"/recordings/{name}", min(limit_s, 3.0), RecordEnd.DIGIT if terminator else RecordEnd.TIMEOUT)

    async def get_variable(self, name: str) -> str:
        return self.seen.variables.get(name, "")

    async def set_variable(self, name: str, value: str) -> None:
        self.seen.variables[name] = value

    async def transfer(self, context: str, extension: str, priority: int = 1) -> None:
        self._step()
        place = f"{extension}@{context}"
        if context == QUEUE_CONTEXT:
            place = f"queue {self.seen.variables[QUEUE_VARIABLE]}"
        elif self._extensions is not None and place not in self._extensions:
            raise FlowError(f"there is no {place}, priority {priority}, on the PBX", code="flow.transfer")
        self.seen.sent_to = place

    async def hang_up(self) -> None:
        self.seen.hung_up = True

    # As the dialer

    async def status(self, code: str) -> None:
        self.seen.status = self._ours(code.strip())

    async def attribute(self, name: str, value: str) -> None:
        self.seen.attributes[self._ours(name)] = value

    async def append(self, name: str, value: str) -> None:
        self.seen.attributes[self._ours(name)] = self.seen.attributes.get(name, "") + value

    async def clear(self, name: str) -> None:
        self.seen.attributes[self._ours(name)] = ""

    async def speech(self, text: str) -> str:
        return f"speech:{text}"

    async def add_call(self, campaign: str, number: str, attributes: Mapping[str, str], schedule: str) -> int:
        self.seen.added.append((campaign, number, dict(attributes)))
        return 1000 + len(self.seen.added)

    def _step(self) -> None:
        self._steps += 1
        if self._steps == self._hangs_up_at:
            self.seen.hung_up = True
            if self._gone is not None:
                self._gone.set()
        if self.seen.hung_up:
            raise CallerHungUp

    def _heard(self, sound: str, interrupt: str) -> str:
        self.seen.heard.append(sound)
        if self._keys and self._keys[0] in interrupt:
            return self._keys.pop(0)
        return ""

    def _ours(self, text: str) -> str:
        if not self._facts.wombatid:
            raise FlowError("not a call of the dialer: it has no status and no attributes", code="flow.call")
        return text
