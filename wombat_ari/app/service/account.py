"""What people see and change of themselves, whatever keys they hold."""

from dataclasses import dataclass, replace

from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.logon import LogOn
from wombat_ari.model.admin import User
from wombat_ari.store import sessions, users
from wombat_ari.store.database import Database


@dataclass(frozen=True, slots=True)
class Own:
    """``sessions``: address, log-on and last request of each, the latest first. ``keys``: as they are resolved."""

    user: User
    class_name: str
    keys: tuple[str, ...]
    sessions: list[tuple[str, float, float]]


def own(caller: Caller, db: Database) -> Own:
    user = users.load_user(db, caller.login)
    class_name = "" if user.class_id is None else users.load_class(db, user.class_id).name
    return Own(user, class_name, tuple(sorted(caller.keyring.keys)), sessions.sessions_of(db, user.id or 0))


def set_own_zone(caller: Caller, db: Database, zone: str) -> None:
    """IANA name, or empty. UserError for any other."""
    user = users.load_user(db, caller.login)
    users.save_user(db, replace(user, time_zone=zone), by=caller.login, now=caller.at)


def change_own_password(caller: Caller, db: Database, log_on: LogOn, *, old: str, new: str) -> str:
    """What the cookie is to hold from now on; all other sessions have ended. UserError when ``old`` is wrong."""
    log_on.by_password(caller.login, old, address=caller.address, now=caller.at)
    user = users.load_user(db, caller.login)
    stamp = users.set_password(db, user.id or 0, password=new, by=caller.login, now=caller.at)
    note(caller, db, "password changed", about=caller.login)
    sessions.close_sessions_of(db, user.id or 0)
    return sessions.open_session(db, caller.login, stamp=stamp, address=caller.address, now=caller.at)


def log_off_elsewhere(caller: Caller, db: Database, session: str) -> str:
    """What the cookie, which holds ``session``, is to hold from now on."""
    return sessions.reopen_session(db, session, address=caller.address, now=caller.at)
