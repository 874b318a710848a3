"""Around it: calls from outside, appended to the live run of a campaign.

Each is answered with its WOMBATID when it is durable. While one is being written its run is not out of numbers, so that
a run does not end over a call that somebody was told of; then the run looks at once, also when it was IDLE.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from wombat_ari.bridge.batcher import Batcher
from wombat_ari.bridge.desk import Desk
from wombat_ari.core.moments import check_moment
from wombat_ari.core.numbers import check_attributes, clean_number, wrong_alternatives
from wombat_ari.engine.board import Board, Clock, LiveRun
from wombat_ari.engine.refill import Refill
from wombat_ari.engine.supervise import Supervise
from wombat_ari.model.calls import AddedCall, NewCall
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import DialerState


class Append:
    """A refusal is a UserError: nothing was added then. ``grown`` is told the name of each list that got records."""

    def __init__(
        self, board: Board, clock: Clock, *, desk: Desk, refill: Refill, supervise: Supervise,
        grown: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._board = board
        self._clock = clock
        self._refill = refill
        self._supervise = supervise
        self._grown = grown
        self._batcher: Batcher[NewCall, AddedCall] = Batcher(
            clock, lambda calls: desk.add_calls(calls, now=clock.seconds())
        )

    async def add_call(
        self, campaign: str, number: str, attributes: Mapping[str, str], due: float | None, by: str = "",
        origin: str = "",
    ) -> int:  # fmt: skip
        """Its WOMBATID. ``due`` is when it is to be placed (epoch seconds); None or past: as soon as may be.

        ``by`` and ``origin`` say who asked and from where, for the system log.
        """
        if self._board.state != DialerState.READY:
            raise UserError(f"the dialer is {self._board.state}, try again when it is READY", code="not-ready")
        run = self._board.run_of(campaign)
        if run is None:
            raise UserError(
                f"campaign {campaign!r} has no live run: start it, then its calls can be added", code="no-run"
            )
        call = replace(_checked(run, number, attributes, due=due, now=self._clock.seconds()), by=by, origin=origin)
        run.appending += 1
        try:
            added = await self._batcher.add(call)
        finally:
            run.appending -= 1
        self._added(run, call, added)
        return added.wombatid

    async def drain(self) -> None:
        """Everybody who asked has been answered: who is not would ask again, and two calls would ring."""
        await self._batcher.drain()

    def numbers_came(self, list_name: str) -> None:
        """Somebody else has appended to this list: runs that have it look at once, not with their next look."""
        self._grown(list_name)
        for run in list(self._board.runs.values()):
            if any(each.name == list_name for each in run.lists.values()):
                run.hopper.exhausted = False
                self._refill.look(run)

    def _added(self, run: LiveRun, call: NewCall, added: AddedCall) -> None:
        if added.attached is not None:
            run.lists.setdefault(added.list_id, added.attached)
        if (known := run.lists.get(added.list_id)) is not None:
            self._grown(known.name)
        if call.not_before is None:
            run.hopper.exhausted = False
            self._refill.look(run)
            return
        # It was taken from the list when it was written.
        run.tally.taken += 1
        run.tally.open_retries += 1
        if known is not None:
            run.lists[added.list_id] = replace(known, taken=known.taken + 1, remaining=known.remaining - 1)
        run.hopper.retry_added(call.not_before)
        self._supervise.look_at(run)


def _checked(run: LiveRun, number: str, attributes: Mapping[str, str], *, due: float | None, now: float) -> NewCall:
    number = clean_number(number)
    check_attributes(attributes)
    wrong = wrong_alternatives(attributes)
    if wrong:
        raise UserError("; ".join(wrong))
    if due is not None:
        check_moment(due, now=now)
    return NewCall(run.id, number, dict(attributes), due if due is not None and due > now else None)
