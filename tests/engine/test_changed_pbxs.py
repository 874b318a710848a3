"""PBXs configured otherwise while the dialer lives: nothing in use is cut."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.several import Several
from tools.fake_pbx import FakePbx
from wombat_ari.engine import equip
from wombat_ari.model.secret import Secret
from wombat_ari.store import entities


@pytest.fixture
def world(tmp_path: Path) -> Several:
    return Several(tmp_path)


# Configured otherwise while it lives


def test_another_password_is_taken_and_live_calls_go_on(world: Several) -> None:
    world.begin(60)
    world.advance(3)
    live = set(world.fakes["two"].live)
    assert live
    world.fakes["two"].users = {"wombat": "new"}
    world.change("two", password=Secret("new"))
    world.advance_until(lambda: world.shown("two")["connected"], 1)
    assert set(world.fakes["two"].live) & live
    world.finish()
    assert {tuple(outcomes) for outcomes in world.outcomes().values()} == {("TERMINATED",)}
    assert world.pbx_of("two").pressure.waiting == 0
    world.check()


def test_a_wrong_password_is_said_and_harms_nobody(world: Several) -> None:
    world.begin(200)
    world.advance(3)
    world.change("two", password=Secret("wrong"))
    world.advance(5)
    assert "refused the login 'wombat'" in world.shown("two")["error"]
    world.change("two", password=Secret("dials"))
    world.advance(2)
    assert world.shown("two")["connected"]
    world.finish()
    world.check()


def test_what_does_not_concern_the_link_does_not_break_it(world: Several) -> None:
    world.begin(60)
    world.advance(3)
    world.change("two", description="second", max_messages_per_unit=1)
    world.advance(1)
    assert world.shown("second")["connected"]
    assert world.pbx_of("two").budget.per_unit == 1
    assert len(world.fakes["two"].sessions) == 1
    assert [name for name, _ in world.fakes["two"].actions].count("Login") == 1


def test_an_answer_about_another_login_does_not_count(world: Several) -> None:
    """The survey of a link that was given up comes late: what lives is not known by it."""
    fake = world.fakes["two"]
    world.begin(200)
    world.advance(2)
    fake.answer_delay = 0.3
    fake.cut()
    world.advance_until(lambda: fake.actions[-1][0] == "CoreShowChannels", 10)
    world.change("two", password=Secret("wrong"))
    for _ in range(60):
        world.advance(0.05)
        assert not world.pbx_of("two").surveyed
    assert [name for name, _ in fake.actions if name in ("DBGetTree", "Logoff")][-2:] == ["DBGetTree", "Logoff"]
    assert not world.shown("two")["connected"]


def test_a_disabled_one_is_followed_to_its_last_call_and_let_go(world: Several) -> None:
    world.begin(120)
    world.advance(3)
    live, placed = set(world.fakes["two"].live), world.placed("two")
    assert live
    world.change("two", enabled=False)
    assert "disabled" in world.shown("two")["error"]
    assert world.fakes["two"].sessions, "its calls are still followed"
    world.advance_until(lambda: not world.fakes["two"].live)
    world.advance(4)
    assert {pbx["name"] for pbx in world.dialer.publish.snapshot()["pbxs"]} == {"pbx", "one", "three"}
    assert not world.fakes["two"].sessions
    assert world.placed("two") == placed
    world.change("two", enabled=True)
    world.finish()
    assert world.placed("two") > placed
    assert {tuple(outcomes) for outcomes in world.outcomes().values()} == {("TERMINATED",)}
    assert world.said("two") == ["PBX up", "PBX down", "PBX up"]
    world.check()


def test_one_that_is_enabled_again_in_time_goes_on(world: Several) -> None:
    world.begin(120)
    world.advance(3)
    world.change("two", enabled=False)
    world.advance(0.5)
    world.change("two", enabled=True)
    assert world.shown("two")["connected"]
    world.finish()
    assert [name for name, _ in world.fakes["two"].actions].count("Login") == 1
    world.check()


def test_a_dead_one_that_is_disabled_gives_its_calls_up(world: Several) -> None:
    """Otherwise they would be open, and their run live, until it comes back: for ever."""
    world.begin(60)
    world.advance(3)
    world.fakes["two"].set_dead()
    world.advance(30)
    world.change("two", enabled=False)
    world.advance(equip.GIVE_UP_S - 32)
    assert world.dialer.board.flights, "it may come back"
    world.finish(60)
    assert "two" not in [pbx["name"] for pbx in world.dialer.publish.snapshot()["pbxs"]]
    world.check()


def test_calls_of_one_that_was_disabled_while_the_dialer_was_down_are_told(world: Several) -> None:
    world.begin(60)
    world.advance(3)
    live = {int(call[4:]) for call in world.fakes["two"].live}
    assert live
    world.kill()
    saved = replace(world.servers["two"], enabled=False)
    entities.save_server(world.database, saved, by="test", now=world.clock.seconds())
    placed = world.placed("two")
    world.start()
    world.finish()
    assert world.placed("two") == placed
    rows: dict[int, str] = dict(world.log("wombatid, outcome"))
    assert {rows[call] for call in live} == {"TERMINATED"}
    assert not world.fakes["two"].sessions
    world.check()


def test_a_moved_one_is_followed_where_its_calls_are(world: Several) -> None:
    world.begin(120)
    world.advance(3)
    old, new = world.fakes["two"], FakePbx(world.clock)
    world.at[6000] = world.pbxs[99] = new
    placed = world.placed("two")
    world.change("two", port=6000)
    assert "moves to 127.0.0.1:6000" in world.shown("two")["error"]
    world.advance_until(lambda: not old.live)
    world.advance_until(lambda: bool(new.originates), 30)
    assert not old.sessions
    world.finish()
    assert world.placed("two") == placed
    assert {tuple(outcomes) for outcomes in world.outcomes().values()} == {("TERMINATED",)}
    world.check()


def test_one_that_was_given_another_address_is_found_there_with_its_calls(world: Several) -> None:
    """The machine was renumbered: at the old address nobody is any more."""
    world.begin(60)
    world.advance(3)
    moved = world.fakes["two"]
    moved.set_dead()
    world.advance_until(lambda: not world.shown("two")["connected"])
    live = set(moved.live)
    world.at[6000] = moved
    moved.set_dead(False)
    world.change("two", port=6000)
    world.advance_until(lambda: world.shown("two")["connected"], 1)
    assert live & set(moved.live)
    world.finish()
    assert {tuple(outcomes) for outcomes in world.outcomes().values()} == {("TERMINATED",)}
    world.check()


def test_one_that_was_deleted_is_gone(world: Several) -> None:
    spare = world.add_server("spare", FakePbx(world.clock), port=7000)
    world.at[7000] = world.pbxs[spare.id or 0]
    trunk = world.add_trunk("to spare", server=spare)
    world.begin(30)
    world.advance(1)
    assert world.shown("spare")["connected"]
    entities.delete_trunk(world.database, trunk.id or 0, by="test", now=world.clock.seconds())
    entities.delete_server(world.database, spare.id or 0, by="test", now=world.clock.seconds())
    world.change("two", max_messages_per_unit=4)
    shown = world.dialer.publish.snapshot()
    assert "spare" not in [pbx["name"] for pbx in shown["pbxs"]]
    assert "to spare" not in [line["name"] for line in shown["trunks"]]
    world.advance(2)
    assert not world.at[7000].sessions
