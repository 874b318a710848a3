"""Step 1, pure: what a number, an attribute and a line of a list may be, and how they are spelled in text.

Native text: ``number,NAME:value,NAME:value`` with ``\\,`` and ``\\\\`` for a comma and a backslash in a value; a name
with a leading ``>`` is an output attribute. Records sent in one text are separated by ``|`` (``\\|`` in a value). A
refusal is a UserError that names the thing; the caller adds the line.

A record may have more numbers, in the input attributes MULTINUM1 to MULTINUM9. Its first try goes to its own number,
the next to the first of the others, and so on, beginning again after the last.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from wombat_ari.model.errors import UserError

MAX_VALUE = 1000
MAX_ATTRIBUTES = 100
OUTPUT_MARK = ">"
ALTERNATIVES = tuple(f"MULTINUM{n}" for n in range(1, 10))  #: input attributes that hold more numbers of a record

_ALTERNATIVES = frozenset(ALTERNATIVES)
_DIGITS = re.compile(r"\+?[0-9]+")
_NUMBER = re.compile(r"[0-9A-Za-z*#+._@-]{1,40}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_PUNCTUATION = str.maketrans("", "", " \t\u00a0()-./")
_FORBIDDEN = re.compile("[\r\n\0]")
_FORBIDDEN_NAMES = {"\r": "CR", "\n": "LF", "\0": "NUL"}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ParsedRecord:
    """A record as read from text, before it is on a list."""

    number: str
    input_attributes: dict[str, str] = field(default_factory=dict)
    output_attributes: dict[str, str] = field(default_factory=dict)


def clean_number(text: str) -> str:
    """The number as it is stored and dialled. Blanks and punctuation go when the rest is digits (a ``+`` may lead)."""
    number = text.strip()
    bare = number.translate(_PUNCTUATION)
    if _DIGITS.fullmatch(bare):
        number = bare
    if _NUMBER.fullmatch(number):
        return number
    if not number:
        raise UserError("the number is empty")
    if len(number) > 40:
        raise UserError(f"number {_short(number)}: it is longer than 40 characters")
    raise UserError(f"number {_short(number)}: only digits, letters and * # + . _ @ - are allowed")


def numbers_of(number: str, inputs: Mapping[str, str]) -> tuple[str, ...]:
    """The numbers of a record in the order in which they are tried, each once; what is no number is left out."""
    found = [number]
    for name in ALTERNATIVES:
        if inputs.get(name, "").strip():
            try:
                found.append(clean_number(inputs[name]))
            except UserError:
                continue
    return tuple(dict.fromkeys(found))


def number_of_attempt(numbers: Sequence[str], attempt: int) -> str:
    """Which of its numbers (at least one) a try of a record goes to; ``attempt`` counts from 1."""
    return numbers[(attempt - 1) % len(numbers)]


def wrong_alternatives(inputs: Mapping[str, str]) -> list[str]:
    """What is wrong with the alternatives that cannot be dialled, in words; they harm nothing else."""
    if _ALTERNATIVES.isdisjoint(inputs):
        return []
    wrong = []
    for name in ALTERNATIVES:
        if inputs.get(name, "").strip():
            try:
                clean_number(inputs[name])
            except UserError as error:
                wrong.append(f"{name}: {error}")
    return wrong


def check_attribute(name: str, value: str) -> None:
    """UserError unless name and value may be an attribute."""
    if not _NAME.fullmatch(name):
        raise UserError(
            f"attribute name {_short(name)}: only letters, digits and _ (first not a digit), 1 to 64 of them"
        )
    check_value(name, value)


def check_value(name: str, value: str) -> None:
    """The same of an attribute whose name was checked before."""
    if len(value) > MAX_VALUE:
        raise UserError(f"attribute {name}: its value has {len(value)} characters, {MAX_VALUE} are allowed")
    found = _FORBIDDEN.search(value)
    if found:
        raise UserError(f"attribute {name}: its value must not hold {_FORBIDDEN_NAMES[found[0]]}")
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        raise UserError(f"attribute {name}: its value holds half a character (a lone surrogate)")


def is_name(name: str) -> bool:
    """Whether an attribute may be called so."""
    return _NAME.fullmatch(name) is not None


def check_attributes(attributes: Mapping[str, str]) -> None:
    if len(attributes) > MAX_ATTRIBUTES:
        raise UserError(f"{len(attributes)} attributes: {MAX_ATTRIBUTES} are allowed")
    for name, value in attributes.items():
        check_attribute(name, value)


def parse_native(line: str) -> ParsedRecord:
    """One line of native text, without its line end."""
    number, *parts = _split(line, ",")
    inputs: dict[str, str] = {}
    outputs: dict[str, str] = {}
    for part in parts:
        if part.strip():
            _add(part, inputs, outputs)
    if len(inputs) + len(outputs) > MAX_ATTRIBUTES:
        raise UserError(f"{len(inputs) + len(outputs)} attributes: {MAX_ATTRIBUTES} are allowed")
    return ParsedRecord(clean_number(number), inputs, outputs)


def parse_pairs(text: str) -> dict[str, str]:
    """``NAME:value,NAME:value``, escaped as in native text. UserError names the one that cannot be."""
    pairs: dict[str, str] = {}
    for part in _split(text, ","):
        if part.strip():
            _add(part.strip(), pairs, {})
    return pairs


def format_native(number: str, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> str:
    """The line that ``parse_native`` reads back."""
    parts = [number]
    parts += [f"{name}:{_escape(value)}" for name, value in inputs.items()]
    parts += [f"{OUTPUT_MARK}{name}:{_escape(value)}" for name, value in outputs.items()]
    return ",".join(parts)


def split_records(text: str) -> list[str]:
    """Lines of native text out of one text with ``|`` between them; empty ones are left out."""
    pieces = _split(text, "|")
    return [piece.replace("\\|", "|") for piece in pieces if piece.strip()]


def attribute_of_label(label: str) -> tuple[bool, str]:
    """A column label of CSV: is it an output attribute, and its name. UserError when it can be neither."""
    label = label.strip()
    output = label.startswith(OUTPUT_MARK)
    name = label[1:] if output else label
    check_attribute(name, "")
    return output, name


def progression(first: str, count: int) -> Iterator[str]:
    """``count`` numbers from ``first`` on, leading zeros (and a leading ``+``) kept."""
    if not _DIGITS.fullmatch(first) or len(first) > 40:
        raise UserError(f"first number {_short(first)}: digits only, a + may lead, 40 characters at most")
    plus, digits = ("+", first[1:]) if first[0] == "+" else ("", first)
    if count < 1 or len(str(int(digits) + count - 1)) > max(len(digits), 15):
        raise UserError(f"count {count}: it must be 1 or more, and the last number must not grow beyond 15 digits")
    start, width = int(digits), len(digits)
    return (f"{plus}{number:0{width}d}" for number in range(start, start + count))


def _add(part: str, inputs: dict[str, str], outputs: dict[str, str]) -> None:
    label, colon, value = part.partition(":")
    if not colon:
        raise UserError(f"attribute {_short(part.strip())}: it must be NAME:value")
    output, name = attribute_of_label(label)
    target = outputs if output else inputs
    if name in target:
        raise UserError(f"attribute {name}: it is given twice")
    value = _ESCAPE.sub(_unescaped, value) if "\\" in value else value
    check_attribute(name, value)
    target[name] = value


def _split(text: str, separator: str) -> list[str]:
    """At each separator that no backslash escapes; the escapes stay."""
    if "\\" not in text:
        return text.split(separator)
    pieces, start, at = [], 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        if text[at] == separator:
            pieces.append(text[start:at])
            start = at + 1
        at += 1
    return [*pieces, text[start:]]


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,")


def _unescaped(match: re.Match[str]) -> str:
    return match[1] if match[1] in "\\," else match[0]


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
