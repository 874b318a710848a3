"""Around it: bring servers, trunks and end points onto the board, at start and again whenever a run is started.

Nothing in use is cut. A server that was added is connected; one whose login changed is connected anew, and its calls
are reconciled. One that was disabled or deleted *leaves*: it gets no new calls, and its link is kept until its last
call has ended. So does one whose address changed, since that may be another PBX: its calls are followed where they are.
Where nobody answers any more there is nothing to follow: a moved server is connected at its new address at once, and
the calls of a disabled one are given up after ``GIVE_UP_S``.
"""

from collections.abc import Callable, Sequence

from twisted.logger import Logger

from wombat_ari.bridge.desk import Plan
from wombat_ari.core.congestion import Budget, Pressure
from wombat_ari.core.lines import Lines
from wombat_ari.engine.board import Board, Clock, Pbx
from wombat_ari.model.entities import EndPoint, Server, Trunk
from wombat_ari.model.events import CallEvent, FoundGone, LinkDown
from wombat_ari.pbx.driver import Ari, Driver, Heard, SetVariable

GIVE_UP_S = 60.0  #: a disabled server that has been unreachable for so long will not tell of its calls any more

DriverFactory = Callable[[Server], Driver]
AriFactory = Callable[[Server, SetVariable], Ari | None]
Hears = Callable[[Pbx, Heard], None]

log = Logger()


class Equip:
    """``make_driver`` gives a driver for a server, ``make_ari`` its ARI where it has one."""

    def __init__(
        self,
        board: Board,
        clock: Clock,
        make_driver: DriverFactory,
        make_ari: AriFactory = lambda server, set_variable: None,
    ) -> None:
        self._board = board
        self._clock = clock
        self._make_driver = make_driver
        self._make_ari = make_ari
        self._hears: Hears | None = None

    def listen(self, hears: Hears) -> None:
        """From now on drivers are started; before, they are only made (calls are taken up before links come up)."""
        self._hears = hears
        for pbx in list(self._board.pbxs.values()):
            if pbx.leaving and not self._board.flights_on(pbx.id):
                del self._board.pbxs[pbx.id]
            else:
                self._start(pbx)

    def take(self, plan: Plan) -> None:
        """Make the board as configured."""
        for server in plan.servers:
            self._server(server, self._board.pbxs.get(server.id or 0))
        self._leave_all_but({server.id or 0 for server in plan.servers})
        self._all_lines(self._board.trunks, self._board.trunk_lines, plan.trunks)
        self._all_lines(self._board.end_points, self._board.end_point_lines, plan.end_points)
        self._board.plans += 1
        for run in self._board.runs.values():
            self._board.renew(run)

    def tick(self) -> None:
        """Every second: see off those that leave."""
        for pbx in list(self._board.pbxs.values()):
            if pbx.leaving:
                self._see_off(pbx)

    # Servers

    def _server(self, server: Server, known: Pbx | None) -> None:
        if known is None:
            # A disabled one may have calls of before: at start it is taken, and let go when it turns out to have none.
            if server.enabled or self._hears is None:
                self._add(server)
            return
        if server == (known.moves_to or known.server):
            return
        known.moves_to, known.leaving = None, "" if server.enabled else "disabled"
        if _address(server) != _address(known.server):
            known.moves_to = server
            known.leaving = known.leaving or f"moves to {server.address}:{server.port}"
        elif _login(server) != _login(known.server):
            self._connect_anew(known, server)
        else:
            self._renew(known, server)
        if known.leaving:
            log.info("server {name}: {why}, no new calls there", name=server.description, why=known.leaving)
            self._see_off(known)

    def _leave_all_but(self, server_ids: set[int]) -> None:
        for pbx in list(self._board.pbxs.values()):
            if pbx.id not in server_ids:
                pbx.leaving, pbx.moves_to = "deleted", None
                self._see_off(pbx)

    def _add(self, server: Server) -> None:
        pbx = Pbx(server, self._make_driver(server), _budget(server), Pressure(), since=self._clock.seconds())
        pbx.leaving = "" if server.enabled else "disabled"
        self._board.pbxs[pbx.id] = pbx
        self._start(pbx)

    def _see_off(self, pbx: Pbx) -> None:
        """One that leaves: is it time?"""
        calls = [flight.call.wombatid for flight in self._board.flights_on(pbx.id)]
        moves_to, unreachable = pbx.moves_to, not pbx.driver.connected
        if moves_to is not None and moves_to.enabled and (unreachable or not calls):
            pbx.leaving, pbx.moves_to = "", None
            self._connect_anew(pbx, moves_to)
        elif not calls:
            self._let_go(pbx, pbx.leaving)
            del self._board.pbxs[pbx.id]
        elif unreachable and self._clock.seconds() - pbx.since >= GIVE_UP_S and self._hears is not None:
            log.warn("server {name}: {count} calls given up", name=pbx.server.description, count=len(calls))
            for call in calls:
                self._hears(pbx, FoundGone(call))

    def _connect_anew(self, pbx: Pbx, server: Server) -> None:
        log.info("server {name}: its configuration has changed, connecting anew", name=server.description)
        self._let_go(pbx, "its configuration has changed")
        self._renew(pbx, server)
        pbx.driver = self._make_driver(server)
        self._start(pbx)

    def _renew(self, pbx: Pbx, server: Server) -> None:
        old, pbx.server = pbx.server, server
        if _ari(server) != _ari(old):
            self._stop_ari(pbx)
            self._start_ari(pbx)
        if _pace(server) != _pace(old):
            pbx.budget = _budget(server)

    def _let_go(self, pbx: Pbx, why: str) -> None:
        if self._hears is not None:
            self._hears(pbx, LinkDown(pbx.id, why))
        self._stop_ari(pbx)
        pbx.driver.stop().addErrback(lambda failure: log.failure("stopping a driver", failure=failure))

    def _start(self, pbx: Pbx) -> None:
        hears, driver = self._hears, pbx.driver
        if hears is None:
            return

        def listener(event: Heard) -> None:
            # Of a driver that was let go only what it still tells of calls counts.
            here = self._board.pbxs.get(pbx.id) is pbx and pbx.driver is driver
            if here or isinstance(event, CallEvent):
                hears(pbx, event)

        driver.start(listener)
        self._start_ari(pbx)

    # ARI

    def _start_ari(self, pbx: Pbx) -> None:
        """Beside the driver, where it is configured. It tells of calls, whoever's driver it is."""
        hears = self._hears
        if hears is not None and pbx.ari is None:
            pbx.ari = self._make_ari(pbx.server, lambda *given: pbx.driver.set_variable(*given))
            if pbx.ari is not None:
                pbx.ari.start(lambda event: hears(pbx, event))

    def _stop_ari(self, pbx: Pbx) -> None:
        ari, pbx.ari = pbx.ari, None
        if ari is not None:
            ari.stop().addErrback(lambda failure: log.failure("stopping ARI", failure=failure))

    # Trunks and end points

    def _all_lines(self, known: dict, of: dict[int, Lines], things: Sequence[Trunk | EndPoint]) -> None:
        for thing in things:
            assert thing.id is not None
            known[thing.id] = thing
            self._lines(of, thing, thing.id)
        for key in set(of) - {thing.id for thing in things}:
            if not of[key].used:
                del of[key], known[key]

    def _lines(self, of: dict[int, Lines], thing: Trunk | EndPoint, key: int) -> None:
        capacity = thing.capacity if isinstance(thing, Trunk) else thing.max_channels
        known = of.setdefault(key, Lines(key, thing.name, server_id=thing.server_id, capacity=capacity))
        # Calls that live keep their route, with the server where they are.
        known.name, known.capacity, known.server_id = thing.name, capacity, thing.server_id


def _address(server: Server) -> tuple[str, int]:
    return server.address, server.port


def _login(server: Server) -> tuple[object, ...]:
    return server.login, server.password, server.tls


def _ari(server: Server) -> tuple[object, ...]:
    return server.ari_url, server.ari_user, server.ari_password


def _pace(server: Server) -> tuple[int, int]:
    return server.unit_length_ms, server.max_messages_per_unit


def _budget(server: Server) -> Budget:
    return Budget(server.unit_length_ms / 1000, server.max_messages_per_unit)
