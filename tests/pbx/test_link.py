"""The link: every way it can fail is noticed, said in words for people, and tried again."""

import logging
from itertools import pairwise
from typing import Any

import pytest
from twisted.internet.error import ConnectError, DNSLookupError, TimeoutError

from tests.pbx.stage import FakeStage, Heard
from wombat_ari.model.entities import Server
from wombat_ari.model.events import FoundLive, HungUp, LinkDown, LinkUp, PbxShutdown
from wombat_ari.pbx.ami_driver import AmiDriver
from wombat_ari.pbx.reach import endpoint_of, in_words

LOG = "wombat_ari.pbx.link"


@pytest.fixture
def stage() -> FakeStage:
    return FakeStage()


def reasons(heard: Heard) -> list[str]:
    return [event.reason for event in heard.of(LinkDown)]


def fails_with(stage: FakeStage, word: str, *, seconds: float = 30) -> AmiDriver:
    driver, heard = stage.new_driver()
    stage.wait(lambda: bool(reasons(heard)), seconds)
    assert word in reasons(heard)[0]
    assert word in driver.last_error
    assert not driver.connected
    return driver


def test_refused(stage: FakeStage) -> None:
    stage.pbx.refuse = True
    fails_with(stage, "connection refused at 127.0.0.1:5038")


def test_accepts_and_says_nothing(stage: FakeStage) -> None:
    stage.pbx.mute = True
    driver = fails_with(stage, "accepts the connection but does not answer")
    stage.pbx.mute = False
    stage.wait(lambda: driver.connected)


def test_greets_and_then_says_nothing(stage: FakeStage) -> None:
    stage.pbx.answer_delay = 60
    fails_with(stage, "does not answer to the log-in")


def test_not_an_ami(stage: FakeStage) -> None:
    stage.pbx.banner = "SSH-2.0-OpenSSH_9.2\r\n"
    fails_with(stage, "not an AMI")
    assert b"dials" not in bytes(stage.pbx.received)


def test_wrong_secret(stage: FakeStage) -> None:
    stage.pbx.users = {"wombat": "other"}
    driver = fails_with(stage, "refused the login 'wombat' or its secret")
    stage.pbx.users = {"wombat": "dials"}
    stage.wait(lambda: driver.connected)
    assert driver.last_error == ""


def test_the_secret_is_not_sent_without_tls(stage: FakeStage) -> None:
    stage.connected()
    assert b"dials" not in bytes(stage.pbx.received)
    assert stage.pbx.actions[0][0] == "Challenge"


def test_closed_in_the_middle_of_a_message(stage: FakeStage) -> None:
    stage.connected()
    stage.pbx.cut_after = 20
    stage.place("55510000")
    stage.wait(lambda: len(stage.heard.of(LinkUp)) == 2)
    assert reasons(stage.heard) == ["the PBX closed the connection"]


@pytest.mark.parametrize(
    ("action", "right"), [("Originate", "originate"), ("Hangup", "call"), ("CoreShowChannels", "reporting")]
)
def test_a_missing_privilege_is_named(stage: FakeStage, action: str, right: str) -> None:
    stage.pbx.commands = tuple(name for name in stage.pbx.commands if name != action)
    driver = fails_with(stage, f"write = {right}")
    assert action in driver.last_error


def test_without_the_class_system_it_works_but_says_so(stage: FakeStage, caplog: pytest.LogCaptureFixture) -> None:
    stage.pbx.tells_boot = False
    with caplog.at_level(logging.WARNING, LOG):
        stage.connected()
    assert stage.heard.of(LinkUp)[0].booted_at == 0.0
    assert "read = system" in caplog.text


def test_the_boot_is_never_taken_for_later_than_it_was(stage: FakeStage) -> None:
    stage.pbx.booted_at = stage.clock.seconds() - 100.9
    stage.connected()
    booted_at = stage.heard.of(LinkUp)[0].booted_at
    assert stage.pbx.booted_at - 2 <= booted_at <= stage.pbx.booted_at


def test_a_silent_link_is_pinged_and_kept(stage: FakeStage) -> None:
    stage.connected()
    stage.pass_time(300)
    pings = [name for name, _ in stage.pbx.actions if name == "Ping"]
    assert 25 <= len(pings) <= 31
    assert stage.driver.connected
    assert not reasons(stage.heard)


def test_a_link_that_talks_is_not_pinged(stage: FakeStage) -> None:
    stage.connected()
    for _ in range(10):
        stage.place("55520000")
        stage.pass_time(9)
    assert not [name for name, _ in stage.pbx.actions if name == "Ping"]


def test_a_frozen_link_is_dropped_and_made_again(stage: FakeStage) -> None:
    stage.connected()
    call = stage.place("55510000")
    stage.pass_time(1)
    stage.pbx.freeze()
    began = stage.clock.seconds()
    stage.wait(lambda: bool(reasons(stage.heard)))
    assert 10 <= stage.clock.seconds() - began <= 15.1
    assert "does not answer" in reasons(stage.heard)[0]
    stage.wait(lambda: stage.driver.connected)
    stage.driver.ask_alive(call)
    stage.wait(lambda: bool(stage.heard.of(FoundLive, call)))


def test_the_pause_grows_to_half_a_minute_with_jitter(stage: FakeStage) -> None:
    stage.pbx.refuse = True
    attempts: list[float] = []
    endpoint = stage.pbx.endpoint()
    connect = endpoint.connect

    def noted(factory: Any) -> Any:
        attempts.append(stage.clock.seconds())
        return connect(factory)

    endpoint.connect = noted  # type: ignore[method-assign]
    driver = AmiDriver(Server(1, "x"), clock=stage.clock, endpoint=endpoint)
    driver.start(Heard())
    stage.pass_time(400)
    pauses = [later - earlier for earlier, later in pairwise(attempts)]
    assert 0.7 <= pauses[0] <= 1.35
    assert all(pause <= 30.1 for pause in pauses)
    assert all(pause >= 22 for pause in pauses[6:])
    assert len({round(pause, 1) for pause in pauses}) > 4  # not in step with anybody else


def test_the_same_trouble_is_told_once(stage: FakeStage) -> None:
    stage.pbx.refuse = True
    _, heard = stage.new_driver()
    stage.pass_time(120)
    assert len(heard) == 1


def test_after_a_log_in_the_pause_is_short_again(stage: FakeStage) -> None:
    stage.pbx.refuse = True
    driver, heard = stage.new_driver()
    stage.pass_time(120)
    stage.pbx.refuse = False
    stage.wait(lambda: driver.connected, 40)
    stage.pbx.cut()
    stage.wait(lambda: len(heard.of(LinkUp)) == 2, 2)


def test_one_that_falls_silent_after_each_log_in_is_tried_less_and_less_often(stage: FakeStage) -> None:
    stage.pbx.silent = True
    _, heard = stage.new_driver()
    made: list[float] = []
    while len(made) < 8:
        stage.wait(lambda: len(heard.of(LinkUp)) > len(made), 60)
        made.append(stage.clock.seconds())
    gaps = [later - earlier for earlier, later in pairwise(made)]
    assert gaps[0] < 18
    assert all(15 + 22 <= gap <= 15 + 31 for gap in gaps[-2:])
    stage.pbx.silent = False
    stage.pass_time(61)
    stage.pbx.freeze()
    stage.wait(lambda: isinstance(heard[-1], LinkDown))
    stage.pbx.freeze(False)
    stage.wait(lambda: isinstance(heard[-1], LinkUp), 2)  # it had been well for a minute: at once


def test_stop_logs_off_and_nothing_follows(stage: FakeStage, caplog: pytest.LogCaptureFixture) -> None:
    stage.connected()
    with caplog.at_level(logging.WARNING, LOG):
        stage.result(stage.driver.stop())
    assert caplog.text == "", "a link that is stopped is no trouble"
    assert stage.pbx.actions[-1][0] == "Logoff"
    assert reasons(stage.heard) == ["stopped"]
    stage.pass_time(60)
    assert not stage.pbx.sessions
    assert not stage.clock.getDelayedCalls()


@pytest.mark.parametrize("state", ["refused", "mute", "pause", "booting"])
def test_stop_while_it_is_being_made(stage: FakeStage, state: str) -> None:
    stage.pbx.refuse = state in ("refused", "pause")
    stage.pbx.mute = state == "mute"
    stage.pbx.tells_boot = state != "booting"
    driver, _ = stage.new_driver()
    stage.pass_time({"refused": 0, "pause": 0.5}.get(state, 3))
    stage.result(driver.stop())
    stage.pass_time(60)
    assert not driver.connected
    assert not stage.pbx.sessions
    assert not stage.clock.getDelayedCalls()


def test_stop_does_not_wait_for_one_that_does_not_read(stage: FakeStage) -> None:
    stage.connected()
    stage.pbx.freeze()
    began = stage.clock.seconds()
    stage.result(stage.driver.stop())
    assert stage.clock.seconds() - began < 2
    assert reasons(stage.heard) == ["stopped"]
    stage.pass_time(60)
    assert not stage.clock.getDelayedCalls()


def test_start_again_after_stop(stage: FakeStage) -> None:
    stage.connected()
    stage.result(stage.driver.stop())
    stage.driver.start(stage.heard)
    stage.wait(lambda: stage.driver.connected)


def test_what_comes_during_the_log_in_is_told_after_link_up(stage: FakeStage) -> None:
    stage.connected()
    call = stage.place("55520010")  # busy at once
    stage.pbx.tells_boot = False  # the log-in takes ten seconds more
    other, heard = stage.new_driver()
    late = stage.place("55520500")
    stage.wait(lambda: other.connected)
    assert isinstance(heard[0], LinkUp)
    assert heard.of(HungUp, late)
    assert call != late


def test_a_shutdown_is_told_after_its_hang_ups(stage: FakeStage) -> None:
    stage.connected()
    call = stage.place("55510000")
    stage.pass_time(1)
    stage.pbx.shut_down()
    stage.wait(lambda: bool(reasons(stage.heard)))
    assert stage.heard.of(HungUp, call)[0].cause == 0
    kinds = [type(event) for event in stage.heard]
    assert kinds.index(HungUp) < kinds.index(PbxShutdown) < kinds.index(LinkDown)


def test_a_message_without_end_ends_the_link(stage: FakeStage) -> None:
    stage.connected()
    for _ in range(12):
        stage.pbx.sessions[0].say("X" * 100_000)
    stage.wait(lambda: bool(reasons(stage.heard)))
    assert "has no end" in reasons(stage.heard)[0]


@pytest.mark.parametrize(
    ("trouble", "word"),
    [
        (TimeoutError(), "no answer from pbx:1"),
        (DNSLookupError("x"), "not known"),
        (ConnectError(string="odd"), "odd"),
        (ValueError(), "ValueError"),
    ],
)
def test_troubles_in_words(trouble: Exception, word: str) -> None:
    assert word in in_words(trouble, "pbx:1")


def test_an_address_in_numbers_needs_no_resolver() -> None:
    kinds = [
        type(endpoint_of(Server(1, "x", address=address), object(), timeout=1)).__name__
        for address in ("127.0.0.1", "::1")
    ]
    assert kinds == ["TCP4ClientEndpoint", "TCP6ClientEndpoint"]
