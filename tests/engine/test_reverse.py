"""Reverse dialling on a virtual clock: the agent first, one call for each, whatever fails or breaks."""

import random
from pathlib import Path

import pytest

from tests.engine.floor import TALKS, Floor, agent
from tests.engine.world import rule

ANN, BOB = agent(1), agent(2)


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


@pytest.mark.parametrize(
    ("number", "by", "outcome", "waits"),
    [
        (TALKS, ANN, "TERMINATED", (0, 500, 500)),
        ("5551050000", agent(1, talks=20), "TERMINATED", (0, 500, 1500)),  # the agent hangs up
        ("5552050000", ANN, "RS_BUSY", (0, 500, 0)),
        ("5553000000", ANN, "RS_NOANSWER", (0, 5000, 0)),
        ("5554050000", ANN, "RS_NUMBER", (0, 500, 0)),
        ("5555050000", ANN, "RS_REJECTED", (0, 500, 0)),
        ("5556050000", ANN, "RS_REJECTED", (0, 500, 0)),
        ("777", ANN, "RS_NUMBER", (0, 0, 0)),
        ("5551990000", agent(1, talks=10), "RS_NOAGENT", (0, 1000, 0)),  # leaves while the callee rings
        (TALKS, agent(1, rings=99), "RS_NOAGENT", (5000, 0, 0)),
        (TALKS, agent(1, rings=98), "RS_NOAGENT", (100, 0, 0)),
        (TALKS, "PJSIP/nosuch", "RS_NOAGENT", (0, 0, 0)),
    ],
)
def test_how_it_ends(floor: Floor, number: str, by: str, outcome: str, waits: tuple[int, int, int]) -> None:
    floor.agents(by)
    floor.begin([number])
    floor.finish()
    ((ended, name, *logged),) = floor.log("outcome, agent, wait_pre_ms, wait_after_ms, talk_ms")
    assert (ended, name) == (outcome, f"Agent {by}")
    assert all(abs(phase - wanted) <= 60 for phase, wanted in zip(logged, waits, strict=True)), logged
    assert floor.dialer.board.odd_events == 0
    floor.check()


def test_an_interface_is_rewritten_before_it_is_called_and_stays_the_agents(tmp_path: Path) -> None:
    floor = Floor(tmp_path, dial_find=r"^Agent/(\d+)$", dial_replace=r"Local/\1@simulated-agents/n")
    as_queued = ANN.replace("Local/", "Agent/").removesuffix("@simulated-agents/n")
    floor.agents(as_queued)
    floor.begin([TALKS, TALKS], variables="DEPT:for ${num}")
    floor.finish()
    assert [headers["channel"] for headers in floor.pbx.originates] == [ANN, ANN]
    assert floor.log("outcome, agent") == [("TERMINATED", f"Agent {as_queued}")] * 2
    floor.check()


def test_one_call_for_each_agent_who_is_there_whatever_the_boost(tmp_path: Path) -> None:
    floor = Floor(tmp_path, boost_factor=3.0)
    everybody = [agent(serial, rings=serial) for serial in range(1, 6)]
    floor.agents(*everybody)
    kinds = [random.Random(7).choice("112") for _ in range(60)]
    floor.begin([f"555{kind}1020{serial:03}" for serial, kind in enumerate(kinds)])
    floor.finish()
    assert floor.pbx.max_live == 5
    calls = [name for (name,) in floor.log("agent")]
    assert all(calls.count(f"Agent {each}") >= 8 for each in everybody)
    floor.check()


def test_who_is_idle_longest_is_next(floor: Floor) -> None:
    narrow = floor.add_trunk("one line", capacity=1)
    everybody = [ANN, BOB, agent(3)]
    floor.agents(*everybody)
    floor.begin([TALKS] * 6, trunk_ids=(narrow.id,))
    floor.finish()
    assert [headers["channel"] for headers in floor.pbx.originates] == [*everybody, *everybody]


def test_who_is_paused_busy_or_gone_is_not_called(floor: Floor) -> None:
    floor.agents(ANN, BOB, agent(3), agent(4))
    floor.queue.pause(BOB)
    floor.queue.private_call(agent(3))
    floor.queue.log_off(agent(4))
    floor.begin(["5551000000"] * 5)
    floor.advance(10)
    assert [headers["channel"] for headers in floor.pbx.originates] == [ANN]
    floor.queue.pause(BOB, paused=False)
    floor.advance(1)
    assert [headers["channel"] for headers in floor.pbx.originates] == [ANN, BOB]


def test_an_agent_of_two_queues_has_one_call(floor: Floor) -> None:
    other = floor.add_queue("998", reverse=True)
    for queue in ("999", "998"):
        floor.pbx.queues[queue].log_on(ANN)
    floor.begin([TALKS] * 3, "a")
    floor.begin([TALKS] * 3, "b", end_point_ids=(other.id,))
    floor.finish()
    assert floor.outcomes() == {TALKS: ["TERMINATED"] * 6}
    floor.check()


def test_a_phone_that_nobody_answers_does_not_eat_the_list(floor: Floor) -> None:
    floor.agents("PJSIP/nosuch")
    floor.begin([f"55510505{serial:02}" for serial in range(50)])
    floor.advance(61)
    assert 10 <= len(floor.log()) <= 13


def test_the_agent_has_time_after_a_talk(tmp_path: Path) -> None:
    """The queue knows nothing of these calls: its own wrap-up time does not begin."""
    floor = Floor(tmp_path, wrap_up_s=10)
    floor.agents(ANN)
    floor.begin([TALKS, "5552050001", "5552050002"])
    floor.finish()
    begun = [at for (at,) in floor.log("attempted_at")]
    ends = [at for (at,) in floor.log("ended_at")]
    assert 10 <= begun[1] - ends[0] <= 11, "and half a second until the agent answered"
    assert begun[2] - ends[1] < 1, "none after a call that nobody took"


def test_the_number_goes_back_by_the_rules(floor: Floor) -> None:
    floor.agents(agent(1, rings=98))
    floor.begin(["5551050501"], rules=(rule("RS_NOAGENT", times=2, after=3),))
    floor.advance_until(lambda: len(floor.log()) == 1)
    floor.queue.log_off(agent(1, rings=98))
    floor.agents(BOB)
    floor.finish()
    assert floor.outcomes() == {"5551050501": ["RS_NOAGENT", "TERMINATED"]}
    floor.check()


@pytest.mark.parametrize("state", ["RD_AGENTREQ", "RD_REQUESTED", "CONNECTED"])
def test_hung_up_by_request(floor: Floor, state: str) -> None:
    floor.agents(ANN)
    floor.begin(["5551100000"])
    floor.advance_until(lambda: floor.state("5551100000") == state)
    (wombatid,) = floor.dialer.board.flights
    floor.dialer.obey.hang_up(wombatid)
    floor.finish()
    assert floor.outcomes() == {"5551100000": ["TERMINATED" if state == "CONNECTED" else "RS_REJECTED"]}
    assert floor.pbx.live == {}
    floor.check()


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("how", ["killed", "link cut"])
@pytest.mark.parametrize("state", ["RD_AGENTREQ", "RD_REQUESTED", "CONNECTED"])
@pytest.mark.parametrize("away", [1.0, 30.0], ids=["it goes on", "it ended meanwhile"])
def test_nobody_looks_for_a_while(floor: Floor, state: str, how: str, away: float, twice: bool) -> None:
    """The agent rings for 1.5 s, the callee for 3, they talk for 9."""
    ann, number = agent(1, rings=15), "5551309000"
    floor.pbx.twice = twice
    floor.agents(ann)
    floor.begin([number])
    floor.advance_until(lambda: floor.state(number) == state)
    floor.advance(1.0)  # what is written behind is there
    if how == "killed":
        floor.kill()
    else:
        floor.pbx.set_dead()
    floor.advance(away)
    if how == "killed":
        floor.start()
    else:
        floor.pbx.set_dead(False)
    floor.finish()
    ((outcome, name, pre, ring, talk),) = floor.log("outcome, agent, wait_pre_ms, wait_after_ms, talk_ms")
    assert (outcome, name) == ("TERMINATED", f"Agent {ann}")
    # The end is known to the second by a note.
    assert abs(talk - 9000) <= (60 if away < 9 else 1000)
    if state != "RD_AGENTREQ":
        assert abs(pre + ring - 3000) <= (60 if away < 9 else 1000)
    assert len(floor.pbx.originates) == 1
    floor.check()


@pytest.mark.parametrize("state", ["RD_AGENTREQ", "RD_REQUESTED", "CONNECTED"])
@pytest.mark.parametrize("how", ["restart", "shut_down"])
def test_a_pbx_that_goes_down_loses_the_call(floor: Floor, state: str, how: str) -> None:
    floor.agents(ANN)
    floor.begin(["5551100000"])
    floor.advance_until(lambda: floor.state("5551100000") == state)
    floor.advance(0.2)
    getattr(floor.pbx, how)()
    floor.advance(2)
    if how == "shut_down":
        floor.pbx._boot()
    floor.finish()
    assert floor.outcomes() == {"5551100000": ["RS_LOST"]}
    floor.check()


def test_the_agent_of_a_call_that_was_taken_up_gets_no_other(floor: Floor) -> None:
    """Also where its device tells nothing."""
    floor.agents(ANN)
    floor.begin(["5551100001", "5551100002"])
    floor.advance_until(lambda: floor.state("5551100001") == "RD_AGENTREQ")
    floor.kill()
    floor.queue.private_call(ANN, begins=False)
    floor.start()
    floor.advance(5)
    assert len(floor.pbx.originates) == 1
    assert floor.state("5551100001") == "CONNECTED"


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_every_number_once_and_no_agent_twice(floor: Floor, seed: int) -> None:
    chance = random.Random(seed)
    floor.pbx.disorder, floor.pbx.twice = seed % 2 == 0, seed % 3 == 0
    everybody = [
        agent(serial, rings=chance.choice([0, 5, 20, 98]), talks=chance.choice([0, 15])) for serial in range(6)
    ]
    floor.agents(*everybody)
    kinds = [chance.choice("1112345678") for _ in range(80)]
    numbers = [f"555{kind}{chance.randint(0, 15):02}{chance.randint(1, 30):02}{n:03}" for n, kind in enumerate(kinds)]
    floor.begin(numbers, rules=tuple(rule(name, times=2, after=5) for name in ("RS_NOAGENT", "RS_BUSY", "RS_LOST")))
    for _ in range(12):
        floor.advance(chance.uniform(1, 15))
        _something(floor, chance, everybody)
    floor.pbx.set_dead(False)
    for each in everybody:
        floor.queue.pause(each, paused=False)
    floor.finish(9000)
    assert set(floor.outcomes()) == set(numbers)
    assert floor.pbx.live == {}
    floor.check()


def _something(floor: Floor, chance: random.Random, everybody: list[str]) -> None:
    what = chance.choice(["kill", "cut", "dead", "restart", "pause", "hang up", "nothing"])
    if what == "kill":
        floor.kill()
        floor.advance(chance.uniform(0, 8))
        floor.start()
    elif what == "cut":
        floor.pbx.cut()
    elif what == "dead":
        floor.pbx.set_dead()
        floor.advance(chance.uniform(1, 20))
        floor.pbx.set_dead(False)
    elif what == "restart":
        floor.pbx.restart()
    elif what == "pause":
        floor.queue.pause(chance.choice(everybody), paused=chance.random() < 0.5)
    elif what == "hang up" and floor.dialer.board.flights:
        floor.dialer.obey.hang_up(chance.choice(list(floor.dialer.board.flights)))
