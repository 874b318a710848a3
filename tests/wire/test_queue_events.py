"""From what real PBXs said of their queues to events."""

import re

import pytest

from tests.wire.recordings import recorded
from tools.provision import config
from wombat_ari.model.ids import channel_id
from wombat_ari.model.queues import (
    AgentCalled,
    AgentEndedCall,
    AgentRangNoAnswer,
    AgentTookCall,
    AnyQueueEvent,
    Caller,
    CallerAbandoned,
    CallerJoined,
    CallerLeft,
    DeviceState,
    Member,
    MemberRemoved,
    MemberSeen,
    QueueContents,
)
from wombat_ari.wire.ami import Decoder, Message
from wombat_ari.wire.queue_events import TABLE, queue_event_of, queues_listed

NOW = 1_795_400_000.0
IDS = "q[a-z][0-9]"
OURS, OTHER, THIRD = channel_id(1), channel_id(2), channel_id(3)


def told(name: str, folder: str = "ami") -> list[AnyQueueEvent]:
    messages = Decoder().feed(recorded(name, folder=folder, ids=IDS))
    events = (queue_event_of(message, 7, now=NOW) for message in messages if message.kind == "Event")
    return [event for event in events if event is not None]


def members(events: list[AnyQueueEvent], interface: str, queue: str = "999") -> list[Member]:
    seen = (event for event in events if isinstance(event, MemberSeen) and event.queue == queue)
    return [event.member for event in seen if event.member.interface == interface]


def message(text: str) -> Message:
    kind, _, name = text.partition("\n")[0].partition(": ")
    return Message(kind, name, text.replace("\n", "\r\n"))


def one(text: str) -> AnyQueueEvent | None:
    return queue_event_of(message(text), 7, now=NOW)


@pytest.mark.parametrize("folder", ["ami", "ami16"])
def test_a_call_from_joining_to_its_end(folder: str) -> None:
    agent = "Local/602@agents/n"
    events = told("q_answer_agent_hangs", folder)
    calls = [event for event in events if not isinstance(event, (MemberSeen, MemberRemoved))]
    (joined,) = [event for event in calls if isinstance(event, CallerJoined)]
    assert joined == CallerJoined(7, "999", Caller(OURS, "", NOW, 1))
    assert calls == [
        joined,
        AgentCalled(7, "999", agent, OURS),
        CallerLeft(7, "999", OURS),
        AgentTookCall(7, "999", agent, agent, OURS, 1),
        AgentEndedCall(7, "999", agent, OURS, "agent", NOW),
    ]
    # A Local channel without a device state of its own is in use from the ringing on.
    states = [(member.status, member.in_call) for member in members(events, agent)]
    assert states[0] == (DeviceState.NOT_INUSE, False)
    assert (DeviceState.INUSE, True) in states
    assert states[-1] == (DeviceState.NOT_INUSE, False)
    assert members(events, agent)[-1].last_call > 1_795_000_000


@pytest.mark.parametrize("folder", ["ami", "ami16"])
def test_members_come_pause_and_go(folder: str) -> None:
    events = told("q_member_ops", folder)
    phone = members(events, "PJSIP/a1")
    assert {member.name for member in phone} == {"Agent/a1"}
    assert [(member.paused, member.paused_reason) for member in phone] == [
        (False, ""), (True, "Lunch"), (True, "Toilet"), (False, ""), (False, ""), (False, ""),
    ]  # fmt: skip
    assert [member.penalty for member in phone] == [0, 0, 0, 0, 3, 3]
    (custom, *later) = members(events, "Local/601@agents/n")
    assert (custom.name, custom.state_interface) == ("Ag 601", "Custom:ag601")
    assert custom.status in (DeviceState.UNKNOWN, DeviceState.NOT_INUSE)
    assert [member.status for member in later] == [DeviceState.INUSE, DeviceState.NOT_INUSE]
    assert members(events, "PJSIP/nosuch")[0].status == DeviceState.INVALID
    assert MemberRemoved(7, "999", "PJSIP/nosuch") in events
    # A device state is told of every queue of the member.
    assert [member.name for member in members(events, "Local/601@agents/n", "998")] == ["Static601"] * 2


def test_a_private_call_is_a_device_state_and_no_call_of_the_queue() -> None:
    events = told("q_personal_call_local_custom")
    states = [(member.status, member.in_call) for member in members(events, "Local/601@agents/n")]
    assert states == [(1, False), (2, False), (1, False)], "and nothing is told at a queue call's begin and end"
    assert len([event for event in events if isinstance(event, AgentTookCall)]) == 1


def test_an_agent_who_is_busy_is_rung_again_and_again() -> None:
    events = told("q_pjsip_agent_rejects")
    rings = [event for event in events if isinstance(event, (AgentCalled, AgentRangNoAnswer))]
    assert rings == [AgentCalled(7, "999", "PJSIP/t486", OURS), AgentRangNoAnswer(7, "999", "PJSIP/t486", OURS)] * 2
    assert [event for event in events if isinstance(event, (CallerAbandoned, CallerLeft))] == [
        CallerAbandoned(7, "999", OURS),
        CallerLeft(7, "999", OURS),
    ]


def test_a_caller_who_gives_up_while_an_agent_rings() -> None:
    events = told("q_abandon_ringing")
    assert not [event for event in events if isinstance(event, AgentRangNoAnswer)]
    assert CallerAbandoned(7, "999", OURS) in events


def test_a_list_replaces_all() -> None:
    messages = Decoder().feed(recorded("q_two_callers", ids=IDS))
    items = [each for each in messages if each.name in ("QueueParams", "QueueMember", "QueueEntry")]
    listed = queues_listed(items, 7, now=NOW)
    (queue,) = listed.queues
    assert (queue.name, queue.strategy) == ("999", "rrmemory")
    assert [(each.interface, each.name, each.in_call, each.status) for each in queue.members] == [
        ("PJSIP/a1", "PJSIP/a1", True, DeviceState.INUSE)
    ]
    assert [(caller.unique_id, caller.number, caller.call) for caller in queue.callers] == [
        (OTHER, "", 2),
        (THIRD, "", 3),
    ], "events say <unknown>, the list says unknown"
    assert all(NOW - 60 < caller.since <= NOW for caller in queue.callers)


def test_a_list_of_several_queues() -> None:
    """The answers of ``q_member_ops`` to a QueueStatus without a name."""
    messages = Decoder().feed(recorded("q_member_ops", ids=IDS))
    ends = [place for place, each in enumerate(messages) if each.name == "QueueStatusComplete"]
    listed = queues_listed(messages[ends[0] + 1 : ends[1]], 7, now=NOW)
    assert [(queue.name, len(queue.members)) for queue in listed.queues] == [("999", 3), ("998", 2)]
    assert [member.name for member in listed.queues[0].members] == ["Agent/a1", "Local/602@agents/n", "Ag 601"]
    assert [member.paused for member in listed.queues[0].members] == [False, False, True]


def test_no_queues() -> None:
    assert queues_listed([], 7, now=NOW).queues == ()
    empty = message("Event: QueueParams\nQueue: alone\nStrategy: ringall")
    assert queues_listed([empty], 7, now=NOW).queues == (QueueContents("alone", (), (), "ringall"),)


def test_the_end_of_a_call_whose_channel_was_gone() -> None:
    """As Asterisk 22 sends it when the caller's channel has gone before it looked: no keys of the caller."""
    text = (
        "Event: AgentComplete\nPrivilege: agent,all\nDestChannel: Local/110200@simulated-agents-00000012;1\n"
        "DestUniqueid: pbx-1795503925.88\nDestLinkedid: one-000009\nQueue: second\n"
        "Interface: Local/110200@simulated-agents/n\nMemberName: Agent 11\nHoldTime: 0\nTalkTime: 0\nReason: caller"
    )
    assert one(text) == AgentEndedCall(7, "second", "Local/110200@simulated-agents/n", "", "caller", NOW)


def test_an_agent_who_hangs_up_before_the_caller_is_connected() -> None:
    text = f"Event: AgentDump\nUniqueid: {OURS}\nDestUniqueid: 1.2\nQueue: 999\nInterface: PJSIP/a1\nMemberName: Ann"
    assert one(text) == AgentRangNoAnswer(7, "999", "PJSIP/a1", OURS)


def test_a_member_of_its_own_wrap_up_time() -> None:
    text = "Event: QueueMemberStatus\nQueue: 999\nMemberName: \nInterface: PJSIP/a1\nStatus: 1\nWrapuptime: 5"
    assert one(text) == MemberSeen(7, "999", Member("PJSIP/a1", "PJSIP/a1", wrap_up_s=5.0))


def test_callers_who_are_not_ours() -> None:
    text = "Event: QueueCallerJoin\nQueue: 999\nUniqueid: 1795.7\nCallerIDNum: 5551234\nPosition: 1\nCount: 1"
    assert one(text) == CallerJoined(7, "999", Caller("1795.7", "5551234", NOW, None))


def test_other_events_tell_nothing() -> None:
    for name in ("DeviceStateChange", "QueueSummary", "QueueParams", "Hangup", "QueueEntry"):
        assert one(f"Event: {name}\nQueue: 999\nUniqueid: {OURS}") is None


def test_odd_numbers_do_not_break() -> None:
    seen = one("Event: QueueMemberStatus\nQueue: 999\nInterface: X/1\nStatus: x\nLastCall: \nPenalty: -1")
    assert isinstance(seen, MemberSeen)
    assert (seen.member.status, seen.member.last_call, seen.member.penalty) == (0, 0.0, -1)


def test_every_event_of_the_table_is_let_through_by_the_shipped_filters() -> None:
    folder = config.SHIPPED / "manager.d"
    new, old = (folder / "wombat.conf").read_text(), (folder / "wombat-16.conf.sample").read_text()
    assert not [name for name in TABLE if f"eventfilter(name({name})) =" not in new]
    patterns = [line.partition("= ")[2].replace("[[:cntrl:]]", r"\r") for line in old.splitlines()]
    including = [pattern for pattern in patterns if pattern.startswith("^Event")]
    assert not [name for name in TABLE if not any(re.match(each, f"Event: {name}\r") for each in including)]
