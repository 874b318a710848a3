"""A queue under load at the limits of everything, on a real Asterisk: ``python3 -m tests.system.queue_load 600``.

The network is the one of a vendor's load test: 70 % answer after 1 to 5 s and talk for 10 to 30 s, the others are busy;
``--scale 0.1`` makes all of it ten times as fast. First five agents are there, then twelve, then twenty: agents, then
lines and the congestion budget are what limits (for that the run is paused and resumed). In the last quarter agents
pause, log off and take private calls, and strangers call. What must hold is looked at whenever AMI told something.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.system.agents import CONF, Agent, Floor, Heard, Meter, Referee
from tests.system.centre import Centre, queue_end_point
from tests.system.site import Site, server_of, until
from tools.provision.asterisk import AsteriskInstance

LINES, CHANNELS = 14, 16
UNIT_MS, MESSAGES = 250, 2
LAG_S = 0.1  #: how long after the writing of an Originate the dialer may note that it has been written

_VENDOR = """
[vendor]
exten => _X.,1,Gosub(wombat-track,s,1)
 same => n,Ringing()
 same => n,Wait($[${{RAND(1000,5000)}} / 1000 * {scale}])
 same => n,GotoIf($[${{RAND(1,100)}} > 70]?busy)
 same => n,Set(WOMBAT_UP=${{STRFTIME(,,%s%3q)}})
 same => n,Answer(,i)
 same => n,Wait($[${{RAND(10000,30000)}} / 1000 * {scale}])
 same => n,Hangup(16)
 same => n(busy),Hangup(17)
"""


@dataclass
class Story:
    """What was seen. ``faults`` are broken promises; everything else is for the reader."""

    centre: Centre
    scale: float
    faults: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)  #: why the run placed nothing at that moment
    samples: int = 0
    steady: bool = True  #: only the dialer's calls take agents
    most: Counter[str] = field(default_factory=Counter)
    joins: int = 0
    referee: Referee = field(default_factory=Referee)
    meter: Meter = field(default_factory=Meter)
    news: threading.Event = field(default_factory=threading.Event)

    # In the thread that reads AMI

    def heard(self, heard: Heard) -> None:
        if heard["Event"] == "QueueCallerJoin" and heard.is_ours:
            self.joins += 1
            if self.steady and len(self.referee.idle) <= self.referee.unserved:
                self.faults[f"a callee joined while no agent was free: {self.referee}"] += 1
        self.referee(heard)
        self.meter(heard)
        if len(self.meter.live) > LINES:
            self.faults[f"{len(self.meter.live)} channels on {LINES} lines"] += 1
        self.news.set()

    # In a thread that asks the dialer

    def sample(self) -> None:
        shown = self.centre.site.snapshot()
        self.samples += 1
        (trunk,), (point,) = shown["trunks"], shown["end_points"]
        self._check("lines", trunk["used"] <= LINES, trunk)
        self._check("channels", point["used"] <= CHANNELS, point["used"])
        self._check("the same calls", trunk["used"] == point["used"], (trunk["used"], point["used"]))
        self._figures(point, point["queue"])
        self.most["used"] = max(self.most["used"], trunk["used"])
        for run in shown["runs"]:
            self.reasons[run["why_not"]] += 1

    def _figures(self, point: dict[str, Any], queue: dict[str, Any]) -> None:
        idle, waits, on_the_way = queue["idle"], queue["waiting"], queue["on_the_way"]
        spare = max(0, idle - waits)
        free = 0 if queue["blocked"] else max(0, min(idle - waits - on_the_way, CHANNELS - point["used"]))
        self._check("free", point["free"] == free, (point["free"], free))
        self._check("no negative figure", min(idle, waits, on_the_way, queue["joined"]) >= 0, queue)
        self._check("all are counted once", queue["joined"] + on_the_way == point["used"], queue)
        self._check("over-dialled", queue["overdialled"] == max(0, on_the_way - spare), queue)
        self._check("agents", sum(queue["computed"].values()) == len(queue["agents"]), queue)
        self.most["waiting"] = max(self.most["waiting"], waits)
        what = "over-dialled, steady" if self.steady else "over-dialled"
        self.most[what] = max(self.most[what], queue["overdialled"])

    def _check(self, what: str, holds: bool, seen: object) -> None:
        if not holds:
            self.faults[f"{what}: {seen}"] += 1

    def check_rate(self, written: list[float]) -> None:
        """Never more Originates in a time than the units that may begin in it allow, and one that began before."""
        for size in (10, LINES, 20, 50, 100):
            for first, last in zip(written, written[size - 1 :], strict=False):
                units = (last - first + LAG_S) / (UNIT_MS / 1000) + 2
                self._check("congestion budget", size <= units * MESSAGES, f"{size} in {last - first:.3f} s")

    def __str__(self) -> str:
        reasons = ", ".join(f"{count} x {why or 'none'}" for why, count in self.reasons.most_common())
        return (
            f"{len(self.meter.began)} attempts, {self.joins} joined the queue, {self.samples} samples; most at once:"
            f" {self.meter.most} channels, {dict(self.most)}; why nothing more was placed: {reasons}"
        )


def play(folder: Path, seconds: float, scale: float, *, seed: int = 1) -> Story:
    """The whole story; ``str()`` of what it returns is the report."""
    with ExitStack() as stack:
        conf = {**CONF, "extensions.d/vendor.conf": _VENDOR.format(scale=scale)}
        pbx = stack.enter_context(AsteriskInstance(folder / "pbx", extra_conf=conf))
        site = Site(folder / "site")
        stack.callback(site.close)
        floor = stack.enter_context(Floor(pbx))
        site.apply(
            {
                "server": [server_of(pbx, unit_length_ms=UNIT_MS, max_messages_per_unit=MESSAGES)],
                "trunk": [{"name": "vendor", "dial_string": "Local/${num}@vendor/n", "capacity": LINES}],
                "end_point": [queue_end_point("999", max_channels=CHANNELS)],
            }
        )
        site.serve()
        site.await_pbx()
        story = Story(Centre(pbx, floor, site), scale)
        floor.hooks.append(story.heard)
        _run(story, seconds, random.Random(seed))
        return story


def _run(story: Story, seconds: float, chance: random.Random) -> None:
    centre = story.centre
    agents = [Agent(serial, ring=max(1, round(10 * story.scale))) for serial in range(1, 21)]
    numbers = [f"77{n:06}" for n in range(round(seconds * 1000 / UNIT_MS * MESSAGES) + 100)]
    campaign = centre.run("999", numbers, trunk="vendor", answer_timeout_ms=30_000)
    began = time.monotonic()
    with _Sampler(story):
        for share, wanted in ((0.25, 5), (0.5, 12), (0.75, 20)):
            for agent in agents[len(centre.logged_on) : wanted]:
                centre.log_on(agent)
            if wanted == 20:
                _all_at_once(story, campaign)
            _pass(story, began + share * seconds)
        story.steady = False
        disturb(story, agents, began + seconds, chance)
        _end(story, campaign)


def _all_at_once(story: Story, campaign: str) -> None:
    """The run pauses until no call is left, then goes on: as many calls as there are lines are wanted in one moment."""
    centre = story.centre
    centre.command("PauseRun", campaign)
    until(lambda: not centre.site.snapshot()["calls"], 60 + 60 * story.scale, "no call is left")
    centre.command("ResumeRun", campaign)


def _pass(story: Story, until_when: float) -> None:
    """Let time pass, in which the sampler works; says now and then how it goes."""
    said = time.monotonic()
    while (left := until_when - time.monotonic()) > 0:
        time.sleep(min(left, 0.2))
        if time.monotonic() - said >= 30:
            said = time.monotonic()
            print(story, flush=True)


def disturb(story: Story, agents: list[Agent], until_when: float, chance: random.Random) -> None:
    """Agents and strangers do as they like; at the end all agents are there, and no stranger."""
    floor, strangers, calls = story.centre.floor, [], []
    while time.monotonic() < until_when:
        agent = chance.choice(agents)
        match chance.randrange(6):
            case 0 | 1:
                floor.pause(agent, chance.random() < 0.5)
            case 2:
                floor.log_off(agent)
            case 3:
                floor.log_on(agent)
            case 4:
                strangers.append(floor.stranger())
            case 5:
                calls.append(floor.private_call(agent))
        for each in (strangers, calls):
            if len(each) > 3:
                floor.hang_up(each.pop(0))
        _pass(story, min(time.monotonic() + 3 * story.scale, until_when))
    for channel in [*strangers, *calls]:
        floor.hang_up(channel)
    for agent in agents:
        floor.log_on(agent)
        floor.pause(agent, False)


def _end(story: Story, campaign: str) -> None:
    """No new calls; what is left is nothing, by the dialer and by Asterisk."""
    centre = story.centre
    centre.stop_run(campaign)
    until(lambda: not centre.site.snapshot()["calls"], 60 + 60 * story.scale, "the last calls have ended")
    until(lambda: "0 active channels" in centre.pbx.cli("core show channels count"), 30, "no channel is left")
    everybody = {"idle": 20, "free": CHANNELS, "used": 0, "joined": 0, "on_the_way": 0, "waiting": 0, "callers": []}

    def seen() -> dict[str, Any]:
        shown = centre.shown()
        return {key: shown[key] for key in everybody}

    until(lambda: seen() == everybody, 20, "all twenty are idle and nothing has leaked")
    story._check("lines given back", centre.site.snapshot()["trunks"][0]["used"] == 0, "a line leaked")
    story._check("odd events", centre.site.snapshot()["odd_events"] == 0, centre.site.snapshot()["odd_events"])
    placed = len(story.meter.began)
    until(lambda: len(centre.site.attempts(campaign)) >= placed, 10, f"{placed} attempts are in the log")
    attempts = centre.site.attempts(campaign)
    story.check_rate(sorted(row["attempted_at"] for row in attempts))
    story._check("every attempt is one Originate", len(attempts) == placed, (len(attempts), placed))
    centre.site.check_ledger()
    for mark in ("Traceback", "mistake of ours"):
        story._check("the log", mark not in (centre.site.folder / "serve.log").read_text(), mark)
    for trouble in centre.floor.trouble:
        story.faults[trouble] += 1


class _Sampler:
    """Looks at the dialer whenever AMI told something."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._done = False
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done = True
        self._thread.join(20)

    def _work(self) -> None:
        while not self._done:
            if self._story.news.wait(0.2):
                self._story.news.clear()
                try:
                    self._story.sample()
                except Exception as trouble:
                    self._story.faults[f"the dialer did not answer: {trouble!r}"] += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        story = play(Path(folder), wanted.seconds, wanted.scale, seed=wanted.seed)
    print(story)
    for fault, times in story.faults.most_common(20):
        print(f"FAULT {times} x {fault}")
    return bool(story.faults)


if __name__ == "__main__":
    sys.exit(main())
