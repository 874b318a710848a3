"""The frame of the JSON API: routes, who calls, what is read, what is answered, errors.

A module of this package has ``ROUTES``, one ``Route`` an operation. A handler takes a ``Call`` and answers a model, a
``Reply`` or a ``Response``; it raises UserError to refuse. In this order: who calls (401), may they (403), is what they
sent readable (400, 413, 415, 422), was it asked already (``Idempotency-Key``), then the handler.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from flask import Flask, Response
from pydantic import BaseModel
from twisted.logger import Logger
from werkzeug.exceptions import HTTPException

from webui.api import reading, repeating
from webui.api.problems import MISTAKE, answer_of
from webui.doors import Doors
from wombat_ari.app.service.asks import Asks
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.rights import Right, demand_any
from wombat_ari.model.errors import StoreError, UserError

PREFIX = "/api/v1"
MOST_ID = (1 << 53) - 1  #: what JSON can carry exactly

log = Logger()
Answer = Any  #: a model, a Reply, or a Response


@dataclass(frozen=True, slots=True)
class Call:
    """One request: who asks, what for, and what it is answered from."""

    caller: Caller
    db: Any
    ask: Asks
    engine: Any  #: the switch of the dialer, None where this process has none
    settings: Any
    ids: dict[str, Any]  #: of the path
    query: Any  #: an instance of the route's ``query``
    body: Any  #: an instance of the route's ``body``
    version: int | None  #: that If-Match names
    file: BinaryIO | None  #: of a route that takes a file


@dataclass(frozen=True, slots=True)
class Reply:
    """A model with what goes into headers. ``status`` 0 is the route's own."""

    value: BaseModel | None
    version: int | None = None
    location: str = ""
    status: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. Its summary and description are the first line and the rest of its handler's docstring.

    ``rights``: any of them is needed. ``answers``: the model of a success, None: no body (204), or of another ``media``
    than JSON. ``versioned``: takes If-Match. ``acts``: takes an Idempotency-Key. ``file``: kinds of a body that is a
    file. ``also``: other statuses of a success.
    """

    method: str
    path: str  #: ``/servers/{server_id}``
    handler: Callable[[Call], Answer]
    rights: tuple[Right, ...]
    tag: str
    answers: type[BaseModel] | None = None
    status: int = 200
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    versioned: bool = False
    acts: bool = False
    file: tuple[str, ...] = ()
    media: tuple[str, ...] = ("application/json",)
    also: dict[int, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As ``get_servers_server_id``: the operation's id."""
        parts = self.path.replace("{", "").replace("}", "").replace(".", "/").replace("-", "/").split("/")
        return "_".join([self.method.lower(), *filter(None, parts)])


@dataclass(frozen=True, slots=True)
class Frame:
    """What all calls are answered from."""

    doors: Doors
    db: Any
    ask: Asks
    engine: Any
    settings: Any

    def add(self, app: Flask, route: Route) -> None:
        app.add_url_rule(
            PREFIX + _flask_path(route.path), f"api {route.name}", lambda **ids: self._answer(route, ids),
            methods=[route.method], provide_automatic_options=False,
        )  # fmt: skip

    def _answer(self, route: Route, ids: dict[str, Any]) -> Response:
        try:
            caller = self.doors.caller()
            demand_any(caller, *route.rights)
            return self._do(route, caller, ids)
        except (UserError, StoreError, HTTPException) as error:
            return answer_of(error)
        except Exception:  # noqa: BLE001 - fence: one request, the others go on
            return _mistake(route)

    def _do(self, route: Route, caller: Caller, ids: dict[str, Any]) -> Response:
        query = reading.query(route.query)
        version = reading.version(wanted=route.versioned)
        key = reading.repeat_key(wanted=route.acts)
        body = reading.body(route.body) if not route.file else None
        file, digest = reading.spooled(route.file) if route.file else (None, "")
        call = Call(
            caller, self.db, self.ask, self.engine, self.settings, ids=ids, query=query, body=body, version=version,
            file=file,
        )  # fmt: skip

        def answer() -> Response:
            return _response(route, route.handler(call))

        if not key:
            return answer()
        return repeating.once(
            caller, self.db, key, body=body, digest=digest, answer=answer, fail=lambda: _mistake(route)
        )


def _mistake(route: Route) -> Response:
    log.failure("mistake of ours in {method} {path}", method=route.method, path=route.path)
    return answer_of(UserError("this went wrong on our side, see the log of wombat-ari serve", code=MISTAKE))


def _response(route: Route, answer: Answer) -> Response:
    if isinstance(answer, Response):
        return answer
    reply = answer if isinstance(answer, Reply) else Reply(answer)
    if reply.value is None:
        made = Response(status=reply.status or 204)
        made.headers.pop("Content-Type", None)
    else:
        made = Response(reply.value.model_dump_json(), status=reply.status or route.status, mimetype="application/json")
    if reply.version is not None:
        made.headers["ETag"] = f'"{reply.version}"'
    if reply.location:
        made.headers["Location"] = PREFIX + reply.location
    return made


def _flask_path(path: str) -> str:
    """``{import_id}`` is a text, all others are whole numbers from 1."""
    return path.replace("{import_id}", "<string(length=32):import_id>").replace(
        "{", f"<int(min=1, max={MOST_ID}):"
    ).replace("}", ">")  # fmt: skip
