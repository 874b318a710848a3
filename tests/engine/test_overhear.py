"""The AMI debugger's ear: nothing before somebody begins, bounded, ended when nobody reads, on with a new driver."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.task import Clock

from wombat_ari.engine import overhear as place
from wombat_ari.engine.overhear import UNREAD_S, Overhear
from wombat_ari.model.entities import Server
from wombat_ari.model.errors import UserError
from wombat_ari.model.secret import Secret


class Driver:
    ear: Any = None

    def overhear(self, ear: Any) -> None:
        self.ear = ear


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.advance(1_000_000)
    return clock


@pytest.fixture
def pbx() -> Any:
    return SimpleNamespace(server=Server(7, "pbx", password=Secret("hunter22")), driver=Driver())


@pytest.fixture
def overhear(clock: Clock, pbx: Any) -> Overhear:
    return Overhear(SimpleNamespace(pbxs={7: pbx}), clock)  # type: ignore[arg-type]


def texts(answer: dict[str, Any]) -> list[str]:
    return [message[3] for message in answer["messages"]]


def test_reading_alone_begins_nothing(overhear: Overhear, pbx: Any) -> None:
    assert overhear.read(7, after=0, begin=False) == {"on": False, "last": 0, "messages": []}
    assert pbx.driver.ear is None


def test_what_is_said_is_read_once_in_order_and_masked(overhear: Overhear, pbx: Any) -> None:
    overhear.read(7, after=0, begin=True)
    pbx.driver.ear(True, b"Action: Login\r\nSecret: hunter22\r\n\r\n")
    pbx.driver.ear(False, b"Response: Success\r\nMessage: hello hunter")
    pbx.driver.ear(False, b"22\r\n\r\n")
    first = overhear.read(7, after=0, begin=False)
    assert texts(first) == ["Action: Login\nSecret: ***", "Response: Success\nMessage: hello ***"]
    assert [message[2] for message in first["messages"]] == [True, False]
    pbx.driver.ear(False, b"Event: Hangup\r\n\r\n")
    assert texts(overhear.read(7, after=first["last"], begin=False)) == ["Event: Hangup"]


def test_it_ends_when_nobody_reads(overhear: Overhear, pbx: Any, clock: Clock) -> None:
    overhear.read(7, after=0, begin=True)
    clock.advance(UNREAD_S)
    overhear.tick()
    assert overhear.read(7, after=0, begin=False)["on"]
    clock.advance(UNREAD_S + 0.1)
    overhear.tick()
    assert pbx.driver.ear is None
    assert not overhear.watched
    assert not overhear.read(7, after=0, begin=False)["on"]


def test_it_is_bounded(overhear: Overhear, pbx: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "KEPT", 10)
    monkeypatch.setattr(place, "KEPT_TEXT", 50)
    overhear.read(7, after=0, begin=True)
    for number in range(100):
        pbx.driver.ear(False, b"Event: %d\r\n\r\n" % number)
    assert texts(overhear.read(7, after=0, begin=False)) == [f"Event: {number}" for number in range(95, 100)]


def test_a_long_answer_comes_in_several(overhear: Overhear, pbx: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "ANSWER", 20)
    overhear.read(7, after=0, begin=True)
    for number in range(5):
        pbx.driver.ear(False, b"Event: %d\r\n\r\n" % number)
    found, after = [], 0
    while (answer := overhear.read(7, after=after, begin=False))["messages"]:
        found += texts(answer)
        after = answer["last"]
    assert found == [f"Event: {number}" for number in range(5)]


def test_a_new_driver_is_followed(overhear: Overhear, pbx: Any) -> None:
    overhear.read(7, after=0, begin=True)
    old, pbx.driver = pbx.driver, Driver()
    overhear.tick()
    assert old.ear is None
    pbx.driver.ear(False, b"Event: A\r\n\r\n")
    assert texts(overhear.read(7, after=0, begin=False)) == ["Event: A"]


def test_a_server_that_is_not_there(overhear: Overhear) -> None:
    with pytest.raises(UserError, match="does not use this server yet"):
        overhear.read(8, after=0, begin=True)
