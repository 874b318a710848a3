"""The application on a real database of each kind, asked by Flask's test client as different people."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.app.service.conftest import database, migrated  # noqa: F401 - fixtures
from tests.store.conftest import NOW
from webui import create_app
from wombat_ari.app.config import Settings, load_settings
from wombat_ari.model.admin import User
from wombat_ari.model.errors import UserError
from wombat_ari.model.live import CallsWanted
from wombat_ari.store import engines, users
from wombat_ari.store.database import Database


class Compiled(BytecodeCache):
    """Templates that an application of an earlier test has compiled: each test makes its own application."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self.kept.get(bucket.key, ("", b""))
        if checksum == bucket.checksum:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.checksum, bucket.bytecode_to_string()


Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": Compiled()}


def _compiled_once(compile_builder: Callable[..., Any]) -> Callable[..., Any]:
    """The same of the functions that make addresses: werkzeug compiles two for each of hundreds of rules."""
    kept: dict[Hashable, Any] = {}

    def builder(rule: Any, append_unknown: bool = True) -> Any:
        if rule.defaults:  # a default's text is compiled in
            return compile_builder(rule, append_unknown)
        key = (rule.rule, tuple(rule._trace), append_unknown)
        if key not in kept:
            kept[key] = compile_builder(rule, append_unknown)
        return kept[key]

    return builder


Rule._compile_builder = _compiled_once(Rule._compile_builder)  # type: ignore[method-assign]

PASSWORD = "correct horse"
PREFIX = "/wombat/api"


class Dialer:
    """Answers a snapshot, or that no dialer runs."""

    def __init__(self) -> None:
        self.picture: dict[str, Any] | None = None

    def snapshot(self, *, calls: bool = True) -> dict[str, Any]:
        if self.picture is None:
            raise UserError("the dialer is not running", code="dialer-down")
        return self.picture

    def numbers_came(self, name: str) -> None:
        if self.picture is None:
            raise UserError("the dialer is not running", code="dialer-down")

    def retry_errands(self, receiver: str = "") -> None:
        if self.picture is None:
            raise UserError("the dialer is not running", code="dialer-down")

    def live_calls(self, wanted: CallsWanted) -> dict[str, Any]:
        """All of them on one page."""
        calls = [call for call in self.snapshot()["calls"] if call["id"] > wanted.after]
        return {"calls": calls, "total": len(calls), "skip": 0, "now": NOW}

    def call_info(self, wombatid: int) -> dict[str, Any]:
        raise UserError("the dialer is not running", code="dialer-down")


class Switch:
    """The dialer's switch."""

    def __init__(self) -> None:
        self.running = False
        self.done: list[str] = []

    def start(self) -> None:
        self.running = True
        self.done.append("start")

    def stop(self) -> None:
        self.running = False
        self.done.append("stop")


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    users._nobody.cache_clear()


@pytest.fixture(autouse=True)
def _no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engines._PRAGMAS, "synchronous", "off")


@pytest.fixture(autouse=True)
def _no_reactor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that ask on the reactor are told that there is none: another file's tests may have left one that stands
    still in this process, and they would wait for it."""

    def none() -> None:
        raise UserError("this process has no network: it is asked in `wombat-ari serve`", code="no-reactor")

    monkeypatch.setattr("wombat_ari.app.threads._running", none)


@pytest.fixture
def settings() -> Settings:
    return load_settings(environ={"WOMBAT_ARI_DIALER_TIME_ZONE": "Europe/Rome"})


@pytest.fixture
def dialer() -> Dialer:
    return Dialer()


@pytest.fixture
def switch() -> Switch:
    return Switch()


@pytest.fixture
def client(database: Database, settings: Settings, dialer: Dialer, switch: Switch) -> Iterator[FlaskClient]:  # noqa: F811
    users.create_admin(database, PASSWORD, now=NOW)
    app = create_app(settings=settings, database=database, ask=dialer, engine=switch)
    with app.test_client() as client:
        yield client


class Api:
    """One person's view of the compatible API."""

    def __init__(
        self, client: FlaskClient, login: str = "admin", *, address: str = "192.0.2.7", **headers: str
    ) -> None:
        self.client = client
        self.headers = dict(headers)
        if login:
            credentials = base64.b64encode(f"{login}:{PASSWORD}".encode()).decode()
            self.headers.setdefault("Authorization", f"Basic {credentials}")
        self.environ = {"REMOTE_ADDR": address}

    def get(self, path: str, **params: Any) -> TestResponse:
        return self.client.get(
            f"{PREFIX}/{path}", query_string=params, headers=self.headers, environ_overrides=self.environ
        )

    def post(self, path: str, form: dict[str, Any] | None = None, **params: Any) -> TestResponse:
        return self.client.post(
            f"{PREFIX}/{path}", query_string=params, data=form or {}, headers=self.headers,
            environ_overrides=self.environ,
        )  # fmt: skip

    def edit(self, path: str, mode: str = "L", data: Any = None, **params: Any) -> list[dict[str, Any]]:
        """The results; any error fails the test."""
        form = {} if data is None else {"data": json.dumps(data)}
        answer = self.post(f"edit/{path}/", form, mode=mode, **params)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        assert answer.json is not None
        assert (answer.json["status"], answer.json["error"]) == ("OK", "")
        return list(answer.json["results"])

    def refused(self, path: str, mode: str = "L", data: Any = None, **params: Any) -> tuple[int, str]:
        """Status and words of a refusal."""
        form = {} if data is None else {"data": json.dumps(data)}
        answer = self.post(f"edit/{path}/", form, mode=mode, **params)
        assert answer.json is not None, answer.get_data(as_text=True)
        assert answer.json["status"] == "ERROR", answer.json
        assert answer.json["results"] == []
        return answer.status_code, str(answer.json["error"])


@pytest.fixture
def api(client: FlaskClient) -> Api:
    """The administrator's."""
    return Api(client)


@pytest.fixture
def api_of(client: FlaskClient, database: Database) -> Callable[..., Api]:  # noqa: F811
    """The API as a new user with these keys sees it."""

    def make(login: str, *keys: str) -> Api:
        user = users.save_user(database, User(None, login, own_keys=("USER", *keys)), by="admin", now=NOW)
        users.set_password(database, user.id or 0, password=PASSWORD, by="admin", now=NOW)
        return Api(client, login)

    return make
