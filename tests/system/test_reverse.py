"""Reverse dialling on a real Asterisk, by real processes: each step failing, what each side hears and sees.

All stories are played at the same time, once (about ten seconds); each test looks at one side of what came of it. Times
are compared with what the dialplan noted by its own clock.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.system.agency import Agency, Agent, Seen, Story, opened, story
from tests.system.scene import Stalls

CLOSE_S = 0.150

SIP = {"answer_timeout_ms": 20_000}  #: a busy machine is slow with a first INVITE
#: Story, outcome: how a call ends, each with an agent of its own.
ENDS: list[tuple[Story, str]] = [
    (story(1, "the callee hangs up", Agent(1), "5551050601"), "TERMINATED"),
    (story(2, "the agent hangs up", Agent(2, talk=15), "5551040001"), "TERMINATED"),
    (story(3, "busy", Agent(3), "5552030001", dial_clid="Shop <0123>", agent_clid="Sales <999>"), "RS_BUSY"),
    (story(4, "no answer", Agent(4), "5553000001", answer_timeout_ms=1500), "RS_NOANSWER"),
    (story(5, "early media", Agent(5), "5559000001", answer_timeout_ms=1500), "RS_NOANSWER"),
    (story(6, "unallocated", Agent(6), "5554030001"), "RS_NUMBER"),
    (story(7, "congestion", Agent(7), "5555030001"), "RS_REJECTED"),
    (story(8, "rejected", Agent(8), "5556030001"), "RS_REJECTED"),
    (story(9, "not in the dialplan", Agent(9), "777123"), "RS_REJECTED"),
    (story(10, "no context", Agent(10), "5551010101", trunk="no context"), "RS_REJECTED"),
    (story(11, "no technology", Agent(11), "5551010101", trunk="no technology"), "RS_NUMBER"),
    (story(12, "no PJSIP end point", Agent(12), "5551010101", trunk="no PJSIP end point"), "RS_NUMBER"),
    (story(13, "the agent does not answer", Agent(13, ring=99), "5551010101", answer_timeout_ms=1500), "RS_NOAGENT"),
    (story(14, "the agent is busy", Agent(14, phone="Local/55520100@watched/n"), "5551010101"), "RS_NOAGENT"),
    (story(15, "the agent rejects", Agent(15, phone="Local/55560100@watched/n"), "5551010101"), "RS_NOAGENT"),
    (story(16, "no such phone", Agent(16, phone="Local/1@no-such-context/n"), "5551010101"), "RS_NOAGENT"),
    (story(17, "the agent leaves", Agent(17, talk=12), "5551990001"), "RS_NOAGENT"),
    (story(18, "forced", Agent(18), "5551020001", forced_closure_s=1), "RS_TIMEOUT"),
    (story(19, "hung up: RD_AGENTREQ", Agent(19, ring=98), "5551010101"), "RS_REJECTED"),
    (story(20, "hung up: RD_REQUESTED", Agent(20), "5551980001"), "RS_REJECTED"),
    (story(21, "hung up: CONNECTED", Agent(21), "5551020001"), "TERMINATED"),
    (story(22, "told", Agent(22), "5551", trunk="telling"), "TERMINATED"),
    (story(23, "sip: the callee hangs up", Agent(23, phone="PJSIP/phone1"), "5551030601", trunk="carrier", **SIP),
     "TERMINATED"),
    (story(24, "sip: busy", Agent(24, phone="PJSIP/phone2"), "5552030001", trunk="carrier", **SIP), "RS_BUSY"),
    (story(25, "sip: unallocated", Agent(25, phone="PJSIP/phone3"), "5554030001", trunk="carrier", **SIP), "RS_NUMBER"),
    (story(26, "sip: the agent is busy", Agent(26, ring=0, phone="PJSIP/phone4"), "5551010101", trunk="carrier", **SIP),
     "RS_NOAGENT"),
]  # fmt: skip
RETRIED = story(30, "retried", Agent(30), "5557010301",
                rule=[{"status": "RS_BUSY", "max_attempts": 1, "retry_after_s": 1}])  # fmt: skip
CROWD = Story(31, "crowd", [Agent(serial, ring=1) for serial in range(31, 36)],
              [f"555{kind}0103{serial:02}" for serial, kind in enumerate("11212111112111")],
              end={"boost_factor": 3.0})  # fmt: skip


@dataclass
class Scene:
    """What came of it, from both sides."""

    agency: Agency
    stories: dict[str, Story]
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    seen: dict[int, Seen] = field(default_factory=dict)
    most_for_crowd: int = 0  #: calls of the crowd at once
    stall_s: float = 0.0

    def one(self, name: str) -> tuple[dict[str, Any], Seen]:
        (row,) = self.rows[name]
        return row, self.seen.get(row["wombatid"], Seen())


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    stories = [*(each for each, _ in ENDS), RETRIED, CROWD]
    with ExitStack() as stack:
        agency = opened(stack, tmp_path_factory.mktemp("reverse"), stories, far=True)
        scene = Scene(agency, {each.name: each for each in stories})
        assert agency.far is not None
        agency.far.cli("devstate change Custom:agent26 INUSE")  # far away, as the phone's own affair
        with Stalls() as stalls:
            agency.begin(stories)
            _play(scene)
        scene.stall_s = stalls.worst
        scene.rows = {each.name: agency.site.attempts(each.name) for each in stories}
        agency.quiet()
        scene.seen = agency.seen()
        yield scene


def _play(scene: Scene) -> None:
    """To the end of all runs; calls of some stories are hung up in the state that their names tell."""
    asked: set[str] = set()
    site = scene.agency.site
    while True:
        shown = site.snapshot()
        calls = [call for call in shown["calls"] if call["state"] != "RD_SCHEDULED"]
        for call in calls:
            campaign, state = call["campaign"], call["state"]
            if campaign == f"hung up: {state}" and campaign not in asked:
                site.hang_up(call["id"])
                asked.add(campaign)
        scene.most_for_crowd = max(scene.most_for_crowd, sum(call["campaign"] == "crowd" for call in calls))
        if not shown["runs"]:
            break
        time.sleep(0.03)
    assert len(asked) == 3
    site.finish()


@pytest.mark.parametrize(("told", "outcome"), ENDS, ids=[each.name for each, _ in ENDS])
def test_how_it_ends(scene: Scene, told: Story, outcome: str) -> None:
    row, seen = scene.one(told.name)
    assert (row["outcome"], row["agent"]) == (outcome, told.agents[0].name), str(row)
    assert row["retry_in_s"] == 0
    assert len(seen.rung) <= 1
    assert len(seen.called) <= 1
    if outcome == "RS_NOAGENT" and told.name != "the agent leaves":
        assert not seen.called, "nobody is called for whom there is no agent"


@pytest.mark.parametrize("name", ["the callee hangs up", "the agent hangs up", "forced", "hung up: CONNECTED"])
def test_waits_and_talk_are_the_callees(scene: Scene, name: str) -> None:
    row, seen = scene.one(name)
    assert seen.answered is not None
    assert seen.ended is not None
    _near(scene, row["attempted_at"] + row["wait_pre_ms"] / 1000, seen.called[0], "dialled")
    _near(scene, row["wait_after_ms"] / 1000, seen.answered - seen.called[0], "rang")
    _near(scene, row["talk_ms"] / 1000, seen.ended - seen.answered, "talked")
    assert row["talk_ms"] >= {"the callee hangs up": 550, "the agent hangs up": 950, "forced": 950}.get(name, 0)


@pytest.mark.parametrize("name", ["busy", "no answer", "unallocated", "congestion", "rejected", "the agent leaves"])
def test_without_an_answer_there_is_the_ringing_only(scene: Scene, name: str) -> None:
    row, seen = scene.one(name)
    assert seen.ended is not None
    _near(scene, row["wait_after_ms"] / 1000, seen.ended - seen.called[0], "rang")
    assert row["talk_ms"] == 0


def test_the_callees_leg_is_dropped_when_the_agent_leaves(scene: Scene) -> None:
    row, seen = scene.one("the agent leaves")
    assert seen.ended is not None
    _near(scene, seen.ended, seen.let_go, "the callee's leg ended")
    _near(scene, row["ended_at"], seen.let_go, "the call ended")


def test_the_agent_hears_music_while_the_callee_rings(scene: Scene) -> None:
    for name in ("the callee hangs up", "no answer", "early media", "sip: the callee hangs up"):
        row, _ = scene.one(name)
        heard = [
            (each["Event"], each.at)
            for each in scene.agency.floor.heard
            if each["Event"] in ("MusicOnHoldStart", "MusicOnHoldStop") and each["Uniqueid"] == row["unique_id"]
        ]
        (begins, at), (stops, until) = heard
        assert (begins, stops) == ("MusicOnHoldStart", "MusicOnHoldStop")
        _near(scene, until - at, row["wait_after_ms"] / 1000, f"{name}: music")


def test_what_each_side_sees(scene: Scene) -> None:
    _, seen = scene.one("busy")
    assert (seen.agent_saw, seen.callee_saw) == ("Sales 999", "Shop 0123")
    row, seen = scene.one("the callee hangs up")
    assert (seen.agent_saw, seen.callee_saw) == (row["number"], "")


def test_the_agents_phone_shows_the_number_to_the_end(scene: Scene) -> None:
    """Not what Asterisk guesses of the callee's channel."""
    row, _ = scene.one("sip: the callee hangs up")
    events = [
        each for each in scene.agency.floor.heard
        if each["Event"] == "NewConnectedLine" and each["Uniqueid"] == row["unique_id"]
    ]  # fmt: skip
    assert {each["ConnectedLineNum"] for each in events} == {row["number"]}


def test_where_the_call_went_is_in_its_row(scene: Scene) -> None:
    row, _ = scene.one("the callee hangs up")
    assert (row["trunk_name"], row["end_point_name"]) == ("network", "q01")
    assert row["channel"].startswith("Local/010200@watched-agents-")
    assert row["unique_id"] == f"wbt-{row['wombatid']:016}"


@pytest.mark.parametrize(
    ("name", "cause", "status"),
    [("busy", 17, "BUSY"), ("unallocated", 1, "CHANUNAVAIL"), ("sip: busy", 17, "BUSY"),
     ("no technology", 66, "CHANUNAVAIL"), ("sip: unallocated", 1, "CHANUNAVAIL")],
)  # fmt: skip
def test_the_callees_cause_is_in_the_log(scene: Scene, name: str, cause: int, status: str) -> None:
    row, _ = scene.one(name)
    assert (row["cause"], row["dial_status"]) == (cause, status)


def test_what_the_callees_dialplan_tells(scene: Scene) -> None:
    row, _ = scene.one("told")
    assert (row["extended_status"], row["output_attributes"]) == ("7", {"HEARD": "yes"})


def test_a_busy_callee_is_tried_again(scene: Scene) -> None:
    """The simulated network answers the second time: the callee's leg knows which try it is."""
    rows = scene.rows["retried"]
    assert [(row["outcome"], row["attempt"], row["retry_in_s"]) for row in rows] == [
        ("RS_BUSY", 1, 1),
        ("TERMINATED", 2, 0),
    ]


def test_one_call_for_each_agent_never_two_at_once(scene: Scene) -> None:
    """Although the boost is three."""
    assert scene.most_for_crowd == len(CROWD.agents)
    spans: dict[str, list[tuple[float, float]]] = {}
    for row in scene.rows["crowd"]:
        seen = scene.seen[row["wombatid"]]
        assert row["agent"] == f"Agent {seen.agent}"
        spans.setdefault(seen.agent, []).append((seen.rung[0], seen.let_go))
    assert len(spans) == len(CROWD.agents)
    for calls in spans.values():
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(sorted(calls)))
    numbers = sorted(row["number"] for row in scene.rows["crowd"])
    assert numbers == sorted(CROWD.numbers)


def test_every_attempt_called_one_phone_once(scene: Scene) -> None:
    phones = {agent.serial for each in scene.stories.values() for agent in each.agents if not agent.phone}
    rows = [row for rows in scene.rows.values() for row in rows]
    ours = [row for row in rows if int(row["agent"].removeprefix("Agent ")) in phones]
    assert all(len(scene.seen[row["wombatid"]].rung) == 1 for row in ours)
    assert len({row["wombatid"] for row in rows}) == len(rows)


def test_the_ledger_is_right_and_nothing_odd_happened(scene: Scene) -> None:
    site = scene.agency.site
    assert all(run.taken == run.closed and not run.open_attempts for run in site.check_ledger())
    shown = site.snapshot()
    assert shown["odd_events"] == 0
    assert [line["used"] for line in [*shown["trunks"], *shown["end_points"]] if line["used"]] == []
    assert scene.agency.floor.trouble == []
    assert "mistake of ours" not in site.log()
    assert "Traceback" not in site.log()


def _near(scene: Scene, logged: float, really: float, what: str) -> None:
    """Within 150 ms, and what the machine itself held up everybody."""
    allowed = CLOSE_S + scene.stall_s
    assert abs(logged - really) <= allowed, f"{what}: logged {logged:.3f}, really {really:.3f}, {allowed=:.3f}"
