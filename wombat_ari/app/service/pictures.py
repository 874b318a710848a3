"""What the dialer says of now, asked once for all who look at the same moment.

Twenty supervisors whose pages refresh every two seconds are told what was found out for the first of them, if that is
not older than ``FRESH_S``. Who has done something says ``forget``: what is shown next was found out after it.
Nothing is decided by these; who may see what of them is up to the services.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock

from wombat_ari.app.service.asks import Asks, Picture
from wombat_ari.model.errors import UserError
from wombat_ari.model.live import CallsWanted

FRESH_S = 0.5
KEPT = 100  #: answers; each is at most a page of calls, and one is the picture of the whole


@dataclass(slots=True)
class _Answer:
    """``asked_at``: when the asking for it began, -inf before the first time."""

    lock: Lock = field(default_factory=Lock)
    asked_at: float = float("-inf")
    generation: int = -1
    picture: Picture = field(default_factory=dict)
    refusal: tuple[str, str] | None = None  #: text and code


class Pictures:
    """One for a process; shared by threads. UserError with the code ``dialer-down`` when no dialer runs."""

    def __init__(self, ask: Asks, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = Lock()
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()
        self._generation = 0

    def overview(self) -> Picture:
        """Everything but the calls, which are counted only (``engine/publish``, ``engine/glance``)."""
        return self._get("overview", lambda: self._ask.snapshot(calls=False))

    def calls(self, wanted: CallsWanted) -> Picture:
        """A page of the live calls: ``calls``, ``total``, ``skip``, ``now``."""
        return self._get(wanted, lambda: self._ask.live_calls(wanted))

    def forget(self) -> None:
        """Something was done: what was found out before does not count any more."""
        with self._lock:
            self._generation += 1

    def _get(self, key: Hashable, ask: Callable[[], Picture]) -> Picture:
        answer = self._answer(key)
        with answer.lock:  # who comes while it is being asked waits for that answer
            generation = self._generation
            if answer.generation != generation or self._clock() - answer.asked_at >= FRESH_S:
                answer.asked_at, answer.generation = self._clock(), generation
                _fill(answer, ask)
            if answer.refusal is not None:
                raise UserError(answer.refusal[0], code=answer.refusal[1])
            return answer.picture

    def _answer(self, key: Hashable) -> _Answer:
        with self._lock:
            answer = self._answers.pop(key, None) or _Answer()
            self._answers[key] = answer  # the last is the one used last
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)
            return answer


def _fill(answer: _Answer, ask: Callable[[], Picture]) -> None:
    answer.picture, answer.refusal = {}, None
    try:
        answer.picture = ask()
    except UserError as refusal:
        answer.refusal = str(refusal), refusal.code
    except BaseException:
        answer.asked_at = float("-inf")  # the next one asks again
        raise
