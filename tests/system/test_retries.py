"""Retries across restarts, with real processes: ``kill -9`` while they are open, some fall due while nobody is there.

Each is made once, not early, in the active period only, and counted on. The story takes half a minute.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.system.control import Control
from tests.system.site import Site, server_of, until
from tests.system.witness import Witness

BUSY = [f"55520000{n:03}" for n in range(12)]  #: busy at once
RETRY_S = 6
DOWN_S = 8.0  #: longer than that: all fall due while the dialer is down
CLOSED_S = 16.0
PROMPT_S = 1.5  #: so soon after it may, a retry is made; the machine is shared


@dataclass
class Story:
    """What happened when, in epoch seconds."""

    site: Site
    witness: Witness
    down: tuple[float, float] = (0.0, 0.0)  #: from the kill until the next dialer was connected
    opens: float = 0.0  #: when the active period begins
    attempts: list[dict[str, Any]] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    lists: str = ""  #: what ``run-lists`` said after the second kill

    def of(self, attempt: int) -> list[dict[str, Any]]:
        return [row for row in self.attempts if row["attempt"] == attempt]


def _campaign(**values: Any) -> dict[str, Any]:
    rules = [{"status": "RS_BUSY", "max_attempts": 2, "retry_after_s": RETRY_S}]
    ways = {"trunks": ["network"], "end_points": ["waits"], "lists": ["busy ones"]}
    return {"name": "Again", **ways, "time_zone": "UTC", "rule": rules, **values}


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(at))


def _closed_until(opens: float) -> dict[str, str]:
    """Open at all times but for the minutes before that moment: a start after the end spans midnight."""
    return {"active_from": _clock(opens), "active_to": _clock(opens - 600)}


def _state(site: Site) -> str:
    (run,) = site.snapshot()["runs"]
    return str(run["state"])


def _retries_open(site: Site, attempts: int) -> bool:
    return site.rows("SELECT attempts, open_retries FROM run") == [(attempts, len(BUSY))]


def play(site: Site, witness: Witness) -> Story:
    story = Story(site, witness)
    tables: dict[str, list[dict[str, Any]]] = {
        "server": [server_of(witness.pbx)],
        "trunk": [{"name": "network", "dial_string": "Local/${num}@watched/n", "capacity": 20}],
        "end_point": [{"name": "waits", "extension": "101", "context": "watched-ends", "max_channels": 20}],
        "list": [{"name": "busy ones"}],
    }
    site.apply({**tables, "campaign": [_campaign()]})
    site.fill("busy ones", BUSY)
    site.serve()
    site.await_pbx()
    site.run("Again")

    until(lambda: _retries_open(site, len(BUSY)), 20, "all are to be tried again")
    killed = time.time()
    os.killpg(site.supervisor_pid, signal.SIGKILL)
    until(lambda: time.time() - killed >= DOWN_S, DOWN_S + 5)
    site.serve()
    site.await_pbx()
    story.down = killed, time.time()

    until(lambda: _retries_open(site, 2 * len(BUSY)), 20, "all were tried again")
    # The rest waits for the active period, though it falls due before; the dialer is killed again meanwhile.
    story.opens = float(int(time.time() + CLOSED_S))
    site.apply({**tables, "campaign": [_campaign(**_closed_until(story.opens))]})
    with Control(site.state / "control.sock") as control:
        control.ask("Reload", campaign="Again")
    story.states.append(_state(site))
    old = until(site.dialer_pid, 10, "there is a dialer")
    os.kill(old, signal.SIGKILL)
    until(lambda: site.dialer_pid() not in (None, old), 20, "the watchdog starts another")
    site.await_ready()
    site.await_pbx()
    story.states.append(_state(site))
    story.lists = site.wombat("run-lists", "Again").stdout
    assert time.time() < story.opens, "the machine was too slow for this story"

    site.finish(40)
    story.attempts = site.attempts()
    return story


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, witness: Witness) -> Iterator[Story]:
    with ExitStack() as stack:
        site = Site(tmp_path_factory.mktemp("retries"))
        stack.callback(site.close)
        yield play(site, witness)


def test_each_retry_was_made_once_and_attempts_are_counted_on(story: Story) -> None:
    made = {number: [row["attempt"] for row in story.attempts if row["number"] == number] for number in BUSY}
    assert made == {number: [1, 2, 3] for number in BUSY}
    assert {row["outcome"] for row in story.attempts} == {"RS_BUSY"}
    assert [row["retry_in_s"] for row in story.of(3)] == [0] * len(BUSY), "there is no rule for a third retry"


def test_asterisk_saw_each_once(story: Story) -> None:
    seen = story.witness.seen()
    ids = [row["wombatid"] for row in story.attempts]
    assert len(set(ids)) == 3 * len(BUSY)
    assert {len(seen[wombatid].began) for wombatid in ids} == {1}
    ours = [each for each in seen.values() if each.number in BUSY]
    assert len(ours) == 3 * len(BUSY), "and nothing that the log does not know"


def test_none_was_early(story: Story) -> None:
    ended = {(row["number"], row["attempt"]): row["ended_at"] for row in story.attempts}
    for row in [*story.of(2), *story.of(3)]:
        waited = row["attempted_at"] - ended[row["number"], row["attempt"] - 1]
        assert waited >= RETRY_S, row


def test_what_fell_due_while_nobody_was_there_was_made_at_once(story: Story) -> None:
    killed, back = story.down
    assert max(row["ended_at"] for row in story.of(1)) + RETRY_S < back
    assert killed < min(row["attempted_at"] for row in story.of(2))
    assert max(row["attempted_at"] for row in story.of(2)) - back < PROMPT_S


def test_what_fell_due_out_of_hours_was_made_when_they_began(story: Story) -> None:
    assert story.states == ["WRONG_TIME", "WRONG_TIME"], "before the kill and after it"
    late = [row["attempted_at"] - story.opens for row in story.of(3)]
    print(f"the last retries, seconds after the active period began: {min(late):.3f} to {max(late):.3f}")
    assert max(row["ended_at"] for row in story.of(2)) + RETRY_S < story.opens
    assert min(late) >= 0
    assert max(late) < PROMPT_S


def test_how_far_the_list_is_is_told_after_the_crash(story: Story) -> None:
    assert story.lists == "busy ones: 12 taken up to record 12, 0 to go\n"


def test_every_number_is_accounted_for(story: Story) -> None:
    (counted,) = story.site.check_ledger()
    assert (counted.taken, counted.closed, counted.attempts) == (len(BUSY), len(BUSY), 3 * len(BUSY))
    assert story.site.rows("SELECT state FROM run") == [("COMPLETED",)]
    assert "mistake of ours" not in story.site.log()
