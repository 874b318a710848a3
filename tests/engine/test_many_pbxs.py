"""Several PBXs: each is a world of its own. What one does, or stops doing, the others' calls do not feel."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.engine.several import LINES, NAMES, Several
from tools.fake_pbx import FakePbx
from wombat_ari.engine import recover
from wombat_ari.store import entities


@pytest.fixture
def world(tmp_path: Path) -> Several:
    return Several(tmp_path)


# Trouble with one


def _away(pbx: FakePbx, on: bool) -> None:
    pbx.set_dead(on)


def _accepts_and_says_nothing(pbx: FakePbx, on: bool) -> None:
    pbx.mute = on
    pbx.cut()


def _does_not_answer_the_login(pbx: FakePbx, on: bool) -> None:
    pbx.ignores = frozenset({"Login"}) if on else frozenset()
    pbx.cut()


def _logs_in_and_falls_silent(pbx: FakePbx, on: bool) -> None:
    pbx.silent = on
    pbx.cut()


def _frozen(pbx: FakePbx, on: bool) -> None:
    pbx.freeze(on)
    pbx.mute = on  # the kernel accepts for it


TROUBLES: dict[str, tuple[Callable[[FakePbx, bool], None], str]] = {
    "away": (_away, "connection refused"),
    "accepts and says nothing": (_accepts_and_says_nothing, "does not answer to the log-in"),
    "does not answer the login": (_does_not_answer_the_login, "does not answer to the log-in"),
    "logs in and falls silent": (_logs_in_and_falls_silent, "does not answer"),
    "frozen": (_frozen, "does not answer"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_with_one_is_noticed_said_once_and_felt_by_nobody_else(world: Several, name: str) -> None:
    trouble, words = TROUBLES[name]
    world.begin(1000)
    world.advance(10)
    before = world.rate(40, "one", "three")
    began = world.clock.seconds()
    trouble(world.fakes["two"], True)
    world.advance_until(lambda: not world.shown("two")["connected"], 20)
    during = world.rate(120, "one", "three")
    assert during / before > 0.95
    for _ in range(60):
        world.advance(1)
        assert words in world.shown("two")["error"], "also while it is being tried again"
    assert began <= world.shown("two")["since"] <= began + 16
    assert world.said("two") == ["PBX up", "PBX down"]
    assert world.said("one") == world.said("three") == ["PBX up"]
    assert world.shown("one")["error"] == world.shown("three")["error"] == ""

    placed = world.placed("two")
    trouble(world.fakes["two"], False)
    world.advance_until(lambda: world.shown("two")["connected"], 70)
    assert world.said("two") == ["PBX up", "PBX down", "PBX up"]
    assert world.shown("two")["error"] == ""
    world.finish()
    assert world.placed("two") > placed
    world.check()


@pytest.mark.parametrize("name", TROUBLES)
def test_it_is_tried_again_with_growing_pauses(world: Several, name: str) -> None:
    TROUBLES[name][0](world.fakes["two"], True)
    tried: list[float] = []
    endpoint = world.fakes["two"].endpoint
    connect = type(endpoint()).connect

    def noted(self: Any, factory: Any) -> Any:
        if self._pbx is world.fakes["two"]:
            tried.append(world.clock.seconds())
        return connect(self, factory)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(endpoint()), "connect", noted)
        world.begin(10, on=("one",))
        world.advance(600, step=0.25)
    assert 10 <= len(tried) <= 40
    gaps = [later - earlier for earlier, later in pairwise(tried)]
    assert gaps[0] + 15 < min(gaps[-4:])
    assert len({round(gap, 1) for gap in gaps[-4:]}) > 1, "without jitter many dialers would knock at once"
    assert world.said("two") == ["PBX down"]


def test_one_that_cannot_list_its_calls_gets_none_and_says_why(world: Several) -> None:
    world.fakes["two"].ignores = frozenset({"CoreShowChannels"})
    world.begin(60)
    world.advance(100)
    shown = world.shown("two")
    assert not shown["connected"]
    assert "its calls cannot be listed" in shown["error"]
    assert "PBX up" not in world.said("two")
    assert world.placed("two") == 0
    world.fakes["two"].ignores = frozenset()
    world.advance_until(lambda: world.shown("two")["connected"], 60)
    world.finish()
    world.check()


def test_a_slow_one_is_slowed_down_alone(world: Several) -> None:
    world.begin(900)
    world.advance(10)
    before = world.rate(60, "one", "three")
    world.fakes["two"].answer_delay = 3.0
    world.advance(20)
    assert world.shown("two")["slowed_to"] is not None
    assert world.shown("one")["slowed_to"] is world.shown("three")["slowed_to"] is None
    assert world.rate(60, "one", "three") / before > 0.95
    assert world.pbx_of("two").pressure.allowed < world.pbx_of("one").pressure.allowed
    world.fakes["two"].answer_delay = 0.0
    world.finish()
    world.check()
    assert world.said("two") == ["PBX up"]


def test_each_has_a_budget_of_its_own(world: Several) -> None:
    for name, per_unit in zip(NAMES, (1, 2, 4), strict=True):
        saved = replace(world.servers[name], unit_length_ms=1000, max_messages_per_unit=per_unit)
        entities.save_server(world.database, saved, by="test", now=world.clock.seconds())
    for key, name in zip(world.trunks.values(), NAMES, strict=True):
        trunk = replace(entities.load_trunk(world.database, key), capacity=100)
        entities.save_trunk(world.database, trunk, by="test", now=world.clock.seconds())
        end = replace(entities.load_end_point(world.database, world.ends[name]), max_channels=100)
        entities.save_end_point(world.database, end, by="test", now=world.clock.seconds())
    world.begin(200)
    world.advance(2)
    rates = [world.rate(10 if name == "one" else 0.001, name) for name in NAMES[:1]]
    assert rates == [1.0]
    counts = [world.placed(name) for name in NAMES]
    assert counts[1] == pytest.approx(2 * counts[0], abs=3)
    assert counts[2] == pytest.approx(4 * counts[0], abs=6)


def test_a_stop_does_not_wait_for_one_that_is_frozen(world: Several) -> None:
    world.begin(60)
    world.advance(5)
    world.fakes["two"].freeze()
    world.stop()
    world.fakes["two"].freeze(False)
    world.start()
    world.finish()
    world.check()


# Calls of one that was lost


def test_a_call_whose_channel_comes_late_is_not_dialled_again(world: Several) -> None:
    """The PBX is behind: it took Originates and the link broke before their channels were made."""
    fake = world.fakes["two"]
    fake.channel_delay = 4.0
    world.begin(LINES, on=("two",))
    world.advance_until(lambda: len(fake.originates) == LINES)
    fake.cut()
    world.advance_until(lambda: world.shown("two")["connected"])
    assert not fake.live
    world.finish()
    assert {tuple(outcomes) for outcomes in world.outcomes().values()} == {("TERMINATED",)}
    assert len(fake.originates) == LINES
    world.check()


def test_what_never_comes_is_known_to_be_gone_in_the_end(world: Several) -> None:
    fake = world.fakes["two"]
    world.begin(LINES, on=("two",))
    fake.ignores = frozenset({"Originate"})
    world.advance_until(lambda: bool(world.dialer.board.flights))
    world.advance(0.3)
    fake.ignores = frozenset()
    fake.cut()
    world.advance_until(lambda: world.shown("two")["connected"])
    world.advance(recover.NOT_YET_S + 2)
    assert {outcomes[0] for outcomes in world.outcomes().values()} == {"RS_ERROR"}
    world.finish()
    world.check()
