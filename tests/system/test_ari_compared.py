"""Reverse calls by ARI and by Dial() beside each other on a real Asterisk: what the log says of them is the same.

All of them, with times, are in ``test_ari_reverse`` (floor).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from tests.system.agency import Agency, Agent, Story, opened, story
from tests.system.site import until

#: How a call ends: what it is called, the agent's ring and talk, the callee, what else, the outcome.
ENDS: list[tuple[str, dict[str, Any], str, dict[str, Any], str]] = [
    ("the callee hangs up", {}, "5551020301", {}, "TERMINATED"),
    ("the agent hangs up", {"talk": 6}, "5551010001", {}, "TERMINATED"),
    ("busy", {}, "5552020001", {"dial_clid": "Shop <0123>"}, "RS_BUSY"),
    ("no answer", {}, "5553000001", {"answer_timeout_ms": 1200}, "RS_NOANSWER"),
    ("no context", {}, "5551010101", {"trunk": "no context"}, "RS_REJECTED"),
    ("the agent does not answer", {"ring": 99}, "5551010101", {"answer_timeout_ms": 1200}, "RS_NOAGENT"),
    ("the agent leaves", {"talk": 6}, "5551990001", {}, "RS_NOAGENT"),
    ("forced", {}, "5551020001", {"forced_closure_s": 1}, "RS_TIMEOUT"),
    ("hung up", {}, "5551980001", {}, "RS_REJECTED"),
]
WAYS = {"by Dial()": {}, "by ARI": {"context": "wombat-bridge"}}
RECORDED = "recorded, by ARI"


def _stories() -> list[Story]:
    made = []
    for way, end in WAYS.items():
        for name, agent, number, values, _ in ENDS:
            serial = len(made) + 1
            made.append(replace(story(serial, f"{name}, {way}", Agent(serial, **agent), number, **values), end=end))
    recorded = story(len(made) + 1, RECORDED, Agent(len(made) + 1), "5551020301", variables="WOMBAT_RECORD:yes")
    return [*made, replace(recorded, end=WAYS["by ARI"])]


@pytest.fixture(scope="module")
def agency(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agency]:
    stories = _stories()
    with ExitStack() as stack:
        agency = opened(stack, tmp_path_factory.mktemp("compared"), stories, ari=True)
        site, asked = agency.site, set()
        until(lambda: site.snapshot()["pbxs"][0]["ari"]["connected"], 10, "ARI is connected")
        agency.begin(stories)
        while (shown := site.snapshot())["runs"]:
            for call in shown["calls"]:
                # When the callee rings; by ARI they are dialled a moment after the agent has answered.
                if call["campaign"].startswith("hung up") and call["id"] not in asked and _rings(agency, call["id"]):
                    site.hang_up(call["id"])
                    asked.add(call["id"])
            time.sleep(0.03)
        site.finish()
        yield agency


def _rings(agency: Agency, wombatid: int) -> bool:
    seen = agency.seen()
    return wombatid in seen and bool(seen[wombatid].called)


@pytest.fixture(scope="module")
def rows(agency: Agency) -> dict[str, dict[str, Any]]:
    return {row["campaign_name"]: row for row in agency.site.attempts()}


@pytest.mark.parametrize(("name", "outcome"), [(name, outcome) for name, *_, outcome in ENDS])
def test_it_ends_in_the_same_way(rows: dict[str, dict[str, Any]], name: str, outcome: str) -> None:
    by_dial, by_ari = (rows[f"{name}, {way}"] for way in WAYS)
    for key in ("outcome", "dial_status", *(["cause"] if name != "no answer" else [])):
        assert by_ari[key] == by_dial[key], f"{key}: {by_dial=} {by_ari=}"
    assert by_ari["outcome"] == outcome
    assert by_ari["agent"] == f"Agent {_serial(f'{name}, by ARI'):02}"
    assert (by_ari["talk_ms"] > 0) is (by_dial["talk_ms"] > 0), f"{by_dial=} {by_ari=}"


def _serial(name: str) -> int:
    return next(each.serial for each in _stories() if each.name == name)


def test_the_talk_is_recorded(agency: Agency, rows: dict[str, dict[str, Any]]) -> None:
    row = rows[RECORDED]
    name = f"wombat-{row['wombatid']}"
    assert (row["outcome"], row["output_attributes"]) == ("TERMINATED", {"RECORDING": name})
    assert (agency.pbx.directory / "spool" / "recording" / f"{name}.wav").exists()


def test_nobody_was_called_twice(agency: Agency, rows: dict[str, dict[str, Any]]) -> None:
    seen = agency.seen()
    assert all(len(each.rung) == 1 and len(each.called) <= 1 for each in seen.values())
    assert seen.keys() == {row["wombatid"] for row in rows.values()}


def test_the_connection_breaks_in_the_moment_before(agency: Agency) -> None:
    """Nobody listens to the application that the agent is to be brought to: Dial() does the rest."""
    floor = agency.floor
    variables = {
        "WOMBAT_STASIS": "wombat-nobody", "WOMBATID": "1", "WOMBAT_REVERSE": "agent", "WOMBAT_DIAL_TIMEOUT": "9.5",
        "WOMBAT_DIAL": "Local/5551010101@simulated-network/n",
    }  # fmt: skip
    floor.act(
        "Originate", variables=variables, Channel="Local/010000@simulated-agents/n", Context="wombat-bridge", Exten="s",
        Priority=1, Async="true", ChannelId="wbt-0000000000000001", OtherChannelId="wbo-0000000000000001",
    )  # fmt: skip
    dialled = floor.await_event("DialEnd", Uniqueid="wbt-0000000000000001")
    assert dialled["DialStatus"] == "ANSWER"
    told = floor.await_event("UserEvent", UserEvent="CALLEEENDED", Uniqueid="wbt-0000000000000001")
    assert told["DIALSTATUS"] == "ANSWER"
    agency.quiet()


def test_nothing_is_left(agency: Agency) -> None:
    agency.quiet()
    site = agency.site
    until(lambda: "wbb-" not in agency.pbx.cli("bridge show all"), 5, "no bridge is left")
    assert all(run.taken == run.closed and not run.open_attempts for run in site.check_ledger())
    shown = site.snapshot()
    assert shown["odd_events"] == 0
    assert shown["pbxs"][0]["ari"]["calls"] == 0
    assert [line["used"] for line in [*shown["trunks"], *shown["end_points"]] if line["used"]] == []
    assert "mistake of ours" not in site.log()
    assert "Traceback" not in site.log()
