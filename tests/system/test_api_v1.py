"""The JSON API beside a real Asterisk: a live run is started, steered, heard of and ended by it alone."""

from __future__ import annotations

import base64
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.system.site import Site, server_of, until
from tests.system.witness import Witness
from tests.webui.test_events import PASSWORD, Ear
from webui.api import ROUTES, openapi

BASIC = "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
LONG = "55510190001"  #: rings 0.1 s; who answers is the end point that waits


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, witness: Witness) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("v1"), settings={"WOMBAT_ARI_ADMIN_PASSWORD": PASSWORD})
    site.wombat("init")
    site.apply({
        "server": [server_of(witness.pbx)],
        "trunk": [{"name": "network", "dial_string": "Local/${num}@watched/n", "capacity": 10}],
        "end_point": [{"name": "waits", "extension": "101", "context": "watched-ends", "max_channels": 10}],
        "list": [{"name": "first"}, {"name": "more"}],
        "campaign": [
            {"name": "Spring", "trunks": ["network"], "end_points": ["waits"], "lists": ["first"],
             "idles_on_termination": True},
        ],
    })  # fmt: skip
    site.fill("first", ["55510103001", "55520100001"])
    try:
        site.serve()
        site.await_pbx()
        yield site
    finally:
        site.close()


@pytest.fixture(scope="module")
def ear(site: Site) -> Iterator[Ear]:
    ear = Ear(site)
    try:
        yield ear
    finally:
        ear.close()


def ask(site: Site, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
    address = f"http://127.0.0.1:{site.console_port}/api/v1{path}"
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": BASIC, "Content-Type": "application/json"}
    request = urllib.request.Request(address, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text, got = answer.read(), answer.status
    except urllib.error.HTTPError as error:
        text, got = error.read(), error.code
    assert got == status, f"{method} {path}: {got} {text!r}"
    told = json.loads(text) if text else None
    held_against_the_document(method, path, status, told)
    return told


def held_against_the_document(method: str, path: str, status: int, told: Any) -> None:
    """What a real dialer has answered is what is promised; schemathesis (tests/webui/api) has no live run."""
    document = openapi.document()
    (template,) = {
        one.path for one in ROUTES if re.fullmatch(re.sub(r"{\w+}", r"\\d+", one.path), path) and one.method == method
    }  # fmt: skip
    promised = document["paths"][template][method.lower()]["responses"][str(status)].get("content")
    if promised is None:
        assert told is None
        return
    ((_, content),) = promised.items()
    Draft202012Validator({**content["schema"], "components": document["components"]}).validate(told)


def told(ear: Ear, kind: str, **values: Any) -> list[dict[str, Any]]:
    """What was heard of this kind, with these values."""
    return [data for _, heard, data in list(ear.heard) if heard == kind and values.items() <= data.items()]


def state(site: Site, run: int) -> str:
    return str(ask(site, "GET", f"/runs/{run}")["state"])


def test_a_run_from_its_start_to_its_end(site: Site, ear: Ear) -> None:
    until(lambda: ear.answer.status == 200 and site.snapshot() is not None, 20, "somebody listens")
    run = ask(site, "POST", "/runs", {"campaign": "Spring"}, status=201)["id"]
    ask(site, "POST", "/runs", {"campaign": "Spring"}, status=409)
    ended = {"55510103001": ["TERMINATED"], "55520100001": ["RS_BUSY"]}
    until(lambda: site.outcomes("Spring") == ended, 30, "both numbers were dialled")
    until(lambda: state(site, run) == "IDLE", 10, "it waits for more")
    for kind, number in (("call.requested", "55520100001"), ("call.answered", "55510103001")):
        until(lambda: told(ear, kind, number=number), 10, kind)  # noqa: B023 - asked at once
    until(lambda: told(ear, "call.ended", number="55520100001", outcome="RS_BUSY"), 10, "a busy one")
    until(lambda: told(ear, "call.ended", number="55510103001"), 10, "the other one's row was there before it was told")
    (last,) = told(ear, "call.ended", number="55510103001")
    assert (last["outcome"], last["campaign"], last["run"], last["attempt"]) == ("TERMINATED", "Spring", run, 1)
    until(lambda: [each["state"] for each in told(ear, "run.changed")] == ["RUNNING", "IDLE"], 10, "the run's states")

    assert ask(site, "POST", f"/runs/{run}/pause")["state"] == "PAUSED"
    ask(site, "POST", f"/runs/{run}/pause", status=409)
    assert [one["name"] for one in ask(site, "POST", f"/runs/{run}/lists", {"list": "more"})["items"]] == [
        "first",
        "more",
    ]
    order = ask(site, "PUT", f"/runs/{run}/lists", {"lists": ["more", "first"]})["items"]
    assert [one["name"] for one in order] == ["more", "first"]
    more = order[0]["list_id"]
    assert ask(site, "POST", f"/runs/{run}/lists/{more}/pause")["items"][0]["paused"] is True
    site.wombat("import", "more", "-", text="55510101001\n")
    until(lambda: told(ear, "list.grown", list="more"), 10, "an import by a command is told")
    assert ask(site, "POST", f"/runs/{run}/resume")["state"] in ("RUNNING", "IDLE")
    ask(site, "POST", f"/runs/{run}/boost", {"factor": 1.5})
    assert site.snapshot()["runs"][0]["boost"] == 1.5
    assert ask(site, "POST", f"/runs/{run}/reload")["id"] == run
    assert "55510101001" not in site.outcomes("Spring"), "its list is paused"
    ask(site, "POST", f"/runs/{run}/lists/{more}/resume")
    until(lambda: site.outcomes("Spring").get("55510101001") == ["TERMINATED"], 30, "it is dialled then")

    wombatid = ask(site, "POST", "/calls", {"campaign": "Spring", "number": LONG}, status=201)["wombatid"]
    until(lambda: told(ear, "list.grown", list="Spring/AUTO"), 10, "a call that is added is told")
    until(lambda: told(ear, "call.answered", wombatid=wombatid), 20, "it is answered")
    assert ask(site, "GET", f"/calls/{wombatid}")["is_live"] is True
    assert [one["wombatid"] for one in ask(site, "GET", "/calls/live")["items"]] == [wombatid]
    ask(site, "POST", f"/calls/{wombatid}/status", {"status": "SALE"}, status=204)
    ask(site, "POST", f"/calls/{wombatid}/attributes", {"name": "A", "value": "1"}, status=204)
    batch = {"campaign": "Spring", "calls": [{"number": "55520000077"}, {"number": "?"}]}
    assert ask(site, "POST", "/calls/batch", batch)["added"] == 1
    ask(site, "POST", f"/calls/{wombatid}/hang-up", status=204)
    until(lambda: told(ear, "call.ended", wombatid=wombatid), 10, "it is hung up long before its end")
    until(lambda: state(site, run) == "IDLE", 20, "nothing is left")
    assert ask(site, "POST", f"/runs/{run}/remove")["state"] == "REMOVED"
    ask(site, "POST", f"/runs/{run}/resume", status=409)
    until(lambda: told(ear, "run.changed", state="REMOVED"), 10, "the end of the run")
    noted = [what for what, _, detail in site.system_log() if "from 127.0.0.1" in detail]
    assert set(noted) >= {
        "start run", "pause run", "add list more", "order lists", "pause list more", "resume list more", "resume run",
        "boost run to 1.5", "reload run", "calls added", "hang up", "remove run",
    }  # fmt: skip


def test_a_link_that_breaks_and_is_made_again(site: Site, ear: Ear, witness: Witness) -> None:
    until(lambda: site.snapshot() is not None, 10, "the dialer answers")
    before = len(told(ear, "pbx.up"))
    for line in witness.pbx.cli("manager show connected").splitlines():
        words = line.split()
        if words and words[0] == server_of(witness.pbx)["login"]:
            witness.pbx.cli(f"manager kick session {words[4]}")
    until(lambda: told(ear, "pbx.down"), 20, "the link is down")
    until(lambda: len(told(ear, "pbx.up")) > before, 30, "and up again")
    assert told(ear, "pbx.down")[0]["pbx"] == told(ear, "pbx.up")[0]["pbx"]
