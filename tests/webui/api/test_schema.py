"""The OpenAPI document: valid, complete, and true: schemathesis tries all operations against a real database.

A few examples each by default; more with, for example, ``API_EXAMPLES=300 pytest tests/webui/api/test_schema.py``.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import validate
from schemathesis.checks import CHECKS
from schemathesis.generation import GenerationMode

from tests.webui.api.conftest import Rest, basic
from tests.webui.api.test_configuration import campaign_of, site
from tests.webui.api.test_work import errand, put
from tests.webui.conftest import Dialer
from tests.webui.test_live_and_reports import dialled
from webui.api import ROUTES, openapi
from wombat_ari.app.service.throttle import Throttle
from wombat_ari.model.errors import UserError
from wombat_ari.store.database import Database

#: ``/events`` is an answer without end, of the reactor only (tests/webui/test_events.py); the document is not in itself
ELSEWHERE = ("/events", "/openapi.json")
#: answered with 409 or 404 here; tests/system/test_api_v1.py holds what a real dialer answers against the document
NEED_A_LIVE_RUN = {
    "POST /runs", "POST /calls", "POST /calls/batch",
    *(f"POST /runs/{{run_id}}/{act}" for act in ("pause", "resume", "remove", "reload", "boost", "lists")),
    "PUT /runs/{run_id}/lists", *(f"POST /runs/{{run_id}}/lists/{{list_id}}/{act}" for act in ("pause", "resume")),
    *(f"POST /calls/{{wombatid}}/{act}" for act in ("status", "attributes", "hang-up")), "GET /calls/{wombatid}",
    *(f"POST /preview/{{wombatid}}/{act}" for act in ("dial", "skip")),
}  # fmt: skip
LINKS: dict[str, Any] = {"trunk_ids": [], "end_point_ids": [], "opening_hours_ids": [], "lists": [], "dispositions": []}
EXAMPLES = int(os.environ.get("API_EXAMPLES", "3"))
#: Values that fit the schema may be refused with 422: core/validate knows more than a schema can say.
TAKEN = {"checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 401, 403, 404, 409, 412, 422, 429]}}}


def test_the_document_is_valid_and_complete() -> None:
    document = openapi.document()
    validate(document)
    assert document["openapi"] == "3.1.0"
    told = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    assert told == {(route.method, route.path) for route in ROUTES}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert len(operation["summary"]) <= 120
            assert "Needs the key" in operation["description"]


class Ready(Dialer):
    """A dialer that is READY, with one live call and no live run that could be acted on."""

    def snapshot(self, *, calls: bool = True) -> dict[str, Any]:
        call = {
            "id": 7, "number": "5551", "campaign": "spring", "list": "numbers", "state": "CONNECTED", "retry": 0,
            "originated_at": 1.0, "answered_at": 2.5, "trunk": "trunk", "end_point": "desk", "extended_status": "",
            "agent": "", "unseen": False,
        }  # fmt: skip
        nothing: dict[str, Any] = {"runs": [], "pbxs": [], "trunks": [], "end_points": [], "outbox": {"receivers": []}}
        return {"state": "READY", "now": 9.0, "up_since": 1.0, "version": "1", "calls": [call], **nothing}

    def call_info(self, wombatid: int) -> dict[str, Any]:
        raise UserError(f"no call has the WOMBATID {wombatid}", code="no-call")

    def reserve(self, agent: str, *, line: Any = None) -> dict[str, Any]:
        return {"id": 7, "number": "5551", "attributes": {"NAME": "Ann"}}

    def numbers_came(self, name: str) -> None:
        pass

    def retry_errands(self, receiver: str = "") -> None:
        pass

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*args: Any, **options: Any) -> Any:
            raise UserError("there is no live run", code="no-run")

        return ask


@pytest.fixture
def dialer() -> Ready:
    return Ready()


@pytest.fixture
def api_schema(client: FlaskClient, rest: Rest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Of an installation where ids of 1 are there."""
    monkeypatch.setattr(Throttle, "wait_s", lambda *_, **__: 0.0)  # wrong credentials are tried on purpose
    ids = site(rest)
    rest.ok("POST", "/campaigns", campaign_of(ids), status=201)
    rest.ok("POST", "/lists/1/records", {"number": "5551"}, status=201)
    rest.ok("POST", "/tokens", {"name": "t", "scopes": ["READ"]}, status=201)
    headers = {"Authorization": basic("admin")}
    return schemathesis.openapi.from_wsgi(
        "/api/v1/openapi.json", client.application, headers=headers, config=schemathesis.Config.from_dict(TAKEN)
    )


@pytest.fixture
def there(rest: Rest, database: Database) -> Callable[[Any], None]:
    """Makes a case be about what is there, in its path and in its body; what it would delete or spoil is made anew."""
    run = dialled(database)
    put(database, errand("crm"), errand("crm"))
    calls = rest.ok("GET", f"/reports/attempts?run={run}&limit=1")["items"]
    imported = rest.ok("POST", "/lists/1/imports", data="5552", headers={"Content-Type": "text/plain"})["id"]
    serial = itertools.count(1)
    new: dict[str, Callable[[], tuple[str, Any]]] = {
        "list_id": lambda: ("/lists", {"name": f"list {next(serial)}"}),
        "user_id": lambda: ("/users", {"login": f"user{next(serial)}", "class_id": 4}),
        "class_id": lambda: ("/classes", {"name": f"class {next(serial)}"}),
        "token_id": lambda: ("/tokens", {"name": "t", "scopes": ["READ"]}),
        "trunk_id": lambda: ("/trunks", {"server_id": 1, "name": f"trunk {next(serial)}", "dial_string": "SIP/${num}"}),
        "server_id": lambda: ("/servers", {"description": f"pbx {next(serial)}", "login": "x", "password": "x"}),
        "end_point_id": lambda: (
            "/end-points",
            {"server_id": 1, "type": "PHONE", "name": f"desk {next(serial)}", "extension": "1", "context": "x"},
        ),
        "campaign_id": lambda: ("/campaigns", {"name": f"campaign {next(serial)}"}),
        "opening_hours_id": lambda: ("/opening-hours", {"name": f"hours {next(serial)}"}),
    }
    always: dict[str, Any] = {
        "run_id": run, "record_id": 1, "wombatid": calls[0]["wombatid"], "errand_id": 1, "import_id": imported
    }  # fmt: skip

    def about_what_is_there(case: Any) -> None:
        for name in case.path_parameters:
            if name in always:
                case.path_parameters[name] = always[name]
            elif name in new:
                case.path_parameters[name] = rest.ok("POST", *new[name](), status=201)["id"]
        if "run" in (case.query or {}):
            case.query["run"] = [run]
        case.headers.pop("If-Match", None)
        if isinstance(case.body, dict):
            names = ("name", "login", "description")
            case.body.update({name: f"n{next(serial)}" for name in names if name in case.body})
            known = {
                "server_id": 1, "class_id": 4, "campaign": "spring", "list": "numbers", "number": "5551",
                "dial_string": "SIP/${num}", **LINKS,
            }  # fmt: skip
            case.body.update({name: value for name, value in known.items() if name in case.body})
            if case.path.startswith("/outbox/"):
                case.body = {"all": True}
        elif case.method == "POST" and case.media_type == "text/csv":
            case.body = "NUMBER;NAME\n5551;Ann\n"

    return about_what_is_there


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_operation_does_as_it_says(
    api_schema: Any, there: Callable[[Any], None], mode: GenerationMode
) -> None:  # fmt: skip
    """What fits is tried as it comes (mostly of what is not there), and of what is there."""
    wrong, answered = [], Counter[str]()
    for found in api_schema.get_all_operations():
        operation = found.ok()
        if operation.path in ELSEWHERE:
            continue
        is_file = any(route.file and operation.label == f"{route.method} {route.path}" for route in ROUTES)
        names = ("negative_data_rejection",) if is_file else ()  # no file violates "is a text"
        excluded = [check for check in CHECKS.get_all() if check.__name__ in names]
        positive = mode is GenerationMode.POSITIVE
        for known, examples in ((False, 1), (True, EXAMPLES - 1)) if positive else ((False, EXAMPLES),):

            @settings(
                max_examples=examples, deadline=None, database=None, derandomize=EXAMPLES < 10, print_blob=False,
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(case=operation.as_strategy(generation_mode=mode))
            def try_it(excluded: Any, known: bool, case: Any) -> None:
                if known:
                    there(case)
                told = case.call_and_validate(headers={"Authorization": basic("admin")}, excluded_checks=excluded)
                answered[case.operation.label] += told.status_code < 400

            try:
                try_it(excluded, known)
            except Unsatisfiable:
                continue  # nothing that it takes could be wrong
            except BaseExceptionGroup as failures:
                wrong += [f"{operation.label}: {failure}" for failure in failures.exceptions]
    assert not wrong, "\n\n".join(wrong)
    if mode is GenerationMode.POSITIVE:
        tried = {f"{route.method} {route.path}" for route in ROUTES if route.path not in ELSEWHERE}
        assert set(answered) == tried
        assert {label for label in answered if not answered[label]} == NEED_A_LIVE_RUN


@pytest.mark.parametrize("path", ["", "/"])
def test_the_prefix_alone_leads_to_the_page(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/api/v1{path}")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/api/v1/docs")


@pytest.mark.parametrize("path", ["//lists", "/lists//1", "//", "/nothing"])
def test_what_is_no_address_is_a_problem_and_no_redirection(rest: Rest, path: str) -> None:
    assert rest.refused(404, "GET", path)["code"] == "missing"


def test_events_are_in_the_document(rest: Rest) -> None:
    """What this test's server cannot tell; the reactor does, see tests/webui/test_events.py."""
    told = rest.ok("GET", "/openapi.json")["paths"]["/events"]["get"]
    assert list(told["responses"]["200"]["content"]) == ["text/event-stream"]
    assert {each["name"] for each in told["parameters"]} == {"only", "last_event_id"}
    rest.refused(503, "GET", "/events")
