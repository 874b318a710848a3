"""The configuration calls of the compatible API: what existing clients send is taken, what is wrong is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.app.service.conftest import BOTH
from tests.webui.conftest import Api
from wombat_ari.store import campaigns, entities
from wombat_ari.store.database import Database

MARKS = {"sys_dt_creazione", "sys_user_creazione", "sys_dt_modifica", "sys_user_modifica"}
SERVER = {
    "id": None, "description": "PBX", "serverType": "ASTERISKAMI", "ipAddress": "10.0.0.1", "login": "wombat",
    "password": "amp111", "port": 5038, "unit_len": 50, "msg_per_unit": 5, "securityKey": "", "state": "DOWN",
}  # fmt: skip
CAMPAIGN = {
    "campaignId": None, "name": "ABCD", "priority": 10, "pace": "RUNNABLE", "dial_timeout": 30000, "dial_clid": "",
    "dial_account": "", "dial_pres": "", "addlLogging": "QM_COMPATIBLE", "pauseWhenFinished": 1,
    "timeStartHr": "080000", "timeEndHr": "235959", "timeDow": "1234567", "maxCallLength": 0, "batchSize": 100,
    "httpNotify": "", "loggingAlias": "", "securityKey": "", "autopause": False, "agentClid": "", "emailAddresses": "",
    "emailEvents": "NO", "initialBoostFactor": 1.0, "initialPredictiveModel": "OFF", "amdTracking": "OFF",
    "amdParams": "", "amdAudioFile": "", "amdFaxFile": "", "campaignVars": "", "loggingQmVars": "ATTR1 ATTR2",
}  # fmt: skip


def made(api: Api, **more: Any) -> dict[str, int]:
    """A server, a trunk, an end point, a list, a campaign: their ids."""
    server = api.edit("asterisk", "E", SERVER)[0]["id"]
    on = {"astId": {"id": server}}
    trunk = api.edit("trunk", "E", {"trunkId": -1, "name": "tk", "dialstring": "SIP/${num}", "capacity": 3, **on})
    end_point = {"epId": "", "type": "PHONE", "name": "ph", "extension": "9999", "context": "default", "maxChannels": 1}
    return {
        "server": server,
        "trunk": trunk[0]["trunkId"],
        "ep": api.edit("ep", "E", {**end_point, **on})[0]["epId"],
        "list": api.edit("list", "E", {"listId": None, "name": "MYLIST", "isHidden": False, "securityKey": ""})[0][
            "listId"
        ],
        "black": api.edit("list", "E", {"name": "BLK"})[0]["listId"],
        "campaign": api.edit("campaign", "E", {**CAMPAIGN, **more})[0]["campaignId"],
    }


# What is stored and answered


@BOTH
def test_a_server(api: Api, database: Database) -> None:
    stored = api.edit("asterisk", "E", SERVER)[0]
    assert set(stored) == set(SERVER) | MARKS
    assert {**stored, **SERVER, "password": ""} == {**stored, "id": None}, "as sent, but for the password"
    assert (stored["sys_user_creazione"], stored["sys_user_modifica"]) == ("admin", "admin")
    assert entities.load_server(database, "PBX").password.reveal() == "amp111"
    changed = api.edit("asterisk", "E", {**stored, "port": "5039", "state": "UP"})[0]
    assert (changed["port"], changed["state"]) == (5039, "UP")
    assert entities.load_server(database, "PBX").password.reveal() == "amp111", "an empty password stays as it is"
    assert api.edit("asterisk") == [changed]
    assert api.edit("asterisk", "D", changed) == [changed]
    assert api.edit("asterisk") == []


@BOTH
def test_trunks_and_end_points(api: Api, database: Database) -> None:
    ids = made(api)
    trunk = api.edit("trunk")[0]
    assert set(trunk) == {"trunkId", "astId", "name", "dialstring", "capacity", "securityKey"} | MARKS
    assert trunk["astId"]["description"] == "PBX"
    assert trunk["astId"]["password"] == ""
    queue = {
        "epId": None, "type": "QUEUE", "queueName": "400", "name": "", "astId": {"id": ids["server"]}, "idx": "",
        "campaignId": "", "maxChannels": "5", "extension": 401, "context": "from-internal", "boostFactor": "1.5",
        "maxWaitingCalls": 2, "reverseDialing": 1, "stepwiseReverse": "0", "securityKey": "", "description": "Sales",
        "dialFind": "", "dialReplace": "",
    }  # fmt: skip
    stored = api.edit("ep", "E", queue)[0]
    assert set(stored) == set(queue) | MARKS
    assert (stored["name"], stored["queueName"], stored["extension"]) == ("400", "400", "401")
    assert (stored["reverseDialing"], stored["stepwiseReverse"], stored["boostFactor"]) == (True, False, 1.5)
    renamed = api.edit("ep", "E", {**stored, "queueName": "401"})[0]
    assert (renamed["name"], renamed["queueName"]) == ("401", "401")
    assert api.edit("ep", "E", {**renamed, "name": "402"})[0]["queueName"] == "402"
    moved = api.edit("asterisk", "E", {"description": "Other"})[0]
    assert api.edit("trunk", "E", {"trunkId": ids["trunk"], "astId": moved["id"]})[0]["astId"]["id"] == moved["id"]
    assert entities.load_trunk(database, "tk").capacity == 3, "what was not said stays"


@BOTH
def test_a_campaign(api: Api, database: Database) -> None:
    stored = api.edit("campaign", "E", CAMPAIGN)[0]
    assert set(stored) == set(CAMPAIGN) | MARKS
    expected = {**CAMPAIGN, "campaignId": stored["campaignId"], "loggingQmVars": stored["loggingQmVars"]}
    assert {name: stored[name] for name in CAMPAIGN} == expected
    assert stored["loggingQmVars"].replace(",", " ").split() == ["ATTR1", "ATTR2"]
    sent = {
        **stored, "pace": "CLOSED", "priority": "5", "pauseWhenFinished": "0", "timeStartHr": "09:30:00",
        "timeEndHr": 173000, "timeDow": "23456", "autopause": 1, "emailEvents": "ALL", "emailAddresses": "a@b.example",
        "initialBoostFactor": "1.5", "addlLogging": "NO", "unknown": {"of": ["no", "interest"]},
    }  # fmt: skip
    changed = api.edit("campaign", "E", sent)[0]
    assert (changed["timeStartHr"], changed["timeEndHr"], changed["timeDow"]) == ("093000", "173000", "23456")
    assert (changed["priority"], changed["pauseWhenFinished"], changed["autopause"]) == (5, 0, True)
    assert (changed["pace"], changed["emailEvents"], changed["addlLogging"]) == ("CLOSED", "ALL", "NO")
    campaign = campaigns.load_campaign(database, "ABCD")
    assert (campaign.active_period.start_s, campaign.boost, campaign.starts_paused) == (34200, 1.5, True)
    changed = api.edit("campaign", "E", {**changed, "timeStartHr": "8:05", "timeEndHr": "9:30:00"})[0]
    assert (changed["timeStartHr"], changed["timeEndHr"]) == ("080500", "093000")
    assert api.edit("campaign", "E", {"campaignId": str(campaign.id), "name": "Only"})[0]["priority"] == 5
    assert api.edit("campaign", "D", {"campaignId": campaign.id})[0]["name"] == "Only"
    assert api.edit("campaign") == []


@BOTH
def test_what_a_campaign_uses(api: Api) -> None:
    ids = made(api)
    parent = ids["campaign"]
    link = {"campaignId": -1, "trunkId": {"trunkId": ids["trunk"]}}
    stored = api.edit("campaign/trunk", "E", link, parent=parent)[0]
    assert (stored["campaignId"], stored["trunkId"]["name"], stored["idx"]) == (parent, "tk", 1)
    assert set(stored["trunkId"]) >= {"astId", "dialstring", *MARKS}, "references are answered in full"
    assert stored["sys_user_modifica"] == "admin", "who changed the campaign"
    again = api.edit("campaign/trunk", "E", link, parent=parent)
    assert [unmarked(one) for one in again] == [unmarked(stored)], "a link that exists stays one"
    assert api.edit("campaign/ep", "E", {"epId": {"epId": ids["ep"]}}, parent=parent)[0]["epId"]["name"] == "ph"
    for key, use in ((ids["list"], "CALL_LIST"), (ids["black"], "BLACK_LIST")):
        sent = {"campaignId": -1, "cl": {"listId": key}, "complete": False, "highwater": "", "clType": use}
        stored = api.edit("campaign/list", "E", sent, parent=parent)[0]
        assert set(stored) == {"campaignId", "idx", "cclId", "cl", "complete", "highwater", "clType"} | MARKS
        assert (stored["cl"]["listId"], stored["clType"]) == (key, use)
    assert names(api, "list", parent) == [("MYLIST", "CALL_LIST"), ("BLK", "BLACK_LIST")]
    up = api.edit("campaign/list", "MU", {"cclId": ids["black"]}, parent=parent)
    assert [link["cl"]["name"] for link in up] == ["BLK", "MYLIST"]
    api.edit("campaign/list", "MU", {"cclId": ids["black"]}, parent=parent)
    assert names(api, "list", parent)[0] == ("BLK", "BLACK_LIST"), "the first stays the first"
    api.edit("campaign/list", "MD", up[0], parent=parent)
    api.edit("campaign/list", "E", {"cl": {"listId": ids["black"]}, "clType": "CALL_LIST"}, parent=parent)
    assert names(api, "list", parent) == [("MYLIST", "CALL_LIST"), ("BLK", "CALL_LIST")], "changed in its place"
    listed = api.edit("campaign/list", parent=parent)[0]
    assert api.edit("campaign/list", "D", listed, parent=parent) == [listed], "deleted as it was listed"
    assert api.edit("campaign/trunk", "D", {"trunkId": {"trunkId": ids["trunk"]}}, parent=parent)
    assert api.edit("campaign/trunk", parent=parent) == []
    assert api.edit("campaign/ep", "D", {"epId": ids["ep"]}, parent=parent)
    assert names(api, "list", parent) == [("BLK", "CALL_LIST")]


def unmarked(stored: dict[str, Any]) -> dict[str, Any]:
    """Without who changed it and when; those are there."""
    assert stored.keys() >= MARKS
    return {name: value for name, value in stored.items() if name not in MARKS}


def names(api: Api, path: str, parent: int) -> list[tuple[str, str]]:
    return [(link["cl"]["name"], link["clType"]) for link in api.edit(f"campaign/{path}", parent=parent)]


@BOTH
def test_rules_have_an_order_and_keep_their_ids(api: Api) -> None:
    parent = made(api)["campaign"]
    rule = {"rescheduleRuleId": None, "status": "RS_NOANSWER", "statusExt": "", "maxAttempts": 1, "retryAfterS": 120}
    stored = api.edit("campaign/reschedule", "E", {**rule, "mode": "FIXED", "campaignId": -1}, parent=parent)[0]
    assert unmarked(stored) == {
        **rule,
        "rescheduleRuleId": stored["rescheduleRuleId"],
        "mode": "FIXED",
        "campaignId": parent,
    }
    for status, mode, answered in (("RS_NO_AGENT", "MULTI", "RS_NOAGENT"), ("RS_AGENT_SKIP", "mult", "RS_AGENTSKIP")):
        more = api.edit("campaign/reschedule", "E", {**rule, "status": status, "mode": mode}, parent=parent)[0]
        assert (more["status"], more["mode"]) == (answered, "MULT")
    first, second, third = (one["rescheduleRuleId"] for one in api.edit("campaign/reschedule", parent=parent))
    order = api.edit("campaign/reschedule", "MD", {"rescheduleRuleId": first}, parent=parent)
    assert [one["rescheduleRuleId"] for one in order] == [second, first, third]
    changed = api.edit("campaign/reschedule", "E", {"rescheduleRuleId": first, "maxAttempts": "7"}, parent=parent)[0]
    assert (changed["rescheduleRuleId"], changed["maxAttempts"], changed["retryAfterS"]) == (first, 7, 120)
    api.edit("campaign/reschedule", "D", {"rescheduleRuleId": second}, parent=parent)
    assert [one["rescheduleRuleId"] for one in api.edit("campaign/reschedule", parent=parent)] == [first, third]


@BOTH
def test_dispositions(api: Api) -> None:
    parent = made(api)["campaign"]
    sent = {
        "onState": "RS_BUSY", "onExtState": "", "withRetriesPending": 0, "verb": "RESCHEDULE", "deferSec": 30,
        "destination": "new_campaign", "text": "", "varMode": "ALL", "addlVars": "", "campaignId": -1,
    }  # fmt: skip
    stored = api.edit("campaign/disposition", "E", sent, parent=parent)[0]
    assert unmarked(stored) == {**sent, "campaignId": parent, "dispositionId": stored["dispositionId"]}
    verbs = {
        "NONE": "", "HTTP Get": "http://crm.example/x", "HTTP Post": "http://crm.example/x", "ADD_LIST": "x",
        "Add to blacklist": "x", "Send e-mail": "a@b.example", "Reschedule": "x",
    }  # fmt: skip
    for verb, destination in verbs.items():
        more = api.edit("campaign/disposition", "E", {**sent, "verb": verb, "destination": destination}, parent=parent)
        assert more[0]["verb"].lower() == verb.lower()
    key = stored["dispositionId"]
    changed = api.edit("campaign/disposition", "E", {"dispositionId": key, "withRetriesPending": True}, parent=parent)[
        0
    ]
    assert unmarked(changed) == {**unmarked(stored), "withRetriesPending": 1}
    order = api.edit("campaign/disposition", "MD", {"dispositionId": key}, parent=parent)
    assert [one["dispositionId"] for one in order][1] == key
    api.edit("campaign/disposition", "D", changed, parent=parent)
    assert len(api.edit("campaign/disposition", parent=parent)) == len(verbs)


@BOTH
def test_opening_hours(api: Api) -> None:
    parent = made(api)["campaign"]
    sent = {"securityKey": "", "name": "Alpha", "defaultMode": "DEF_OPEN", "comment": "Test", "hidden": False}
    stored = api.edit("oh", "E", sent)[0]
    assert set(stored) == set(sent) | {"openingHourId", "rules"} | MARKS
    rules = [{"open": False, "fromDate": "12-24", "toDate": "12-26", "onDow": "1234567", "comment": "Christmas"}]
    changed = api.edit("oh", "E", {**stored, "defaultMode": "DEF_CLOSED", "rules": rules})[0]
    assert changed["defaultMode"] == "DEF_CLOSED"
    assert changed["rules"] == [{**rules[0], "startHr": "000000", "endHr": "235959"}]
    link = api.edit("campaign/oh", "E", {"rule": {"openingHourId": stored["openingHourId"]}}, parent=parent)[0]
    assert (link["campaignId"], link["rule"]["name"]) == (parent, "Alpha")
    assert api.refused("oh", "D", {"openingHourId": stored["openingHourId"]})[0] == 409
    assert api.edit("campaign/oh", "D", {"cohId": link["cohId"]}, parent=parent) == [link]
    assert api.edit("oh", "D", changed)[0]["name"] == "Alpha"


@BOTH
def test_numbers_of_a_list(api: Api) -> None:
    key = made(api)["list"]
    sent = {
        "callId": None, "number": "(02) 55-100", "listId": {"listId": key},
        "attributes": [
            {"isInput": True, "attrName": "SURNAME", "attrValue": "Doe, jr"},
            {"isInput": 0, "attrName": "RESULT", "attrValue": 7},
        ],
    }  # fmt: skip
    stored = api.edit("list/record", "E", sent, parent=key)[0]
    assert set(stored) == {"callId", "number", "listId", "attributes", "attributesAsString"} | MARKS
    assert (stored["number"], stored["listId"]["name"]) == ("0255100", "MYLIST")
    assert stored["attributesAsString"] == "SURNAME:Doe\\, jr,>RESULT:7"
    assert api.edit("list/record", "E", stored)[0] == stored, "as it was listed"
    kept = api.edit("list/record", "E", {"callId": stored["callId"], "attributes": None})[0]
    assert kept["attributes"] == stored["attributes"], "what is null stays as it is"
    sent = {"callId": stored["callId"], "attributes": None, "attributesAsString": "A:1,B:2"}
    changed = api.edit("list/record", "E", sent)[0]
    assert [(one["attrName"], one["attrValue"]) for one in changed["attributes"]] == [("A", "1"), ("B", "2")]
    changed = api.edit("list/record", "E", {**stored, "attributesAsString": "A:1"})[0]
    assert changed["attributesAsString"] == "SURNAME:Doe\\, jr,>RESULT:7", "both are changed: the list of them"
    changed = api.edit("list/record", "E", {**changed, "attributesAsString": "A:1"})[0]
    assert changed["attributesAsString"] == "A:1", "only the text is changed"
    changed = api.edit("list/record", "E", {**changed, "attributes": []})[0]
    assert changed["attributesAsString"] == "", "only the list of them is changed"
    for number in range(200, 230):
        api.edit("list/record", "E", {"number": str(number)}, parent=key)
    answer = api.get("edit/list/record/index.jsp", parent=key, **{"from": 10, "items": 5}).json
    assert [record["number"] for record in answer["results"]] == [str(number) for number in range(209, 214)]
    assert (answer["allResults"], answer["startFrom"], answer["nRecords"]) == (31, 10, 5)
    answer = api.get("edit/list/record", parent=key, query="21", items=3, **{"from": 8}).json
    assert ([record["number"] for record in answer["results"]], answer["allResults"]) == (["218", "219"], 10)
    assert api.edit("list/record", parent=key, query="nothing like it") == []
    assert api.edit("list/logs", parent=stored["callId"]) == []


@BOTH
def test_listing_searching_paging(api: Api) -> None:
    for number in range(25):
        api.edit("list", "E", {"name": f"List {number:02}", "isHidden": number == 3})
    assert len(api.edit("list")) == len(api.edit("list", query="*")) == len(api.edit("list", query="")) == 25
    assert [one["name"] for one in api.edit("list", query="list 1")] == [f"List {number}" for number in range(10, 20)]
    assert api.edit("list", query="~ list 1") == api.edit("list", query="list 1")
    answer = api.get("edit/list/", query="List", items="7", **{"from": "21"}).json
    assert [one["name"] for one in answer["results"]] == [f"List {number}" for number in range(21, 25)]
    assert (answer["allResults"], answer["startFrom"], answer["nRecords"]) == (25, 21, 4)
    assert set(answer) == {"status", "error", "timeMs", "results", "allResults", "startFrom", "nRecords"}
    assert api.get("edit/list", **{"from": 100}).json["results"] == []


def test_a_part_may_say_itself_where_it_belongs(api: Api) -> None:
    ids = made(api)
    whole = {"campaignId": ids["campaign"], "trunkId": {"trunkId": ids["trunk"]}}
    assert api.edit("campaign/trunk", "E", whole)[0]["campaignId"] == ids["campaign"]
    rule = api.edit("campaign/reschedule", "E", {"campaignId": ids["campaign"], "status": "RS_BUSY", "retryAfterS": 9})[
        0
    ]
    assert api.edit("campaign/reschedule", "D", rule) == [rule], "as it was listed"
    assert api.refused("campaign/trunk", "D", {**whole, "campaignId": -1}) == (400, "parameter parent is missing")
    assert api.edit("campaign/trunk", "D", {**whole, "campaignId": 99}, parent=ids["campaign"]), (
        "the parameter goes first"
    )


@pytest.mark.parametrize("tail", ["", "/", "/index.jsp"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_every_spelling_of_an_address(api: Api, tail: str, method: str) -> None:
    api.edit("list", "E", {"name": "L"})
    answer = getattr(api, method)(f"edit/list{tail}", mode="L")
    assert [one["name"] for one in answer.json["results"]] == ["L"]
    assert answer.mimetype == "application/json"


def test_parameters_come_from_query_and_form(api: Api) -> None:
    data = json.dumps({"name": "L"})
    assert api.post("edit/list", {"mode": "E", "data": data}).json["results"][0]["name"] == "L"
    assert api.get("edit/list", mode="E", data=json.dumps({"name": "M"})).json["results"][0]["name"] == "M"
    assert len(api.post("edit/list", {"query": "*"}).json["results"]) == 2


def test_a_slash_too_many_is_none(api: Api) -> None:
    """Of clients whose base address ends with a slash already."""
    api.edit("list", "E", {"name": "L"})
    for path in ("/edit/list", "edit//list///", "/edit/list//index.jsp"):
        for answer in (api.get(path), api.post(path, {"mode": "L"})):
            assert (answer.status_code, answer.json and answer.json["allResults"]) == (200, 1), path


# What is refused


def refusals(ids: dict[str, int]) -> dict[str, tuple[str, str, Any, dict[str, Any], int, str]]:
    """Path, mode, data, other parameters; status and words of the refusal."""
    parent = {"parent": ids["campaign"]}
    return {
        "mode": ("list", "X", {}, {}, 400, "mode is 'X': it must be one of L, E, D, MU, MD"),
        "no data": ("list", "E", None, {}, 400, "parameter data is missing"),
        "no object": ("list", "E", [1], {}, 400, "data must be one JSON object"),
        "items": ("list", "L", None, {"items": "x"}, 400, "parameter items is 'x'"),
        "from": ("list", "L", None, {"from": "-1"}, 400, "parameter from is '-1'"),
        "no parent": ("campaign/trunk", "L", None, {}, 400, "parameter parent is missing"),
        "wrong parent": ("campaign/trunk", "L", None, {"parent": "x"}, 400, 'parent is "x": it must be an id'),
        "huge parent": ("campaign/trunk", "L", None, {"parent": 1 << 64}, 400, "must be an id"),
        "unknown parent": ("campaign/trunk", "L", None, {"parent": 999}, 404, "there is no campaign 999"),
        "unknown list": ("list/record", "L", None, {"parent": 999}, 404, "there is no list 999"),
        "unknown id": ("trunk", "E", {"trunkId": 999, "name": "x"}, {}, 404, "there is no trunk 999"),
        "delete unknown": ("ep", "D", {"epId": 999}, {}, 404, "there is no end point 999"),
        "delete nothing": ("ep", "D", {}, {}, 400, "epId is null: it must be an id"),
        "id of another kind": ("ep", "D", {"epId": True}, {}, 400, "epId is true: it must be an id"),
        "object for a text": ("list", "E", {"name": {"a": 1}}, {}, 400, 'name is {"a": 1}: it must be a text'),
        "number": ("trunk", "E", {"trunkId": ids["trunk"], "capacity": "many"}, {}, 400, "capacity is "),
        "infinite": ("trunk", "E", {"trunkId": ids["trunk"], "capacity": "inf"}, {}, 400, "must be a number"),
        "fraction": ("trunk", "E", {"trunkId": ids["trunk"], "capacity": 1.5}, {}, 400, "must be a whole number"),
        "too many": ("trunk", "E", {"trunkId": ids["trunk"], "capacity": 0}, {}, 400, "trunk capacity 0"),
        "flag": ("list", "E", {"name": "x", "isHidden": "maybe"}, {}, 400, "isHidden is "),
        "no server": ("trunk", "E", {"name": "x", "dialstring": "SIP/${num}"}, {}, 400, "astId is missing"),
        "unknown server": (
            "trunk", "E", {"name": "x", "dialstring": "SIP/1", "astId": {"id": 999}}, {}, 404, "there is no server 999"
        ),
        "server type": ("asterisk", "E", {"description": "x", "serverType": "ARI"}, {}, 400, "serverType is "),
        "name taken": ("list", "E", {"name": "MYLIST"}, {}, 409, "there is one of that name already"),
        "no name": ("list", "E", {"name": " "}, {}, 400, "list name: it must not be empty"),
        "line break": ("list", "E", {"name": "a\r\nAction: Originate"}, {}, 400, "line breaks"),
        "surrogate": ("list", "E", {"name": "a\ud800"}, {}, 400, "control characters"),
        "in use": ("asterisk", "D", {"id": ids["server"]}, {}, 409, "it is used by trunk tk; end point ph"),
        "predictive": (
            "campaign", "E", {"campaignId": ids["campaign"], "initialPredictiveModel": "ADAPTIVE"}, {}, 400,
            "initialPredictiveModel is 'ADAPTIVE': it must be OFF, this version has no adaptive model yet",
        ),
        "amd": ("campaign", "E", {**CAMPAIGN, "name": "x", "amdTracking": "AMD"}, {}, 400, "amdTracking is 'AMD'"),
        "pace": ("campaign", "E", {**CAMPAIGN, "name": "x", "pace": "FAST"}, {}, 400, "one of RUNNABLE, CLOSED"),
        "time": ("campaign", "E", {**CAMPAIGN, "name": "x", "timeStartHr": "256000"}, {}, 400, "a time of day, HHMMSS"),
        "days": ("campaign", "E", {**CAMPAIGN, "name": "x", "timeDow": "89"}, {}, 400, "allowed days"),
        "unknown trunk": ("campaign/trunk", "E", {"trunkId": {"trunkId": 99}}, parent, 404, "there is no trunk 99"),
        "no trunk": ("campaign/trunk", "E", {"campaignId": -1}, parent, 400, "trunkId is missing"),
        "not linked": ("campaign/ep", "D", {"epId": {"epId": ids["ep"]}}, parent, 404, "there is no end point"),
        "list use": ("campaign/list", "E", {"cl": ids["list"], "clType": "RED"}, parent, 400, "CALL_LIST, BLACK_LIST"),
        "rule": ("campaign/reschedule", "E", {"status": "SCHEDULED"}, parent, 400, "it must be one of"),
        "unknown rule": ("campaign/reschedule", "MU", {"rescheduleRuleId": 99}, parent, 404, "no reschedule rule 99"),
        "verb": ("campaign/disposition", "E", {"verb": "SING"}, parent, 400, "verb is "),
        "destination": ("campaign/disposition", "E", {"verb": "HTTP Get"}, parent, 400, "URL: it must not be empty"),
        "attributes": ("list/record", "E", {"number": "1", "attributes": "A"}, {"parent": ids["list"]}, 400, "a list"),
        "bad number": ("list/record", "E", {"number": "1;2"}, {"parent": ids["list"]}, 400, "number '1;2'"),
        "record deleted": ("list/record", "D", {"callId": 1}, {"parent": ids["list"]}, 400, "never moved or deleted"),
        "list moved": ("list", "MU", {"listId": ids["list"]}, {}, 400, "there is no mode MU for it: it has no order"),
        "logs changed": ("list/logs", "E", {}, {"parent": 1}, 400, "what was logged stays"),
        "unknown record": ("list/logs", "L", None, {"parent": 999}, 404, "there is no record 999"),
    }  # fmt: skip


@BOTH
def test_what_is_wrong_is_refused_in_words_and_changes_nothing(api: Api, database: Database) -> None:
    ids = made(api)
    before = everything(database)
    for case, (path, mode, data, params, status, words) in refusals(ids).items():
        answered, said = api.refused(path, mode, data, **params)
        assert (case, answered) == (case, status), said
        assert words in said, case
        assert "Traceback" not in said
    assert everything(database) == before


def everything(database: Database) -> str:
    """All configured things, as they are stored."""
    tables = (
        "asterisk_server", "trunk", "end_point", "call_list", "record", "campaign", "campaign_trunk",
        "campaign_end_point", "campaign_list", "reschedule_rule", "disposition_rule", "opening_hours", "audit",
    )  # fmt: skip
    with database.transaction(write=False) as tx:
        return str([tx.rows(f"SELECT * FROM {table}") for table in tables])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{", "not valid JSON"),
        ('{"name": NaN}', "NaN is no number"),
        ("[" * 100_000, "not valid JSON: it is nested too deeply"),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "not valid JSON"),
        ('{"name": ' + "9" * 5000 + "}", "not valid JSON: a number in it has thousands of digits"),
        ('"name"', "one JSON object"),
        ("null", "one JSON object"),
        ('{"name": "' + "x" * 100_000 + '"}', "100000 characters"),
    ],
    ids=["half", "NaN", "deep list", "deep object", "long number", "text", "null", "long"],
)
def test_malformed_data(api: Api, data: str, words: str) -> None:
    answer = api.post("edit/list", {"data": data}, mode="E")
    assert answer.status_code == 400
    assert words in answer.json["error"]
    assert len(answer.get_data()) < 1000
    assert api.edit("list") == []


def test_a_body_that_is_too_large(api: Api) -> None:
    answer = api.post("edit/list", {"data": "x" * (5 << 20)}, mode="E")
    assert answer.status_code == 413
    assert answer.json["status"] == "ERROR"


def test_addresses_and_methods_that_there_are_not(api: Api) -> None:
    assert api.get("edit/nothing").status_code == 404
    assert api.get("edit/nothing").json["error"] == "there is no address /wombat/api/edit/nothing"
    assert api.get("edit/nothing").json["status"] == "ERROR"
    for method in ("put", "delete", "patch", "head"):
        answer = getattr(api.client, method)("/wombat/api/edit/list", headers=api.headers)
        assert answer.status_code == 405
        assert method == "head" or answer.json["status"] == "ERROR"
        assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_who_may_not_is_told_what_is_missing(api: Api, api_of: Callable[..., Api], database: Database) -> None:
    ids = made(api)
    agent, planner = api_of("agent", "AGENT"), api_of("planner", "CAMPAIGNS")
    before = everything(database)
    for path in ("asterisk", "trunk", "ep", "list", "campaign", "oh"):
        assert agent.refused(path) == (403, agent.refused(path)[1])
        assert "it needs the key" in agent.refused(path, "E", {"name": "x", "astId": ids["server"]})[1]
    assert planner.edit("trunk")
    assert planner.refused("trunk", "E", {"trunkId": ids["trunk"], "name": "x"})[0] == 403
    assert planner.refused("list/record", parent=ids["list"])[0] == 403
    assert everything(database) == before


def test_what_a_key_hides(api: Api, api_of: Callable[..., Api]) -> None:
    ids = made(api)
    api.edit("campaign/trunk", "E", {"trunkId": ids["trunk"]}, parent=ids["campaign"])
    api.edit("trunk", "E", {"trunkId": ids["trunk"], "securityKey": "VIP"})
    api.edit("asterisk", "E", {"id": ids["server"], "securityKey": "VIP"})
    planner = api_of("planner", "ADMIN", "CAMPAIGNS")
    assert planner.edit("trunk") == planner.edit("asterisk") == planner.edit("trunk", query="tk") == []
    assert planner.refused("trunk", "D", {"trunkId": ids["trunk"]}) == (404, f"there is no trunk {ids['trunk']}")
    link = planner.edit("campaign/trunk", parent=ids["campaign"])[0]
    assert link["trunkId"]["name"] == "tk", "who sees a campaign sees all it uses"
    assert link["trunkId"]["astId"] == {"id": ids["server"]}, "but not the server behind it"
    assert planner.edit("ep")[0]["astId"] == {"id": ids["server"]}
    assert len(api_of("holder", "ADMIN", "VIP").edit("trunk")) == 1


@BOTH
def test_changes_are_noted_with_who_and_from_where(api: Api, database: Database) -> None:
    made(api)
    with database.transaction(write=False) as tx:
        rows = tx.rows("SELECT login, action, object, detail FROM system_log ORDER BY id")
    assert rows[0] == ("admin", "log-on", "admin", "from 192.0.2.7")
    assert ("admin", "trunk made", "tk", "from 192.0.2.7") in rows
    assert "amp111" not in str(rows)


BODIES = {
    "JSON": ("application/json", b'{"name": "x"}', "the body is application/json: it must be a form"),
    "JSON called a form": (
        "application/x-www-form-urlencoded",
        b'{"name": "x"}',
        "the body is JSON: it must be a form",
    ),
    "a list of JSON": ("application/x-www-form-urlencoded", b' [{"name": "x&y=1"}]', "the body is JSON"),
    "no kind": ("", b"data=1", "the body is of no kind"),
    "multipart without a boundary": ("multipart/form-data", b"--x\r\n", "cannot be read"),
    "multipart of another boundary": ("multipart/form-data; boundary=x", b"--y\r\n\r\n1\r\n--y--", "cannot be read"),
}


@pytest.mark.parametrize("what", BODIES)
def test_a_body_that_is_no_form_is_refused_and_not_taken_for_a_question(api: Api, what: str) -> None:
    kind, body, words = BODIES[what]
    answer = api.client.post(
        "/wombat/api/edit/list/", query_string={"mode": "E"}, data=body, headers={**api.headers, "Content-Type": kind}
    )
    plain = api.client.post("/wombat/api/edit/list/", data=body, headers={**api.headers, "Content-Type": kind})
    for one in (answer, plain):
        assert (one.status_code, one.json["status"]) == (400, "ERROR")
        assert words in one.json["error"]
    assert api.edit("list") == []


def test_a_listing_may_be_asked_by_post_with_an_empty_body_of_any_kind(api: Api) -> None:
    answer = api.client.post("/wombat/api/edit/list/", headers={**api.headers, "Content-Type": "application/json"})
    assert (answer.status_code, answer.json["status"]) == (200, "OK")
