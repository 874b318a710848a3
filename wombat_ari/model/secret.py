"""A text that must not be seen: its repr and str are ``***``, so no log line or traceback can show it."""


class Secret:
    """Holds a password. ``reveal()`` is the only way to the text, so that each use can be found by a search.

    Not a dataclass: ``dataclasses.asdict`` of what holds it would take it apart.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


NO_SECRET = Secret()
