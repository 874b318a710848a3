"""The console: server-rendered pages. ``pages`` is their frame, ``editor`` what all editors are made of.

To add a page: a module with ``add_to(pages)``, named in ``MODULES``; its line in ``menu``; its templates extend
``base.html`` and are put together from ``macros.html``. docs/console.md says how.
"""

from importlib import import_module
from typing import Any

from flask import Flask

from webui.console.filters import duration
from webui.console.pages import Pages, Tools
from webui.doors import Doors
from wombat_ari.app.service.logon import LogOn

MODULES = (
    "charts", "live", "status", "dynamic_lists", "doctor", "syslog", "ami_debug", "about", "connection", "setup",
    "logon", "account", "home", "health", "pbx", "campaigns", "lists", "records", "users", "classes", "tokens",
    "opening_hours", "outbox", "preview", "jobs", "reports", "gathering",
)  # fmt: skip


def add_to(app: Flask, *, settings: Any, database: Any, ask: Any, engine: Any, doors: Doors, log_on: LogOn) -> Pages:
    """All pages."""
    pages = Pages(Tools(database, ask, engine, settings, doors, log_on))
    for name in MODULES:
        import_module(f"{__name__}.{name}").add_to(pages)
    pages.add_to(app)
    return pages


__all__ = ["add_to", "duration"]
