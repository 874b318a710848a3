"""What charts are made of, and how they are drawn."""

from __future__ import annotations

import re

import pytest
from flask import Flask, render_template_string

from webui.console import charts
from wombat_ari.model.states import RunState


def test_a_part_keeps_its_place_and_colour_while_numbers_change() -> None:
    one = charts.slices([("b", 1), ("a", 3), ("c", 0)])
    two = charts.slices([("b", 9), ("a", 2)])
    assert [(each.name, each.mark) for each in one] == [(each.name, each.mark) for each in two]
    assert [(each.share, each.start) for each in one] == [(0.75, 0.0), (0.25, 0.75)]


def test_the_smallest_of_many_are_together() -> None:
    found = charts.slices([(f"campaign {n:02}", n) for n in range(1, 41)])
    assert [each.name for each in found] == [f"campaign {n:02}" for n in range(34, 41)] + ["33 others"]
    assert sum(each.count for each in found) == sum(range(1, 41))
    assert sum(each.share for each in found) == pytest.approx(1)
    assert len({each.mark for each in found}) == 8


def test_states_stand_in_the_order_of_a_life_each_in_its_own_colour() -> None:
    found = charts.states([("IDLE", 1), ("RUNNABLE", 1), ("PAUSED", 0)], RunState)
    assert [(each.name, each.mark) for each in found] == [("RUNNABLE", "state-RUNNABLE"), ("IDLE", "state-IDLE")]


def test_bars_and_columns() -> None:
    assert charts.bars([]) == ()
    two = charts.bars([("a", 3), ("b", 1)])
    assert [(each.length, each.share) for each in two] == [(1, 0.75), (1 / 3, 0.25)]
    moments = charts.columns(["9", "10"], [("busy", [1, 0]), ("answered", [3, 0])])
    assert [moment.count for moment in moments] == [4, 0]
    assert moments[0].parts == (("busy", 1, 0.25, "mark-1"), ("answered", 3, 0.75, "mark-2"))


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (1000, "1k"), (1999, "1.9k"), (45_678, "46k"), (1_250_000, "1.2M"), (25e6, "25M")],
)
def test_a_number_in_the_middle_is_short(number: float, text: str) -> None:
    assert charts.short(number) == text


def drawn(app: Flask, call: str, **known: object) -> str:
    with app.test_request_context("/"):
        return render_template_string("{% import 'charts.html' as charts %}{{ charts." + call + " }}", **known)


def test_what_is_drawn_says_everything_in_words_too_and_needs_no_style(app: Flask) -> None:
    names = ["<b>A & B</b>", "C"]
    ring = drawn(app, "doughnut('Calls', parts)", parts=charts.slices(zip(names, (30, 10), strict=True)))
    lengths = drawn(app, "bars('Calls', parts)", parts=charts.bars([(names[0], 30), (names[1], 10)]))
    moments = charts.columns(["9:00", "10:00"], [(names[0], [1, 2]), (names[1], [0, 1])])
    stacks = drawn(app, "columns('Calls', parts, names)", parts=moments, names=[(names[0], "mark-1"), ("C", "mark-2")])
    for text in (ring, lengths, stacks):
        assert "&lt;b&gt;A &amp; B" in text
        assert "<b>A" not in text
        assert "style" not in text
    for text in (ring, lengths):
        assert "30" in text
        assert "75.0 %" in text
    assert re.findall(r"<circle class=\"arc (mark-\d)", ring) == ["mark-1", "mark-2"]
    assert 'aria-label="Calls: 40 calls"' in ring
    assert stacks.count("<rect") == 2 + 3


def test_nothing_to_draw_is_said(app: Flask) -> None:
    for call in ("doughnut('Calls', ())", "bars('Calls', ())", "columns('Calls', ())"):
        assert 'class="empty"' in drawn(app, call)
