"""Agents who are members of several queues: how many agents a queue may still count on (spec 03).

An agent serves one caller, whichever of their queues it comes from. What all queues need already must stay served, so a
queue may count on the agents that a greatest matching of needs and agents can give it besides: over all queues no
more calls are placed than agents could take. By the theorem of Ford and Fulkerson (1956) that matching is as large as
the smallest cut; the cuts are the sets of queues, and since few queues share agents they can all be looked at.

Asterisk does not match for the future: where queues share only some of their agents, a call may get one whom another
queue counted on. Being safe from that as well would let a queue in use stop every other that has an agent in common.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

MOST = 6  #: queues looked at together: 64 cuts


@dataclass(frozen=True, slots=True)
class Need:
    """One queue: who could take a call from it now, and how many agents are spoken for.

    ``agents`` counts callers who wait, and calls on the way divided by the boost with which they were placed.
    """

    idle: frozenset[str]  #: interfaces
    agents: float


def partners(members: Mapping[int, Collection[str]]) -> dict[int, tuple[int, ...]]:
    """For each queue that has agents in common with others, directly or through others, all those others.

    ``members``: the interfaces of each queue's agents. Queues that share nobody are left out.
    """
    leader = {queue: queue for queue in members}

    def led_by(queue: int) -> int:
        while leader[queue] != queue:
            queue = leader[queue]
        return queue

    first: dict[str, int] = {}
    for queue, interfaces in members.items():
        for interface in interfaces:
            leader[led_by(queue)] = led_by(first.setdefault(interface, queue))
    groups: dict[int, list[int]] = {}
    for queue in members:
        groups.setdefault(led_by(queue), []).append(queue)
    return {
        queue: tuple(other for other in group if other != queue)
        for group in groups.values()
        if len(group) > 1
        for queue in group
    }


def spare_agents(own: Need, others: Sequence[Need]) -> float:
    """How many more agents ``own`` may count on without one that the others need; its own needs are taken off.

    With no agent in common it is ``len(own.idle) - own.agents``. Never below 0. Of many others the ``MOST - 1`` nearest
    count.
    """
    queues = [own, *_nearest(own, others)]
    sizes = _agents_by_queues(queues)
    with_own = without_own = float("inf")
    for cut in range(1 << len(queues)):
        size: float = sum(count for members, count in sizes.items() if members & cut)
        size += sum(queue.agents for bit, queue in enumerate(queues) if not cut >> bit & 1)
        if cut & 1:
            with_own = min(with_own, size)
        else:
            without_own = min(without_own, size)
    return max(0.0, with_own - without_own)


def _nearest(own: Need, others: Sequence[Need]) -> list[Need]:
    """Those with most agents in common, then those that share some with these: a call there may push another here."""
    found: list[Need] = []
    reached, left = own.idle, sorted(others, key=lambda need: -len(need.idle & own.idle))
    while len(found) < MOST - 1:
        near = next((need for need in left if need.idle & reached), None)
        if near is None:
            break
        left.remove(near)
        found.append(near)
        reached |= near.idle
    return found


def _agents_by_queues(queues: Iterable[Need]) -> Counter[int]:
    """How many agents are in exactly these queues; a set of queues is a number with their bits."""
    members: Counter[str] = Counter()
    for bit, queue in enumerate(queues):
        for interface in queue.idle:
            members[interface] += 1 << bit
    return Counter(members.values())
