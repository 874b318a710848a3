"""Resources round trip: made, read, listed, replaced, changed in part, deleted; versions, names, secrets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.app.service.conftest import BOTH
from tests.webui.api.conftest import Rest
from wombat_ari.store import entities
from wombat_ari.store.database import Database

SERVER = {"description": "pbx", "address": "192.0.2.1", "login": "wombat", "password": "amp111"}


def make(rest: Rest, path: str, body: dict[str, Any]) -> dict[str, Any]:
    return dict(rest.ok("POST", path, body, status=201))


def site(rest: Rest) -> dict[str, int]:
    """One of each, and their ids."""
    server = make(rest, "/servers", SERVER)["id"]
    trunk = {"server_id": server, "name": "trunk", "dial_string": "PJSIP/${num}@carrier", "capacity": 5}
    phone = {"server_id": server, "type": "PHONE", "name": "desk", "extension": "100", "context": "default"}
    hours = {"name": "office", "rules": [{"open": False, "from_date": "12-25", "to_date": "12-26"}]}
    return {
        "server": server,
        "trunk": make(rest, "/trunks", trunk)["id"],
        "end_point": make(rest, "/end-points", phone)["id"],
        "list": make(rest, "/lists", {"name": "numbers"})["id"],
        "black": make(rest, "/lists", {"name": "never"})["id"],
        "hours": make(rest, "/opening-hours", hours)["id"],
    }


def campaign_of(ids: dict[str, int]) -> dict[str, Any]:
    return {
        "name": "spring",
        "notify_secret": "hush",
        "active_period": {"start_s": 32400, "end_s": 64800, "days": "23456", "zone": "Europe/Rome"},
        "trunk_ids": [ids["trunk"]],
        "end_point_ids": [ids["end_point"]],
        "lists": [{"list_id": ids["list"], "use": "NORMAL"}, {"list_id": ids["black"], "use": "BLACK"}],
        "rules": [{"status": "RS_BUSY", "max_attempts": 3, "retry_after_s": 60, "mode": "MULTI"}],
        "opening_hours_ids": [ids["hours"]],
        "dispositions": [{"status": "RS_NUMBER", "verb": "BLACK_LIST", "destination": "never"}],
    }


@BOTH
def test_everything_round_trips(rest: Rest) -> None:
    ids = site(rest)
    campaign = make(rest, "/campaigns", campaign_of(ids))
    sent = campaign_of(ids)
    assert campaign["notify_secret_set"] is True
    assert "notify_secret" not in campaign
    assert {name: campaign[name] for name in ("active_period", "trunk_ids", "end_point_ids", "lists")} == {
        name: sent[name] for name in ("active_period", "trunk_ids", "end_point_ids", "lists")
    }
    assert campaign["rules"][0].items() >= sent["rules"][0].items()
    assert campaign["dispositions"][0].items() >= sent["dispositions"][0].items()
    assert rest.ok("GET", f"/campaigns/{campaign['id']}") == campaign
    paths = {"/servers": "server", "/trunks": "trunk", "/end-points": "end_point", "/opening-hours": "hours"}
    for path, name in paths.items():
        one = rest.ok("GET", f"{path}/{ids[name]}")
        assert rest.ok("GET", path)["items"] == [one]
        kept = ("id", "created_at", "created_by", "changed_at", "changed_by", "version")
        again = {key: value for key, value in one.items() if key not in kept and not key.endswith("_set")}
        assert rest.ok("PUT", f"{path}/{ids[name]}", again)["version"] == one["version"], "nothing changed"
        rest.refused(409, "DELETE", f"{path}/{ids[name]}")
    cloned = rest.ok("POST", f"/campaigns/{campaign['id']}/clone", {"name": "summer"}, status=201)
    assert cloned["lists"] == campaign["lists"]
    for each in (campaign, cloned):
        rest.ok("DELETE", f"/campaigns/{each['id']}", status=204)
    for path, name in [*list(paths.items())[1:], ("/servers", "server"), ("/lists", "list")]:
        rest.ok("DELETE", f"{path}/{ids[name]}", status=204)
        rest.refused(404, "GET", f"{path}/{ids[name]}")


def test_a_campaign_is_changed_as_a_whole_or_not_at_all(rest: Rest) -> None:
    ids = site(rest)
    campaign = make(rest, "/campaigns", campaign_of(ids))
    path = f"/campaigns/{campaign['id']}"
    rest.refused(404, "PATCH", path, {"priority": 1, "trunk_ids": [ids["trunk"], 99]})
    assert rest.ok("GET", path) == campaign
    changed = rest.ok("PATCH", path, {"priority": 1, "lists": [{"list_id": ids["list"]}]})
    assert (changed["priority"], len(changed["lists"]), changed["rules"]) == (1, 1, campaign["rules"])
    bare = rest.ok("PUT", path, {"name": "spring"})
    assert (bare["priority"], bare["rules"], bare["trunk_ids"]) == (10, [], [])
    assert bare["notify_secret_set"], "a secret that is absent stays"
    assert not rest.ok("PATCH", path, {"notify_secret": ""})["notify_secret_set"]


def test_two_editors_do_not_overwrite_each_other(rest: Rest) -> None:
    made = rest.ask("POST", "/lists", {"name": "numbers"})
    assert made.headers["ETag"] == '"1"'
    path = made.headers["Location"].removeprefix("/api/v1")
    first = rest.ask("PATCH", path, {"hidden": True}, headers={"If-Match": '"1"'})
    assert (first.status_code, first.headers["ETag"]) == (200, '"2"')
    for method, body in (("PATCH", {"hidden": False}), ("PUT", {"name": "x"}), ("DELETE", None)):
        problem = rest.refused(412, method, path, body, headers={"If-Match": '"1"'})
        assert (problem["code"], "admin" in problem["detail"]) == ("conflict", True)
    assert rest.ok("GET", path)["name"] == "numbers"
    assert rest.refused(400, "PATCH", path, {"hidden": False}, headers={"If-Match": "1"})["code"] == "bad-header"
    rest.ok("PATCH", path, {"hidden": False}, headers={"If-Match": "*"})
    rest.ok("DELETE", path, status=204, headers={"If-Match": '"3"'})


def test_secrets_are_write_only(rest: Rest, database: Database) -> None:
    server = make(rest, "/servers", SERVER)
    path = f"/servers/{server['id']}"
    assert (server["password_set"], server["ari_password_set"]) == (True, False)
    assert "amp111" not in rest.ask("GET", "/servers").get_data(as_text=True)
    rest.ok("PATCH", path, {"port": 5039})
    assert entities.load_server(database, server["id"]).password.reveal() == "amp111"
    rest.ok("PUT", path, {"description": "pbx", "password": "other"})
    assert entities.load_server(database, server["id"]).password.reveal() == "other"
    rest.ok("PATCH", path, {"password": ""})
    assert not entities.load_server(database, server["id"]).password


def test_pages_go_by_id(rest: Rest) -> None:
    ids = [make(rest, "/lists", {"name": f"List {n}"})["id"] for n in range(5)]
    seen, after = [], 0
    while True:
        page = rest.ok("GET", f"/lists?limit=2&after={after}")
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert seen == ids
    assert [one["id"] for one in rest.ok("GET", "/lists?name=LIST%203")["items"]] == [ids[3]]


@pytest.mark.parametrize(
    ("status", "method", "path", "body", "code", "words"),
    [
        (422, "POST", "/lists", {"name": "a", "nam": 1}, "invalid", "nam: there is no such field"),
        (422, "POST", "/lists", {}, "invalid", "name"),
        (422, "POST", "/trunks", {"server_id": "1", "name": "a", "dial_string": "SIP/1"}, "invalid", "server_id"),
        (422, "POST", "/lists", {"name": "   "}, "invalid", "list name"),
        (422, "POST", "/campaigns", {"name": "a", "rules": [{"status": "X"}]}, "invalid", "rules.0"),
        (404, "POST", "/trunks", {"server_id": 9, "name": "a", "dial_string": "SIP/1"}, "missing", "server 9"),
        (409, "POST", "/lists", {"name": "taken"}, "name_taken", "taken"),
        (400, "GET", "/lists?page=2", None, "bad-query", "page: there is no such"),
        (400, "GET", "/lists?limit=0", None, "bad-query", "limit"),
        (400, "GET", "/lists?limit=1&limit=2", None, "bad-query", "more than once"),
        (404, "GET", "/lists/77", None, "missing", "list 77"),
        (404, "GET", "/nothing", None, "missing", ""),
        (404, "GET", "/lists/9999999999999999999999", None, "missing", ""),
        (405, "PUT", "/lists", {"name": "a"}, "method", ""),
    ],
)  # fmt: skip
def test_refusals(rest: Rest, status: int, method: str, path: str, body: Any, code: str, words: str) -> None:
    make(rest, "/lists", {"name": "taken"})
    problem = rest.refused(status, method, path, body)
    assert (problem["code"], words in problem["detail"]) == (code, True), problem


@pytest.mark.parametrize(
    ("status", "code", "data", "kind"),
    [
        (400, "bad-json", b'{"name": "a"', "application/json"),
        (400, "bad-json", b"", "application/json"),
        (400, "bad-json", b'{"name": "\xff"}', "application/json"),
        (400, "bad-json", b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "application/json"),
        (422, "invalid", b"[]", "application/json"),
        (415, "not-json", b'{"name": "a"}', "text/plain"),
        (415, "not-json", b"name=a", "application/x-www-form-urlencoded"),
        (413, "too-large", b'{"name": "' + b"a" * (5 << 20) + b'"}', "application/json"),
    ],
)
def test_bodies_that_cannot_be_read(rest: Rest, status: int, code: str, data: bytes, kind: str) -> None:
    assert rest.refused(status, "POST", "/lists", data=data, content_type=kind)["code"] == code
    assert rest.ok("GET", "/lists")["items"] == []


def test_a_refused_method_says_which_there_are(rest: Rest) -> None:
    assert rest.ask("DELETE", "/lists").headers["Allow"] == "GET, HEAD, POST"
    assert rest.ask("OPTIONS", "/lists").status_code == 405


def test_things_with_a_key_are_not_there_for_others(rest: Rest, rest_of: Callable[..., Rest]) -> None:
    kept = make(rest, "/lists", {"name": "secret", "security_key": "VIP"})
    other = rest_of("carol", "LISTS")
    assert other.ok("GET", "/lists")["items"] == []
    for method, path, body in (
        ("GET", "", None), ("PATCH", "", {"hidden": True}), ("DELETE", "", None), ("GET", "/records", None),
        ("GET", "/export", None), ("GET", "/imports", None), ("POST", "/records", {"number": "1"}),
    ):  # fmt: skip
        problem = other.refused(404, method, f"/lists/{kept['id']}{path}", body)
        assert problem["detail"] == f"there is no list {kept['id']}"
    assert rest_of("dave", "LISTS", "VIP").ok("GET", "/lists")["items"] == [kept]


def test_records(rest: Rest) -> None:
    ids = site(rest)
    path = f"/lists/{ids['list']}/records"
    made = [
        rest.ok("POST", path, {"number": f"555{n}", "input_attributes": {"NAME": "Ann"}}, status=201) for n in range(3)
    ]
    page = rest.ok("GET", f"{path}?limit=2")
    assert (page["items"], page["next"], page["total"]) == (made[:2], made[1]["id"], 3)
    assert rest.ok("GET", f"{path}?after={page['next']}")["items"] == made[2:]
    assert rest.ok("GET", f"{path}?number=5551")["items"] == [made[1]]
    one = f"/records/{made[0]['id']}"
    assert rest.ok("PATCH", one, {"number": "777"}) == {**made[0], "number": "777"}
    assert rest.ok("GET", one)["number"] == "777"
    assert rest.ok("GET", f"{one}/calls") == {"items": [], "next": None}
    assert "number" in rest.refused(422, "POST", path, {"number": "a b ü"})["detail"]
    assert rest.refused(400, "PATCH", one, {"number": "1"}, headers={"If-Match": '"1"'})["code"] == "bad-header"
    rest.refused(405, "DELETE", one)


def test_what_is_hidden_is_shown_when_asked_for(rest: Rest) -> None:
    make(rest, "/lists", {"name": "old numbers", "hidden": True})
    make(rest, "/opening-hours", {"name": "old hours", "hidden": True})
    make(rest, "/campaigns", {"name": "old campaign", "status": "HIDDEN"})
    for path in ("/lists", "/opening-hours", "/campaigns"):
        made = make(rest, path, {"name": "new"})["name"]
        assert [one["name"] for one in rest.ok("GET", path)["items"]] == [made]
        assert len(rest.ok("GET", f"{path}?hidden=true")["items"]) == 2
        assert rest.ok("GET", f"{path}?hidden=true&name=OLD")["items"][0]["name"].startswith("old")
