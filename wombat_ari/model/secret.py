"""A text that must not be seen: its repr and str are ``***``, so no log line or traceback can show it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """Holds a password. ``reveal()`` is the only way to the text, so that each use can be found by a search."""

    _text: str = field(default="")

    def reveal(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


NO_SECRET = Secret()
