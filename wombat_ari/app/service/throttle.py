"""Brakes on guessing: after some failures an address, and a login, must wait, each time twice as long.

An address from which a login succeeded lately is not held up by failures elsewhere, so nobody can lock out others.
A token has no login: its address waits only, a token cannot be guessed. Moments are given, nothing here looks at a
clock. What is remembered is bounded.
"""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

FREE_FAILURES = 5  #: of one login from one address before a wait
FREE_OF_ADDRESS = 20  #: of all logins from one address
FREE_OF_LOGIN = 50  #: of one login from all addresses
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 900.0
FORGOTTEN_S = 3600.0  #: after so long without a failure all is forgiven
KNOWN_S = 30 * 86400.0  #: so long an address is remembered as a login's own
REMEMBERED = 20_000  #: addresses and logins


@dataclass(slots=True)
class _Count:
    failures: int = 0
    last_at: float = 0.0
    until: float = 0.0


class Throttle:
    """Shared by all threads that log people on."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], float] = OrderedDict()

    def wait_s(self, address: str, login: str, *, now: float) -> float:
        """How long this address must wait before it may try this login, 0 when it may."""
        with self._lock:
            untils = [self._counts[key].until for key, _ in self._brakes(address, login, now) if key in self._counts]
        return max(0.0, max(untils, default=0.0) - now)

    def failed(self, address: str, login: str, *, now: float) -> None:
        with self._lock:
            for key, free in self._brakes(address, login, now):
                count = self._counts.setdefault(key, _Count())
                if now - count.last_at > FORGOTTEN_S:
                    count.failures = 0
                count.failures, count.last_at = count.failures + 1, now
                if count.failures >= free:
                    count.until = now + min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(20, count.failures - free))
                self._counts.move_to_end(key)
            _trim(self._counts)

    def succeeded(self, address: str, login: str, *, now: float) -> None:
        with self._lock:
            self._counts.pop((address, login), None)
            self._known[address, login] = now
            self._known.move_to_end((address, login))
            _trim(self._known)

    def _brakes(self, address: str, login: str, now: float) -> list[tuple[tuple[str, str], int]]:
        if not login:
            return [((address, ""), FREE_OF_ADDRESS)]
        brakes = [((address, login), FREE_FAILURES), ((address, ""), FREE_OF_ADDRESS)]
        if now - self._known.get((address, login), -KNOWN_S) >= KNOWN_S:
            brakes.append((("", login), FREE_OF_LOGIN))
        return brakes


def _trim(table: OrderedDict[tuple[str, str], Any]) -> None:
    while len(table) > REMEMBERED:
        table.popitem(last=False)
