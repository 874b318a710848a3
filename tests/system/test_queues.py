"""What the dialer knows of the queues of a real Asterisk, from one event to the next: agents, callers, capacity."""

from __future__ import annotations

import statistics
import time

import pytest

from tests.system.agents import Agent
from tests.system.centre import Centre, phone

ANN, BO, CY = (Agent(serial) for serial in (11, 12, 13))
#: They ring for a second: long enough to be seen.
KINDS = {"local": (Agent(16, ring=10), Agent(17, ring=10)), "phones": (phone(1), phone(2))}


@pytest.fixture(params=KINDS)
def pair(request: pytest.FixtureRequest) -> tuple[Agent, Agent]:
    """Two agents: with device states that the dialplan sets, or with real phones."""
    return KINDS[request.param]


def test_agents_log_on_pause_and_log_off(centre: Centre, pair: tuple[Agent, Agent]) -> None:
    one, two = pair
    floor = centre.floor
    centre.follows(centre.log_on(one), "log-on", free=1, idle=1, agents_total=1, states={one.name: "IDLE"})
    both = {one.name: "IDLE", two.name: "IDLE"}
    centre.follows(centre.log_on(two), "log-on", free=2, idle=2, agents_total=2, states=both)

    since = floor.now()
    floor.pause(one)
    paused = floor.await_event("QueueMemberPause", since=since, Interface=one.interface, Paused="1")
    centre.follows(paused, "pause", free=1, idle=1, agents_total=2, states={**both, one.name: "PAUSED"})
    floor.pause(one, False)
    resumed = floor.await_event("QueueMemberPause", since=since, Interface=one.interface, Paused="0")
    centre.follows(resumed, "unpause", free=2, idle=2, states=both)

    centre.follows(centre.log_off(one), "log-off", free=1, idle=1, agents_total=1, states={two.name: "IDLE"})
    centre.follows(centre.log_off(two), "log-off", free=0, idle=0, agents_total=0, states={})


def test_a_private_call_makes_busy(centre: Centre, pair: tuple[Agent, Agent]) -> None:
    one, two = pair
    floor = centre.floor
    centre.log_on(one, two)
    since = floor.now()
    call = floor.private_call(one)
    rings = floor.await_event("QueueMemberStatus", since=since, Interface=one.interface, Status="6")
    # It rings for a moment only: the state after it is as good.
    centre.follows(rings, "a private call rings", free=1, idle=1)
    talks = floor.await_event("QueueMemberStatus", since=since, Interface=one.interface, Status="2")
    centre.follows(talks, "a private call", free=1, idle=1, states={one.name: "BUSY", two.name: "IDLE"})
    floor.hang_up(call)
    ends = floor.await_event("QueueMemberStatus", since=since, Interface=one.interface, Status="1")
    centre.follows(ends, "a private call ends", free=2, states={one.name: "IDLE", two.name: "IDLE"})


def test_a_caller_who_is_not_ours_from_joining_to_the_end(centre: Centre, pair: tuple[Agent, Agent]) -> None:
    one, two = pair
    floor = centre.floor
    centre.log_on(one, two)
    for agent in pair:
        floor.pause(agent)
    since = floor.now()
    caller = floor.stranger()
    joined = floor.await_event("QueueCallerJoin", since=since, Uniqueid=caller)
    centre.follows(joined, "a caller joins", free=0, idle=0, waiting=1, blocked=False)
    assert len(centre.shown()["callers"]) == 1

    floor.pause(one, False)
    called = floor.await_event("AgentCalled", since=since, Uniqueid=caller)
    ringing = {one.name: "RINGING", two.name: "PAUSED"}
    centre.follows(called, "an agent rings", free=0, idle=0, waiting=0, states=ringing)
    talking = floor.await_event("AgentConnect", since=since, Uniqueid=caller)
    states = {one.name: "TALKING", two.name: "PAUSED"}
    centre.follows(talking, "an agent talks", free=0, idle=0, waiting=0, callers=[], states=states)

    # A pause during a call shows when it is over, and does not end it.
    floor.pause(one)
    paused = floor.await_event("QueueMemberPause", since=floor.now() - 1, Interface=one.interface, Paused="1")
    centre.follows(paused, "pause in a call", states=states)
    floor.pause(two, False)
    resumed = floor.await_event("QueueMemberPause", since=since, Interface=two.interface, Paused="0")
    centre.follows(resumed, "unpause", free=1, idle=1, states={one.name: "TALKING", two.name: "IDLE"})

    floor.hang_up(caller)
    ended = floor.await_event("AgentComplete", since=since)
    centre.follows(ended, "a call ends", free=1, idle=1, states={one.name: "PAUSED", two.name: "IDLE"})


def test_callers_who_wait_take_agents_and_then_block(centre: Centre) -> None:
    """Blended traffic: others' callers count as our own do."""
    floor = centre.floor
    never = Agent(14, ring=99)
    centre.log_on(ANN, BO, CY)
    for agent in (ANN, BO, CY):
        floor.pause(agent)
    callers = []
    for count in (1, 2, 3):
        since = floor.now()
        callers.append(floor.stranger())
        joined = floor.await_event("QueueCallerJoin", since=since, Uniqueid=callers[-1])
        centre.follows(joined, "a caller joins", waiting=count, blocked=count > 2, free=0)
    # An agent who rings serves one caller; nobody else is free.
    centre.log_on(never)
    called = floor.await_event("AgentCalled", Interface=never.interface)
    centre.follows(called, "an agent rings", waiting=2, blocked=False, idle=0, free=0)
    for caller in callers:
        floor.hang_up(caller)
    for caller in callers:
        left = floor.await_event("QueueCallerLeave", Uniqueid=caller)
    centre.follows(left, "callers give up", waiting=0, callers=[], idle=1, free=1)


def test_an_agent_who_does_not_answer_is_free_again(centre: Centre) -> None:
    """Busy at the phone although the queue takes it for free: it is rung and refuses."""
    floor = centre.floor
    centre.log_on(ANN)
    floor.pause(ANN)
    since = floor.now()
    caller = floor.stranger()
    floor.await_event("QueueCallerJoin", since=since, Uniqueid=caller)
    never = Agent(14, ring=99)
    centre.log_on(never)
    called = floor.await_event("AgentCalled", since=since, Interface=never.interface)
    centre.follows(called, "an agent rings", waiting=0, idle=0, states={ANN.name: "PAUSED", never.name: "RINGING"})
    # The phone refuses: its channel is hung up from its side.
    floor.hang_up(called["DestUniqueid"])
    refused = floor.await_event("AgentRingNoAnswer", since=since, Interface=never.interface)
    floor.pause(never)
    centre.follows(refused, "an agent refuses", waiting=1, states={ANN.name: "PAUSED", never.name: "PAUSED"})


def test_an_agent_of_two_queues(centre: Centre) -> None:
    floor = centre.floor
    centre.log_on(ANN)
    centre.follows(centre.log_on(ANN, queue="second"), "log-on to a second queue", "second", free=1, idle=1)
    since = floor.now()
    caller = floor.stranger("second")
    talks = floor.await_event("AgentConnect", since=since, Uniqueid=caller)
    for queue in ("999", "second"):
        centre.follows(talks, f"talks in {queue}", queue, free=0, idle=0, states={ANN.name: "TALKING"})
    floor.hang_up(caller)
    ended = floor.await_event("AgentComplete", since=since)
    for queue in ("999", "second"):
        centre.follows(ended, f"free in {queue}", queue, free=1, idle=1, states={ANN.name: "IDLE"})
    # A pause is of one queue.
    floor.pause(ANN, queue="second")
    paused = floor.await_event("QueueMemberPause", since=since, Queue="second", Paused="1")
    centre.follows(paused, "pause in the second queue", "second", free=0, states={ANN.name: "PAUSED"})
    assert centre.shown()["states"] == {ANN.name: "IDLE"}


def test_wrap_up_lasts_as_long_as_asterisks_own(centre: Centre) -> None:
    floor = centre.floor
    centre.log_on(ANN, queue="wrap")
    since = floor.now()
    first, second = floor.stranger("wrap"), floor.stranger("wrap")
    taken = floor.await_event("AgentConnect", since=since)
    waits = second if taken["Uniqueid"] == first else first
    floor.hang_up(taken["Uniqueid"])
    ended = floor.await_event("AgentComplete", since=since)
    centre.follows(ended, "wrap-up begins", "wrap", idle=0, waiting=1, states={ANN.name: "WRAP_UP"})
    # Until Asterisk rings her again. It counts whole seconds, and lets the caller look once a second (retry).
    wrapping = ended.at
    while centre.shown("wrap")["states"][ANN.name] in ("WRAP_UP", "IDLE"):
        if centre.shown("wrap")["states"][ANN.name] == "WRAP_UP":
            wrapping = time.monotonic()
    called = floor.await_event("AgentCalled", since=since, Uniqueid=waits)
    assert wrapping - ended.at >= 0.9
    assert wrapping < called.at + 0.2
    assert called.at - wrapping < 2.0


def test_an_agent_whose_phone_is_not_there(centre: Centre) -> None:
    nobody = Agent(15, phone="PJSIP/nosuch")
    expected = {"free": 0, "idle": 0, "agents_total": 1, "states": {nobody.name: "ERROR"}}
    centre.follows(centre.log_on(nobody), "log-on without a phone", reported={"INVALID": 1}, **expected)


def test_a_caller_who_leaves_by_a_key_does_not_keep_the_agent(centre: Centre) -> None:
    floor = centre.floor
    never = Agent(14, ring=99)
    centre.log_on(never, queue="keys")
    since = floor.now()
    caller = floor.stranger("keys")
    called = floor.await_event("AgentCalled", since=since, Uniqueid=caller)
    centre.follows(called, "an agent rings", "keys", idle=0, states={never.name: "RINGING"})
    floor.act("PlayDTMF", Channel=caller.replace("two-", "one-"), Digit="1")
    free = floor.await_event("QueueMemberStatus", since=since, Interface=never.interface, Status="1")
    centre.follows(free, "the caller left by a key", "keys", free=1, waiting=0, states={never.name: "IDLE"})


def test_a_queue_that_is_not_there_is_said(centre: Centre) -> None:
    shown = centre.shown("nowhere")
    assert (shown["known"], shown["listed"]) == (False, True)


def test_the_dialer_is_not_behind(whole_centre: Centre) -> None:
    """All that was measured above; the middle, since the machine is shared."""
    print(whole_centre.report())
    assert len(whole_centre.late) >= 40
    assert statistics.median(late for late, _ in whole_centre.late) < 0.2
