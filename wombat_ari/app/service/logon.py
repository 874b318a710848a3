"""Logging on: by login and password, or by a token. Failures are noted, counted and slowed down.

A password that was right is remembered for a while as a keyed digest, so that a program that sends it with each request
costs one slow hash and not thousands; a change of the password or of the user counts at once all the same.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from threading import BoundedSemaphore, Lock

from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.rights import FORBIDDEN, LOG_ON, LOG_ON_KEY, TOKEN_KEY
from wombat_ari.app.service.throttle import Throttle
from wombat_ari.model.admin import Keyring
from wombat_ari.model.errors import UserError
from wombat_ari.store import saving, sessions, tokens, users
from wombat_ari.store.database import Database

TOO_MANY = "too-many-tries"  #: code of a try that comes too soon
REMEMBERED_S = 600.0
REMEMBERED = 1000  #: passwords
MOST_LOGIN = 255  #: characters of what somebody tries as login that are counted and noted
HASHES_AT_ONCE = 2  #: each takes 19 MB and a processor for some hundredths of a second
HASH_WAIT_S = 3.0  #: who cannot be hashed by then is sent away: threads that wait answer nobody else


class TooManyTries(UserError):
    """``wait_s``: when to try again."""

    code = TOO_MANY

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"too many failed log-ons; try again in {wait_s:.0f} s")
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is logged on at the console."""

    caller: Caller
    real_name: str
    time_zone: str  #: IANA name, empty: the dialer's own
    since: float


class LogOn:
    """One for a process; shared by threads. ``idle_s`` and ``oldest_s`` are the limits of a session."""

    def __init__(self, db: Database, *, idle_s: float = 7200.0, oldest_s: float = 86400.0) -> None:
        self._db = db
        self._limits = {"idle_s": idle_s, "oldest_s": oldest_s}
        self._throttle = Throttle()
        self._secret = secrets.token_bytes(32)
        self._lock = Lock()
        self._right: OrderedDict[bytes, tuple[str, float]] = OrderedDict()  # digest: the user's stamp, until when
        self._hashing = BoundedSemaphore(HASHES_AT_ONCE)

    def by_password(self, login: str, password: str, *, address: str, now: float) -> Caller:
        """UserError: wrong (code ``log-on``), too many tries, or no right to log on."""
        standing = users.standing(self._db, login)
        digest = hmac.digest(self._secret, f"{login}\0{password}".encode("utf-8", "replace"), hashlib.sha256)
        if not self._remembers(digest, standing.stamp, now):
            stamp = self._check(login, password, address=address, now=now)
            standing = users.standing(self._db, login)
            self._remember(digest, stamp, now)
        return _allowed(Caller(login, standing.keyring, now, address))

    def by_token(self, text: str, *, address: str, now: float) -> Caller:
        """As ``by_password``; the user must hold the key API too."""
        self._require_patience(address, "", now)
        token = tokens.token_of(self._db, text, now=now)
        ring = users.keyring(self._db, token.login) if token else Keyring("", False, frozenset())
        if token is None or not (ring.master or ring.keys):
            self._throttle.failed(_place(address), "", now=now)
            note(_stranger("", address, now), self._db, "log-on failed", about="a token")
            raise UserError("this token is not known, or revoked, or expired, or its user is disabled", code=LOG_ON)
        caller = _allowed(Caller(token.login, ring, now, address, token.scopes))
        if not ring.holds(TOKEN_KEY):
            raise UserError(f"user {token.login} may not use tokens: it needs the key {TOKEN_KEY}", code=FORBIDDEN)
        return caller

    def open_session(self, login: str, password: str, *, address: str, now: float) -> str:
        """Log on at the console: what the cookie is to hold. UserError as ``by_password``."""
        if login == users.DEMO_LOGIN and not _is_loopback(address):
            raise UserError(f"{users.DEMO_LOGIN} is for trying out: it may log on at this machine only", code=FORBIDDEN)
        stamp = self._check(login, password, address=address, now=now)
        _allowed(Caller(login, users.standing(self._db, login).keyring, now, address))
        sessions.prune_sessions(self._db, **self._limits, now=now)
        return sessions.open_session(self._db, login, stamp=stamp, address=address, now=now)

    def by_session(self, text: str, *, address: str, now: float) -> Visitor:
        """UserError with the code ``log-on`` when the session has ended, or its user may not log on any more."""
        found = sessions.session_of(self._db, text, **self._limits, now=now)
        if found is None or not found.keyring.holds(LOG_ON_KEY):
            raise UserError("you are not logged on, or not any more: log on again", code=LOG_ON)
        caller = Caller(found.login, found.keyring, now, address)
        return Visitor(caller, found.real_name, found.time_zone, found.created_at)

    def close_session(self, text: str, caller: Caller) -> None:
        sessions.close_session(self._db, text)
        note(caller, self._db, "log-off", about=caller.login)

    def has_demo(self) -> bool:
        """Whether somebody may log on with the known password of the demonstration; the console says so."""
        return bool(users.standing(self._db, users.DEMO_LOGIN).stamp)

    def signing_key(self) -> bytes:
        """What cookies are signed with: of this installation, none else has it."""
        return saving.signing_key(self._db, "cookies")

    def _check(self, login: str, password: str, *, address: str, now: float) -> str:
        """The stamp that sessions are held to. What is remembered of a try is bounded, whatever was sent as login."""
        counted = login[:MOST_LOGIN]
        self._require_patience(address, counted, now)
        if not self._hashing.acquire(timeout=HASH_WAIT_S):
            raise TooManyTries(HASH_WAIT_S)
        try:
            self._require_patience(address, counted, now)  # others may have failed while this one waited
            stamp = users.verify(self._db, login, password, now=now)
            if stamp is None:
                self._throttle.failed(_place(address), counted, now=now)
        finally:
            self._hashing.release()
        who = _stranger(counted, address, now)
        if stamp is None:
            note(who, self._db, "log-on failed", about=counted)
            raise UserError("login or password is wrong", code=LOG_ON)
        self._throttle.succeeded(_place(address), counted, now=now)
        note(who, self._db, "log-on", about=counted)
        return stamp

    def _require_patience(self, address: str, login: str, now: float) -> None:
        wait_s = self._throttle.wait_s(_place(address), login, now=now)
        if wait_s > 0:
            raise TooManyTries(wait_s)

    def _remembers(self, digest: bytes, stamp: str, now: float) -> bool:
        with self._lock:
            known, until = self._right.get(digest, ("", 0.0))
        return bool(stamp) and known == stamp and now < until

    def _remember(self, digest: bytes, stamp: str, now: float) -> None:
        with self._lock:
            self._right[digest] = (stamp, now + REMEMBERED_S)
            while len(self._right) > REMEMBERED:
                self._right.popitem(last=False)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _place(address: str) -> str:
    """What failures are counted by: an IPv6 host has a whole network of addresses to come from."""
    try:
        return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address
    except ValueError:
        return address


def _allowed(caller: Caller) -> Caller:
    if not caller.keyring.holds(LOG_ON_KEY):
        raise UserError(f"user {caller.login} may not log on: it needs the key {LOG_ON_KEY}", code=FORBIDDEN)
    return caller


def _stranger(login: str, address: str, now: float) -> Caller:
    """Who tries to log on, for the system log only."""
    return Caller(login or "-", Keyring(login, False, frozenset()), now, address)
