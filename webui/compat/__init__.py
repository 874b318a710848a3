"""The compatible API under ``/wombat/api/``: what existing clients of the original send and read.

To add a call: write ``def starts(call: Call) -> Answer`` in the module of its subject, and name it in that module's
``ADDRESSES`` as ``Address("campaigns", starts, Kind.TEXT, open=True)``; a new module goes into ``MODULES`` here.

- ``call.caller`` goes first into every function of ``wombat_ari.app.service``, which checks what it may; a trusted
  address that did not log on may call what is ``open`` and holds no keys. A handler checks no rights itself.
- ``call.params.text("campaign")`` is needed, ``text("attrs", "")`` is not; so are ``whole`` and ``flag``: what is
  missing or wrong is refused by name.
- Control calls are ``Kind.TEXT``: the handler answers a text that begins with ``OK``, a UserError that it raises is
  answered ``ERROR: ...``, with status 200 as the original did (401, 403, 429, 503 where it was not done at all).
- ``streams=True`` for bodies of many MB: ``flask.request.stream`` is then the handler's to read.
- Say it in docs/http-compat.md, with an example: a test runs it.
"""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from webui.compat import campaigns, control, health, links, lists, live, pbx, reports, rules
from webui.compat.frame import NAMES, Address, Frame, Kind, refusal
from wombat_ari.model.errors import UserError

MODULES = (pbx, lists, campaigns, links, rules, live, reports, health, control)


def add_to(app: Flask, frame: Frame) -> None:
    """All addresses, under the prefix."""
    app.wsgi_app = _one_slash(app.wsgi_app, frame.settings["api.prefix"] + "/")  # type: ignore[method-assign]
    for address in _addresses():
        frame.add(app, address)
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(NAMES) and rule.methods is not None:
            rule.methods.discard("HEAD")  # who only looks changes nothing, and a GET here may do


def _one_slash(wsgi: Callable[[Any, Any], Any], prefix: str) -> Callable[[Any, Any], Any]:
    """``$API//calls`` is ``$API/calls``, as it was to the original: a redirection is followed by no script."""

    def answer(environ: Any, start_response: Any) -> Any:
        path = re.sub("/+", "/", environ["PATH_INFO"])
        if path.startswith(prefix):
            environ["PATH_INFO"] = path
        return wsgi(environ, start_response)

    return answer


def unknown(error: HTTPException, *, prefix: str) -> Response:
    """For an address that is none of ours, or a method that is not taken: as its neighbours say it."""
    path = request.path.removeprefix(prefix + "/")
    kind = next((one.kind for one in _addresses() if _first(one.path) == _first(path)), Kind.EDIT)
    words = {
        404: f"there is no address {request.path[:200]}",
        405: f"{request.method[:20]} is not taken here: use GET or POST",
    }.get(error.code or 0)
    answer = refusal(kind, error if words is None else UserError(words), began=time.perf_counter())
    answer.status_code = error.code or 400
    if allowed := getattr(error, "valid_methods", None):
        answer.headers["Allow"] = ", ".join(sorted(allowed))
    return answer


def _addresses() -> Iterator[Address]:
    return (address for module in MODULES for address in module.ADDRESSES)


def _first(path: str) -> str:
    return path.partition("/")[0]


__all__ = ["Frame", "add_to", "unknown"]
