"""One site with a campaign for each way in which calls can end; all run at the same time, once for each database.

A number of the simulated network is 555BRRTT and a serial: B what happens, RR the ring time, TT the talk time, both in
tenths of a second (asterisk_conf/extensions.d/simulated-network.conf).
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tests.system.site import Site, Tables, server_of
from tests.system.witness import Seen, Witness
from wombat_ari.core.numbers import format_native

TIMEOUT_MS = 2000
FORCED_S = 2

TRUNKS = {
    "network": "Local/${num}@watched/n",
    "unwatched": "Local/${num}@simulated-network/n",
    "no context": "Local/${num}@no-such-context/n",
    "no technology": "Nothing/${num}",
    "no PJSIP end point": "PJSIP/${num}@nosuch",
    "applications": "Local/${num}@trunk-of-applications/n",
}
ENDS = {"waits": "101", "half a second": "905", "at once": "102", "message": "100", "status": "103", "agi": "104",
        "echo": "700"}  # fmt: skip

CALLEE = [f"5551{ring:02}{talk:02}01" for ring in (0, 2, 7) for talk in (3, 12)]
FAILING = {
    "55520001": "RS_BUSY",
    "55520501": "RS_BUSY",
    "55530000": "RS_NOANSWER",
    "55590000": "RS_NOANSWER",
    "55540001": "RS_NUMBER",
    "55540401": "RS_NUMBER",
    "55550001": "RS_REJECTED",
    "55550601": "RS_REJECTED",
    "55560001": "RS_REJECTED",
    "55560301": "RS_REJECTED",
}
RETRIED = {  #: number -> how its attempts end
    "5552010001": ["RS_BUSY"] * 3,
    "5557020501": ["RS_BUSY", "TERMINATED"],
    "5553000001": ["RS_NOANSWER"] * 2,
    "5558020501": ["RS_NOANSWER", "TERMINATED"],
    "5556010001": ["RS_REJECTED"] * 3,
    "5554010001": ["RS_NUMBER"],
    "5551010501": ["TERMINATED"],
}
RULES: list[dict[str, Any]] = [
    {"status": "RS_BUSY", "max_attempts": 2, "retry_after_s": 1},
    {"status": "RS_NOANSWER", "max_attempts": 1, "retry_after_s": 2},
    {"status": "RS_REJECTED", "max_attempts": 2, "retry_after_s": 1, "mode": "MULTI"},
    {"status": "TERMINATED", "extended_status": "9", "max_attempts": 5, "retry_after_s": 1},
]
WAITS_S = {"RS_BUSY": (1, 1), "RS_NOANSWER": (2,), "RS_REJECTED": (1, 2)}  #: retry delays by those rules

#: Values that must reach the dialplan exactly, and come back exactly over FastAGI.
NOTES = {
    "55510001001": "one, two,three",
    "55510001002": "she said \"no\", 'maybe'",
    "55510001003": "back\\slash \\n \\, at the end\\",
    "55510001004": "Zoë – 日本語 – 🐨",
    "55510001005": "(open [and {not closed",
    "55510001006": "${EXTEN} $[1+1] ${SHELL(id)}",
    "55510001007": "  spaces around; semicolon | bar = equals & and % percent + plus  ",
    "55510001008": "a=b,INJECTED=evil",
    "55510001009": "",
}
NAMES = {number: f"N{serial}" for serial, number in enumerate(NOTES)}


BLACK = "5551000099"


def _campaign(name: str, trunk: str, end: str, numbers: list[str], **values: Any) -> dict[str, Any]:
    return {"name": name, "trunk": trunk, "end": end, "numbers": numbers, "values": values}


CAMPAIGNS = [
    _campaign("callee", "network", "waits", [*CALLEE, *FAILING]),
    _campaign("end point", "network", "half a second", ["5551000001", "5551050001"]),
    _campaign("at once", "network", "at once", ["5551010001", "5551000001"]),
    _campaign("forced", "network", "waits", ["5551010001", "5551001001"], forced_closure_s=FORCED_S),
    _campaign("retried", "network", "waits", list(RETRIED), rule=RULES, answer_timeout_ms=1500),
    _campaign("again by status", "network", "status", ["5551010501"],
              rule=[{"status": "TERMINATED", "extended_status": "2", "max_attempts": 1, "retry_after_s": 1}]),
    _campaign("unknown number", "unwatched", "waits", ["77712345"]),
    _campaign("no context", "no context", "waits", ["5551010101"]),
    _campaign("no technology", "no technology", "waits", ["5551010101"]),
    _campaign("no PJSIP end point", "no PJSIP end point", "waits", ["5551010101"]),
    _campaign("applications", "applications", "waits", ["100", "200", "300", "400"]),
    _campaign("nowhere", "network", "nowhere", ["5551010101"]),
    _campaign("message", "network", "message", ["5551010001"]),
    _campaign("status", "network", "status", ["5551010501"]),
    _campaign("agi", "network", "agi", ["5551010001"]),
    _campaign("echo", "network", "echo", list(NOTES)),
    _campaign("too long", "network", "echo", ["5551000101"]),
    _campaign("black", "network", "at once", ["5551000002", BLACK, "5551000003"], black_lists=["nobody calls"]),
]  # fmt: skip


@dataclass
class Scene:
    """What came of it, from both sides."""

    site: Site
    witness: Witness
    attempts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  #: by campaign
    seen: dict[int, Seen] = field(default_factory=dict)  #: by WOMBATID
    stall_s: float = 0.0  #: how long the machine held up a thread of this process at worst

    def of(self, campaign: str, number: str | None = None) -> list[dict[str, Any]]:
        """The attempts of a campaign, or of one of its records."""
        return [row for row in self.attempts[campaign] if number in (None, row["number"])]

    def one(self, campaign: str, number: str | None = None) -> dict[str, Any]:
        (only,) = self.of(campaign, number)
        return only


def tables_of(witness: Witness) -> Tables:
    """The whole plan."""
    ends = [
        {"name": name, "extension": extension, "context": "watched-ends", "max_channels": 50}
        for name, extension in ENDS.items()
    ]
    ends.append({"name": "nowhere", "extension": "101", "context": "no-such-ends", "max_channels": 50})
    return {
        "server": [server_of(witness.pbx)],
        "trunk": [{"name": name, "dial_string": dial, "capacity": 50} for name, dial in TRUNKS.items()],
        "end_point": ends,
        "list": [{"name": name} for name in ("nobody calls", *(each["name"] for each in CAMPAIGNS))],
        "campaign": [
            {
                "name": each["name"], "trunks": [each["trunk"]], "end_points": [each["end"]], "lists": [each["name"]],
                "answer_timeout_ms": TIMEOUT_MS, **each["values"],
            }
            for each in CAMPAIGNS
        ],
    }  # fmt: skip


def fill(site: Site) -> None:
    """The lists: those with attributes as native text, the others as well; one as CSV."""
    port = str(site.agi_port)
    site.fill("nobody calls", ["5559999999", BLACK])
    for each in CAMPAIGNS:
        name, numbers = each["name"], each["numbers"]
        if name == "echo":
            attributes = {number: {"NAME": NAMES[number], "NOTE": NOTES[number]} for number in numbers}
            site.fill(name, [format_native(n, {**attributes[n], "WOMBAT_AGI_PORT": port}, {}) for n in numbers])
        elif name == "too long":
            attributes = {f"NOTE{count}": "🐨" * 1000 for count in range(40)}
            site.fill(name, [format_native(number, attributes, {}) for number in numbers])
        elif name == "agi":
            text = f'NUMBER,WOMBAT_AGI_PORT,NAME\n{numbers[0]},{port},"quoted ""so"", and a comma"\n'
            site.wombat("import", name, "-", "--csv", text=text)
        else:
            site.fill(name, numbers)


def play(site: Site, witness: Witness) -> Scene:
    """Set up, run all campaigns to their ends, stop."""
    scene = Scene(site, witness)
    site.apply(tables_of(witness))
    fill(site)
    site.serve()
    site.await_pbx()
    with Stalls() as stalls:
        site.run(*(each["name"] for each in CAMPAIGNS))
        site.finish(120)
    scene.stall_s = stalls.worst
    for each in CAMPAIGNS:
        scene.attempts[each["name"]] = site.attempts(each["name"])
    scene.seen = witness.seen()
    return scene


class Stalls:
    """Measures how late a thread that wants to wake every 5 ms is woken at worst: the machine's part in any delay."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Stalls:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._done.wait(0.005):
            now = time.monotonic()
            self.worst = max(self.worst, now - before - 0.005)
            before = now
