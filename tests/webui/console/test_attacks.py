"""What an attacker tries at the console that the other tests do not: cookies behind a proxy, what the browser keeps,
logins and fields that nobody types, forms of any size and kind, addresses that lead elsewhere."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.store.conftest import NOW
from tests.webui.conftest import PASSWORD, Dialer, Switch
from tests.webui.console.conftest import Visitor
from webui import create_app
from webui.console.pages import MOST_FORM, here
from wombat_ari.app.config import load_settings
from wombat_ari.app.service.throttle import FREE_FAILURES
from wombat_ari.model.entities import CallList
from wombat_ari.store import entities, lists, syslog, users
from wombat_ari.store.database import Database

Visitors = Callable[..., Visitor]
Persons = Callable[..., str]
PROXY, FAR = "127.0.0.1", "192.0.2.7"


def form_token(client: FlaskClient, **told: Any) -> str:
    return client.get("/log-on", **told).text.split('name="csrf_token" value="')[1].split('"')[0]


def try_to_log_on(client: FlaskClient, login: str, password: str, **told: Any) -> TestResponse:
    form = {"csrf_token": form_token(client, **told), "login": login, "password": password}
    return client.post("/log-on", data=form, **told)


@pytest.fixture
def proxied(database: Database, dialer: Dialer, switch: Switch) -> Flask:
    users.create_admin(database, PASSWORD, now=NOW)
    settings = load_settings(environ={"WOMBAT_ARI_CONSOLE_TRUSTED_PROXIES": PROXY})
    return create_app(settings=settings, database=database, ask=dialer, engine=switch)


@pytest.mark.parametrize(
    ("peer", "proto", "secure"),
    [
        (PROXY, "https", True), (PROXY, "HTTPS ", True), (PROXY, "http", False), (PROXY, "", False),
        (PROXY, "http, https", False), (FAR, "https", False),
    ],
)  # fmt: skip
def test_the_cookie_behind_a_proxy_with_tls(proxied: Flask, peer: str, proto: str, secure: bool) -> None:
    """Only a known proxy is believed; a cookie that is called secure without TLS would lock people out."""
    told = {"headers": {"X-Forwarded-For": FAR, "X-Forwarded-Proto": proto}, "environ_overrides": {"REMOTE_ADDR": peer}}
    cookie = proxied.test_client().get("/log-on", **told).headers["Set-Cookie"]
    assert ("Secure" in cookie) is secure
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Domain" not in cookie


def test_addresses_that_a_proxy_tells_are_counted_and_noted_and_cannot_be_made_up(
    proxied: Flask, database: Database
) -> None:
    """What stands before the proxy's own word is what the client sent."""
    answers = []
    for number in range(FREE_FAILURES + 1):
        headers = {"X-Forwarded-For": f"198.51.100.{number}, {FAR}"}
        told = {"headers": headers, "environ_overrides": {"REMOTE_ADDR": PROXY}}
        answers.append(try_to_log_on(proxied.test_client(), "admin", "wrong", **told).status_code)
    assert answers == [401] * FREE_FAILURES + [429]
    assert {entry.detail for entry in syslog.read(database)} == {f"from {FAR}"}
    told = {"headers": {"X-Forwarded-For": "198.51.100.9"}, "environ_overrides": {"REMOTE_ADDR": FAR}}
    assert try_to_log_on(proxied.test_client(), "admin", PASSWORD, **told).status_code == 429, (
        "a stranger's is not read"
    )


@pytest.mark.parametrize("word", ["nonsense", "x" * 3000, "<script>", "\x7f\x01", "é"])
def test_any_address_in_the_headers_is_a_text_and_no_more(proxied: Flask, database: Database, word: str) -> None:
    headers = {"X-Forwarded-For": word, "X-Forwarded-Host": word, "X-Forwarded-Prefix": word, "X-Forwarded-Port": word}
    told = {"headers": headers, "environ_overrides": {"REMOTE_ADDR": PROXY}}
    client = proxied.test_client()
    answer = try_to_log_on(client, "admin", PASSWORD, **told)
    assert (answer.status_code, answer.location) == (303, "/")
    page = client.get("/account", **told)
    assert page.status_code == 200
    assert "<script>" not in page.text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:1", "localhost@evil.example"])
def test_the_host_that_is_asked_for_leads_nowhere(app: Flask, host: str) -> None:
    client = app.test_client()
    for path in ("/account", "/log-on", "/nothing"):
        answer = client.get(path, headers={"Host": host, "X-Forwarded-Host": "evil.example"})
        assert "evil" not in answer.headers.get("Location", "")
        assert "evil" not in answer.text


@pytest.mark.parametrize(
    "address",
    ["//[x", "http://[", "/\x00", "/a\r\nSet-Cookie: x=1", "/\tx", "///evil.example", "/\\/evil.example",
     "javascript:1", "x", "//evil.example/%2f..", "\x00//evil.example", " //evil.example", "https:evil.example"],
)  # fmt: skip
def test_where_a_link_may_lead_after_the_log_on(app: Flask, address: str) -> None:
    assert here(address) == ""
    client = app.test_client()
    form = {"csrf_token": form_token(client), "login": "admin", "password": PASSWORD}
    answer = client.post("/log-on", query_string={"next": address}, data=form)
    assert (answer.status_code, answer.location) == (303, "/")
    assert "x=1" not in str(answer.headers)


def test_a_log_on_in_the_name_of_another_site_is_refused(app: Flask) -> None:
    """Who is logged on as somebody else without noticing would fill in what that one reads."""
    mine, theirs = app.test_client(), app.test_client()
    for token in ("", form_token(theirs)):
        form = {"csrf_token": token, "login": "admin", "password": PASSWORD}
        assert mine.post("/log-on", data=form).status_code == 400
    assert mine.get("/account").status_code == 303


def test_nothing_of_before_the_log_on_stays(app: Flask) -> None:
    """Who plants a cookie in somebody's browser knows neither the session nor what their forms are protected with."""
    client = app.test_client()
    planted = form_token(client)
    with client.session_transaction() as before:
        before["planted"] = "x"
        fixed = dict(before)
    assert try_to_log_on(client, "admin", PASSWORD).status_code == 303
    client.get("/account")
    with client.session_transaction() as after:
        assert "planted" not in after
        assert after["sid"]
        assert after["csrf_token"] != fixed["csrf_token"]
    assert client.post("/account/zone", data={"csrf_token": planted, "time_zone": "UTC"}).status_code == 400
    attacker = app.test_client()
    with attacker.session_transaction() as session:
        session.update(fixed)
    assert attacker.get("/account").status_code == 303


def test_pages_are_kept_by_nobody(app: Flask, visitor: Visitors) -> None:
    """Back after the log-off shows nothing."""
    one = visitor()
    for path in ("/", "/account", "/lists", "/users", "/syslog", "/nothing", "/log-on", "/account?x=1"):
        assert one.get(path).headers["Cache-Control"] == "no-store", path
    assert one.post("/log-off").headers["Cache-Control"] == "no-store"
    answer = one.get("/account")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (303, "no-store")


@pytest.mark.parametrize(
    "path",
    ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "....//app.py", "..\\app.py", "/etc/passwd", "%00", "x\x00.css"],
)  # fmt: skip
def test_files_are_those_of_the_console_only(app: Flask, path: str) -> None:
    answer = app.test_client().get("/static/" + path)
    assert answer.status_code in (303, 404), answer.text
    assert "create_app" not in answer.text
    assert "root:" not in answer.text


@pytest.mark.parametrize(
    "login", ["x" * 100_000, "admin\0", "\0", "admin ", "admin\n", "ADMIN", "é" * 300, "%s", "' OR 1=1 --", ""]
)  # fmt: skip
def test_logins_that_nobody_has(app: Flask, database: Database, login: str) -> None:
    client = app.test_client()
    answer = try_to_log_on(client, login, PASSWORD)
    if login.strip() == "admin":
        assert answer.status_code == 303, "blanks around it are typed by accident"
        return
    assert answer.status_code == 401
    assert "Login or password is wrong." in answer.text
    assert client.get("/account").status_code == 303


@pytest.mark.parametrize("password", ["x" * 100_000, "\0", "wrong\0" + PASSWORD, PASSWORD + "\0", ""])
def test_passwords_that_nobody_has(app: Flask, password: str) -> None:
    assert try_to_log_on(app.test_client(), "admin", password).status_code == 401


@pytest.fixture
def numbers(database: Database) -> int:
    return entities.save_list(database, CallList(None, "Numbers"), by="admin", now=NOW).id or 0


@pytest.mark.parametrize("token", [{}, {"csrf_token": "made-up"}])
def test_a_file_of_another_site_is_not_taken(
    visitor: Visitors, database: Database, numbers: int, token: dict[str, str]
) -> None:
    """Multipart is what another site's form can send without asking."""
    one = visitor()
    form = {"kind": "native", "file": (io.BytesIO(b"5551\n"), "n.txt"), **token}
    assert one.client.post(f"/lists/{numbers}/upload", data=form).status_code == 400
    answer = one.client.post(f"/lists/{numbers}/paste", data='{"numbers": "5551"}', content_type="text/plain")
    assert answer.status_code == 400
    assert lists.count_records(database, numbers) == 0


def test_forms_of_any_size(app: Flask, visitor: Visitors, database: Database, numbers: int) -> None:
    one = visitor()
    token = one.token()

    def post(form: Any, kind: str | None = None) -> tuple[int, bool]:
        answer = one.client.post(f"/lists/{numbers}/paste", data=form, content_type=kind)
        return answer.status_code, "Send long lists of numbers as a file" in answer.text

    large = "5551\n" * (MOST_FORM // 5 + 1)
    many = {f"field{number}": "x" for number in range(2000)}
    assert post({"csrf_token": token, "numbers": large}) == (413, True)
    assert post({"csrf_token": token, "numbers": large}, "multipart/form-data") == (413, True)
    assert post({"csrf_token": token, **many}, "multipart/form-data")[0] == 413
    assert post(b"--x\r\n" + b"y" * 1000, "multipart/form-data; boundary=x")[0] == 400
    assert post(b"csrf_token=%ff%00&numbers=%00", "application/x-www-form-urlencoded")[0] == 400
    assert lists.count_records(database, numbers) == 0
    assert app.test_client().post("/log-on", data={"login": large}).status_code == 413
    assert post({"csrf_token": token, "numbers": "5551\n" * 100_000, "dedupe": "1"})[0] == 303
    assert lists.count_records(database, numbers) == 1


@pytest.mark.parametrize("text", ["\0", "5551\0", "5551,A:\0", "\ud800", "5551,A-B:\x1b[2J"])
def test_characters_that_no_number_has(visitor: Visitors, database: Database, numbers: int, text: str) -> None:
    one = visitor()
    answer = one.post(f"/lists/{numbers}/paste", numbers=text.encode("utf-8", "replace"))
    assert answer.status_code in (303, 400)
    assert lists.count_records(database, numbers) == 0
    for path in ("/lists", "/users", "/syslog", f"/lists/{numbers}/records"):
        assert one.get(path, q="\0").status_code == 200, path
        assert one.get(path, page="9" * 30).status_code in (200, 400, 404), path


def test_who_gets_other_keys_has_them_at_once(visitor: Visitors, person: Persons, database: Database) -> None:
    bob = visitor(person("bob", "LISTS"))
    assert bob.get("/lists").status_code == 200
    user = users.load_user(database, "bob")
    users.save_user(database, replace(user, own_keys=("USER", "SYSLOG")), by="admin", now=NOW)
    assert bob.get("/lists").status_code == 403
    assert bob.get("/syslog").status_code == 200


@pytest.mark.parametrize(
    "text", ["' OR 1=1 --", '"; DROP TABLE user; --', "%' OR ''='", "\\", "id) UNION SELECT 1 --", "%s"]
)
def test_what_is_searched_and_sorted_by_is_no_sql(
    visitor: Visitors, database: Database, numbers: int, text: str
) -> None:
    one = visitor()
    one.post(f"/lists/{numbers}/paste", numbers="5551\n5552")
    paths = ("/lists", "/users", "/classes", "/campaigns", f"/lists/{numbers}/records", "/reports", "/outbox", "/jobs")
    for path in paths:
        for name in ("q", "sort", "page", "from", "to", "campaign", "number", "receiver", "down"):
            answer = one.get(path, **{name: text})
            assert answer.status_code in (200, 400, 404), (path, name)
    assert "5551" not in one.get(f"/lists/{numbers}/records", q=text).text
    assert "Numbers" not in re.sub("<title>.*?</title>", "", one.get("/lists", q=text).text)
    for name in ("login", "text", "action", "from"):
        assert one.get("/syslog", **{name: text}).status_code in (200, 400), name
    assert one.get("/account").status_code == 200
    assert lists.count_records(database, numbers) == 2
