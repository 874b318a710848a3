"""Who has to do with whom: interfaces of agents and unique ids of callers. An agent may have to do with several."""

from collections.abc import Set


class Pairs:
    __slots__ = ("_callers", "_interfaces")

    def __init__(self) -> None:
        self._callers: dict[str, set[str]] = {}  #: of each interface
        self._interfaces: dict[str, set[str]] = {}  #: of each caller

    def __contains__(self, interface: str) -> bool:
        return interface in self._callers

    def interfaces(self) -> list[str]:
        return list(self._callers)

    def callers(self) -> Set[str]:
        return self._interfaces.keys()

    def of(self, caller: str) -> list[str]:
        return list(self._interfaces.get(caller, ()))

    def of_interface(self, interface: str) -> set[str]:
        return self._callers.get(interface, set())

    def add(self, interface: str, caller: str) -> None:
        self._callers.setdefault(interface, set()).add(caller)
        self._interfaces.setdefault(caller, set()).add(interface)

    def drop(self, interface: str, caller: str | None = None) -> None:
        """One pair, or all of an interface; none is fine."""
        known = self.of_interface(interface)
        for each in list(known) if caller is None else known & {caller}:
            _discard(self._callers, interface, each)
            _discard(self._interfaces, each, interface)

    def drop_caller(self, caller: str) -> None:
        for interface in self.of(caller):
            self.drop(interface, caller)

    def clear(self) -> None:
        self._callers.clear()
        self._interfaces.clear()


def _discard(known: dict[str, set[str]], key: str, value: str) -> None:
    known[key].discard(value)
    if not known[key]:
        del known[key]
