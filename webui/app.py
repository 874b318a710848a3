"""The WSGI application: the console, both HTTP APIs, and what holds for every answer."""

from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from webui import api, assets, compat, console, cookies, front, metrics
from webui.doors import Doors
from webui.headers import PROTECTION
from wombat_ari.app.service.logon import LogOn


def create_app(*, settings: Any, database: Any, ask: Any, engine: Any = None) -> Flask:
    """``settings``: the process's; ``ask``: the control client for threads; ``engine``: the switch of the dialer,
    None where this process does not watch over one."""
    app = Flask(__name__)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    log_on = LogOn(
        database, idle_s=60.0 * settings["console.idle_minutes"], oldest_s=3600.0 * settings["console.session_hours"]
    )
    doors = Doors(settings, log_on)
    cookies.add_to(app, log_on=log_on, doors=doors, framed=bool(settings["console.frame_origins"]))
    pages = console.add_to(
        app, settings=settings, database=database, ask=ask, engine=engine, doors=doors, log_on=log_on
    )
    compat.add_to(app, compat.Frame(doors, database, ask, engine, settings))
    metrics.add_to(app, database=database, ask=ask, doors=doors)
    front.add_to(app, settings=settings, database=database, doors=doors)
    api.add_to(app, api.Frame(doors, database, ask, engine, settings))

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> Any:
        """An address that is not there, or another method than it has, in the words of the API asked."""
        if request.path.startswith(api.PREFIX + "/"):  # first: the other prefix may be /api
            return api.unknown(error)
        if request.path.startswith(settings["api.prefix"] + "/"):
            return compat.unknown(error, prefix=settings["api.prefix"])
        return pages.refuse(error)

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers.update(PROTECTION)
        if "policy" in g:  # the page of agents, which a CRM may show in a frame
            response.headers["Content-Security-Policy"] = g.policy
            if "frame-ancestors 'none'" not in g.policy:
                del response.headers["X-Frame-Options"]
        if response.mimetype != "text/css":
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    assets.add_to(app)  # after the rest: what is done to an answer last is done by who was first here
    return app
