"""What one flow asks, done on its line and in its office; its time limits. On the reactor."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from wombat_ari.flows.line import CallerHungUp, FlowError, Line, Office, Recording, Spoken
from wombat_ari.model.errors import WombatError

log = logging.getLogger(__name__)

Say = Callable[[dict[str, Any]], None]
ON_LINE = ("answer", "play", "say", "digits", "record", "get_variable", "set_variable", "transfer", "hang_up")
IN_OFFICE = ("status", "attribute", "append", "clear", "speech", "add_call")


@dataclass(frozen=True, slots=True)
class Limits:
    """Of flows."""

    whole_s: float = 900.0  #: of a flow
    silence_s: float = 30.0  #: that it may go without asking anything
    at_once: int = 1000  #: flows; more are refused
    wake_s: float = 2.0  #: after its time is over one that blocks is interrupted
    stuck_s: float = 8.0  #: after its time is over one that is still there will not end


class Errands:
    """``ended`` fires once with how and reason, whatever the flow does. ``say`` reaches the flow's process."""

    def __init__(
        self, reactor: Any, number: int, *, line: Line, office: Office, say: Say, limits: Limits
    ) -> None:  # fmt: skip
        self._reactor = reactor
        self.number = number
        self._line = line
        self._office = office
        self._say = say
        self._limits = limits
        self._asked: set[Deferred[Any]] = set()
        self.ended: Deferred[tuple[str, str]] = Deferred()
        self.is_over = False
        self.is_stuck = False
        whole = f"it took longer than flows.limit, {limits.whole_s:g} s"
        self._whole = reactor.callLater(limits.whole_s, self._time_over, whole)
        self._silence: Any = None
        self._watch_silence()
        self._watching = Deferred.fromCoroutine(line.until_hung_up())
        self._watching.addCallbacks(lambda _: self._hung_up(), lambda failure: None)

    def ask(self, number: int, verb: str, given: dict[str, Any]) -> None:
        """One thing that the flow wants; it is answered when it is done."""
        if self.is_over and (verb in ON_LINE or verb == "status"):
            # Its ``finally`` runs: the caller is not its own any more, and the status says that it failed.
            gone = {"hung_up": True} if verb in ON_LINE else {"value": None}
            self._say({"do": "answer", "id": self.number, "ask": number, **gone})
            return
        self._stop(self._silence)
        doing = Deferred.fromCoroutine(self._do(verb, given))
        self._asked.add(doing)
        doing.addCallbacks(_told, _refused)
        doing.addCallback(self._answer, number, doing)

    def over(self, how: str, reason: str) -> None:
        """It has ended, or has to."""
        if self.is_over:
            return
        self.is_over = True
        self._stop(self._whole)
        self._stop(self._silence)
        self._watching.cancel()
        for doing in list(self._asked):
            doing.cancel()  # which answers it
        self.ended.callback((how, reason))

    async def _do(self, verb: str, given: dict[str, Any]) -> Any:
        if verb in ON_LINE:
            if self._line.hung_up:
                raise CallerHungUp
            if verb == "say":
                given["kind"] = Spoken(given["kind"])
            return await getattr(self._line, verb)(**given)
        if verb in IN_OFFICE:
            return await getattr(self._office, verb)(**given)
        raise FlowError(f"unknown: {verb[:40]!r}")

    def _answer(self, told: dict[str, Any], number: int, doing: "Deferred[Any]") -> None:
        self._asked.discard(doing)
        if not self.is_over:
            self._watch_silence()
        self._say({"do": "answer", "id": self.number, "ask": number, **told})

    def _hung_up(self) -> None:
        if not self.is_over:
            self._say({"do": "hung_up", "id": self.number})

    def _watch_silence(self) -> None:
        self._stop(self._silence)
        why = f"it asked nothing for flows.silence, {self._limits.silence_s:g} s"
        self._silence = self._reactor.callLater(self._limits.silence_s, self._time_over, why)

    def _time_over(self, why: str) -> None:
        self._say({"do": "end", "id": self.number})
        self._reactor.callLater(self._limits.wake_s, self._say, {"do": "wake", "id": self.number})
        self._reactor.callLater(self._limits.stuck_s, setattr, self, "is_stuck", True)
        self.over("failed", why)

    @staticmethod
    def _stop(timer: Any) -> None:
        if timer is not None and timer.active():
            timer.cancel()


def _told(value: Any) -> dict[str, Any]:
    return {"value": asdict(value) if isinstance(value, Recording) else value}


def _refused(failure: Failure) -> dict[str, Any]:
    wrong = failure.value
    if isinstance(wrong, CallerHungUp | CancelledError):
        return {"hung_up": True, "sound": getattr(wrong, "sound", "")}
    if isinstance(wrong, WombatError):
        return {"error": str(wrong), "code": wrong.code}
    log.error("flow: a mistake of ours: %s", failure.getTraceback())
    return {"error": f"a mistake of the dialer's: {wrong}", "code": "flow.mistake"}
