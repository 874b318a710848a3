"""The marked parts of a page: found, and filled again."""

import re
from collections.abc import Callable, Mapping

_PART = re.compile(r"(?P<begin><!-- generated: (?P<name>[a-z-]+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL)


def fill(page: str, makers: Mapping[str, Callable[[], str]]) -> str:
    """``page`` with each marked part made anew. A name that nobody makes is a KeyError that names it."""
    return _PART.sub(lambda part: f"{part['begin']}\n{makers[part['name']]().strip()}\n\n{part['end']}", page)


def parts(page: str) -> list[str]:
    """The names of the marked parts, in order."""
    return [part["name"] for part in _PART.finditer(page)]


def table(*rows: tuple[str, ...]) -> str:
    """A Markdown table; the first row is the head."""
    head, *body = rows
    lines = [head, tuple("---" for _ in head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
