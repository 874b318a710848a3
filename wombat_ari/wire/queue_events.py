"""AMI messages about queues to events: one table from the event's name to a function of the message.

The same member is told in two ways: events say ``Interface`` and ``MemberName``, the answer to QueueStatus ``Location``
and ``Name``. A caller is known by the Uniqueid of their channel; ours begin with ``wbt-``.
"""

from collections.abc import Callable, Iterable

from wombat_ari.model.ids import wombatid_of
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
    Member,
    MemberRemoved,
    MemberSeen,
    QueueContents,
    QueuesListed,
)
from wombat_ari.wire.ami import Message


def queue_event_of(message: Message, server: int, *, now: float) -> AnyQueueEvent | None:
    """What this message tells about a queue; None for all others."""
    translate = TABLE.get(message.name)
    return None if translate is None else translate(message.headers(), server, now)


def queues_listed(items: Iterable[Message], server: int, *, now: float) -> QueuesListed:
    """From the events of a QueueStatus (QueueParams, QueueMember, QueueEntry)."""
    strategies: dict[str, str] = {}
    members: dict[str, list[Member]] = {}
    callers: dict[str, list[Caller]] = {}
    for item in items:
        headers = item.headers()
        queue = headers.get("Queue", "")
        if item.name == "QueueParams":
            strategies[queue] = headers.get("Strategy", "")
        elif item.name == "QueueMember":
            members.setdefault(queue, []).append(_member(headers))
        elif item.name == "QueueEntry":
            callers.setdefault(queue, []).append(_caller(headers, now - _number(headers, "Wait")))
    return QueuesListed(
        server,
        tuple(
            QueueContents(name, tuple(members.get(name, ())), tuple(callers.get(name, ())), strategy)
            for name, strategy in strategies.items()
        ),
    )


def _member(headers: dict[str, str]) -> Member:
    interface = headers.get("Interface") or headers.get("Location", "")
    return Member(
        interface=interface,
        name=headers.get("MemberName") or headers.get("Name") or interface,
        paused=headers.get("Paused") == "1",
        paused_reason=headers.get("PausedReason", ""),
        in_call=headers.get("InCall") == "1",
        status=int(_number(headers, "Status")),
        last_call=_number(headers, "LastCall"),
        penalty=int(_number(headers, "Penalty")),
        state_interface=headers.get("StateInterface", ""),
        wrap_up_s=_number(headers, "Wrapuptime"),
    )


def _caller(headers: dict[str, str], since: float) -> Caller:
    unique_id = headers.get("Uniqueid", "")
    number = headers.get("CallerIDNum", "")
    # Events say <unknown>, the list unknown.
    return Caller(unique_id, "" if number in ("<unknown>", "unknown") else number, since, wombatid_of(unique_id))


def _number(headers: dict[str, str], key: str) -> float:
    text = headers.get(key, "")
    return float(text) if text.lstrip("-").isdecimal() else 0.0


def _seen(headers: dict[str, str], server: int, now: float) -> AnyQueueEvent:
    return MemberSeen(server, headers["Queue"], _member(headers))


def _removed(headers: dict[str, str], server: int, now: float) -> AnyQueueEvent:
    return MemberRemoved(server, headers["Queue"], headers.get("Interface", ""))


def _joined(headers: dict[str, str], server: int, now: float) -> AnyQueueEvent:
    return CallerJoined(server, headers["Queue"], _caller(headers, now))


def _left(headers: dict[str, str], server: int, now: float) -> AnyQueueEvent:
    return CallerLeft(server, headers["Queue"], headers["Uniqueid"])


def _abandoned(headers: dict[str, str], server: int, now: float) -> AnyQueueEvent:
    return CallerAbandoned(server, headers["Queue"], headers["Uniqueid"])


def _called(headers: dict[str, str], server: int, now: float) -> AnyQueueEvent:
    return AgentCalled(server, headers["Queue"], headers.get("Interface", ""), headers["Uniqueid"])


def _rang(headers: dict[str, str], server: int, now: float) -> AnyQueueEvent:
    return AgentRangNoAnswer(server, headers["Queue"], headers.get("Interface", ""), headers["Uniqueid"])


def _took(headers: dict[str, str], server: int, now: float) -> AnyQueueEvent:
    unique_id, interface = headers["Uniqueid"], headers.get("Interface", "")
    name = headers.get("MemberName") or interface
    return AgentTookCall(server, headers["Queue"], interface, name, unique_id, wombatid_of(unique_id))


def _ended(headers: dict[str, str], server: int, now: float) -> AnyQueueEvent:
    interface, reason = headers.get("Interface", ""), headers.get("Reason", "")
    # A caller whose channel was gone before Asterisk looked is not in it.
    return AgentEndedCall(server, headers["Queue"], interface, headers.get("Uniqueid", ""), reason, now)


TABLE: dict[str, Callable[[dict[str, str], int, float], AnyQueueEvent]] = {
    **dict.fromkeys(
        (
            "QueueMemberAdded",
            "QueueMemberStatus",
            "QueueMemberPause",
            "QueueMemberPenalty",
            "QueueMemberRinginuse",
        ),
        _seen,
    ),
    "QueueMemberRemoved": _removed,
    "QueueCallerJoin": _joined,
    "QueueCallerLeave": _left,
    "QueueCallerAbandon": _abandoned,
    "AgentCalled": _called,
    "AgentConnect": _took,
    "AgentComplete": _ended,
    "AgentRingNoAnswer": _rang,
    "AgentDump": _rang,
}
