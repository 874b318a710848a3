"""``wombat-ari check`` beside a real Asterisk: what is right is said to be right, each mistake is found and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.system.site import Site, server_of
from tests.system.witness import Witness

END = {"server": "pbx", "extension": "100", "context": "simulated-endpoints"}
QUEUE = {"server": "pbx", "type": "QUEUE", "extension": "999", "context": "simulated-endpoints"}


def plan(witness: Witness) -> dict[str, list[dict[str, Any]]]:
    return {
        "server": [
            server_of(witness.pbx),
            server_of(witness.pbx, name="stranger", password="wrong"),
            server_of(witness.pbx, name="nobody", port=1),
            server_of(witness.pbx, name="asleep", enabled=False),
            server_of(witness.pbx, name="far", address="192.0.2.9"),
        ],
        "trunk": [
            {"name": "good", "server": "pbx", "dial_string": "Local/${num}@simulated-network/n"},
            {"name": "renamed", "server": "pbx", "dial_string": "Local/${num}@simulated-network"},
            {"name": "lost", "server": "pbx", "dial_string": "Local/${num}@nowhere/n"},
            {"name": "odd", "server": "pbx", "dial_string": "Morse/${num}"},
        ],
        "end_point": [
            {"name": "message", **END},
            {"name": "missing", **END, "extension": "no-such"},
            {"name": "999", **QUEUE},
            {"name": "no-such-queue", **QUEUE},
            # Its own extension is not dialled: the agent goes to the shipped context.
            {"name": "998", **QUEUE, "reverse": True, "extension": "not-used", "context": "not-used"},
        ],
    }


def test_the_doctor_names_each_mistake(new_site: Callable[..., Site], witness: Witness) -> None:
    site = new_site()
    site.wombat("init")
    site.apply(plan(witness))
    found = json.loads(site.wombat("check", "--json", status=1).stdout)
    told = {(each["about"], each["grade"]): each for each in found}
    texts = {about: [each["text"] for each in found if each["about"] == about] for about, _ in told}
    assert ("dialer", "warning") in told, "no dialer runs"
    assert "logged in" in texts["server pbx"][0]
    assert "Authentication failed" in told["server stranger", "bad"]["text"]
    assert "refused" in told["server nobody", "bad"]["text"]
    assert texts["server asleep"] == ["is not enabled"]
    (stranger,) = texts["api.open_to"]
    assert stranger.startswith("192.0.2.9 (server far) is not in it"), "and this machine's are"
    assert told["trunk good", "good"]["text"] == "5550000000@simulated-network is in the dialplan"
    assert "/n" in told["trunk renamed", "warning"]["text"]
    assert told["trunk lost", "bad"]["text"] == "the dialplan has no 5550000000@nowhere"
    assert "Morse" in told["trunk odd", "bad"]["text"]
    assert ("end point message", "good") in told
    assert told["end point missing", "bad"]["text"] == "the dialplan has no no-such@simulated-endpoints"
    assert texts["end point 999"] == ["999@simulated-endpoints is in the dialplan", "the queue 999 is there"]
    assert told["end point no-such-queue", "bad"]["text"] == "the PBX has no queue no-such-queue"
    assert told["end point 998", "good"]["text"] == "s@wombat-reverse is in the dialplan"
    assert all(each["advice"] for each in found if each["grade"] == "bad")
