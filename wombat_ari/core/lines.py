"""Lines of a trunk and channels of an end point: how many there are, how many are used. Never more than there are."""

from collections.abc import Callable


class Lines:
    """A counted resource on one server: a trunk's lines or an end point's channels.

    A capacity lowered below what is in use is allowed: nothing is cut, and nothing new fits until enough came back.
    ``on_open`` is called when there is a free one again after there was none.
    """

    __slots__ = ("_capacity", "key", "name", "on_open", "server_id", "used")

    def __init__(self, key: int, name: str, *, server_id: int, capacity: int) -> None:
        self.key = key
        self.name = name
        self.server_id = server_id
        self.used = 0
        self.on_open: Callable[[Lines], None] = _nobody_waits
        self._capacity = capacity

    @property
    def capacity(self) -> int:
        return self._capacity

    @capacity.setter
    def capacity(self, capacity: int) -> None:
        was_full, self._capacity = self.used >= self._capacity, capacity
        self._tell_if_open(was_full)

    @property
    def free(self) -> int:
        free = self._capacity - self.used
        return free if free > 0 else 0

    def take(self) -> None:
        """Use one. Taking from a full one is a mistake of the caller."""
        if self.used >= self._capacity:
            raise OverflowError(f"{self.name}: {self.used} of {self._capacity} already used")
        self.used += 1

    def take_back(self) -> None:
        """Use one for a call that already lives (after a restart), even above the capacity."""
        self.used += 1

    def give(self) -> None:
        """Give one back. Giving back more than was taken is a mistake of the caller."""
        if self.used <= 0:
            raise OverflowError(f"{self.name}: given back more than was taken")
        was_full = self.used >= self._capacity
        self.used -= 1
        self._tell_if_open(was_full)

    def _tell_if_open(self, was_full: bool) -> None:
        if was_full and self.used < self._capacity:
            self.on_open(self)


def _nobody_waits(lines: Lines) -> None:
    """Until somebody does."""
