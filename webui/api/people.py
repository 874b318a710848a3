"""Users, classes, tokens."""

from typing import Annotated, Any

from pydantic import Field, SecretStr

from webui.api.frame import MOST_ID, Answer, Call, Reply, Route
from webui.api.shapes import Body, Id, Kept, Name, Page, Query, Text, Told, told
from webui.api.things import Thing
from wombat_ari.app.service import users
from wombat_ari.app.service.rights import Right
from wombat_ari.model.admin import User, UserClass
from wombat_ari.model.tokens import ApiToken, Scope

TAG = "Users"
KEYS = Annotated[list[str], Field(max_length=200)]


class UserSent(Body):
    """Somebody who may log on. A new one cannot before its password was set."""

    login: Name
    real_name: Text = ""
    enabled: bool = True
    email: Text = ""
    master: bool = False
    class_id: Id | None = None
    own_keys: KEYS = Field([], description="keys besides those of the class; -KEY takes one away")
    comment: str = Field("", max_length=1000)
    token: Text = Field("", description="agent channels for the preview page, separated by blanks")
    time_zone: str = Field("", max_length=64, description="zone in which times are shown to them; empty: the dialer's")


class UserTold(Kept, UserSent):
    logons: int
    last_logon_at: float | None


class ClassSent(Body):
    """A class of users and the keys its members hold."""

    name: Name
    description: Text = ""
    keys: KEYS = []


class ClassTold(Kept, ClassSent):
    pass


class PasswordSent(Body):
    password: SecretStr = Field(min_length=1, max_length=1000)


class TokenSent(Body):
    """A token, never wider than the one it is made with."""

    name: Name
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    login: str = Field("", max_length=80, description="whose; empty: one's own")
    expires_at: float | None = Field(None, ge=0, le=1e11, description="null: it holds until it is revoked")


class TokenTold(Told):
    id: int
    user_id: int
    login: str
    name: str
    scopes: list[Scope]
    created_at: float
    created_by: str
    expires_at: float | None
    revoked_at: float | None
    last_used_at: float | None


class TokenMade(TokenTold):
    token: str = Field(description="shown this once")


class TokenQuery(Query):
    after: int = Field(0, ge=0, le=MOST_ID, description="tokens older than the one with this id")
    limit: int = Field(100, ge=1, le=1000)


def _save_user(call: Call, value: User, *, version: int | None, clear: tuple[str, ...]) -> User:
    return users.save_user(call.caller, call.db, value, version=version)


def _save_class(call: Call, value: UserClass, *, version: int | None, clear: tuple[str, ...]) -> UserClass:
    return users.save_class(call.caller, call.db, value, version=version)


common: dict[str, Any] = {"tag": TAG, "see": (Right.SEE_USERS,), "change": (Right.CHANGE_USERS,)}

USERS: Thing[User] = Thing(
    path="/users", label="user", sent=UserSent, told=UserTold, everything=users.list_users, infos=users.user_infos,
    find=users.find_user, save=_save_user, delete=users.delete_user, blank=lambda body: User(None, ""),
    name=lambda user: user.login, **common,
)  # fmt: skip

CLASSES: Thing[UserClass] = Thing(
    path="/classes", label="class", sent=ClassSent, told=ClassTold, everything=users.list_classes,
    infos=users.class_infos, find=users.find_class, save=_save_class, delete=users.delete_class,
    blank=lambda body: UserClass(None, ""), **common,
)  # fmt: skip


def set_password(call: Call) -> Answer:
    """Set the password of a user: one's own, or anybody's by who may change users."""
    users.set_password(call.caller, call.db, call.ids["user_id"], password=call.body.password.get_secret_value())
    return Reply(None)


def tokens(call: Call) -> Answer:
    """List tokens, the latest first: all for who sees users, else one's own."""
    query = call.query
    found = [one for one in users.list_tokens(call.caller, call.db) if not query.after or one.id < query.after]
    shown = found[: query.limit]
    return Page[TokenTold](items=[_told(one) for one in shown], next=shown[-1].id if len(found) > query.limit else None)


def make_token(call: Call) -> Answer:
    """Make a token. Its text is shown this once.

    It takes no Idempotency-Key: the text is nowhere kept.
    """
    body = call.body
    made, text = users.make_token(
        call.caller, call.db, name=body.name, scopes=body.scopes, login=body.login, expires_at=body.expires_at
    )
    return Reply(TokenMade(**dict(_told(made)), token=text), location=f"/tokens/{made.id}")


def read_token(call: Call) -> Answer:
    """Read a token, without its text."""
    return _told(users.find_token(call.caller, call.db, call.ids["token_id"]))


def revoke_token(call: Call) -> Answer:
    """Revoke a token: from now on it is refused."""
    users.revoke_token(call.caller, call.db, call.ids["token_id"])
    return Reply(None)


def _told(token: ApiToken) -> TokenTold:
    return told(TokenTold, token, scopes=sorted(token.scopes))


MAKE = (Right.MAKE_TOKENS, Right.CHANGE_USERS)
ROUTES = (
    *USERS.routes(),
    Route(
        "PUT", "/users/{user_id}/password", set_password, (Right.CHANGE_USERS, Right.SEE_HEALTH), TAG, status=204,
        body=PasswordSent,
    ),
    *CLASSES.routes(),
    Route("GET", "/tokens", tokens, (Right.MAKE_TOKENS, Right.SEE_USERS), "Tokens", Page[TokenTold], query=TokenQuery),
    Route("POST", "/tokens", make_token, MAKE, "Tokens", TokenMade, 201, TokenSent),
    Route("GET", "/tokens/{token_id}", read_token, (Right.MAKE_TOKENS, Right.SEE_USERS), "Tokens", TokenTold),
    Route("DELETE", "/tokens/{token_id}", revoke_token, MAKE, "Tokens", status=204),
)  # fmt: skip
