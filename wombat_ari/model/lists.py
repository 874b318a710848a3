"""What an import says and what a page of a list shows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that was not taken. ``line`` counts from 1."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something of a line that was taken is of no use, as an alternative number that is none."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """``read == added + duplicates + refused``. Of the refusals, and of the remarks, the first ones are kept."""

    read: int = 0
    added: int = 0
    duplicates: int = 0
    refused: int = 0
    refusals: tuple[Refusal, ...] = ()
    bytes_read: int = 0
    remarked: int = 0
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class CsvPreview:
    """How a CSV text would be read: the first column is the number, labels of columns left out are empty."""

    delimiter: str
    labels: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
