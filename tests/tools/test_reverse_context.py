"""The shipped context for reverse dialling alone, on a real Asterisk: what it does, what it tells, what it leaves."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.conftest import started
from tests.tools.ami import Ami, Message
from tools.provision.asterisk import AsteriskInstance
from tools.provision.process import wait_until
from wombat_ari.core.request import build_reverse_request
from wombat_ari.model.calls import Claim
from wombat_ari.model.entities import Campaign, EndPoint, Trunk
from wombat_ari.model.states import EndPointType
from wombat_ari.wire.ami import encode_originate

# The trunk tells what its leg was given, then goes on as the simulated network.
CONF = {
    "manager.d/all.conf": "[all]\nsecret = all\nread = all\nwrite = all\n",
    "extensions.d/telling.conf": """
[telling]
exten => _X!,1,Set(FROM=${CALLERID(name)} ${CALLERID(num)})
 same => n,UserEvent(CALLED,From:${FROM},Pres:${CALLERID(pres)},List:${WOMBAT_DIALING_LIST},Note:${NOTE},Way:${WAY})
 same => n,Goto(simulated-network,${EXTEN},1)

; Agents whose context tracks, as trunks' contexts do, and dials their phones.
[tracked-agents]
exten => _X!,1,Gosub(wombat-track,s,1)
 same => n,Dial(Local/${EXTEN}@simulated-network/n)
 same => n,Hangup(${HANGUPCAUSE})
""",
}
NETWORK = "Local/${num}@telling/n"
AGENT = "Local/010200@simulated-agents/n"  #: answers after 0.2 s, stays
CLOSE_S = 0.150
_ids = itertools.count(int(time.time()) * 1000)


@dataclass
class Played:
    """What AMI said of one call, each with its time."""

    channel: str
    heard: list[tuple[float, Message]] = field(default_factory=list)

    def all(self, event: str, **values: str) -> list[tuple[float, Message]]:
        return [
            (at, said)
            for at, said in self.heard
            if said.get("Event") == event and all(said.get(key) == value for key, value in values.items())
        ]

    def one(self, event: str, **values: str) -> Message:
        ((_, said),) = self.all(event, **values)
        return said

    def when(self, event: str, **values: str) -> float:
        ((at, _),) = self.all(event, **values)
        return at

    @property
    def called(self) -> Message:
        """What the trunk's leg was given."""
        return self.one("UserEvent", UserEvent="CALLED")

    @property
    def callee(self) -> tuple[str, str, int]:
        """What the context told: how its Dial() ended, the cause, the talk in ms."""
        told = self.one("UserEvent", UserEvent="CALLEEENDED", Uniqueid=self.channel)
        return told["DIALSTATUS"], told["CAUSE"], int(told["TALK"])

    @property
    def cause(self) -> str:
        return self.one("Hangup", Uniqueid=self.channel)["Cause"]


class Stage:
    """A PBX and somebody who hears everything."""

    def __init__(self, pbx: AsteriskInstance, ami: Ami) -> None:
        self.pbx = pbx
        self.ami = ami

    def play(
        self,
        number: str,
        *,
        agent: str = AGENT,
        dial: str = NETWORK,
        until: tuple[str, dict[str, str]] | None = None,
        note: str = "a b",
        **campaign: Any,
    ) -> Played:
        """Place a call as the dialer does and follow it to its end; ``until`` an event: then our channel is hung up."""
        claim = Claim(next(_ids), 1, 1, 1, "customers", number, 1, {"NOTE": note, "WAY": note[::-1]})
        request = build_reverse_request(
            claim,
            Campaign(1, "spring", **{"answer_timeout_ms": 5000, **campaign}),
            trunk=Trunk(1, 1, "network", dial),
            end_point=EndPoint(1, 1, EndPointType.QUEUE, "999", "", ""),
            agent=agent,
        )
        played = Played(f"wbt-{claim.wombatid:016}")
        self.ami._socket.sendall(encode_originate(request))
        if until is not None:
            event, values = until
            self._hear(played, lambda: bool(played.all(event, **values, Uniqueid=played.channel)))
            time.sleep(0.1)  # Asterisk is in the midst of it
            self.ami.act("Hangup", Channel=played.channel, Cause=16)
        self._hear(played, lambda: self._is_over(played))
        return played

    def note(self, played: Played) -> list[str]:
        """What was left for a dialer that was away; the database is written behind."""
        asked = f"database get wombat-gone {played.channel[4:7]}/{played.channel}"
        wait_until(lambda: "Value: " in self.pbx.cli(asked), timeout=10)
        return self.pbx.cli(asked).partition("Value: ")[2].strip().split("|")

    def _is_over(self, played: Played) -> bool:
        """Everything of it has ended, and it was said what became of the Originate."""
        begun, ended = (played.all(event, Linkedid=played.channel) for event in ("Newchannel", "Hangup"))
        return len(begun) == len(ended) and bool(played.all("OriginateResponse", Uniqueid=played.channel))

    def _hear(self, played: Played, done: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not done():
            self.ami._receive(end - time.monotonic())
            at = time.monotonic()
            played.heard += [(at, said) for said in self.ami.messages]
            self.ami.messages.clear()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with ExitStack() as stack:
        pbx = started(stack, lambda: AsteriskInstance(tmp_path_factory.mktemp("reverse"), extra_conf=CONF))
        yield Stage(pbx, stack.enter_context(Ami(pbx, user="all", secret="all")))


def test_what_is_longer_than_a_line_of_ami_comes_to_the_trunk_as_well(stage: Stage) -> None:
    note = "(long) é; " * 150
    played = stage.play("55520000", note=note)
    assert (played.called["Note"], played.called["Way"]) == (note.strip(), note[::-1].strip())


def test_a_variable_of_the_campaign_goes_before_an_attribute_of_its_name(stage: Stage) -> None:
    """Of names that differ by underscores alone Asterisk keeps one."""
    assert stage.play("55520000", variables="__WAY:ours").called["Way"] == "ours"


@pytest.mark.parametrize(
    ("number", "dial", "status", "cause"),
    [
        ("55520300", NETWORK, "BUSY", "17"),
        ("55540300", NETWORK, "CHANUNAVAIL", "1"),
        ("55550300", NETWORK, "CONGESTION", "34"),
        ("55560300", NETWORK, "CHANUNAVAIL", "21"),
        ("777", NETWORK, "CHANUNAVAIL", "16"),
        ("777", "Local/${num}@no-such-context/n", "CHANUNAVAIL", "16"),
        ("777", "Nothing/${num}", "CHANUNAVAIL", "66"),
        ("777", "PJSIP/${num}@nosuch", "CHANUNAVAIL", "3"),
    ],
    ids=["busy", "unallocated", "congestion", "rejected", "unknown", "no context", "no technology", "no end point"],
)
def test_the_callee_does_not_come(stage: Stage, number: str, dial: str, status: str, cause: str) -> None:
    """The agent is let go with the callee's cause, and both the event and the note tell how it went."""
    played = stage.play(number, dial=dial)
    assert played.callee == (status, cause, 0)
    assert played.cause == cause
    assert stage.note(played)[:4] == [cause, status, "0", "0"]


@pytest.mark.parametrize("number", ["55530000", "55590000"], ids=["rings", "early media"])
def test_the_callee_does_not_answer_in_time(stage: Stage, number: str) -> None:
    played = stage.play(number, answer_timeout_ms=700)
    assert played.callee == ("NOANSWER", "16", 0)
    rang = played.when("DialEnd", DialStatus="NOANSWER") - played.when("DialBegin", Uniqueid=played.channel)
    assert 0.6 < rang < 2
    assert stage.note(played)[:4] == ["16", "NOANSWER", "0", "0"]


@pytest.mark.parametrize(
    ("number", "agent"), [("55510506", AGENT), ("55510500", "Local/010211@simulated-agents/n")], ids=["callee", "agent"]
)
def test_the_talk_is_the_callees_whoever_ends_it(stage: Stage, number: str, agent: str) -> None:
    """Asterisk's ANSWEREDTIME counts from the agent's answer: half a second more."""
    played = stage.play(number, agent=agent)
    begin = played.when("DialEnd", DialStatus="ANSWER", Uniqueid=played.channel)
    talk = played.when("UserEvent", UserEvent="CALLEEENDED") - begin
    assert 0.5 < talk < 3
    status, cause, told_ms = played.callee
    assert (status, cause) == ("ANSWER", "16")
    assert abs(told_ms / 1000 - talk) < CLOSE_S
    note = stage.note(played)
    assert note[:3] == ["16", "ANSWER", "1"]
    assert abs(int(note[3]) / 1000 - talk) < CLOSE_S


def test_the_agent_hears_music_until_the_callee_answers(stage: Stage) -> None:
    played = stage.play("55510503")
    music = played.when("MusicOnHoldStart", Uniqueid=played.channel)
    silence = played.when("MusicOnHoldStop", Uniqueid=played.channel)
    assert played.one("MusicOnHoldStart")["Class"] == "default"
    assert 0.4 < silence - music < 3
    assert [said["Uniqueid"] for _, said in played.all("BridgeEnter")].count(played.channel) == 1


def test_the_agent_leaves_while_the_callee_rings(stage: Stage) -> None:
    """The callee's leg is dropped at once."""
    played = stage.play("55519900", agent="Local/010205@simulated-agents/n")
    assert played.callee == ("CANCEL", "16", 0)
    assert stage.note(played)[:4] == ["16", "CANCEL", "0", "0"]
    left = played.when("Hangup", Uniqueid=played.channel.replace("wbt-", "wbo-"))
    assert played.when("DialEnd", DialStatus="CANCEL") - left < 1


def test_hung_up_while_the_callee_rings(stage: Stage) -> None:
    played = stage.play("55530000", until=("DialBegin", {}))
    assert played.callee == ("CANCEL", "16", 0)


def test_hung_up_while_they_talk(stage: Stage) -> None:
    played = stage.play("55510000", until=("BridgeEnter", {}))
    status, cause, talk_ms = played.callee
    assert (status, cause, played.cause) == ("ANSWER", "16", "16")
    assert talk_ms >= 100


@pytest.mark.parametrize("agent", ["55520000", "55560100", "777"], ids=["busy", "rejects", "unknown"])
def test_the_agent_does_not_come(stage: Stage, agent: str) -> None:
    """The context is not reached, and no callee is dialled."""
    played = stage.play("55510000", agent=f"Local/{agent}@simulated-network/n")
    assert played.one("OriginateResponse")["Response"] == "Failure"
    assert played.all("UserEvent") == []


@pytest.mark.parametrize(
    ("campaign", "seen", "presentation"),
    [
        ({"dial_clid": '"Shop" <0123>'}, "Shop 0123", "allowed"),
        ({"dial_clid": "0123", "agent_clid": "999"}, "0123", "allowed"),
        ({"agent_clid": "999"}, "", ""),
        ({"dial_clid": "0123", "dial_presentation": "prohib"}, "0123", "prohib"),
    ],
    ids=["the campaign's", "not the agent's", "none", "hidden"],
)
def test_what_the_callee_sees(stage: Stage, campaign: dict[str, Any], seen: str, presentation: str) -> None:
    called = stage.play("55520100", **campaign).called
    assert called["From"] == seen
    assert presentation in called["Pres"]


@pytest.mark.parametrize(("clid", "seen"), [("", "55520200"), ("999", "999")], ids=["the number", "the campaign's"])
def test_what_the_agent_sees(stage: Stage, clid: str, seen: str) -> None:
    played = stage.play("55520200", agent_clid=clid)
    ringing = played.one("DialBegin", DestUniqueid=played.channel)
    assert (ringing["DestCallerIDNum"], ringing["DestConnectedLineNum"]) == (seen, seen)


def test_the_trunks_leg_finds_what_it_finds_in_a_direct_call(stage: Stage) -> None:
    called = stage.play("55520100").called
    assert (called["List"], called["Note"]) == ("customers", "a b")


@pytest.mark.parametrize(
    ("agent", "callee", "note"),
    [
        ("55520100", "55510000", ["17", "", "0", "0"]),  # the agent is busy: nothing about a callee
        ("55510100", "55520300", ["17", "BUSY", "0", "0"]),
        ("55510102", "55519900", ["16", "CANCEL", "0", "0"]),  # the agent leaves
    ],
)
def test_the_note_is_about_the_callee_although_the_agents_context_tracks(
    stage: Stage, agent: str, callee: str, note: list[str]
) -> None:
    played = stage.play(callee, agent=f"Local/{agent}@tracked-agents/n")
    assert stage.note(played)[:4] == note
