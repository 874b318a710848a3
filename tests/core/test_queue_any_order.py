"""Queues and pacing over any course of events: what they make of what a queue that knows the truth tells."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.queue_truth import NOW, QUEUES, Truth
from wombat_ari.core.pacing import QueueLoad, free_channels
from wombat_ari.core.queue import Queues
from wombat_ari.model.queues import AnyQueueEvent, Caller, CallerJoined


def begun(truth: Truth) -> Queues:
    for agent in truth.agents:
        agent.queues = {queue: False for queue in QUEUES if truth.chance.random() < 0.8}
    queues = Queues()
    queues.handle(truth.listed())
    return queues


def check(queues: Queues, truth: Truth) -> None:
    for queue in QUEUES:
        assert queues.available(queue, NOW) == truth.available(queue)
        assert {caller.unique_id for caller in queues.waiting(queue)} == truth.unserved(queue)
        everybody = [caller.unique_id for caller in queues.callers(queue)]
        assert len(everybody) == len(set(everybody)) == list(truth.waiting.values()).count(queue)


seeds = st.integers(0, 2**32).map(random.Random)


@given(seeds, st.integers(1, 150))
def test_told_in_order_it_is_the_truth_at_every_step(chance: random.Random, count: int) -> None:
    truth = Truth(chance)
    queues = begun(truth)
    for _ in range(count):
        for event in truth.step():
            queues.handle(event)
        check(queues, truth)


@given(seeds, st.integers(1, 100))
def test_whatever_comes_nothing_is_negative_and_a_list_makes_it_right(chance: random.Random, count: int) -> None:
    """Some events twice, some too late, some never; then a list."""
    truth = Truth(chance)
    queues = begun(truth)
    late: list[AnyQueueEvent] = []
    for _ in range(count):
        for event in truth.step():
            if chance.random() < 0.2:
                late.insert(chance.randint(0, len(late)), event)
            for _ in range(chance.choice([0, 1, 1, 1, 2])):
                queues.handle(event)
            while late and chance.random() < 0.3:
                queues.handle(late.pop())
        for queue in QUEUES:
            free = queues.available(queue, NOW)
            waiting = [caller.unique_id for caller in queues.waiting(queue)]
            assert free >= 0
            assert len(waiting) == len(set(waiting)) <= len(queues.callers(queue))
            load = QueueLoad(free, len(waiting), chance.randint(0, 5), chance.randint(0, 9))
            assert 0 <= free_channels(load, boost=chance.choice([0.5, 1, 2]), max_waiting=3, max_channels=9) <= 9
    queues.forget()  # as after a link that broke
    assert [queues.available(queue, NOW) for queue in QUEUES] == [0, 0]
    queues.handle(truth.listed())
    for channel in truth.channels():
        queues.found(channel)
    # Of a device that never tells that it rings the list does not tell either: the agent counts as free, and the
    # caller as waiting. The difference, which is what counts, is right.
    for queue in QUEUES:
        unseen = sum(a.silent and truth.waiting.get(a.rings) == queue for a in truth.agents)
        assert queues.available(queue, NOW) - len(queues.waiting(queue)) <= (
            truth.available(queue) - len(truth.unserved(queue)) + _rung_elsewhere(truth, queue)
        )
        assert len(queues.waiting(queue)) == len(truth.unserved(queue)) + unseen


def _rung_elsewhere(truth: Truth, queue: str) -> int:
    """Agents whose device does not tell that it rings, for a caller of another queue."""
    return sum(
        agent.silent and bool(agent.rings) and truth.waiting[agent.rings] != queue and queue in agent.queues
        for agent in truth.agents
    )


@given(seeds, st.integers(1, 100))
def test_a_list_in_the_middle_changes_nothing(chance: random.Random, count: int) -> None:
    """Events that came while it was made are told again behind it."""
    truth = Truth(chance)
    queues = begun(truth)
    for _ in range(count):
        told = [event for _ in range(chance.randint(0, 3)) for event in truth.step()]
        for event in [*told, truth.listed(), *told]:
            queues.handle(event)
        if not any(agent.rings and agent.silent for agent in truth.agents):
            check(queues, truth)


@settings(max_examples=50)
@given(seeds, st.integers(10, 300))
def test_with_boost_one_nobody_joins_for_whom_there_is_no_agent(chance: random.Random, count: int) -> None:
    """Only our calls take agents: then a call that joins finds one free, whatever the answers and refusals."""
    truth = Truth(chance, calm=True)
    truth.steps.remove(truth.join)
    queues = begun(truth)
    on_the_way = dict.fromkeys(QUEUES, 0)
    for agent in truth.agents:
        agent.queues = {QUEUES[agent.serial % 2]: False}
    queues.handle(truth.listed())
    for _ in range(count):
        queue = chance.choice(QUEUES)
        waiting = len(queues.waiting(queue))
        load = QueueLoad(queues.available(queue, NOW), waiting, on_the_way[queue], on_the_way[queue])
        on_the_way[queue] += free_channels(load, boost=1, max_waiting=2, max_channels=9)
        if on_the_way[queue] and chance.random() < 0.5:
            on_the_way[queue] -= 1
            assert truth.available(queue) > len(truth.unserved(queue))
            caller = next(truth.callers)
            truth.waiting[caller] = queue
            queues.handle(CallerJoined(1, queue, Caller(caller)))
        for event in truth.step():
            queues.handle(event)
