"""Whatever is sent to a configuration call: an answer in the envelope, never a mistake of ours; many write at once."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.app.service.conftest import BOTH
from tests.webui.conftest import Api
from tests.webui.test_edit import CAMPAIGN, SERVER, made

#: the fields of each kind; ids are of things that are there, or not
FIELDS = {
    "asterisk": tuple(SERVER),
    "trunk": ("trunkId", "astId", "name", "dialstring", "capacity", "securityKey"),
    "ep": (
        "epId", "type", "queueName", "name", "astId", "maxChannels", "extension", "context", "boostFactor",
        "maxWaitingCalls", "reverseDialing", "stepwiseReverse", "securityKey", "description", "dialFind", "dialReplace",
    ),
    "list": ("listId", "name", "isHidden", "securityKey"),
    "list/record": ("callId", "number", "listId", "attributes", "attributesAsString"),
    "list/logs": (),
    "oh": ("openingHourId", "name", "defaultMode", "comment", "hidden", "securityKey", "rules"),
    "campaign": tuple(CAMPAIGN),
    "campaign/trunk": ("trunkId",),
    "campaign/ep": ("epId",),
    "campaign/list": ("cclId", "cl", "clType"),
    "campaign/oh": ("cohId", "rule"),
    "campaign/reschedule": ("rescheduleRuleId", "status", "statusExt", "maxAttempts", "retryAfterS", "mode"),
    "campaign/disposition": (
        "dispositionId", "onState", "onExtState", "withRetriesPending", "verb", "destination", "text", "deferSec",
        "varMode", "addlVars",
    ),
}  # fmt: skip
WORDS = (
    "1", "", "-1", "0", "true", "QUEUE", "PHONE", "CALL_LIST", "RS_BUSY", "*", "HTTP Get", "http://x.example/", "MULT",
    "UP", "SIP/${num}", "tk", "DEF_OPEN", "ALL", "235959", "A:1,B:2", "\r\nAction: x", "\x00", "9" * 30, "1e400",
    "é\u202e",
)  # fmt: skip
NAMES = (
    "id", "listId", "trunkId", "epId", "openingHourId", "attrName", "attrValue", "isInput", "open", "onDow", "startHr"
)  # fmt: skip
plain = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.integers(), st.floats(), st.sampled_from((*WORDS, "\ud800"))
)
nested = st.one_of(
    plain,
    st.dictionaries(st.sampled_from(NAMES), plain, max_size=3),
    st.lists(st.one_of(plain, st.dictionaries(st.sampled_from(NAMES), plain, max_size=3)), max_size=3),
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, dict[str, Any], dict[str, str]]:
    path = draw(st.sampled_from(sorted(FIELDS)))
    data = draw(st.dictionaries(st.sampled_from([*FIELDS[path], "x"]), nested, max_size=6))
    params = draw(
        st.dictionaries(st.sampled_from(("parent", "from", "items", "query")), st.sampled_from(WORDS), max_size=2)
    )
    return path, draw(st.sampled_from(("L", "E", "D", "MU", "MD", "l", "?"))), data, {"parent": "1", **params}


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request=requests())
def test_any_data_is_answered(api: Api, request: tuple[str, str, dict[str, Any], dict[str, str]]) -> None:
    if not api.edit("trunk"):
        made(api)
    path, mode, data, params = request
    answer = api.post(f"edit/{path}", {"data": json.dumps(data)}, mode=mode, **params)
    assert answer.status_code in (200, 400, 404, 409), (request, answer.get_data(as_text=True))
    assert answer.json is not None
    assert (answer.json["status"] == "OK") == (answer.status_code == 200)
    if answer.status_code != 200:
        assert answer.json["error"]
        assert answer.json["results"] == []


@BOTH
@pytest.mark.parametrize(
    ("path", "objects"),
    [
        ("reschedule", [{"status": "RS_BUSY", "statusExt": str(n), "retryAfterS": 60} for n in range(24)]),
        ("list", []),
    ],
)
def test_many_who_write_at_once_lose_nothing(api: Api, path: str, objects: list[dict[str, Any]]) -> None:
    parent = made(api)["campaign"]
    if path == "list":
        objects = [{"cl": {"listId": api.edit("list", "E", {"name": f"L{n}"})[0]["listId"]}} for n in range(24)]
    app: Flask = api.client.application
    wrong: list[object] = []

    def write(some: list[dict[str, Any]]) -> None:
        with app.test_client() as client:
            mine = Api(client)
            for each in some:
                try:
                    mine.edit(f"campaign/{path}", "E", each, parent=parent)
                except BaseException as error:
                    wrong.append(error)

    threads = [threading.Thread(target=write, args=(objects[n::8],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(api.edit(f"campaign/{path}", parent=parent)) == len(objects)
