"""``sysup``, ``engine`` (also ``dialer``), ``addkey``: the system itself."""

import gc
import platform
import time
from datetime import datetime
from typing import Any

from webui.compat.frame import Address, Answer, Call, Kind
from wombat_ari.app.service import dialer
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import DialerState

UP = "WBTUP"  #: what monitors look for
START_S, LOOK_S = 15.0, 0.2  #: how long a dialer that was started is waited for, and how often it is looked at
STATES = {
    DialerState.READY: "READY",
    DialerState.STOPPING: "TERMINATION_REQD",
    DialerState.STARTING: "TIMEOUT_NO_REPLY",
    DialerState.DOWN: "DOWN",
    None: "TIMEOUT_NO_REPLY",
}


def system_up(call: Call) -> Answer:
    return {**_figures(call), "status": UP}


def more(call: Call) -> Answer:
    figures = dialer.health(call.caller, call.db)
    return {
        **_figures(call),
        "status": UP,
        "python": platform.python_version(),
        "system": platform.platform(),
        "pid": figures["pid"],
        "processors": figures["processors"],
        "processorMs": round(figures["processor_s"] * 1000),
        "database": figures["database"],
        "collections": [generation["collections"] for generation in gc.get_stats()],
    }


def engine(call: Call) -> Answer:
    """``op`` is STATE, START or STOP; each answers the state that follows: clients wait for READY after START."""
    op = call.params.text("op", "STATE").upper()
    if op == "START":
        dialer.start(call.caller, call.db, call.engine)
    elif op == "STOP":
        dialer.stop(call.caller, call.db, call.engine)
    elif op != "STATE":
        raise UserError(f"op is {op[:20]!r}: it must be one of STATE, START, STOP")
    state, up_s = dialer.state(call.caller, call.ask, call.engine) if op == "STATE" else _after(call, op)
    return {"state": STATES[state], "uptimeMs": round(up_s * 1000)}


def add_key(call: Call) -> Answer:
    return "OK: no licence key is needed, there is no limit on channels\n"


def _after(call: Call, op: str) -> tuple[DialerState | None, float]:
    until = time.monotonic() + START_S
    while True:
        state, up_s = dialer.state_now(call.ask, call.engine)
        if op == "STOP" or state is DialerState.READY or time.monotonic() > until:
            return state, up_s
        time.sleep(LOOK_S)


def _figures(call: Call) -> dict[str, Any]:
    found = dialer.health(call.caller, call.db)
    return {
        "version": found["version"],
        "ramUsedMb": found["memory_mb"],
        "ramMaxMb": found["memory_of_machine_mb"],
        "threads": found["threads"],
        "accessMs": round(found["access_ms"], 3),
        "systemLoad": round(found["load"], 3),
        "generatedOn": datetime.fromtimestamp(call.caller.at, call.zone).strftime("%a %b %d %H:%M:%S %Z %Y"),
    }


ADDRESSES = (
    Address("sysup", system_up, Kind.JSON, open=True),
    Address("sysup/jmx", more, Kind.JSON, open=True),
    Address("engine", engine, Kind.JSON),
    Address("dialer", engine, Kind.JSON),
    Address("addkey", add_key, Kind.TEXT, open=True),
)
