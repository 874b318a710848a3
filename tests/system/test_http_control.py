"""The compatible API beside real processes and a real Asterisk: scripts and dialplans as written for the original."""

from __future__ import annotations

import base64
import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.site import Site, server_of, until
from tests.system.witness import LOGIN, SECRET, Witness
from tests.tools.ami import Ami

SCRIPTS = Path(__file__).parents[1] / "webui" / "scripts"
USER = "admin:correct horse battery"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, witness: Witness) -> Iterator[Site]:
    admin = {"WOMBAT_ARI_ADMIN_PASSWORD": USER.partition(":")[2]}
    site = Site(tmp_path_factory.mktemp("http"), settings=admin)
    common = {"trunks": ["network"], "end_points": ["waits"]}
    site.wombat("init")
    site.apply({
        "server": [server_of(witness.pbx)],
        "trunk": [{"name": "network", "dial_string": "Local/${num}@watched/n", "capacity": 10}],
        "end_point": [{"name": "waits", "extension": "101", "context": "watched-ends", "max_channels": 10}],
        "campaign": [
            {"name": "template", **common},
            {"name": "callback", "idles_on_termination": True, **common},
        ],
    })  # fmt: skip
    try:
        site.serve()
        site.await_pbx()
        yield site
    finally:
        site.close()


def ask(site: Site, path: str, **params: object) -> str:
    """From this machine, without a log-on."""
    status, text = site.get(f"/wombat/api/{path}?{urllib.parse.urlencode(params)}")
    assert status == 200, text
    return text


def asked(site: Site, path: str, **params: object) -> dict:
    """With a log-on; the JSON."""
    address = f"http://127.0.0.1:{site.console_port}/wombat/api/{path}?{urllib.parse.urlencode(params)}"
    credentials = base64.b64encode(USER.encode()).decode()
    request = urllib.request.Request(address, headers={"Authorization": f"Basic {credentials}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return dict(json.load(answer))


def test_a_script_from_template_to_report(site: Site) -> None:
    numbers = "55510103001,NAME:Ann|55520100001|55510103002|55510103001|55540001001"
    api = f"http://127.0.0.1:{site.console_port}/wombat/api"
    command = [str(SCRIPTS / "run_from_template.sh"), api, USER, "template", "monday", "monday-numbers", numbers]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split("\n") == ["RS_BUSY 1", "RS_NUMBER 1", "TERMINATED 2", ""]
    assert "1 were there already, 4 of 5 added to list monday-numbers" in done.stderr
    assert site.outcomes("monday") == {
        "55510103001": ["TERMINATED"], "55510103002": ["TERMINATED"], "55520100001": ["RS_BUSY"],
        "55540001001": ["RS_NUMBER"],
    }  # fmt: skip


def test_the_dialplan_of_the_callback_recipe(site: Site, witness: Witness) -> None:
    """A caller's dialplan gets the address by CURL(); the number is dialled, with the attributes it gave."""
    assert ask(site, "campaigns/", op="start", campaign="callback").startswith("OK")
    until(lambda: site.snapshot()["runs"], 20, "the run is live")
    with Ami(witness.pbx, user=LOGIN, secret=SECRET) as ami:
        ami.act(
            "Originate",
            variables={"API": f"http://127.0.0.1:{site.console_port}/wombat/api", "CBNUM": "55510103007"},
            Channel="Local/s@callback/n",
            Application="Wait",
            Data="1",
            Async="true",
        )
        until(lambda: site.outcomes("callback"), 20, "the number is dialled back")
    (attempt,) = site.attempts("callback")
    assert (attempt["number"], attempt["outcome"]) == ("55510103007", "TERMINATED")
    given = site.rows("SELECT input_attributes FROM call_log WHERE number = '55510103007'")[0][0]
    assert json.loads(given)["orgQ"] == "400"
    assert len(json.loads(given)["when"]) == 12
    assert ask(site, "campaigns/", op="start", campaign="callback").startswith("OK: ignored"), "it is running already"


def test_status_and_attributes_of_a_live_call(site: Site) -> None:
    ask(site, "campaigns/", op="start", campaign="callback")
    told = ask(site, "calls/", op="addcall", campaign="callback", number="55510130001", attrs="ID:2301,PERS:John Doe")
    wombatid = int(told.split("WOMBATID:")[1])
    call = asked(site, "callinfo/", id=wombatid)["result"]
    assert call["call"]["number"] == "55510130001"
    until(lambda: _is_connected(site, wombatid), 20, "it is connected")
    assert "Event CALLSTATUS queued" in ask(site, "calls/", op="extstatus", wombatid=wombatid, status="XY")
    one = {"wombatid": wombatid, "attr": "AB"}
    for params in ({"op": "attr", "val": 'CD, "x" ${y} é'}, {"op": "attrAppend", "val": "EF"}):
        assert ask(site, "calls/", **one, **params).startswith("OK")
    until(lambda: "55510130001" in site.outcomes("callback"), 30, "it has ended")
    sql = "SELECT extended_status, output_attributes FROM call_log WHERE wombatid = %s"
    status, outputs = site.rows(sql, (wombatid,))[0]
    assert status == "XY"
    assert json.loads(outputs)["AB"] == 'CD, "x" ${y} éEF'
    assert asked(site, "callinfo/", id=wombatid)["result"]["isLive"] is False
    late = ask(site, "calls/", op="extstatus", wombatid=wombatid, status="LATE")
    assert "queued" in late
    until(lambda: site.rows(sql, (wombatid,))[0][0] == "LATE", 10, "a late status is added")


def test_steering(site: Site) -> None:
    ask(site, "campaigns/", op="start", campaign="callback")
    assert ask(site, "campaigns/", op="pause", campaign="callback").startswith("OK: campaign")
    ask(site, "lists/", op="addToList", list="more", numbers="55510101001|55510101002")
    assert "more" in ask(site, "runlists/", op="start", campaign="callback", list="more")
    shown = ask(site, "runlists/", op="pause", campaign="callback", list="more")
    assert "LIST:PAUSED:0:2:0:more" in shown
    assert ask(site, "campaigns/", op="unpause", campaign="callback").startswith("OK: campaign")
    ask(site, "runlists/", op="start", campaign="callback", list="more")
    until(lambda: {"55510101001", "55510101002"} <= set(site.outcomes("callback")), 20, "the list is dialled")
    assert ask(site, "campaigns/", op="boost", campaign="callback", factor=150).startswith("OK")
    assert site.snapshot()["runs"][0]["boost"] == 1.5
    until(lambda: site.snapshot()["runs"][0]["state"] == "IDLE", 20, "it idles: only then it can be removed")
    assert ask(site, "campaigns/", op="remove", campaign="callback").startswith("OK: campaign")
    assert ask(site, "campaigns/", op="remove", campaign="callback").startswith("OK: ignored")
    assert ask(site, "calls/", op="addcall", campaign="callback", number="1").startswith("ERROR: campaign 'callback'")


def _is_connected(site: Site, wombatid: int) -> bool:
    calls = asked(site, "inspect_dialer/", op="LIVE_CALLS")["result"]["calls"]
    return any(call["id"] == wombatid and call["state"] == "CONNECTED" for call in calls)
