"""Write the AGI programs, or check that they are up to date."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROGRAMS = ROOT / "agi_scripts"
PARTS = "tools.agi_scripts.parts."
RULE = 119  #: letters of the line above each part


@dataclass(frozen=True)
class Source:
    """A file of this folder, taken apart."""

    path: Path
    about: str  #: its docstring, as it is written
    modules: frozenset[str]  #: of the standard library
    parts: tuple[str, ...]  #: in the order in which it imports them
    body: str  #: what is behind the imports
    names: frozenset[str]  #: that the body gives


def read(path: Path) -> Source:
    """ValueError: it is not made as it must be."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 7))
    about = ast.get_docstring(tree, clean=False)
    if about is None:
        raise ValueError(f"{path.name}: a docstring is missing")
    modules: list[str] = []
    parts: list[str] = []
    last = tree.body[0]
    for node in tree.body[1:]:
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PARTS):
            parts.append((node.module or "").removeprefix(PARTS))
        else:
            break
        last = node
    body = "\n".join(text.split("\n")[last.end_lineno :]).strip("\n")
    return Source(path, about, frozenset(modules), tuple(parts), body, _names(tree))


def _names(tree: ast.Module) -> frozenset[str]:
    found = {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.ClassDef)}
    for each in tree.body:
        if isinstance(each, ast.Assign):
            found |= {target.id for target in each.targets if isinstance(target, ast.Name)}
    return frozenset(found)


def parts_of(source: Source) -> list[Source]:
    """All that it needs, each behind those that it needs itself."""
    found: dict[str, Source] = {}

    def add(one: Source) -> None:
        for name in one.parts:
            if name not in found:
                part = read(HERE / "parts" / f"{name}.py")
                add(part)
                found[name] = part

    add(source)
    return list(found.values())


def made(program: Path) -> str:
    """The text of the program that stands alone. ValueError: two of its parts give the same name."""
    source = read(program)
    parts = parts_of(source)
    everything = [*parts, source]
    names: set[str] = set()
    for one in everything:
        if twice := names & one.names:
            raise ValueError(f"{program.name}: {one.path.name} gives {min(twice)}, as another part does")
        names |= one.names
    imports = "\n".join(f"import {name}" for name in sorted(set().union(*(one.modules for one in everything))))
    blocks = [
        f'#!/usr/bin/env python3\n"""{source.about}"""',
        f"# Made by `python -m tools.agi_scripts` of {_relative(source)} and the parts named below:\n"
        "# change those, and make it anew. A part is put into every program that needs it.",
        imports,
    ]
    text = "\n\n".join(blocks) + "\n\n"
    for part in parts:
        text += f"{_line(f'{_relative(part)}: {part.about.splitlines()[0]}')}\n\n\n{part.body}\n\n\n"
    return f"{text}{_line(_relative(source))}\n\n\n{source.body}\n"


def _relative(one: Source) -> str:
    return one.path.relative_to(ROOT).as_posix()


def _line(text: str) -> str:
    return f"# ---- {text} ".ljust(RULE, "-")


def programs() -> list[Path]:
    return sorted(path for path in (HERE / "programs").glob("[a-z]*.py"))


def main(words: list[str]) -> int:
    stale = 0
    for program in programs():
        target, text = PROGRAMS / program.name, made(program)
        if target.exists() and target.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if "--check" in words:
            print(f"{target.name} is not what its source makes: python -m tools.agi_scripts")
        else:
            target.write_text(text, encoding="utf-8")
            target.chmod(0o755)
            print(f"{target.name}: written")
    return 1 if stale and "--check" in words else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
