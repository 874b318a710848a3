"""Who of the agents has a call of ours: one at most, and a rest after it."""

from wombat_ari.core.assignments import NEVER, Assignments

ANN, BOB, ELSEWHERE = (1, "PJSIP/ann"), (1, "PJSIP/bob"), (2, "PJSIP/ann")


def test_an_agent_is_busy_until_their_call_has_ended() -> None:
    given = Assignments()
    given.give(ANN, 7)
    given.give(BOB, 8)
    assert [given.busy(agent) for agent in (ANN, BOB, ELSEWHERE)] == [True, True, False]
    given.end(7, 100.0)
    given.end(9, 100.0)  # nobody's
    assert [given.busy(agent) for agent in (ANN, BOB)] == [False, True]
    assert (given.last_ended(ANN), given.last_ended(BOB)) == (100.0, NEVER)


def test_they_rest_after_it() -> None:
    given = Assignments()
    given.give(ANN, 7)
    given.end(7, 100.0, rest_s=5)
    assert [given.rests(ANN, at) for at in (100.0, 104.9, 105.0)] == [True, True, False]
    assert not given.rests(BOB, 100.0)
    given.give(ANN, 8)
    given.end(8, 110.0)
    assert not given.rests(ANN, 110.0)
