"""``python3 -m tools.docs [--check]``: make the generated parts of the docs anew, or tell which are old."""

import sys
from collections.abc import Callable
from pathlib import Path

from tools.docs import commands, machines, rights, settings, tables
from tools.docs.page import fill

ROOT = Path(__file__).parents[2]

#: Which page has which parts, and who makes them.
PAGES: dict[str, dict[str, Callable[[], str]]] = {
    "docs/architecture.md": {
        "picture": tables.picture,
        "call-diagram": machines.call_diagram,
        "call-table": machines.call_table,
        "run-diagram": machines.run_diagram,
        "run-table": machines.run_table,
        "outcome-rules": tables.outcome_rules,
        "outcome-words": tables.outcome_words,
        "why-not": tables.why_not,
        "decisions": tables.decisions,
    },
    "docs/configuration.md": {
        "settings": settings.settings,
        "example": settings.example,
    },
    "docs/commands.md": {
        "commands": commands.commands,
    },
    "docs/security.md": {
        "rights": rights.rights,
    },
}


def made(name: str) -> str:
    """A page as it should be."""
    return fill((ROOT / name).read_text(encoding="utf-8"), PAGES[name])


def main(arguments: list[str]) -> int:
    """Answers the exit status: 1 when a check found an old page."""
    if arguments not in ([], ["--check"]):
        print(__doc__)
        return 2
    old = [name for name in PAGES if made(name) != (ROOT / name).read_text(encoding="utf-8")]
    for name in old:
        if not arguments:
            (ROOT / name).write_text(made(name), encoding="utf-8")
        print(f"{name}: {'is old, run python3 -m tools.docs' if arguments else 'made anew'}")
    return 1 if old and arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
