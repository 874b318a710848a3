"""The JSON API under ``/api/v1/``: resources with scoped tokens, versions, idempotency keys and problem+json errors.

To add an operation: write ``def add(call: Call) -> Answer`` in the module of its subject, its shapes beside it or in
``shapes_*``, and name it in that module's ``ROUTES``; a new module goes into ``MODULES`` here.

- ``call.caller`` goes first into every function of ``wombat_ari.app.service``, which checks what it may. The route's
  ``rights`` are asked before anything is read, and are what the document says.
- ``call.query`` and ``call.body`` are instances of the route's models: what is unknown or wrong was refused by name.
- The document (``openapi``) and the page are made from routes and models. docs/api.md has examples, which a test runs.
"""

from flask import Flask, Response, redirect
from werkzeug.exceptions import HTTPException

from webui.api import calls, campaigns, lists, pbx, people, problems, reports, runs, system, transfers
from webui.api.frame import PREFIX, Frame, Route

MODULES = (pbx, lists, transfers, campaigns, runs, calls, reports, people, system)
ROUTES: tuple[Route, ...] = tuple(route for module in MODULES for route in module.ROUTES)


def add_to(app: Flask, frame: Frame) -> None:
    """All operations, under ``/api/v1``, which leads to its page."""
    app.url_map.merge_slashes = False  # an address with two is another one, and is not redirected
    for place, path in enumerate((PREFIX, PREFIX + "/")):
        app.add_url_rule(path, f"api {place}", lambda: redirect(PREFIX + "/docs"), methods=["GET"])
    for route in ROUTES:
        frame.add(app, route)


def unknown(error: HTTPException) -> Response:
    """For an address that is none of ours, or a method that it has not."""
    return problems.answer_of(error)


__all__ = ["PREFIX", "ROUTES", "Frame", "add_to", "unknown"]
