"""Pieces of a region that is fetched every two seconds: rendered once for all who look, until they show something new.

A piece is a macro of a template. What it is given is all that it can show; by that, and by the zone and day of the
reader, it is known: so an old one is never shown. A macro has nothing of the request: no ``visit``, no
``csrf_token``, no filter that reads the clock (``ago``).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from markupsafe import Markup, escape

KEPT = 2000  #: pieces, and as many older ones: some 3 MB
#: Stands in a piece for the address that it is looked at by, which differs from reader to reader. No text of others can
#: be this, since it is escaped.
HERE = Markup("<here>")

Piece = Callable[..., Markup]


class Pieces:
    """One for a process, shared by threads: each step is one of a dict's own, and what is lost is rendered again."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._new: dict[Hashable, str] = {}
        self._old: dict[Hashable, str] = {}  #: not asked for since ``kept`` others came

    def of(self, template: str, *, zone: ZoneInfo, here: str) -> Piece:
        """``piece("macro", name=value, ...)`` of this template; the values can be hashed. ``here``: see ``HERE``."""
        macros: Any = current_app.jinja_env.get_template(template).module
        common = (template, zone.key, datetime.now(zone).toordinal())
        address = str(escape(here))

        def piece(name: str, /, **known: Any) -> Markup:
            key = (*common, name, *known.items())
            html = self._new.get(key)
            if html is None:
                html = self._old.get(key)
                if html is None:
                    html = str(getattr(macros, name)(**known))
                self._keep(key, html)
            return Markup(html.replace(HERE, address))

        return piece

    def _keep(self, key: Hashable, html: str) -> None:
        if len(self._new) >= self._kept:
            self._old, self._new = self._new, {}
        self._new[key] = html
