"""What only a real Asterisk can show: FastAGI values byte by byte, a PBX that freezes, is killed, shuts down."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import NewAsterisk
from tests.pbx.stage import Heard, RealStage, Stage
from wombat_ari.model.calls import OriginateRequest
from wombat_ari.model.events import (
    Answered,
    AttributeSet,
    DialEnded,
    EndPointSeen,
    FoundGone,
    FoundLive,
    HungUp,
    LegHungUp,
    LinkDown,
    LinkUp,
    PbxShutdown,
    StatusSet,
)
from wombat_ari.model.ids import channel_id
from wombat_ari.pbx.ami import AMICommandFailure
from wombat_ari.pbx.fastagi_verbs import verb_factory
from wombat_ari.pbx.link import LinkSettings

VALUES = [
    "a,b,,c",
    "say \"hi\" and 'ho'",
    "C:\\new\\\\table\\",
    "([{ (unbalanced, [and, more",
    "${WOMBATID} $[1+1] %41 +1",
    "Żółć, 東京 😀",
    " both ends ",
    "a=b&c=d?e#f;g|h",
    "x" * 400,
    "",
]

AGI_DIALPLAN = """
[agi-test]
exten => query,1,AGI(agi://127.0.0.1:{port}/attribute?GIVEN=${{URIENCODE(${{VALUE}})}})
 same => n,Set(FIRST=${{WOMBAT_AGI_RESULT}})
 same => n,AGI(agi://127.0.0.1:{port}/callstatus,3)
 same => n,AGI(agi://127.0.0.1:{port}/nosuch)
 same => n,Wait(20)
exten => hang,1,AGI(agi://127.0.0.1:{port}/callstatus?V=early)
exten => h,1,AGI(agi://127.0.0.1:{port}/callstatus?V=late)
"""


class AgiStage:
    """A real Asterisk whose dialplan calls a real FastAGI server of ours."""

    def __init__(self, new_asterisk: NewAsterisk) -> None:
        self.told = Heard()
        from twisted.internet import reactor

        port: Any = reactor
        self.port = port.listenTCP(0, verb_factory(self.told), interface="127.0.0.1")
        dialplan = AGI_DIALPLAN.format(port=self.port.getHost().port)
        self.stage = RealStage(new_asterisk(extra_conf={"extensions.d/agi-test.conf": dialplan}))
        self.stage.connected()

    def place(self, extension: str, **variables: str) -> int:
        call = self.stage.next_call()
        given = (("WOMBATID", str(call)), *variables.items())
        channel = "Local/55510000@simulated-network/n"
        self.stage.driver.originate(OriginateRequest(call, channel, "agi-test", extension, 5000, variables=given))
        return call

    def close(self) -> None:
        self.stage.close()
        self.port.stopListening()


@pytest.fixture
def agi(new_asterisk: NewAsterisk) -> Iterator[AgiStage]:
    stage = AgiStage(new_asterisk)
    yield stage
    stage.close()


def test_any_text_arrives_exactly_over_fastagi(agi: AgiStage) -> None:
    calls = {agi.place("query", VALUE=value): value for value in VALUES}
    agi.stage.wait(lambda: all(agi.told.of(StatusSet, call) for call in calls))
    for call, value in calls.items():
        assert agi.told.of(AttributeSet, call) == [AttributeSet(call, "GIVEN", value)]
        assert agi.told.of(EndPointSeen, call)
        assert agi.told.of(StatusSet, call) == [StatusSet(call, "3")]
    ami, call = agi.stage.ami(), next(iter(calls))
    variables = ami.getVar(channel_id(call), "FIRST"), ami.getVar(channel_id(call), "WOMBAT_AGI_RESULT")
    first, last = (agi.stage.result(variable) for variable in variables)
    assert first == "OK"
    agi.stage.wait(lambda: "unknown verb" in agi.stage.result(ami.getVar(channel_id(call), "WOMBAT_AGI_RESULT")))
    assert last == "OK" or last.startswith("ERROR: unknown verb 'nosuch'")
    ami.transport.loseConnection()


def test_a_status_is_told_in_the_h_extension_too(agi: AgiStage) -> None:
    call = agi.place("hang")
    agi.stage.wait(lambda: len(agi.told.of(StatusSet, call)) == 2)
    assert [event.code for event in agi.told.of(StatusSet, call)] == ["early", "late"]
    agi.stage.wait(lambda: bool(agi.stage.heard.of(HungUp, call)))


LEG_DIALPLAN = """
[leg-test]
exten => _X.,1,Dial(Local/${EXTEN}@simulated-network/n,20)
 same => n,Hangup(${HANGUPCAUSE})
"""


@pytest.mark.parametrize(("number", "cause"), [("55520000", 17), ("55540000", 1), ("55510003", 16)])
def test_the_leg_that_the_trunks_dialplan_dials_tells_its_cause(leg: RealStage, number: str, cause: int) -> None:
    call = leg.next_call()
    request = OriginateRequest(call, f"Local/{number}@leg-test/n", "simulated-endpoints", "101", 5000)
    leg.driver.originate(request)
    leg.wait(lambda: bool(leg.heard.of(LegHungUp, call) and leg.heard.of(HungUp, call)))
    assert {event.cause for event in leg.heard.of(LegHungUp, call)} == {cause}
    # The shipped filters keep back what a ;2 channel dials; the leg's Hangup is enough.
    assert not [event for event in leg.heard.of(DialEnded, call) if event.leg]


@pytest.fixture
def leg(new_asterisk: NewAsterisk) -> Iterator[RealStage]:
    stage = RealStage(new_asterisk(extra_conf={"extensions.d/leg-test.conf": LEG_DIALPLAN}))
    stage.connected()
    yield stage
    stage.close()


# A PBX of the test's own


@pytest.fixture
def own(new_asterisk: NewAsterisk) -> Iterator[RealStage]:
    stage = RealStage(new_asterisk())
    yield stage
    stage.close()


QUICK = LinkSettings(silence=1, answer=1, log_in=2, backoff_max=1)


def start(stage: RealStage, settings: LinkSettings = QUICK) -> None:
    stage.driver, stage.heard = stage.new_driver(settings=settings)
    stage.wait(lambda: stage.driver.connected)


def test_a_frozen_pbx_is_noticed_and_its_calls_are_found_again(own: RealStage) -> None:
    start(own)
    call = own.place("55510000")
    own.wait(lambda: bool(own.heard.of(Answered, call)))
    own.asterisk.freeze()
    own.wait(lambda: not own.driver.connected, 10)
    assert "does not answer" in own.driver.last_error
    own.pass_time(2.5)  # tries to log in to what accepts and says nothing
    assert "does not answer" in own.driver.last_error
    own.asterisk.thaw()
    own.wait(lambda: own.driver.connected)
    own.driver.ask_alive(call)
    own.wait(lambda: bool(own.heard.of(FoundLive, call)))


def test_a_killed_pbx_comes_back_without_its_calls(own: RealStage) -> None:
    start(own)
    call = own.place("55510000")
    own.wait(lambda: bool(own.heard.of(Answered, call)))
    answered_at = own.reactor.seconds()
    own.asterisk.kill()
    own.wait(lambda: bool(own.heard.of(LinkDown)))
    own.pass_time(1.5)
    assert "connection refused" in own.driver.last_error
    own.asterisk.start()
    own.wait(lambda: own.driver.connected)
    assert own.heard.of(LinkUp)[1].booted_at > answered_at - 1
    assert not own.result(own.driver.survey()).live
    own.driver.ask_alive(call)
    own.wait(lambda: bool(own.heard.of(FoundGone, call)))


def test_a_pbx_that_shuts_down_says_so_after_the_hang_ups(own: RealStage) -> None:
    start(own, LinkSettings())  # one that is busy for two seconds is not given up
    call = own.place("55510000")
    own.wait(lambda: bool(own.heard.of(Answered, call)))
    own.asterisk.cli("core stop now")
    own.wait(lambda: bool(own.heard.of(LinkDown)) and not own.asterisk.alive)
    assert own.heard.of(HungUp, call)[0].cause == 0
    assert own.heard.of(PbxShutdown)
    kinds = [type(event) for event in own.heard]
    assert kinds.index(PbxShutdown) < kinds.index(LinkDown)


def test_a_login_without_privileges_is_told_which(new_asterisk: NewAsterisk) -> None:
    stage = RealStage(new_asterisk(manager_extra="write = call,reporting\n"))
    driver, heard = stage.new_driver()
    stage.wait(lambda: bool(heard))
    assert "may not use Originate: give it write = originate" in driver.last_error
    stage.close()


def test_log_in_by_challenge_and_in_plain_words(asterisk: Any) -> None:
    from wombat_ari.pbx.ami import AMIFactory

    stage: Stage = RealStage(asterisk)
    for plain in (True, False):
        factory = AMIFactory(asterisk.ami_user, asterisk.ami_secret, plaintextLogin=plain)
        ami = stage.result(factory.login(asterisk.host, asterisk.ami_port))
        assert stage.result(ami.ping()).get("Ping") == "Pong"
        ami.transport.loseConnection()
        bad = AMIFactory(asterisk.ami_user, "not-it", plaintextLogin=plain)
        with pytest.raises(AMICommandFailure, match="Authentication failed"):
            stage.result(bad.login(asterisk.host, asterisk.ami_port))


def test_limits_of_an_action_are_asterisks_own(asterisk: Any) -> None:
    """The longest line and the most headers that we write are taken; the session survives."""
    stage: Stage = RealStage(asterisk)
    ami = stage.ami()
    longest = "v" * (1021 - len("value: "))
    stage.result(ami.sendDeferred({"action": "Setvar", "variable": "LONGEST", "value": longest}))
    assert stage.result(ami.sendDeferred({"action": "Getvar", "variable": "LONGEST"})).get("Value") == longest
    many = {"action": "Ping", "x": ["y"] * 126}
    assert stage.result(ami.sendDeferred(many)).get("Ping") == "Pong"
    ami.transport.loseConnection()
