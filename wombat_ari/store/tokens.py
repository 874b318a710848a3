"""Tokens of programs. Of one only its SHA-256 is stored: it is random and long, a slow hash would protect nothing.

What is made is shown once and never again. A token is found by its hash, so the time of a search tells nothing of it.
"""

import hashlib
import secrets
from collections.abc import Iterable

from wombat_ari.core.validate import check_name
from wombat_ari.model.errors import UserError
from wombat_ari.model.tokens import ApiToken, Scope
from wombat_ari.store import saving, tables
from wombat_ari.store.database import Database, Row, Transaction
from wombat_ari.store.users import USER

MARK = "wbt_"  #: every token begins so: a leaked one can be searched for
USED_EVERY_S = 60.0  #: the last use is written down at most so often
_RANDOM_BYTES = 32
_SELECT = (
    "SELECT t.id, t.user_id, u.login, t.name, t.scopes, t.created_at, t.created_by, t.expires_at, t.revoked_at, "
    "t.last_used_at FROM api_token t JOIN user u ON u.id = t.user_id"
)


def make_token(
    db: Database, user_id: int, *, name: str, scopes: Iterable[Scope], by: str, now: float,
    expires_at: float | None = None,
) -> tuple[ApiToken, str]:  # fmt: skip
    """A new token and its text, which cannot be had again. UserError for a moment that has passed or no scope."""
    name, wanted = check_name("token name", name), sorted(set(scopes))
    if not wanted:
        raise UserError(f"token {name}: say what it is for, one or more of {', '.join(Scope)}")
    if expires_at is not None and expires_at <= now:
        raise UserError(f"token {name}: it would have expired already")
    text = MARK + secrets.token_urlsafe(_RANDOM_BYTES)
    values = {
        "user_id": user_id, "name": name, "token_hash": _hash(text), "scopes": " ".join(wanted), "created_at": now,
        "created_by": by, "expires_at": expires_at,
    }  # fmt: skip
    with db.transaction() as tx:
        login = saving.load(db, tx, USER, user_id).login
        token_id = int(tx.do(tables.ApiToken.insert(**values)))
        new = {"user": login, "name": name, "scopes": values["scopes"], "expires_at": expires_at}
        saving.audit(tx, tables.ApiToken, token_id, action="CREATED", old={}, new=new, by=by, now=now)
        return _one(tx, token_id), text


def token_of(db: Database, text: str, *, now: float) -> ApiToken | None:
    """The token of that text while it holds, else None; notes when it was used."""
    if not text.startswith(MARK):
        return None
    with db.transaction(write=False) as tx:
        row = tx.row(f"{_SELECT} WHERE t.token_hash = %s", (_hash(text),))
    token = None if row is None else _token_of(row)
    if token is None or not token.holds_at(now):
        return None
    if token.last_used_at is None or now - token.last_used_at >= USED_EVERY_S:
        with db.transaction() as tx:
            tx.run("UPDATE api_token SET last_used_at = %s WHERE id = %s", (now, token.id))
    return token


def load_token(db: Database, token_id: int) -> ApiToken:
    with db.transaction(write=False) as tx:
        return _one(tx, token_id)


def list_tokens(db: Database, user_id: int | None = None) -> list[ApiToken]:
    """Of one user or of all, the latest first; the revoked and expired ones too."""
    where, params = ("", []) if user_id is None else (" WHERE t.user_id = %s", [user_id])
    with db.transaction(write=False) as tx:
        return [_token_of(row) for row in tx.rows(f"{_SELECT}{where} ORDER BY t.id DESC", params)]


def revoke_token(db: Database, token_id: int, *, by: str, now: float) -> ApiToken:
    """From now on it is refused. One that is revoked already stays as it is."""
    with db.transaction() as tx:
        if _one(tx, token_id).revoked_at is None:
            tx.run("UPDATE api_token SET revoked_at = %s WHERE id = %s", (now, token_id))
            saving.audit(
                tx, tables.ApiToken, token_id, action="CHANGED", old={"revoked_at": None}, new={"revoked_at": now},
                by=by, now=now,
            )  # fmt: skip
        return _one(tx, token_id)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _one(tx: Transaction, token_id: int) -> ApiToken:
    row = tx.row(f"{_SELECT} WHERE t.id = %s", (token_id,))
    if row is None:
        raise UserError(f"there is no token {token_id}", code=saving.MISSING)
    return _token_of(row)


def _token_of(row: Row) -> ApiToken:
    return ApiToken(*row[:4], frozenset(map(Scope, row[4].split())), *row[5:])  # type: ignore[call-arg]
