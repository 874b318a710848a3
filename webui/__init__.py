"""The web console: a Flask application, found by ``wombat-ari serve`` through the entry point ``wombat_ari.web``.

Rules of the place: server-rendered, everything served by itself, no inline script or style (a strict
Content-Security-Policy holds); knows ``model``, ``core``, ``store`` and the control client, never the engine.
"""

from webui.console import create_app

__all__ = ["create_app"]
