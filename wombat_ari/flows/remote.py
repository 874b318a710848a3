"""A ``Line`` and an ``Office`` whose other end is in the dialer: each method is one question, asked by ``ask``."""

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from wombat_ari.flows.line import CallerHungUp, RecordEnd, Recording, Spoken

Ask = Callable[..., Awaitable[Any]]  #: verb and what is given with it; answers a JSON value


class RemoteLine:
    """``ask`` raises what the line at the other end raised."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.hung_up = False  #: set by whoever hears of it

    async def until_hung_up(self) -> None:
        raise NotImplementedError("waited for in the dialer")

    async def answer(self) -> None:
        await self._ask("answer")

    async def play(self, sound: str, interrupt: str = "") -> str:
        return str(await self._ask("play", sound=sound, interrupt=interrupt))

    async def say(self, kind: Spoken, text: str, interrupt: str = "") -> str:
        return str(await self._ask("say", kind=str(kind), text=text, interrupt=interrupt))

    async def digits(self, prompts: Sequence[str], *, most: int, timeout_s: float, terminator: str) -> str:
        given = {"prompts": list(prompts), "most": most, "timeout_s": timeout_s, "terminator": terminator}
        return str(await self._ask("digits", **given))

    async def record(self, name: str, *, limit_s: float, silence_s: float, terminator: str, beep: bool) -> Recording:
        given = {"limit_s": limit_s, "silence_s": silence_s, "terminator": terminator, "beep": beep}
        found = await self._ask("record", name=name, **given)
        return Recording(found["sound"], found["duration_s"], RecordEnd(found["end"]))

    async def get_variable(self, name: str) -> str:
        return str(await self._ask("get_variable", name=name))

    async def set_variable(self, name: str, value: str) -> None:
        await self._ask("set_variable", name=name, value=value)

    async def transfer(self, context: str, extension: str, priority: int = 1) -> None:
        await self._ask("transfer", context=context, extension=extension, priority=priority)

    async def hang_up(self) -> None:
        with contextlib.suppress(CallerHungUp):
            await self._ask("hang_up")
        self.hung_up = True


class RemoteOffice:
    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def status(self, code: str) -> None:
        await self._ask("status", code=code)

    async def attribute(self, name: str, value: str) -> None:
        await self._ask("attribute", name=name, value=value)

    async def append(self, name: str, value: str) -> None:
        await self._ask("append", name=name, value=value)

    async def clear(self, name: str) -> None:
        await self._ask("clear", name=name)

    async def speech(self, text: str) -> str:
        return str(await self._ask("speech", text=text))

    async def add_call(self, campaign: str, number: str, attributes: Mapping[str, str], schedule: str) -> int:
        given = {"campaign": campaign, "number": number, "attributes": dict(attributes), "schedule": schedule}
        return int(await self._ask("add_call", **given))
