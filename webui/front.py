"""What is answered on the reactor, before the WSGI application with its threads: what comes in thousands or stays.

The rules are the same: a ``Visitor`` is let in by ``Doors`` and asks ``app/service``, in a thread since both read the
database. Visitors who would be asked exactly the same at the same moment are asked together: each gets an answer that
was found out after the request had come, and a thousand cost no more than one.

A small request that came whole (``app/whole``) is let in by the same ``Lobby``. Its head is not taken apart for that:
whose heads are the same bytes, from the same address, are the same visitor.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from typing import Any, TypeVar

from flask import Flask, Response
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from webui.api.frame import PREFIX as API
from webui.api.problems import answer_of
from webui.compat.frame import Kind, refusal, text_answer
from webui.doors import Doors
from webui.headers import PROTECTION
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.whole import Whole, head_of
from wombat_ari.model.errors import StoreError, UserError

EXTENSION = "wombat_front"
GATHER_S = 0.001  #: those who came while others were asked for wait so long for company
_NOT_OF_THE_VISITOR = (b"content-length", b"content-type", b"x-wombat-request")

log = Logger()
Found = TypeVar("Found")
Headers = tuple[tuple[bytes, ...], ...]  #: each a name and its values
Handler = Callable[[Request], bool]  #: whether it answers; else the application does
Begin = Callable[[], None]
WholeHandler = Callable[[Whole], Begin | None]  #: what begins with it; None: the application answers
Admit = Callable[[Request], Deferred[Any]]


def add_to(app: Flask, *, settings: Any, database: Any, doors: Doors) -> None:
    """``app/serve`` finds ``extensions[EXTENSION]``: it puts what is answered here before the application."""

    def before(wsgi: Resource, *, reactor: Any, threads: Any, control: Any) -> Resource:
        from webui.adding import AddCalls
        from webui.events import Events

        lobby = Lobby(app, doors, reactor, lambda job: deferToThreadPool(reactor, threads, job))
        added = AddCalls(lobby, database, control, settings)
        events = Events(lobby, database, control, reactor)
        handlers = {**added.handlers(), **events.handlers()}
        admit = Porter(app, lobby, settings["api.prefix"]).admit
        return Front(wsgi, handlers, admit, whole=added.whole_handlers())

    app.extensions[EXTENSION] = before


class Front(Resource):
    """The root: what is known here is answered here. ``admit``: who may send a long body (``app/channel``)."""

    isLeaf = True

    def __init__(
        self, wsgi: Resource, handlers: dict[bytes, Handler], admit: Admit, *, whole: dict[bytes, WholeHandler]
    ) -> None:
        super().__init__()
        self._wsgi = wsgi
        self._handlers = handlers
        self._whole = whole
        self.admit = admit

    def render(self, request: Request) -> Any:
        handler = self._handlers.get(request.path)
        return NOT_DONE_YET if handler is not None and handler(request) else self._wsgi.render(request)

    def take_whole(self, request: Whole) -> Begin | None:
        """For ``app/channel``."""
        handler = self._whole.get(request.path)
        return handler and handler(request)


class Lobby:
    """Lets visitors in. ``in_thread`` runs a job there."""

    def __init__(
        self, app: Flask, doors: Doors, clock: Any, in_thread: Callable[[Callable[[], Any]], Deferred[Any]]
    ) -> None:
        self._app = app
        self._doors = doors
        self._clock = clock
        self._in_thread = in_thread
        self._waiting: dict[Any, list[Deferred[Any]]] = {}
        self._busy: set[Any] = set()

    def let_in(
        self, request: Request | Whole, what: object, look: Callable[[Caller], Found], *, open_to_trusted: bool = False,
        at_console: bool = False,
    ) -> Deferred[tuple[Caller, Found]]:  # fmt: skip
        """Who asks, and what ``look`` finds for that caller; UserError or StoreError. ``what`` says all that ``look``
        depends on. ``at_console``: it is a page that asks."""
        address = request.getClientAddress().host
        visitor = request.head if isinstance(request, Whole) else _headers_of(request)
        key = (what, address, visitor)
        done: Deferred[Any] = Deferred()
        self._waiting.setdefault(key, []).append(done)
        if key in self._busy:
            return done
        environ = _environ(request, address, _headers_of(request))

        def job() -> tuple[Caller, Found]:
            with self._app.request_context({**environ, "wsgi.input": BytesIO()}):
                if at_console:
                    caller = self._doors.visitor().caller
                else:
                    caller = self._doors.caller(open_to_trusted=open_to_trusted)
            return caller, look(caller)

        self._busy.add(key)
        self._begin(key, job)
        return done

    def _begin(self, key: Any, job: Callable[[], Any]) -> None:
        self._in_thread(job).addBoth(self._ended, key, job, self._waiting.pop(key))

    def _ended(self, found: Any, key: Any, job: Callable[[], Any], waiting: list[Deferred[Any]]) -> None:
        if key in self._waiting:
            self._clock.callLater(GATHER_S, self._begin, key, job)
        else:
            self._busy.discard(key)
        for each in waiting:
            each.errback(found) if isinstance(found, Failure) else each.callback(found)


class Porter:
    """Asks who sends a long body before it is read. What they may is asked when it was, as always."""

    def __init__(self, app: Flask, lobby: Lobby, prefix: str) -> None:
        self._app = app
        self._lobby = lobby
        self._prefix = prefix

    def admit(self, request: Request) -> Deferred[Callable[[Request], None] | None]:
        """None, or what answers the request with a refusal."""
        path = request.path.decode("latin-1")
        began = time.perf_counter()
        compat = path.startswith(self._prefix + "/")
        console = not compat and not path.startswith(API + "/")

        def refused(failure: Failure) -> Callable[[Request], None]:
            error = failure.value
            if not isinstance(error, UserError | StoreError):
                log.failure("letting in: a mistake of ours", failure=failure)
                error = UserError("this went wrong, see the log", code="mistake")
            if not compat and not console:
                response = answer_of(error)
            else:
                edits = path.startswith(self._prefix + "/edit/")
                with self._app.app_context():
                    response = refusal(Kind.EDIT if edits else Kind.TEXT, error, began=began)
            return lambda request: answer(request, response)

        asking = self._lobby.let_in(
            request, ("body", compat, console), lambda caller: None, open_to_trusted=compat, at_console=console
        )
        return asking.addCallbacks(lambda _: None, refused)


def answer(request: Request | Whole, response: Response) -> None:
    """As the application would have answered it; nothing when nobody waits any more."""
    if isinstance(request, Whole):
        body = response.get_data()
        response.content_length = len(body)
        request.answer(head_of(response.status.encode(), _all_headers(response)) + body)
        return
    if request.channel is None:
        return
    request.setResponseCode(response.status_code, response.status.partition(" ")[2].encode())
    set_headers(request, response)
    body = response.get_data()
    request.setHeader(b"content-length", b"%d" % len(body))
    request.write(body)
    request.finish()


def answer_text(request: Request | Whole, text: str) -> None:
    """As ``answer`` with a text, of which there are only so many heads."""
    if isinstance(request, Whole):
        body = text.encode()
        request.answer(_head_of_text(len(body), int(time.time())) + body)
    else:
        answer(request, text_answer(text))


def set_headers(request: Request, response: Response) -> None:
    for name, value in _all_headers(response):
        request.responseHeaders.setRawHeaders(name, [value])


def _all_headers(response: Response) -> list[tuple[str, str]]:
    """Each name once: a later one replaces."""
    said = (*PROTECTION.items(), ("Cache-Control", "no-store"), *response.headers)
    return list({name.lower(): (name, value) for name, value in said}.values())


@lru_cache(maxsize=64)
def _head_of_text(length: int, second: int) -> bytes:
    """``second``: when the date is said."""
    response = text_answer("")
    response.content_length = length
    return head_of(b"200 OK", _all_headers(response))


def _headers_of(request: Request | Whole) -> Headers:
    given = request.requestHeaders.getAllRawHeaders()
    return tuple((name, *values) for name, values in given if name.lower() not in _NOT_OF_THE_VISITOR)


def _environ(request: Request | Whole, address: str, visitor: Headers) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": request.path.decode("latin-1"),
        "QUERY_STRING": "",
        "REMOTE_ADDR": address,
        "SERVER_NAME": request.getRequestHostname().decode("latin-1"),
        "SERVER_PORT": str(request.getHost().port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "https" if request.isSecure() else "http",
        "wsgi.input": BytesIO(),
    }
    for name, *values in visitor:
        environ["HTTP_" + name.decode("latin-1").upper().replace("-", "_")] = b",".join(values).decode("latin-1")
    return environ
