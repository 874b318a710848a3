"""What charts are made of; ``charts.html`` draws them, as SVG made by the server.

A colour is a class (``mark-1`` ..., or that of a state) whose property ``--mark`` is set in ``console.css``. No chart
says anything by colour alone: each part has its name and its number beside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from webui.console.pages import Pages

MOST = 7  #: parts with a colour of their own; what is left is ``others``
OTHERS = "others"


def add_to(pages: Pages) -> None:
    """The filter that charts need."""
    pages.blueprint.add_app_template_filter(short, "short")


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a whole. ``share`` and ``start`` (how much is before it) are from 0 to 1."""

    name: str
    count: int
    share: float
    start: float
    mark: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One of several that are compared. ``length``: 0 to 1, the longest has 1; ``share``: of the sum."""

    name: str
    count: float
    length: float
    share: float
    mark: str


@dataclass(frozen=True, slots=True)
class Column:
    """One moment of several. ``parts``: of a stack, from below: name, count, height (0 to 1 of the highest), mark."""

    label: str
    count: int
    parts: tuple[tuple[str, int, float, str], ...]


def slices(parts: Iterable[tuple[str, int]]) -> tuple[Slice, ...]:
    """By name, so that a part keeps its place and colour while the numbers change; the smallest of many together."""
    known = sorted(((name, count) for name, count in parts if count > 0), key=lambda part: (-part[1], part[0]))
    shown = sorted(known[:MOST])
    marked = [(name, count, f"mark-{place}") for place, (name, count) in enumerate(shown, 1)]
    rest = sum(count for _, count in known[MOST:])
    return _in_turn([*marked, (f"{len(known) - MOST} {OTHERS}", rest, "mark-others")] if rest else marked)


def states(parts: Iterable[tuple[str, int]], order: Iterable[str]) -> tuple[Slice, ...]:
    """Each state in its own colour, in the order of a life."""
    counts = dict(parts)
    return _in_turn([(name, counts[name], f"state-{name}") for name in map(str, order) if counts.get(name)])


def bars(parts: Sequence[tuple[str, float]], *, marks: Sequence[str] = ()) -> tuple[Bar, ...]:
    """In the order given. ``marks``: classes of the colours, one for all if there is none."""
    longest, whole = max((count for _, count in parts), default=0), sum(count for _, count in parts)
    given = marks or ["mark-1"] * len(parts)
    return tuple(
        Bar(name, count, count / longest if longest else 0.0, count / whole if whole else 0.0, mark)
        for (name, count), mark in zip(parts, given, strict=True)
    )


def columns(
    labels: Sequence[str], stacks: Sequence[tuple[str, Sequence[int]]], *, marks: Sequence[str] = ()
) -> tuple[Column, ...]:
    """``stacks``: names and their numbers, one for each label; the first is at the bottom."""
    given = marks or [f"mark-{place}" for place in range(1, len(stacks) + 1)]
    totals = [sum(numbers[place] for _, numbers in stacks) for place in range(len(labels))]
    highest = max(totals, default=0) or 1
    return tuple(
        Column(
            label,
            totals[place],
            tuple(
                (name, numbers[place], numbers[place] / highest, mark)
                for (name, numbers), mark in zip(stacks, given, strict=True)
            ),
        )
        for place, label in enumerate(labels)
    )


def short(number: float) -> str:
    """At most four characters, for the middle of a ring: ``1234`` -> ``1.2k``."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if number >= size:
            return f"{number / size:.0f}{unit}" if number >= 10 * size else f"{int(number / size * 10) / 10:g}{unit}"
    return f"{number:.0f}"


def _in_turn(parts: Sequence[tuple[str, int, str]]) -> tuple[Slice, ...]:
    whole, before, found = sum(count for _, count, _ in parts), 0, []
    for name, count, mark in parts:
        found.append(Slice(name, count, count / whole, before / whole, mark))
        before += count
    return tuple(found)
