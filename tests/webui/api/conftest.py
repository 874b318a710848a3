"""The JSON API asked by Flask's test client as different people, on a real database."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.store.conftest import NOW
from tests.webui.conftest import PASSWORD, Dialer
from wombat_ari.model.admin import User
from wombat_ari.model.errors import UserError
from wombat_ari.store import users
from wombat_ari.store.database import Database

PREFIX = "/api/v1"


def basic(login: str, password: str = PASSWORD) -> str:
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()


class Rest:
    """One person's view of the JSON API. ``ok`` and ``refused`` fail the test when it is otherwise."""

    def __init__(self, client: FlaskClient, authorization: str) -> None:
        self.client = client
        self.authorization = authorization

    def ask(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **options: Any
    ) -> TestResponse:
        given = {"Authorization": self.authorization, **(headers or {})}
        if body is not None:
            options["json"] = body
        return self.client.open(
            PREFIX + path, method=method, headers=given, environ_overrides={"REMOTE_ADDR": "192.0.2.7"}, **options
        )

    def ok(self, method: str, path: str, body: Any = None, *, status: int = 200, **options: Any) -> Any:
        answer = self.ask(method, path, body, **options)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.get_data(as_text=True)}"
        return answer.json if answer.data else None

    def refused(self, status: int, method: str, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        answer = self.ask(method, path, body, **options)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.get_data(as_text=True)}"
        assert answer.mimetype == "application/problem+json"
        problem: Any = answer.json
        assert problem["status"] == status
        assert problem["type"] == f"urn:wombat-ari:problem:{problem['code']}"
        assert problem["detail"]
        return dict(problem)


class Absent(Dialer):
    """Whatever it is asked, no dialer runs; a test may say otherwise of single commands."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*args: Any, **options: Any) -> Any:
            raise UserError("the dialer is not running", code="dialer-down")

        return ask


@pytest.fixture
def dialer() -> Absent:
    return Absent()


@pytest.fixture
def rest(client: FlaskClient) -> Rest:
    """The administrator's."""
    return Rest(client, basic("admin"))


@pytest.fixture
def rest_of(client: FlaskClient, database: Database) -> Callable[..., Rest]:
    """The API as a new user with these keys sees it."""

    def make(login: str, *keys: str) -> Rest:
        user = users.save_user(database, User(None, login, own_keys=("USER", *keys)), by="admin", now=NOW)
        users.set_password(database, user.id or 0, password=PASSWORD, by="admin", now=NOW)
        return Rest(client, basic(login))

    return make
