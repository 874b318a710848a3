"""The system itself: whether it is up, and starting and stopping the dialer."""

import os
import threading
import time
from pathlib import Path
from typing import Any, Protocol

from wombat_ari import __version__
from wombat_ari.app.service import standing
from wombat_ari.app.service.asks import Asks, Picture
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.rights import Right, demand
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.states import DialerState
from wombat_ari.store.database import Database


class Engine(Protocol):
    """The switch of the dialer in the process that watches over it."""

    @property
    def running(self) -> bool: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


def state(caller: Caller, ask: Asks, engine: Engine | None) -> tuple[DialerState | None, float]:
    """Of the dialer, and for how long it has been up (s). None: its process is there but does not answer (yet)."""
    demand(caller, Right.SEE_STATUS)
    return state_now(ask, engine)


def state_now(ask: Asks, engine: Engine | None) -> tuple[DialerState | None, float]:
    """For who has a right of another kind."""
    try:
        picture = ask.snapshot(calls=False)
    except UserError:
        return (None if engine is not None and engine.running else DialerState.DOWN), 0.0
    return DialerState(picture["state"]), max(0.0, picture["now"] - picture["up_since"])


def start(caller: Caller, db: Database, engine: Engine | None) -> None:
    """Have it run; nothing when it does."""
    _switch(caller, engine).start()
    note(caller, db, "start dialer", about="dialer")


def stop(caller: Caller, db: Database, engine: Engine | None) -> None:
    """No new calls, all written down, ended; live calls go on in the PBX. It stays down until it is started."""
    _switch(caller, engine).stop()
    note(caller, db, "stop dialer", about="dialer")


def health(caller: Caller, db: Database) -> dict[str, Any]:
    """Memory, threads, load; the database is really asked: StoreError when it does not answer."""
    demand(caller, Right.SEE_HEALTH)
    access_ms = db.is_alive()
    memory = _memory_mb()
    return {
        "version": __version__,
        "memory_mb": memory["VmRSS"],
        "memory_of_machine_mb": memory["MemTotal"],
        "threads": threading.active_count(),
        "access_ms": access_ms,
        "load": os.getloadavg()[0],
        "processors": os.cpu_count(),
        "processor_s": time.process_time(),
        "database": db.kind,
        "pid": os.getpid(),
    }


def metrics(caller: Caller, db: Database, ask: Asks) -> tuple[Picture | None, float | None]:
    """The picture of now (None: no dialer answers) and how long the database takes to answer (ms; None: it does not).
    Figures of the whole: no campaign, number or agent is named to who asks; servers, trunks and queues are, to who
    sees them and to trusted addresses, which ask for who watches over the machine.
    """
    demand(caller, Right.SEE_METRICS)
    try:
        picture = ask.snapshot(calls=False)
    except UserError:
        picture = None
    try:
        access_ms = db.is_alive()
        if picture is not None and not caller.trusted:
            picture = standing.seen_of(caller, db, picture) | {"runs": picture["runs"]}
        return picture, access_ms
    except StoreError:
        named = dict.fromkeys(("pbxs", "trunks", "end_points"), ())
        return picture if picture is None or caller.trusted else picture | named, None


def _switch(caller: Caller, engine: Engine | None) -> Engine:
    demand(caller, Right.CONTROL_DIALER)
    if engine is None:
        raise UserError("this process does not watch over the dialer: start and stop it where it runs")
    return engine


def _memory_mb() -> dict[str, float]:
    """As Linux tells it; 0 elsewhere."""
    found = {"VmRSS": 0.0, "MemTotal": 0.0}
    for file in ("/proc/self/status", "/proc/meminfo"):
        try:
            lines = Path(file).read_text("ascii", "replace").splitlines()
        except OSError:
            continue
        for name, _, value in (line.partition(":") for line in lines):
            if name in found:
                found[name] = round(int(value.split()[0]) / 1024, 1)
    return found
