"""The frame of the console: what is the same for every page, so that a page is a short function.

``pages.get("/syslog", Right.SEE_SYSTEM_LOG)`` adds one. Its function takes a ``Visit`` (who asks, from what it is
answered) and whatever the address holds, and answers ``visit.page("syslog.html", entries=...)``. Before it runs it is
known who is logged on, that they hold one of the rights, and (POST) that the form is one of ours. A ``UserError`` that
it raises becomes a page in words, with the right status.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, flash, g, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from webui.console import menu
from webui.console.filters import FILTERS
from webui.console.pieces import Pieces
from webui.console.typed import typed
from webui.doors import Doors
from wombat_ari import __version__
from wombat_ari.app.service.asks import Asks
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.logon import LogOn, TooManyTries
from wombat_ari.app.service.pictures import Pictures
from wombat_ari.app.service.rights import FORBIDDEN, LOG_ON, MISSING, Right, demand_any, may
from wombat_ari.model.errors import StoreError, UserError

Answer = str | AnyResponse | tuple[str, int]
Adds = Callable[[Callable[..., Answer]], Callable[..., Answer]]  #: a decorator that makes a function a page
STATUS = {
    LOG_ON: 401, FORBIDDEN: 403, MISSING: 404, "no-run": 404, "conflict": 409, "name_taken": 409, "in_use": 409,
    "too-large": 413, "too-many-tries": 429, "dialer-down": 503, "no-room": 503, "dialer-store": 503, "not-ready": 503,
}  # fmt: skip
MOST_FORM = 4 << 20  #: bytes of what is filled in; files apart
_TOO_LARGE = f"This form is larger than {MOST_FORM >> 20} MB: nothing was done. Send long lists of numbers as a file."
_OURS = "This went wrong on our side. What happened is in the console's log; nothing more was done."
_LOGGED_OFF = "You are not logged on any more: nothing was saved. Log on again, then send it once more."
GOOD, BAD = "good", "bad"  #: kinds of what is said at the top of the next page


@dataclass(frozen=True)
class Tools:
    """What pages are made from, the same for all visits."""

    db: Any
    ask: Asks
    engine: Any  #: the switch of the dialer (``app/watchdog.Engine``), None where this process does not watch over one
    settings: Any
    doors: Doors
    log_on: LogOn

    @cached_property
    def pictures(self) -> Pictures:
        """What the dialer says of now, asked once for all who look at the same moment."""
        return Pictures(self.ask)

    @cached_property
    def pieces(self) -> Pieces:
        """What was rendered of pages that refresh themselves."""
        return Pieces()


@dataclass(frozen=True)
class Visit:
    """One request of somebody who is logged on."""

    caller: Caller
    name: str  #: to greet with
    zone: ZoneInfo  #: in which moments are shown and read
    tools: Tools

    @property
    def db(self) -> Any:
        return self.tools.db

    @property
    def ask(self) -> Asks:
        return self.tools.ask

    @property
    def settings(self) -> Any:
        return self.tools.settings

    @property
    def pictures(self) -> Pictures:
        return self.tools.pictures

    def may(self, *rights: Right) -> bool:
        """Whether one of them is held."""
        return any(may(self.caller, right) for right in rights)

    def page(self, template: str, status: int = 200, **known: Any) -> tuple[str, int]:
        """A whole page. Templates extend ``base.html`` and know ``visit`` and ``Right`` too."""
        return render_template(template, **known), status

    def part(self, template: str, **known: Any) -> str:
        """What a region of a page that refreshes itself fetches."""
        return render_template(template, **known)

    def go(self, endpoint: str, **values: Any) -> AnyResponse:
        """To a page, after something was done (303)."""
        return redirect(url_for(endpoint if "." in endpoint else f"console.{endpoint}", **values), 303)

    def back(self, endpoint: str = "home", **values: Any) -> AnyResponse:
        """To the page that the form names in its field ``back`` (of this site), else to the endpoint."""
        wanted = here(request.form.get("back", ""))
        return redirect(wanted, 303) if wanted else self.go(endpoint, **values)

    def say(self, text: str, kind: str = GOOD) -> None:
        """At the top of the next page."""
        flash(text, kind)


class Pages:
    """Where modules of the console add their pages."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.blueprint = Blueprint("console", __name__)
        self._csrf = CSRFProtect()

    def get(self, rule: str, *rights: Right, name: str = "") -> Adds:
        """A page, shown to who holds one of the rights (none named: to everybody who is logged on)."""
        return self._add(rule, "GET", rights, name)

    def post(self, rule: str, *rights: Right, name: str = "") -> Adds:
        """What changes something; a form with ``{{ csrf() }}`` in it is sent here."""
        return self._add(rule, "POST", rights, name)

    def open(self, rule: str, *methods: str, name: str = "") -> Adds:
        """For who is not logged on; the function takes no visit."""

        def add(function: Callable[..., Answer]) -> Callable[..., Answer]:
            @wraps(function)
            def view(**values: Any) -> Answer:
                if request.method == "POST":
                    self._require_our_form()
                return function(**values)

            self.blueprint.add_url_rule(rule, name or function.__name__, view, methods=list(methods or ("GET",)))
            return function

        return add

    def add_to(self, app: Flask) -> None:
        app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)
        self._csrf.init_app(app)
        self.blueprint.register_error_handler(UserError, self._refused)
        self.blueprint.register_error_handler(StoreError, self._store_away)
        self.blueprint.register_error_handler(CSRFError, self._strange_form)
        self.blueprint.register_error_handler(HTTPException, lambda error: self.refuse(error))
        self.blueprint.context_processor(self._known)
        app.jinja_env.filters.update(FILTERS)
        app.register_blueprint(self.blueprint)

    def refuse(self, error: HTTPException) -> Answer:
        """An address that is not there, or a mistake of ours, in the looks of the console."""
        self._visit()
        code = error.code or 500
        return self._trouble(code, {413: _TOO_LARGE, 500: _OURS}.get(code) or error.description or error.name)

    def _add(self, rule: str, method: str, rights: tuple[Right, ...], name: str) -> Adds:
        def add(function: Callable[..., Answer]) -> Callable[..., Answer]:
            @wraps(function)
            def view(**values: Any) -> Answer:
                visit = self._visit()
                if visit is None:
                    return self._to_log_on()
                if rights:
                    demand_any(visit.caller, *rights)
                if method == "POST":
                    self._require_our_form()
                return function(visit, **values)

            view.rights = rights  # type: ignore[attr-defined] # tests ask each page what it needs
            self.blueprint.add_url_rule(rule, name or function.__name__, view, methods=[method])
            return function

        return add

    def _require_our_form(self) -> None:
        """What is no file is read into memory: that is bounded. CSRFError when it was not sent by a page of ours."""
        request.max_form_memory_size = MOST_FORM
        if request.mimetype != "multipart/form-data":
            request.max_content_length = MOST_FORM
        self._csrf.protect()

    def _visit(self) -> Visit | None:
        """Who is logged on, asked once a request; None when nobody is."""
        if not hasattr(g, "visit"):
            try:
                visitor = self.tools.doors.visitor()
                zone = ZoneInfo(visitor.time_zone or self.tools.settings.time_zone)
                g.visit = Visit(visitor.caller, visitor.real_name or visitor.caller.login, zone, self.tools)
            except UserError:
                g.visit = None
        return g.visit

    def _to_log_on(self) -> Answer:
        """A script is told 401; somebody who looks at a page is led there and back again."""
        if request.headers.get("Sec-Fetch-Dest", "document") == "empty":
            return Response("log on again", 401, mimetype="text/plain")
        if typed(logged_on=False):
            return self._trouble(401, _LOGGED_OFF)
        wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
        return redirect(url_for("console.log_on", next=wanted if wanted not in ("", "/") else None), 303)

    def _refused(self, error: UserError) -> Answer:
        if error.code == LOG_ON:
            return self._to_log_on()
        answer = self._trouble(STATUS.get(error.code, 400), str(error))
        if isinstance(error, TooManyTries):
            return Response(answer[0], 429, {"Retry-After": str(int(error.wait_s) + 1)})
        return answer

    def _store_away(self, error: StoreError) -> Answer:
        g.setdefault("visit", None)
        return self._trouble(503, f"The database cannot be asked now: {error}")

    def _strange_form(self, error: CSRFError) -> Answer:
        return self._trouble(
            400, "This form is too old, or not one of this console: load the page again, nothing was done."
        )

    def _trouble(self, status: int, text: str) -> tuple[str, int]:
        if request.headers.get("Sec-Fetch-Dest") == "empty":
            return text, status
        known = typed(logged_on=g.get("visit") is not None)
        return render_template("trouble.html", text=text, status=status, typed=known), status

    def _known(self) -> dict[str, Any]:
        visit = g.get("visit")
        return {
            "visit": visit,
            "Right": Right,
            "version": __version__,
            "menu": menu.of(visit) if visit else (),
            "demo": self.tools.log_on.has_demo() if visit else False,
        }


def here(address: str) -> str:
    """The address when it is one of this site, else an empty text: nobody is led elsewhere by a link to us."""
    try:
        parts = urlsplit(address.replace("\\", "/"))
    except ValueError:  # as //[x
        return ""
    inside = address.startswith("/") and not address.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return address if inside and address.isprintable() else ""
