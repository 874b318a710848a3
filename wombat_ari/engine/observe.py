"""Around it: the queues behind QUEUE end points. What is observed becomes room for calls, at once.

A PBX is listed after each connection and every minute; between, its events are applied as they come. Our own calls are
counted until they join the queue, then the queue counts them: nobody is counted twice (spec 03).
"""

from collections import Counter
from collections.abc import Callable
from math import inf

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from wombat_ari.core.assignments import Agent, Assignments
from wombat_ari.core.lines import Lines
from wombat_ari.core.pacing import QueueLoad, blocked_by_waiting, free_channels
from wombat_ari.core.queue import Queues
from wombat_ari.core.sharing import Need, partners, spare_agents
from wombat_ari.engine.board import Board, Clock, Flight, Pbx
from wombat_ari.engine.follow import Follow
from wombat_ari.engine.rouse import Rouse, is_queue_of
from wombat_ari.model import events as ev
from wombat_ari.model.entities import EndPoint
from wombat_ari.model.errors import PbxError
from wombat_ari.model.ids import channel_id, wombatid_of
from wombat_ari.model.queues import (
    AgentEndedCall,
    AgentState,
    AgentTookCall,
    AnyQueueEvent,
    Caller,
    CallerJoined,
    DeviceState,
    Member,
    QueueEvent,
    QueuesListed,
)
from wombat_ari.model.states import EndPointType

RESYNC_S = 60.0
AGAIN_S = 5.0  #: after a list that failed
NOT_COMING_S = 5.0  #: reverse: a phone that nobody answers, or that is not there, must not eat a list

log = Logger()


class Observe:
    """``room`` is what the scheduler asks; ``kick`` is called when more may have become possible."""

    def __init__(self, board: Board, clock: Clock, follow: Follow, kick: Callable[[], None]) -> None:
        self._board = board
        self._clock = clock
        self._follow = follow
        self._kick = kick
        self._queues: dict[int, Queues] = {}
        self._joined: dict[int, set[int]] = {}  #: end point -> our calls that have joined its queue
        self._given = Assignments()
        self._listed_at: dict[int, float] = {}
        self._shared: dict[int, tuple[int, dict[int, tuple[int, ...]]]] = {}  #: by server: end points that share agents
        self._counted: dict[
            int, tuple[int, float, int, int]
        ] = {}  #: end point -> (changed, valid until, available, waiting)
        self.rouse = Rouse(board, clock, self._partners)

    # From the PBX

    def link_up(self, pbx: Pbx) -> None:
        """List its queues, if any end point is one. What an earlier link told is not known any more: one that was
        given up for another address has not told its end.
        """
        self.queues(pbx.id).forget()
        if self._has_queues(pbx.id):
            self._list(pbx)

    def link_down(self, pbx: Pbx) -> None:
        """Nothing is known of its queues: nothing is placed for them until they are listed again."""
        self.queues(pbx.id).forget()
        self._listed_at.pop(pbx.id, None)

    def heard(self, pbx: Pbx, event: AnyQueueEvent) -> None:
        self.queues(pbx.id).handle(event)
        if isinstance(event, CallerJoined):
            self._has_joined(event.caller.call, event.queue)
        elif isinstance(event, QueuesListed):
            for queue in event.queues:
                for caller in queue.callers:
                    self._has_joined(caller.call, queue.name)
            self.rouse.all(pbx.id)
        elif isinstance(event, AgentTookCall) and event.call is not None and event.call in self._board.flights:
            self._follow.on_event(ev.AgentConnected(event.call, event.name))
        elif isinstance(event, AgentEndedCall) and event.reason == "agent":
            call = wombatid_of(event.unique_id)
            if call in self._board.flights:
                self._follow.on_event(ev.AgentHungUp(call))
        if isinstance(event, QueueEvent):
            self.rouse.queue(event.server, event.queue)
        self._kick()

    def surveyed(self, pbx: Pbx, survey: ev.Survey) -> None:
        """What the channels tell and the list of queues does not: who talks to whom, and for whom an agent rings."""
        for live in survey.live:
            self._has_joined(live.wombatid, live.queue)
        for channel in survey.agents:
            name, call = self.queues(pbx.id).found(channel), wombatid_of(channel.caller)
            if name is not None and channel.up and call in self._board.flights:
                self._follow.on_event(ev.AgentConnected(call, name))
        self.rouse.all(pbx.id)

    def tick(self, pbx: Pbx) -> None:
        """Every second: list again when it is time."""
        listed = self._listed_at.get(pbx.id, float("-inf"))
        if pbx.ready and self._clock.seconds() - listed >= RESYNC_S and self._has_queues(pbx.id):
            self._list(pbx)

    # For the scheduler and the status page

    def queues(self, server_id: int) -> Queues:
        return self._queues.setdefault(server_id, Queues())

    def room(self, lines: Lines, boost: float = 1.0) -> int:
        """How many more calls may be placed for this end point now; ``boost`` is that of the run, on top of its own."""
        end_point = self._board.end_points[lines.key]
        if end_point.type != EndPointType.QUEUE:
            return lines.free
        if end_point.reverse:
            # Preview: its agents ask for their calls themselves.
            return 0 if end_point.manual_preview else min(self._reverse_room(end_point), lines.free)
        return free_channels(
            self.load(end_point),
            boost=end_point.boost_factor * boost,
            max_waiting=end_point.max_waiting,
            max_channels=lines.capacity,
            spare=self._spare(end_point, boost),
        )

    def assign(self, flight: Flight) -> None:
        """Reverse: give a call that was granted its agent, the one who has been idle longest."""
        assert flight.route is not None
        end_point = self._board.end_points[flight.route.end_point.key]
        if end_point.reverse:
            idle = self._idle(end_point)
            assert idle, "granted without an agent"
            self.give(flight, min(idle, key=lambda member: self._idle_since(end_point, member)))

    def give(self, flight: Flight, member: Member) -> None:
        """This agent gets this call, and no other until it has ended."""
        flight.call.assign(member.interface, member.name)
        self.taken_up(flight)

    def taken_up(self, flight: Flight) -> None:
        """The agent of this call has it, perhaps since before a restart."""
        assert flight.route is not None
        if flight.call.agent_interface:
            self._given.give((flight.route.server_id, flight.call.agent_interface), flight.call.wombatid)

    def agent(self, end_point: EndPoint, interface: str) -> Member | None:
        """The member of that interface, if they could take a call now. Who asks for one needs no rest."""
        willing = (AgentState.IDLE, AgentState.WRAP_UP)
        return next((member for member in self._agents(end_point, willing) if member.interface == interface), None)

    def _spare(self, end_point: EndPoint, boost: float) -> float | None:
        """Agents that the end points which share some with this one leave to it; None where none does."""
        others = self._partners(end_point)
        if not others:
            return None
        return spare_agents(self._need(end_point, boost), [self._need(other, 1.0) for other in others])

    def _need(self, end_point: EndPoint, boost: float) -> Need:
        load = self.load(end_point)
        idle = frozenset(member.interface for member in self._agents(end_point, (AgentState.IDLE,)))
        return Need(idle, load.waiting + load.on_the_way / (end_point.boost_factor * boost))

    def _partners(self, end_point: EndPoint) -> list[EndPoint]:
        """End points of queues that have agents in common with this one's, directly or through others."""
        queues, known = self.queues(end_point.server_id), self._shared.get(end_point.server_id)
        if known is None or known[0] != queues.membership:
            mine = [each for each in self._board.end_points.values() if is_queue_of(each, end_point.server_id)]
            found = partners({each.id or 0: queues.members(each.name) for each in mine})
            known = self._shared[end_point.server_id] = queues.membership, found
        every = (self._board.end_points.get(other) for other in known[1].get(end_point.id or 0, ()))
        return [other for other in every if other is not None]

    def _reverse_room(self, end_point: EndPoint) -> int:
        """One call for each idle agent; who waits in the queue is there first."""
        return max(0, len(self._idle(end_point)) - self._count(end_point)[1])

    def _idle(self, end_point: EndPoint) -> list[Member]:
        now = self._clock.seconds()
        idle = self._agents(end_point, (AgentState.IDLE,))
        return [member for member in idle if not self._given.rests(_agent(end_point, member), now)]

    def _agents(self, end_point: EndPoint, states: tuple[AgentState, ...]) -> list[Member]:
        """Those in one of these states who have no call of ours."""
        agents = self.queues(end_point.server_id).agents(
            end_point.name, self._clock.seconds(), wrap_up_s=end_point.wrap_up_s
        )
        return [
            member for member, state in agents if state in states and not self._given.busy(_agent(end_point, member))
        ]

    def _idle_since(self, end_point: EndPoint, member: Member) -> float:
        return max(member.last_call, self._given.last_ended(_agent(end_point, member)))

    def load(self, end_point: EndPoint) -> QueueLoad:
        """What is counted for a QUEUE end point now."""
        assert end_point.id is not None
        used = self._board.end_point_lines[end_point.id].used
        joined = len(self._joined.get(end_point.id, ()))
        available, waiting = self._count(end_point)
        return QueueLoad(available, waiting, on_the_way=max(0, used - joined), assigned=used)

    def view(self, end_point: EndPoint) -> dict[str, object]:
        """What the status page shows of a QUEUE end point (spec 06), in JSON types."""
        queues, now, load = self.queues(end_point.server_id), self._clock.seconds(), self.load(end_point)
        agents = queues.agents(end_point.name, now, wrap_up_s=end_point.wrap_up_s)
        states = Counter(str(state) for _, state in agents)
        return {
            "listed": queues.listed,
            "known": queues.known(end_point.name),
            "agents_total": len(agents),
            "idle": load.available,
            "overdialled": 0 if end_point.reverse else max(0, load.on_the_way - max(0, load.available - load.waiting)),
            "on_the_way": load.on_the_way,
            "joined": len(self._joined.get(end_point.id or 0, ())),
            "waiting": load.waiting,
            "blocked": blocked_by_waiting(load, end_point.max_waiting),
            "reported": dict(Counter(DeviceState(member.status).name for member, _ in agents)),
            "computed": dict(states),
            "callers": [self._caller(caller) for caller in queues.callers(end_point.name)],
            "agents": [
                {"name": member.name, "interface": member.interface, "state": str(state)} for member, state in agents
            ],
        }

    def _caller(self, caller: Caller) -> dict[str, object]:
        """Of one of ours the number that was dialled: their caller id is nobody's; and its run."""
        flight = self._board.flights.get(caller.call or 0)
        number, run = (flight.call.claim.number, flight.run.id) if flight is not None else (caller.number, None)
        return {"number": number, "call": caller.call, "run": run, "since": caller.since}

    def line_freed(self, flight: Flight) -> None:
        """The call has ended: it is neither on the way nor in the queue, and nobody talks to it."""
        route, wombatid = flight.route, flight.call.wombatid
        now, rest_s = self._clock.seconds(), self._rest_s(flight)
        self._given.end(wombatid, now, rest_s=rest_s)
        if route is not None and wombatid in self._joined.get(route.end_point.key, ()):
            self._joined[route.end_point.key].discard(wombatid)
            self.queues(route.server_id).gone(channel_id(wombatid), now)
        if route is not None:
            self.rouse.queue(route.server_id, route.end_point.name)
            if rest_s:
                self.rouse.at(now + rest_s, route.server_id, route.end_point.name)

    def _rest_s(self, flight: Flight) -> float:
        """Reverse: how long its agent gets no other call, which the queue does not know."""
        call, route = flight.call, flight.route
        if call.evidence.no_agent:
            return NOT_COMING_S
        if route is None or not (call.agent_interface and call.evidence.answered):
            return 0.0
        end_point = self._board.end_points[route.end_point.key]
        agents = self.queues(end_point.server_id).agents(end_point.name, self._clock.seconds())
        own = (member.wrap_up_s for member, _ in agents if member.interface == call.agent_interface)
        return next(own, 0.0) or end_point.wrap_up_s

    def _count(self, end_point: EndPoint) -> tuple[int, int]:
        """(available, waiting), counted anew when anything happened, or when a wrap-up has ended."""
        assert end_point.id is not None
        queues, now = self.queues(end_point.server_id), self._clock.seconds()
        known = self._counted.get(end_point.id)
        if known is not None and known[0] == queues.changed and now < known[1]:
            return known[2], known[3]
        available = queues.available(end_point.name, now, wrap_up_s=end_point.wrap_up_s)
        waiting = len(queues.waiting(end_point.name))
        until = queues.wraps_until(end_point.name, now, wrap_up_s=end_point.wrap_up_s)
        if until != inf and (known is None or known[1] != until):
            self.rouse.at(until, end_point.server_id, end_point.name)
        self._counted[end_point.id] = (queues.changed, until, available, waiting)
        return available, waiting

    def _has_joined(self, wombatid: int | None, queue: str) -> None:
        """One of our calls, if it is one, is in a queue. Only the queue of its end point counts it from now on."""
        flight = self._board.flights.get(wombatid or 0)
        if flight is None or flight.route is None or not flight.call.holds_line:
            return
        if flight.route.end_point.name == queue:
            self._joined.setdefault(flight.route.end_point.key, set()).add(flight.call.wombatid)
        if queue:
            self._follow.on_event(ev.EndPointSeen(flight.call.wombatid))

    def _has_queues(self, server_id: int) -> bool:
        return any(is_queue_of(end_point, server_id) for end_point in self._board.end_points.values())

    def _list(self, pbx: Pbx) -> None:
        self._listed_at[pbx.id] = self._clock.seconds()
        self._shared.pop(pbx.id, None)  # end points may have come
        done: Deferred[None] = pbx.driver.list_queues()
        done.addErrback(self._not_listed, pbx)

    def _not_listed(self, failure: Failure, pbx: Pbx) -> None:
        failure.trap(PbxError)
        self._listed_at[pbx.id] = self._clock.seconds() - RESYNC_S + AGAIN_S
        log.warn("PBX {name}: cannot list its queues: {why}", name=pbx.server.description, why=str(failure.value))


def _agent(end_point: EndPoint, member: Member) -> Agent:
    return end_point.server_id, member.interface
