"""Console and HTTP APIs: a Flask application, found by ``wombat-ari serve`` by the entry point ``wombat_ari.web``.

``console`` is the HTML, ``compat`` the API of the original, ``api`` the JSON API. Rules of the place: everything is
served by itself, no inline script or style (a strict Content-Security-Policy holds); what is asked and changed goes
through ``wombat_ari.app.service``, the dialer is reached by the control client, never the engine.
"""

from webui.app import create_app

__all__ = ["create_app"]
