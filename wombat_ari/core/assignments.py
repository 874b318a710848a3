"""Reverse dialling: which agent has which of our calls, and since when an agent had none.

A queue knows nothing of calls that do not go through it: whose phone is about to ring, when the last call ended. Agents
are known by server and interface, whatever queues they are in.
"""

from dataclasses import dataclass, field

Agent = tuple[int, str]  #: server, interface

NEVER = float("-inf")


@dataclass(slots=True)
class Assignments:
    """One agent has one call at most, from when it is given until its channel has ended, and a rest after it."""

    _calls: dict[Agent, int] = field(default_factory=dict)
    _agents: dict[int, Agent] = field(default_factory=dict)  #: the same, by call
    _ended: dict[Agent, float] = field(default_factory=dict)
    _rests: dict[Agent, float] = field(default_factory=dict)  #: until when

    def give(self, agent: Agent, call: int) -> None:
        self._agents.pop(self._calls.get(agent, 0), None)
        self._calls[agent], self._agents[call] = call, agent

    def end(self, call: int, now: float, *, rest_s: float = 0.0) -> None:
        """This call has ended: whoever had it has none, and none is to be given to them for ``rest_s``."""
        agent = self._agents.pop(call, None)
        if agent is not None:
            del self._calls[agent]
            self._ended[agent] = now
            self._rests[agent] = now + rest_s

    def busy(self, agent: Agent) -> bool:
        return agent in self._calls

    def rests(self, agent: Agent, now: float) -> bool:
        return now < self._rests.get(agent, NEVER)

    def last_ended(self, agent: Agent) -> float:
        """When their last call of ours ended, minus infinity if they had none."""
        return self._ended.get(agent, NEVER)
