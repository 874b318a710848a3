"""QUEUE end points on a virtual clock: how many calls agents are worth, at every moment, whatever breaks."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.world import World
from tools.fake_pbx import FakeQueue
from wombat_ari.model.entities import EndPoint
from wombat_ari.model.states import CallLogging
from wombat_ari.store import entities

FOREVER = "5553000{:03}"  #: rings until the answer timeout
TALKS = "5551000{:03}"  #: answers at once, never hangs up


class Centre(World):
    """A world whose campaign goes to the queue 999."""

    def __init__(self, folder: Path, **values: Any) -> None:
        super().__init__(folder)
        self.point: EndPoint = self.add_queue("999", **values)
        self.lines = self.add_trunk("many", capacity=50)

    @property
    def queue(self) -> FakeQueue:
        return self.pbx.queues["999"]

    def begin(self, numbers: list[str], *, agents: int = 0, **values: Any) -> None:
        """Agents 1 to ``agents`` are there, the campaign runs."""
        for serial in range(1, agents + 1):
            self.queue.log_on(f"PJSIP/{serial}")
        ways = {"trunk_ids": (self.lines.id,), "end_point_ids": (self.point.id,), "answer_timeout_ms": 30_000}
        self.add_campaign("c", numbers, **{**ways, **values})
        self.start()
        self.run("c")

    def shown(self) -> dict[str, Any]:
        (point,) = [each for each in self.dialer.publish.snapshot()["end_points"] if each["name"] == "999"]
        return {**point["queue"], "free": point["free"], "used": point["used"]}

    def says(self) -> str:
        """Why the run places nothing, as the status page shows it."""
        (run,) = self.dialer.publish.snapshot()["runs"]
        return str(run["why_not"])

    def figures(self, *names: str) -> tuple[int, ...]:
        shown = self.shown()
        return tuple(shown[name] for name in names)

    def check_nothing_leaked(self) -> None:
        assert self.figures("used", "joined", "on_the_way", "waiting") == (0, 0, 0, 0)
        assert all(lines.used == 0 for lines in self.dialer.board.trunk_lines.values())
        assert not any(self.dialer._observe._joined.values())
        self.check_ledger()
        ids = self.dialled_ids()
        assert len(ids) == len(set(ids))


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    return Centre(tmp_path)


def mixed(count: int, chance: random.Random) -> list[str]:
    """Three of four are answered, after up to 2 s, and talk for 1 to 5 s."""
    kinds = [chance.choice("1112") for _ in range(count)]
    return [f"555{kind}{chance.randint(0, 20):02}{chance.randint(10, 50):02}{n:03}" for n, kind in enumerate(kinds)]


def test_with_boost_one_nobody_joins_for_whom_no_agent_is_free(centre: Centre) -> None:
    numbers = mixed(150, random.Random(1))
    centre.begin(numbers, agents=5)
    seen = []
    centre.advance_until(lambda: seen.append(centre.shown()) or not centre.dialer.board.runs)  # type: ignore[func-returns-value]
    centre.finish()
    assert len(centre.queue.joins) > 90
    assert min(free for _, free in centre.queue.joins) >= 1
    assert centre.pbx.max_live == 5
    assert {shown["overdialled"] for shown in seen} == {0}
    agents = centre.log("outcome, agent")
    assert {agent for outcome, agent in agents if outcome == "TERMINATED"} == {f"Agent PJSIP/{n}" for n in range(1, 6)}
    assert {agent for outcome, agent in agents if outcome != "TERMINATED"} == {""}
    centre.check_nothing_leaked()


@pytest.mark.parametrize(
    ("agents", "boost", "channels", "placed"), [(7, 1.3, 50, 9), (4, 1.5, 50, 6), (5, 2.0, 8, 8), (3, 0.5, 50, 1)]
)
def test_boost(tmp_path: Path, agents: int, boost: float, channels: int, placed: int) -> None:
    centre = Centre(tmp_path, boost_factor=boost, channels=channels)
    centre.begin([FOREVER.format(n) for n in range(60)], agents=agents)
    centre.advance(2)
    assert len(centre.pbx.live) == placed
    assert centre.figures("on_the_way", "overdialled", "free") == (placed, max(0, placed - agents), 0)


def test_others_callers_take_agents_and_block_when_more_wait_than_may(centre: Centre) -> None:
    centre.begin([FOREVER.format(n) for n in range(60)])
    for n in range(3):
        centre.queue.join(f"stranger-{n}")
    centre.advance(1)
    assert centre.figures("waiting", "blocked", "free") == (3, True, 0)
    assert centre.says() == "more callers wait in queue '999' than may"
    for serial in range(1, 6):
        centre.queue.log_on(f"PJSIP/{serial}", ring_s=1e6)
    centre.advance(1)
    # Three ring for the strangers, two are free.
    assert centre.figures("waiting", "blocked", "idle", "on_the_way") == (0, False, 2, 2)
    assert centre.says() == "no agent is free for one more call"
    assert len(centre.pbx.live) == 2
    centre.queue.gone("stranger-0")
    centre.advance(0.2)
    assert len(centre.pbx.live) == 3


def test_who_hung_up_is_told_in_the_queue_log(centre: Centre) -> None:
    """The agent of the first call, the callee of the second."""
    numbers = [TALKS.format(1), "5551005002"]
    centre.begin(numbers, agents=1, logging=CallLogging.QM_COMPATIBLE)
    centre.advance_until(lambda: centre.shown()["computed"] == {"TALKING": 1})
    centre.queue.hang_up("PJSIP/1")
    centre.finish()
    lines = [headers for name, headers in centre.pbx.actions if name == "QueueLog"]
    ends = [(line["event"], line["interface"]) for line in lines if line["event"].startswith("COMPLETE")]
    assert ends == [("COMPLETEAGENT", "Agent PJSIP/1"), ("COMPLETECALLER", "Agent PJSIP/1")]


def test_a_private_call_and_a_pause_take_room_at_once(centre: Centre) -> None:
    centre.begin([f"5552200{n:03}" for n in range(200)], agents=4)
    centre.advance(1)
    assert len(centre.pbx.live) == 4
    centre.queue.private_call("PJSIP/1")
    centre.queue.pause("PJSIP/2")
    centre.advance(0.05)
    assert centre.figures("idle", "on_the_way", "overdialled", "free") == (2, 4, 2, 0)
    centre.advance_until(lambda: centre.figures("on_the_way") == (2,))
    centre.advance(4)
    assert len(centre.pbx.live) == 2
    centre.queue.private_call("PJSIP/1", False)
    centre.queue.pause("PJSIP/2", False)
    centre.advance(0.1)
    assert len(centre.pbx.live) == 4


def test_nobody_is_called_for_an_agent_in_wrap_up(tmp_path: Path) -> None:
    centre = Centre(tmp_path, wrap_up_s=5)
    centre.begin([f"5551002{n:04}" for n in range(6)], agents=1)
    centre.finish()
    ends, starts = centre.log("ended_at"), centre.log("attempted_at")
    for (ended,), (began,) in zip(ends, starts[1:], strict=False):
        assert 4.0 <= began - ended <= 5.3, "a wrap-up counts whole seconds, as Asterisk's does"


def test_a_call_is_on_the_way_until_it_joins_its_queue(tmp_path: Path) -> None:
    """An IVR is allowed before it, also one that leads elsewhere."""
    centre = Centre(tmp_path, ivr_s=3)
    centre.begin([TALKS.format(n) for n in range(9)], agents=2)
    centre.advance(2)
    assert centre.figures("on_the_way", "joined", "idle", "used", "free") == (2, 0, 2, 2, 0)
    centre.advance(2)
    assert centre.figures("on_the_way", "joined", "idle", "used", "free") == (0, 2, 0, 2, 0)


def test_a_call_that_joins_another_queue_stays_on_the_way(tmp_path: Path) -> None:
    centre = Centre(tmp_path)
    centre.pbx.queues["elsewhere"] = FakeQueue(centre.pbx, "elsewhere")
    centre.queue.join = centre.pbx.queues["elsewhere"].join  # type: ignore[method-assign]
    centre.begin([TALKS.format(n) for n in range(9)], agents=2)
    centre.advance(2)
    assert centre.figures("on_the_way", "joined", "waiting", "used") == (2, 0, 0, 2)
    assert len(centre.pbx.queues["elsewhere"].callers) == 2


def test_a_queue_that_is_not_there(centre: Centre) -> None:
    del centre.pbx.queues["999"]
    centre.add_campaign("c", [TALKS.format(1)], trunk_ids=(centre.lines.id,), end_point_ids=(centre.point.id,))
    centre.start()
    run = centre.run("c")
    centre.advance(3)
    assert centre.figures("listed", "known", "free") == (True, False, 0)
    assert centre.dialer._schedule.why_not(run) == "no agent is free for one more call"
    assert centre.says() == "Asterisk has no queue '999'"
    assert not centre.dialled_ids()


def test_a_queue_that_goes_away_is_noticed_by_the_next_list(centre: Centre) -> None:
    centre.begin([], agents=2)
    centre.advance(1)
    assert centre.figures("known", "idle") == (True, 2)
    del centre.pbx.queues["999"]
    centre.advance(61, step=0.5)
    assert centre.figures("known", "idle", "free") == (False, 0, 0)


def test_nothing_is_placed_before_the_queues_are_listed(centre: Centre) -> None:
    """The list fails; events alone are half of the truth. It is asked for again soon."""
    centre.pbx.commands = tuple(name for name in centre.pbx.commands if name != "QueueStatus")
    centre.begin([FOREVER.format(n) for n in range(9)])
    centre.advance(1)
    centre.queue.log_on("PJSIP/1")
    centre.advance(2)
    assert (centre.figures("listed", "known", "idle"), centre.dialled_ids()) == ((False, False, 0), [])
    assert centre.says() == "the PBX has not told its queues yet"
    centre.pbx.commands = (*centre.pbx.commands, "QueueStatus")
    centre.advance(6)
    assert centre.figures("listed", "idle", "used") == (True, 1, 1)


@pytest.mark.parametrize("changes", [{"enabled": False}, {"port": 5039}])
def test_of_a_server_that_is_not_connected_any_more_nothing_is_known(centre: Centre, changes: dict[str, Any]) -> None:
    """Disabled, or moved to where nobody answers; then it is as it was, with an agent more."""
    centre.begin([FOREVER.format(n) for n in range(3)], agents=2)
    centre.advance(1)
    assert centre.figures("listed", "idle", "used") == (True, 2, 2)
    for name, values, figures in (("off", changes, (False, 0)), ("on", {}, (True, 3))):
        centre.pbx.set_dead(name == "off")
        saved = replace(centre.server, **values)
        entities.save_server(centre.database, saved, by="test", now=centre.clock.seconds())
        centre.add_campaign(name, [FOREVER.format(9)])
        centre.run(name)
        centre.advance(6)
        centre.advance_until(
            lambda figures=figures: centre.figures("listed", "idle") == figures
        )  # a back-off may be longer
        centre.queue.log_on("PJSIP/3")


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("breaks", ["cut", "kill", "stop"])
def test_after_a_break_everything_is_counted_as_before(tmp_path: Path, breaks: str, silent: bool) -> None:
    """Two talk, one rings, a stranger waits, one call is on the way."""
    centre = Centre(tmp_path)
    for serial in range(1, 6):
        centre.queue.log_on(f"PJSIP/{serial}", silent=silent, ring_s=0.5 if serial < 3 else 1e6)
    for serial in (3, 4, 5):
        centre.queue.pause(f"PJSIP/{serial}")
    centre.begin([*(TALKS.format(n) for n in range(3)), FOREVER.format(4)])
    centre.advance(2)
    centre.queue.pause("PJSIP/3", False)
    centre.advance(1)
    centre.queue.join("stranger")
    centre.queue._serve = lambda: None  # type: ignore[method-assign]
    for serial in (4, 5):
        centre.queue.pause(f"PJSIP/{serial}", False)
    centre.advance(1)
    names = ("used", "joined", "on_the_way", "waiting", "idle", "free")
    before = centre.figures(*names)
    assert before == (4, 3, 1, 1, 2, 0)
    if breaks == "cut":
        centre.pbx.cut()
    elif breaks == "kill":
        centre.kill()
        centre.start()
    else:
        centre.stop()
        centre.start()
    centre.advance(3)
    after = centre.figures(*names)
    # A device that tells nothing does not tell that it rings: the agent and their caller count each other out.
    assert after == ((4, 3, 1, 2, 3, 0) if silent else before)
    named = {flight.call.agent for flight in centre.dialer.board.flights.values()}
    assert named == {"", "Agent PJSIP/1", "Agent PJSIP/2"}
    for call in list(centre.pbx.live.values()):
        call.hang_up(16)
    centre.queue.gone("stranger")
    centre.finish()
    centre.check_nothing_leaked()


@pytest.mark.parametrize("seed", range(5))
def test_whatever_agents_and_links_do_no_limit_is_passed_and_nothing_leaks(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    centre = Centre(tmp_path, channels=8, boost_factor=chance.choice([1.0, 1.4, 2.0]), ivr_s=chance.choice([0, 0.3]))
    small = centre.add_trunk("small", capacity=6)
    centre.pbx._random, centre.pbx.disorder = random.Random(seed), seed % 2 == 0
    centre.begin(mixed(80, chance), agents=4, trunk_ids=(small.id,))
    strangers: list[str] = []
    while centre.dialer.board.runs:
        _disturb(centre, chance, strangers)
        for _ in range(chance.randint(1, 20)):
            centre.advance(0.05)
            shown = centre.shown()
            assert 0 <= shown["used"] <= 6
            assert shown["free"] + shown["used"] <= 8
            assert min(shown["idle"], shown["waiting"], shown["on_the_way"], shown["joined"]) >= 0
            assert shown["joined"] + shown["on_the_way"] == shown["used"]
        assert centre.clock.seconds() < 1_790_003_600, "within an hour"
    for stranger in strangers:
        centre.queue.gone(stranger)
    centre.finish()
    centre.advance(62, step=0.5)
    assert centre.pbx.max_live <= 6
    idle = sum(not (agent.paused or agent.private) for agent in centre.queue.agents.values())
    assert (centre.shown()["idle"], centre.shown()["agents_total"]) == (idle, len(centre.queue.agents))
    centre.check_nothing_leaked()


def _disturb(centre: Centre, chance: random.Random, strangers: list[str]) -> None:
    queue = centre.queue
    interface = f"PJSIP/{chance.randint(1, 8)}"
    agent = queue.agents.get(interface)
    what = chance.randrange(9)
    if agent is None:
        queue.log_on(interface, silent=chance.random() < 0.3, ring_s=chance.choice([0.1, 1.0]))
    elif what == 0 and not agent.rings:
        queue.log_off(interface)
    elif what in (1, 2):
        queue.pause(interface, not agent.paused)
    elif what == 3 and not (agent.rings or agent.talks or agent.silent):
        queue.private_call(interface, not agent.private)
    elif what in (4, 5):
        strangers.append(f"stranger-{chance.random()}")
        queue.join(strangers[-1])
    elif what in (6, 7) and strangers:
        queue.gone(strangers.pop(0))
    elif what == 8 and chance.random() < 0.3:
        centre.pbx.cut()


@pytest.mark.parametrize("agents_of_the_second_alone", [0, 1])
def test_agents_of_two_queues_are_called_for_once(centre: Centre, agents_of_the_second_alone: int) -> None:
    """Five agents are in both queues: there are never more calls than agents, and each agent is made use of."""
    other = centre.add_queue("998")
    second = centre.pbx.queues["998"]
    for serial in range(agents_of_the_second_alone):
        second.log_on(f"PJSIP/alone{serial}")
    numbers = mixed(120, random.Random(2))
    centre.add_campaign("second", numbers[:60], trunk_ids=(centre.lines.id,), end_point_ids=(other.id,))
    centre.begin(numbers[60:], agents=5)
    for agent in list(centre.queue.agents.values()):
        second.share(agent)
    centre.run("second")
    centre.finish()
    joins = [free for queue in (centre.queue, second) for _, free in queue.joins]
    assert len(joins) > 70
    assert centre.pbx.max_live == 5 + agents_of_the_second_alone
    if not agents_of_the_second_alone:
        assert min(joins) >= 1, "nobody joins for whom no agent is free"
    centre.check_nothing_leaked()
