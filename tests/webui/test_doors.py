"""Who may call: Basic, token, trusted address, proxies, browsers; and the headers of every answer."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient

from tests.app.service.conftest import BOTH
from tests.store.conftest import NOW
from tests.webui.conftest import PASSWORD, Api, Dialer, Switch
from webui import create_app
from wombat_ari.app.config import load_settings
from wombat_ari.app.service.throttle import FREE_FAILURES
from wombat_ari.model.tokens import Scope
from wombat_ari.store import tokens, users
from wombat_ari.store.database import Database

FAR = "192.0.2.7"


def basic(login: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()


@BOTH
def test_a_log_on_is_asked_for(client: FlaskClient) -> None:
    answer = Api(client, "").get("edit/list")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert answer.json["status"] == "ERROR"
    assert Api(client).get("edit/list").status_code == 200
    for header in (
        basic("admin", "wrong"), basic("nobody", PASSWORD), basic("", ""), "Basic !!!", "Basic", "Digest x=1",
        "Bearer", "Bearer wbt_x", "Bearer " + "x" * 9000,
    ):  # fmt: skip
        answer = Api(client, "", Authorization=header).get("edit/list")
        assert answer.status_code == 401, header
        assert (
            "wrong" in answer.json["error"]
            or "Authorization" in answer.json["error"]
            or "token" in answer.json["error"]
        )


def test_a_wrong_password_is_not_told_from_an_unknown_login(client: FlaskClient) -> None:
    words = {
        Api(client, "", Authorization=basic(login, "x")).get("edit/list").json["error"] for login in ("admin", "y")
    }
    assert words == {"login or password is wrong"}


def test_guessing_is_slowed_down(client: FlaskClient) -> None:
    for _ in range(FREE_FAILURES):
        assert Api(client, "", Authorization=basic("admin", "x")).get("edit/list").status_code == 401
    answer = Api(client, "", Authorization=basic("admin", PASSWORD)).get("edit/list")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert Api(client, address="192.0.2.8").get("edit/list").status_code == 200, "from elsewhere all is well"


@BOTH
def test_a_token_and_its_scopes(client: FlaskClient, database: Database) -> None:
    admin = users.load_user(database, "admin").id or 0
    common = {"by": "admin", "now": NOW}
    made, text = tokens.make_token(database, admin, name="reader", scopes=[Scope.READ], **common)
    reader = Api(client, "", Authorization=f"Bearer {text}")
    assert reader.edit("list") == []
    status, words = reader.refused("list", "E", {"name": "x"})
    assert (status, "scope CONFIGURE" in words) == (403, True)
    assert reader.get("engine", op="START").status_code == 403
    _, text = tokens.make_token(database, admin, name="writer", scopes=[Scope.CONFIGURE], **common)
    assert Api(client, "", Authorization=f"Bearer {text}").edit("list", "E", {"name": "x"})
    tokens.revoke_token(database, made.id, **common)
    assert reader.get("edit/list").status_code == 401


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_a_trusted_address_may_control_without_a_log_on(client: FlaskClient, address: str) -> None:
    here = Api(client, "", address=address)
    assert here.get("sysup").json["status"] == "WBTUP"
    for path in ("edit/list", "edit/campaign", "live/runs", "reports/runs", "engine", "callinfo"):
        assert here.get(path).status_code == 401, path
    assert Api(client, "").get("sysup").status_code == 401
    wrong = Api(client, "", address=address, Authorization=basic("admin", "x"))
    assert wrong.get("sysup").status_code == 401, "wrong credentials are not overlooked"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"}, {"X-Forwarded-For": FAR}, {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"}, {"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"}, {"Accept-Language": "en", "Host": "rebound.example:8080"},
    ],
)  # fmt: skip
def test_what_a_proxy_or_a_browser_sends_is_not_trusted(client: FlaskClient, headers: dict[str, str]) -> None:
    assert Api(client, "", address="127.0.0.1", **headers).get("sysup").status_code == 401
    assert Api(client, address="127.0.0.1", **headers).get("sysup").status_code == 200, "but with a log-on it is"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"}, {"Referer": "http://evil.example/localhost"},
    ],
)  # fmt: skip
def test_pages_of_other_sites_are_refused(client: FlaskClient, headers: dict[str, str]) -> None:
    """A browser that has logged on sends its credentials with whatever another page asks of it."""
    assert (
        Api(client, address="127.0.0.1", **headers).get("edit/list", mode="E", data='{"name":"x"}').status_code == 403
    )
    assert Api(client).edit("list") == []
    own = Api(client, Origin="http://localhost", Referer="http://localhost/page", **{"Sec-Fetch-Site": "same-origin"})
    assert own.edit("list") == []


@pytest.fixture
def behind_proxies(database: Database, dialer: Dialer, switch: Switch) -> Iterator[FlaskClient]:
    users.create_admin(database, PASSWORD, now=NOW)
    environ = {
        "WOMBAT_ARI_CONSOLE_TRUSTED_PROXIES": "127.0.0.1, 10.1.0.0/16",
        "WOMBAT_ARI_API_OPEN_TO": "10.0.0.5, 2001:db8::/32",
        "WOMBAT_ARI_API_PREFIX": "/other/api",
    }
    app = create_app(settings=load_settings(environ=environ), database=database, ask=dialer, engine=switch)
    with app.test_client() as client:
        yield client


@pytest.mark.parametrize(
    ("peer", "forwarded", "status"),
    [
        ("10.0.0.5", "", 200), ("10.0.0.6", "", 401), ("127.0.0.1", "", 401), ("2001:db8::7", "", 200),
        ("127.0.0.1", "10.0.0.5", 200), ("127.0.0.1", "10.0.0.6", 401), ("127.0.0.1", "10.0.0.5, 10.1.2.3", 200),
        ("127.0.0.1", "10.0.0.5, 192.0.2.1", 401), ("192.0.2.1", "10.0.0.5", 401), ("10.0.0.5", "10.0.0.5", 401),
        ("127.0.0.1", "nonsense", 401), ("127.0.0.1", "10.1.2.3", 401),
    ],
)  # fmt: skip
def test_addresses_behind_proxies(behind_proxies: FlaskClient, peer: str, forwarded: str, status: int) -> None:
    """The last address that is not a proxy of ours counts: those before it anybody may have written."""
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    answer = behind_proxies.get("/other/api/sysup", headers=headers, environ_overrides={"REMOTE_ADDR": peer})
    assert answer.status_code == status
    assert behind_proxies.get("/wombat/api/sysup").status_code == 404


def test_whether_it_is_well_is_told_on_this_machine(client: FlaskClient) -> None:
    assert client.get("/healthz", environ_overrides={"REMOTE_ADDR": FAR}).status_code == 403
    assert client.get("/healthz", headers={"X-Forwarded-For": FAR}).status_code == 403
    assert client.get("/healthz").status_code in (200, 503)


def test_every_answer_has_the_strict_headers(client: FlaskClient, api: Api) -> None:
    answers = [
        api.get("edit/list"), api.get("edit/nothing"), api.get("edit/list", mode="X"), Api(client, "").get("edit/list"),
        api.get("addkey"), api.get("sysup"), client.get("/"), client.get("/nothing"),
        client.put("/wombat/api/edit/list"),
    ]  # fmt: skip
    for answer in answers:
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_mistake_of_ours_is_an_error_in_the_envelope(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("secret detail")

    monkeypatch.setattr("wombat_ari.store.entities.list_lists", broken)
    answer = api.get("edit/list")
    assert answer.status_code == 500
    assert answer.json["status"] == "ERROR"
    assert "secret" not in answer.get_data(as_text=True)


def test_a_database_that_is_away(api: Api, database: Database, api_of: Callable[..., Api]) -> None:
    assert api.get("sysup").status_code == 200
    with database.transaction() as tx:
        tx.run("ALTER TABLE schema_version RENAME TO away")
    answer = api.get("sysup")
    assert answer.status_code == 503
    assert "WBTUP" not in answer.get_data(as_text=True)
