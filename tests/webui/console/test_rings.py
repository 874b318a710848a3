"""The seven rings of the live page against figures that are counted apart: from what the PBXs have on their lines, from
what the test has put on lists, and from how it wired campaigns. None is asked of the dialer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest

from tests.store.conftest import NOW
from tests.webui.console.conftest import Visitor
from tests.webui.console.engine import Engine
from tools.fake_pbx import FakePbx
from wombat_ari.model.entities import EndPoint, Trunk
from wombat_ari.model.states import EndPointType
from wombat_ari.store import entities
from wombat_ari.store.database import Database

RINGS = ("states", "servers", "trunk-use", "trunks", "end-point-use", "remaining", "runs")
#: campaign -> its server, trunk and lines there; how many numbers talk and how many ring for ever, beside one
#: that is busy; its key
PLAN = {
    "Autumn": ("north", "N1", 4, 7, 0, ""),
    "Spring": ("north", "N2", 5, 2, 3, ""),
    "Summer": ("south", "S1", 6, 3, 6, ""),
    "Hidden": ("south", "S2", 3, 3, 2, "HUSH"),
}
PAUSED = "Summer"
Shown = dict[str, dict[str, int]]


@pytest.fixture
def dialer(tmp_path: Path, database: Database) -> Iterator[Engine]:
    engine = Engine(tmp_path, database)
    world, by = engine.world, {"by": "root", "now": NOW}
    servers = {name: world.add_server(name, FakePbx(world.clock)) for name in ("north", "south")}
    for place, (name, (server, trunk, lines, talks, rings, key)) in enumerate(PLAN.items()):
        on = servers[server].id or 0
        saved = entities.save_trunk(database, Trunk(None, on, trunk, "Local/${num}@simulated-network/n", lines), **by)  # type: ignore[arg-type]
        point = EndPoint(None, on, EndPointType.PHONE, f"Desk {place}", "101", "simulated-endpoints", 20)
        point = entities.save_end_point(database, point, **by)  # type: ignore[arg-type]
        numbers = [f"5552010{place}00"] + [f"55510100{place}{n:02}" for n in range(talks)]
        numbers += [f"55530000{place}{n:02}" for n in range(rings)]
        world.add_campaign(
            name, numbers, trunk_ids=(saved.id,), end_point_ids=(point.id,), answer_timeout_ms=300_000,
            security_key=key,
        )  # fmt: skip
    engine.start()
    for name in PLAN:
        world.run(name)
    engine.advance(20)
    world.command("pause", PAUSED)
    yield engine
    world.stop()


def counted(engine: Engine, seen: set[str]) -> Shown:
    """By what the PBXs have; a number tells its campaign by its ninth digit."""
    names = list(PLAN)
    calls = [
        (names[int(call.number[8])], server, call.up)
        for server, pbx in (("north", 1), ("south", 2))
        for call in list(engine.world.pbxs.values())[pbx].live.values()
    ]
    calls = [call for call in calls if call[0] in seen]
    every = Counter(name for name, _, _ in calls)
    return {
        "states": Counter("CONNECTED" if up else "DIALLING" for _, _, up in calls),
        "servers": Counter(server for _, server, _ in calls),
        "trunk-use": every,
        "trunks": Counter({f"{PLAN[name][0]}/{PLAN[name][1]}": count for name, count in every.items()}),
        "end-point-use": Counter(name for name, _, up in calls if up),
        # One number of each was busy, and there is no rule to call it again: it is done with. The others are not.
        "remaining": Counter({name: PLAN[name][3] + PLAN[name][4] for name in seen}),
        "runs": Counter("PAUSED" if name == PAUSED else "RUNNING" for name in seen),
    }


def shown(html: str) -> tuple[Shown, dict[str, int]]:
    """What the legend of each ring says, and its whole. The arcs must say the same."""
    found, wholes = {}, {}
    for ring in RINGS:
        figure = html.partition(f'id="chart-{ring}"')[2].partition("</figure>")[0]
        assert figure, ring
        rows = re.findall(
            r'<span class="name"[^>]*>([^<]*)</span> <b>([\d,]+)</b> <span class="soft">([\d.]+) %', figure
        )
        whole = wholes[ring] = int(re.findall(r': ([\d,]+) \w+">', figure)[0].replace(",", "")) if rows else 0
        found[ring] = {unescape(name): int(count.replace(",", "")) for name, count, _ in rows}
        arcs = re.findall(
            r'stroke-dasharray="([\d.]+) [\d.]+" stroke-dashoffset="(-?[\d.]+)"><title>(.*?): ([\d,]+)<', figure
        )
        start = 0.0
        for (name, count, share), (length, offset, title, told) in zip(rows, arcs, strict=True):
            part = int(count.replace(",", "")) / whole * 100
            assert (name, count) == (title, told)
            assert float(share) == pytest.approx(part, abs=0.06)
            assert float(length) == pytest.approx(part, abs=0.71), "a gap between two at most"
            assert float(offset) == pytest.approx(25 - start, abs=0.01)
            start += part
    return found, wholes


@pytest.mark.parametrize(("keys", "lacks"), [(("LIVE",), {"Hidden"}), (("LIVE", "HUSH"), set())])
def test_each_ring_is_what_is_on_the_lines(
    visitor: Callable[..., Visitor], person: Callable[..., str], dialer: Engine, keys: tuple[str, ...], lacks: set[str]
) -> None:
    html = visitor(person("ann", *keys)).get("/live").text
    expected = {ring: dict(+parts) for ring, parts in counted(dialer, set(PLAN) - lacks).items()}  # type: ignore[operator]
    found, wholes = shown(html)
    assert found == expected
    assert wholes == {ring: sum(parts.values()) for ring, parts in expected.items()}
    assert all(len(parts) > 1 for parts in expected.values()), "the scene tells something of each"
    calls = sum(expected["states"].values())
    assert re.search(rf"<b>{calls}</b> open calls", html)
    assert html.count('<tr data-key="call-') == calls
