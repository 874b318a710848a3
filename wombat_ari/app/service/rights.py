"""The one place where it is decided who may do what: keys of features, scopes of tokens, keys of entities.

A feature needs one of its keys and, for a token, its scope. An entity with a security key is seen, found, chosen and
changed by holders of the key and by its creator only. It is not transitive: who may see a campaign sees all that it
uses, as the campaign uses it.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Protocol, TypeVar

from wombat_ari.app.service.caller import Caller
from wombat_ari.model.admin import EntityInfo
from wombat_ari.model.errors import UserError
from wombat_ari.model.tokens import Scope

MISSING = "missing"  #: code of what does not exist, or is not to be seen
FORBIDDEN = "forbidden"
LOG_ON = "log-on"  #: code of a request that needs credentials
LOG_ON_KEY = "USER"
TOKEN_KEY = "API"  #: what a user must hold whose tokens are taken
OPEN = True


class Right(Enum):
    """A feature: in words, the keys any of which opens it, the scope a token needs; OPEN: trusted addresses have it."""

    SEE_PBX = ("see servers, trunks, end points, to choose them", ("ADMIN", "CAMPAIGNS"), Scope.READ)
    CHANGE_PBX = ("change servers, trunks, end points", ("ADMIN",), Scope.CONFIGURE)
    SEE_LISTS = ("see which lists there are", ("LISTS", "CAMPAIGNS"), Scope.READ)
    SEE_RECORDS = ("see the numbers of a list and their calls", ("LISTS",), Scope.READ)
    CHANGE_LISTS = ("change lists and records", ("LISTS",), Scope.CONFIGURE)
    ADD_NUMBERS = ("add numbers to a list", ("LISTS",), Scope.CONTROL, OPEN)
    SEE_CAMPAIGNS = ("see campaigns and opening hours", ("CAMPAIGNS", "LIVE", "REPORT"), Scope.READ)
    CHANGE_CAMPAIGNS = ("change campaigns and opening hours", ("CAMPAIGNS",), Scope.CONFIGURE)
    CLONE_CAMPAIGNS = ("clone a campaign, add lists to it", ("CAMPAIGNS",), Scope.CONTROL, OPEN)
    SEE_LIVE = ("see live runs and calls", ("LIVE",), Scope.READ)
    CONTROL_RUNS = ("start, pause, resume, remove runs, steer their lists and boost", ("LIVE",), Scope.CONTROL, OPEN)
    CONTROL_CALLS = ("add calls, set their status and attributes, hang up", ("LIVE",), Scope.CONTROL, OPEN)
    PREVIEW = ("reserve, dial and skip numbers for an agent", ("AGENT", "LIVE"), Scope.CONTROL, OPEN)
    SEE_REPORTS = ("see and export what runs did", ("REPORT",), Scope.READ)
    SEE_STATUS = ("see the state of the dialer", ("STATUS", "LIVE"), Scope.READ)
    SEE_HEALTH = ("ask whether the system is up", (LOG_ON_KEY,), Scope.READ, OPEN)
    SEE_METRICS = ("read the metrics", ("STATUS", "LIVE"), Scope.READ, OPEN)
    CONTROL_DIALER = ("start and stop the dialer", ("CTRL_WBT",), Scope.CONTROL)
    SEE_USERS = ("see users, classes, tokens", ("ADMIN",), Scope.USERS)
    CHANGE_USERS = ("change users, classes, all tokens", ("ADMIN",), Scope.USERS)
    MAKE_TOKENS = ("make and revoke own tokens", ("API",), Scope.USERS)
    SEE_SYSTEM_LOG = ("see the system log", ("SYSLOG",), Scope.READ)
    SEE_OUTBOX = ("see what could not be told outside yet", ("ADMIN",), Scope.READ)
    CHANGE_OUTBOX = ("replay and drop what could not be told outside", ("ADMIN",), Scope.CONTROL)
    DEBUG_AMI = ("watch what is said to and by a PBX", ("DEBUG_AMI",), Scope.READ)
    SEE_ABOUT = ("see what this system is and is made of", ("LICKEY",), Scope.READ)

    def __init__(self, meaning: str, keys: tuple[str, ...], scope: Scope, open: bool = False) -> None:
        self.meaning = meaning
        self.keys = keys
        self.scope = scope
        self.open = open


class Keyed(Protocol):
    """An entity that may carry a security key."""

    @property
    def id(self) -> int | None: ...

    @property
    def security_key(self) -> str: ...


Entity = TypeVar("Entity", bound=Keyed)
Infos = Callable[[], Mapping[int, EntityInfo]]  #: who made each thing of a kind; asked only when it matters


def may(caller: Caller, right: Right) -> bool:
    """Somebody from a trusted address who did not log on has the open rights and no other."""
    if caller.trusted:
        return right.open
    ring = caller.keyring
    return ring.holds(LOG_ON_KEY) and any(map(ring.holds, right.keys)) and _in_scope(caller, right)


def demand(caller: Caller, right: Right) -> None:
    """UserError when the caller may not: who did not log on is asked to, who did is told what is missing."""
    if may(caller, right):
        return
    if caller.trusted:
        raise UserError("this needs a log-on: HTTP Basic with a user's login, or a bearer token", code=LOG_ON)
    if not _in_scope(caller, right):
        raise UserError(f"this token is not for that: it lacks the scope {right.scope}", code=FORBIDDEN)
    wanted = " or ".join(right.keys) if caller.keyring.holds(LOG_ON_KEY) else LOG_ON_KEY
    raise UserError(f"user {caller.login} may not do this: it needs the key {wanted}", code=FORBIDDEN)


def demand_any(caller: Caller, *rights: Right) -> None:
    """One of them is enough; the refusal names the first."""
    if not any(may(caller, right) for right in rights):
        demand(caller, rights[0])


def demand_of_all(caller: Caller, *rights: Right) -> None:
    """For what concerns everything, whatever its security key: each of the rights, and all keys."""
    for right in rights:
        demand(caller, right)
    if not caller.keyring.master:
        raise UserError("this concerns everything that there is: only a master may do it", code=FORBIDDEN)


def sees(caller: Caller, thing: Keyed, infos: Infos) -> bool:
    """Whether a thing is there for the caller: no key, a key that is held, or made by the caller."""
    if caller.keyring.holds(thing.security_key):
        return True
    info = None if caller.trusted or thing.id is None else infos().get(thing.id)
    return info is not None and info.created_by == caller.login


def visible(caller: Caller, things: Iterable[Entity], infos: Infos) -> list[Entity]:
    known = _once(infos)
    return [thing for thing in things if sees(caller, thing, known)]


def require_seen(caller: Caller, thing: Entity, label: str, *, which: int | str, infos: Infos) -> Entity:
    """The thing, or what the store says of one that does not exist."""
    if not sees(caller, thing, infos):
        raise missing(label, which)
    return thing


def missing(label: str, which: object) -> UserError:
    return UserError(f"there is no {label} {which}", code=MISSING)


def require_key_kept(caller: Caller, old: Keyed | None, new: Keyed, infos: Infos) -> None:
    """Nobody locks out themselves: a key that the caller lacks is given by the creator only."""
    if caller.keyring.holds(new.security_key) or old is None or old.security_key == new.security_key:
        return
    if not sees(caller, _WithKey(old.id, new.security_key), infos):
        raise UserError(
            f"security key {new.security_key}: you do not hold it, so you would not see this any more", code=FORBIDDEN
        )


def require_grantable(caller: Caller, keys: Iterable[str], *, master: bool) -> None:
    """Nobody gives what they have not: keys and master are given by who holds them."""
    if caller.keyring.master:
        return
    if master:
        raise UserError("only a master may make, change or delete a master", code=FORBIDDEN)
    lacking = [key for key in keys if not key.startswith("-") and not caller.keyring.holds(key)]
    if lacking:
        raise UserError(f"key {lacking[0]}: you do not hold it, so you cannot give it", code=FORBIDDEN)


def _in_scope(caller: Caller, right: Right) -> bool:
    """Who may configure is shown what was configured."""
    return right.scope in caller.scopes or (right.scope is Scope.READ and Scope.CONFIGURE in caller.scopes)


class _WithKey:
    def __init__(self, id: int | None, security_key: str) -> None:
        self.id = id
        self.security_key = security_key


def _once(infos: Infos) -> Infos:
    kept: list[Any] = []

    def asked() -> Mapping[int, EntityInfo]:
        if not kept:
            kept.append(infos())
        return kept[0]

    return asked
