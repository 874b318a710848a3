"""Who is asking: by HTTP Basic, by a bearer token, with the console's session, or from an address that is trusted for
control.

Behind a proxy the peer's address is not the caller's. It is taken from ``X-Forwarded-For`` when the peer is one of
``console.trusted_proxies``; with such a header from anybody else nothing is trusted. Pages of other sites can make a
browser send requests: those are refused, and nothing that a browser sends is trusted without a log-on.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from flask import request, session

from wombat_ari.app.service.caller import Caller, trusted_caller
from wombat_ari.app.service.logon import LogOn, Visitor
from wombat_ari.app.service.rights import FORBIDDEN, LOG_ON
from wombat_ari.model.errors import UserError

LOOPBACK = ("127.0.0.0/8", "::1/128")
SESSION = "sid"  #: what the cookie calls it
READING = "/api/v1/"  #: where GET changes nothing
_FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded")

Networks = tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from. ``sure``: False when a proxy that is not known passed it on."""

    address: str
    sure: bool

    def is_in(self, networks: Networks) -> bool:
        return self.sure and _is_in(self.address, networks)


class Doors:
    """One for the application."""

    def __init__(self, settings: Any, log_on: LogOn) -> None:
        self._log_on = log_on
        self._proxies = networks_of(settings["console.trusted_proxies"])
        self._open_to = networks_of(settings["api.open_to"])

    def origin(self) -> Origin:
        """Of the request under way."""
        peer = _bare(request.remote_addr or "")
        if not any(name in request.headers for name in _FORWARDED):
            return Origin(peer, True)
        if not _is_in(peer, self._proxies):
            return Origin(peer, False)
        for hop in reversed(",".join(request.headers.getlist("X-Forwarded-For")).split(",")):
            if not _is_in(_bare(hop.strip()), self._proxies):
                return Origin(_bare(hop.strip()), True)
        return Origin(peer, False)

    def caller(self, *, open_to_trusted: bool = False) -> Caller:
        """UserError with the code ``log-on`` when nobody in particular asks, or the credentials are wrong."""
        origin, now = self.origin(), time.time()
        if _from_another_site():
            raise UserError("requests that pages of other sites send are refused", code=FORBIDDEN)
        if "Authorization" in request.headers:
            return self._with_credentials(origin.address, now)
        if session.get(SESSION) and _from_our_page():
            return self.visitor().caller
        if open_to_trusted and origin.is_in(self._open_to) and not _from_a_browser():
            return trusted_caller(origin.address, at=now)
        raise UserError("this needs a log-on: HTTP Basic with a user's login, or a bearer token", code=LOG_ON)

    def visitor(self) -> Visitor:
        """Who is logged on at the console; UserError with the code ``log-on`` when nobody is."""
        return self._log_on.by_session(session.get(SESSION, ""), address=self.origin().address, now=time.time())

    def is_secure(self) -> bool:
        """Whether the request came by TLS, here or at a trusted proxy."""
        if request.is_secure:
            return True
        trusted = _is_in(_bare(request.remote_addr or ""), self._proxies)
        return trusted and request.headers.get("X-Forwarded-Proto", "").strip().lower() == "https"

    def _with_credentials(self, address: str, now: float) -> Caller:
        given = request.authorization
        if given is not None and given.type == "basic" and given.username is not None:
            return self._log_on.by_password(given.username, given.password or "", address=address, now=now)
        if given is not None and given.type == "bearer" and given.token:
            return self._log_on.by_token(given.token, address=address, now=now)
        raise UserError("the header Authorization is neither Basic nor Bearer, or cannot be read", code=LOG_ON)


def networks_of(texts: Iterable[str]) -> Networks:
    return tuple(ip_network(text, strict=False) for text in texts)


def _is_in(address: str, networks: Networks) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks if network.version == found.version)


def _bare(address: str) -> str:
    """``::ffff:10.0.0.1`` is ``10.0.0.1``."""
    return address.removeprefix("::ffff:") if "." in address else address


def _from_a_browser() -> bool:
    """Without TLS and off this machine browsers say neither ``Sec-Fetch-Site`` nor, reading, ``Origin``; a page whose
    name leads to our address (DNS rebinding) is of our own site to them. ``Accept-Language`` no page can leave out."""
    return any(name in request.headers for name in ("Sec-Fetch-Site", "Origin", "Accept-Language"))


def _from_our_page() -> bool:
    """A session is taken from pages of ours only; what is only read may also be an address that somebody typed."""
    site = request.headers.get("Sec-Fetch-Site")
    reads = request.method in ("GET", "HEAD") and request.path.startswith(READING)
    return site == "same-origin" or (reads and site == "none")


def _from_another_site() -> bool:
    if request.headers.get("Sec-Fetch-Site", "none") in ("cross-site", "same-site"):
        return True
    told = [request.headers[name] for name in ("Origin", "Referer") if name in request.headers]
    return any(address.partition("://")[2].partition("/")[0] != request.host for address in told)
