"""A caller at the terminal: ``wombat-ari flow try NAME``. What would be played is written, keys are typed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from wombat_ari.flows.call import Call
from wombat_ari.flows.line import (
    DIGITS,
    QUEUE_CONTEXT,
    QUEUE_VARIABLE,
    CallerHungUp,
    CallFacts,
    RecordEnd,
    Recording,
    Spoken,
)

HANGS_UP = "h"


class TerminalCaller:
    """Line and office in one. ``say`` writes a line, ``ask`` reads one (EOFError: the caller hangs up)."""

    def __init__(self, facts: CallFacts, *, say: Callable[[str], object], ask: Callable[[str], str]) -> None:
        self._facts = facts
        self._say = say
        self._ask = ask
        self._variables: dict[str, str] = {}
        self._gone = asyncio.Event()

    async def go_through(self, flow: Callable[[Any], Awaitable[object]]) -> None:
        try:
            await flow(Call(self, self, self._facts))
        except CallerHungUp:
            self._say("(the caller has hung up, the flow has ended)")

    # As a line

    @property
    def hung_up(self) -> bool:
        return self._gone.is_set()

    async def until_hung_up(self) -> None:
        await self._gone.wait()

    async def answer(self) -> None:
        self._say("(answered)")

    async def play(self, sound: str, interrupt: str = "") -> str:
        if not interrupt:
            self._say(f"♪ {sound}")
            return ""
        self._say(f"♪ {sound}   (keys that interrupt: {interrupt})")
        return await self._typed(1, interrupt)

    async def say(self, kind: Spoken, text: str, interrupt: str = "") -> str:
        return await self.play(f"{kind} {text}", interrupt)

    async def digits(self, prompts: Sequence[str], *, most: int, timeout_s: float, terminator: str) -> str:
        for sound in prompts:
            self._say(f"♪ {sound}")
        typed = await self._typed(most + len(terminator), DIGITS)
        return (typed.partition(terminator)[0] if terminator else typed)[:most]

    async def record(self, name: str, *, limit_s: float, silence_s: float, terminator: str, beep: bool) -> Recording:
        self._say(f"● records {name} for up to {limit_s:g} s")
        return Recording(f"/recordings/{name}", 1.0, RecordEnd.SILENCE)

    async def get_variable(self, name: str) -> str:
        return self._variables.get(name, "")

    async def set_variable(self, name: str, value: str) -> None:
        self._variables[name] = value
        self._say(f"  variable {name} = {value}")

    async def transfer(self, context: str, extension: str, priority: int = 1) -> None:
        if context == QUEUE_CONTEXT:
            self._say(f"→ queue {self._variables.get(QUEUE_VARIABLE, '')}")
        else:
            self._say(f"→ {extension}@{context}, priority {priority}")

    async def hang_up(self) -> None:
        self._say("(the flow hangs up)")
        self._gone.set()

    # As the dialer

    async def status(self, code: str) -> None:
        self._say(f"  status {code}")

    async def attribute(self, name: str, value: str) -> None:
        self._say(f"  attribute {name} = {value}")

    async def append(self, name: str, value: str) -> None:
        self._say(f"  attribute {name} += {value}")

    async def clear(self, name: str) -> None:
        self._say(f"  attribute {name} is cleared")

    async def speech(self, text: str) -> str:
        return f"“{text}”"

    async def add_call(self, campaign: str, number: str, attributes: Mapping[str, str], schedule: str) -> int:
        self._say(f"  a call to {number} for {campaign} {dict(attributes)} {schedule}".rstrip())
        return 1

    async def _typed(self, most: int, keys: str) -> str:
        """What is typed, if it is of these keys; asked again if it is not."""
        while True:
            try:
                typed = (await asyncio.to_thread(self._ask, "keys> ")).strip()
            except EOFError:
                typed = HANGS_UP
            if typed == HANGS_UP:
                self._gone.set()
                raise CallerHungUp
            if len(typed) <= most and all(key in keys for key in typed):
                return typed
            self._say(f"(at most {most} of {keys}; an empty line lets the time pass, {HANGS_UP} hangs up)")
