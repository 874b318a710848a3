"""``${NAME}`` in dial strings and caller ids: replaced when the call is placed (spec 01)."""

import re
from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")


def expand(text: str, values: Mapping[str, str]) -> str:
    """``text`` with each ``${NAME}`` replaced by its value; an unknown name becomes empty.

    A value is never expanded again, so a value that holds ``${...}`` stays as it is.
    """
    if "${" not in text:
        return text
    return _PLACEHOLDER.sub(lambda match: values.get(match[1].strip(), ""), text)


def names(text: str) -> list[str]:
    """The placeholder names in a text, in order, for warnings in editors."""
    return [match.strip() for match in _PLACEHOLDER.findall(text)]
