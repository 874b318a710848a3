"""The control socket between processes: Twisted AMP over a UNIX socket that only its owner may open.

Commands have typed arguments and answer when what they did is durable; a refusal is a ``UserError`` with its code and
text on the other side too (AMP's error description is ``code: text``). Snapshots are JSON, sent in parts since an AMP
value holds 64 KB at most.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from twisted.internet import defer
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.protocol import Factory
from twisted.protocols import amp
from twisted.python.failure import Failure

from wombat_ari.model.errors import StoreError, UserError

if TYPE_CHECKING:
    from wombat_ari.engine.obey import Obey

PART = 60_000  #: bytes of a snapshot in one answer
ANSWER_S = 30.0  #: a command that is not answered in this time has failed

Result = TypeVar("Result")


class _Command(amp.Command):
    errors = {UserError: b"USER", StoreError: b"STORE"}


class StartRun(_Command):
    """Start a run of a campaign."""

    arguments = [(b"campaign", amp.Unicode()), (b"by", amp.Unicode())]
    response = [(b"run", amp.Unicode())]


class PauseRun(StartRun):
    """No new calls; those in progress go on."""


class ResumeRun(StartRun):
    """Place calls again."""


class RemoveRun(StartRun):
    """End the run for good; calls in progress go on."""


class Reload(_Command):
    """Take the campaign of a live run as it is configured now."""

    arguments = [(b"campaign", amp.Unicode())]
    response = [(b"run", amp.Unicode())]


class Boost(_Command):
    """A factor on the boost of a live run's QUEUE end points."""

    arguments = [(b"campaign", amp.Unicode()), (b"factor", amp.Float())]
    response = [(b"run", amp.Unicode())]


class RunLists(_Command):
    """The lists of a live run and how far they are."""

    arguments = [(b"campaign", amp.Unicode())]
    response = [(b"lists", amp.Unicode())]


class AddList(_Command):
    """Append a list to a live run."""

    arguments = [(b"campaign", amp.Unicode()), (b"name", amp.Unicode())]
    response = [(b"lists", amp.Unicode())]


class PauseList(_Command):
    """Take nothing new from a list of a live run, or (``paused`` False) take again."""

    arguments = [(b"campaign", amp.Unicode()), (b"name", amp.Unicode()), (b"paused", amp.Boolean())]
    response = [(b"lists", amp.Unicode())]


class OrderLists(_Command):
    """All lists of a live run in their new order."""

    arguments = [(b"campaign", amp.Unicode()), (b"names", amp.ListOf(amp.Unicode()))]
    response = [(b"lists", amp.Unicode())]


class HangUp(_Command):
    """Hang up a live call."""

    arguments = [(b"wombatid", amp.Integer())]
    response: ClassVar[list[Any]] = []


class Reserve(_Command):
    """Preview: the next number for an agent, or the one they hold."""

    arguments = [(b"agent", amp.Unicode())]
    response = [(b"call", amp.Unicode())]


class DialReserved(HangUp):
    """Preview: call the agent, then the callee."""


class SkipReserved(_Command):
    """Preview: do not dial it; ``code`` is its extended status."""

    arguments = [(b"wombatid", amp.Integer()), (b"code", amp.Unicode())]
    response: ClassVar[list[Any]] = []


class RetryErrands(_Command):
    """Try a receiver that is held (an empty text: each) now, and see what was replayed."""

    arguments = [(b"receiver", amp.Unicode())]
    response: ClassVar[list[Any]] = []


class Snapshot(_Command):
    """A part of the picture of now; part 0 makes it anew for this connection."""

    arguments = [(b"part", amp.Integer()), (b"calls", amp.Boolean())]
    response = [(b"data", amp.String()), (b"parts", amp.Integer())]


class ControlServer(amp.AMP):
    """One connection to the dialer."""

    def __init__(self, obey: Obey) -> None:
        super().__init__()
        self._obey = obey
        self._snapshot = b""

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
    def hang_up(self, wombatid: int) -> dict[str, Any]:
        self._obey.hang_up(wombatid)
        return {}

    @Reserve.responder
    def reserve(self, agent: str) -> dict[str, str]:
        return {"call": json.dumps(self._obey.reserve(agent))}

    @DialReserved.responder
    def dial_reserved(self, wombatid: int) -> dict[str, Any]:
        self._obey.dial_reserved(wombatid)
        return {}

    @SkipReserved.responder
    def skip_reserved(self, wombatid: int, code: str) -> dict[str, Any]:
        self._obey.skip_reserved(wombatid, code)
        return {}

    @RetryErrands.responder
    def retry_errands(self, receiver: str) -> dict[str, Any]:
        self._obey.retry_errands(receiver)
        return {}

    @Snapshot.responder
    def snapshot(self, part: int, calls: bool) -> dict[str, Any]:
        if part == 0:
            self._snapshot = json.dumps(self._obey.snapshot(calls=calls), separators=(",", ":")).encode()
        parts = -(-len(self._snapshot) // PART)
        return {"data": self._snapshot[part * PART : (part + 1) * PART], "parts": parts}


class ControlFactory(Factory):
    """Serves the control socket."""

    noisy = False

    def __init__(self, obey: Obey) -> None:
        self._obey = obey

    def buildProtocol(self, addr: object) -> ControlServer:
        return ControlServer(self._obey)


class ControlClient:
    """Asks the dialer. Connects when first asked, again after a loss. ``UserError`` when there is no dialer to ask."""

    def __init__(self, reactor: Any, socket: Path) -> None:
        self._reactor = reactor
        self._socket = socket
        self._connection: amp.AMP | None = None
        self._connecting = defer.DeferredLock()
        self._picturing = defer.DeferredLock()  # the dialer keeps one picture for each connection

    async def start_run(self, campaign: str, *, by: str) -> dict[str, Any]:
        return await self._run(StartRun, campaign, by)

    async def pause_run(self, campaign: str, *, by: str) -> dict[str, Any]:
        return await self._run(PauseRun, campaign, by)

    async def resume_run(self, campaign: str, *, by: str) -> dict[str, Any]:
        return await self._run(ResumeRun, campaign, by)

    async def remove_run(self, campaign: str, *, by: str) -> dict[str, Any]:
        return await self._run(RemoveRun, campaign, by)

    async def reload(self, campaign: str) -> dict[str, Any]:
        return json.loads((await self._ask(Reload, campaign=campaign))["run"])

    async def boost(self, campaign: str, factor: float) -> dict[str, Any]:
        return json.loads((await self._ask(Boost, campaign=campaign, factor=factor))["run"])

    async def run_lists(self, campaign: str) -> list[dict[str, Any]]:
        """The lists of a live run in their order (fields of ``model.calls.RunList``)."""
        return await self._lists(RunLists, campaign=campaign)

    async def add_list(self, campaign: str, name: str) -> list[dict[str, Any]]:
        return await self._lists(AddList, campaign=campaign, name=name)

    async def pause_list(self, campaign: str, name: str, *, paused: bool) -> list[dict[str, Any]]:
        return await self._lists(PauseList, campaign=campaign, name=name, paused=paused)

    async def order_lists(self, campaign: str, names: list[str]) -> list[dict[str, Any]]:
        return await self._lists(OrderLists, campaign=campaign, names=names)

    async def hang_up(self, wombatid: int) -> None:
        await self._ask(HangUp, wombatid=wombatid)

    async def reserve(self, agent: str) -> dict[str, Any]:
        """Preview: ``id``, ``number`` and ``attributes`` of the number reserved for an agent."""
        return json.loads((await self._ask(Reserve, agent=agent))["call"])

    async def dial_reserved(self, wombatid: int) -> None:
        await self._ask(DialReserved, wombatid=wombatid)

    async def skip_reserved(self, wombatid: int, code: str = "") -> None:
        await self._ask(SkipReserved, wombatid=wombatid, code=code)

    async def retry_errands(self, receiver: str = "") -> None:
        await self._ask(RetryErrands, receiver=receiver)

    async def snapshot(self, *, calls: bool = True) -> dict[str, Any]:
        """The picture of now (see ``engine/publish``)."""
        await self._picturing.acquire()
        try:
            answer = await self._ask(Snapshot, part=0, calls=calls)
            data = [answer["data"]]
            for part in range(1, answer["parts"]):
                data.append((await self._ask(Snapshot, part=part, calls=calls))["data"])
        finally:
            self._picturing.release()
        return json.loads(b"".join(data))

    def close(self) -> None:
        if self._connection is not None and self._connection.transport is not None:
            self._connection.transport.loseConnection()

    async def _lists(self, command: type[amp.Command], **arguments: Any) -> list[dict[str, Any]]:
        return json.loads((await self._ask(command, **arguments))["lists"])

    async def _run(self, command: type[StartRun], campaign: str, by: str) -> dict[str, Any]:
        return json.loads((await self._ask(command, campaign=campaign, by=by))["run"])

    async def _ask(self, command: type[amp.Command], **arguments: Any) -> dict[str, Any]:
        connection = await self._connected()
        try:
            return await _within(connection.callRemote(command, **arguments), self._reactor)
        except (amp.UnhandledCommand, amp.UnknownRemoteError):
            self._connection = None  # AMP closes it after an error that it does not know
            raise UserError("the dialer could not do that: see its log", code="dialer-failed") from None
        except UserError as refusal:
            code, _, text = str(refusal).partition(": ")
            raise UserError(text, code=code) from None
        except StoreError as error:
            raise UserError(str(error), code="dialer-store") from None
        except defer.TimeoutError:
            raise UserError(f"the dialer did not answer within {ANSWER_S:g} s", code="dialer-down") from None
        except Exception as error:  # noqa: BLE001 - fence: whatever a lost connection raises means one thing here
            self._connection = None
            raise UserError(f"the dialer went away: {error}", code="dialer-down") from None

    async def _connected(self) -> amp.AMP:
        await self._connecting.acquire()
        try:
            if self._connection is None or self._connection.transport is None:  # AMP's, once it is lost
                self._connection = await self._connect()
            return self._connection
        finally:
            self._connecting.release()

    async def _connect(self) -> amp.AMP:
        endpoint = UNIXClientEndpoint(self._reactor, str(self._socket), timeout=5)
        try:
            connection: amp.AMP = await connectProtocol(endpoint, amp.AMP())
        except Exception:  # noqa: BLE001 - fence: no socket, refused, timed out: there is no dialer
            raise UserError(
                f"the dialer is not running (nothing answers at {self._socket}); start it with: wombat-ari serve",
                code="dialer-down",
            ) from None
        return connection


def _answer(coroutine: Any, key: str = "run") -> defer.Deferred[dict[str, str]]:
    return defer.Deferred.fromCoroutine(coroutine).addCallback(lambda value: {key: json.dumps(value)})


def _with_code(failure: Failure) -> Failure:
    """AMP says an error's text; of a refusal its code is said before it."""
    told = failure.value
    refusal = told.local.value if isinstance(told, amp.RemoteAmpError) and told.local is not None else None
    if isinstance(refusal, UserError):
        return Failure(amp.RemoteAmpError(told.errorCode, f"{refusal.code}: {refusal}"))
    return failure


def _within(answer: defer.Deferred[Result], reactor: Any) -> defer.Deferred[Result]:
    return answer.addTimeout(ANSWER_S, reactor)
