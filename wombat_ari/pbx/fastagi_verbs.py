"""What a dialplan may tell the dialer over FastAGI: any text arrives exactly.

``AGI(agi://dialer:4573/callstatus?V=1)``, ``attribute?NAME=VALUE&...``, ``append?NAME=VALUE&...``, ``clear?NAME&...``,
with values by ``URIENCODE``; or with arguments: ``AGI(agi://dialer:4573/attribute,NAME,VALUE)``. The channel variable
WOMBAT_AGI_RESULT becomes ``OK`` or ``ERROR: `` and the reason.

Rules of the place: the call is known by the channel's ``wbt-`` id, else by its variable WOMBATID. The listener is told
before anything is written, so a hang-up in between loses nothing. Asterisk splits arguments at commas and takes quotes
away: a value that came in pieces is joined by commas, the query form is the exact one.
"""

import logging
import re
from collections.abc import Callable, Iterable
from typing import Any

from wombat_ari.model.errors import UserError
from wombat_ari.model.events import (
    AttributeAppended,
    AttributeCleared,
    AttributeSet,
    CallEvent,
    EndPointSeen,
    StatusSet,
)
from wombat_ari.model.ids import MAX_WOMBATID, wombatid_of
from wombat_ari.pbx.fastagi import LOCAL, FastAGIFactory, FastAGIProtocol
from wombat_ari.wire.agi import Request, parse_request

log = logging.getLogger(__name__)

RESULT = "WOMBAT_AGI_RESULT"
HELLO = "hello"  #: asked by the doctor's channel, which is no call: whether the server is reached
SESSION_TIMEOUT = 5.0  #: seconds; a verb takes one or two round trips

Pairs = list[tuple[str, str]]
Tell = Callable[[CallEvent], object]


def verb_factory(tell: Tell, *, allow: Iterable[str] = LOCAL, clock: Any = None) -> FastAGIFactory:
    """A FastAGI server of the verbs; ``tell`` is called on the reactor thread for every event."""

    async def main(agi: FastAGIProtocol) -> None:
        await serve(agi, tell)

    return FastAGIFactory(main, allow=allow, clock=clock, sessionTimeout=SESSION_TIMEOUT, lingers=True)


async def serve(agi: FastAGIProtocol, tell: Tell) -> None:
    """One request: tell what it says, and say in the channel how it went."""
    request = parse_request(agi.variables)
    if request.path == HELLO:
        await agi.setVariable(RESULT, "OK")
        return
    try:
        call = wombatid_of(agi.variables.get("agi_uniqueid", "")) or await _by_variable(agi)
        for event in events_of(call, request):
            tell(event)
        result = "OK"
    except UserError as wrong:
        log.warning("FastAGI %r from %s: %s", request.path, agi.variables.get("agi_channel", "?"), wrong)
        result = f"ERROR: {wrong}"
    await agi.setVariable(RESULT, re.sub(r"[\r\n\0]", "?", result)[:500])


def events_of(call: int, request: Request) -> list[CallEvent]:
    """What a request tells of a call. UserError: it is not understood."""
    verb = VERBS.get(request.path.lower())
    if verb is None:
        known = ", ".join(VERBS)
        raise UserError(f"unknown verb {request.path!r}, known are {known}", code="agi.verb")
    return [EndPointSeen(call), *verb(call, request)]


async def _by_variable(agi: FastAGIProtocol) -> int:
    text = (await agi.getVariable("WOMBATID")).strip()
    if not text.isdecimal() or not 0 < int(text) <= MAX_WOMBATID:
        raise UserError("not a call of the dialer: the channel has no WOMBATID", code="agi.call")
    return int(text)


def _status(call: int, request: Request) -> list[CallEvent]:
    given = [value for name, value in request.query if name.upper() == "V"] or list(request.arguments[:1])
    if not given:
        raise UserError("callstatus needs V=code", code="agi.argument")
    return [StatusSet(call, given[-1].strip())]


def _attributes(call: int, request: Request) -> list[CallEvent]:
    return [AttributeSet(call, name, value) for name, value in _named(request)]


def _appends(call: int, request: Request) -> list[CallEvent]:
    return [AttributeAppended(call, name, value) for name, value in _named(request)]


def _clears(call: int, request: Request) -> list[CallEvent]:
    names = [name for name, _ in request.query] or list(request.arguments)
    if not all(names) or not names:
        raise UserError("clear needs the name of an attribute", code="agi.argument")
    return [AttributeCleared(call, name) for name in names]


def _named(request: Request) -> Pairs:
    pairs = list(request.query)
    if not pairs and len(request.arguments) >= 2:
        pairs = [(request.arguments[0], ",".join(request.arguments[1:]))]
    if not pairs or not all(name for name, _ in pairs):
        raise UserError(f"{request.path} needs NAME=VALUE", code="agi.argument")
    return pairs


#: From the verb to what it tells.
VERBS: dict[str, Callable[[int, Request], list[CallEvent]]] = {
    "callstatus": _status,
    "attribute": _attributes,
    "append": _appends,
    "clear": _clears,
}
