"""Logging on and off, sessions and their cookie, forms of other sites, who may see what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from tests.webui.conftest import PASSWORD
from tests.webui.console.conftest import PHONE, WALL, XSS, Desk, Visitor, complaints, overflow
from wombat_ari.store import syslog, users
from wombat_ari.store.database import Database

Visitors = Callable[..., Visitor]
Persons = Callable[..., str]
Desks = Callable[..., Desk]


def test_who_is_not_logged_on_is_led_to_the_form_and_back(app: Flask) -> None:
    client = app.test_client()
    answer = client.get("/account?x=1")
    assert (answer.status_code, answer.location) == (303, "/log-on?next=/account?x%3D1")
    form = client.get(answer.location)
    token = form.text.split('name="csrf_token" value="')[1].split('"')[0]
    answer = client.post(answer.location, data={"csrf_token": token, "login": "admin", "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/account?x=1")


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example"]
)
def test_nobody_is_led_elsewhere_after_the_log_on(app: Flask, elsewhere: str) -> None:
    client = app.test_client()
    token = client.get("/log-on").text.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"csrf_token": token, "login": "admin", "password": PASSWORD}
    assert client.post("/log-on", query_string={"next": elsewhere}, data=form).location == "/"


def test_a_script_is_told_and_not_led(app: Flask) -> None:
    assert app.test_client().get("/account", headers={"Sec-Fetch-Dest": "empty"}).status_code == 401


def test_the_cookie(app: Flask) -> None:
    client = app.test_client()
    before = client.get("/log-on").headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Lax"):
        assert part in before
    assert "Secure" not in before
    assert "Secure" in app.test_client().get("/log-on", base_url="https://localhost").headers["Set-Cookie"]


def test_the_session_is_another_after_the_log_on_and_a_made_up_one_is_none(app: Flask, visitor: Visitors) -> None:
    one = visitor()
    with one.client.session_transaction() as kept:
        mine = dict(kept)
    assert one.get("/account").status_code == 200
    stranger = app.test_client()
    stranger.set_cookie("wombat_session", "eyJzaWQiOiJhIn0.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb")
    assert stranger.get("/account").status_code == 303
    with stranger.session_transaction() as forged:
        forged["sid"] = mine["sid"] + "x"
    assert stranger.get("/account").status_code == 303


def test_log_off_ends_the_session_and_not_only_the_cookie(app: Flask, visitor: Visitors) -> None:
    one = visitor()
    with one.client.session_transaction() as kept:
        mine = dict(kept)
    assert one.post("/log-off").status_code == 303
    thief = app.test_client()
    with thief.session_transaction() as stolen:
        stolen.update(mine)
    assert thief.get("/account").status_code == 303


def test_wrong_is_one_answer_whether_the_login_exists_or_not(app: Flask) -> None:
    client, said = app.test_client(), []
    token = client.get("/log-on").text.split('name="csrf_token" value="')[1].split('"')[0]
    for login in ("admin", "nobody"):
        answer = client.post("/log-on", data={"csrf_token": token, "login": login, "password": "wrong"})
        said.append((answer.status_code, "Login or password is wrong." in answer.text))
    assert said == [(401, True), (401, True)]


def test_many_wrong_ones_must_wait(app: Flask) -> None:
    client = app.test_client()
    token = client.get("/log-on").text.split('name="csrf_token" value="')[1].split('"')[0]
    answers = [
        client.post("/log-on", data={"csrf_token": token, "login": "admin", "password": "wrong"}) for _ in range(12)
    ]
    assert answers[-1].status_code == 429
    assert "Too many failed log-ons" in answers[-1].text
    assert int(answers[-1].headers["Retry-After"]) > 0


@pytest.mark.parametrize("path", ["/log-off", "/account/zone", "/account/password", "/account/elsewhere", "/log-on"])
def test_a_form_of_another_site_does_nothing(visitor: Visitors, path: str) -> None:
    one = visitor()
    for token in ({}, {"csrf_token": "made-up"}):
        answer = one.client.post(path, data={"time_zone": "UTC", **token})
        assert answer.status_code == 400
        assert "nothing was done" in answer.text
    assert one.get("/account").status_code == 200


def test_a_disabled_user_is_out_with_the_next_request(visitor: Visitors, person: Persons, database: Database) -> None:
    bob = visitor(person("bob"))
    assert bob.get("/").status_code == 200
    users.save_user(database, replace(users.load_user(database, "bob"), enabled=False), by="admin", now=2e9)
    assert bob.get("/").status_code == 303


def test_everything_is_in_the_system_log(visitor: Visitors, database: Database) -> None:
    visitor().post("/log-off")
    entries = [(one.user, one.action) for one in syslog.read(database)]
    assert entries[:2] == [("admin", "log-off"), ("admin", "log-on")]


def test_the_session_opens_the_api_for_pages_of_ours_only(visitor: Visitors) -> None:
    one = visitor()

    def status(path: str, site: str | None) -> int:
        return one.client.get(
            path, headers={} if site is None else {"Sec-Fetch-Site": site},
            environ_overrides={"REMOTE_ADDR": "192.0.2.9"},
        ).status_code  # fmt: skip

    assert status("/api/v1/runs", "same-origin") == 200
    assert status("/api/v1/runs", "none") == 200, "typed into the browser"
    assert status("/api/v1/runs", None) == 401
    assert status("/api/v1/runs", "cross-site") == 403
    assert status("/wombat/api/edit/list/", "same-origin") == 200
    assert status("/wombat/api/edit/list/", "none") == 401, "a link in a mail could start a campaign so"


def test_my_time_zone_and_password(visitor: Visitors, person: Persons, app: Flask) -> None:
    bob, elsewhere = visitor(person("bob")), visitor("bob")
    assert bob.post("/account/zone", time_zone="Mars/Olympus").status_code == 400
    assert bob.post("/account/zone", time_zone="Asia/Tokyo").status_code == 303
    wrong = bob.post("/account/password", old="wrong", new="another horse", again="another horse")
    assert (wrong.status_code, 'id="old-error">this is not' in wrong.text) == (400, True)
    short = bob.post("/account/password", old=PASSWORD, new="short", again="short")
    assert (short.status_code, 'id="new-error">password: it must have 8 to 1000' in short.text) == (400, True)
    assert bob.post("/account/password", old=PASSWORD, new="another horse", again="other").status_code == 400
    assert elsewhere.get("/").status_code == 200
    assert bob.post("/account/password", old=PASSWORD, new="another horse", again="another horse").status_code == 303
    assert bob.get("/account").status_code == 200, "still logged on here"
    assert elsewhere.get("/").status_code == 303, "and nowhere else"
    assert visitor("bob", "another horse").get("/").status_code == 200


def test_an_address_that_is_not_there(visitor: Visitors, app: Flask) -> None:
    assert visitor().get("/nothing").status_code == 404
    stranger = app.test_client().get("/nothing")
    assert (stranger.status_code, "Log off" in stranger.text) == (404, False)


def test_names_are_shown_as_text(visitor: Visitors, person: Persons) -> None:
    page = visitor(person("eve", real_name=XSS)).get("/account").text
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, WALL])
def test_in_a_real_browser(desk: Desks, width: int, scheme: str) -> None:
    one = desk(width=width, scheme=scheme)
    page = one.go("/account")
    assert overflow(page) == 0
    assert complaints(page) == []
    if width == PHONE:
        page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Log off").click()
    page.get_by_text("You are logged off.").wait_for()
    assert overflow(page) == 0
    assert complaints(page) == []
