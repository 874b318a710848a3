"""Around it: bring servers, trunks and end points onto the board, at start and again whenever a run is started.

A server that was added is connected, one whose address or login changed is connected anew (its calls are reconciled),
one that was disabled is let go. Capacities and names are taken over; nothing in use is cut.
"""

from collections.abc import Callable

from twisted.logger import Logger

from wombat_ari.bridge.desk import Plan
from wombat_ari.core.congestion import Budget, Pressure
from wombat_ari.core.lines import Lines
from wombat_ari.engine.board import Board, Pbx
from wombat_ari.model.entities import EndPoint, Server, Trunk
from wombat_ari.model.events import CallEvent
from wombat_ari.pbx.driver import Driver, Heard

DriverFactory = Callable[[Server], Driver]
Hears = Callable[[Pbx, Heard], None]

log = Logger()


class Equip:
    """``make_driver`` gives a driver for a server."""

    def __init__(self, board: Board, make_driver: DriverFactory) -> None:
        self._board = board
        self._make_driver = make_driver
        self._hears: Hears | None = None

    def listen(self, hears: Hears) -> None:
        """From now on drivers are started; before, they are only made (calls are taken up before links come up)."""
        self._hears = hears
        for pbx in self._board.pbxs.values():
            self._start(pbx)

    def take(self, plan: Plan) -> None:
        """Make the board as configured."""
        for server in plan.servers:
            assert server.id is not None
            self._server(server, self._board.pbxs.get(server.id))
        for trunk in plan.trunks:
            assert trunk.id is not None
            self._board.trunks[trunk.id] = trunk
            self._lines(self._board.trunk_lines, trunk, trunk.id, trunk.capacity)
        for end_point in plan.end_points:
            assert end_point.id is not None
            self._board.end_points[end_point.id] = end_point
            self._lines(self._board.end_point_lines, end_point, end_point.id, end_point.max_channels)

    def _server(self, server: Server, known: Pbx | None) -> None:
        assert server.id is not None
        if known is not None and known.server == server:
            return
        if known is None:
            if server.enabled:
                self._board.pbxs[server.id] = pbx = self._new(server)
                self._start(pbx)
            return
        log.info("server {name}: its configuration has changed, connecting anew", name=server.description)
        known.driver.stop().addErrback(lambda failure: log.failure("stopping a driver", failure=failure))
        known.server, known.ready = server, False
        known.budget = _budget(server)
        if server.enabled:
            known.driver = self._make_driver(server)
            self._start(known)

    def _new(self, server: Server) -> Pbx:
        return Pbx(server, self._make_driver(server), _budget(server), Pressure())

    def _start(self, pbx: Pbx) -> None:
        hears, driver = self._hears, pbx.driver
        if hears is None:
            return

        def listener(event: Heard) -> None:
            # Of a driver that was let go only what it still tells of calls counts.
            if pbx.driver is driver or isinstance(event, CallEvent):
                hears(pbx, event)

        driver.start(listener)

    def _lines(self, of: dict[int, Lines], thing: Trunk | EndPoint, key: int, capacity: int) -> None:
        known = of.get(key)
        if known is None:
            of[key] = Lines(key, thing.name, server_id=thing.server_id, capacity=capacity)
        else:
            known.name, known.capacity = thing.name, capacity
            if not known.used:
                known.server_id = thing.server_id


def _budget(server: Server) -> Budget:
    return Budget(server.unit_length_ms / 1000, server.max_messages_per_unit)
