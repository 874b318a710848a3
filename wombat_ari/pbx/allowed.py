"""Who may connect: a list of addresses and networks that may change while connections come; and who may not."""

import logging
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from twisted.internet.protocol import Protocol

from wombat_ari.wire.agi import FAILURE

log = logging.getLogger(__name__)

LOCAL = ("127.0.0.0/8", "::1/128")
COMPLAIN_S = 60.0  #: a stranger is named in the log so often at most
COMPLAINTS = 1000  #: strangers whose last mention is remembered
REMEMBERED = 4096  #: answers


class Allowed:
    """Asked for every connection, so what was found out of an address is remembered until the list changes."""

    def __init__(self, networks: Iterable[str] = LOCAL) -> None:
        self._networks: frozenset[IPv4Network | IPv6Network] = frozenset()
        self._known: dict[str, bool] = {}
        self.replace(networks)

    def replace(self, networks: Iterable[str]) -> bool:
        """These from now on; whether that changes anything."""
        new = frozenset(ip_network(each, strict=False) for each in networks)
        changed = new != self._networks
        if changed:
            self._networks = new
            self._known.clear()
        return changed

    def __contains__(self, host: str) -> bool:
        known = self._known.get(host)
        if known is None:
            address = ip_address(host)
            address = getattr(address, "ipv4_mapped", None) or address
            known = any(address in network for network in self._networks)
            if len(self._known) < REMEMBERED:
                self._known[host] = known
        return known


class Complaints:
    """Says in the log who was turned away and why, each once a minute."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._said: dict[str, float] = {}

    def say(self, host: str, what: str) -> None:
        now = self._clock.seconds()
        if now - self._said.get(host, float("-inf")) < COMPLAIN_S:
            return
        if len(self._said) >= COMPLAINTS:
            self._said.clear()
        self._said[host] = now
        log.warning("FastAGI: %s %s", host, what)


class Refusal(Protocol):
    """Closes at once. Its one word is what makes AGISTATUS FAILURE, so that a dialplan can tell."""

    transport: Any

    def connectionMade(self) -> None:
        self.transport.write(FAILURE)
        self.transport.loseConnection()
