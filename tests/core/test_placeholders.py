"""``${NAME}`` in dial strings and caller ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wombat_ari.core.placeholders import expand, names

VALUES = {"num": "5551001", "CITY": "Zürich", "EVIL": "${num}", "open": "${", "close": "}"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("PJSIP/${num}@carrier", "PJSIP/5551001@carrier"),
        ("Local/${num}@${CITY}/n", "Local/5551001@Zürich/n"),
        ("DAHDI/g0/0${num}${num}", "DAHDI/g0/055510015551001"),
        ("${ num }", "5551001"),
        ("${NUM}", ""),
        ("a${unknown}b", "ab"),
        ("${}", ""),
        ("", ""),
        ("$num {num} ${num", "$num {num} ${num"),
        ("100$", "100$"),
    ],
)
def test_expand(text: str, expanded: str) -> None:
    assert expand(text, VALUES) == expanded


def test_a_value_is_never_expanded_again() -> None:
    assert expand("${EVIL}", VALUES) == "${num}"
    assert expand("${open}num${close}", VALUES) == "${num}"


def test_nested_ones_are_not_a_feature() -> None:
    assert expand("${A${num}}", VALUES) == "${A5551001}"


def test_names_in_order_for_editors() -> None:
    assert names("Local/${num}@${ CITY }/n ${num}") == ["num", "CITY", "num"]
    assert names("Local/100@x/n") == []


texts = st.text(alphabet="ab$}{ ", max_size=30)


@given(texts, st.dictionaries(st.sampled_from(["a", "b", "ab", ""]), texts))
def test_the_text_between_and_the_values_are_kept_as_they_are(text: str, values: dict[str, str]) -> None:
    """Told by a scanner that walks the text once, so that a value can never be looked at again."""
    rest, out = text, []
    while True:
        start = rest.find("${")
        while start >= 0:
            inner = rest[start + 2 :].partition("}")
            if inner[1] and "{" not in inner[0]:
                break
            start = rest.find("${", start + 1)
        if start < 0:
            break
        name, _, after = rest[start + 2 :].partition("}")
        out += [rest[:start], values.get(name.strip(), "")]
        rest = after
    assert expand(text, values) == "".join([*out, rest])
