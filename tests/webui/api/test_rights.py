"""Every operation has a right: nobody in particular is asked who they are, who lacks the key is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.store.conftest import NOW
from tests.webui.api.conftest import Rest, basic
from tests.webui.api.test_configuration import site
from tests.webui.conftest import Dialer, Switch
from webui.api import ROUTES
from webui.api.frame import Route
from wombat_ari.app.service.rights import Right
from wombat_ari.model.tokens import Scope
from wombat_ari.store import tables, tokens, users
from wombat_ari.store.database import Database

LOGGED_ON = {"GET /version", "GET /openapi.json", "GET /docs"}  #: for everybody who may log on
OWN = {"PUT /users/{user_id}/password"}  #: of oneself


def spelled(route: Route) -> str:
    path = re.sub(r"{import_id}", "0" * 32, route.path)
    path = re.sub(r"{\w+}", "1", path)
    needed = {"/reports": "?run=1"}
    return path + next((tail for start, tail in needed.items() if path.startswith(start)), "")


def name(route: Route) -> str:
    return f"{route.method} {route.path}"


def contents(database: Database) -> dict[str, list[Any]]:
    """All that is stored, but the log of who tried, and when who logged on."""
    kept = {}
    with database.transaction(write=False) as tx:
        for table in tables.ALL:
            of = table._meta.table_name
            if of not in ("system_log", "user", "api_token"):
                kept[of] = tx.rows(f"SELECT * FROM {of}")
        kept["user"] = tx.rows("SELECT login, password_hash, enabled, master, key_list FROM user")
        kept["api_token"] = tx.rows("SELECT id, revoked_at FROM api_token")
    return kept


def test_there_is_a_right_for_every_operation() -> None:
    assert all(route.rights for route in ROUTES)
    open_to_all = {name(route) for route in ROUTES if Right.SEE_HEALTH in route.rights}
    assert open_to_all == LOGGED_ON | OWN


def test_without_credentials_every_operation_is_401_and_changes_nothing(
    rest: Rest, client: FlaskClient, database: Database, dialer: Dialer, switch: Switch
) -> None:
    site(rest)
    before = contents(database)
    for route in ROUTES:
        for address in ("127.0.0.1", "192.0.2.7"):  # the first is trusted for control, by the other API only
            answer = client.open(
                "/api/v1" + spelled(route), method=route.method, environ_overrides={"REMOTE_ADDR": address}
            )
            assert (answer.status_code, answer.mimetype) == (401, "application/problem+json"), name(route)
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert contents(database) == before
    assert switch.done == []


def test_without_the_key_every_operation_is_403_and_changes_nothing(
    rest: Rest, rest_of: Callable[..., Rest], database: Database, switch: Switch
) -> None:
    site(rest)
    nobody = rest_of("nobody")
    before = contents(database)
    for route in ROUTES:
        body = {"password": "something else"} if name(route) in OWN else None
        answer = nobody.ask(route.method, spelled(route), body)
        expected = 200 if name(route) in LOGGED_ON else 403
        assert answer.status_code == expected, f"{name(route)}: {answer.get_data(as_text=True)}"
    assert contents(database) == before
    assert switch.done == []


@pytest.mark.parametrize("scope", Scope)
def test_a_token_is_held_to_its_scope(client: FlaskClient, rest: Rest, database: Database, scope: Scope) -> None:
    admin = users.load_user(database, "admin")
    _, text = tokens.make_token(database, admin.id or 0, name="t", scopes=[scope], by="admin", now=NOW)
    mine = Rest(client, f"Bearer {text}")
    for route in ROUTES:
        allowed = any(
            right.scope is scope or (right.scope is Scope.READ and scope is Scope.CONFIGURE) for right in route.rights
        )
        # A body that cannot be read shows that one came in, and does nothing.
        status = mine.ask(route.method, spelled(route) + "?x=1", headers={"If-Match": "x"}).status_code
        assert status == (400 if allowed else 403), (name(route), scope)


def test_tokens(rest: Rest, rest_of: Callable[..., Rest], client: FlaskClient) -> None:
    robot = rest_of("robot", "API", "LISTS")
    made = robot.ok("POST", "/tokens", {"name": "crm", "scopes": ["READ", "USERS"]}, status=201)
    mine = Rest(client, f"Bearer {made['token']}")
    assert mine.ok("GET", "/lists")["items"] == []
    mine.refused(403, "POST", "/lists", {"name": "a"})
    wider = mine.refused(403, "POST", "/tokens", {"name": "more", "scopes": ["CONFIGURE"]})
    assert "wider" in wider["detail"]
    robot.refused(403, "POST", "/tokens", {"name": "root", "scopes": ["READ"], "login": "admin"})
    robot.refused(400, "POST", "/tokens", {"name": "a", "scopes": ["READ"]}, headers={"Idempotency-Key": "k"})
    listed = robot.ok("GET", "/tokens")["items"]
    assert [(one["name"], one["scopes"], "token" in one) for one in listed] == [("crm", ["READ", "USERS"], False)]
    path = f"/tokens/{made['id']}"
    other = rest_of("other", "API")
    other.refused(404, "GET", path)
    other.refused(403, "DELETE", path)
    robot.ok("DELETE", path, status=204)
    assert robot.ok("GET", path)["revoked_at"]
    mine.refused(401, "GET", "/lists")
    of_robot = rest.ok("POST", "/tokens", {"name": "b", "scopes": ["READ"], "login": "robot"}, status=201)
    assert of_robot["login"] == "robot"
    rest_of("plain").refused(403, "POST", "/tokens", {"name": "a", "scopes": ["READ"]})


def test_users_and_classes(rest: Rest, client: FlaskClient) -> None:
    made = rest.ok("POST", "/classes", {"name": "CREW", "keys": ["USER", "LISTS"]}, status=201)
    user = {"login": "eve", "class_id": made["id"], "own_keys": ["-LISTS", "REPORT"]}
    eve = rest.ok("POST", "/users", user, status=201)
    assert (eve["logons"], "password_hash" in eve) == (0, False)
    mine = Rest(client, basic("eve", "first-password"))
    mine.refused(401, "GET", "/version")
    rest.refused(422, "PUT", f"/users/{eve['id']}/password", {"password": "short"})
    rest.ok("PUT", f"/users/{eve['id']}/password", {"password": "first-password"}, status=204)
    mine.ok("GET", "/version")
    mine.refused(403, "GET", "/lists")
    mine.ok("PUT", f"/users/{eve['id']}/password", {"password": "second-password"}, status=204)
    mine.refused(401, "GET", "/version")
    rest.ok("PATCH", f"/users/{eve['id']}", {"enabled": False})
    Rest(client, basic("eve", "second-password")).refused(401, "GET", "/version")
    rest.refused(409, "DELETE", f"/classes/{made['id']}")
    admin = next(one for one in rest.ok("GET", "/users")["items"] if one["login"] == "admin")
    rest.refused(422, "PATCH", f"/users/{admin['id']}", {"master": False})
    rest.ok("GET", "/users/1")


def test_nobody_gives_what_they_have_not(rest: Rest, rest_of: Callable[..., Rest]) -> None:
    boss = rest_of("boss", "ADMIN")
    assert "LISTS" in boss.refused(403, "POST", "/users", {"login": "friend", "own_keys": ["USER", "LISTS"]})["detail"]
    boss.refused(403, "POST", "/users", {"login": "friend", "master": True})
    boss.refused(403, "POST", "/classes", {"name": "X", "keys": ["VIP"]})
    boss.ok("POST", "/users", {"login": "friend", "own_keys": ["USER"]}, status=201)


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Authorization": "Digest x"}]
)
def test_other_doors_stay_closed(rest: Rest, headers: dict[str, str]) -> None:
    assert rest.ask("GET", "/lists", headers=headers).status_code in (401, 403)
