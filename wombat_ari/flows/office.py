"""The dialer's side of a call in a flow: status and attributes as events of the call, speech, new calls."""

from collections.abc import Awaitable, Callable, Mapping

from wombat_ari.flows.line import FlowError
from wombat_ari.model.events import (
    AttributeAppended,
    AttributeCleared,
    AttributeSet,
    CallEvent,
    EndPointSeen,
    StatusSet,
)

Tell = Callable[[CallEvent], object]
Speak = Callable[[str], Awaitable[str]]
AddCall = Callable[[str, str, Mapping[str, str], str], Awaitable[int]]


class CallOffice:
    """Of one call; ``wombatid`` 0 is a call that is not the dialer's. What it says is told on the reactor's thread."""

    def __init__(self, wombatid: int, *, tell: Tell, speak: Speak, add_call: AddCall) -> None:
        self._wombatid = wombatid
        self._tell = tell
        self._speak = speak
        self._add_call = add_call
        if wombatid:
            tell(EndPointSeen(wombatid))

    async def status(self, code: str) -> None:
        self._tell(StatusSet(self._call(), code.strip()))

    async def attribute(self, name: str, value: str) -> None:
        self._tell(AttributeSet(self._call(), _named(name), value))

    async def append(self, name: str, value: str) -> None:
        self._tell(AttributeAppended(self._call(), _named(name), value))

    async def clear(self, name: str) -> None:
        self._tell(AttributeCleared(self._call(), _named(name)))

    async def speech(self, text: str) -> str:
        return await self._speak(text)

    async def add_call(self, campaign: str, number: str, attributes: Mapping[str, str], schedule: str) -> int:
        return await self._add_call(campaign, number, attributes, schedule)

    def _call(self) -> int:
        if not self._wombatid:
            raise FlowError("not a call of the dialer: it has no status and no attributes", code="flow.call")
        return self._wombatid


def _named(name: str) -> str:
    if not name.strip():
        raise FlowError("an attribute needs a name", code="flow.attribute")
    return name.strip()
