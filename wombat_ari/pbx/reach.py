"""How a PBX is reached, and in words for people why it is not."""

from typing import Any

from twisted.internet import error
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS

from wombat_ari.model.entities import Server
from wombat_ari.model.errors import UserError


def endpoint_of(server: Server, clock: Any, *, timeout: float) -> Any:
    """A Twisted client endpoint; with TLS the certificate is checked against the system's store (or SSL_CERT_FILE)."""
    plain = plain_endpoint(server.address, server.port, clock=clock, timeout=timeout)
    return wrapClientTLS(_tls_options(server.address), plain) if server.tls else plain


def plain_endpoint(host: str, port: int, *, clock: Any, timeout: float) -> Any:
    """TCP. An address in numbers needs no resolver, and so no thread."""
    if isIPAddress(host):
        return TCP4ClientEndpoint(clock, host, port, timeout=timeout)
    if isIPv6Address(host):
        return TCP6ClientEndpoint(clock, host, port, timeout=timeout)
    return HostnameEndpoint(clock, host, port, timeout=timeout)


def the_reactor() -> Any:
    """The process's reactor, asked for late: whoever imports this package may still choose which one it is."""
    from twisted.internet import reactor

    return reactor


def in_words(trouble: BaseException, where: str) -> str:
    """What went wrong while connecting to ``where`` (``host:port``)."""
    if isinstance(trouble, error.ConnectionRefusedError):
        return f"connection refused at {where}: is Asterisk running, with enabled = yes in manager.conf?"
    if isinstance(trouble, error.TimeoutError):
        return f"no answer from {where}: wrong address, or a firewall"
    if isinstance(trouble, error.DNSLookupError):
        return f"the host name in {where} is not known"
    return f"cannot connect to {where}: {str(trouble) or type(trouble).__name__}"


def end_in_words(trouble: BaseException) -> str:
    """Why a connection ended that had been made."""
    detail = str(trouble)
    if isinstance(trouble, error.ConnectionDone):
        return "the PBX closed the connection"
    if "certificate verify failed" in detail:
        return (
            "the TLS certificate of the PBX is not trusted: add its issuer to the system's, or name it in SSL_CERT_FILE"
        )
    if type(trouble).__name__ == "VerificationError":
        return "the TLS certificate of the PBX is made out to another address"
    if "wrong version number" in detail:
        return "the PBX does not speak TLS on this port"
    return f"the connection to the PBX broke: {detail}" if detail else "the connection to the PBX broke"


def _tls_options(address: str) -> Any:
    try:
        from twisted.internet.ssl import optionsForClientTLS
    except ImportError as missing:
        raise UserError(f"TLS to a PBX needs pyOpenSSL and service-identity: {missing}", code="tls") from None
    return optionsForClientTLS(address)
