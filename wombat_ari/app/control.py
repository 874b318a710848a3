"""The control socket, asked: a client for the console, the commands and whoever else wants something of the dialer.

What may be asked is in ``control_commands``. A refusal is raised here as the ``UserError`` that it was over there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet import defer
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.protocols import amp

from wombat_ari.app.adding import Adding
from wombat_ari.app.control_commands import (
    MOST,
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
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.live import CallsWanted

ANSWER_S = 30.0  #: a command that is not answered in this time has failed

Result = TypeVar("Result")
Line = SystemLogEntry | None


class Unanswered(UserError):
    """The dialer was asked and did not answer: whether it was done is not known."""

    code = "dialer-down"


class ControlClient:
    """Asks the dialer. Connects when first asked, again after a loss. ``UserError`` when there is no dialer to ask."""

    def __init__(self, reactor: Any, socket: Path) -> None:
        self._reactor = reactor
        self._socket = socket
        self._connection: amp.AMP | None = None
        self._connecting = defer.DeferredLock()
        self._adding = Adding(reactor, self._add_calls)
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

    async def hang_up(self, wombatid: int, *, line: Line = None) -> None:
        await self._ask(HangUp, wombatid=wombatid, line=line)

    async def reserve(self, agent: str, *, line: Line = None) -> dict[str, Any]:
        """Preview: ``id``, ``number`` and ``attributes`` of the number reserved for an agent. ``line``, here and below:
        what the system log says of it, once it is done."""
        return json.loads((await self._ask(Reserve, agent=agent, line=line))["call"])

    async def dial_reserved(self, wombatid: int, *, line: Line = None) -> None:
        await self._ask(DialReserved, wombatid=wombatid, line=line)

    async def skip_reserved(self, wombatid: int, code: str = "", *, line: Line = None) -> None:
        await self._ask(SkipReserved, wombatid=wombatid, code=code, line=line)

    async def retry_errands(self, receiver: str = "") -> None:
        await self._ask(RetryErrands, receiver=receiver)

    async def add_call(
        self, campaign: str, number: str, *, attributes: Mapping[str, str] | None = None, due: float | None = None,
        by: str = "", origin: str = "",
    ) -> int:  # fmt: skip
        """The WOMBATID of a call added to the live run of a campaign; durable. ``due``: not before (epoch seconds).

        ``by`` and ``origin``: who asks, and from where, for the system log.
        """
        return await self.adding(campaign, number, attributes=attributes or {}, due=due, by=by, origin=origin)

    def adding(
        self, campaign: str, number: str, *, attributes: Mapping[str, str], due: float | None, by: str, origin: str
    ) -> defer.Deferred[int]:
        """The same for who asks in thousands."""
        return self._adding.add(campaign, number, attributes=attributes, due=due, by=by, origin=origin)

    async def numbers_came(self, name: str) -> None:
        """Records were appended to this list: runs that have it look at once."""
        await self._ask(NumbersCame, name=name)

    async def set_status(self, wombatid: int, code: str, *, line: Line = None) -> None:
        await self._ask(SetStatus, wombatid=wombatid, code=code, line=line)

    async def set_attribute(self, wombatid: int, name: str, value: str, *, line: Line = None) -> None:
        await self._ask(SetAttribute, wombatid=wombatid, name=name, value=value, line=line)

    async def append_attribute(self, wombatid: int, name: str, value: str, *, line: Line = None) -> None:
        await self._ask(AppendAttribute, wombatid=wombatid, name=name, value=value, line=line)

    async def clear_attribute(self, wombatid: int, name: str, *, line: Line = None) -> None:
        await self._ask(ClearAttribute, wombatid=wombatid, name=name, line=line)

    async def call_info(self, wombatid: int) -> dict[str, Any]:
        """Fields of ``model.reports.CallInfo`` and ``is_live``."""
        return json.loads((await self._ask(CallInfo, wombatid=wombatid))["call"])

    async def events_since(self, after: int) -> dict[str, Any]:
        """``events``, ``last``, ``missed``: see ``engine/announce``."""
        return json.loads((await self._ask(EventsSince, after=after))["data"])

    async def snapshot(self, *, calls: bool = True) -> dict[str, Any]:
        """The picture of now (see ``engine/publish``)."""
        return await self._parts(Snapshot, calls=calls)

    async def live_calls(self, wanted: CallsWanted) -> dict[str, Any]:
        """``calls``, ``total``, ``skip``, ``now``: see ``engine/glance``."""
        return await self._parts(LiveCalls, wanted=json.dumps(wanted.told()).encode())

    async def overhear(self, server: int, *, after: int = 0, begin: bool = False) -> dict[str, Any]:
        """``on``, ``last``, ``messages``: see ``engine/overhear``."""
        return await self._parts(Overhear, server=server, after=after, begin=begin)

    def close(self) -> None:
        if self._connection is not None and self._connection.transport is not None:
            self._connection.transport.loseConnection()

    async def _add_calls(self, calls: bytes) -> bytes:
        return (await self._ask(AddCalls, calls=calls))["answers"]

    async def _lists(self, command: type[amp.Command], **arguments: Any) -> list[dict[str, Any]]:
        return json.loads((await self._ask(command, **arguments))["lists"])

    async def _parts(self, command: type[amp.Command], **arguments: Any) -> Any:
        """What comes in parts since it may be longer than AMP's values."""
        await self._picturing.acquire()
        try:
            answer = await self._ask(command, part=0, **arguments)
            data = [answer["data"]]
            for part in range(1, answer["parts"]):
                data.append((await self._ask(command, part=part, **arguments))["data"])
        finally:
            self._picturing.release()
        return json.loads(b"".join(data))

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
        except UnicodeEncodeError:
            raise UserError("a text holds half a character (a lone surrogate)") from None
        except amp.TooLong:
            raise UserError(f"a text, or the attributes, has more than {MOST} bytes") from None
        except defer.TimeoutError:
            raise Unanswered(f"the dialer did not answer within {ANSWER_S:g} s") from None
        except Exception as error:  # noqa: BLE001 - fence: whatever a lost connection raises means one thing here
            self._connection = None
            raise Unanswered(f"the dialer went away: {error}") from None

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


def _within(answer: defer.Deferred[Result], reactor: Any) -> defer.Deferred[Result]:
    return answer.addTimeout(ANSWER_S, reactor)
