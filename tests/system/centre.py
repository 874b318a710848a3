"""A call centre for system tests: a PBX with queues and phones, a second Asterisk that plays the phones, a dialer.

What the dialer shows of a queue is asked over its control socket as fast as it answers, so that how far it is behind
what AMI told can be measured.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from tests.system import agents
from tests.system.agents import Agent, Floor, Heard
from tests.system.control import Control
from tests.system.site import Site, Tables, server_of, until
from tools.provision.asterisk import AsteriskInstance
from wombat_ari.model.entities import Campaign, CampaignList
from wombat_ari.store import campaigns, entities, lists

PHONES = 5
RING = 10  #: tenths of a second that a phone rings
LATE_S = 1.0
"""How far behind AMI the dialer may be. The aim is 0.2 s; what was measured is printed, and its median must be it."""

#: The phones: INVITE sip:AARRTT is answered as the simulated agent of that number.
PHONES_CONF = {
    "pjsip.d/pbx.conf": """
[pbx]
type = endpoint
context = simulated-agents
disallow = all
allow = ulaw
[pbx]
type = identify
endpoint = pbx
match = 127.0.0.1
""",
}
_PHONE = """
[phone{serial}]
type = endpoint
aors = phone{serial}
context = simulated-endpoints
disallow = all
allow = ulaw
[phone{serial}]
type = aor
contact = sip:{serial:02}{ring:02}00@127.0.0.1:{port}
"""
#: wrap: agents have two seconds after a call. second: for agents of two queues. keys: callers may leave by a key.
#: double: its end point dials two for one. four: the same, four at a time.
QUEUES = {"wrap": "wrapuptime = 2", "second": "", "keys": "context = keys", "double": "", "four": ""}
_QUEUE = """
[{name}]
strategy = rrmemory
ringinuse = no
autofill = yes
timeout = 15
retry = 1
joinempty = yes
{more}
"""
_DIALPLAN = "[simulated-endpoints]\n" + "".join(
    f"exten => {name},1,Answer(,i)\n same => n,Queue({name})\n same => n,Hangup()\n" for name in QUEUES
) + """
; Callers whom only agents with a penalty of at most 1 may take.
exten => choosy,1,Answer(,i)
 same => n,Set(QUEUE_MAX_PENALTY=1)
 same => n,Queue(999)
[keys]
exten => 1,1,Wait(3600)
"""  # fmt: skip


def phone(serial: int) -> Agent:
    """An agent at a real phone, 1 to PHONES."""
    return Agent(serial, phone=f"PJSIP/phone{serial}")


def pbx_conf(sip_port: int) -> dict[str, str]:
    """What the PBX has besides what is shipped."""
    phones = (_PHONE.format(serial=serial, ring=RING, port=sip_port) for serial in range(1, PHONES + 1))
    return {
        **agents.CONF,
        "pjsip.d/phones.conf": "".join(phones),
        "queues.d/more.conf": "".join(_QUEUE.format(name=name, more=more) for name, more in QUEUES.items()),
        "extensions.d/more-queues.conf": _DIALPLAN,
    }


def queue_end_point(name: str, queue: str = "999", **values: Any) -> dict[str, Any]:
    """The plan's table of an end point that leads to a queue."""
    extension = {"extension": queue, "context": "simulated-endpoints"}
    return {"name": name, "type": "QUEUE", "max_channels": 20, "max_waiting": 2, **extension, **values}


def plan(pbx: AsteriskInstance) -> Tables:
    """One server, a trunk for each test that dials, an end point for each queue."""
    return {
        "server": [server_of(pbx)],
        "trunk": [
            {"name": name, "dial_string": "Local/${num}@simulated-network/n", "capacity": capacity}
            for name, capacity in (("network", 30), ("six", 6))
        ],
        "end_point": [
            *(queue_end_point(name, name) for name in ("999", "second", "keys")),
            queue_end_point("wrap", "wrap", wrap_up_s=2),
            queue_end_point("double", "double", boost_factor=2.0),
            queue_end_point("four", "four", boost_factor=2.0, max_channels=4),
            queue_end_point("nowhere", "999"),
        ],
    }


@dataclass
class Centre:
    """``floor`` is where agents and callers act; ``late`` is how far behind the dialer was, by what had happened."""

    pbx: AsteriskInstance
    floor: Floor
    site: Site
    late: list[tuple[float, str]] = field(default_factory=list)
    logged_on: set[tuple[Agent, str]] = field(default_factory=set)
    campaigns: int = 0

    def __enter__(self) -> Self:
        return self

    # The floor, remembered

    def log_on(self, *who: Agent, queue: str = "999", penalty: int = 0) -> Heard:
        """Log on one after the other; answers the last QueueMemberAdded."""
        heard = None
        for agent in who:
            since = self.floor.now()
            self.floor.log_on(agent, queue, Penalty=penalty)
            self.logged_on.add((agent, queue))
            heard = self.floor.await_event("QueueMemberAdded", since=since, Interface=agent.interface, Queue=queue)
        assert heard is not None
        return heard

    def log_off(self, *who: Agent, queue: str = "999") -> Heard:
        heard = None
        for agent in who:
            since = self.floor.now()
            self.floor.log_off(agent, queue)
            self.logged_on.discard((agent, queue))
            heard = self.floor.await_event("QueueMemberRemoved", since=since, Interface=agent.interface, Queue=queue)
        assert heard is not None
        return heard

    def run(self, end_point: str, numbers: Sequence[str], *, trunk: str = "network", **values: Any) -> str:
        """A new campaign for these numbers, started; answers its name. Not by the command line, which takes longer."""
        self.campaigns += 1
        name, now, database = f"campaign {self.campaigns}", time.time(), self.site.database
        made = lists.list_named(database, name, by="test", now=now)
        assert made.id is not None
        lists.import_native(database, made.id, source="\n".join(numbers), by="test", now=now)
        (end,) = [each.id for each in entities.list_end_points(database) if each.name == end_point]
        links = {
            "trunk_ids": (entities.load_trunk(database, trunk).id,),
            "end_point_ids": (end,),
            "lists": (CampaignList(made.id, name),),
        }
        campaigns.save_campaign(database, Campaign(None, name, **links, **values), by="test", now=now)
        self.site.run(name)
        return name

    def stop_run(self, campaign: str) -> None:
        for command in ("PauseRun", "RemoveRun"):
            self.command(command, campaign)

    def command(self, command: str, campaign: str) -> None:
        """PauseRun, ResumeRun, RemoveRun."""
        with Control(self.site.state / "control.sock") as control:
            control.ask(command, campaign=campaign, by="test")

    def clear(self) -> None:
        """Everybody goes home: no call, no agent, no live run; the dialer knows."""
        for run in self.site.snapshot()["runs"]:
            self.stop_run(run["campaign"])
        for agent, queue in list(self.logged_on):
            self.log_off(agent, queue=queue)
        self.floor.act("Hangup", Channel="/^.*$/", Cause=16)
        until(lambda: "0 active channels" in self.pbx.cli("core show channels count"), 30, "no channel is left")
        until(self._is_quiet, 30, "the dialer knows that all is quiet")

    def _is_quiet(self) -> bool:
        shown = self.site.snapshot()
        points = [point for point in shown["end_points"] if point["name"] != "nowhere"]
        empty = all(not point["queue"]["agents"] and not point["queue"]["callers"] for point in points)
        return empty and not shown["runs"] and not shown["calls"]

    # What the dialer shows

    def shown(self, end_point: str = "999") -> dict[str, Any]:
        """What it shows of an end point: the figures of its queue, and ``free``, ``used``, ``states`` by name."""
        (point,) = [each for each in self.site.snapshot()["end_points"] if each["name"] == end_point]
        queue = point["queue"]
        states = {agent["name"]: agent["state"] for agent in queue["agents"]}
        numbers = [caller["number"] for caller in queue["callers"]]
        return {**queue, **{key: point[key] for key in ("free", "used", "up")}, "states": states, "callers": numbers}

    def follows(self, heard: Heard, what: str, end_point: str = "999", **expected: Any) -> None:
        """The dialer comes to show this, not later than ``LATE_S`` after AMI told the event."""
        while True:
            shown = self.shown(end_point)
            late = time.monotonic() - heard.at
            seen = {key: shown[key] for key in expected}
            if seen == expected:
                self.late.append((late, what))
                return
            if late > LATE_S:
                pytest.fail(f"{what}: {late:.3f} s after {heard['Event']} the dialer shows {seen}, not {expected}")

    def report(self) -> str:
        """How late it was."""
        if not self.late:
            return "nothing was measured"
        values = [late for late, _ in self.late]
        worst = ", ".join(f"{late * 1000:.0f} ms {what}" for late, what in sorted(self.late, reverse=True)[:3])
        return f"{len(values)} changes followed; median {statistics.median(values) * 1000:.0f} ms; worst: {worst}"


def opened(stack: ExitStack, folder: Path) -> Centre:
    """Start everything; ended by the stack."""
    phones = stack.enter_context(AsteriskInstance(folder / "phones", name="phones", extra_conf=PHONES_CONF))
    pbx = stack.enter_context(AsteriskInstance(folder / "pbx", name="pbx", extra_conf=pbx_conf(phones.sip_port)))
    site = Site(folder / "site")
    stack.callback(site.close)
    floor = stack.enter_context(Floor(pbx))
    site.apply(plan(pbx))
    site.serve()
    site.await_pbx()
    return Centre(pbx, floor, site)
