"""One question to the dialer for all who look at the same moment."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from wombat_ari.app.service.pictures import FRESH_S, KEPT, Pictures
from wombat_ari.model.errors import UserError
from wombat_ari.model.live import CallsWanted


class Dialer:
    """Numbers its answers; ``gate`` holds them back."""

    def __init__(self) -> None:
        self.asked = 0
        self.down = False
        self.gate = threading.Event()
        self.gate.set()

    def snapshot(self, *, calls: bool = True) -> dict[str, Any]:
        assert not calls
        self.asked += 1
        number = self.asked
        assert self.gate.wait(10)
        if self.down:
            raise UserError("the dialer is not running", code="dialer-down")
        return {"number": number}

    def live_calls(self, wanted: CallsWanted) -> dict[str, Any]:
        return self.snapshot(calls=False) | {"wanted": wanted}


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def dialer() -> Dialer:
    return Dialer()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pictures(dialer: Dialer, clock: Clock) -> Pictures:
    return Pictures(dialer, clock)  # type: ignore[arg-type]


def test_who_looks_within_half_a_second_is_told_the_same(pictures: Pictures, clock: Clock) -> None:
    assert [pictures.overview()["number"] for _ in range(20)] == [1] * 20
    clock.now += FRESH_S
    assert pictures.overview()["number"] == 2


def test_each_page_of_calls_is_asked_for_once(pictures: Pictures) -> None:
    first, second = CallsWanted(limit=25), CallsWanted(limit=25, skip=25)
    for wanted in (first, second, first, second):
        assert pictures.calls(wanted)["wanted"] == wanted
    assert pictures.overview()["number"] == 3


def test_what_was_known_before_something_was_done_is_forgotten(pictures: Pictures) -> None:
    pictures.overview()
    pictures.forget()
    assert pictures.overview()["number"] == 2


def test_an_answer_under_way_when_something_is_done_is_not_for_who_comes_after(
    pictures: Pictures, dialer: Dialer
) -> None:
    dialer.gate.clear()
    found: list[int] = []
    slow = threading.Thread(target=lambda: found.append(pictures.overview()["number"]))
    slow.start()
    while not dialer.asked:
        pass
    pictures.forget()
    dialer.gate.set()
    assert pictures.overview()["number"] == 2
    slow.join(10)
    assert found == [1]


def test_many_who_ask_at_once_cost_one_question(pictures: Pictures, dialer: Dialer) -> None:
    dialer.gate.clear()
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(pictures.overview()["number"])) for _ in range(8)]
    for thread in threads:
        thread.start()
    dialer.gate.set()
    for thread in threads:
        thread.join(10)
    assert found == [1] * 8


def test_a_dialer_that_is_down_is_told_to_all_and_asked_again_soon(
    pictures: Pictures, dialer: Dialer, clock: Clock
) -> None:
    dialer.down = True
    for _ in range(3):
        with pytest.raises(UserError, match="not running") as caught:
            pictures.overview()
        assert caught.value.code == "dialer-down"
    assert dialer.asked == 1
    dialer.down, clock.now = False, clock.now + FRESH_S
    assert pictures.overview()["number"] == 2


def test_a_mistake_is_not_kept(pictures: Pictures, dialer: Dialer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialer, "snapshot", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pictures.overview()
    monkeypatch.undo()
    assert pictures.overview()["number"] == 1


def test_memory_does_not_grow_with_the_pages_that_were_ever_asked_for(pictures: Pictures) -> None:
    for skip in range(3 * KEPT):
        pictures.calls(CallsWanted(skip=skip))
    assert len(pictures._answers) == KEPT
