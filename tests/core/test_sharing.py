"""Agents of several queues: a table, and that it is what a greatest matching gives, found by trying."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wombat_ari.core.sharing import Need, partners, spare_agents


def need(idle: str, agents: float = 0) -> Need:
    return Need(frozenset(idle.split()), agents)


@pytest.mark.parametrize(
    ("own", "others", "spare"),
    [
        (need("a b c"), [], 3),
        (need("a b c", 2), [], 1),
        (need("a b", 5), [], 0),
        (need("a b c"), [need("x y", 2)], 3),  # nobody in common
        (need("a b c"), [need("a b c", 2)], 1),  # the same agents
        (need("a b c"), [need("a b c d", 2)], 2),  # one of the two can be d
        (need("a b"), [need("a b c d", 2)], 2),  # both can
        (need("a"), [need("a b", 1), need("b", 1)], 0),  # b is taken, so a must serve the second
        (need("a"), [need("a b", 1), need("b c", 1)], 1),  # a chain: c, b, and a is left
        (need("a b"), [need("x", 7)], 2),  # another's queue that is longer than its agents
        (need("a x"), [need("x", 7)], 1),
        (need("a b c", 1.5), [need("c", 0.5)], 1.0),
    ],
)
def test_table(own: Need, others: list[Need], spare: float) -> None:
    assert spare_agents(own, others) == spare


def served(queues: list[Need]) -> int:
    """The greatest number of needs that can have an agent each: augmenting paths (Kuhn)."""
    callers = [queue.idle for queue in queues for _ in range(int(queue.agents))]
    given_to: dict[str, int] = {}

    def find(caller: int, seen: set[str]) -> bool:
        for agent in callers[caller] - seen:
            seen.add(agent)
            if agent not in given_to or find(given_to[agent], seen):
                given_to[agent] = caller
                return True
        return False

    return sum(find(caller, set()) for caller in range(len(callers)))


needs = st.builds(Need, st.frozensets(st.sampled_from("abcdefg"), max_size=5), st.integers(0, 4).map(float))


@given(needs, st.lists(needs, max_size=4))
def test_it_is_the_greatest_matching(own: Need, others: list[Need]) -> None:
    spare = int(spare_agents(own, others))
    before = served([own, *others])
    after = [served([Need(own.idle, own.agents + more), *others]) for more in (spare, spare + 1)]
    assert after == [before + spare, before + spare], "each of these many finds an agent, one more does not"


@given(needs, st.lists(needs, max_size=12))
def test_of_many_queues_the_nearest_count(own: Need, others: list[Need]) -> None:
    assert 0 <= spare_agents(own, others) <= len(own.idle)


def test_partners() -> None:
    found = partners({1: "ab", 2: "bc", 3: "cd", 4: "x", 5: "", 6: "yz", 7: "z"})
    assert found == {1: (2, 3), 2: (1, 3), 3: (1, 2), 6: (7,), 7: (6,)}
