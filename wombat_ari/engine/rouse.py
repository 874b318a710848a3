"""Around it: rouse the runs that wait for an agent, when there may be one for them: by an event, or by time.

The scheduler does not ask queues that nothing has happened to. Telling it once too often costs a question.
"""

from collections.abc import Callable, Iterable
from heapq import heappop, heappush

from wombat_ari.engine.board import Board, Clock
from wombat_ari.model.entities import EndPoint
from wombat_ari.model.states import EndPointType


class Rouse:
    """``partners`` tells which end points have agents in common with one: what frees one for it, frees one for them."""

    def __init__(self, board: Board, clock: Clock, partners: Callable[[EndPoint], Iterable[EndPoint]]) -> None:
        self._board = board
        self._clock = clock
        self._partners = partners
        self._plan = -1  #: of which the end points below are
        self._end_points: dict[tuple[int, str], list[EndPoint]] = {}  #: by server and queue
        self._due: list[tuple[float, int, str]] = []  #: heap: when somebody in a queue will be free again

    def queue(self, server_id: int, name: str) -> None:
        """Something happened in this queue."""
        if self._plan != self._board.plans:
            self._find_end_points()
        for end_point in self._end_points.get((server_id, name), ()):
            self._opened(end_point)
            for other in self._partners(end_point):
                self._opened(other)

    def all(self, server_id: int) -> None:
        """Everything about the queues of this server may be different."""
        for end_point in self._board.end_points.values():
            if is_queue_of(end_point, server_id):
                self._opened(end_point)

    def at(self, when: float, server_id: int, name: str) -> None:
        """A wrap-up or a rest in this queue ends then, and nobody will tell."""
        heappush(self._due, (when, server_id, name))

    def tick(self) -> None:
        """Often: rouse whom time has freed."""
        now = self._clock.seconds()
        while self._due and self._due[0][0] <= now:
            _, server_id, name = heappop(self._due)
            self.queue(server_id, name)

    def _find_end_points(self) -> None:
        self._plan = self._board.plans
        self._end_points = {}
        for each in self._board.end_points.values():
            if each.type == EndPointType.QUEUE:
                self._end_points.setdefault((each.server_id, each.name), []).append(each)

    def _opened(self, end_point: EndPoint) -> None:
        lines = self._board.end_point_lines.get(end_point.id or 0)
        if lines is not None:
            self._board.turns.opened(lines)


def is_queue_of(end_point: EndPoint, server_id: int) -> bool:
    return end_point.type == EndPointType.QUEUE and end_point.server_id == server_id
