"""Around it: calls from outside, appended to the live run of a campaign.

Each is answered with its WOMBATID when it is durable. While one is being written its run is not out of numbers, so that
a run does not end over a call that somebody was told of; then the run looks at once, also when it was IDLE.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

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


@dataclass(frozen=True, slots=True)
class CallAsked:
    """A call that somebody outside asks for, as they said it."""

    campaign: str
    number: str
    attributes: Mapping[str, str]
    due: float | None
    by: str = ""
    origin: str = ""


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
        (answer,) = await self.add_calls([CallAsked(campaign, number, attributes, due, by, origin)])
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def add_calls(self, asked: Sequence[CallAsked]) -> list[int | Exception]:
        """One answer for each, in order: as ``add_call``, an exception is for that one alone."""
        answers: list[int | Exception] = [0] * len(asked)
        new: list[tuple[int, LiveRun, NewCall]] = []
        for place, each in enumerate(asked):
            try:
                new.append((place, *self._new(each)))
            except Exception as error:  # noqa: BLE001 - fence: one call; who asked for it is told
                answers[place] = error
        for _, run, _ in new:
            run.appending += 1
        try:
            added = await self._batcher.add_all([call for _, _, call in new])
        finally:
            for _, run, _ in new:
                run.appending -= 1
        for (place, _, _), answer in zip(new, added, strict=True):
            answers[place] = answer if isinstance(answer, Exception) else answer.wombatid
        self._added([(run, call, answer) for (_, run, call), answer in zip(new, added, strict=True)])
        return answers

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

    def _new(self, asked: CallAsked) -> tuple[LiveRun, NewCall]:
        if self._board.state != DialerState.READY:
            raise UserError(f"the dialer is {self._board.state}, try again when it is READY", code="not-ready")
        run = self._board.run_of(asked.campaign)
        if run is None:
            raise UserError(
                f"campaign {asked.campaign!r} has no live run: start it, then its calls can be added", code="no-run"
            )
        return run, _checked(run, asked, now=self._clock.seconds())

    def _added(self, added: list[tuple[LiveRun, NewCall, AddedCall | Exception]]) -> None:
        """The lists have grown; each run looks once."""
        grown: dict[str, None] = {}
        runs: dict[int, LiveRun] = {}
        waits: dict[int, LiveRun] = {}
        for run, call, answer in added:
            if isinstance(answer, Exception):
                continue
            if answer.attached is not None:
                run.lists.setdefault(answer.list_id, answer.attached)
            if (known := run.lists.get(answer.list_id)) is not None:
                grown[known.name] = None
            if call.not_before is None:
                runs[run.id] = run
            else:
                self._waits(run, call.not_before, answer.list_id)
                waits[run.id] = run
        for name in grown:
            self._grown(name)
        for run in runs.values():
            run.hopper.exhausted = False
            self._refill.look(run)
        for run in waits.values():
            self._supervise.look_at(run)

    def _waits(self, run: LiveRun, due: float, list_id: int) -> None:
        """It was taken from the list when it was written."""
        run.tally.taken += 1
        run.tally.open_retries += 1
        if (known := run.lists.get(list_id)) is not None:
            run.lists[list_id] = replace(known, taken=known.taken + 1, remaining=known.remaining - 1)
        run.hopper.retry_added(due)


def _checked(run: LiveRun, asked: CallAsked, *, now: float) -> NewCall:
    number, attributes, due = clean_number(asked.number), asked.attributes, asked.due
    check_attributes(attributes)
    wrong = wrong_alternatives(attributes)
    if wrong:
        raise UserError("; ".join(wrong))
    if due is not None:
        check_moment(due, now=now)
    not_before = due if due is not None and due > now else None
    return NewCall(run.id, number, dict(attributes), not_before, asked.by, asked.origin)
