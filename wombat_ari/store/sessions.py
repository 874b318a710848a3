"""Sessions of people at the console. Of what their cookie holds only the SHA-256 is stored, as with tokens.

A session ends when it was not used for ``idle_s``, when it is ``oldest_s`` old, at log-off, and at once when its user
is disabled, deleted or given another password.
"""

import hashlib
import secrets
from dataclasses import dataclass

from wombat_ari.model.admin import Keyring
from wombat_ari.model.errors import UserError
from wombat_ari.store import users
from wombat_ari.store.database import Database

SEEN_EVERY_S = 60.0  #: the last request is written down at most so often


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is logged on. ``handle`` names it to people without opening it."""

    login: str
    keyring: Keyring
    real_name: str
    time_zone: str
    address: str
    created_at: float
    seen_at: float
    handle: str


def open_session(db: Database, login: str, *, stamp: str, address: str, now: float) -> str:
    """What the cookie is to hold; a new one at each log-on. It holds while ``stamp`` is that of the user's standing."""
    text = secrets.token_urlsafe(32)
    user = users.load_user(db, login)
    values = (_hash(text), user.id, stamp, address[:64], now, now)
    with db.transaction() as tx:
        tx.run(
            "INSERT INTO web_session (token_hash, user_id, stamp, address, created_at, seen_at) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            values,
        )
    return text


def reopen_session(db: Database, text: str, *, address: str, now: float) -> str:
    """What the cookie is to hold instead; all other sessions of the user have ended. It holds no longer than the one
    before would have: a password that somebody changes at this moment ends it. UserError when that one has ended."""
    new = secrets.token_urlsafe(32)
    with db.transaction() as tx:
        row = tx.row("SELECT user_id, stamp FROM web_session WHERE token_hash = %s", (_hash(text),))
        if row is None:
            raise UserError("you are not logged on, or not any more: log on again", code="log-on")
        tx.run("DELETE FROM web_session WHERE user_id = %s", (row[0],))
        tx.run(
            "INSERT INTO web_session (token_hash, user_id, stamp, address, created_at, seen_at) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            (_hash(new), *row, address[:64], now, now),
        )
    return new


def session_of(db: Database, text: str, *, idle_s: float, oldest_s: float, now: float) -> Session | None:
    """The session while it holds, else None; notes when it was used."""
    hashed = _hash(text)
    with db.transaction(write=False) as tx:
        row = tx.row(
            "SELECT u.login, s.stamp, u.real_name, u.time_zone, s.address, s.created_at, s.seen_at "
            "FROM web_session s JOIN user u ON u.id = s.user_id WHERE s.token_hash = %s",
            (hashed,),
        )
    if row is None:
        return None
    login, stamp, real_name, time_zone, address, created_at, seen_at = row
    standing = users.standing(db, login)
    if not standing.stamp or standing.stamp != stamp or now - seen_at > idle_s or now - created_at > oldest_s:
        close_session(db, text)
        return None
    if now - seen_at >= SEEN_EVERY_S:
        with db.transaction() as tx:
            tx.run("UPDATE web_session SET seen_at = %s WHERE token_hash = %s", (now, hashed))
    return Session(login, standing.keyring, real_name, time_zone, address, created_at, seen_at, hashed[:16])


def close_session(db: Database, text: str) -> None:
    with db.transaction() as tx:
        tx.run("DELETE FROM web_session WHERE token_hash = %s", (_hash(text),))


def close_sessions_of(db: Database, user_id: int) -> int:
    """All of a user's; how many they were."""
    with db.transaction() as tx:
        return tx.run("DELETE FROM web_session WHERE user_id = %s", (user_id,))


def sessions_of(db: Database, user_id: int) -> list[tuple[str, float, float]]:
    """Address, log-on and last request of each, the latest first."""
    with db.transaction(write=False) as tx:
        rows = tx.rows(
            "SELECT address, created_at, seen_at FROM web_session WHERE user_id = %s ORDER BY seen_at DESC", (user_id,)
        )
    return [(row[0], row[1], row[2]) for row in rows]


def prune_sessions(db: Database, *, idle_s: float, oldest_s: float, now: float) -> None:
    """Those that ended by themselves."""
    with db.transaction() as tx:
        tx.run("DELETE FROM web_session WHERE seen_at < %s OR created_at < %s", (now - idle_s, now - oldest_s))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
