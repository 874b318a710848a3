"""A site for reverse dialling: a queue and an end point for each story, agents, and a PBX far away that plays phones of
agents and a carrier. The dialplan notes, by its own clock, when whose phone rang and what it saw.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.system import agents, witness
from tests.system.agents import Floor
from tests.system.control import Control
from tests.system.site import Site, server_of, until
from tests.system.witness import Witness
from tools.provision.asterisk import AsteriskInstance
from wombat_ari.store import entities, lists

QUEUES = "".join(f"[q{n:02}]\nstrategy = rrmemory\nringinuse = no\nautofill = yes\n" for n in range(1, 41))
_NOTE = "Set(FILE(/mnt/log/witness,,,al,u)={}|${{WOMBATID}}|${{STRFTIME(,,%s%3q)}}|{})"
WATCHED = f"""
[watched-agents]
exten => _XXXXXX,1,{_NOTE.format("rung", "${EXTEN:0:2}|${CALLERID(num)}|${CALLERID(name)}")}
 same => n,Set(CHANNEL(hangup_handler_push)=watched-agents-end,s,1)
 same => n,Goto(simulated-agents,${{EXTEN}},1)

[watched-agents-end]
exten => s,1,{_NOTE.format("let-go", "")}
 same => n,Return()

[watched-callees]
exten => _X.,1,{_NOTE.format("called", "${CALLERID(num)}|${CALLERID(name)}")}
 same => n,Goto(watched,${{EXTEN}},1)

; Who answers when the test says so: all by the global variable GO, one by GO_NUMBER ("busy" rejects, "stay" talks on).
[agents-on-command]
exten => _XX,1,{_NOTE.format("rung", "${EXTEN}|${CALLERID(num)}|${CALLERID(name)}")}
 same => n,Set(CHANNEL(hangup_handler_push)=watched-agents-end,s,1)
 same => n,Gosub(on-command,s,1(${{EXTEN}}))
 same => n,Wait(3600)

[callees-on-command]
exten => _X.,1,{_NOTE.format("called", "${CALLERID(num)}|${CALLERID(name)}")}
 same => n,Set(CHANNEL(hangup_handler_push)=watched-end,s,1)
 same => n,Gosub(on-command,s,1(${{EXTEN}}))
 same => n,Wait(${{IF($["${{GLOBAL(GO_${{EXTEN}})}}" = "stay"]?3600:0.5)}})
 same => n,Hangup(16)

[on-command]
exten => s,1,Ringing()
 same => n(wait),Wait(0.05)
 same => n,GotoIf($["${{GO}}${{GLOBAL(GO_${{ARG1}})}}" = ""]?wait)
 same => n,ExecIf($["${{GLOBAL(GO_${{ARG1}})}}" = "busy"]?Hangup(17))
 same => n,Set(WOMBAT_UP=${{STRFTIME(,,%s%3q)}})
 same => n,Answer(,i)
 same => n,Return()

; A callee's context that tells a status and an attribute.
[telling-callees]
exten => _X.,1,Answer(,i)
 same => n,UserEvent(CALLSTATUS,Uniqueid:${{UNIQUEID}},V:7)
 same => n,UserEvent(ATTRIBUTE,Uniqueid:${{UNIQUEID}},HEARD:yes)
 same => n,Wait(0.3)
 same => n,Hangup()
"""
FAR = {
    "pjsip.d/pbx.conf": """
[pbx]
type = endpoint
context = from-pbx
disallow = all
allow = ulaw
[pbx]
type = identify
endpoint = pbx
match = 127.0.0.1
""",
    "extensions.d/from-pbx.conf": """
[from-pbx]
exten => _555XXXXX!,1,Goto(simulated-network,${EXTEN},1)
exten => _XXXXXX,1,Goto(simulated-agents,${EXTEN},1)
""",
}
_PHONES = """
[{name}]
type = endpoint
aors = {name}
disallow = all
allow = ulaw
from_user = 0123
[{name}]
type = aor
contact = sip:{user}127.0.0.1:{port}
"""
TRUNKS = {
    "network": "Local/${num}@watched-callees/n",
    "no context": "Local/${num}@no-such-context/n",
    "no technology": "Nothing/${num}",
    "no PJSIP end point": "PJSIP/${num}@nosuch",
    "on command": "Local/${num}@callees-on-command/n",
    "telling": "Local/${num}@telling-callees/n",
    "carrier": "PJSIP/${num}@carrier",
}


@dataclass(frozen=True)
class Agent:
    """Somebody at a phone; ``interface`` if it is not a simulated one."""

    serial: int
    ring: int = 2  #: tenths of a second until they answer, 99: never
    talk: int = 0  #: tenths of a second until they hang up, 0: never
    phone: str = ""

    @property
    def name(self) -> str:
        return f"Agent {self.serial:02}"

    @property
    def interface(self) -> str:
        return self.phone or f"Local/{self.serial:02}{self.ring:02}{self.talk:02}@watched-agents/n"

    @property
    def device(self) -> str:
        """What tells its state."""
        return self.phone if self.phone.startswith("PJSIP/") else f"Custom:agent{self.serial:02}"


@dataclass(frozen=True)
class Story:
    """A campaign with a queue, an end point and agents of its own. ``serial`` is the queue's."""

    serial: int
    name: str
    agents: Sequence[Agent]
    numbers: Sequence[str]
    trunk: str = "network"
    end: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def queue(self) -> str:
        return f"q{self.serial:02}"


def story(serial: int, name: str, agent: Agent, *numbers: str, trunk: str = "network", **values: Any) -> Story:
    return Story(serial, name, [agent], numbers, trunk, values=values)


@dataclass
class Seen:
    """What the dialplan did for one WOMBATID; times are epoch seconds."""

    agent: str = ""
    rung: list[float] = field(default_factory=list)  #: begins of the agent's phone ringing
    let_go: float = 0.0
    agent_saw: str = ""
    callee_saw: str = ""
    called: list[float] = field(default_factory=list)
    answered: float | None = None  #: by the callee
    ended: float | None = None


@dataclass
class Agency:
    pbx: AsteriskInstance
    floor: Floor
    site: Site
    witness: Witness
    far: AsteriskInstance | None = None

    def log_on(self, stories: Sequence[Story]) -> None:
        since = self.floor.now()
        for each in stories:
            for agent in each.agents:
                self.floor.act(
                    "QueueAdd", Queue=each.queue, Interface=agent.interface, MemberName=agent.name,
                    StateInterface=agent.device,
                )  # fmt: skip
        for each in stories:
            for agent in each.agents:
                self.floor.await_event("QueueMemberAdded", since=since, Queue=each.queue, Interface=agent.interface)

    def begin(self, stories: Sequence[Story]) -> None:
        """Start their runs."""
        self.site.run(*(each.name for each in stories))

    def state_of(self, campaign: str) -> tuple[str, int]:
        """State and id of its live call, empty and 0 if there is none."""
        calls = [call for call in self.site.snapshot()["calls"] if call["campaign"] == campaign]
        return (str(calls[0]["state"]), int(calls[0]["id"])) if calls else ("", 0)

    def seen(self) -> dict[int, Seen]:
        """By WOMBATID."""
        found: dict[int, Seen] = {}
        for line in self.witness.lines():
            what, wombatid, at, *more = line.split("|")
            seen, moment = found.setdefault(int(wombatid or 0), Seen()), int(at) / 1000
            if what == "rung":
                seen.rung.append(moment)
                seen.agent, seen.agent_saw = more[0], " ".join(more[:0:-1]).strip()
            elif what == "let-go":
                seen.let_go = moment
            elif what == "called":
                seen.called.append(moment)
                seen.callee_saw = " ".join(more[::-1]).strip()
            elif what == "ended":
                seen.ended = moment
                seen.answered = int(more[0]) / 1000 if more[0] else None
        return found

    def control(self) -> Control:
        return Control(self.site.state / "control.sock")

    def quiet(self) -> None:
        until(lambda: "0 active channels" in self.pbx.cli("core show channels count"), 30, "no channel is left")


def opened(
    stack: ExitStack, folder: Path, stories: Sequence[Story], *, far: bool = False, ari: bool = False, **end: Any
) -> Agency:
    """Start everything, the agents logged on; ended by the stack. ``end`` is said of every end point."""
    conf = {
        **witness.CONF,
        **agents.CONF,
        "queues.d/stories.conf": QUEUES,
        "extensions.d/watched.conf": WATCHED,
    }
    away = None
    if far:
        away = stack.enter_context(AsteriskInstance(folder / "far", name="far", extra_conf=FAR))
        names = {"carrier": "", **{a.phone[6:]: f"{a.serial:02}{a.ring:02}{a.talk:02}@" for a in _phones(stories)}}
        conf["pjsip.d/far.conf"] = "".join(
            _PHONES.format(name=name, user=user, port=away.sip_port) for name, user in names.items()
        )
    pbx = AsteriskInstance(folder / "pbx", name="pbx", extra_conf=conf)
    stack.callback(pbx.kill)
    watched = Witness(pbx)
    pbx.start()
    site = Site(folder / "site")
    stack.callback(site.close)
    floor = stack.enter_context(Floor(pbx))
    site.apply(_plan(pbx, stories, end, ari_of(pbx) if ari else {}))
    _fill(site, stories)
    agency = Agency(pbx, floor, site, watched, away)
    agency.log_on(stories)
    site.serve()
    site.await_pbx()
    until(lambda: _known(site), 20, "the queues are known")
    return agency


def _known(site: Site) -> bool:
    return all(point["queue"]["known"] for point in site.snapshot()["end_points"])


def _phones(stories: Sequence[Story]) -> list[Agent]:
    return [agent for each in stories for agent in each.agents if agent.phone.startswith("PJSIP/phone")]


def ari_of(pbx: AsteriskInstance, password: str = "") -> dict[str, str]:
    """What makes ARI of its table in the plan."""
    return {
        "ari_url": f"http://{pbx.host}:{pbx.http_port}/ari",
        "ari_user": pbx.ari_user,
        "ari_password": password or pbx.ari_password,
    }


def _plan(
    pbx: AsteriskInstance, stories: Sequence[Story], end: dict[str, Any], ari: dict[str, str]
) -> dict[str, list[dict[str, Any]]]:
    reverse = {"type": "QUEUE", "reverse": True, "max_channels": 20, "extension": "999", **end}
    return {
        "server": [server_of(pbx, **ari)],
        "trunk": [{"name": name, "dial_string": dial, "capacity": 50} for name, dial in TRUNKS.items()],
        "end_point": [
            {**reverse, "name": each.queue, "context": "simulated-endpoints", **each.end} for each in stories
        ],
        "list": [{"name": each.name} for each in stories],
        "campaign": [
            {
                "name": each.name, "trunks": [each.trunk], "end_points": [each.queue], "lists": [each.name],
                "answer_timeout_ms": 5000, **each.values,
            }
            for each in stories
        ],
    }  # fmt: skip


def _fill(site: Site, stories: Sequence[Story]) -> None:
    """Straight into the database: the command line is tried elsewhere, and a process for each list takes its time."""
    ids = {each.name: each.id for each in entities.list_lists(site.database)}
    for each in stories:
        text = "\n".join(each.numbers)
        lists.import_native(site.database, ids[each.name] or 0, source=text, by="test", now=time.time())
