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
from collections.abc import Callable
from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from webui.compat import campaigns, control, health, links, lists, live, pbx, reports, rules
from webui.compat.frame import Frame, Kind, refusal

MODULES = (pbx, lists, campaigns, links, rules, live, reports, health, control)


def add_to(app: Flask, frame: Frame) -> None:
    """All addresses, under the prefix."""
    app.wsgi_app = _one_slash(app.wsgi_app, frame.settings["api.prefix"] + "/")  # type: ignore[method-assign]
    for module in MODULES:
        for address in module.ADDRESSES:
            frame.add(app, address)


def _one_slash(wsgi: Callable[[Any, Any], Any], prefix: str) -> Callable[[Any, Any], Any]:
    """``$API//calls`` is ``$API/calls``, as it was to the original: a redirection is followed by no script."""

    def answer(environ: Any, start_response: Any) -> Any:
        path = re.sub("/+", "/", environ["PATH_INFO"])
        if path.startswith(prefix):
            environ["PATH_INFO"] = path
        return wsgi(environ, start_response)

    return answer


def unknown(error: HTTPException) -> Response:
    """For an address that is none of ours, or a method that is not taken."""
    answer = refusal(Kind.EDIT, error, began=time.perf_counter())
    if allowed := getattr(error, "valid_methods", None):
        answer.headers["Allow"] = ", ".join(allowed)
    return answer


__all__ = ["Frame", "add_to", "unknown"]
