"""Who asks, from where and when."""

from dataclasses import dataclass

from wombat_ari.model.admin import Keyring
from wombat_ari.model.tokens import ALL_SCOPES, Scope

NOBODY = "-"  #: login in the system log of who did not log on


@dataclass(frozen=True, slots=True)
class Caller:
    """``login``: as logs and the audit trail show it; ``address``: where the request came from, empty for the machine.

    ``scopes``: what the token is limited to (all without one). ``trusted``: did not log on, but calls from an address
    of the allow list; such a caller holds no keys and may only control. ``at_machine``: runs a command on the machine.
    """

    login: str
    keyring: Keyring
    at: float  #: moment of the request, epoch seconds
    address: str = ""
    scopes: frozenset[Scope] = ALL_SCOPES
    trusted: bool = False
    at_machine: bool = False


def trusted_caller(address: str, *, at: float) -> Caller:
    """Somebody on an address of the allow list who did not log on."""
    return Caller(NOBODY, Keyring(NOBODY, False, frozenset()), at, address, frozenset({Scope.CONTROL}), trusted=True)


def machine_caller(login: str, *, at: float) -> Caller:
    """Somebody at the machine itself who may open its database: may do everything."""
    return Caller(login, Keyring(login, True, frozenset()), at, at_machine=True)
