"""The driver of a PBX over AMI.

Rules of the place:
- The listener hears events in the order in which their bytes came, never from inside a method of the driver: what a
  method itself has to tell (Sent, NotSent) waits for the reactor's next turn, but goes before anything that came later.
- Nothing is told before LinkUp: events that came during the log-in follow it.
- The survey takes its place in that order. What the listener heard before it fired is not newer than it; what it hears
  afterwards may be a moment older, which is what double and late events are. It tells nothing about calls that were
  placed after it was asked for. Where a call is in both lists it lives: the note was left by its other half.
- The hot path is ``AMISession.dataReceived`` -> ``_heard`` -> ``events_of`` -> listener; keep it short.
"""

import logging
from collections import deque
from typing import Any

from twisted.internet.defer import Deferred, fail

from wombat_ari.model.calls import OriginateRequest
from wombat_ari.model.entities import Server
from wombat_ari.model.errors import PbxError, UserError
from wombat_ari.model.events import (
    CallEvent,
    FoundGone,
    FoundLive,
    LinkDown,
    LinkUp,
    NotSent,
    PbxEvent,
    PbxShutdown,
    Sent,
    Survey,
    Trace,
    TraceFound,
)
from wombat_ari.model.ids import channel_id
from wombat_ari.model.queues import AnyQueueEvent
from wombat_ari.pbx.ami import AMICommandFailure, AMIProtocol
from wombat_ari.pbx.ami_queues import AmiQueues
from wombat_ari.pbx.driver import Ear, Heard, Listener
from wombat_ari.pbx.link import AmiLink, Greeting, LinkSettings
from wombat_ari.pbx.reach import the_reactor
from wombat_ari.wire.ami import Message, encode_originate
from wombat_ari.wire.ami_events import CALL_EVENTS, events_of
from wombat_ari.wire.notes import (
    FAMILY,
    agents_of,
    key_of,
    live_of,
    trace_of,
    traces_of_cli,
    traces_of_tree,
    tree_of,
)

log = logging.getLogger(__name__)

FORGET_AT_ONCE = 10  #: notes being deleted at the same time


class AmiDriver:
    """One PBX over AMI; see ``pbx/driver`` for what its methods promise."""

    def __init__(
        self,
        server: Server,
        *,
        clock: Any = None,
        endpoint: Any = None,
        settings: LinkSettings = LinkSettings(),  # noqa: B008 - frozen
    ) -> None:
        self.server_id = server.id or 0
        self.connected = False
        self.last_error = "not started"
        self.version = ""
        self._clock = clock or the_reactor()
        self._link = AmiLink(server, self, clock=self._clock, endpoint=endpoint, settings=settings)
        self._listener: Listener = _nobody
        self._ami: AMIProtocol | None = None
        self._ear: Ear | None = None
        self._greeting = Greeting("", 0.0, frozenset())
        self._held: list[Message] | None = None  #: what came during the log-in
        self._soon: deque[CallEvent | PbxEvent] = deque()
        self._forget: deque[int] = deque()
        self._forgetting = 0
        self._queues = AmiQueues(self.server_id, self._clock, self._hear_queue)

    def start(self, listener: Listener) -> None:
        self._listener = listener
        self.last_error = "connecting"
        self._link.start()

    def stop(self) -> "Deferred[None]":
        return self._link.stop()

    # What the engine asks for

    def originate(self, request: OriginateRequest) -> None:
        if self._ami is None or not self._ami.connected:
            self._tell_soon(NotSent(request.call, f"no link to the PBX: {self.last_error}", again=True))
            return
        try:
            self._ami.sendBytes(encode_originate(request))
        except UserError as wrong:
            self._tell_soon(NotSent(request.call, str(wrong)))
        else:
            self._tell_soon(Sent(request.call))

    def hang_up(self, call: int, cause: int) -> None:
        if self._ami is not None:
            self._ami.hangup(channel_id(call), cause=cause).addErrback(self._not_hung_up, call)

    def limit_life(self, call: int, seconds: int) -> None:
        if self._ami is not None:
            done = self._ami.absoluteTimeout(channel_id(call), max(seconds, 1))
            done.addErrback(self._note, f"AbsoluteTimeout of call {call}")

    def ask_alive(self, call: int) -> None:
        if self._ami is not None:
            asked = Deferred.fromCoroutine(self._ask_alive(self._ami, call))
            asked.addCallbacks(self._tell, self._note, errbackArgs=(f"asking after call {call}",))

    def set_variable(self, channel: str, name: str, value: str) -> "Deferred[None]":
        if self._ami is None:
            return fail(PbxError(f"no link to the PBX: {self.last_error}"))
        try:
            return self._ami.setVar(channel, name, value=value).addCallback(lambda _: None)
        except UserError as wrong:
            return fail(wrong)

    def survey(self) -> "Deferred[Survey]":
        if self._ami is None:
            return fail(PbxError(f"no link to the PBX: {self.last_error}"))
        return Deferred.fromCoroutine(self._survey(self._ami))

    def forget_traces(self, calls: list[int]) -> None:
        self._forget.extend(calls)
        self._forget_more()

    def sweep_traces(self, series: int) -> None:
        if self._ami is not None:
            # Nothing to delete is an error to Asterisk, and none to us.
            self._ami.dbDelTree(FAMILY, tree_of(series)).addErrback(lambda failure: failure.trap(PbxError))

    def queue_log(self, queue: str, event: str, *, unique_id: str, interface: str, message: str) -> None:
        if self._ami is not None:
            headers = {"uniqueid": unique_id, "interface": interface, "message": message}
            self._ami.queueLog(queue, event, headers=headers).addErrback(self._note, "writing to queue_log")

    def overhear(self, ear: Ear | None) -> None:
        self._ear = ear
        if self._ami is not None:
            self._ami.ear = ear

    def list_queues(self) -> "Deferred[None]":
        if self._ami is None:
            return fail(PbxError(f"no link to the PBX: {self.last_error}"))
        return Deferred.fromCoroutine(self._queues.list(self._ami))

    # Answers

    def _not_hung_up(self, failure: Any, call: int) -> None:
        if _is_gone(failure.value):
            self._tell(FoundGone(call))
        else:
            self._note(failure, f"hanging up call {call}")

    def _note(self, failure: Any, what: str) -> None:
        failure.trap(PbxError)
        log.warning("server %s: %s: %s", self.server_id, what, failure.value)

    async def _ask_alive(self, ami: AMIProtocol, call: int) -> CallEvent:
        try:
            found = live_of(await ami.status(channel_id(call)))
        except AMICommandFailure as refusal:
            if not _is_gone(refusal):
                raise
            found = ()
        for live in found:
            if live.wombatid == call:
                return FoundLive(call, live.channel, live.up, live.seconds, live.bridged)
        trace = await self._trace(ami, call)
        if trace is None:
            return FoundGone(call)
        return TraceFound(call, trace.answered, trace.cause, trace.dial_status, trace.ended_at, trace.talk_ms)

    async def _trace(self, ami: AMIProtocol, call: int) -> Trace | None:
        try:
            return trace_of(channel_id(call), await ami.dbGet(FAMILY, key_of(call)))
        except AMICommandFailure:
            return None

    async def _survey(self, ami: AMIProtocol) -> Survey:
        channels = await ami.coreShowChannels()
        live = live_of(channels)
        living = {channel.wombatid for channel in live}
        # The notes after the list: a call that ends in between is then in one of the two.
        traces = await self._traces(ami)
        ended = {call: note for call, note in traces.items() if call not in living}
        return Survey(self.server_id, self._greeting.booted_at, live, ended, agents_of(channels))

    async def _traces(self, ami: AMIProtocol) -> dict[int, Trace]:
        try:
            if "DBGetTree" in self._greeting.commands:
                return traces_of_tree(await ami.dbGetTree(FAMILY))
            return traces_of_cli(await ami.command(f"database show {FAMILY}"))
        except AMICommandFailure as none:
            log.info("server %s: no notes: %s", self.server_id, none)
            return {}

    def _forget_more(self) -> None:
        while self._ami is not None and self._forget and self._forgetting < FORGET_AT_ONCE:
            self._forgetting += 1
            self._ami.dbDel(FAMILY, key_of(self._forget.popleft())).addBoth(self._forgotten)

    def _forgotten(self, _: object) -> None:
        # A note that is not there is as good as deleted; one that stays is found by the next survey.
        self._forgetting -= 1
        self._forget_more()

    # What the link tells

    def link_made(self, ami: AMIProtocol) -> None:
        self._held = []
        ami.ear = self._ear
        ami.registerAnswers(self._heard)
        for name in CALL_EVENTS:
            ami.registerEvent(name, self._heard)
        ami.registerEvent("Shutdown", self._shut_down)
        self._queues.register(ami)

    def link_up(self, ami: AMIProtocol, greeting: Greeting) -> None:
        self._ami = ami
        self._greeting = greeting
        self.version = greeting.version
        self.connected = True
        self.last_error = ""
        self._tell(LinkUp(self.server_id, greeting.version, greeting.booted_at))
        held, self._held = self._held or [], None
        for message in held:
            self._heard(ami, message)

    def link_down(self, reason: str) -> None:
        self._ami = None
        self._held = None
        self._forget.clear()
        self.connected = False
        self.last_error = reason
        self._tell(LinkDown(self.server_id, reason))

    # What the PBX tells

    def _heard(self, _: AMIProtocol, message: Message) -> None:
        if self._held is not None:
            self._held.append(message)
            return
        if self._soon:
            self._tell_waiting()
        for event in events_of(message):
            self._listen(event)

    def _hear_queue(self, event: AnyQueueEvent) -> None:
        if self.connected:  # before LinkUp nothing is told, and after it the queues are listed
            self._tell_waiting()
            self._listen(event)

    def _shut_down(self, _: AMIProtocol, message: Message) -> None:
        self._tell(PbxShutdown(self.server_id))

    def _tell(self, event: CallEvent | PbxEvent) -> None:
        self._soon.append(event)
        self._tell_waiting()

    def _tell_soon(self, event: CallEvent | PbxEvent) -> None:
        if not self._soon:
            self._clock.callLater(0, self._tell_waiting)
        self._soon.append(event)

    def _tell_waiting(self) -> None:
        while self._soon:
            self._listen(self._soon.popleft())

    def _listen(self, event: Heard) -> None:
        try:
            self._listener(event)
        except Exception:  # the fence: one event
            log.exception("the listener failed on %r", event)


def _is_gone(trouble: BaseException) -> bool:
    return isinstance(trouble, AMICommandFailure) and "no such channel" in str(trouble).lower()


def _nobody(event: Heard) -> None:
    log.warning("nobody listens to %r", event)
