"""Tokens with which programs log on in the name of a user, and what a token may be limited to."""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a token may be used for; its user's keys hold besides."""

    READ = "READ"  #: see configuration, lists, live runs, reports
    CONTROL = "CONTROL"  #: act on runs and calls, add numbers
    CONFIGURE = "CONFIGURE"  #: change configuration and lists; READ is in it
    USERS = "USERS"  #: change users, classes and tokens


ALL_SCOPES = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token without its text, which is shown once, when it is made. Moments are epoch seconds."""

    id: int
    user_id: int
    login: str
    name: str
    scopes: frozenset[Scope]
    created_at: float
    created_by: str
    expires_at: float | None = None
    revoked_at: float | None = None
    last_used_at: float | None = None

    def holds_at(self, now: float) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
