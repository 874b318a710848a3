"""Connections to public addresses only: whoever may write a URL of a notification could otherwise have the dialer ask
inside the network it stands in (SSRF).

Names are judged by what they lead to when they are looked up for the connection itself, so a name that leads elsewhere
a moment later changes nothing.
"""

from ipaddress import IPv6Address, ip_address
from typing import Any

from twisted.internet.interfaces import IHostnameResolver, IReactorPluggableNameResolver, IResolutionReceiver
from zope.interface import implementer

MOST_REFUSED = 1000  #: names that are remembered, to say why


def is_public(host: str) -> bool:
    """Whether an IP address is one of the internet. What is no address is not."""
    try:
        address: Any = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return bool(address.is_global and not address.is_multicast)


@implementer(IReactorPluggableNameResolver)
class PublicOnly:
    """A reactor whose names lead to public addresses, or to none. ``refused`` has those that led to others only."""

    def __init__(self, reactor: Any, refused: set[str]) -> None:
        self._reactor = reactor
        self.nameResolver = _Resolver(reactor, refused)

    def installNameResolver(self, resolver: Any) -> Any:
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)


@implementer(IHostnameResolver)
class _Resolver:
    def __init__(self, reactor: Any, refused: set[str]) -> None:
        self._reactor = reactor
        self._refused = refused

    def resolveHostName(self, resolutionReceiver: Any, hostName: str, *arguments: Any, **named: Any) -> Any:
        if len(self._refused) > MOST_REFUSED:
            self._refused.clear()
        self._refused.discard(hostName)
        sieve = _Sieve(resolutionReceiver, hostName, self._refused)
        return self._reactor.nameResolver.resolveHostName(sieve, hostName, *arguments, **named)


@implementer(IResolutionReceiver)
class _Sieve:
    def __init__(self, receiver: Any, name: str, refused: set[str]) -> None:
        self._receiver = receiver
        self._name = name
        self._refused = refused
        self._passed = self._held = False

    def resolutionBegan(self, resolutionInProgress: Any) -> None:
        self._receiver.resolutionBegan(resolutionInProgress)

    def addressResolved(self, address: Any) -> None:
        if is_public(address.host):
            self._passed = True
            self._receiver.addressResolved(address)
        else:
            self._held = True

    def resolutionComplete(self) -> None:
        if self._held and not self._passed:
            self._refused.add(self._name)
        self._receiver.resolutionComplete()
