"""``wombat-ari check`` beside a real Asterisk: what is right is said to be right, each mistake is found and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.system.site import Site, server_of
from tests.system.witness import Witness

END = {"server": "pbx", "extension": "100", "context": "simulated-endpoints"}
ARI_WRONG = {"ari_user": "wombat", "ari_password": "wrong"}
QUEUE = {"server": "pbx", "type": "QUEUE", "extension": "999", "context": "simulated-endpoints"}


def plan(witness: Witness) -> dict[str, list[dict[str, Any]]]:
    return {
        "server": [
            server_of(witness.pbx, ari_url=f"http://127.0.0.1:{witness.pbx.http_port}/ari", **ARI_WRONG),
            server_of(witness.pbx, name="tls", tls=True),
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
            {"name": "carrier", "server": "pbx", "dial_string": "PJSIP/${num}@no-carrier"},
            {"name": "large", "server": "pbx", "dial_string": "Local/${num}@simulated-network/n", "capacity": 900_000},
        ],
        "end_point": [
            {"name": "message", **END},
            {"name": "missing", **END, "extension": "no-such"},
            {"name": "999", **QUEUE, "wrap_up_s": 7},
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
    pbx = "\n".join(texts["server pbx"])
    for word in ("logged in", "all write classes", "all read classes", "clock agrees", "app_amd", "func_strings"):
        assert word in pbx
    assert "9000050 wanted for all lines" in pbx, "more than it has"
    assert f"does not reach FastAGI at 127.0.0.1:{site.agi_port}" in pbx, "no dialer listens"
    assert "refuses the user wombat" in told["server pbx", "bad"]["text"], "ARI"
    assert "does not speak TLS" in told["server tls", "bad"]["text"]
    assert "Authentication failed" in told["server stranger", "bad"]["text"]
    assert "refused" in told["server nobody", "bad"]["text"]
    assert texts["server asleep"] == ["is not enabled"]
    (stranger,) = texts["api.open_to"]
    assert stranger.startswith("192.0.2.9 (server far) is not in it"), "and this machine's are"
    line = 'open_to = ["127.0.0.1", "::1", "192.0.2.9"]'
    assert told["api.open_to", "warning"]["advice"].endswith(line)
    assert f"  {line}\nor set WOMBAT_ARI_API_OPEN_TO=127.0.0.1,::1,192.0.2.9\n" in site.wombat("init").stdout
    assert told["trunk good", "good"]["text"] == "5550000000@simulated-network is in the dialplan"
    assert "/n" in told["trunk renamed", "warning"]["text"]
    assert told["trunk lost", "bad"]["text"] == "the dialplan has no 5550000000@nowhere"
    assert "Morse" in told["trunk odd", "bad"]["text"]
    assert ("end point message", "good") in told
    assert told["end point missing", "bad"]["text"] == "the dialplan has no no-such@simulated-endpoints"
    assert texts["end point 999"][:3] == [
        "999@simulated-endpoints is in the dialplan", "the queue 999 is there", "autofill of 999 is on",
    ]  # fmt: skip
    assert told["end point 999", "warning"]["text"] == "wrapuptime of 999 is 0 s, the end point says 7 s"
    assert told["end point no-such-queue", "bad"]["text"] == "the PBX has no queue no-such-queue"
    assert "s@wombat-reverse is in the dialplan" in texts["end point 998"]
    assert told["trunk carrier", "bad"]["text"] == "PJSIP has no end point no-carrier"
    assert all(each["advice"] for each in found if each["grade"] == "bad")


def test_a_running_dialer_is_reached_by_fastagi(new_site: Callable[..., Site], witness: Witness) -> None:
    site = new_site()
    site.wombat("init")
    ari = {"ari_url": f"http://127.0.0.1:{witness.pbx.http_port}/ari", "ari_user": "wombat"}
    site.apply({"server": [server_of(witness.pbx, **ari, ari_password=witness.pbx.ari_password)]})
    site.serve()
    found = json.loads(site.wombat("check", "--json").stdout)
    assert [each["text"] for each in found if each["grade"] != "good"] == []
    texts = [each["text"] for each in found]
    assert f"reaches FastAGI at 127.0.0.1:{site.agi_port}" in texts
    assert "the dialplan has wombat-track, wombat-gone" in texts
    assert any(text.startswith("ARI at") and "logged in" in text for text in texts)
    assert "mistake of ours" not in site.log()
    assert "unknown verb" not in site.log()


RIGHTS = """
[poor]
secret = poor
read = system
write = originate
"""


#: Shipped contexts that the PBX has not, what does not work without each, and the file that has it.
LACKED = {
    "wombat-gone": ("RS_LOST", "wombat.conf"),
    "wombat-answered": ("how they end", "wombat.conf"),
    "wombat-bridged": ("do not come to the bridge", "wombat-ari.conf"),
    "wombat-flow-queue": ("cannot send a caller to a queue", "wombat-flow.conf"),
}


def test_a_login_without_rights_and_contexts_that_are_not_there(
    new_site: Callable[..., Site], new_asterisk: Callable[..., Any]
) -> None:
    pbx = new_asterisk(extra_conf={"manager.d/poor.conf": RIGHTS})
    for context in (*LACKED, "wombat-bridge"):
        pbx.cli(f"dialplan remove context {context}")
    site = new_site()
    site.wombat("init")
    site.apply({
        "server": [server_of(pbx), server_of(pbx, name="poor", login="poor", password="poor")],
        "end_point": [
            {"name": "flow", "server": "pbx", "type": "FLOW", "extension": "survey", "context": ""},
            {"name": "998", "server": "pbx", "type": "QUEUE", "reverse": True, "extension": "x",
             "context": "wombat-bridge"},
        ],
    })  # fmt: skip
    found = json.loads(site.wombat("check", "--json", status=1).stdout)
    assert not any("mistake" in each["text"] for each in found)
    told = {(each["about"], each["text"].partition(":")[0]): each for each in found}
    for context, (what, file) in LACKED.items():
        lacked = told["server pbx", f"the dialplan has no {context}"]
        assert what in lacked["text"]
        assert lacked["advice"] == f"copy the context from asterisk_conf/extensions.d/{file}"
    assert not any("wombat-track" in each["text"] for each in found if each["grade"] != "good")
    assert "wombat-ari.conf" in told["end point 998", "the dialplan has no s@wombat-bridge"]["advice"]
    assert told["end point flow", "there is no flow survey"]["grade"] == "warning"
    texts = [f"{each['text']} -> {each['advice']}" for each in found if each["about"] == "server poor"]
    assert any(
        "may not write call, reporting, system -> add call,reporting,system to write =" in text for text in texts
    ), texts
    assert any("may not write agent" in text for text in texts)
    assert any("may not write command" in text for text in texts)
