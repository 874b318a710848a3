"""The encoder: what is written is exactly what was meant, or nothing is."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wombat_ari.model.calls import OriginateRequest
from wombat_ari.model.errors import UserError
from wombat_ari.wire.ami import MAX_HEADERS, MAX_LINE, encode_action, encode_originate
from wombat_ari.wire.ami_variables import MAX_VALUE, encode_variable, encode_variables

REQUEST = OriginateRequest(42, "Local/5551001@net/n", "ep", "100", 30000)


def lines(data: bytes) -> list[str]:
    assert data.endswith(b"\r\n\r\n")
    return data.decode()[:-4].split("\r\n")


def test_an_action() -> None:
    assert encode_action("Ping") == b"Action: Ping\r\n\r\n"
    assert encode_action("Ping", [("ActionID", "é")]) == "Action: Ping\r\nActionID: é\r\n\r\n".encode()


@pytest.mark.parametrize("bad", ["a\rb", "a\nb", "a\0b", "a\r\n\r\nAction: Command", "\n"])
@pytest.mark.parametrize("place", ["value", "key", "name"])
def test_line_breaks_and_nul_are_refused(bad: str, place: str) -> None:
    key, value, name = [bad if place == part else "Good" for part in ("key", "value", "name")]
    with pytest.raises(UserError, match="holds a line break") as refused:
        encode_action(name, [("First", "x"), (key, value), ("Last", "y")])
    assert "\n" not in str(refused.value)


def test_the_refusal_names_the_header() -> None:
    with pytest.raises(UserError, match="header CallerID") as refused:
        encode_action("Originate", [("Channel", "x"), ("CallerID", "a\nb")])
    assert refused.value.code == "ami.line_break"


def test_a_pair_of_wrongs_makes_no_right() -> None:
    """A CR in one value and an LF in another: the counts alone would not notice."""
    with pytest.raises(UserError):
        encode_action("X", [("A", "a\rb"), ("B", "c\nd")])


def test_a_line_is_at_most_1021_bytes() -> None:
    longest = "v" * (MAX_LINE - len("Key: "))
    assert len(encode_action("X", [("Key", longest)])) == len("Action: X\r\n") + MAX_LINE + 4
    with pytest.raises(UserError, match="header Key is 1022 bytes"):
        encode_action("X", [("Key", longest + "v")])
    with pytest.raises(UserError, match="header Key is 1022 bytes"):  # bytes, not characters
        encode_action("X", [("Key", longest[:-1] + "é")])


def test_an_action_has_at_most_128_headers() -> None:
    assert len(lines(encode_action("X", [("A", "b")] * (MAX_HEADERS - 1)))) == MAX_HEADERS
    with pytest.raises(UserError, match="129 headers"):
        encode_action("X", [("A", "b")] * MAX_HEADERS)


def test_half_a_character_is_refused() -> None:
    with pytest.raises(UserError, match="header A holds half a character"):
        encode_action("X", [("A", "\ud800")])


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        ("plain", "plain"),
        ("a,b", "a\\,b"),
        ('say "hi"', 'say \\"hi\\"'),
        ("C:\\new", "C:\\\\new"),
        ("(open [ and { ${X} $[1] %41 ; | '", "(open [ and { ${X} $[1] %41 ; | '"),
        ("  ", "  "),
        ("", ""),
    ],
)
def test_a_variable_is_escaped(value: str, spelled: str) -> None:
    assert encode_variable("NAME", value) == ("Variable", f"NAME={spelled}")


@pytest.mark.parametrize("name", ["A", "a1", "_A", "__WOMBAT_PRES", "WOMBATID", "x_y_z"])
def test_good_names(name: str) -> None:
    assert encode_variable(name, "v")[1] == f"{name}=v"


@pytest.mark.parametrize(
    "name", ["", "1A", "___A", "_", "A B", "FILE(/tmp/x)", "CHANNEL(language)", "A=B", "A,B", "É", "A-B", "A\n", "A\0"]
)
def test_a_name_that_asterisk_would_execute_or_split_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="name") as refused:
        encode_variable(name, "v")
    assert refused.value.code == "ami.variable_name"


def test_an_originate() -> None:
    request = OriginateRequest(
        42, "Local/5551001@net/n", "ep", "100", 30000, '"Joe" <555>', "acc", (("WOMBATID", "42"), ("X", "a,b"))
    )
    assert lines(encode_originate(request)) == [
        "Action: Originate",
        "ActionID: wbt-0000000000000042",
        "Channel: Local/5551001@net/n",
        "Context: ep",
        "Exten: 100",
        "Priority: 1",
        "Timeout: 30000",
        "Async: true",
        "ChannelId: wbt-0000000000000042",
        "OtherChannelId: wbo-0000000000000042",
        'CallerID: "Joe" <555>',
        "Account: acc",
        "Variable: WOMBATID=42",
        "Variable: X=a\\,b",
    ]


def test_an_originate_leaves_out_what_is_empty() -> None:
    assert not [
        line for line in lines(encode_originate(REQUEST)) if line.startswith(("CallerID", "Account", "Variable"))
    ]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"timeout_ms": 0}, "timeout"),
        ({"timeout_ms": -1}, "timeout"),
        ({"channel": ""}, "dial string"),
        ({"context": " "}, "context"),
        ({"extension": ""}, "extension"),
        ({"caller_id": "a\nb"}, "CallerID"),
        ({"variables": (("X", "a\nb"),)}, "variable X"),
        ({"variables": (("X", "v" * (MAX_VALUE + 1)),)}, "variable X"),
        ({"variables": (("X", f"{'v' * 1100}\n"),)}, "variable X"),
        ({"variables": (("X", f"{'v' * 1100}\ud800"),)}, "variable X"),
        ({"variables": (("FILE(/tmp/x)", "v" * 1100),)}, "name"),
        ({"variables": ((f"X{letter}", "v" * MAX_VALUE) for letter in "abcdefgh")}, "headers"),
        ({"variables": (("X Y", "v"),)}, "X Y"),
        ({"variables": (("X", "v"),) * 130}, "headers"),
    ],
)
def test_an_originate_that_cannot_be_meant_is_refused(changes: dict, word: str) -> None:  # type: ignore[type-arg]
    fields = {name: getattr(REQUEST, name) for name in REQUEST.__slots__}
    with pytest.raises(UserError, match=word):
        encode_originate(OriginateRequest(**{**fields, **changes}))


@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=60)), max_size=5))
def test_no_text_makes_a_second_action(variables: list[tuple[str, str]]) -> None:
    try:
        data = encode_originate(OriginateRequest(7, "a/b", "c", "d", 1, variables=tuple(variables)))
    except UserError:
        return
    assert data.count(b"\r\n\r\n") == 1
    assert len(lines(data)) == 10 + len(variables)
    assert all(len(line.encode()) <= MAX_LINE for line in lines(data))


def put_together(lines: list[bytes]) -> bytes:
    """As Asterisk does: from the last line to the first, ``PUSH(NOTE,c)`` adds c and what stands behind it."""
    value = b""
    for line in reversed(lines):
        key, _, spelled = line.removeprefix(b"Variable: ").partition(b"=")
        pushed = re.fullmatch(rb"PUSH\(NOTE,\\\\x([0-9a-f]{2})\)", key)
        assert pushed or (key, value) == (b"NOTE", b""), key
        assert spelled, "PUSH() of nothing adds nothing"
        value += (bytes.fromhex(pushed[1].decode()) if pushed else b"") + re.sub(rb"\\(.)", rb"\1", spelled)
    return value


@given(st.text(st.sampled_from('ab,"\\ ()${é日🐨'), min_size=950, max_size=4000))
@example("🐨" * 1000)
@example("a" * 2044)
@example("," * 2000)
def test_a_value_longer_than_a_line_comes_together_again(value: str) -> None:
    headers, lines = encode_variables([("NOTE", value)])
    if not headers:
        assert put_together(lines) == value.encode()
        assert max(map(len, lines)) <= MAX_LINE
        assert all(line.count(b",") - line.count(b"\\,") == (b"PUSH(" in line) for line in lines)


def test_a_long_value_is_cut_at_letters_of_one_byte_where_there_are_any() -> None:
    """Asterisk's log complains of half a letter."""
    for line in encode_variables([("NOTE", "日本 " * 900)])[1]:
        line.decode()


def test_a_long_value_that_was_to_be_inherited_is_named() -> None:
    headers, lines = encode_variables([("_NOTE", "n" * 1500), ("__WAY", "w" * 1500), ("PLAIN", "p" * 1500)])
    assert headers == [("Variable", "WOMBAT_INHERITED=NOTE\\,WAY")]
    assert [line.partition(b"=")[0] for line in lines][1::2] == [
        b"Variable: NOTE",
        b"Variable: WAY",
        b"Variable: PLAIN",
    ]
