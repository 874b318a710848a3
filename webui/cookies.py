"""The cookie of the console: signed, for scripts invisible, sent to this site only. It holds the name of a session that
lies in the database, and what forms are protected with.

It is signed with a key of this installation, so that forms stay valid over a restart. While the database is away and
the key is not known yet, nobody has a session.
"""

from typing import Any

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from twisted.logger import Logger

from webui.doors import Doors
from wombat_ari.app.service.logon import LogOn
from wombat_ari.model.errors import StoreError

NAME = "wombat_session"

log = Logger()


def add_to(app: Flask, *, log_on: LogOn, doors: Doors, framed: bool) -> None:
    app.config.update(SESSION_COOKIE_NAME=NAME, SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax")
    app.session_interface = _Cookies(log_on, doors, framed=framed)


class _Cookies(SecureCookieSessionInterface):
    def __init__(self, log_on: LogOn, doors: Doors, *, framed: bool) -> None:
        self._framed = framed
        self._log_on = log_on
        self._doors = doors

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if app.secret_key is None:
            try:
                app.secret_key = self._log_on.signing_key()
            except StoreError as error:
                log.warn("the console has no sessions: {error}", error=error)
                return None
        return super().open_session(app, request)

    def get_cookie_secure(self, app: Flask) -> bool:
        """Where there is TLS, also before a proxy, the cookie goes nowhere without it."""
        return self._doors.is_secure()

    def get_cookie_samesite(self, app: Flask) -> str:
        """Sites that show the agent page in a frame must have it sent along: that needs TLS, and a site to be named."""
        return "None" if self._framed and self._doors.is_secure() else "Lax"

    def should_set_cookie(self, app: Flask, session: Any) -> bool:
        return bool(session.modified)
