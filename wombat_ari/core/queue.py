"""The queues of one PBX as they are now: who could take a call, who waits (spec 03 "QUEUE end points, direct").

Fed with events and, now and then, with a full list that replaces all; before the first list nothing is known. Two
things are kept by our own count, because some devices send nothing when a call begins or ends (Custom: device states):
for whom an agent rings, and to whom they talk. Both hold across queues, since an agent may be a member of several.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from math import inf

from wombat_ari.core.pairs import Pairs
from wombat_ari.model.events import AgentChannel
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
        self.membership = 0  #: counts up when a member comes or goes
        self.listed = False  #: half of a queue looks like an empty one: before the first list events tell nothing
        self._queues: dict[str, Queue] = {}
        self._ringing = Pairs()
        self._talking = Pairs()

    def handle(self, event: AnyQueueEvent) -> None:
        """Take note of what happened. Events about unknown agents or callers are fine: a list will come."""
        self.changed += 1
        if isinstance(event, QueuesListed):
            self._listed(event)
        elif self.listed:
            _HANDLERS[type(event)](self, event)

    def known(self, name: str) -> bool:
        return name in self._queues

    def agents(self, name: str, now: float, *, wrap_up_s: float = 0.0) -> list[tuple[Member, AgentState]]:
        """Each member of a queue with what it does now."""
        queue = self._queues.get(name)
        if queue is None:
            return []
        return [(member, self.state_of(member, now, wrap_up_s)) for member in queue.members.values()]

    def members(self, name: str) -> Collection[str]:
        """The interfaces of the agents of a queue."""
        queue = self._queues.get(name)
        return queue.members.keys() if queue else ()

    def available(self, name: str, now: float, *, wrap_up_s: float = 0.0) -> int:
        """How many agents could take a call now."""
        queue = self._queues.get(name)
        if queue is None:
            return 0
        idle = AgentState.IDLE
        return sum(self.state_of(member, now, wrap_up_s) is idle for member in queue.members.values())

    def wraps_until(self, name: str, now: float, *, wrap_up_s: float = 0.0) -> float:
        """When the next wrap-up ends, so that an agent becomes available without an event; infinite if none does."""
        queue = self._queues.get(name)
        members = queue.members.values() if queue else ()
        ends = (member.last_call + (member.wrap_up_s or wrap_up_s) for member in members)
        return min((end for end in ends if end > now), default=inf)

    def waiting(self, name: str) -> list[Caller]:
        """Callers in the queue for whom no agent rings yet, ours and others'."""
        queue = self._queues.get(name)
        if queue is None:
            return []
        served = self._ringing.callers()
        return [caller for caller in queue.callers.values() if caller.unique_id not in served]

    def callers(self, name: str) -> list[Caller]:
        """Everybody in the queue, those for whom an agent rings included."""
        queue = self._queues.get(name)
        return list(queue.callers.values()) if queue else []

    def state_of(self, member: Member, now: float, wrap_up_s: float) -> AgentState:
        """What an agent does. A pause shows only when it is not on a call: it does not end one."""
        if member.interface in self._talking or (member.in_call and _is_believed(member)):
            return AgentState.TALKING
        if member.status in _DEAD:
            return AgentState.ERROR
        if member.interface in self._ringing or member.status in _RINGS:
            return AgentState.RINGING
        if member.paused:
            return AgentState.PAUSED
        if member.status not in _FREE:
            return AgentState.BUSY
        wraps_up = now - member.last_call < (member.wrap_up_s or wrap_up_s)
        return AgentState.WRAP_UP if wraps_up else AgentState.IDLE

    def found(self, channel: AgentChannel) -> str | None:
        """A channel by which an agent was called, found after the list: it tells for whom. The agent's name, if this
        fits to what was listed; an older or a stranger's channel tells nothing.
        """
        members = self._members_at(channel.interface)
        if not members:
            return None
        member = next((each for each in members if each.in_call), members[0])
        if channel.up and member.in_call:
            self._talking.add(member.interface, channel.caller)
        elif not channel.up and member.status not in _FREE and self._is_caller(channel.caller):
            self._ringing.add(member.interface, channel.caller)
        else:
            return None
        self.changed += 1
        return member.name

    def gone(self, unique_id: str, at: float) -> None:
        """The caller's channel is gone, whatever the queue says: Asterisk tells no AgentComplete of a call that ends in
        the moment in which it begins, and no AgentRingNoAnswer of a caller who leaves by a key.
        """
        self.changed += 1
        for queue in self._queues.values():
            queue.callers.pop(unique_id, None)
        self._ringing.drop_caller(unique_id)
        for interface in self._talking.of(unique_id):
            self._over(interface, unique_id, at)

    def forget(self) -> None:
        """The link broke: nothing is known."""
        self.changed += 1
        self.membership += 1
        self.listed = False
        self._queues.clear()
        self._ringing.clear()
        self._talking.clear()

    # Events

    def _member_seen(self, event: MemberSeen) -> None:
        member, members = event.member, self._queue(event.queue).members
        known = members.get(member.interface)
        self.membership += known is None
        # Events about members are not ordered against those about calls: one may say InCall after AgentComplete. A call
        # begins with AgentConnect, or was there when we came.
        if member.in_call and known is not None and not known.in_call and member.interface not in self._talking:
            member = replace(member, in_call=False)
        members[member.interface] = member
        if member.status in _FREE and member.interface in self._ringing:
            self._stopped_ringing(member.interface, known is not None and known.status not in _FREE)

    def _member_removed(self, event: MemberRemoved) -> None:
        self.membership += 1
        self._queue(event.queue).members.pop(event.interface, None)
        if not any(event.interface in queue.members for queue in self._queues.values()):
            self._ringing.drop(event.interface)

    def _caller_joined(self, event: CallerJoined) -> None:
        self._queue(event.queue).callers[event.caller.unique_id] = event.caller

    def _caller_abandoned(self, event: CallerAbandoned) -> None:
        self._ringing.drop_caller(event.unique_id)

    def _caller_left(self, event: CallerLeft) -> None:
        # Whoever rang for them is not free now: either AgentTookCall follows, or CallerAbandoned went before.
        self._queue(event.queue).callers.pop(event.unique_id, None)

    def _called(self, event: AgentCalled) -> None:
        self._ringing.add(event.interface, event.unique_id)

    def _rang_no_answer(self, event: AgentRangNoAnswer) -> None:
        self._ringing.drop(event.interface, event.unique_id)

    def _took(self, event: AgentTookCall) -> None:
        self._ringing.drop_caller(event.unique_id)
        self._talking.add(event.interface, event.unique_id)

    def _ended(self, event: AgentEndedCall) -> None:
        self._over(event.interface, event.unique_id or None, event.at, queue=event.queue)

    def _listed(self, event: QueuesListed) -> None:
        """Members and callers are as listed. For whom somebody rings, and to whom they talk, is not listed: what was
        known of it stays, unless the list says otherwise: the caller is not there, the member is not in a call, the
        device is free (and is the agent's own).
        """
        self.listed = True
        self.membership += 1
        self._queues = {contents.name: _queue_of(contents) for contents in event.queues}
        for interface in self._talking.interfaces():
            members = self._members_at(interface)
            if members and not any(member.in_call for member in members):
                self._talking.drop(interface)
        for interface in self._ringing.interfaces():
            if any(each.status in _FREE and not _is_somebodys(each) for each in self._members_at(interface)):
                self._ringing.drop(interface)
        present = {caller.unique_id for contents in event.queues for caller in contents.callers}
        for caller in self._ringing.callers() - present:
            self._ringing.drop_caller(caller)

    def _members_at(self, address: str) -> list[Member]:
        """An agent in each of their queues. Without shared_lastcall only the queue of a call says InCall."""
        every = (queue.members.get(each) for queue in self._queues.values() for each in (address, f"{address}/n"))
        return [member for member in every if member is not None]

    def _is_caller(self, unique_id: str) -> bool:
        return any(unique_id in queue.callers for queue in self._queues.values())

    def _over(self, interface: str, unique_id: str | None, at: float, *, queue: str | None = None) -> None:
        """A call of an agent has ended. Not every device says that it is free again: this is word enough."""
        self._talking.drop(interface, unique_id)
        for each in self._queues.values():
            member = each.members.get(interface)
            if member is not None:
                last_call = max(member.last_call, at) if queue in (None, each.name) else member.last_call
                each.members[interface] = replace(member, in_call=False, last_call=last_call)

    def _stopped_ringing(self, interface: str, all_of_it: bool) -> None:
        """Its device is free: it does not ring for callers who have left; if it was not free before, for nobody. (An
        Asterisk that says again that a device is free may have called it meanwhile.)
        """
        for caller in set(self._ringing.of_interface(interface)):
            if all_of_it or not self._is_caller(caller):
                self._ringing.drop(interface, caller)

    def _queue(self, name: str) -> Queue:
        return self._queues.setdefault(name, Queue(name))


def _queue_of(contents: QueueContents) -> Queue:
    members = {member.interface: member for member in contents.members}
    return Queue(contents.name, members, {caller.unique_id: caller for caller in contents.callers})


def _is_somebodys(member: Member) -> bool:
    """Its device state is somebody's doing (Custom:, or hint: that may lead to one): a call need not show in it."""
    return (member.state_interface or member.interface).startswith(("Custom:", "hint:"))


def _is_believed(member: Member) -> bool:
    """Whether InCall counts. Asterisk may forget to take it back; a device that is not in use is not in a call."""
    return member.status not in _FREE or _is_somebodys(member)


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
