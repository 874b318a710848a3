"""Users, classes and tokens. Nobody gives what they have not: a key or master is given by who holds it."""

from collections.abc import Iterable

from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.rights import FORBIDDEN, TOKEN_KEY, Right, demand, may, missing, require_grantable
from wombat_ari.model.admin import EntityInfo, Keyring, User, UserClass
from wombat_ari.model.errors import UserError
from wombat_ari.model.tokens import ApiToken, Scope
from wombat_ari.store import entities, sessions, tokens, users
from wombat_ari.store.database import Database
from wombat_ari.store.users import SYSTEM_KEYS


def list_users(caller: Caller, db: Database) -> list[User]:
    """By login."""
    demand(caller, Right.SEE_USERS)
    return users.list_users(db)


def find_user(caller: Caller, db: Database, which: int | str) -> User:
    demand(caller, Right.SEE_USERS)
    return users.load_user(db, which)


def save_user(caller: Caller, db: Database, user: User, *, version: int | None = None) -> User:
    """A new one cannot log on before ``set_password``."""
    demand(caller, Right.CHANGE_USERS)
    old = None if user.id is None else users.load_user(db, user.id)
    granted = [key for key in user.own_keys if old is None or key not in old.own_keys]
    if user.class_id is not None and (old is None or old.class_id != user.class_id):
        granted += users.load_class(db, user.class_id).keys
    granted += _keys(db, user) - (_keys(db, old) if old is not None and old.enabled else frozenset())
    require_grantable(caller, granted, master=user.master or (old is not None and old.master))
    saved = users.save_user(db, user, by=caller.login, now=caller.at, version=version)
    note(caller, db, "user changed" if old else "user made", about=saved.login)
    return saved


def set_password(caller: Caller, db: Database, user_id: int, *, password: str) -> User:
    """Of somebody else by who may change users; everybody may change their own."""
    user = users.load_user(db, user_id)
    if user.login != caller.login:
        demand(caller, Right.CHANGE_USERS)
        require_grantable(caller, _keys(db, user), master=user.master)
    elif Scope.USERS not in caller.scopes:
        demand(caller, Right.CHANGE_USERS)
    users.set_password(db, user_id, password=password, by=caller.login, now=caller.at)
    note(caller, db, "password changed", about=user.login)
    return user


def _keys(db: Database, user: User) -> frozenset[str]:
    """What the user holds, or would when enabled."""
    return users.resolve(() if user.class_id is None else users.load_class(db, user.class_id).keys, user.own_keys)


def delete_user(caller: Caller, db: Database, user_id: int, *, version: int | None = None) -> User:
    """Refused for who has left traces, and for the last master."""
    demand(caller, Right.CHANGE_USERS)
    old = users.load_user(db, user_id)
    require_grantable(caller, (), master=old.master)
    users.delete_user(db, user_id, by=caller.login, now=caller.at, version=version)
    note(caller, db, "user deleted", about=old.login)
    return old


def keyring_of(caller: Caller, db: Database, user_id: int) -> Keyring:
    """As it is resolved: of the class and own ones, less the revoked; empty for who is disabled."""
    return users.keyring(db, find_user(caller, db, user_id).login)


def sessions_of(caller: Caller, db: Database, user_id: int) -> list[tuple[str, float, float]]:
    """Where a user is logged on at the console: address, log-on, last request; the latest first."""
    find_user(caller, db, user_id)
    return sessions.sessions_of(db, user_id)


def log_off_everywhere(caller: Caller, db: Database, user_id: int) -> User:
    """End all sessions of a user at the console; tokens stay."""
    demand(caller, Right.CHANGE_USERS)
    user = users.load_user(db, user_id)
    sessions.close_sessions_of(db, user_id)
    note(caller, db, "logged off by another", about=user.login)
    return user


def list_classes(caller: Caller, db: Database) -> list[UserClass]:
    demand(caller, Right.SEE_USERS)
    return users.list_classes(db)


def find_class(caller: Caller, db: Database, which: int | str) -> UserClass:
    demand(caller, Right.SEE_USERS)
    return users.load_class(db, which)


def user_infos(caller: Caller, db: Database) -> dict[int, EntityInfo]:
    """Who made and changed each."""
    demand(caller, Right.SEE_USERS)
    return entities.infos(db, users.USER)


def class_infos(caller: Caller, db: Database) -> dict[int, EntityInfo]:
    demand(caller, Right.SEE_USERS)
    return entities.infos(db, users.CLASS)


def save_class(caller: Caller, db: Database, user_class: UserClass, *, version: int | None = None) -> UserClass:
    demand(caller, Right.CHANGE_USERS)
    old = None if user_class.id is None else users.load_class(db, user_class.id)
    require_grantable(caller, set(user_class.keys) - set(old.keys if old else ()), master=False)
    saved = users.save_class(db, user_class, by=caller.login, now=caller.at, version=version)
    note(caller, db, "class changed" if old else "class made", about=saved.name)
    return saved


def delete_class(caller: Caller, db: Database, class_id: int, *, version: int | None = None) -> UserClass:
    """Refused while users are of it."""
    demand(caller, Right.CHANGE_USERS)
    old = users.load_class(db, class_id)
    users.delete_class(db, class_id, by=caller.login, now=caller.at, version=version)
    note(caller, db, "class deleted", about=old.name)
    return old


def list_tokens(caller: Caller, db: Database) -> list[ApiToken]:
    """All for who sees users, else one's own; the latest first."""
    if may(caller, Right.SEE_USERS):
        return tokens.list_tokens(db)
    demand(caller, Right.MAKE_TOKENS)
    return tokens.list_tokens(db, users.load_user(db, caller.login).id)


def find_token(caller: Caller, db: Database, token_id: int) -> ApiToken:
    """One's own, or any for who sees users."""
    found = next((one for one in list_tokens(caller, db) if one.id == token_id), None)
    if found is None:
        raise missing("token", token_id)
    return found


def make_token(
    caller: Caller,
    db: Database,
    *,
    name: str,
    scopes: Iterable[Scope],
    login: str = "",
    expires_at: float | None = None,
) -> tuple[ApiToken, str]:
    """A token of the caller, or (for who may change users) of somebody else, and its text, shown this once.

    It is never wider than the token that it is made with, and somebody else's keys must be held.
    """
    owner = users.load_user(db, login or caller.login)
    if owner.login == caller.login:
        demand(caller, Right.MAKE_TOKENS)
    else:
        demand(caller, Right.CHANGE_USERS)
        require_grantable(caller, users.keyring(db, owner.login).keys, master=owner.master)
    if not users.keyring(db, owner.login).holds(TOKEN_KEY):
        raise UserError(f"user {owner.login} may not use tokens: it needs the key {TOKEN_KEY}", code=FORBIDDEN)
    wanted = frozenset(scopes)
    if wanted - caller.scopes:
        raise UserError("a token is never made wider than the one it is made with", code=FORBIDDEN)
    made, text = tokens.make_token(
        db, owner.id or 0, name=name, scopes=wanted, expires_at=expires_at, by=caller.login, now=caller.at
    )
    note(caller, db, "token made", about=f"{owner.login}/{made.name}", detail=" ".join(sorted(made.scopes)))
    return made, text


def revoke_token(caller: Caller, db: Database, token_id: int) -> ApiToken:
    """One's own, or any for who may change users."""
    token = tokens.load_token(db, token_id)
    demand(caller, Right.MAKE_TOKENS if token.login == caller.login else Right.CHANGE_USERS)
    revoked = tokens.revoke_token(db, token_id, by=caller.login, now=caller.at)
    note(caller, db, "token revoked", about=f"{token.login}/{token.name}")
    return revoked


__all__ = [
    "SYSTEM_KEYS", "class_infos", "delete_class", "delete_user", "find_class", "find_token", "find_user", "keyring_of",
    "list_classes", "list_tokens", "list_users", "log_off_everywhere", "make_token", "revoke_token", "save_class",
    "save_user", "sessions_of", "set_password", "user_infos",
]  # fmt: skip
