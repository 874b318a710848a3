"""ARI of a server, if it has one and aioari is installed."""

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred, succeed

from wombat_ari.flows.line import Line
from wombat_ari.model.entities import Server
from wombat_ari.pbx.driver import Ari, SetVariable

#: Run the flow of this name with a line, a WOMBATID (0: no call of ours) and the caller's number; ends with the flow.
RunFlow = Callable[[str, Line, int, str], Coroutine[Any, Any, Any]]

MISSING = "aioari is not installed: pip install 'wombat-ari[ari]'"


def ari_maker(series: int, run_flow: RunFlow) -> Callable[[Server, SetVariable], Ari | None]:
    """``series`` is that of the WOMBATIDs: each database has one, so applications of two dialers differ."""
    app = f"wombat-{series}"

    def make(server: Server, set_variable: SetVariable) -> Ari | None:
        if not server.ari_url:
            return None
        try:
            # Imported only where it is used: it takes a while, and a dialer without it dials as well.
            from wombat_ari.flows.ari_calls import FlowCalls
            from wombat_ari.pbx.ari_app import CALLEE, FLOW, RECORDER, REVERSE, AriApp
            from wombat_ari.pbx.ari_callees import Callees
            from wombat_ari.pbx.ari_recording import Recorder
            from wombat_ari.pbx.ari_reverse import Reverse
        except ImportError:
            return _NotThere(app)
        made = AriApp(server, app, by_ami=set_variable)
        reverse = Reverse(made)
        made.kinds = {
            REVERSE: reverse,
            CALLEE: Callees(made, reverse),
            RECORDER: Recorder(made),
            FLOW: FlowCalls(made, lambda *given: Deferred.fromCoroutine(run_flow(*given))),
        }
        return made

    return make


class _NotThere:
    """ARI is wanted, and cannot be."""

    def __init__(self, app: str) -> None:
        self.app = app
        self.connected = False
        self.last_error = MISSING
        self.calls = 0

    def start(self, listener: Callable[[Any], None]) -> None:
        pass

    def stop(self) -> "Deferred[None]":
        return succeed(None)
