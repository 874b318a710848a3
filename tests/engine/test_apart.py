"""What belongs to one PBX, or to one dialer, is kept apart: trunks, end points, queues, ids, notes."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.several import LINES, NAMES, RULES, TALKS, Several, set_series_apart
from tests.engine.world import World
from tools.fake_pbx import FakeQueue
from wombat_ari.model.entities import EndPoint
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import EndPointType
from wombat_ari.store import entities


@pytest.fixture
def world(tmp_path: Path) -> Several:
    return Several(tmp_path)


# Trunks and end points belong to one server


def test_a_campaign_whose_trunk_and_end_point_are_apart_is_not_started(world: Several) -> None:
    world.add_campaign("apart", ["5551000001"], trunk_ids=(world.trunks["one"],), end_point_ids=(world.ends["two"],))
    world.start()
    with pytest.raises(UserError) as refusal:
        world.run("apart")
    text = str(refusal.value)
    assert "no trunk and end point on the same server" in text
    assert "trunk to one is on one" in text
    assert "end point waits is on two" in text
    assert refusal.value.code == "no-route"
    assert world.rows("SELECT COUNT(*) FROM run") == [(0,)]


def test_what_is_on_two_servers_is_never_paired(world: Several) -> None:
    """A trunk without an end point beside it is of no use, whatever else the campaign has."""
    world.numbers = [TALKS.format(2, n) for n in range(40)]
    world.add_campaign(
        "c",
        world.numbers,
        trunk_ids=(world.trunks["one"], world.trunks["two"]),
        end_point_ids=(world.ends["two"], world.ends["three"]),
    )
    world.start()
    world.run("c")
    world.finish()
    assert (world.placed("one"), world.placed("two"), world.placed("three")) == (0, 40, 0)
    world.check()


def test_calls_follow_a_trunk_to_its_new_server(world: Several) -> None:
    """Moved while it is in use: live calls end where they are, the next ones go where it is now."""
    world.begin(80, on=("one",))
    world.advance(3)
    assert world.fakes["one"].live
    trunk = entities.load_trunk(world.database, world.trunks["one"])
    moved = replace(trunk, server_id=world.servers["two"].id or 0, dial_string="Local/0${num}@elsewhere/n")
    entities.save_trunk(world.database, moved, by="test", now=world.clock.seconds())
    placed = world.placed("one")
    world.add_campaign(
        "other", [TALKS.format(2, 99)], trunk_ids=(world.trunks["three"],), end_point_ids=(world.ends["three"],)
    )
    world.run("other")  # who starts a run has the configuration taken for all
    world.advance(5)
    world.numbers.append(TALKS.format(2, 99))
    shown = next(run for run in world.dialer.publish.snapshot()["runs"] if run["campaign"] == "c")
    assert shown["why_not"] == "no trunk and end point on the same server"
    assert world.placed("one", "two") == placed, "its end point is still on the old server"
    end_point = entities.load_end_point(world.database, world.ends["one"])
    moved_end = replace(end_point, server_id=world.servers["two"].id or 0, name="waits too")
    entities.save_end_point(world.database, moved_end, by="test", now=world.clock.seconds())
    back = replace(moved, dial_string=trunk.dial_string)
    entities.save_trunk(world.database, back, by="test", now=world.clock.seconds())
    world._now(world.dialer.obey.reload("c"))
    world.finish()
    assert world.placed("one") == placed
    assert world.placed("two") == 80 - placed
    world.check()


def test_what_was_given_a_line_before_its_trunk_moved_is_not_placed_on_the_old_server(world: Several) -> None:
    slow = replace(world.servers["one"], unit_length_ms=1000, max_messages_per_unit=1)
    entities.save_server(world.database, slow, by="test", now=world.clock.seconds())
    world.begin(20, on=("one",))
    world.advance_until(lambda: world.placed("one") == 3 and bool(world.pbx_of("one").orders))
    trunk = entities.load_trunk(world.database, world.trunks["one"])
    moved = replace(trunk, server_id=world.servers["two"].id or 0)
    entities.save_trunk(world.database, moved, by="test", now=world.clock.seconds())
    world._now(world.dialer.obey.reload("c"))
    world.advance(3)
    assert world.placed("one", "two") == 3
    assert world.pbx_of("one").granted == set()


def test_a_call_that_was_placed_before_its_trunk_moved_is_looked_for_where_it_was_placed(world: Several) -> None:
    world.begin(LINES, on=("one",))
    world.advance(2)
    live = set(world.fakes["one"].live)
    assert live
    world.kill()
    for load, save, key in (
        (entities.load_trunk, entities.save_trunk, world.trunks["one"]),
        (entities.load_end_point, entities.save_end_point, world.ends["one"]),
    ):
        moved = replace(load(world.database, key), server_id=world.servers["two"].id or 0, name="moved")
        save(world.database, moved, by="test", now=world.clock.seconds())
    world.start()
    world.finish()
    assert {tuple(outcomes) for outcomes in world.outcomes().values()} == {("TERMINATED",)}
    world.check()


def test_queues_of_the_same_name_are_two_queues(world: Several) -> None:
    ends = []
    for name, agents in (("one", 2), ("two", 1)):
        queue = world.fakes[name].queues["sales"] = FakeQueue(world.fakes[name], "sales", wrap_up_s=0, ivr_s=0)
        for serial in range(agents):
            queue.log_on(f"PJSIP/{serial}")
        end = EndPoint(
            None, world.servers[name].id or 0, EndPointType.QUEUE, "sales", "sales", "simulated-endpoints", 50
        )
        ends.append(entities.save_end_point(world.database, end, by="test", now=world.clock.seconds()).id)
    world.add_campaign(
        "c",
        [f"555100000{n}" for n in range(8)],
        trunk_ids=(world.trunks["one"], world.trunks["two"]),
        end_point_ids=tuple(ends),
    )
    world.start()
    world.run("c")
    world.advance(5)
    assert [len(world.fakes[name].live) for name in NAMES] == [2, 1, 0]
    shown = {end["server"]: end for end in world.dialer.publish.snapshot()["end_points"] if end["name"] == "sales"}
    assert {server: (end["queue"]["agents_total"], end["used"]) for server, end in shown.items()} == {
        "one": (2, 2),
        "two": (1, 1),
    }
    # The loss of one makes the other's agents neither free nor unknown.
    world.fakes["one"].set_dead()
    world.advance(3)
    shown = {end["server"]: end for end in world.dialer.publish.snapshot()["end_points"] if end["name"] == "sales"}
    assert [shown[name]["queue"]["listed"] for name in ("one", "two")] == [False, True]
    assert len(world.fakes["two"].live) == 1


# Several dialers on one


def test_two_dialers_on_one_pbx_leave_each_others_calls_and_notes_alone(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    first = World(tmp_path / "first")
    second = World(tmp_path / "second", clock=first.clock)
    second.pbxs[second.server.id or 0] = second.pbx = first.pbx
    set_series_apart(first.database, second.database)
    numbers = [f"55510260{n:03}" for n in range(8)]
    for world in (first, second):
        trunk, waits = world.add_trunk("t", capacity=8), world.add_end_point("waits", exten="101")
        world.add_campaign("c", numbers, trunk_ids=(trunk.id,), end_point_ids=(waits.id,), rules=RULES)
        world.start()
        world.run("c")
    first.advance(0.5)
    ids = [headers["channelid"] for headers in first.pbx.originates]
    assert len(ids) == len(set(ids)) == 16
    assert len({unique_id[4:7] for unique_id in ids}) == 2
    first.stop()
    second.finish()
    assert len(first.pbx.notes) == 16
    # The second sweeps its notes, and reads what is there after a break; the first needs its own still.
    second.pbx.cut()
    second.advance(1201, step=0.5)
    assert len(first.pbx.notes) == 8
    first.start()
    first.finish()
    for world in (first, second):
        assert world.outcomes() == {number: ["TERMINATED"] for number in numbers}
        world.check_ledger()
