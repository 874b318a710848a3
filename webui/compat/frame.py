"""The frame of the compatible API: addresses, parameters, answers, errors, and who calls.

A module of this package has ``ADDRESSES``, one ``Address`` a call. A handler takes a ``Call`` and answers a text, an
object or a ``Response``; it raises UserError to refuse. Every address answers with and without a trailing slash or
``index.jsp``, by GET and POST, with parameters from the query, the form, or both (the query first).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, Response, jsonify, request
from twisted.logger import Logger
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from webui.doors import Doors
from wombat_ari.app.service.asks import Asks
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.logon import TooManyTries
from wombat_ari.app.service.rights import FORBIDDEN, LOG_ON, MISSING
from wombat_ari.model.errors import StoreError, UserError

MAX_BODY = 4 << 20  #: bytes; what streams is not bounded here
_STATUS = {
    LOG_ON: 401, FORBIDDEN: 403, MISSING: 404, "conflict": 409, "name_taken": 409, "in_use": 409, "too-large": 413,
    "too-many-tries": 429, "dialer-down": 503, "no-room": 503, "dialer-store": 503, "not-ready": 503,
}  # fmt: skip

_FLAGS = {"": False, "0": False, "no": False, "false": False, "off": False,
          "1": True, "yes": True, "true": True, "on": True}  # fmt: skip

log = Logger()
Answer = str | dict[str, Any] | Response


class Kind(Enum):
    """How a call answers, and how it refuses."""

    TEXT = "text"  #: control: plain text beginning with OK or ERROR, status 200 also for a refusal
    JSON = "json"  #: an object; refusals have HTTP 4xx
    EDIT = "edit"  #: the envelope of the configuration calls; refusals have HTTP 4xx


class Params:
    """Parameters of a request. A UserError names the one that is missing or wrong."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str, default: str | None = None) -> str:
        """Without a default it is needed and not empty."""
        value = self._values.get(name, "")
        if not value and default is None:
            raise UserError(f"parameter {name} is missing")
        return value or (default or "")

    def name(self, name: str) -> str:
        """Of a thing, without blanks around it: so it is stored."""
        found = self.text(name).strip()
        if not found:
            raise UserError(f"parameter {name} is missing")
        return found

    def whole(self, name: str, default: int | None = None, *, least: int = 0, most: int = (1 << 63) - 1) -> int:
        text = self.text(name, "" if default is not None else None).strip()
        if not text and default is not None:
            return default
        if not text.isascii() or not text.isdecimal() or len(text) > 19 or not least <= int(text) <= most:
            raise UserError(f"parameter {name} is {text[:40]!r}: it must be a whole number from {least} to {most}")
        return int(text)

    def wholes(self, name: str) -> list[int]:
        """``1,3``: at least one."""
        parts = self.text(name).split(",")
        return [Params({name: part}).whole(name) for part in parts]

    def flag(self, name: str) -> bool:
        """No when it is not said."""
        text = self.text(name, "").strip().lower()
        if text not in _FLAGS:
            raise UserError(f"parameter {name} is {text[:40]!r}: it must be 1 or 0, yes or no, true or false")
        return _FLAGS[text]


@dataclass(frozen=True, slots=True)
class Call:
    """One request: who asks, what for, and what it is answered from."""

    caller: Caller
    params: Params
    db: Any
    ask: Asks
    engine: Any  #: the switch of the dialer (``app/serve.Engine``), None where this process has none
    settings: Any
    began: float  #: ``time.perf_counter`` when it came

    @property
    def zone(self) -> ZoneInfo:
        """In which moments are shown and read."""
        return ZoneInfo(self.settings.time_zone)


NAMES = "compat "  #: what the end points' names in Flask begin with


@dataclass(frozen=True, slots=True)
class Address:
    """``open``: may be called from trusted addresses without a log-on. ``streams``: the handler reads
    ``flask.request.stream`` itself, of any length; its ``params`` are those of the query only."""

    path: str
    handler: Callable[[Call], Answer]
    kind: Kind
    open: bool = False
    streams: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """What all calls are answered from."""

    doors: Doors
    db: Any
    ask: Asks
    engine: Any
    settings: Any

    def add(self, app: Flask, address: Address) -> None:
        path = f"{self.settings['api.prefix']}/{address.path}"
        for tail in ("", "/", "/index.jsp"):
            name = f"{NAMES}{address.path}{tail}"
            app.add_url_rule(path + tail, name, lambda: self._answer(address), methods=["GET", "POST"])

    def _answer(self, address: Address) -> Response:
        began = time.perf_counter()
        try:
            return _response(address.handler(self._call(address, began)))
        except (UserError, StoreError, HTTPException) as error:
            return refusal(address.kind, error, began=began)
        except Exception:  # noqa: BLE001 - fence: one request, the others go on
            log.failure("mistake of ours in {path}", path=address.path)
            return refusal(address.kind, UserError("this went wrong, see the log", code="mistake"), began=began)

    def _call(self, address: Address, began: float) -> Call:
        caller = self.doors.caller(open_to_trusted=address.open)
        if not address.streams:
            request.max_content_length = request.max_form_memory_size = MAX_BODY
        values = request.args if address.streams else request.values
        return Call(caller, Params(values), self.db, self.ask, self.engine, self.settings, began)


def refusal(kind: Kind, error: Exception, *, began: float) -> Response:
    """An error as this kind of call says it."""
    status, text = _told(error)
    if kind is Kind.TEXT:
        told = text_answer(f"ERROR: {' '.join(text.splitlines())}\n")
        told.status_code = status if status in (401, 403, 413, 429, 500, 503) else 200
    elif kind is Kind.JSON:
        told = jsonify(status="ERROR", error=text, result={})
        told.status_code = status
    else:
        told = jsonify(envelope([], began=began, error=text))
        told.status_code = status
    if status == 401:
        told.headers["WWW-Authenticate"] = 'Basic realm="Wombat ARI", charset="UTF-8"'
    if isinstance(error, TooManyTries):
        told.headers["Retry-After"] = str(int(error.wait_s) + 1)
    return told


def envelope(
    results: list[dict[str, Any]], *, began: float, total: int | None = None, start: int = 0, error: str = ""
) -> dict[str, Any]:
    """What configuration calls answer. ``total``: how many there are in all."""
    return {
        "status": "ERROR" if error else "OK",
        "error": error,
        "timeMs": round((time.perf_counter() - began) * 1000),
        "results": results,
        "allResults": len(results) if total is None else total,
        "startFrom": start,
        "nRecords": len(results),
    }


def text_answer(text: str) -> Response:
    return Response(text, mimetype="text/plain")


def _response(answer: Answer) -> Response:
    if isinstance(answer, Response):
        return answer
    return text_answer(answer) if isinstance(answer, str) else jsonify(answer)


def _told(error: Exception) -> tuple[int, str]:
    """HTTP status and text of an error."""
    if isinstance(error, RequestEntityTooLarge):
        return 413, f"the request is larger than {MAX_BODY} bytes"
    if isinstance(error, HTTPException):
        return error.code or 400, error.description or error.name
    if isinstance(error, StoreError):
        return 503, str(error)
    assert isinstance(error, UserError)
    return 500 if error.code == "mistake" else _STATUS.get(error.code, 400), str(error)
