"""Users, classes, tokens: keyrings as they are resolved, nobody gives what they have not, a token is shown once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.webui.conftest import PASSWORD
from tests.webui.console.conftest import Desk, Visitor
from wombat_ari.store import users
from wombat_ari.store.database import Database

Visitors = Callable[..., Visitor]
Persons = Callable[..., str]
Desks = Callable[..., Desk]
BOB = {"login": "bob", "real_name": "Bob", "own_keys": "-REPORT VIP", "enabled": "y"}


def id_of(database: Database, login: str) -> int:
    return users.load_user(database, login).id or 0


def test_a_supervisor_is_made_by_clicks_and_logs_on(desk: Desks, database: Database) -> None:
    page = desk().go("/users")
    page.get_by_role("link", name="New user").click()
    page.get_by_label("Login").fill("bob")
    page.get_by_label("Class", exact=True).select_option("SUPERVISOR")
    page.get_by_label("Own keys").fill("-REPORT VIP")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("User bob is saved.").wait_for()
    may = page.get_by_text("What this user may").locator("..")
    assert may.locator("code").all_inner_texts() == ["CAMPAIGNS", "LISTS", "LIVE", "STATUS", "USER", "VIP"]
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    page.get_by_role("button", name="Yes").click()
    page.get_by_text("bob has a new password").wait_for()
    his = desk("bob").page
    assert his.get_by_role("link", name="Campaigns", exact=True).is_visible()
    assert his.get_by_role("link", name="Users").count() == 0
    assert his.get_by_role("link", name="Reports").count() == 0


def test_a_short_password_is_refused(visitor: Visitors, person: Persons, database: Database) -> None:
    person("bob")
    one, which = visitor(), id_of(database, "bob")
    assert "8 to 1000 characters" in one.post(f"/users/{which}/password", password="short").text
    assert visitor("bob").get("/").status_code == 200


def test_the_last_master_stays(visitor: Visitors, database: Database) -> None:
    one, which = visitor(), id_of(database, "admin")
    answer = one.post(f"/users/{which}", login="admin", class_id="", own_keys="USER ADMIN", enabled="y")
    assert (answer.status_code, "this is the last one" in answer.text) == (400, True)
    one.post(f"/users/{which}/delete")
    assert users.load_user(database, "admin").master


def test_nobody_gives_what_they_have_not(visitor: Visitors, person: Persons, database: Database) -> None:
    ann = visitor(person("ann", "ADMIN"))
    assert ann.post("/users/new", **{**BOB, "own_keys": "USER"}, class_id="").status_code == 303
    which = id_of(database, "bob")
    for keys, master in (("VIP", ""), ("USER LIVE", ""), ("USER", "y")):
        answer = ann.post(
            f"/users/{which}", **{**BOB, "own_keys": keys}, class_id="", **({"master": "y"} if master else {})
        )
        assert answer.status_code == 403, keys
    admins = next(one for one in users.list_classes(database) if one.name == "ADMIN")
    assert ann.post(f"/users/{which}", **{**BOB, "own_keys": "USER"}, class_id=str(admins.id)).status_code == 403
    assert ann.post(f"/classes/{admins.id}", name="ADMIN", keys="USER EXTRA").status_code == 403
    assert ann.post(f"/users/{id_of(database, 'admin')}/password", password="my own password").status_code == 403
    assert visitor("admin").get("/").status_code == 200
    assert users.keyring(database, "bob").keys == {"USER"}


def test_a_colleague_is_logged_off(visitor: Visitors, person: Persons, database: Database) -> None:
    bob = visitor(person("bob"))
    one, which = visitor(), id_of(database, "bob")
    assert "last seen" in one.get(f"/users/{which}").text
    assert one.post(f"/users/{which}/log-off").status_code == 303
    assert bob.get("/").status_code == 303


def test_a_token_is_shown_once_works_and_is_revoked(visitor: Visitors, person: Persons) -> None:
    bob = visitor(person("bob", "API", "LISTS"))
    answer = bob.post("/tokens", name="CRM", scope=["READ"], days="30")
    found = re.search(r'<code id="token">(wbt_[^<]+)</code>', answer.text)
    assert found
    token, program = found[1], bob.client.application.test_client()
    headers = {"Authorization": f"Bearer {token}"}
    assert program.get("/api/v1/lists", headers=headers).status_code == 200
    account = bob.get("/account").text
    assert "CRM" in account
    assert token not in account
    revoke = re.search(r'action="(/tokens/\d+/revoke)"', account)
    assert revoke
    eve = visitor(person("eve", "API"))
    assert eve.post(revoke[1]).status_code in (403, 404), "it is not hers"
    assert program.get("/api/v1/lists", headers=headers).status_code == 200
    assert bob.post(revoke[1], back="/account").status_code == 303
    assert program.get("/api/v1/lists", headers=headers).status_code == 401


def test_what_a_token_needs(visitor: Visitors, person: Persons) -> None:
    bob = visitor(person("bob", "API"))
    for given in ({"name": "", "scope": ["READ"]}, {"name": "x", "scope": []}, {"name": "x", "scope": ["ALL"]}):
        assert bob.post("/tokens", **given, days="30").status_code == 400, given
    assert bob.post("/tokens", name="x", scope=["READ"], login="admin").status_code in (400, 403)
    assert visitor(person("ned", "LIVE")).get("/tokens").status_code == 403
    assert "Tokens for programs" not in visitor("ned").get("/account").text


@pytest.mark.parametrize("path", ["/users", "/users/1", "/users/new", "/classes", "/classes/1", "/users/1/info"])
def test_without_the_key_there_is_no_page(visitor: Visitors, person: Persons, path: str) -> None:
    bob = visitor(person("bob", "LIVE", "LISTS", "CAMPAIGNS", "REPORT", "STATUS", "SYSLOG"))
    assert bob.get(path).status_code == 403
    assert ">Users<" not in bob.get("/").text


def test_every_post_needs_the_key(visitor: Visitors, person: Persons, database: Database) -> None:
    bob, which = visitor(person("bob", "LIVE")), id_of(database, "admin")
    posts: list[tuple[str, dict[str, Any]]] = [
        ("/users/new", BOB), (f"/users/{which}", BOB), (f"/users/{which}/password", {"password": "another horse"}),
        (f"/users/{which}/delete", {}), (f"/users/{which}/log-off", {}), ("/classes/new", {"name": "x"}),
    ]  # fmt: skip
    for path, form in posts:
        assert bob.post(path, **form).status_code == 403, path
