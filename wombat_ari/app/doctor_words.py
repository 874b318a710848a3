"""What the doctor says: findings, each with its grade and what to do about it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do."""

    about: str
    grade: Grade
    text: str
    advice: str = ""


Findings = AsyncIterator[Finding]


def good(about: str, text: str) -> Finding:
    return Finding(about, Grade.GOOD, text)


def warning(about: str, text: str, advice: str = "") -> Finding:
    return Finding(about, Grade.WARNING, text, advice)


def bad(about: str, text: str, advice: str = "") -> Finding:
    return Finding(about, Grade.BAD, text, advice)
