"""The AMI debugger: what is said to and by a PBX. Off until somebody begins; the dialer ends it when nobody reads."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Lock

from wombat_ari.app.service.asks import Asks
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.rights import Right, demand, visible
from wombat_ari.app.service.servers import infos_of, seen_server
from wombat_ari.model.entities import Server
from wombat_ari.store import entities
from wombat_ari.store.database import Database

SHOWN = 200  #: messages at once
KEPT = 5_000  #: of one server, for who begins to filter later
KEPT_TEXT = 2_000_000  #: characters of them
ROUNDS = 8  #: answers of the dialer for one look; what is behind it comes with the next

OURS, ANSWERS, EVENTS = "actions", "answers", "events"


@dataclass(frozen=True, slots=True)
class Said:
    """One message. ``ours``: written by the dialer."""

    id: int
    at: float
    ours: bool
    text: str

    @property
    def kind(self) -> str:
        if self.ours:
            return OURS
        return ANSWERS if self.text.startswith("Response:") else EVENTS

    @property
    def title(self) -> str:
        """``Event: Hangup``."""
        return self.text.partition("\n")[0]


@dataclass(frozen=True, slots=True)
class Look:
    """``on``: it is watched; ``found``: how many of ``kept`` messages pass the filter; ``messages``: their newest."""

    on: bool
    kept: int
    found: int
    messages: tuple[Said, ...]


def list_watchable(caller: Caller, db: Database) -> list[Server]:
    """The enabled servers that the caller sees."""
    demand(caller, Right.DEBUG_AMI)
    servers = visible(caller, entities.list_servers(db), infos_of(db))
    return [server for server in servers if server.enabled]


class AmiDebug:
    """One for the process: who looks at the same server shares what was read."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._read: dict[int, tuple[int, deque[Said]]] = {}  #: by server: the last id read, and what was read

    def begin(self, caller: Caller, db: Database, ask: Asks, server_id: int) -> None:
        """From now on."""
        server = _watched(caller, db, server_id)
        ask.overhear(server_id, begin=True)
        note(caller, db, "AMI debugger", about=server.description)

    def look(
        self,
        caller: Caller,
        db: Database,
        ask: Asks,
        *,
        server_id: int,
        wanted: str = "",
        kinds: frozenset[str] = frozenset(),
    ) -> Look:
        """What was said; ``wanted``: a text that is in it, whatever its case; ``kinds``: none means all."""
        _watched(caller, db, server_id)
        with self._lock:
            on, kept = self._fetch(ask, server_id)
            text = wanted.casefold()
            found = [
                said
                for said in reversed(kept)
                if (not kinds or said.kind in kinds) and (not text or text in said.text.casefold())
            ]
            return Look(on, len(kept), len(found), tuple(found[:SHOWN]))

    def _fetch(self, ask: Asks, server_id: int) -> tuple[bool, deque[Said]]:
        last, kept = self._read.get(server_id, (0, deque(maxlen=KEPT)))
        for _ in range(ROUNDS):
            answer = ask.overhear(server_id, after=last)
            if not answer["on"]:
                self._read.pop(server_id, None)
                return False, kept
            kept.extend(Said(*message) for message in answer["messages"])
            size = sum(len(said.text) for said in kept)
            while size > KEPT_TEXT:
                size -= len(kept.popleft().text)
            last = answer["last"]
            if not answer["messages"]:
                break
        self._read[server_id] = last, kept
        return True, kept


def _watched(caller: Caller, db: Database, server_id: int) -> Server:
    demand(caller, Right.DEBUG_AMI)
    return seen_server(caller, db, server_id)
