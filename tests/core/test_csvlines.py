"""CSV line by line."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wombat_ari.core.csvlines import QuoteOpen, check_delimiter, columns_of, record_of, sniff_delimiter, split_line
from wombat_ari.core.numbers import ParsedRecord
from wombat_ari.model.errors import UserError


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ("NUM,A,B", ","), ("NUMBER;A", ";"), ("number\tA", "\t"), ("Num|A", "|"), ('"NUMBER";"A"', ";"), ("NUM", ","),
        ("NUMBER ;A", ";"), (" NUM,A", ","), ("NUM^A", "^"),
    ],
)  # fmt: skip
def test_the_delimiter_is_what_follows_the_first_label(header: str, delimiter: str) -> None:
    assert sniff_delimiter(header) == delimiter


@pytest.mark.parametrize("header", ["PHONE,A", "", "5551234,x", "NUMERO;A", "NUM_A,B"])
def test_another_first_label_is_refused(header: str) -> None:
    with pytest.raises(UserError, match="begin with NUM or NUMBER"):
        sniff_delimiter(header)


@pytest.mark.parametrize("delimiter", ["", "ab", "a", '"', "\n", " ", "5"])
def test_wrong_delimiters(delimiter: str) -> None:
    with pytest.raises(UserError, match="CSV delimiter"):
        check_delimiter(delimiter)


@given(
    cells=st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), min_size=1),
    delimiter=st.sampled_from(",;\t|"),
)
def test_what_the_csv_module_writes_is_read_back(cells: list[str], delimiter: str) -> None:
    text = StringIO()
    csv.writer(text, delimiter=delimiter).writerow(cells)
    assert split_line(text.getvalue().removesuffix("\r\n"), delimiter) == cells


def test_quotes() -> None:
    assert split_line('1,"a ""b"", c",d', ",") == ["1", 'a "b", c', "d"]
    with pytest.raises(QuoteOpen):
        split_line('1,"a', ",")
    with pytest.raises(UserError, match="wrong place"):
        split_line('1,"a"b', ",")


def test_columns() -> None:
    assert columns_of(["NUM", "A", " >Q ", "", "b1"]) == [None, (False, "A"), (True, "Q"), None, (False, "b1")]
    with pytest.raises(UserError, match="column 3"):
        columns_of(["NUM", "A", "First name"])
    with pytest.raises(UserError, match="same label"):
        columns_of(["NUM", "A", "A"])
    with pytest.raises(UserError, match="101 attributes"):
        columns_of(["NUM", *(f"A{n}" for n in range(101))])


def test_records() -> None:
    columns = columns_of(["NUM", "A", ">Q", "", "B"])
    assert record_of(["0 5", "x,y", "1", "left out", ""], columns) == ParsedRecord("05", {"A": "x,y"}, {"Q": "1"})
    assert record_of(["5"], columns) == ParsedRecord("5")
    with pytest.raises(UserError, match="it has 6 columns, the line of labels has 5"):
        record_of(["5"] * 6, columns)
    with pytest.raises(UserError, match="attribute A"):
        record_of(["5", "x" * 1001], columns)
