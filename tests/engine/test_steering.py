"""A live run is steered: lists added, paused, ordered; boost; a changed campaign."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.world import START, World, rule
from wombat_ari.model.errors import UserError
from wombat_ari.store import campaigns, entities


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def do(world: World, name: str, *args: Any, **kwargs: Any) -> Any:
    return world._now(getattr(world.dialer.obey, name)(*args, **kwargs))


def names(lists: list[dict[str, Any]]) -> list[str]:
    return [each["name"] for each in lists]


def test_a_list_is_added_to_a_live_run(world: World) -> None:
    world.add_campaign("c", ["5551201001"])
    extra = world.add_list(["5552000002", "5552000003"])
    world.start()
    world.run("c")
    assert names(do(world, "add_list", "c", extra.name)) == ["list 1", extra.name]
    world.finish()
    assert sorted(world.outcomes()) == ["5551201001", "5552000002", "5552000003"]
    world.check_ledger()


def test_nothing_new_is_taken_from_a_paused_list(world: World) -> None:
    trunk = world.add_trunk("t", capacity=1)
    world.add_campaign("c", [f"55512010{n:02}" for n in range(40)], trunk_ids=(trunk.id,), batch_size=5)
    world.start()
    run = world.run("c")
    world.advance(2)
    do(world, "pause_list", "c", "list 1", paused=True)
    world.advance_until(lambda: not run.flights and not len(run.hopper))
    done = len(world.dialled_ids())
    assert done < 12
    assert run.machine.state == "COMPLETED", "a run whose lists are all paused is out of numbers"
    world.advance(2)
    world.check_ledger()


def test_a_paused_list_is_resumed_and_all_are_called(world: World) -> None:
    numbers = [f"55512010{n:02}" for n in range(12)]
    trunk = world.add_trunk("t", capacity=2)
    world.add_campaign("c", numbers, trunk_ids=(trunk.id,), batch_size=4, idles_on_termination=True)
    world.start()
    run = world.run("c")
    do(world, "pause_list", "c", "list 1", paused=True)
    world.advance_until(lambda: run.machine.state == "IDLE")
    assert len(world.dialled_ids()) < 12
    do(world, "pause_list", "c", "list 1", paused=False)
    world.advance_until(lambda: run.tally.closed == 12 and not world.journal.waiting)
    assert sorted(world.outcomes()) == numbers


def test_lists_are_taken_in_their_new_order(world: World) -> None:
    first, second = world.add_list([f"55512010{n:02}" for n in range(6)]), world.add_list(["5552000099"])
    trunk = world.add_trunk("t", capacity=1)
    world.add_campaign("c", first, lists=(first, second), trunk_ids=(trunk.id,), batch_size=1)
    world.start()
    world.run("c")
    assert names(do(world, "order_lists", "c", [second.name, first.name])) == [second.name, first.name]
    world.finish()
    order = [number for number, _, _ in world.log()]
    assert order.index("5552000099") <= 3


def test_boost_is_kept_over_a_restart_and_bounded(world: World) -> None:
    world.add_campaign("c", ["5553000001"], answer_timeout_ms=60_000)
    world.start()
    world.run("c")
    do(world, "boost", "c", 1.5)
    with pytest.raises(UserError, match="boost"):
        do(world, "boost", "c", 0.0)
    world.stop()
    world.start()
    (run,) = world.dialer.board.runs.values()
    assert run.boost == 1.5


def test_a_changed_campaign_is_taken_into_use(world: World) -> None:
    campaign = world.add_campaign("c", ["5552000001"], priority=10)
    trunk = world.add_trunk("other", capacity=7)
    world.start()
    run = world.run("c")
    common: dict[str, Any] = {"by": "test", "now": START}
    campaigns.save_campaign(world.database, replace(campaign, priority=1), **common)
    campaigns.set_campaign_rules(world.database, campaign.id or 0, rules=[rule("RS_BUSY", after=5)], **common)
    campaigns.set_campaign_trunks(world.database, campaign.id or 0, trunk_ids=[trunk.id or 0], **common)
    entities.save_trunk(world.database, replace(trunk, capacity=9), **common)
    do(world, "reload", "c")
    assert run.contender.priority == 1
    (way,) = run.contender.ways
    assert [(trunk.name, trunk.capacity) for trunk in way.trunks] == [("other", 9)]
    world.finish()
    assert world.outcomes() == {"5552000001": ["RS_BUSY", "RS_BUSY"]}


def test_refusals(world: World) -> None:
    world.add_campaign("c", ["5553000001"])
    world.start()
    for name, args in (("run_lists", ("c",)), ("add_list", ("c", "list 1")), ("boost", ("c", 1.0)), ("reload", ("c",))):
        with pytest.raises(UserError, match="no live run"):
            do(world, name, *args)
    world.run("c")
    with pytest.raises(UserError, match="in run"):
        do(world, "add_list", "c", "list 1")
    with pytest.raises(UserError, match="no list nosuch"):
        do(world, "add_list", "c", "nosuch")
    with pytest.raises(UserError, match=r"each list of the run once: .list 1."):
        do(world, "order_lists", "c", [])
