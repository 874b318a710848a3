"""The doctor, asked from the console: the findings are seen as they come.

Each person has their last examination: it names what that person sees, and nothing that a security key hides from them.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

from wombat_ari.app.config import Settings
from wombat_ari.app.doctor import examine
from wombat_ari.app.doctor_words import Finding, Grade
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.end_points import list_end_points
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.rights import Right, demand
from wombat_ari.app.service.servers import list_servers
from wombat_ari.app.service.trunks import list_trunks
from wombat_ari.app.threads import Work, begin_on_reactor
from wombat_ari.store.database import Database
from wombat_ari.store.entities import Plan

KEPT = 50  #: examinations, one for each person

Examine = Callable[..., AsyncIterator[Finding]]


@dataclass(frozen=True, slots=True)
class Examination:
    """``ended_at`` is 0 while it is under way; ``trouble``: why it broke off, empty when it did not."""

    began_at: float
    ended_at: float
    trouble: str
    findings: tuple[Finding, ...]

    @property
    def under_way(self) -> bool:
        return not self.ended_at

    def count(self, grade: Grade) -> int:
        return sum(finding.grade is grade for finding in self.findings)


class Doctor:
    """One for the process. ``begin`` runs a coroutine on the reactor; ``examine`` is what is run."""

    def __init__(
        self,
        settings: Settings,
        db: Database,
        *,
        begin: Callable[[Work[None]], None] = begin_on_reactor,
        examine: Examine = examine,
    ) -> None:
        self._settings = settings
        self._db = db
        self._begin = begin
        self._examine = examine
        self._lock = Lock()
        self._cases: dict[str, _Case] = {}

    def start(self, caller: Caller) -> None:
        """Begin one; nothing when theirs is still under way."""
        demand(caller, Right.CHANGE_PBX)
        with self._lock:
            last = self._cases.pop(caller.login, None)
            if last is not None and not last.ended_at:
                self._cases[caller.login] = last
                return
            case = self._cases[caller.login] = _Case(caller.at)
            while len(self._cases) > KEPT:
                del self._cases[next(iter(self._cases))]
        try:
            self._begin(lambda reactor: self._run(case, caller, reactor))
        except BaseException:
            case.end("it could not be begun")
            raise
        note(caller, self._db, "doctor", about="system")

    def last(self, caller: Caller) -> Examination | None:
        """The caller's, as far as it is; None when they asked for none since this process began."""
        demand(caller, Right.CHANGE_PBX)
        case = self._cases.get(caller.login)
        if case is None:
            return None
        ended_at = case.ended_at  # first: what was found is complete then
        return Examination(case.began_at, ended_at, case.trouble, tuple(case.findings))

    async def _run(self, case: _Case, caller: Caller, reactor: Any) -> None:
        trouble = "it broke off by a mistake of ours: see the log"
        try:
            asked = self._examine(self._settings, self._db, reactor, load=partial(_seen_by, caller))
            async for finding in asked:
                case.findings.append(finding)
            trouble = ""
        finally:
            case.end(trouble)


class _Case:
    def __init__(self, began_at: float) -> None:
        self.began_at = began_at
        self.ended_at = 0.0
        self.trouble = ""
        self.findings: list[Finding] = []

    def end(self, trouble: str) -> None:
        self.trouble = trouble
        self.ended_at = time.time()


def _seen_by(caller: Caller, db: Database) -> Plan:
    return Plan(tuple(list_servers(caller, db)), tuple(list_trunks(caller, db)), tuple(list_end_points(caller, db)))
