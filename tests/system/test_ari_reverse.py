"""Reverse dialling by ARI, two channels and a bridge, on a real Asterisk by real processes: the stories of
``test_reverse``, which are told by Dial() there, end in the same way.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.system.agency import Agency, Agent, Seen, Story, ari_of, opened, story
from tests.system.scene import Stalls
from tests.system.site import server_of, until
from tests.system.test_reverse import ENDS

pytestmark = pytest.mark.floor

CLOSE_S = 0.150
BY_ARI = {"context": "wombat-bridge"}
RECORDED = replace(story(27, "recorded", Agent(27), "5551050601", variables="WOMBAT_RECORD:yes"), end=BY_ARI)
WITHOUT = replace(story(28, "without ARI", Agent(28), "5551010201"), end=BY_ARI)


@dataclass
class Scene:
    agency: Agency
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: dict[int, Seen] = field(default_factory=dict)
    stall_s: float = 0.0

    def one(self, name: str) -> tuple[dict[str, Any], Seen]:
        row = self.rows[name]
        return row, self.seen.get(row["wombatid"], Seen())


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    stories = [*(replace(each, end=BY_ARI) for each, _ in ENDS), RECORDED]
    with ExitStack() as stack:
        agency = opened(stack, tmp_path_factory.mktemp("ari"), [*stories, WITHOUT], far=True, ari=True)
        scene = Scene(agency)
        assert agency.far is not None
        agency.far.cli("devstate change Custom:agent26 INUSE")
        until(lambda: agency.site.snapshot()["pbxs"][0]["ari"]["connected"], 10, "ARI is connected")
        with Stalls() as stalls:
            agency.begin(stories)
            _play(scene)
        scene.stall_s = stalls.worst
        scene.rows = {row["campaign_name"]: row for row in agency.site.attempts()}
        agency.quiet()
        scene.seen = agency.seen()
        yield scene


def _play(scene: Scene) -> None:
    asked: set[str] = set()
    site = scene.agency.site
    while True:
        shown = site.snapshot()
        for call in shown["calls"]:
            campaign, state = call["campaign"], call["state"]
            if campaign == f"hung up: {state}" and campaign not in asked:
                site.hang_up(call["id"])
                asked.add(campaign)
        if not shown["runs"]:
            break
        time.sleep(0.03)
    assert len(asked) == 3
    site.finish()


@pytest.mark.parametrize(("told", "outcome"), ENDS, ids=[each.name for each, _ in ENDS])
def test_how_it_ends(scene: Scene, told: Story, outcome: str) -> None:
    row, seen = scene.one(told.name)
    assert (row["outcome"], row["agent"]) == (outcome, told.agents[0].name), str(row)
    assert len(seen.rung) <= 1
    assert len(seen.called) <= 1


@pytest.mark.parametrize("name", ["the callee hangs up", "the agent hangs up", "forced", "hung up: CONNECTED"])
def test_waits_and_talk_are_the_callees(scene: Scene, name: str) -> None:
    row, seen = scene.one(name)
    assert seen.answered is not None
    assert seen.ended is not None
    _near(scene, row["attempted_at"] + row["wait_pre_ms"] / 1000, seen.called[0], "dialled")
    _near(scene, row["wait_after_ms"] / 1000, seen.answered - seen.called[0], "rang")
    _near(scene, row["talk_ms"] / 1000, seen.ended - seen.answered, "talked")


def test_what_each_side_sees(scene: Scene) -> None:
    _, seen = scene.one("busy")
    assert (seen.agent_saw, seen.callee_saw) == ("Sales 999", "Shop 0123")
    row, seen = scene.one("the callee hangs up")
    assert (seen.agent_saw, seen.callee_saw) == (row["number"], "")


@pytest.mark.parametrize(
    ("name", "cause", "status"),
    [("busy", 17, "BUSY"), ("unallocated", 1, "CHANUNAVAIL"), ("sip: busy", 17, "BUSY"),
     ("no technology", 3, "CHANUNAVAIL"), ("sip: unallocated", 1, "CHANUNAVAIL")],
)  # fmt: skip
def test_the_callees_cause_is_in_the_log(scene: Scene, name: str, cause: int, status: str) -> None:
    """As by Dial(), but that ARI does not tell why no channel could be made."""
    row, _ = scene.one(name)
    assert (row["cause"], row["dial_status"]) == (cause, status)


def test_the_agent_hears_music_while_the_callee_rings(scene: Scene) -> None:
    for name in ("the callee hangs up", "no answer", "sip: the callee hangs up"):
        row, _ = scene.one(name)
        heard = [
            (each["Event"], each.at)
            for each in scene.agency.floor.heard
            if each["Event"] in ("MusicOnHoldStart", "MusicOnHoldStop") and each["Uniqueid"] == row["unique_id"]
        ]
        (begins, at), (stops, until_) = heard
        assert (begins, stops) == ("MusicOnHoldStart", "MusicOnHoldStop")
        _near(scene, until_ - at, row["wait_after_ms"] / 1000, f"{name}: music")


def test_what_the_callees_dialplan_tells(scene: Scene) -> None:
    row, _ = scene.one("told")
    assert (row["extended_status"], row["output_attributes"]) == ("7", {"HEARD": "yes"})


def test_the_agents_phone_shows_the_number_to_the_end(scene: Scene) -> None:
    row, _ = scene.one("sip: the callee hangs up")
    shown = {
        each["ConnectedLineNum"]
        for each in scene.agency.floor.heard
        if each["Event"] == "NewConnectedLine" and each["Uniqueid"] == row["unique_id"]
    }
    assert shown == {row["number"]}


def test_the_talk_is_recorded(scene: Scene) -> None:
    row, _ = scene.one("recorded")
    name = f"wombat-{row['wombatid']}"
    assert row["output_attributes"] == {"RECORDING": name}
    assert (scene.agency.pbx.directory / "spool" / "recording" / f"{name}.wav").exists()


def test_it_was_a_bridge_of_ours(scene: Scene) -> None:
    row, _ = scene.one("sip: the callee hangs up")
    bridges = {each["BridgeUniqueid"] for each in scene.agency.floor.heard if each["Event"] == "BridgeEnter"}
    assert f"wbb-{row['wombatid']:016}" in bridges


def test_nothing_is_left(scene: Scene) -> None:
    site = scene.agency.site
    assert all(run.taken == run.closed and not run.open_attempts for run in site.check_ledger())
    shown = site.snapshot()
    assert shown["odd_events"] == 0
    assert [line["used"] for line in [*shown["trunks"], *shown["end_points"]] if line["used"]] == []
    assert shown["pbxs"][0]["ari"]["calls"] == 0
    assert "wbb-" not in scene.agency.pbx.cli("bridge show all")
    assert "mistake of ours" not in site.log()
    assert "Traceback" not in site.log()
    assert "WARN" not in site.log()


def test_without_ari_the_dialplan_does_it(scene: Scene) -> None:
    """The last one, since it changes the server: a wrong password, taken when a run is started."""
    site = scene.agency.site
    site.apply({"server": [server_of(scene.agency.pbx, **ari_of(scene.agency.pbx, "wrong"))]})
    site.run(WITHOUT.name)
    site.finish()
    (row,) = site.attempts(WITHOUT.name)
    assert (row["outcome"], row["agent"]) == ("TERMINATED", "Agent 28")
    until(lambda: "refused" in site.snapshot()["pbxs"][0]["ari"]["error"], 10, "what is wrong is said")


def _near(scene: Scene, logged: float, really: float, what: str) -> None:
    """Within 150 ms, and what the machine itself held up everybody."""
    allowed = CLOSE_S + scene.stall_s
    assert abs(logged - really) <= allowed, f"{what}: logged {logged:.3f}, really {really:.3f}, {allowed=:.3f}"
