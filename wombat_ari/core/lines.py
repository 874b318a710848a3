"""Lines of a trunk and channels of an end point: how many there are, how many are used. Never more than there are."""


class Lines:
    """A counted resource on one server: a trunk's lines or an end point's channels.

    A capacity lowered below what is in use is allowed: nothing is cut, and nothing new fits until enough came back.
    """

    __slots__ = ("capacity", "key", "name", "server_id", "used")

    def __init__(self, key: int, name: str, *, server_id: int, capacity: int) -> None:
        self.key = key
        self.name = name
        self.server_id = server_id
        self.capacity = capacity
        self.used = 0

    @property
    def free(self) -> int:
        return max(0, self.capacity - self.used)

    def take(self) -> None:
        """Use one. Taking from a full one is a mistake of the caller."""
        if self.used >= self.capacity:
            raise OverflowError(f"{self.name}: {self.used} of {self.capacity} already used")
        self.used += 1

    def take_back(self) -> None:
        """Use one for a call that already lives (after a restart), even above the capacity."""
        self.used += 1

    def give(self) -> None:
        """Give one back. Giving back more than was taken is a mistake of the caller."""
        if self.used <= 0:
            raise OverflowError(f"{self.name}: given back more than was taken")
        self.used -= 1
