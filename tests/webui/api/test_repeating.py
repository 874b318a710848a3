"""``Idempotency-Key``: what was asked once is done once, and answered the same."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.app.service.conftest import BOTH
from tests.webui.api.conftest import Rest
from webui.api import problems
from wombat_ari.app.control import Unanswered
from wombat_ari.app.service import repeats as service
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.store import repeats
from wombat_ari.store.database import Database

KEY = {"Idempotency-Key": "order-4711"}


@BOTH
def test_the_same_request_is_done_once_and_answered_the_same(rest: Rest) -> None:
    first = rest.ask("POST", "/lists", {"name": "a"}, headers=KEY)
    again = rest.ask("POST", "/lists", {"name": "a"}, headers=KEY)
    assert first.status_code == again.status_code == 201
    assert first.data == again.data
    assert [again.headers[name] for name in ("ETag", "Location")] == [
        first.headers[name] for name in ("ETag", "Location")
    ]
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert len(rest.ok("GET", "/lists")["items"]) == 1
    assert rest.refused(422, "POST", "/lists", {"name": "b"}, headers=KEY)["code"] == "key-reused"
    assert rest.refused(422, "POST", "/classes", {"name": "a"}, headers=KEY)["code"] == "key-reused"


def test_keys_are_one_s_own(rest: Rest, client: FlaskClient, rest_of: Any) -> None:
    rest.ok("POST", "/lists", {"name": "a"}, status=201, headers=KEY)
    assert rest_of("carol", "LISTS").ok("POST", "/lists", {"name": "b"}, status=201, headers=KEY)["name"] == "b"


def test_what_was_refused_may_be_asked_again(rest: Rest) -> None:
    rest.ok("POST", "/lists", {"name": "a"}, status=201)
    rest.refused(409, "POST", "/lists", {"name": "a"}, headers=KEY)
    rest.ok("PATCH", "/lists/1", {"name": "b"})
    rest.ok("POST", "/lists", {"name": "a"}, status=201, headers=KEY)


@pytest.mark.parametrize("refusal", [Unanswered("no answer"), UserError("x", code="dialer-store"), ZeroDivisionError()])
def test_what_may_have_been_done_is_not_done_again(rest: Rest, dialer: Any, refusal: Exception) -> None:
    asked = []

    def reserve(agent: str, *, line: Any) -> Any:
        asked.append(agent)
        raise refusal

    dialer.reserve = reserve
    answers = [rest.ask("POST", "/preview/reserve", {"agent": "SIP/1"}, headers=KEY) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {500 if isinstance(refusal, ZeroDivisionError) else 503}
    assert (answers[0].data, len(asked)) == (answers[1].data, 1)


def test_nothing_was_asked_of_a_dialer_that_does_not_run(rest: Rest, dialer: Any) -> None:
    def down(agent: str, *, line: Any) -> Any:
        raise UserError("the dialer is not running", code="dialer-down")

    dialer.reserve = down
    rest.refused(503, "POST", "/preview/reserve", {"agent": "SIP/1"}, headers=KEY)
    dialer.reserve = lambda agent, line: {"id": 7, "number": "5551", "attributes": {}}
    assert rest.ok("POST", "/preview/reserve", {"agent": "SIP/1"}, headers=KEY)["wombatid"] == 7


def test_while_it_is_being_done_it_is_in_progress(rest: Rest, dialer: Any) -> None:
    came, go = threading.Event(), threading.Event()

    def reserve(agent: str, *, line: Any) -> Any:
        came.set()
        assert go.wait(20)
        return {"id": 7, "number": "5551", "attributes": {}}

    dialer.reserve = reserve
    other = Rest(rest.client.application.test_client(), rest.authorization)
    found: list[Any] = []
    thread = threading.Thread(
        target=lambda: found.append(other.ok("POST", "/preview/reserve", {"agent": "A"}, headers=KEY))
    )
    thread.start()
    assert came.wait(20)
    assert rest.refused(409, "POST", "/preview/reserve", {"agent": "A"}, headers=KEY)["code"] == "in-progress"
    go.set()
    thread.join(20)
    assert found == [rest.ok("POST", "/preview/reserve", {"agent": "A"}, headers=KEY)]


def test_an_import_is_made_once(rest: Rest) -> None:
    rest.ok("POST", "/lists", {"name": "a"}, status=201)
    common: Any = {"data": b"5551\n5552\n", "content_type": "text/plain", "headers": KEY}
    first, again = (rest.ok("POST", "/lists/1/imports", **common) for _ in range(2))
    assert (first, first["added"]) == (again, 2)
    assert rest.ok("GET", "/lists/1/records")["total"] == 2
    other = {**common, "data": b"5551\n5553\n"}
    assert rest.refused(422, "POST", "/lists/1/imports", **other)["code"] == "key-reused"


@pytest.mark.parametrize(("method", "path", "key"), [("POST", "/lists", "ä"), ("POST", "/lists", "a" * 201)])
def test_keys_that_cannot_be(rest: Rest, method: str, path: str, key: str) -> None:
    assert rest.refused(400, method, path, {"name": "a"}, headers={"Idempotency-Key": key})["code"] == "bad-header"


def test_they_are_kept_for_a_day(database: Database) -> None:
    kept = {"request_hash": "h", "kept_s": service.KEPT_S}
    assert repeats.begin(database, "a", "k", now=1000.0, **kept) is None
    repeats.finish(database, "a", "k", status=201, answer="{}")
    known = repeats.begin(database, "a", "k", now=1000.0 + service.KEPT_S, **kept)
    assert known is not None
    assert known.status == 201
    assert repeats.begin(database, "a", "k", now=1001.0 + service.KEPT_S, **kept) is None
    assert repeats.prune(database, before=1000.0) == 0
    assert repeats.prune(database, before=1e9) == 1


def test_what_is_old_goes(rest: Rest, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    repeats.begin(database, "long", "gone", request_hash="h", now=1000.0, kept_s=1e12)
    monkeypatch.setattr(service, "_pruned", {})
    rest.ok("POST", "/lists", {"name": "a"}, status=201, headers=KEY)
    with database.transaction(write=False) as tx:
        assert tx.rows("SELECT login, idempotency_key FROM idempotency_key") == [("admin", "order-4711")]


def test_no_secret_is_kept(rest: Rest, database: Database) -> None:
    body = {"description": "pbx", "password": "amp111"}
    rest.ok("POST", "/servers", body, status=201, headers=KEY)
    rest.ok("POST", "/servers", {**body, "password": "other"}, status=201, headers=KEY)
    with database.transaction(write=False) as tx:
        assert "amp111" not in tx.value("SELECT answer FROM idempotency_key")


def test_what_the_store_refuses_at_the_last_moment_is_told_as_what_it_is() -> None:
    """Two who take one name at once meet in the database."""
    told = [problems.problem_of(StoreError("x", code=code)) for code in ("store_duplicate", "store_data", "store_away")]
    assert [(each.status, each.code) for each in told] == [(409, "name_taken"), (422, "invalid"), (503, "store_away")]


@BOTH
def test_two_at_once_make_one(rest: Rest, client: FlaskClient) -> None:
    answers: list[int] = []

    def ask(headers: dict[str, str]) -> None:
        mine = Rest(client.application.test_client(), rest.authorization)
        answers.append(mine.ask("POST", "/lists", {"name": "a"}, headers=headers).status_code)

    rest.ok("GET", "/lists")  # the password is known from here on
    for headers, others in ((KEY, {201, 409}), ({}, {409})):
        answers.clear()
        threads = [threading.Thread(target=ask, args=(headers,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(answers) == 6
        assert set(answers) <= others
    assert len(rest.ok("GET", "/lists")["items"]) == 1
