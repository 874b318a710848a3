"""Keeps the process that flows run in, from the reactor: starts it, runs flows in it, ends what takes too long.

Whatever the site's code does, ``run`` ends: with the flow, at its time limits, or when the process dies, which is then
started again with the next call.
"""

import json
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from wombat_ari.flows.errands import Errands, Limits
from wombat_ari.flows.host import IN, OUT
from wombat_ari.flows.line import FAILED_STATUS, CallFacts, Line, Office

PING_S, DEAF_S = 5.0, 20.0  #: how often the process is asked whether it hears, and after how long it is ended
STOP_S = 2.0  #: of the process, at the end
MAX_LINE = 4 << 20  #: bytes that the process may say at a time

log = logging.getLogger(__name__)


class How(StrEnum):
    """How a flow ended."""

    OK = "ok"
    HUNG_UP = "hung_up"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Ended:
    how: How
    reason: str = ""  #: for people; of a failure only


class Keeper:
    """``run`` may be called at any time; the process is started by the first call, or by ``start``."""

    def __init__(self, reactor: Any, folder: Path, limits: Limits | None = None) -> None:
        self._reactor = reactor
        self._folder = folder
        self._limits = limits or Limits()
        self._process: _Process | None = None
        self._stopping = False

    @property
    def running(self) -> int:
        """Flows that run now, with those that were told to end and have not."""
        return len(self._process.errands) if self._process else 0

    @property
    def pid(self) -> int:
        """Of the process; 0: there is none."""
        return int(self._process.transport.pid or 0) if self._process else 0

    def start(self) -> None:
        """Have the process ready, if the site has a folder of flows."""
        if self._process is None and self._folder.is_dir():
            self._spawn()

    async def run(self, name: str, line: Line, facts: CallFacts, office: Office) -> Ended:
        """Run a flow with a caller, to its end. A failure has been logged and is the call's extended status then."""
        ended = await self._run(name, line, facts=facts, office=office)
        if ended.how is How.FAILED and facts.wombatid:
            await office.status(FAILED_STATUS)
        return ended

    async def stop(self) -> None:
        """No more flows; those that run end with the process."""
        self._stopping = True
        if self._process is not None:
            await self._process.end()

    async def _run(self, name: str, line: Line, *, facts: CallFacts, office: Office) -> Ended:
        if self._stopping:
            return Ended(How.FAILED, "the dialer is stopping")
        if self._process is None:
            if not self._folder.is_dir():
                return Ended(How.FAILED, f"there is no flow {name!r}: the folder {self._folder} is not there")
            self._spawn()
        process = self._process
        assert process is not None
        if len(process.errands) >= self._limits.at_once:
            return Ended(How.FAILED, f"{len(process.errands)} flows run already, more than flows.at_once are refused")
        return await process.run(name, line, facts=facts, office=office)

    def _spawn(self) -> None:
        self._process = _Process(self._reactor, self._limits, self._lost)
        # What opens the database or the console is no business of the site's code.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WOMBAT_ARI_")}
        command = [sys.executable, "-m", "wombat_ari.flows.host", str(self._folder)]
        where = str(Path(__file__).parents[2])
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (where, environment.get("PYTHONPATH"))))
        files = {0: "w", 1: 1, 2: 2, IN: "w", OUT: "r"}
        self._reactor.spawnProcess(
            self._process, sys.executable, command, environment, path=str(self._folder), childFDs=files
        )

    def _lost(self, process: "_Process") -> None:
        if self._process is process:
            self._process = None


class _Process(ProcessProtocol):
    """One life of the process."""

    transport: Any

    def __init__(self, reactor: Any, limits: Limits, lost: Callable[["_Process"], None]) -> None:
        self._reactor = reactor
        self._limits = limits
        self._lost = lost
        self._buffer = b""
        self._heard_at = reactor.seconds()
        self._ping: Any = None
        self._ending = False
        self._gone: list[Deferred[None]] = []
        self.errands: dict[int, Errands] = {}
        self._ids = 0

    async def run(self, name: str, line: Line, *, facts: CallFacts, office: Office) -> Ended:
        self._ids += 1
        number = self._ids
        errands = Errands(self._reactor, number, line=line, office=office, say=self.say, limits=self._limits)
        self.errands[number] = errands
        said = {**asdict(facts), "attributes": dict(facts.attributes)}
        self.say({"do": "run", "id": number, "flow": name, "facts": said})
        how, reason = await errands.ended
        if how == How.FAILED:
            log.error("flow %s, call %s: %s", name, facts.wombatid or facts.number, reason)
        return Ended(How(how), reason)

    def say(self, said: dict[str, Any]) -> None:
        with suppress(KeyError):  # its end of the pipe is closed: it is ending
            self.transport.writeToChild(IN, json.dumps(said).encode() + b"\n")

    async def end(self) -> None:
        """Its input ends, and with it the process; if it does not, it is killed."""
        self._ending = True
        gone: Deferred[None] = Deferred()
        self._gone.append(gone)
        self.transport.closeChildFD(IN)
        killer = self._reactor.callLater(STOP_S, self._kill)
        await gone
        if killer.active():
            killer.cancel()

    # ProcessProtocol

    def connectionMade(self) -> None:
        self._heard_at = self._reactor.seconds()
        self._ping = self._reactor.callLater(PING_S, self._ask_whether_it_hears)

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        if len(self._buffer) > MAX_LINE:
            log.error("flows: more than %s bytes were said at a time; its process is ended", MAX_LINE)
            self._kill()
        for line in lines:
            try:
                self._heard(json.loads(line))
            except Exception:  # fence: one line; the site's code may have written to our descriptor
                log.exception("flows: not understood: %r", line[:200])

    def processEnded(self, reason: Failure) -> None:
        if self._ping is not None and self._ping.active():
            self._ping.cancel()
        how = f"ended by itself: {reason.getErrorMessage()}"
        if not self._ending:
            log.error("flows: their process %s; %s callers were in flows", how, len(self.errands))
        self._lost(self)
        for errands in list(self.errands.values()):
            errands.over("failed", f"the process of the flows {how}")
        self.errands.clear()
        for gone in self._gone:
            gone.callback(None)

    def _heard(self, said: dict[str, Any]) -> None:
        self._heard_at = self._reactor.seconds()
        what = said["say"]
        if what == "told":
            log.log(logging.ERROR if said["mistake"] else logging.INFO, "flows: %s", said["text"])
        elif (errands := self.errands.get(said.get("id", 0))) is not None:
            if what == "ask":
                errands.ask(said["ask"], said["verb"], said["given"])
            elif what == "ended":
                del self.errands[errands.number]
                if said["trace"] and not errands.is_over:
                    log.error("flow failed: %s", said["trace"].rstrip())
                errands.over(said["how"], said["reason"])
                self._renew()

    def _ask_whether_it_hears(self) -> None:
        if self._reactor.seconds() - self._heard_at > DEAF_S:
            log.error("flows: their process does not hear any more; it is ended")
            self._kill()
            return
        self.say({"do": "ping"})
        self._ping = self._reactor.callLater(PING_S, self._ask_whether_it_hears)
        self._renew()

    def _renew(self) -> None:
        """Only such as do not end are left: a new process, rather than threads that hang for ever."""
        if self.errands and all(each.is_over and each.is_stuck for each in self.errands.values()):
            log.error("flows: %s do not end; their process is ended, another one takes over", len(self.errands))
            self._kill()

    def _kill(self) -> None:
        if self.transport is not None and self.transport.pid:
            self.transport.signalProcess("KILL")
