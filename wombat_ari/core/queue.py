"""The queues of one PBX as they are now: who could take a call, who waits (spec 03 "QUEUE end points, direct").

Fed with events and, now and then, with a full list that replaces all. Two things are kept by our own count, because
some devices send nothing when a call begins or ends (Custom: device states): which agent rings, and which talks to
whom. Both hold across queues, since an agent may be a member of several.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from wombat_ari.model.queues import (
    AgentCalled,
    AgentEndedCall,
    AgentRangNoAnswer,
    AgentState,
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
    QueuesListed,
)

_FREE = (DeviceState.UNKNOWN, DeviceState.NOT_INUSE)
_DEAD = (DeviceState.INVALID, DeviceState.UNAVAILABLE)
_RINGS = (DeviceState.RINGING, DeviceState.RINGINUSE)


@dataclass(slots=True)
class Queue:
    """One queue: its members and its callers, both by Asterisk's ids."""

    name: str
    members: dict[str, Member] = field(default_factory=dict)
    callers: dict[str, Caller] = field(default_factory=dict)


class Queues:
    """All queues of a PBX. ``changed`` counts up with every event, so that who caches can tell."""

    def __init__(self) -> None:
        self.changed = 0
        self._queues: dict[str, Queue] = {}
        self._ringing: dict[str, set[str]] = {}  #: interface -> callers it rings for
        self._talking: dict[str, str] = {}  #: interface -> caller it talks to

    def handle(self, event: AnyQueueEvent) -> None:
        """Take note of what happened. Events about unknown agents or callers are fine: a list will come."""
        self.changed += 1
        if isinstance(event, QueuesListed):
            self._listed(event)
        else:
            _HANDLERS[type(event)](self, event)

    def known(self, name: str) -> bool:
        return name in self._queues

    def agents(self, name: str, now: float, *, wrap_up_s: float = 0.0) -> list[tuple[Member, AgentState]]:
        """Each member of a queue with what it does now."""
        queue = self._queues.get(name)
        if queue is None:
            return []
        return [(member, self.state_of(member, now, wrap_up_s)) for member in queue.members.values()]

    def available(self, name: str, now: float, *, wrap_up_s: float = 0.0) -> int:
        """How many agents could take a call now."""
        queue = self._queues.get(name)
        if queue is None:
            return 0
        idle = AgentState.IDLE
        return sum(self.state_of(member, now, wrap_up_s) is idle for member in queue.members.values())

    def waiting(self, name: str) -> list[Caller]:
        """Callers in the queue for whom no agent rings yet, ours and others'."""
        queue = self._queues.get(name)
        if queue is None:
            return []
        served = set().union(*self._ringing.values()) if self._ringing else set()
        return [caller for caller in queue.callers.values() if caller.unique_id not in served]

    def callers(self, name: str) -> list[Caller]:
        """Everybody in the queue, those for whom an agent rings included."""
        queue = self._queues.get(name)
        return list(queue.callers.values()) if queue else []

    def state_of(self, member: Member, now: float, wrap_up_s: float) -> AgentState:
        """What an agent does. A pause shows only when it is not on a call: it does not end one."""
        if member.interface in self._talking or member.in_call:
            return AgentState.TALKING
        if member.status in _DEAD:
            return AgentState.ERROR
        if member.interface in self._ringing or member.status in _RINGS:
            return AgentState.RINGING
        if member.paused:
            return AgentState.PAUSED
        if member.status not in _FREE:
            return AgentState.BUSY
        return AgentState.WRAP_UP if now - member.last_call < wrap_up_s else AgentState.IDLE

    def forget(self) -> None:
        """The link broke: nothing is known."""
        self.changed += 1
        self._queues.clear()
        self._ringing.clear()
        self._talking.clear()

    # Events

    def _member_seen(self, event: MemberSeen) -> None:
        member = event.member
        self._queue(event.queue).members[member.interface] = member

    def _member_removed(self, event: MemberRemoved) -> None:
        self._queue(event.queue).members.pop(event.interface, None)
        if not any(event.interface in queue.members for queue in self._queues.values()):
            self._ringing.pop(event.interface, None)

    def _caller_joined(self, event: CallerJoined) -> None:
        self._queue(event.queue).callers[event.caller.unique_id] = event.caller

    def _caller_abandoned(self, event: CallerAbandoned) -> None:
        self._stop_ringing_for(event.unique_id)

    def _caller_left(self, event: CallerLeft) -> None:
        # Whoever rang for them is not free now: either AgentTookCall follows, or CallerAbandoned went before.
        self._queue(event.queue).callers.pop(event.unique_id, None)

    def _called(self, event: AgentCalled) -> None:
        self._ringing.setdefault(event.interface, set()).add(event.unique_id)

    def _rang_no_answer(self, event: AgentRangNoAnswer) -> None:
        callers = self._ringing.get(event.interface)
        if callers is not None:
            callers.discard(event.unique_id)
            if not callers:
                del self._ringing[event.interface]

    def _took(self, event: AgentTookCall) -> None:
        self._stop_ringing_for(event.unique_id)
        self._talking[event.interface] = event.unique_id

    def _ended(self, event: AgentEndedCall) -> None:
        if self._talking.get(event.interface) == event.unique_id:
            del self._talking[event.interface]
        # Not every device says that it is free again: the end of the call is word enough.
        for queue in self._queues.values():
            member = queue.members.get(event.interface)
            if member is not None:
                last_call = max(member.last_call, event.at) if queue.name == event.queue else member.last_call
                queue.members[event.interface] = replace(member, in_call=False, last_call=last_call)

    def _listed(self, event: QueuesListed) -> None:
        """Members and callers are as listed. Who rings or talks is not listed: what was known of it stays, unless the
        list says otherwise (a call we think goes on, of a member that is not in a call).
        """
        self._queues = {contents.name: _queue_of(contents) for contents in event.queues}
        members = {m.interface: m for contents in event.queues for m in contents.members}
        self._talking = {
            interface: caller
            for interface, caller in self._talking.items()
            if interface not in members or members[interface].in_call or _tells_nothing(members[interface])
        }
        present = {caller.unique_id for contents in event.queues for caller in contents.callers}
        for caller in set().union(*self._ringing.values()) - present if self._ringing else set():
            self._stop_ringing_for(caller)

    def _stop_ringing_for(self, unique_id: str) -> None:
        for interface in [interface for interface, callers in self._ringing.items() if unique_id in callers]:
            callers = self._ringing[interface]
            callers.discard(unique_id)
            if not callers:
                del self._ringing[interface]

    def _queue(self, name: str) -> Queue:
        return self._queues.setdefault(name, Queue(name))


def _queue_of(contents: QueueContents) -> Queue:
    members = {member.interface: member for member in contents.members}
    return Queue(contents.name, members, {caller.unique_id: caller for caller in contents.callers})


def _tells_nothing(member: Member) -> bool:
    """Its device state is somebody's own doing (Custom:), so being free in the list does not end a call."""
    return (member.state_interface or member.interface).startswith("Custom:")


_HANDLERS: dict[type, Callable[[Queues, AnyQueueEvent], None]] = {
    MemberSeen: Queues._member_seen,  # type: ignore[dict-item]
    MemberRemoved: Queues._member_removed,  # type: ignore[dict-item]
    CallerJoined: Queues._caller_joined,  # type: ignore[dict-item]
    CallerAbandoned: Queues._caller_abandoned,  # type: ignore[dict-item]
    CallerLeft: Queues._caller_left,  # type: ignore[dict-item]
    AgentCalled: Queues._called,  # type: ignore[dict-item]
    AgentRangNoAnswer: Queues._rang_no_answer,  # type: ignore[dict-item]
    AgentTookCall: Queues._took,  # type: ignore[dict-item]
    AgentEndedCall: Queues._ended,  # type: ignore[dict-item]
}
