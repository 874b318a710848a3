"""Users, classes and what they may. Passwords are argon2id hashes that never leave this module.

Checking a password takes the same time whether the login exists or not. The hash is computed outside of transactions.
Somebody who holds all keys and may log on always remains: the last such user cannot be deleted, disabled or demoted.
"""

import hashlib
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, replace
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from wombat_ari.core.validate import check_user, check_user_class
from wombat_ari.model.admin import Keyring, User, UserClass
from wombat_ari.model.errors import UserError
from wombat_ari.store import saving, tables
from wombat_ari.store.database import Database, Transaction
from wombat_ari.store.saving import Columns, Kind

SYSTEM_KEYS: dict[str, str] = {
    "USER": "log on at all",
    "LIVE": "use the live page and act on runs and calls",
    "REPORT": "run reports and export them",
    "ADMIN": "edit configuration and users",
    "SYSLOG": "view the system log",
    "LISTS": "view and edit lists",
    "CAMPAIGNS": "view and edit campaigns",
    "LICKEY": "the about page",
    "STATUS": "view the dialer status",
    "CTRL_WBT": "start and stop the dialer",
    "DEBUG_AMI": "the AMI debugger",
    "AGENT": "the preview page for the agent channels named in the user's token",
    "API": "use the JSON API and make tokens",
}
SHIPPED_CLASSES = (
    UserClass(None, "ADMIN", "everything", tuple(SYSTEM_KEYS)),
    UserClass(None, "SUPERVISOR", "runs, reports, lists", ("USER", "LIVE", "REPORT", "LISTS", "CAMPAIGNS", "STATUS")),
    UserClass(None, "AGENT", "the preview page", ("USER", "AGENT")),
    UserClass(None, "ROBOT", "programs", ("USER", "API", "LIVE", "LISTS", "CAMPAIGNS", "REPORT")),
)
MIN_PASSWORD, MAX_PASSWORD = 8, 1000
DEMO_LOGIN, DEMO_PASSWORD = "demoadmin", "demo"  #: of the demonstration only; may log on at the machine itself only

_KEPT_APART = ("logons", "last_logon_at")
_hasher = PasswordHasher(time_cost=4, memory_cost=19 << 10, parallelism=1)  # KB; docs/decisions/0013


def _encode_user(user: User) -> Columns:
    columns = {field.name: getattr(user, field.name) for field in fields(user) if field.name not in _KEPT_APART}
    columns["key_list"] = " ".join(columns.pop("own_keys"))
    return columns


def _decode_user(row: Columns) -> User:
    columns = {**row, "own_keys": tuple(row["key_list"].split())}
    return User(**{field.name: columns[field.name] for field in fields(User)})


USER: Kind[User] = Kind(
    label="user",
    table=tables.User,
    name="login",
    encode=_encode_user,
    decode=_decode_user,
    at_first=(("password_hash", ""), ("logons", 0), ("last_logon_at", None)),
    parents=(("class_id", "class", tables.UserClass),),
    referrers=(
        ("the audit trail", "SELECT entity FROM audit WHERE login = (SELECT login FROM user WHERE id = %s) LIMIT 1"),
        ("run", "SELECT name FROM run WHERE started_by = (SELECT login FROM user WHERE id = %s) LIMIT 1"),
    ),
)

CLASS: Kind[UserClass] = Kind(
    label="class",
    table=tables.UserClass,
    name="name",
    encode=lambda c: {"id": c.id, "name": c.name, "description": c.description, "key_list": " ".join(c.keys)},
    decode=lambda row: UserClass(row["id"], row["name"], row["description"], tuple(row["key_list"].split())),
    referrers=(("user", "SELECT login FROM user WHERE class_id = %s ORDER BY login LIMIT 5"),),
)


def install_classes(db: Database, *, now: float) -> None:
    """The shipped classes, those that are missing; one that was changed stays as it is."""
    with db.transaction() as tx:
        for shipped in SHIPPED_CLASSES:
            if tx.value("SELECT COUNT(*) FROM user_class WHERE name = %s", (shipped.name,)) == 0:
                saving.save(db, tx, CLASS, shipped, by="setup", now=now)


def create_admin(db: Database, password: str | None = None, *, now: float, login: str = "admin") -> str:
    """The first user, who holds all keys; returns the password, a random one when none is given.

    Also the way back in: an existing user of that login is enabled, made master and given the password.
    """
    install_classes(db, now=now)
    password = password or secrets.token_urlsafe(12)
    hashed = _hash(password)
    with db.transaction() as tx:
        row = tx.row("SELECT id FROM user WHERE login = %s", (login,))
        class_id = tx.value("SELECT id FROM user_class WHERE name = 'ADMIN'")
        if row:
            old = saving.load(db, tx, USER, row[0])
            user_id = saving.save(db, tx, USER, replace(old, enabled=True, master=True), by="setup", now=now)
        else:
            user, _ = check_user(User(None, login, "Administrator", master=True, class_id=class_id))
            user_id = saving.save(db, tx, USER, user, by="setup", now=now)
        tx.run("UPDATE user SET password_hash = %s WHERE id = %s", (hashed, user_id))
    return password


def create_demo_admin(db: Database, *, now: float) -> None:
    """The known log-on of the demonstration, which the console warns of."""
    create_admin(db, now=now, login=DEMO_LOGIN)
    with db.transaction() as tx:
        user_id = tx.value("SELECT id FROM user WHERE login = %s", (DEMO_LOGIN,))
    set_password(db, user_id, password=DEMO_PASSWORD, by="setup", now=now, minimum=len(DEMO_PASSWORD))


def verify(db: Database, login: str, password: str, *, now: float) -> str | None:
    """The stamp of the user's ``Standing`` when login and password are right and log-on is allowed (counted), else
    None. A password that is changed meanwhile is not put back, and the stamp is that of the one that was right."""
    with db.transaction(write=False) as tx:
        row = tx.row("SELECT id, password_hash, enabled, login FROM user WHERE login = %s", (login,))
    # MySQL takes "admin" and "admin " for equal: whoever counts failed tries by login must not be led astray
    user_id, hashed, enabled = row[:3] if row and row[3] == login else (None, "", False)
    right = _matches(hashed or _nobody(), password[:MAX_PASSWORD])
    if user_id is None or not hashed or not enabled or not right:
        return None
    renewed = _hasher.hash(password) if _hasher.check_needs_rehash(hashed) else hashed
    with db.transaction() as tx:
        sql = (
            "UPDATE user SET logons = logons + 1, last_logon_at = %s, password_hash = %s "
            "WHERE id = %s AND password_hash = %s AND enabled = 1"
        )
        return _stamp(renewed) if tx.run(sql, (now, renewed, user_id, hashed)) else None


def set_password(db: Database, user_id: int, *, password: str, by: str, now: float, minimum: int = MIN_PASSWORD) -> str:
    """The stamp of the user's ``Standing`` from now on. UserError when it is too short."""
    hashed = _hash(password, minimum)
    with db.transaction() as tx:
        saving.load(db, tx, USER, user_id)
        tx.run("UPDATE user SET password_hash = %s WHERE id = %s", (hashed, user_id))
        new = {"password": "***"}
        saving.audit(tx, tables.User, user_id, action="CHANGED", old=new, new=new, by=by, now=now)
    return _stamp(hashed)


def keyring(db: Database, login: str) -> Keyring:
    """Keys of the class and own ones, less those written with a leading ``-``. Empty for who is unknown or disabled."""
    return standing(db, login).keyring


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody may now. ``stamp`` changes with the password; it is empty for who may not log on by one."""

    keyring: Keyring
    stamp: str


def standing(db: Database, login: str) -> Standing:
    with db.transaction(write=False) as tx:
        row = tx.row(
            "SELECT u.master, u.enabled, u.key_list, COALESCE(c.key_list, ''), u.login, u.password_hash FROM user u "
            "LEFT JOIN user_class c ON c.id = u.class_id WHERE u.login = %s",
            (login,),
        )
    if row is None or not row[1] or row[4] != login:
        return Standing(Keyring(login, False, frozenset()), "")
    return Standing(Keyring(login, bool(row[0]), resolve(row[3].split(), row[2].split())), _stamp(row[5]))


def resolve(class_keys: Iterable[str], own_keys: Collection[str]) -> frozenset[str]:
    revoked = {key[1:] for key in own_keys if key.startswith("-")}
    return frozenset({*class_keys, *(key for key in own_keys if not key.startswith("-"))} - revoked)


def save_user(db: Database, user: User, *, by: str, now: float, version: int | None = None) -> User:
    """A new one cannot log on until ``set_password``. The count of log-ons is not taken from the value."""
    user, _ = check_user(user)
    with db.transaction() as tx:
        user_id = saving.save(db, tx, USER, user, by=by, now=now, version=version)
        if user.id is not None:
            _require_a_master(tx)
        return saving.load(db, tx, USER, user_id)


def load_user(db: Database, which: int | str) -> User:
    """By id or login."""
    with db.transaction(write=False) as tx:
        return saving.load(db, tx, USER, which)


def list_users(db: Database) -> list[User]:
    with db.transaction(write=False) as tx:
        return saving.load_all(db, tx, USER)


def delete_user(db: Database, user_id: int, *, by: str, now: float, version: int | None = None) -> None:
    """With its tokens. Refused when the user has left traces (disable it then), or is the last master."""
    with db.transaction() as tx:
        tx.run("DELETE FROM api_token WHERE user_id = %s", (user_id,))
        tx.run("DELETE FROM web_session WHERE user_id = %s", (user_id,))
        saving.delete(tx, USER, user_id, by=by, now=now, version=version)
        _require_a_master(tx)


def save_class(db: Database, user_class: UserClass, *, by: str, now: float, version: int | None = None) -> UserClass:
    user_class, _ = check_user_class(user_class)
    with db.transaction() as tx:
        return saving.load(db, tx, CLASS, saving.save(db, tx, CLASS, user_class, by=by, now=now, version=version))


def load_class(db: Database, which: int | str) -> UserClass:
    """By id or name."""
    with db.transaction(write=False) as tx:
        return saving.load(db, tx, CLASS, which)


def list_classes(db: Database) -> list[UserClass]:
    with db.transaction(write=False) as tx:
        return saving.load_all(db, tx, CLASS)


def delete_class(db: Database, class_id: int, *, by: str, now: float, version: int | None = None) -> None:
    with db.transaction() as tx:
        saving.delete(tx, CLASS, class_id, by=by, now=now, version=version)


def _hash(password: str, minimum: int = MIN_PASSWORD) -> str:
    if not minimum <= len(password) <= MAX_PASSWORD:
        raise UserError(f"password: it must have {minimum} to {MAX_PASSWORD} characters")
    return _hasher.hash(password)


def _matches(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def _stamp(hashed: str) -> str:
    return hashlib.sha256(hashed.encode()).hexdigest() if hashed else ""


@lru_cache(maxsize=1)
def _nobody() -> str:
    """A hash that no password has: compared with for logins that do not exist."""
    return _hasher.hash(secrets.token_urlsafe(32))


def _require_a_master(tx: Transaction) -> None:
    if not tx.value("SELECT COUNT(*) FROM user WHERE master = 1 AND enabled = 1"):
        raise UserError("somebody who may log on must hold all keys (master): this is the last one")


__all__ = [
    "DEMO_LOGIN", "DEMO_PASSWORD", "SHIPPED_CLASSES", "SYSTEM_KEYS", "Standing", "create_admin", "create_demo_admin",
    "delete_class", "delete_user", "install_classes", "keyring", "list_classes", "list_users", "load_class",
    "load_user", "resolve", "save_class", "save_user", "set_password", "standing", "verify",
]  # fmt: skip
