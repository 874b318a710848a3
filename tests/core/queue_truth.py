"""A small PBX with two queues that knows the truth, and tells of each step what a real Asterisk would."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from wombat_ari.model.events import AgentChannel
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
    QueuesListed,
)

QUEUES, AGENTS = ("q1", "q2"), range(4)
NOW = 1000.0


@dataclass
class Agent:
    """``silent``: their device state is somebody's own doing and never changes."""

    serial: int
    silent: bool = False
    queues: dict[str, bool] = field(default_factory=dict)  #: queue -> paused
    rings: str = ""
    talks: str = ""
    private: bool = False

    @property
    def interface(self) -> str:
        return f"Local/{self.serial}@agents/n"

    @property
    def engaged(self) -> bool:
        return bool(self.rings or self.talks or self.private)

    @property
    def status(self) -> int:
        if self.silent or not self.engaged:
            return DeviceState.NOT_INUSE
        return DeviceState.RINGING if self.rings else DeviceState.INUSE

    def member(self, queue: str) -> Member:
        state = f"Custom:{self.serial}" if self.silent else self.interface
        paused, talks = self.queues[queue], bool(self.talks)
        return Member(
            self.interface, f"A{self.serial}", paused=paused, in_call=talks, status=self.status, state_interface=state
        )


class Truth:
    """What is really so. Each step answers the events that tell of it, in the order of a real Asterisk."""

    def __init__(self, chance: random.Random, *, calm: bool = False) -> None:
        self.chance = chance
        self.agents = [Agent(serial, silent=serial % 2 == 1) for serial in AGENTS]
        self.waiting: dict[str, str] = {}  #: caller -> queue
        self.callers = iter(f"c{n}" for n in range(100_000))
        steps = [self.join, self.ring, self.ring, self.refuse, self.answer, self.answer, self.end, self.give_up]
        self.steps = steps if calm else [*steps, self.log_on, self.log_off, self.pause, self.private, self.key]

    def step(self) -> list[AnyQueueEvent]:
        return self.chance.choice(self.steps)()

    # What is asked of it

    def available(self, queue: str) -> int:
        return sum(not agent.queues.get(queue, True) and not agent.engaged for agent in self.agents)

    def unserved(self, queue: str) -> set[str]:
        return {caller for caller, where in self.waiting.items() if where == queue} - {a.rings for a in self.agents}

    def listed(self) -> QueuesListed:
        contents = (
            QueueContents(
                queue,
                tuple(agent.member(queue) for agent in self.agents if queue in agent.queues),
                tuple(Caller(caller) for caller, where in self.waiting.items() if where == queue),
            )
            for queue in QUEUES
        )
        return QueuesListed(1, tuple(contents))

    def channels(self) -> list[AgentChannel]:
        """By which agents are called."""
        address = {agent.serial: agent.interface.removesuffix("/n") for agent in self.agents}
        rung = [AgentChannel(address[a.serial], a.rings, False) for a in self.agents if a.rings]
        return rung + [AgentChannel(address[a.serial], a.talks, True) for a in self.agents if a.talks]

    # Steps

    def log_on(self) -> list[AnyQueueEvent]:
        agent, queue = self.chance.choice(self.agents), self.chance.choice(QUEUES)
        if queue in agent.queues or agent.engaged:
            return []
        agent.queues[queue] = False
        return [MemberSeen(1, queue, agent.member(queue))]

    def log_off(self) -> list[AnyQueueEvent]:
        agent = self._one(lambda agent: bool(agent.queues) and not agent.rings)
        if agent is None:
            return []
        queue = self.chance.choice(sorted(agent.queues))
        del agent.queues[queue]
        return [MemberRemoved(1, queue, agent.interface)]

    def pause(self) -> list[AnyQueueEvent]:
        agent = self._one(lambda agent: bool(agent.queues))
        if agent is None:
            return []
        queue = self.chance.choice(sorted(agent.queues))
        agent.queues[queue] = not agent.queues[queue]
        return [MemberSeen(1, queue, agent.member(queue))]

    def private(self) -> list[AnyQueueEvent]:
        agent = self._one(lambda agent: not agent.silent and not agent.rings and not agent.talks)
        if agent is None:
            return []
        agent.private = not agent.private
        return self._seen(agent)

    def join(self, caller: str = "") -> list[AnyQueueEvent]:
        caller, queue = caller or next(self.callers), self.chance.choice(QUEUES)
        if len(self.waiting) >= 5:
            return []
        self.waiting[caller] = queue
        return [CallerJoined(1, queue, Caller(caller))]

    def ring(self) -> list[AnyQueueEvent]:
        for caller, queue in self.waiting.items():
            agent = self._one(lambda agent: not agent.queues.get(queue, True) and not agent.engaged)  # noqa: B023
            if agent is not None and caller in self.unserved(queue):
                agent.rings = caller
                return [AgentCalled(1, queue, agent.interface, caller), *self._seen(agent)]
        return []

    def refuse(self) -> list[AnyQueueEvent]:
        agent = self._one(lambda agent: bool(agent.rings))
        if agent is None:
            return []
        caller, agent.rings = agent.rings, ""
        return [AgentRangNoAnswer(1, self.waiting[caller], agent.interface, caller), *self._seen(agent)]

    def answer(self) -> list[AnyQueueEvent]:
        agent = self._one(lambda agent: bool(agent.rings))
        if agent is None:
            return []
        caller, agent.rings = agent.rings, ""
        queue, agent.talks = self.waiting.pop(caller), caller
        took = AgentTookCall(1, queue, agent.interface, "A", caller)
        return [CallerLeft(1, queue, caller), *self._mixed([took], self._seen(agent))]

    def end(self) -> list[AnyQueueEvent]:
        agent = self._one(lambda agent: bool(agent.talks))
        if agent is None:
            return []
        caller, agent.talks = agent.talks, ""
        queue = next(iter(agent.queues), QUEUES[0])
        ended = AgentEndedCall(1, queue, agent.interface, self.chance.choice([caller, ""]), at=NOW)
        return self._mixed([ended], self._seen(agent))

    def give_up(self) -> list[AnyQueueEvent]:
        if not self.waiting:
            return []
        caller = self.chance.choice(sorted(self.waiting))
        return [CallerAbandoned(1, self.waiting[caller], caller), *self._left(caller)]

    def key(self) -> list[AnyQueueEvent]:
        """The caller goes on in the dialplan: nothing tells it of a silent device, so those are not rung for them."""
        rung = {agent.rings for agent in self.agents if agent.silent}
        there = sorted(caller for caller in self.waiting if caller not in rung)
        return self._left(self.chance.choice(there)) if there else []

    def _left(self, caller: str) -> list[AnyQueueEvent]:
        left: list[AnyQueueEvent] = [CallerLeft(1, self.waiting.pop(caller), caller)]
        free: list[AnyQueueEvent] = []
        for agent in self.agents:
            if agent.rings == caller:
                agent.rings = ""
                free += self._seen(agent)
        return self._mixed(left, free)

    def _seen(self, agent: Agent) -> list[AnyQueueEvent]:
        return [] if agent.silent else [MemberSeen(1, queue, agent.member(queue)) for queue in agent.queues]

    def _mixed(self, one: list[AnyQueueEvent], other: list[AnyQueueEvent]) -> list[AnyQueueEvent]:
        """What is told of calls is not ordered against what is told of members."""
        return [*one, *other] if self.chance.random() < 0.5 else [*other, *one]

    def _one(self, fits: Callable[[Agent], bool]) -> Agent | None:
        fitting = [agent for agent in self.agents if fits(agent)]
        return self.chance.choice(fitting) if fitting else None
