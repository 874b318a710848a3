"""FastAGI's lines, against a recorded session and against odd ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.recordings import DATA
from wombat_ari.model.errors import UserError
from wombat_ari.wire.agi import (
    MAX_COMMAND,
    AgiError,
    Reply,
    Request,
    encode_command,
    is_more_to_come,
    parse_env,
    parse_reply,
    parse_request,
    quoted,
)

SESSION = (DATA / "agi" / "session.txt").read_text().splitlines()


def test_a_recorded_environment() -> None:
    env = parse_env(SESSION[1 : SESSION.index("")])
    assert env["agi_uniqueid"] == "agi-env"
    assert env["agi_accountcode"] == ""
    assert env["agi_calleridname"] == "Joe, D"
    request = parse_request(env)
    assert request == Request("campaign/42", (("num", "5551001"), ("name", "J D")), ("arg one", "two"))


def test_recorded_answers_are_understood() -> None:
    answers = [line[3:] for line in SESSION if line.startswith("<< ") and line[3:6].isdecimal()]
    assert len(answers) > 15
    for answer in answers:
        assert parse_reply([answer]).code in (200, 510, 511, 520)


@pytest.mark.parametrize(
    ("lines", "reply"),
    [
        (["200 result=1 (42)"], Reply(200, "1", "42", "result=1 (42)")),
        (['200 result=1 (a, "b" c)'], Reply(200, "1", 'a, "b" c', 'result=1 (a, "b" c)')),
        (["200 result=1 (a) (b))"], Reply(200, "1", "a) (b)", "result=1 (a) (b))")),
        (["200 result=1 ()"], Reply(200, "1", "", "result=1 ()")),
        (["200 result=0"], Reply(200, "0", "", "result=0")),
        (["200 result=-1"], Reply(200, "-1", "", "result=-1")),
        (["200 result=0 endpos=11360"], Reply(200, "0", "", "result=0 endpos=11360", 11360)),
        (["510 Invalid or unknown command"], Reply(510, "", "", "Invalid or unknown command")),
        (["520-Usage:", "more", "520 End."], Reply(520, "", "", "Usage:\nmore\n520 End.")),
    ],
)
def test_an_answer(lines: list[str], reply: Reply) -> None:
    assert parse_reply(lines) == reply
    assert is_more_to_come(lines[0]) == (len(lines) > 1)


@pytest.mark.parametrize("line", ["", "hello", "20", "result=1"])
def test_what_is_no_answer(line: str) -> None:
    with pytest.raises(AgiError):
        parse_reply([line])


@pytest.mark.parametrize("lines", [["GET / HTTP/1.1"], ["agi_network yes"], ["host: x"]])
def test_what_is_no_environment(lines: list[str]) -> None:
    with pytest.raises(AgiError, match="not AGI"):
        parse_env(lines)


@pytest.mark.parametrize(
    ("script", "request_"),
    [
        ("callstatus?V=1", Request("callstatus", (("V", "1"),), ())),
        ("clear?NAME&B", Request("clear", (("NAME", ""), ("B", "")), ())),
        ("a?N=1%2B1+2", Request("a", (("N", "1+1+2"),), ())),
        ("a?N=b=c", Request("a", (("N", "b=c"),), ())),
        ("a%20b/?%41=%C5%BB%F0%9F%98%80%00", Request("a b", (("A", "Ż😀\0"),), ())),
        ("a?N=%zz%4", Request("a", (("N", "%zz%4"),), ())),
        ("", Request("", (), ())),
        ("?", Request("", (), ())),
        ("a?&&", Request("a", (), ())),
    ],
)
def test_a_request(script: str, request_: Request) -> None:
    assert parse_request({"agi_network_script": script}) == request_


def test_arguments_are_counted_from_one() -> None:
    env = {"agi_network_script": "a", "agi_arg_1": "x", "agi_arg_2": "", "agi_arg_4": "not"}
    assert parse_request(env).arguments == ("x", "")


def test_a_command() -> None:
    assert encode_command("SET VARIABLE", "RES", 'a, "b" c\\') == b'SET VARIABLE "RES" "a, \\"b\\" c\\\\"\n'
    assert encode_command("WAIT FOR DIGIT", 200) == b'WAIT FOR DIGIT "200"\n'
    assert encode_command("NOOP") == b"NOOP\n"


@pytest.mark.parametrize("bad", ["a\nb", "a\rb", "a\0b"])
def test_a_command_is_one_line(bad: str) -> None:
    with pytest.raises(UserError, match="line break"):
        encode_command("SET VARIABLE", "X", bad)


def test_a_command_is_not_too_long() -> None:
    with pytest.raises(UserError, match="bytes long"):
        encode_command("SET VARIABLE", "X", "é" * (MAX_COMMAND // 2))


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=100))
def test_quotes_can_be_undone(text: str) -> None:
    inside = quoted(text)[1:-1]
    out, escaped = "", False
    for character in inside:
        if character == "\\" and not escaped:
            escaped = True
            continue
        assert escaped or character != '"'
        out, escaped = out + character, False
    assert out == text
