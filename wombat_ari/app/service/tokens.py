"""Tokens with which programs call the APIs, made, seen and revoked. Their rules are those of users: see there."""

from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.rights import Right, demand, may
from wombat_ari.app.service.users import find_token, list_tokens, make_token, revoke_token
from wombat_ari.model.tokens import ApiToken
from wombat_ari.store import tokens, users
from wombat_ari.store.database import Database


def tokens_of(caller: Caller, db: Database, user_id: int) -> list[ApiToken]:
    """Of one user, the latest first; one's own, or anybody's for who sees users."""
    if not may(caller, Right.SEE_USERS):
        demand(caller, Right.MAKE_TOKENS)
        user_id = users.load_user(db, caller.login).id or 0
    return tokens.list_tokens(db, user_id)


__all__ = ["find_token", "list_tokens", "make_token", "revoke_token", "tokens_of"]
