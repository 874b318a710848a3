"""``calls/?op=addcall`` of the compatible API, on the reactor: programs send thousands, each only waits for the dialer.

It answers exactly as ``webui/compat/control`` does, which takes what is not asked plainly (a multipart form, a long
body).
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from flask import Response
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import Request

from webui.compat.frame import Kind, Params, refusal
from webui.front import Begin, Handler, Lobby, WholeHandler, answer, answer_text
from wombat_ari.app.service import calls
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.whole import Whole
from wombat_ari.model.errors import StoreError, UserError

MOST = 1 << 16  #: bytes of a form that is read here

log = Logger()


class AddCalls:
    """``control``: the client of the control socket, on the reactor."""

    def __init__(self, lobby: Lobby, db: Any, control: Any, settings: Any) -> None:
        self._lobby = lobby
        self._db = db
        self._control = control
        self._settings = settings

    def handlers(self) -> dict[bytes, Handler]:
        return dict.fromkeys(self._paths(), self._handle)

    def whole_handlers(self) -> dict[bytes, WholeHandler]:
        return dict.fromkeys(self._paths(), self._handle_whole)

    def _paths(self) -> list[bytes]:
        path = f"{self._settings['api.prefix']}/calls"
        return [f"{path}{tail}".encode() for tail in ("", "/", "/index.jsp")]

    def _handle(self, request: Request) -> bool:
        values = _values(request)
        if values is None or not _adds(values):
            return False
        self._add(request, Params(values))
        return True

    def _handle_whole(self, request: Whole) -> Begin | None:
        values = _fields([request.query])
        if values is None or not _adds(values):
            return None
        return partial(self._add, request, Params(values))

    def _add(self, request: Request | Whole, params: Params) -> None:
        """Without a coroutine, which would cost as much as the rest."""
        began, what = time.perf_counter(), ("addcall", params.text("campaign", "").strip())
        entering = self._lobby.let_in(request, what, partial(self._place, params), open_to_trusted=True)
        entering.addCallback(self._ask, request, params, began).addErrback(_refuse, request, began)
        entering.addErrback(_mistaken)

    def _place(self, params: Params, caller: Caller) -> calls.Place:
        return calls.place_for_calls(caller, self._db, params.name("campaign"), zone=self._settings.time_zone)

    def _ask(
        self, admitted: tuple[Caller, calls.Place], request: Request | Whole, params: Params, began: float
    ) -> None:  # fmt: skip
        caller, place = admitted
        asked = place.asked(params.text("attrs", ""), params.text("schedule", ""), now=caller.at)
        adding: Deferred[int] = self._control.adding(place.campaign, params.text("number"), **asked)
        adding.addCallbacks(_tell, _refuse, (request,), None, (request, began)).addErrback(_mistaken)


def _tell(wombatid: int, request: Request | Whole) -> None:
    answer_text(request, f"OK\nWOMBATID:{wombatid}\n")


def _refuse(failure: Failure, request: Request | Whole, began: float) -> None:
    answer(request, _refusal(failure, began))


def _mistaken(failure: Failure) -> None:
    log.failure("addcall: a mistake of ours", failure=failure)


def _adds(values: dict[str, str]) -> bool:
    return values.get("op", "").strip().lower() == "addcall"


def _values(request: Request) -> dict[str, str] | None:
    """Parameters of the query, then of the form, the first of a name; None: not for us to read."""
    texts = [request.uri.partition(b"?")[2]]
    if request.method == b"POST":
        request.content.seek(0, 2)
        length = request.content.tell()
        request.content.seek(0)
        if length:
            kind = (request.getHeader(b"content-type") or b"").partition(b";")[0].strip().lower()
            if kind != b"application/x-www-form-urlencoded" or length > MOST:
                return None
            texts.append(request.content.read())
            request.content.seek(0)
    elif request.method != b"GET":
        return None
    return _fields(texts)


def _fields(texts: list[bytes]) -> dict[str, str] | None:
    """None: raw bytes that are not ASCII, or more fields than are read."""
    values: dict[str, str] = {}
    try:
        for text in texts:
            for name, value in _pairs(text.decode("ascii")):
                values.setdefault(name, value)
    except ValueError:
        return None
    return values


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    """``parse_qsl`` looks for escapes in each name and value; most have none."""
    if "%" in text or "+" in text:
        return parse_qsl(text, keep_blank_values=True)
    return [(part.partition("=")[0], part.partition("=")[2]) for part in text.split("&") if part]


def _refusal(failure: Failure, began: float) -> Response:
    error = failure.value
    if isinstance(error, UserError | StoreError):
        return refusal(Kind.TEXT, error, began=began)
    log.failure("mistake of ours in calls", failure=failure)
    return refusal(Kind.TEXT, UserError("this went wrong, see the log", code="mistake"), began=began)
