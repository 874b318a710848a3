"""What a number, an attribute and a native line may be."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wombat_ari.core.numbers import (
    ParsedRecord,
    check_attribute,
    clean_number,
    format_native,
    number_of_attempt,
    numbers_of,
    parse_native,
    progression,
    split_records,
    wrong_alternatives,
)
from wombat_ari.model.errors import UserError

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,63}", fullmatch=True)
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=1000)
ATTRIBUTES = st.dictionaries(NAMES, VALUES, max_size=6)
NUMBERS = st.from_regex(r"[0-9A-Za-z*#+._@-]{1,40}", fullmatch=True).filter(lambda n: clean_number(n) == n)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5551234", "5551234"),
        ("  5551234\t", "5551234"),
        ("(02) 555-12.34/5", "0255512345"),
        ("+39 02 555", "+3902555"),
        ("+39\u00a002", "+3902"),
        ("*69", "*69"),
        ("#31#555", "#31#555"),
        ("alice", "alice"),
        ("sip-alice.b@example.org", "sip-alice.b@example.org"),
        ("555-ABC", "555-ABC"),
        ("1" * 40, "1" * 40),
        ("1-" * 40, "1" * 40),
    ],
)
def test_numbers_that_are_taken(text: str, number: str) -> None:
    assert clean_number(text) == number


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("()-", "only digits, letters"),
        ("555 ABC", "'555 ABC'"),
        ("1" * 41, "longer than 40"),
        ("555&556", "only digits, letters"),
        ("${num}", "only digits, letters"),
        ("5/../x", "only digits, letters"),
        ("555\r\nAction: x", "only digits, letters"),
        ("٣٤٥", "only digits, letters"),
        ("555,556", "only digits, letters"),
    ],
)
def test_numbers_that_are_refused(text: str, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        clean_number(text)


@pytest.mark.parametrize("name", ["A", "_", "a1", "Z" * 64, "CamelCase_1"])
def test_attribute_names(name: str) -> None:
    check_attribute(name, "")


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "Z" * 65, "É", "A\n", "${A}", "__é"])
def test_wrong_attribute_names(name: str) -> None:
    with pytest.raises(UserError, match="attribute name"):
        check_attribute(name, "")


@pytest.mark.parametrize(
    ("value", "reason"),
    [("a\rb", "CR"), ("a\nb", "LF"), ("a\0b", "NUL"), ("x" * 1001, "1001 characters"), ("\ud800", "surrogate")],
)
def test_wrong_values_name_their_attribute(value: str, reason: str) -> None:
    with pytest.raises(UserError, match=f"attribute ABC: .*{reason}"):
        check_attribute("ABC", value)


@pytest.mark.parametrize(
    ("line", "record"),
    [
        ("555", ParsedRecord("555")),
        ("555,A:1,B:2", ParsedRecord("555", {"A": "1", "B": "2"})),
        ("555, A:1 , B: 2", ParsedRecord("555", {"A": "1 ", "B": " 2"})),
        ("555,URL:http://x/y:8,", ParsedRecord("555", {"URL": "http://x/y:8"})),
        (r"555,A:a\,b\\c", ParsedRecord("555", {"A": r"a,b\c"})),
        (r"555,A:a\nb", ParsedRecord("555", {"A": r"a\nb"})),
        (r"555,A:end" + "\\", ParsedRecord("555", {"A": "end\\"})),
        ("555,A:", ParsedRecord("555", {"A": ""})),
        ("555,>Q:1,A:2", ParsedRecord("555", {"A": "2"}, {"Q": "1"})),
        ("555,A:one\u2028two\x0bthree", ParsedRecord("555", {"A": "one\u2028two\x0bthree"})),
    ],
)
def test_native_lines(line: str, record: ParsedRecord) -> None:
    assert parse_native(line) == record


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("555,A", "must be NAME:value"),
        ("555,:x", "attribute name"),
        ("555,1A:x", "attribute name '1A'"),
        ("555,A:1,A:2", "A: it is given twice"),
        (",A:1", "empty"),
        ("555," + ",".join(f"A{n}:x" for n in range(101)), "101 attributes"),
        ("555,A:x\ry", "CR"),
    ],
)
def test_wrong_native_lines(line: str, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        parse_native(line)


@given(number=NUMBERS, inputs=ATTRIBUTES, outputs=ATTRIBUTES)
def test_native_text_comes_back_as_it_was(number: str, inputs: dict[str, str], outputs: dict[str, str]) -> None:
    assert parse_native(format_native(number, inputs, outputs)) == ParsedRecord(number, inputs, outputs)


@given(st.text())
def test_any_line_is_a_record_or_refused(line: str) -> None:
    with suppress(UserError):
        record = parse_native(line)
        assert parse_native(format_native(record.number, record.input_attributes, record.output_attributes)) == record


def test_records_in_one_text() -> None:
    assert split_records("1|2,A:x|| 3 |") == ["1", "2,A:x", " 3 "]
    assert split_records(r"1,A:a\|b|2,B:c\\|3") == ["1,A:a|b", r"2,B:c\\", "3"]


@pytest.mark.parametrize(
    ("first", "count", "numbers"),
    [
        ("5", 3, ["5", "6", "7"]),
        ("098", 3, ["098", "099", "100"]),
        ("99", 2, ["99", "100"]),
        ("+3900", 2, ["+3900", "+3901"]),
    ],
)
def test_progressions(first: str, count: int, numbers: list[str]) -> None:
    assert list(progression(first, count)) == numbers


@pytest.mark.parametrize(("first", "count"), [("", 1), ("abc", 1), ("5", 0), ("9" * 15, 2), ("1" * 41, 1), ("++5", 1)])
def test_wrong_progressions(first: str, count: int) -> None:
    with pytest.raises(UserError):
        progression(first, count)


MORE = {"MULTINUM1": "(02) 55-1", "MULTINUM3": "alice", "MULTINUM2": " ", "MULTINUM10": "9", "multinum4": "8", "A": "7"}


def test_the_numbers_of_a_record_are_its_own_and_then_the_alternatives_in_order() -> None:
    assert numbers_of("1", {}) == ("1",)
    assert numbers_of("1", MORE) == ("1", "02551", "alice")
    assert numbers_of("0", {f"MULTINUM{n}": f"{n}" for n in range(9, 0, -1)}) == tuple("0123456789")


def test_each_number_is_tried_once_before_the_first_is_tried_again() -> None:
    assert numbers_of("1", {"MULTINUM1": "2", "MULTINUM2": "1", "MULTINUM3": "2", "MULTINUM4": "3"}) == ("1", "2", "3")
    assert [number_of_attempt(("1", "2", "3"), n) for n in range(1, 8)] == list("1231231")
    assert [number_of_attempt(("1",), n) for n in (1, 2, 9)] == list("111")


def test_an_alternative_that_is_no_number_is_left_out_and_told() -> None:
    wrong = {"MULTINUM1": "no way", "MULTINUM2": "5", "MULTINUM9": "1" * 41, "OTHER": "no way"}
    assert numbers_of("1", wrong) == ("1", "5")
    first, second = wrong_alternatives(wrong)
    assert first.startswith("MULTINUM1: number 'no way'")
    assert second.startswith("MULTINUM9: ")
    assert wrong_alternatives(MORE) == wrong_alternatives({}) == []
