"""How fast a PBX may be told things (spec 03 "Congestion control", spec 04 "Originate").

Two brakes per server. ``Budget``: at most N actions in each unit of time. ``Pressure``: at most so many Originates
without a sign of their channel, and a rate that is halved when the PBX falls behind and comes back by steps
(additive increase, multiplicative decrease, as in TCP: Jacobson, "Congestion Avoidance and Control", 1988).
"""

from collections import OrderedDict


class Budget:
    """At most ``per_unit`` actions in any unit of ``unit_s`` seconds; units begin with the first action in them."""

    __slots__ = ("_began", "_used", "per_unit", "unit_s")

    def __init__(self, unit_s: float, per_unit: int) -> None:
        self.unit_s = unit_s
        self.per_unit = per_unit
        self._began = float("-inf")
        self._used = 0

    def left(self, now: float) -> int:
        """How many actions may be written now."""
        if self._over(now):
            return self.per_unit
        return max(0, self.per_unit - self._used)

    def spend(self, now: float) -> None:
        """Note one action written now."""
        if self._over(now):
            self._began, self._used = now, 0
        self._used += 1

    def opens_at(self, now: float) -> float:
        """When the next action may be written: now, or the end of the unit."""
        return now if self.left(now) else self._began + self.unit_s

    def _over(self, now: float) -> bool:
        """The unit is over (by the sum of ``opens_at``, so that rounding cannot part them), or the clock jumped."""
        return now >= self._began + self.unit_s or now < self._began


class Pressure:
    """Which Originates wait for a sign of their channel, and how many may.

    The allowed number starts at ``limit``. When one waits longer than ``patience_s`` it is halved (once per patience);
    each ``recovery_s`` without trouble it grows by a tenth of the limit, until it is whole again.
    """

    __slots__ = ("_last_change", "_patience_s", "_recovery_s", "_waiting", "allowed", "limit")

    def __init__(self, limit: int = 50, *, patience_s: float = 1.0, recovery_s: float = 1.0) -> None:
        self.limit = limit
        self.allowed = limit
        self._patience_s = patience_s
        self._recovery_s = recovery_s
        self._waiting: OrderedDict[int, float] = OrderedDict()
        self._last_change = float("-inf")

    @property
    def waiting(self) -> int:
        """Originates written that have shown no sign of their channel yet."""
        return len(self._waiting)

    @property
    def lowered(self) -> bool:
        return self.allowed < self.limit

    @property
    def room(self) -> int:
        return max(0, self.allowed - len(self._waiting))

    def sent(self, call: int, now: float) -> None:
        self._waiting[call] = now

    def signed(self, call: int) -> None:
        """The call's channel, answer, refusal or end was seen. Knows no call twice; unknown ones are fine."""
        self._waiting.pop(call, None)

    def trouble(self, now: float) -> None:
        """The PBX dropped an answered call at once, or is late: halve, at most once per patience."""
        if now - self._last_change >= self._patience_s:
            self.allowed = max(1, self.allowed // 2)
            self._last_change = now

    def tick(self, now: float) -> None:
        """Look at the oldest that waits: late lowers, in time raises again."""
        oldest = next(iter(self._waiting.values()), now)
        if now - oldest > self._patience_s:
            self.trouble(now)
        elif self.lowered and now - self._last_change >= self._recovery_s:
            self.allowed = min(self.limit, self.allowed + max(1, self.limit // 10))
            self._last_change = now

    def clear(self) -> None:
        """The link broke: nothing is awaited any more."""
        self._waiting.clear()
