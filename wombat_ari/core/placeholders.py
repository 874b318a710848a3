"""``${NAME}`` in dial strings and caller ids: replaced when the call is placed (spec 01)."""

import re
from collections.abc import Mapping
from functools import lru_cache

_PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")


def expand(text: str, values: Mapping[str, str]) -> str:
    """``text`` with each ``${NAME}`` replaced by its value; an unknown name becomes empty.

    A value is never expanded again, so a value that holds ``${...}`` stays as it is.
    """
    if "${" not in text:
        return text
    parts = list(_parts(text))
    parts[1::2] = [values.get(name, "") for name in parts[1::2]]
    return "".join(parts)


def names(text: str) -> list[str]:
    """The placeholder names in a text, in order, for warnings in editors."""
    return list(_parts(text)[1::2])


@lru_cache(maxsize=1024)
def _parts(text: str) -> tuple[str, ...]:
    """Plain text and names in turn, plain text first and last."""
    return tuple(part.strip() if place % 2 else part for place, part in enumerate(_PLACEHOLDER.split(text)))
