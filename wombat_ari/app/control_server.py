"""The dialer's side of the control socket, which only its owner may open. Each command goes to ``engine/obey``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet import defer
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.protocols import amp
from twisted.python.failure import Failure

from wombat_ari.app.control_commands import (
    PART,
    AddCall,
    AddCalls,
    AddList,
    AppendAttribute,
    Boost,
    CallInfo,
    ClearAttribute,
    DialReserved,
    EventsSince,
    HangUp,
    LiveCalls,
    NumbersCame,
    OrderLists,
    Overhear,
    PauseList,
    PauseRun,
    Reload,
    RemoveRun,
    Reserve,
    ResumeRun,
    RetryErrands,
    RunLists,
    SetAttribute,
    SetStatus,
    SkipReserved,
    Snapshot,
    StartRun,
)
from wombat_ari.engine.append import CallAsked
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.live import CallsWanted

if TYPE_CHECKING:
    from wombat_ari.engine.obey import Obey

log = Logger()
Line = SystemLogEntry | None


class ControlServer(amp.AMP):
    """One connection to the dialer."""

    def __init__(self, obey: Obey) -> None:
        super().__init__()
        self._obey = obey
        self._said = b""

    def locateResponder(self, name: bytes) -> Any:
        responder = super().locateResponder(name)
        return responder and (lambda box: responder(box).addErrback(_with_code))

    @StartRun.responder
    def start_run(self, campaign: str, by: str) -> defer.Deferred[dict[str, str]]:
        return _answer(self._obey.start_run(campaign, by))

    @PauseRun.responder
    def pause_run(self, campaign: str, by: str) -> defer.Deferred[dict[str, str]]:
        return _answer(self._obey.pause_run(campaign, by))

    @ResumeRun.responder
    def resume_run(self, campaign: str, by: str) -> defer.Deferred[dict[str, str]]:
        return _answer(self._obey.resume_run(campaign, by))

    @RemoveRun.responder
    def remove_run(self, campaign: str, by: str) -> defer.Deferred[dict[str, str]]:
        return _answer(self._obey.remove_run(campaign, by))

    @Reload.responder
    def reload(self, campaign: str) -> defer.Deferred[dict[str, str]]:
        return _answer(self._obey.reload(campaign))

    @Boost.responder
    def boost(self, campaign: str, factor: float) -> defer.Deferred[dict[str, str]]:
        return _answer(self._obey.boost(campaign, factor))

    @RunLists.responder
    def run_lists(self, campaign: str) -> defer.Deferred[dict[str, str]]:
        return _answer(self._obey.run_lists(campaign), "lists")

    @AddList.responder
    def add_list(self, campaign: str, name: str) -> defer.Deferred[dict[str, str]]:
        return _answer(self._obey.add_list(campaign, name), "lists")

    @PauseList.responder
    def pause_list(self, campaign: str, name: str, paused: bool) -> defer.Deferred[dict[str, str]]:
        return _answer(self._obey.pause_list(campaign, name, paused=paused), "lists")

    @OrderLists.responder
    def order_lists(self, campaign: str, names: list[str]) -> defer.Deferred[dict[str, str]]:
        return _answer(self._obey.order_lists(campaign, names), "lists")

    @HangUp.responder
    def hang_up(self, wombatid: int, line: Line = None) -> dict[str, Any]:
        self._obey.hang_up(wombatid)
        self._obey.note(line)
        return {}

    @Reserve.responder
    def reserve(self, agent: str, line: Line = None) -> dict[str, str]:
        return {"call": json.dumps(self._obey.reserve(agent, line))}

    @DialReserved.responder
    def dial_reserved(self, wombatid: int, line: Line = None) -> dict[str, Any]:
        self._obey.dial_reserved(wombatid, line)
        return {}

    @SkipReserved.responder
    def skip_reserved(self, wombatid: int, code: str, line: Line = None) -> dict[str, Any]:
        self._obey.skip_reserved(wombatid, code, line)
        return {}

    @RetryErrands.responder
    def retry_errands(self, receiver: str) -> dict[str, Any]:
        self._obey.retry_errands(receiver)
        return {}

    @AddCall.responder
    def add_call(self, campaign: str, number: str, attributes: str, due: float | None = None) -> defer.Deferred[Any]:
        adding = self._obey.add_call(campaign, number, _texts(attributes), due)
        return defer.Deferred.fromCoroutine(adding).addCallback(lambda wombatid: {"wombatid": wombatid})

    @AddCalls.responder
    def add_calls(self, calls: bytes) -> defer.Deferred[dict[str, bytes]]:
        asked = [CallAsked(*each) for each in json.loads(calls)]
        adding = defer.Deferred.fromCoroutine(self._obey.add_calls(asked))
        return adding.addCallback(lambda answers: {"answers": json.dumps([_told(each) for each in answers]).encode()})

    @NumbersCame.responder
    def numbers_came(self, name: str) -> dict[str, Any]:
        self._obey.numbers_came(name)
        return {}

    @SetStatus.responder
    def set_status(self, wombatid: int, code: str, line: Line = None) -> dict[str, Any]:
        self._obey.set_status(wombatid, code)
        self._obey.note(line)
        return {}

    @SetAttribute.responder
    def set_attribute(self, wombatid: int, name: str, value: str, line: Line = None) -> dict[str, Any]:
        self._obey.set_attribute(wombatid, name, value)
        self._obey.note(line)
        return {}

    @AppendAttribute.responder
    def append_attribute(self, wombatid: int, name: str, value: str, line: Line = None) -> dict[str, Any]:
        self._obey.append_attribute(wombatid, name, value)
        self._obey.note(line)
        return {}

    @ClearAttribute.responder
    def clear_attribute(self, wombatid: int, name: str, line: Line = None) -> dict[str, Any]:
        self._obey.clear_attribute(wombatid, name)
        self._obey.note(line)
        return {}

    @CallInfo.responder
    def call_info(self, wombatid: int) -> defer.Deferred[dict[str, str]]:
        return _answer(self._obey.call_info(wombatid), "call")

    @EventsSince.responder
    def events_since(self, after: int) -> defer.Deferred[dict[str, bytes]]:
        found = defer.Deferred.fromCoroutine(self._obey.events_since(after))
        return found.addCallback(lambda told: {"data": json.dumps(told, separators=(",", ":")).encode()})

    @Snapshot.responder
    def snapshot(self, part: int, calls: bool) -> dict[str, Any]:
        return self._in_parts(part, lambda: self._obey.snapshot(calls=calls))

    @LiveCalls.responder
    def live_calls(self, part: int, wanted: bytes) -> dict[str, Any]:
        return self._in_parts(part, lambda: self._obey.live_calls(CallsWanted.heard(json.loads(wanted))))

    @Overhear.responder
    def overhear(self, part: int, server: int, after: int, begin: bool) -> dict[str, Any]:
        return self._in_parts(part, lambda: self._obey.overhear(server, after=after, begin=begin))

    def _in_parts(self, part: int, make: Callable[[], Any]) -> dict[str, Any]:
        """Part 0 makes it anew; who asks on one connection asks for one after the other."""
        if part == 0:
            self._said = json.dumps(make(), separators=(",", ":")).encode()
        parts = -(-len(self._said) // PART)
        return {"data": self._said[part * PART : (part + 1) * PART], "parts": parts}


class ControlFactory(Factory):
    """Serves the control socket."""

    noisy = False

    def __init__(self, obey: Obey) -> None:
        self._obey = obey

    def buildProtocol(self, addr: object) -> ControlServer:
        return ControlServer(self._obey)


def _answer(coroutine: Any, key: str = "run") -> defer.Deferred[dict[str, str]]:
    return defer.Deferred.fromCoroutine(coroutine).addCallback(lambda value: {key: json.dumps(value)})


def _with_code(failure: Failure) -> Failure:
    """AMP says an error's text; of a refusal its code is said before it."""
    told = failure.value
    refusal = told.local.value if isinstance(told, amp.RemoteAmpError) and told.local is not None else None
    if isinstance(refusal, UserError):
        return Failure(amp.RemoteAmpError(told.errorCode, f"{refusal.code}: {refusal}"))
    return failure


def _told(answer: int | Exception) -> int | list[str]:
    """A refusal as code and text; what is no refusal is a mistake of ours, and this one's answer only."""
    if isinstance(answer, UserError):
        return [answer.code, str(answer)]
    if isinstance(answer, StoreError):
        return ["dialer-store", str(answer)]
    if isinstance(answer, Exception):
        log.failure("adding a call: a mistake of ours", failure=Failure(answer))
        return ["dialer-failed", "the dialer could not do that: see its log"]
    return answer


def _texts(attributes: str) -> dict[str, str]:
    found = json.loads(attributes)
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise UserError("attributes: they must be an object of texts")
    return found
