"""Who may log on, and what is kept about changes."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class UserClass:
    """A class of users and the keys its members hold."""

    id: int | None
    name: str
    description: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log on. The password's hash never leaves the store."""

    id: int | None
    login: str
    real_name: str = ""
    enabled: bool = True
    email: str = ""
    master: bool = False
    class_id: int | None = None
    own_keys: tuple[str, ...] = ()  #: ``-KEY`` takes one of the class away
    logons: int = 0
    last_logon_at: float | None = None
    comment: str = ""
    token: str = ""  #: agent channels for the preview page
    time_zone: str = ""  #: IANA name of the zone in which times are shown, empty: the dialer's own


@dataclass(frozen=True, slots=True)
class Keyring:
    """What a user may: class and own keys, less the revoked ones. ``master`` holds all."""

    login: str
    master: bool
    keys: frozenset[str]

    def holds(self, key: str) -> bool:
        """The empty key is held by everybody."""
        return self.master or not key or key in self.keys


@dataclass(frozen=True, slots=True)
class EntityInfo:
    """Who made and changed a configured thing. ``version`` goes back with a save, so that none is lost unseen."""

    id: int
    name: str
    created_at: float
    created_by: str
    changed_at: float
    changed_by: str
    version: int


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change. Only the fields that changed; secrets are ``***``."""

    at: float
    login: str
    action: str  #: CREATED, CHANGED or DELETED
    entity: str  #: table of the thing
    entity_id: int
    old_values: dict[str, Any] = field(default_factory=dict)
    new_values: dict[str, Any] = field(default_factory=dict)
