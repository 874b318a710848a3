"""Queues of the fake PBX: agents, callers, and the events a real Asterisk tells of them, in its order.

``pbx.queues["999"] = FakeQueue(pbx, "999")``: from then on the extension 999 leads there. Whoever is free is rung at
once for the caller who has waited longest (autofill=yes, ringinuse=no), and answers after ``ring_s``.
"""

from dataclasses import dataclass
from typing import Any

NOT_INUSE, INUSE, RINGING = 1, 2, 6


@dataclass(slots=True)
class FakeAgent:
    """``silent``: a device state that never changes (Custom:), so no event tells of calls' begins and ends."""

    interface: str
    name: str
    ring_s: float = 0.5
    silent: bool = False
    paused: bool = False
    private: bool = False
    rings: str = ""
    talks: str = ""
    last_call: int = 0
    timer: Any = None

    @property
    def status(self) -> int:
        if self.silent or not (self.rings or self.talks or self.private):
            return NOT_INUSE
        return RINGING if self.rings else INUSE


class FakeQueue:
    """One queue. ``wrap_up_s`` is its wrapuptime, ``ivr_s`` how long its extension talks to a call before it joins."""

    def __init__(self, pbx: Any, name: str, *, wrap_up_s: int = 0, ivr_s: float = 0.0) -> None:
        self.name = name
        self.wrap_up_s = wrap_up_s
        self.ivr_s = ivr_s
        self.agents: dict[str, FakeAgent] = {}
        self.callers: dict[str, float] = {}  #: who waits, and since when
        self.joins: list[tuple[str, int]] = []  #: everybody who joined, and for how many more there were agents
        self._departed: list[FakeAgent] = []  #: logged off in a call
        self._pbx = pbx

    @property
    def free(self) -> list[FakeAgent]:
        """Who can be rung now."""
        now = self._pbx.clock.seconds()
        return [
            agent
            for agent in self.agents.values()
            if not (agent.paused or agent.private or agent.rings or agent.talks)
            and now - agent.last_call >= self.wrap_up_s
        ]

    # Agents

    def log_on(self, interface: str, **values: Any) -> FakeAgent:
        agent = self.agents[interface] = FakeAgent(interface, f"Agent {interface}", **values)
        self._member("QueueMemberAdded", agent)
        self._serve()
        return agent

    def share(self, agent: FakeAgent) -> None:
        """An agent of another queue is a member of this one, too."""
        self.agents[agent.interface] = agent
        self._member("QueueMemberAdded", agent)

    def log_off(self, interface: str) -> None:
        """A call goes on; its end is told of somebody who is no member any more."""
        agent = self.agents.pop(interface)
        self._departed.append(agent)
        self._member("QueueMemberRemoved", agent)

    def pause(self, interface: str, paused: bool = True) -> None:
        agent = self.agents[interface]
        agent.paused = paused
        self._member("QueueMemberPause", agent)
        self._serve()

    def private_call(self, interface: str, begins: bool = True) -> None:
        agent = self.agents[interface]
        agent.private = begins
        self._status(agent)
        self._serve()

    def hang_up(self, interface: str) -> None:
        """The agent ends the talk: told before their caller's channel ends."""
        agent = self.agents[interface]
        caller = agent.talks
        self._release(agent, caller, reason="agent")
        self._pbx.live[caller].leave_end_point()

    # Callers

    def join(self, unique_id: str) -> None:
        self.joins.append((unique_id, len(self.free) - len(self._unserved())))
        self.callers[unique_id] = self._pbx.clock.seconds()
        self._say("QueueCallerJoin", unique_id, "CallerIDNum: <unknown>", f"Count: {len(self.callers)}")
        self._serve()

    def gone(self, unique_id: str) -> None:
        """The caller's channel has ended, in whatever state."""
        engaged = [agent for agent in self._everybody() if unique_id in (agent.rings, agent.talks)]
        if unique_id in self.callers:
            del self.callers[unique_id]
            self._say("QueueCallerAbandon", unique_id)
            self._say("QueueCallerLeave", unique_id)
        for agent in engaged:
            self._release(agent, unique_id)
        self._serve()

    def restart(self) -> None:
        """Asterisk was killed: members are kept (persistentmembers), calls are gone."""
        self.callers.clear()
        self._departed.clear()
        for agent in self.agents.values():
            if agent.timer is not None and agent.timer.active():
                agent.timer.cancel()
            agent.rings, agent.talks, agent.private = "", "", False

    # Inside

    def _everybody(self) -> list[FakeAgent]:
        return [*self.agents.values(), *self._departed]

    def _unserved(self) -> list[str]:
        """Callers for whom nobody rings, in their order."""
        rung = {agent.rings for agent in self._everybody()}
        return [caller for caller in self.callers if caller not in rung]

    def _release(self, agent: FakeAgent, unique_id: str, reason: str = "caller") -> None:
        if agent.timer is not None and agent.timer.active():
            agent.timer.cancel()
        talked, agent.rings, agent.talks = bool(agent.talks), "", ""
        if talked:
            agent.last_call = int(self._pbx.clock.seconds())
            self._say("AgentComplete", unique_id, *self._of(agent), f"Reason: {reason}")
        self._status(agent)

    def _serve(self) -> None:
        waiting = self._unserved()
        for caller, agent in zip(waiting, self.free, strict=False):
            agent.rings = caller
            self._say("AgentCalled", caller, *self._of(agent))
            self._status(agent)
            agent.timer = self._pbx.clock.callLater(agent.ring_s, self._answer, agent)
        if waiting and self.wrap_up_s:
            self._pbx.clock.callLater(1, self._serve)  # retry

    def _answer(self, agent: FakeAgent) -> None:
        caller, agent.rings = agent.rings, ""
        agent.talks = caller
        del self.callers[caller]
        self._say("QueueCallerLeave", caller)
        self._say("AgentConnect", caller, *self._of(agent), "HoldTime: 0", "RingTime: 0")
        self._status(agent)

    def _status(self, agent: FakeAgent) -> None:
        """A device is told of in every queue that it is a member of."""
        for queue in self._pbx.queues.values():
            if not agent.silent and queue.agents.get(agent.interface) is agent:
                queue._member("QueueMemberStatus", agent)

    def _member(self, event: str, agent: FakeAgent) -> None:
        lines = [f"Event: {event}", "Privilege: agent,all", f"Queue: {self.name}", *self._of(agent), *_described(agent)]
        self._pbx.say(["\n".join(lines) + "\n\n"])

    def _say(self, event: str, unique_id: str, *lines: str) -> None:
        head = [f"Event: {event}", "Privilege: agent,all", f"Uniqueid: {unique_id}", f"Queue: {self.name}"]
        self._pbx.say(["\n".join([*head, *lines]) + "\n\n"])

    @staticmethod
    def _of(agent: FakeAgent) -> list[str]:
        return [f"MemberName: {agent.name}", f"Interface: {agent.interface}"]

    def has(self, unique_id: str) -> bool:
        """Whether this caller waits here or talks to an agent of it."""
        return unique_id in self.callers or any(unique_id == agent.talks for agent in self._everybody())

    def channels(self) -> list[list[str]]:
        """The channels by which agents are called, for CoreShowChannels."""
        return [
            [
                "Event: CoreShowChannel",
                f"Channel: {agent.interface.removesuffix('/n')}-{serial:08x};1",
                f"ChannelState: {6 if agent.talks else 5}",
                f"Uniqueid: agent-{serial}",
                f"Linkedid: {agent.talks or agent.rings}",
                "Application: AppQueue",
                "ApplicationData: (Outgoing Line)",
            ]
            for serial, agent in enumerate(self._everybody())
            if agent.talks or agent.rings
        ]

    def listed(self) -> list[list[str]]:
        """Its part of the answer to QueueStatus."""
        now = self._pbx.clock.seconds()
        params = ["Event: QueueParams", f"Queue: {self.name}", "Strategy: rrmemory", f"Calls: {len(self.callers)}"]
        head = f"Queue: {self.name}"
        members = [
            ["Event: QueueMember", head, f"Name: {agent.name}", f"Location: {agent.interface}", *_described(agent)]
            for agent in self.agents.values()
        ]
        entries = [
            ["Event: QueueEntry", head, f"Uniqueid: {who}", "CallerIDNum: unknown", f"Wait: {int(now - since)}"]
            for who, since in self.callers.items()
        ]
        return [params, *members, *entries]


def _described(agent: FakeAgent) -> list[str]:
    return [
        f"StateInterface: {f'Custom:{agent.name}' if agent.silent else agent.interface}",
        f"LastCall: {agent.last_call}",
        f"InCall: {int(bool(agent.talks))}",
        f"Status: {agent.status}",
        f"Paused: {int(agent.paused)}",
        "Wrapuptime: 0",
    ]
