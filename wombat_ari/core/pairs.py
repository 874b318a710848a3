"""Who has to do with whom: interfaces of agents and unique ids of callers. An agent may have to do with several."""


class Pairs:
    __slots__ = ("_callers",)

    def __init__(self) -> None:
        self._callers: dict[str, set[str]] = {}

    def __contains__(self, interface: str) -> bool:
        return interface in self._callers

    def interfaces(self) -> list[str]:
        return list(self._callers)

    def callers(self) -> set[str]:
        return set().union(*self._callers.values())

    def of(self, caller: str) -> list[str]:
        return [interface for interface, callers in self._callers.items() if caller in callers]

    def of_interface(self, interface: str) -> set[str]:
        return self._callers.get(interface, set())

    def add(self, interface: str, caller: str) -> None:
        self._callers.setdefault(interface, set()).add(caller)

    def drop(self, interface: str, caller: str | None = None) -> None:
        """One pair, or all of an interface; none is fine."""
        callers = self._callers.get(interface, set())
        callers.discard(caller or "")
        if caller is None or not callers:
            self._callers.pop(interface, None)

    def drop_caller(self, caller: str) -> None:
        for interface in self.of(caller):
            self.drop(interface, caller)

    def clear(self) -> None:
        self._callers.clear()
