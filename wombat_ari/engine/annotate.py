"""Around it: extended status and attributes of a call, said from outside (HTTP) as the dialplan says them.

A live call hears it as an event; one that ended within a minute has it added to its row of the log. Otherwise it is
refused: who asks is told that nothing came of it.
"""

from collections.abc import Callable

from wombat_ari.core.call_table import TABLE
from wombat_ari.core.numbers import check_attribute
from wombat_ari.engine.board import Board
from wombat_ari.engine.follow import Follow
from wombat_ari.model import events as ev
from wombat_ari.model.errors import UserError

MAX_CODE = 80


class Annotate:
    """``late`` is told words for calls that ended a moment ago, which ``is_recent`` knows."""

    def __init__(
        self,
        board: Board,
        follow: Follow,
        *,
        late: Callable[[ev.CallEvent], None],
        is_recent: Callable[[int], bool],
    ) -> None:
        self._board = board
        self._follow = follow
        self._late = late
        self._is_recent = is_recent

    def set_status(self, wombatid: int, code: str) -> None:
        """An extended status; the last one wins."""
        code = code.strip()
        if len(code) > MAX_CODE or not code.isprintable():
            raise UserError(f"status {code[:60]!r}: it must be up to {MAX_CODE} printable characters")
        self._say(ev.StatusSet(wombatid, code))

    def set_attribute(self, wombatid: int, name: str, value: str) -> None:
        """An output attribute; replaces what it was."""
        check_attribute(name, value)
        self._say(ev.AttributeSet(wombatid, name, value))

    def append_attribute(self, wombatid: int, name: str, value: str) -> None:
        check_attribute(name, value)
        self._say(ev.AttributeAppended(wombatid, name, value))

    def clear_attribute(self, wombatid: int, name: str) -> None:
        check_attribute(name, "")
        self._say(ev.AttributeCleared(wombatid, name))

    def _say(self, event: ev.CallEvent) -> None:
        flight = self._board.flights.get(event.call)
        if flight is None:
            if not self._is_recent(event.call):
                text = f"no live call has the WOMBATID {event.call}, nor has one that ended within a minute"
                raise UserError(text, code="no-call")
            self._late(event)
        elif type(event) in TABLE[flight.call.state]:
            self._follow.tell(flight, event)
        else:
            raise UserError(f"call {event.call} is {flight.call.state}: it is not on its way yet", code="wrong-state")
