"""Who could take a call, who waits: told by events, in the order in which a real Asterisk sends them, and by lists."""

from dataclasses import replace

import pytest

from wombat_ari.core.queue import Queues
from wombat_ari.model.events import AgentChannel
from wombat_ari.model.queues import (
    AgentCalled,
    AgentEndedCall,
    AgentRangNoAnswer,
    AgentState,
    AgentTookCall,
    Caller,
    CallerAbandoned,
    CallerJoined,
    CallerLeft,
    DeviceState,
    Member,
    MemberRemoved,
    MemberSeen,
    QueueContents,
    QueuesListed,
)

Q, A1, A2 = "999", "PJSIP/a1", "PJSIP/a2"
NOW = 1000.0


@pytest.fixture
def queues() -> Queues:
    queues = new()
    seen(queues, A1)
    seen(queues, A2)
    return queues


def new() -> Queues:
    """After a first list that was empty."""
    queues = Queues()
    queues.handle(QueuesListed(1, ()))
    return queues


def seen(queues: Queues, interface: str, *, queue: str = Q, **values: object) -> None:
    queues.handle(MemberSeen(1, queue, Member(interface, f"Agent {interface[-1]}", **values)))  # type: ignore[arg-type]


def joined(queues: Queues, caller: str, queue: str = Q) -> None:
    queues.handle(CallerJoined(1, queue, Caller(caller)))


def states(queues: Queues, now: float = NOW, *, queue: str = Q, wrap_up_s: float = 0) -> list[str]:
    return [state for _, state in queues.agents(queue, now, wrap_up_s=wrap_up_s)]


def test_members_that_can_be_rung_are_available(queues: Queues) -> None:
    assert queues.available(Q, NOW) == 2
    assert queues.available("nosuch", NOW) == 0
    assert queues.known(Q)
    assert not queues.known("nosuch")


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"status": DeviceState.UNKNOWN}, "IDLE"),
        ({"status": DeviceState.NOT_INUSE}, "IDLE"),
        ({"status": DeviceState.INUSE}, "BUSY"),  # a private call
        ({"status": DeviceState.BUSY}, "BUSY"),
        ({"status": DeviceState.ONHOLD}, "BUSY"),
        ({"status": DeviceState.INVALID}, "ERROR"),
        ({"status": DeviceState.UNAVAILABLE}, "ERROR"),
        ({"status": DeviceState.RINGING}, "RINGING"),
        ({"status": DeviceState.RINGINUSE}, "RINGING"),
        ({"paused": True}, "PAUSED"),
        ({"paused": True, "in_call": True, "status": DeviceState.INUSE}, "TALKING"),
        ({"in_call": True, "status": DeviceState.INUSE}, "TALKING"),
        ({"in_call": True, "status": DeviceState.NOT_INUSE, "state_interface": "Custom:a1"}, "TALKING"),
        ({"in_call": True, "status": DeviceState.NOT_INUSE, "state_interface": "hint:1@phones"}, "TALKING"),
        ({"in_call": True, "status": DeviceState.NOT_INUSE}, "IDLE"),  # Asterisk forgot: the device knows better
    ],
)
def test_state_of_an_agent(values: dict[str, object], state: str) -> None:
    queues = new()
    seen(queues, A1, **values)
    assert states(queues) == [state]
    assert queues.available(Q, NOW) == (state == "IDLE")


def test_a_call_from_joining_to_its_end(queues: Queues) -> None:
    joined(queues, "c1")
    assert [caller.unique_id for caller in queues.waiting(Q)] == ["c1"]
    queues.handle(AgentCalled(1, Q, A1, "c1"))
    assert (queues.available(Q, NOW), queues.waiting(Q)) == (1, [])
    assert len(queues.callers(Q)) == 1
    queues.handle(CallerLeft(1, Q, "c1"))
    assert queues.available(Q, NOW) == 1, "between leaving the queue and talking nobody is free"
    queues.handle(AgentTookCall(1, Q, A1, "Agent 1", "c1"))
    assert states(queues) == ["TALKING", "IDLE"]
    queues.handle(AgentEndedCall(1, Q, A1, "c1", "agent", NOW))
    assert states(queues) == ["IDLE", "IDLE"]
    assert states(queues, NOW + 4, wrap_up_s=5) == ["WRAP_UP", "IDLE"]
    assert queues.available(Q, NOW + 5, wrap_up_s=5) == 2


def test_an_agent_who_does_not_answer_is_free_again_and_the_caller_waits_again(queues: Queues) -> None:
    joined(queues, "c1")
    queues.handle(AgentCalled(1, Q, A1, "c1"))
    queues.handle(AgentRangNoAnswer(1, Q, A1, "c1"))
    assert (queues.available(Q, NOW), len(queues.waiting(Q))) == (2, 1)


def test_a_caller_who_gives_up_frees_the_agents_that_rang(queues: Queues) -> None:
    joined(queues, "c1")
    for agent in (A1, A2):
        queues.handle(AgentCalled(1, Q, agent, "c1"))  # ringall
    assert (queues.available(Q, NOW), queues.waiting(Q)) == (0, [])
    queues.handle(CallerAbandoned(1, Q, "c1"))
    queues.handle(CallerLeft(1, Q, "c1"))
    assert (queues.available(Q, NOW), queues.callers(Q)) == (2, [])


def test_an_agent_of_two_queues_is_busy_in_both(queues: Queues) -> None:
    seen(queues, A1, queue="other")
    joined(queues, "c1", "other")
    queues.handle(AgentCalled(1, "other", A1, "c1"))
    assert queues.available(Q, NOW) == 1
    queues.handle(AgentTookCall(1, "other", A1, "Agent 1", "c1"))
    assert queues.available(Q, NOW) == 1
    assert queues.available("other", NOW) == 0


def test_a_removed_agent_is_gone_from_that_queue_only(queues: Queues) -> None:
    seen(queues, A1, queue="other")
    queues.handle(MemberRemoved(1, Q, A1))
    assert queues.available(Q, NOW) == 1
    assert queues.available("other", NOW) == 1


def test_a_list_replaces_members_and_callers_and_keeps_who_talks(queues: Queues) -> None:
    queues.handle(AgentTookCall(1, Q, A1, "Agent 1", "c1"))
    joined(queues, "gone")
    in_call = Member(A1, "Agent 1", in_call=True, status=DeviceState.INUSE)
    queues.handle(QueuesListed(1, (QueueContents(Q, (in_call,), (Caller("c2"),)),)))
    assert states(queues) == [AgentState.TALKING]
    assert [caller.unique_id for caller in queues.callers(Q)] == ["c2"]
    queues.handle(QueuesListed(1, (QueueContents(Q, (replace(in_call, in_call=False, status=1),)),)))
    assert states(queues) == [AgentState.IDLE], "an end that was missed is told by the next list"


def test_a_custom_device_that_tells_nothing_keeps_its_call_over_a_list() -> None:
    queues = new()
    custom = Member("Local/1@agents/n", "One", state_interface="Custom:one")
    queues.handle(MemberSeen(1, Q, custom))
    queues.handle(AgentTookCall(1, Q, custom.interface, "One", "c1"))
    queues.handle(QueuesListed(1, (QueueContents(Q, (replace(custom, in_call=True),)),)))
    assert states(queues) == ["TALKING"]
    queues.handle(AgentEndedCall(1, Q, custom.interface, "c1", "caller", NOW))
    assert states(queues) == ["IDLE"]


def test_a_late_word_of_a_member_does_not_begin_a_call_again() -> None:
    queues = new()
    custom = Member(A1, "One", state_interface="Custom:one")
    queues.handle(MemberSeen(1, Q, custom))
    queues.handle(AgentTookCall(1, Q, A1, "One", "c1"))
    queues.handle(AgentEndedCall(1, Q, A1, "c1", "caller", NOW))
    queues.handle(MemberSeen(1, Q, replace(custom, in_call=True)))
    assert states(queues) == ["IDLE"]


def test_a_caller_who_left_by_a_key_does_not_keep_an_agent_ringing(queues: Queues) -> None:
    """Asterisk says only that the caller left, and that the agent's device is free."""
    joined(queues, "c1")
    queues.handle(AgentCalled(1, Q, A1, "c1"))
    seen(queues, A1, status=DeviceState.RINGING)
    queues.handle(CallerLeft(1, Q, "c1"))
    assert states(queues)[0] == "RINGING"
    seen(queues, A1)
    assert states(queues)[0] == "IDLE"
    # In the other order too: the device is free, then the caller has left.
    joined(queues, "c2")
    queues.handle(AgentCalled(1, Q, A1, "c2"))
    seen(queues, A1, status=DeviceState.RINGING)
    seen(queues, A1)
    queues.handle(CallerLeft(1, Q, "c2"))
    assert states(queues)[0] == "IDLE"


def test_a_device_that_is_free_as_before_still_rings_for_a_caller_who_is_there(queues: Queues) -> None:
    """Asterisk may say twice that a device is free after a call, and ring it in between."""
    joined(queues, "c1")
    queues.handle(AgentCalled(1, Q, A1, "c1"))
    seen(queues, A1)
    assert states(queues)[0] == "RINGING"


def test_a_caller_whose_channel_is_gone_is_nowhere(queues: Queues) -> None:
    """Also when Asterisk tells no AgentComplete, and goes on saying that the member is in a call."""
    queues.handle(AgentTookCall(1, Q, A1, "Agent 1", "c1"))
    seen(queues, A1, in_call=True, status=DeviceState.INUSE)
    queues.gone("c1", NOW)
    assert states(queues, NOW + 1, wrap_up_s=2)[0] == "BUSY"
    seen(queues, A1, in_call=True)
    assert states(queues, NOW + 1)[0] == "IDLE"
    joined(queues, "c2")
    queues.handle(AgentCalled(1, Q, A1, "c2"))
    queues.gone("c2", NOW)
    assert (states(queues)[0], queues.callers(Q)) == ("IDLE", [])


def test_the_end_of_a_call_nobody_knows_any_more(queues: Queues) -> None:
    """Asterisk leaves the caller out of AgentComplete when their channel has gone before it looked."""
    queues.handle(AgentTookCall(1, Q, A1, "Agent 1", "c1"))
    queues.handle(AgentEndedCall(1, Q, A1, "", "caller", NOW))
    assert states(queues)[0] == "IDLE"


def test_an_agent_on_two_calls_talks_until_both_have_ended(queues: Queues) -> None:
    """ringinuse=yes."""
    for caller in ("c1", "c2"):
        queues.handle(AgentTookCall(1, Q, A1, "Agent 1", caller))
    queues.handle(AgentEndedCall(1, Q, A1, "c2", "caller", NOW))
    assert states(queues)[0] == "TALKING"
    queues.handle(AgentEndedCall(1, Q, A1, "c1", "caller", NOW))
    assert states(queues)[0] == "IDLE"


def test_a_members_own_wrap_up_time_goes_before_the_queues(queues: Queues) -> None:
    seen(queues, A1, last_call=NOW, wrap_up_s=10.0)
    seen(queues, A2, last_call=NOW)
    assert states(queues, NOW + 4, wrap_up_s=5) == ["WRAP_UP", "WRAP_UP"]
    assert states(queues, NOW + 6, wrap_up_s=5) == ["WRAP_UP", "IDLE"]
    assert states(queues, NOW + 10, wrap_up_s=5) == ["IDLE", "IDLE"]
    ends = [queues.wraps_until(Q, NOW + waited, wrap_up_s=5) for waited in (0, 5, 10)]
    assert ends == [NOW + 5, NOW + 10, float("inf")]


def test_before_the_first_list_nothing_is_known() -> None:
    """Half of a queue looks like an empty one: agents of whom we heard, and not the callers who wait for them."""
    queues = Queues()
    seen(queues, A1)
    assert (queues.known(Q), queues.available(Q, NOW)) == (False, 0)
    queues.handle(QueuesListed(1, (QueueContents(Q, (Member(A1, "One"),), (Caller("c1"),)),)))
    assert (queues.known(Q), queues.available(Q, NOW), len(queues.waiting(Q))) == (True, 1, 1)


def test_without_shared_lastcall_only_the_queue_of_the_call_says_that_they_are_in_it(queues: Queues) -> None:
    custom = Member("Local/1@agents/n", "One", state_interface="Custom:one")
    listed = QueuesListed(
        1, (QueueContents(Q, (replace(custom, in_call=True),)), QueueContents("other", (custom,)))
    )  # fmt: skip
    queues.handle(AgentTookCall(1, Q, custom.interface, "One", "c1"))
    queues.handle(listed)
    assert (states(queues), states(queues, queue="other")) == (["TALKING"], ["TALKING"])
    queues.forget()
    queues.handle(listed)
    assert queues.found(AgentChannel("Local/1@agents", "c1", up=True)) == "One"
    assert (states(queues), states(queues, queue="other")) == (["TALKING"], ["TALKING"])


def test_a_channel_found_tells_nothing_that_does_not_fit(queues: Queues) -> None:
    """It may be older than the list."""
    joined(queues, "c1")
    assert queues.found(AgentChannel(A1, "c1", up=True)) is None
    assert queues.found(AgentChannel(A1, "c1", up=False)) is None
    assert queues.found(AgentChannel("PJSIP/stranger", "c1", up=True)) is None
    seen(queues, A1, status=DeviceState.RINGING)
    assert queues.found(AgentChannel(A1, "nobody", up=False)) is None
    assert queues.found(AgentChannel(A1, "c1", up=False)) == "Agent 1"
    assert queues.waiting(Q) == []


def test_after_a_break_nothing_is_known(queues: Queues) -> None:
    joined(queues, "c1")
    before = queues.changed
    queues.forget()
    assert queues.changed > before
    assert (queues.available(Q, NOW), queues.callers(Q), queues.known(Q)) == (0, [], False)
    seen(queues, A1)
    assert queues.available(Q, NOW) == 0, "it must be listed again"
