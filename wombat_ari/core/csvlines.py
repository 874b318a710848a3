"""Step 1, pure: CSV (RFC 4180) one line at a time.

A value cannot hold a line break, so each line stands for itself and a forgotten quote harms its own line only. The
first label is ``NUM`` or ``NUMBER``; the character after it is the delimiter, which is surer than statistics.
"""

import csv
import re

from wombat_ari.core.numbers import MAX_ATTRIBUTES, ParsedRecord, attribute_of_label, check_value, clean_number
from wombat_ari.model.errors import UserError

DELIMITERS = ",;\t|"
_FIRST_LABEL = re.compile(r'\s*("?)NUM(?:BER)?\1\s*?(?P<delimiter>[^A-Za-z0-9_" ]|$)', re.IGNORECASE)

Column = tuple[bool, str] | None  #: is it an output attribute, its name; None: the column is left out


class QuoteOpen(UserError):
    """A quoted value does not end on its line."""


def sniff_delimiter(header: str) -> str:
    """From the line of labels. UserError when the first label is another one."""
    found = _FIRST_LABEL.match(header)
    if not found:
        raise UserError(
            f"CSV: the first line must hold the labels and begin with NUM or NUMBER, not with {header[:20]!r}"
        )
    return found["delimiter"] or ","


def check_delimiter(delimiter: str) -> str:
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in '"\r\n\0 ':
        raise UserError(f"CSV delimiter {delimiter!r}: it must be one character: , ; | or a tab")
    return delimiter


def split_line(line: str, delimiter: str) -> list[str]:
    """The cells of a line. ``QuoteOpen`` when a quoted value goes on after it, UserError for misplaced quotes."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise QuoteOpen("a quoted value does not end on its line; a value cannot hold a line break") from None
        raise UserError(f"a quote is in a wrong place: {error}") from None


def columns_of(labels: list[str]) -> list[Column]:
    """What each column is, the number's own included (as None). An empty label leaves its column out."""
    columns: list[Column] = [None]
    for place, label in enumerate(labels[1:], start=2):
        try:
            columns.append(attribute_of_label(label) if label.strip() else None)
        except UserError as error:
            raise UserError(f"CSV: label of column {place}: {error}") from None
    named = [column for column in columns if column]
    if len(named) != len(set(named)):
        raise UserError("CSV: two columns have the same label")
    if len(named) > MAX_ATTRIBUTES:
        raise UserError(f"CSV: {len(named)} attributes, {MAX_ATTRIBUTES} are allowed")
    return columns


def record_of(cells: list[str], columns: list[Column]) -> ParsedRecord:
    """Empty cells, and cells missing at the end of the line, give no attribute."""
    if len(cells) > len(columns):
        raise UserError(f"it has {len(cells)} columns, the line of labels has {len(columns)}")
    inputs: dict[str, str] = {}
    outputs: dict[str, str] = {}
    for column, value in zip(columns, cells, strict=False):
        if column and value:
            check_value(column[1], value)
            (outputs if column[0] else inputs)[column[1]] = value
    return ParsedRecord(clean_number(cells[0]), inputs, outputs)
