"""The fake PBX itself: its numbers, its faults, its clock. What a real one does too is in the driver's contract."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.task import Clock

from tests.pbx.stage import FakeStage, Heard, RealStage
from tools.fake_pbx import FakePbx, QuickClock
from wombat_ari.model.calls import OriginateRequest
from wombat_ari.model.entities import Server
from wombat_ari.model.events import (
    Answered,
    ChannelCreated,
    FoundGone,
    HungUp,
    LinkDown,
    LinkUp,
    OriginateFailed,
    OriginateSucceeded,
)
from wombat_ari.model.secret import Secret
from wombat_ari.pbx.ami_driver import AmiDriver


@pytest.fixture
def stage() -> Iterator[FakeStage]:
    made = FakeStage()
    made.connected()
    yield made
    made.close()


def ended(stage: FakeStage, call: int) -> list[str]:
    stage.wait(lambda: bool(stage.heard.of(HungUp, call)), 60)
    return stage.heard.kinds(call)


@pytest.mark.parametrize(
    ("number", "retry", "answered", "cause"),
    [
        ("55570000", "0", False, 17),
        ("55570001", "1", True, 16),
        ("55580000", "0", False, 19),
        ("55580001", "1", True, 16),
        ("55510901", "0", True, 16),
        ("5551000112345", "0", True, 16),
    ],
)
def test_numbers(stage: FakeStage, number: str, retry: str, answered: bool, cause: int) -> None:
    call = stage.place(number, timeout=3, WOMBAT_RETRY_NO=retry)
    kinds = ended(stage, call)
    assert ("Answered" in kinds) == answered
    assert stage.heard.of(HungUp, call)[0].cause == cause


def test_times_are_the_numbers(stage: FakeStage) -> None:
    call = stage.place("55512545")
    began = stage.clock.seconds()
    stage.wait(lambda: bool(stage.heard.of(Answered, call)))
    assert 2.4 <= stage.clock.seconds() - began <= 2.7
    ended(stage, call)
    assert 6.9 <= stage.clock.seconds() - began <= 7.2


@pytest.mark.parametrize("extension", ["102", "905", "100"])
def test_end_points_hang_up(stage: FakeStage, extension: str) -> None:
    assert "Answered" in ended(stage, stage.place("55510000", extension=extension))


def test_no_channel_means_no_event_but_one(stage: FakeStage) -> None:
    call = stage.place("abc")
    stage.wait(lambda: bool(stage.heard.of(OriginateFailed, call)))
    assert stage.heard.kinds(call) == ["Sent", "Accepted", "OriginateFailed"]
    assert not stage.pbx.live


def test_it_counts_what_lives_and_what_was_asked(stage: FakeStage) -> None:
    calls = [stage.place("55510010") for _ in range(5)]
    stage.wait(lambda: all(stage.heard.of(HungUp, call) for call in calls))
    assert stage.pbx.max_live == 5
    assert not stage.pbx.live
    assert len({headers["channelid"] for headers in stage.pbx.originates}) == 5


def test_an_id_that_lives_cannot_be_dialled_again(stage: FakeStage) -> None:
    request = OriginateRequest(7, "Local/55510000@n/n", "simulated-endpoints", "101", 5000)
    stage.driver.originate(request)
    stage.wait(lambda: bool(stage.heard.of(Answered, 7)))
    stage.driver.originate(request)
    stage.wait(lambda: bool(stage.heard.of(OriginateFailed, 7)))
    assert len(stage.pbx.live) == 1
    assert len(stage.pbx.originates) == 2


def test_disorder_and_doubles(stage: FakeStage) -> None:
    stage.pbx.disorder = stage.pbx.twice = True
    orders = set()
    for _ in range(20):
        call = stage.place("55520000")
        stage.wait(lambda call=call: len(stage.heard.of(HungUp, call)) == 2)  # type: ignore[misc]
        assert len(stage.heard.of(OriginateFailed, call)) == 2
        orders.add(tuple(stage.heard.kinds(call)))
    assert len(orders) > 3


def test_a_dead_network_leaves_the_calls_alive(stage: FakeStage) -> None:
    call = stage.place("55510000")
    stage.wait(lambda: bool(stage.heard.of(Answered, call)))
    stage.pbx.set_dead()
    stage.wait(lambda: bool(stage.heard.of(LinkDown)))
    stage.pass_time(20)
    assert len(stage.pbx.live) == 1
    stage.pbx.set_dead(False)
    stage.wait(lambda: len(stage.heard.of(LinkUp)) == 2, 60)


def test_a_restart_ends_the_calls_without_a_word(stage: FakeStage) -> None:
    call = stage.place("55510000")
    stage.wait(lambda: bool(stage.heard.of(Answered, call)))
    before = stage.heard.of(LinkUp)[0].booted_at
    stage.pbx.up_again_after = 5
    stage.pbx.restart()
    stage.wait(lambda: len(stage.heard.of(LinkUp)) == 2, 60)
    assert stage.heard.of(LinkUp)[1].booted_at > before
    assert not stage.heard.of(HungUp, call)
    stage.driver.ask_alive(call)
    stage.wait(lambda: bool(stage.heard.of(FoundGone, call)))


def test_it_can_be_reached_over_a_real_socket() -> None:
    from twisted.internet import reactor

    real: Any = reactor
    if not real.running:
        real.startRunning(installSignalHandlers=False)
    port = FakePbx(real).listen()
    heard = Heard()
    address = port.getHost()
    server = Server(1, "x", address=address.host, port=address.port, login="wombat", password=Secret("dials"))
    driver = AmiDriver(server)
    driver.start(heard)
    wait = RealStage(None).wait
    wait(lambda: driver.connected)
    driver.originate(OriginateRequest(9, "Local/55510001@n/n", "simulated-endpoints", "101", 5000))
    wait(lambda: bool(heard.of(HungUp, 9)))
    assert heard.of(ChannelCreated, 9)
    assert heard.of(OriginateSucceeded, 9)
    stopped: list[Any] = []
    driver.stop().addCallback(stopped.append)
    wait(lambda: bool(stopped))
    port.stopListening()


def test_the_quick_clock_keeps_the_order_of_the_slow_one() -> None:
    histories = [_history(clock) for clock in (Clock(), QuickClock())]
    assert histories[0] == histories[1]
    assert len(histories[0]) > 300


def _history(clock: Clock) -> list[tuple[float, int]]:
    chance = random.Random(5)
    seen: list[tuple[float, int]] = []
    pending: list[Any] = []

    def fire(number: int) -> None:
        seen.append((round(clock.seconds(), 3), number))
        if number % 3 == 0:
            clock.callLater(chance.choice([0, 0, 0.5]), seen.append, (clock.seconds(), -number))

    for number in range(400):
        pending.append(clock.callLater(chance.choice([0, 1, 1, 2, 3.5]), fire, number))
        if number % 7 == 0 and pending[-1].active():
            pending[-1].reset(chance.choice([0.1, 4]))
        if number % 13 == 0 and pending[number // 2].active():
            pending[number // 2].delay(1)
        if number % 11 == 0 and pending[-2 % len(pending)].active():
            pending[-2 % len(pending)].cancel()
        if number % 20 == 0:
            clock.advance(0.5)
    for _ in range(20):
        clock.advance(0.5)
    return seen
