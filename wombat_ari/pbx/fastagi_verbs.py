"""What a dialplan may tell the dialer over FastAGI: any text arrives exactly, by the name of its variable.

``AGI(agi://dialer:4573/callstatus?V=1)``, ``attribute?NAME=VALUE&...``, ``append?NAME=VALUE&...``, ``clear?NAME&...``,
with values by ``URIENCODE``; with arguments: ``AGI(agi://dialer:4573/attribute,NAME,VALUE)``; or with the name alone,
``AGI(agi://dialer:4573/attribute,NAME)``, which takes the channel variable of that name; and, where there is
somebody to do them, ``addcall?campaign=C&number=N&NAME=VALUE...`` and ``flow/NAME``. The channel variable
WOMBAT_AGI_RESULT becomes ``OK`` or ``ERROR: `` and the reason; AGISTATUS is FAILURE then.

Rules of the place: the call is known by the channel's ``wbt-`` id, else by its variable WOMBATID. The listener is told
before anything is written, so a hang-up in between loses nothing. Asterisk splits arguments at commas and takes quotes
away: a value that came in pieces is joined by commas, the query form is the exact one. What AGI() is given is cut at
2,047 bytes without a word: a request of that length is refused. The form with the name alone knows no such limit.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.events import (
    AttributeAppended,
    AttributeCleared,
    AttributeSet,
    CallEvent,
    EndPointSeen,
    StatusSet,
)
from wombat_ari.model.ids import MAX_WOMBATID, wombatid_of
from wombat_ari.pbx.allowed import LOCAL, Allowed
from wombat_ari.pbx.fastagi import FastAGIFactory, FastAGIProtocol
from wombat_ari.wire.agi import Request, parse_request

log = logging.getLogger(__name__)

RESULT = "WOMBAT_AGI_RESULT"
HELLO = "hello"  #: asked by the doctor's channel, which is no call: whether the server is reached
ADDED = "WOMBAT_ADDED"  #: the WOMBATID of a call that was added; WOMBATID itself is the call's own
CUT_AT = 2047  #: bytes that AGI() takes of its arguments
SESSION_TIMEOUT = 5.0  #: seconds; a verb takes one or two round trips
ADD_TIMEOUT = 30.0  #: seconds for the database

Pairs = list[tuple[str, str]]
Tell = Callable[[CallEvent], object]
#: Campaign, number, attributes, when (empty: now); answers the WOMBATID when the call is durable.
AddCall = Callable[[str, str, Mapping[str, str], str], Awaitable[int]]
#: Session, WOMBATID (0: not a call of the dialer's), the flow's name; answers why it failed, else an empty text.
RunFlow = Callable[[FastAGIProtocol, int, str], Awaitable[str]]


class Verbs:
    """Who does what a dialplan asks. ``tell`` is called on the reactor thread for every event."""

    def __init__(self, tell: Tell, *, add_call: AddCall | None = None, run_flow: RunFlow | None = None) -> None:
        self._tell = tell
        self._add_call = add_call
        self._run_flow = run_flow

    def serve(self, agi: FastAGIProtocol) -> Awaitable[None] | None:
        """One request. Most need no waiting, and are done when this returns."""
        request = parse_request(agi.variables)
        path = request.path.lower()
        call = wombatid_of(agi.variables.get("agi_uniqueid", ""))
        if path == HELLO:
            agi.finishWith("SET VARIABLE", RESULT, "OK")
            return None
        if path == "addcall" or path.startswith("flow/"):
            return self._serve_long(agi, request, call or 0)
        by_name = path in NAMING and len(request.arguments) == 1 and not request.query
        if path in VERBS and (call is None or by_name):
            return self._serve_asking(agi, request, call, by_name=by_name)
        try:
            _check_whole(agi.variables)
            for event in events_of(call or 0, request):
                self._tell(event)
        except UserError as wrong:
            _failed(agi, request, str(wrong))
        else:
            agi.finishWith("SET VARIABLE", RESULT, "OK")
        return None

    async def _serve_asking(
        self, agi: FastAGIProtocol, request: Request, call: int | None, *, by_name: bool
    ) -> None:  # fmt: skip
        """The channel is asked for something first: whose it is (an agent's has not the id of a call), or a value."""
        try:
            _check_whole(agi.variables)
            call = call or await _by_variable(agi)
            if by_name:
                value = await agi.getVariable(request.arguments[0])
                request = replace(request, query=((request.arguments[0], value),))
            for event in events_of(call, request):
                self._tell(event)
        except UserError as wrong:
            _failed(agi, request, str(wrong))
        else:
            agi.finishWith("SET VARIABLE", RESULT, "OK")

    async def _serve_long(self, agi: FastAGIProtocol, request: Request, call: int) -> None:
        try:
            _check_whole(agi.variables)
            if request.path.lower() == "addcall":
                why = await self._added(agi, request)
            else:
                why = await self._flown(agi, request, call)
        except (UserError, StoreError) as wrong:
            why = str(wrong)
        if why:
            _failed(agi, request, why)
        else:
            agi.finishWith("SET VARIABLE", RESULT, "OK")

    async def _added(self, agi: FastAGIProtocol, request: Request) -> str:
        if self._add_call is None:
            raise UserError("no calls can be added here", code="agi.verb")
        agi.limit(ADD_TIMEOUT)
        given, attributes = _call_of(request)
        wombatid = await self._add_call(given["campaign"], given["number"], attributes, given.get("schedule", ""))
        await agi.setVariable(ADDED, str(wombatid))
        return ""

    async def _flown(self, agi: FastAGIProtocol, request: Request, call: int) -> str:
        if self._run_flow is None:
            raise UserError("no flows run here", code="agi.verb")
        agi.limit(0)
        agi.lingers = False
        if not call:
            text = (await agi.getVariable("WOMBATID")).strip()
            call = int(text) if text.isdecimal() and int(text) <= MAX_WOMBATID else 0
        return await self._run_flow(agi, call, request.path.partition("/")[2])


def verb_factory(
    tell: Tell,
    *,
    add_call: AddCall | None = None,
    run_flow: RunFlow | None = None,
    allow: Allowed | Iterable[str] = LOCAL,
    clock: Any = None,
    max_sessions: int = 10_000,
) -> FastAGIFactory:
    """A FastAGI server of the verbs."""
    verbs = Verbs(tell, add_call=add_call, run_flow=run_flow)
    return FastAGIFactory(
        verbs.serve, allow=allow, clock=clock, sessionTimeout=SESSION_TIMEOUT, lingers=True, maxSessions=max_sessions
    )


def events_of(call: int, request: Request) -> list[CallEvent]:
    """What a request tells of a call. UserError: it is not understood."""
    verb = VERBS.get(request.path.lower())
    if verb is None:
        known = ", ".join([*VERBS, "addcall", "flow/NAME"])
        raise UserError(f"unknown verb {request.path[:80]!r}, known are {known}", code="agi.verb")
    return [EndPointSeen(call), *verb(call, request)]


def _failed(agi: FastAGIProtocol, request: Request, why: str) -> None:
    """Said in the log and in the channel."""
    log.warning("FastAGI %r from %s: %s", request.path[:80], agi.variables.get("agi_channel", "?"), why)
    agi.finishWith("SET VARIABLE", RESULT, re.sub(r"[\r\n\0]", " ", f"ERROR: {why}")[:500], failed=True)


def _check_whole(variables: Mapping[str, str]) -> None:
    """UserError: Asterisk has cut what the dialplan said."""
    said = len(variables.get("agi_request", "").encode())
    number = 1
    while (value := variables.get(f"agi_arg_{number}")) is not None:
        said += 1 + len(value.encode())
        number += 1
    if said >= CUT_AT:
        raise UserError(
            f"Asterisk cuts what AGI() is given at {CUT_AT} bytes: give the name of a variable, as attribute,NAME",
            code="agi.cut",
        )


async def _by_variable(agi: FastAGIProtocol) -> int:
    text = (await agi.getVariable("WOMBATID")).strip()
    if not text.isdecimal() or not 0 < int(text) <= MAX_WOMBATID:
        raise UserError("not a call of the dialer: the channel has no WOMBATID", code="agi.call")
    return int(text)


def _call_of(request: Request) -> tuple[dict[str, str], dict[str, str]]:
    """What says where and whom to call, and the attributes, which are all others."""
    given: dict[str, str] = {}
    attributes: dict[str, str] = {}
    for name, value in request.query:
        (given if name in ("campaign", "number", "schedule") else attributes).setdefault(name, value)
    for needed in ("campaign", "number"):
        if not given.get(needed, "").strip():
            raise UserError(f"addcall needs {needed}=...", code="agi.argument")
    return given, attributes


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


#: Verbs that may be given the name of a channel variable in place of a value.
NAMING = ("attribute", "append")
#: From the verb to what it tells.
VERBS: dict[str, Callable[[int, Request], list[CallEvent]]] = {
    "callstatus": _status,
    "attribute": _attributes,
    "append": _appends,
    "clear": _clears,
}
