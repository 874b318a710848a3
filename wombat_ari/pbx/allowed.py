"""Who may connect: a list of addresses and networks that may change while connections come."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

LOCAL = ("127.0.0.0/8", "::1/128")
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
