"""The colours that states and charts are drawn with: seen on the sheet, and told apart by who sees fewer colours."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest

from wombat_ari.engine.glance import LIVE_STATES
from wombat_ari.model.states import RunState

CSS = (Path(__file__).parents[3] / "webui/static/console.css").read_text()
THEMES = ("light", "dark")
DRAWN, READ = 3.0, 4.5  #: contrast that WCAG AA asks of what is drawn, and of text
APART = 0.09  #: distance in OKLab: twice what is just seen to be another colour at this size
#: How who lacks one kind of cones sees linear RGB (Machado, Oliveira and Fernandes 2009).
EYES = {
    "all": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "no blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
Colour = tuple[float, float, float]  #: linear RGB


def linear(text: str) -> Colour:
    red, green, blue = (int(text[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return tuple(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue))  # type: ignore[return-value]


def wash(colour: Colour, sheet: Colour) -> Colour:
    """16 % of a colour on the sheet, as ``color-mix(in srgb, ...)`` makes it."""
    mixed = (0.16 * encoded(a) + 0.84 * encoded(b) for a, b in zip(colour, sheet, strict=True))
    return linear("#" + "".join(f"{round(255 * part):02x}" for part in mixed))


def encoded(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def seen(colour: Colour, eyes: str) -> Colour:
    return tuple(sum(a * b for a, b in zip(row, colour, strict=True)) for row in EYES[eyes])  # type: ignore[return-value]


def contrast(one: Colour, other: Colour) -> float:
    lights = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def oklab(colour: Colour) -> Colour:
    red, green, blue = (min(1.0, max(0.0, c)) for c in colour)
    cones = (
        0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue,
        0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue,
        0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue,
    )
    long, middle, short = (c ** (1 / 3) for c in cones)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def distance(one: Colour, other: Colour) -> float:
    return sum((a - b) ** 2 for a, b in zip(oklab(one), oklab(other), strict=True)) ** 0.5


def marks(theme: str) -> dict[str, Colour]:
    """name -> colour, from the style sheet."""
    found = re.findall(r"--mark-(\w+): light-dark\((#\w{6}), (#\w{6})\)", CSS)
    assert len(found) == 8
    return {name: linear(colours[THEMES.index(theme)]) for name, *colours in found}


def grounds(theme: str) -> dict[str, Colour]:
    block = CSS.split(':root[data-theme="dark"]')[THEMES.index(theme)]
    found = dict(re.findall(r"--(ground|sheet|ink): (#\w{6})", block))
    return {name: linear(colour) for name, colour in found.items()}


@pytest.mark.parametrize("theme", THEMES)
def test_they_are_seen_on_the_sheet_and_beside_it(theme: str) -> None:
    ground = grounds(theme)
    for name, colour in marks(theme).items():
        assert min(contrast(colour, ground["sheet"]), contrast(colour, ground["ground"])) >= DRAWN, name


@pytest.mark.parametrize("theme", THEMES)
def test_the_word_of_a_state_is_read_on_its_wash(theme: str) -> None:
    ground = grounds(theme)
    assert "color-mix(in srgb, var(--mark) 16%, var(--sheet)); color: var(--ink)" in CSS
    for name, colour in marks(theme).items():
        assert contrast(wash(colour, ground["sheet"]), ground["ink"]) >= READ, name


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("theme", THEMES)
def test_any_two_are_told_apart(theme: str, eyes: str) -> None:
    for (name, one), (other_name, other) in combinations(marks(theme).items(), 2):
        assert distance(seen(one, eyes), seen(other, eyes)) >= APART, (name, other_name)


def test_every_state_has_its_own_colour_and_an_idle_run_is_gold() -> None:
    for kind, states in (("run", list(RunState)), ("call", sorted(LIVE_STATES))):
        colours = {}
        for state in states:
            assert f".state-{state} {{ --mark: var(--{kind}-{state}); }}" in CSS
            colours[state] = re.findall(rf"--{kind}-{state}: var\((--mark-\w+)\)", CSS)
            assert len(colours[state]) == 1, state
        assert len({str(colour) for colour in colours.values()}) == len(states), "each its own"
        if kind == "run":
            assert colours[RunState.IDLE] == ["--mark-gold"]
