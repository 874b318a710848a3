"""Pieces of pages: rendered once, never an old one, never somebody else's, no more than so many."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from jinja2 import DictLoader

from tests.webui.console.conftest import XSS
from webui.console.pieces import Pieces

ROME, TOKYO = ZoneInfo("Europe/Rome"), ZoneInfo("Asia/Tokyo")
TEMPLATE = """
{%- macro row(name, at=0) %}{{ rendered(name) }}<a href="<here>x=1">{{ name }}</a> {{ at|shown }}{% endmacro -%}
{% macro other(name) %}other {{ rendered(name) }}{{ name }}{% endmacro %}"""


@pytest.fixture
def rendered() -> list[Any]:
    return []


@pytest.fixture
def app(rendered: list[Any]) -> Flask:
    app = Flask(__name__)
    app.jinja_env.loader = DictLoader({"row.html": TEMPLATE})
    app.jinja_env.globals["rendered"] = lambda name: rendered.append(name) or ""
    app.jinja_env.filters["shown"] = lambda at: f"at {at}"
    return app


def test_it_is_rendered_once_until_it_shows_something_else(app: Flask, rendered: list[Any]) -> None:
    pieces = Pieces()
    with app.app_context():
        piece = pieces.of("row.html", zone=ROME, here="/live?")
        assert piece("row", name="a", at=1) == '<a href="/live?x=1">a</a> at 1' == piece("row", name="a", at=1)
        assert rendered == ["a"]
        assert "at 2" in piece("row", name="a", at=2)
        assert piece("other", name="a") == "other a"
        assert "at 1" in pieces.of("row.html", zone=TOKYO, here="/live?")("row", name="a", at=1)
        assert len(rendered) == 4


def test_who_looks_from_elsewhere_gets_their_own_address(app: Flask, rendered: list[Any]) -> None:
    pieces = Pieces()
    with app.app_context():
        one, other = (pieces.of("row.html", zone=ROME, here=here) for here in ("/live?", '/live?q="<b>&'))
        assert 'href="/live?x=1"' in one("row", name="a")
        assert 'href="/live?q=&#34;&lt;b&gt;&amp;x=1"' in other("row", name="a")
        assert rendered == ["a"]


def test_a_name_is_text_even_if_it_says_here(app: Flask) -> None:
    with app.app_context():
        piece = Pieces().of("row.html", zone=ROME, here="/live?")
        for name in (XSS, "<here>"):
            html = piece("row", name=name).partition(">")[2]
            assert "<here>" not in html
            assert "<img" not in html
            assert "/live?" not in html


def test_so_many_are_kept_and_those_asked_for_stay(app: Flask, rendered: list[Any]) -> None:
    pieces = Pieces(kept=10)
    with app.app_context():
        piece = pieces.of("row.html", zone=ROME, here="")
        for n in range(200):
            piece("row", name=n)
            piece("row", name="always")
        assert rendered.count("always") < 40, "kept while others go"
        assert len(pieces._new) + len(pieces._old) <= 20
