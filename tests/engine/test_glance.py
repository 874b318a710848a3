"""Live calls counted, and a page of them in the order asked for."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.world import World
from wombat_ari.engine.glance import calls_by_state, open_calls
from wombat_ari.model.live import CallOrder, CallsWanted

RINGS, TALKS = "55530000%02d", "55510100%02d"  #: see tools/fake_pbx/scenes


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """``a`` has three calls that were answered, one after the other, ``b`` four that ring; all lines are in use."""
    world = World(tmp_path)
    few, other = world.add_trunk("Few", capacity=3), world.add_trunk("Another", capacity=4)
    world.end_point = world.add_end_point("Waits", exten="101")
    world.add_campaign("a", [TALKS % n for n in (3, 1, 2, 4)], trunk_ids=(few.id,))
    world.add_campaign(
        "b", [RINGS % n for n in (3, 1, 2, 4, 5)], trunk_ids=(other.id,), answer_timeout_ms=60_000
    )  # fmt: skip
    world.start()
    world.run("a")
    world.run("b")
    world.advance_until(lambda: by_state(world) == {"CONNECTED": 3, "DIALLING": 4})
    yield world
    world.stop()


def by_state(world: World) -> dict[str, int]:
    return calls_by_state(world.dialer.publish.snapshot(calls=False)["counts"])


def page(world: World, **wanted: Any) -> dict[str, Any]:
    """As it comes over the control socket."""
    return world.dialer.obey.live_calls(CallsWanted.heard(json.loads(json.dumps(CallsWanted(**wanted).told()))))


def numbers(world: World, **wanted: Any) -> list[str]:
    return [call["number"] for call in page(world, **wanted)["calls"]]


def run_of(world: World, campaign: str) -> int:
    run = world.dialer.board.run_of(campaign)
    assert run is not None
    return run.id


def test_the_counts_are_those_of_the_calls(world: World) -> None:
    shown = world.dialer.publish.snapshot()
    assert len(shown["calls"]) == 7
    assert shown["calls_by_state"] == Counter(call["state"] for call in shown["calls"])
    assert open_calls(shown["counts"]) == Counter(call["run"] for call in shown["calls"])
    trunks = {trunk["id"]: trunk["name"] for trunk in shown["trunks"]}
    names: Counter[str] = Counter()
    for _, server, trunk, end_point, _, count in shown["counts"]:
        names[trunks[trunk]] += count
        assert (server, end_point) == (world.server.id, world.end_point.id)
    assert names == Counter(call["trunk"] for call in shown["calls"]) == {"Few": 3, "Another": 4}
    assert {run["campaign"]: run["open_calls"] for run in shown["runs"]} == {"a": 3, "b": 4}
    assert {run["campaign"]: len(run["trunks"]) for run in shown["runs"]} == {"a": 1, "b": 1}


def test_all_counts_are_of_calls_that_live(world: World) -> None:
    for call in list(world.pbx.live.values()):
        call.hang_up(16)
    world.command("pause", "a")
    world.command("pause", "b")
    world.advance_until(lambda: not world.dialer.publish.snapshot(calls=False)["counts"])
    assert page(world) | {"now": 0} == {"now": 0, "total": 0, "skip": 0, "calls": []}


def test_a_page_is_in_the_order_wanted_and_who_lacks_it_comes_last(world: World) -> None:
    talks, rings = [TALKS % n for n in (1, 2, 3)], [RINGS % n for n in (1, 2, 3, 4)]
    assert numbers(world, order=CallOrder.NUMBER) == talks + rings
    assert numbers(world, order=CallOrder.NUMBER, descending=True) == (talks + rings)[::-1]
    assert set(numbers(world, order=CallOrder.TRUNK)[:4]) == set(rings)
    assert set(numbers(world, order=CallOrder.CAMPAIGN, descending=True)[:4]) == set(rings)
    answered = sorted(page(world)["calls"], key=lambda call: call["answered_at"] or 1e12)
    in_order = [call["number"] for call in answered[:3]]
    assert numbers(world, order=CallOrder.ANSWERED)[:3] == in_order
    assert set(numbers(world, order=CallOrder.ANSWERED, descending=True)[3:]) == set(rings)
    for order in CallOrder:
        for descending in (False, True):
            assert set(numbers(world, order=order, descending=descending)) == {*talks, *rings}


def test_pages_do_not_overlap_and_one_behind_the_end_is_the_last(world: World) -> None:
    pages = [page(world, order=CallOrder.STATE, skip=skip, limit=3) for skip in (0, 3, 6)]
    assert [len(each["calls"]) for each in pages] == [3, 3, 1]
    assert len({call["id"] for each in pages for call in each["calls"]}) == 7
    late = page(world, order=CallOrder.STATE, skip=300, limit=3)
    assert late == pages[2]
    assert (late["skip"], late["total"]) == (6, 7)


def test_of_some_runs_and_numbers_only(world: World) -> None:
    only = frozenset({run_of(world, "a"), 999})
    assert {call["campaign"] for call in page(world, runs=only)["calls"]} == {"a"}
    assert page(world, runs=only)["total"] == 3
    assert page(world, runs=frozenset())["calls"] == []
    assert numbers(world, number="5553000001") == [RINGS % 1]
    assert page(world, runs=only, number="5553000001")["total"] == 0


def test_all_are_asked_for_in_pages_each_behind_the_last_one(world: World) -> None:
    """Also when some end between two pages: none of the others is missed, as it would be by their number."""
    every = sorted(call["id"] for call in world.dialer.publish.snapshot()["calls"])
    assert [call["id"] for call in page(world, order=CallOrder.WOMBATID)["calls"]] == every
    first = page(world, order=CallOrder.WOMBATID, limit=3)["calls"]
    gone = world.dialer.board.flights[first[0]["id"]]
    world.command("pause", gone.run.name)
    world.dialer.obey.hang_up(first[0]["id"])
    world.advance_until(lambda: len(world.dialer.publish.snapshot()["calls"]) == 6)
    rest = page(world, order=CallOrder.WOMBATID, after=first[-1]["id"], limit=100)["calls"]
    assert [call["id"] for call in first + rest] == every
    assert page(world, after=every[-1])["calls"] == []
