"""callstatus, attribute, append, clear: what they ask of the dialer, and what the dialplan is told."""

from __future__ import annotations

import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.agi_scripts.conftest import Dialer
from tests.agi_scripts.pipes import SCRIPTS, Pbx, environment
from tests.pbx.test_tls import certificate

HOSTILE = [
    'a, "b" (c', "back\\slash\\", "Zoë 日本語 🐨", "two\nlines)", "${EXTEN} $[1+1] %41+&=;|'", "🐨" * 1000, "", ")",
    "1) Ann: yes", "x\nHANGUP\n520-y\n511 z", "x)\n200 result=1 (y", "\n", "ends\r\n",
]  # fmt: skip


def test_status(dialer: Dialer) -> None:
    pbx = Pbx().run("callstatus.py", "1", env=dialer.env)
    assert (pbx.result, pbx.status, pbx.said) == ("OK", 0, "")
    assert dialer.asked == [{"op": "extstatus", "wombatid": "4711", "status": "1"}]
    assert dialer.paths == ["/wombat/api/calls/"]
    assert dialer.tokens == [""]


def test_the_call_of_an_agents_leg(dialer: Dialer) -> None:
    Pbx({"WOMBATID": "99"}, uniqueid="1795498934.7").run("callstatus.py", "2", env=dialer.env)
    Pbx(uniqueid="1795498934.7").run("callstatus.py", "--id", "98", "2", env=dialer.env)
    assert [asked["wombatid"] for asked in dialer.asked] == ["99", "98"]


def test_not_a_call_of_the_dialer(dialer: Dialer) -> None:
    pbx = Pbx(uniqueid="1795498934.7").run("callstatus.py", "2", env=dialer.env)
    assert pbx.result == "ERROR: not a call of the dialer: the channel has no WOMBATID"
    assert not dialer.asked


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_arrives_by_variable(dialer: Dialer, value: str) -> None:
    pbx = Pbx({"NOTE": value, "CALLERID(name)": "Joe, D"})
    pbx.run("attribute.py", "--variable", "NOTE", "--variable=WHO=CALLERID(name)", env=dialer.env)
    assert pbx.result == "OK"
    assert [(asked["op"], asked["attr"], asked["val"]) for asked in dialer.asked] == [
        ("attr", "NOTE", value),
        ("attr", "WHO", "Joe, D"),
    ]


def test_text_in_pieces(dialer: Dialer) -> None:
    assert Pbx().run("append.py", "NOTE", "-one", " two", "", env=dialer.env).result == "OK"
    assert dialer.asked == [{"op": "attrAppend", "wombatid": "4711", "attr": "NOTE", "val": "-one, two,"}]


def test_name_alone_is_a_variable(dialer: Dialer) -> None:
    assert Pbx({"NOTE": HOSTILE[0]}).run("append.py", "NOTE", env=dialer.env).result == "OK"
    assert (dialer.asked[0]["attr"], dialer.asked[0]["val"]) == ("NOTE", HOSTILE[0])
    assert Pbx().run("append.py", env=dialer.env).result == "ERROR: append needs NAME and VALUE, or NAME alone"


@pytest.mark.parametrize("name", ["A}${SHELL(id)", "SHELL(id)", "EVAL(${A})", "A,B", "", "é", "CALLERID(num", "A\n"])
def test_what_is_no_name_is_not_evaluated(dialer: Dialer, name: str) -> None:
    pbx = Pbx().run("attribute.py", "--variable", f"NOTE={name}", env=dialer.env)
    assert pbx.result.endswith("is not the name of a channel variable")
    assert not dialer.asked
    assert not [command for command in pbx.commands if command.startswith("GET")]


def test_token_goes_to_its_own_dialer_only(dialer: Dialer) -> None:
    env = {"WOMBAT_AGI_URL": "http://127.0.0.1:9/", "WOMBAT_AGI_TOKEN": "secret"}
    Pbx().run("callstatus.py", "--url", dialer.url, "1", env=env)
    Pbx().run("callstatus.py", "--url", dialer.url, "--token", "other", "1", env=env)
    assert dialer.tokens == ["", "Bearer other"]


def test_what_follows_two_dashes_is_no_option(dialer: Dialer) -> None:
    Pbx().run("callstatus.py", "--", "--url=http://127.0.0.1:9/", env=dialer.env)
    assert dialer.asked[0]["status"] == "--url=http://127.0.0.1:9/"


def test_what_asterisk_has_cut(dialer: Dialer) -> None:
    told = Pbx().run("attribute.py", "NOTE", "x" * 2000, env=dialer.env).result
    assert told == "ERROR: Asterisk cuts what AGI() is given at 2047 bytes: give a long text by a variable"
    assert not dialer.asked


def test_clear(dialer: Dialer) -> None:
    assert Pbx().run("clear.py", "NOTE", " APPT", env=dialer.env).result == "OK"
    assert [(asked["op"], asked["attr"]) for asked in dialer.asked] == [("attrClear", "NOTE"), ("attrClear", "APPT")]
    assert Pbx().run("clear.py", env=dialer.env).result == "ERROR: clear needs the name of an attribute"


@pytest.mark.parametrize(
    ("status", "text", "told"),
    [
        (200, "ERROR: there is no call 4711\n", "ERROR: there is no call 4711"),
        (
            401,
            "ERROR: log on\n",
            "ERROR: log on (this address is not in api.open_to, and the token is missing or wrong)",
        ),
        (404, "<html>nothing here</html>", "ERROR: status 404"),
        (503, "ERROR: the dialer is not running\n", "ERROR: the dialer is not running"),
        (302, "", "ERROR: status 302"),
    ],
)
def test_refusals(dialer: Dialer, status: int, text: str, told: str) -> None:
    dialer.answers = [(status, text)]
    pbx = Pbx().run("callstatus.py", "1", env=dialer.env)
    assert (pbx.result, pbx.status) == (told, 1)


def test_long_reason(dialer: Dialer) -> None:
    """Of bytes or of quotes: it is cut, and the dialplan is told."""
    for sign in ("🐨", '"'):
        dialer.answers = [(200, "ERROR: " + sign * 2000)]
        pbx = Pbx().run("callstatus.py", "1", env=dialer.env)
        assert re.fullmatch(f"ERROR: {sign}{{200,900}}", pbx.result)


def test_over_tls(dialer: Dialer, tmp_path: Path) -> None:
    """The certificate is checked."""
    pem, key = certificate(tmp_path, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    assert dialer.server is not None
    dialer.server.socket = context.wrap_socket(dialer.server.socket, server_side=True)
    env = {"WOMBAT_AGI_URL": dialer.url.replace("http:", "https:")}
    assert "certificate verify failed" in Pbx().run("callstatus.py", "1", env=env).result
    assert Pbx().run("callstatus.py", "1", env={**env, "SSL_CERT_FILE": str(pem)}).result == "OK"
    assert len(dialer.asked) == 1


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    pbx = Pbx().run("callstatus.py", "--url", f"http://127.0.0.1:{port}/wombat/api", "1")
    assert pbx.result.startswith(f"ERROR: the dialer at 127.0.0.1:{port} cannot be reached: ")


def test_dialer_that_does_not_answer(dialer: Dialer) -> None:
    dialer.delay_s = 3
    began = time.monotonic()
    pbx = Pbx().run("callstatus.py", "--timeout", "1", "1", env=dialer.env)
    assert pbx.result == "ERROR: the dialer was asked and did not answer (no answer within 1 s)"
    assert time.monotonic() - began < 2.5


def test_dialer_that_hangs_up(dialer: Dialer) -> None:
    dialer.drops = True
    assert "did not answer" in Pbx().run("callstatus.py", "1", env=dialer.env).result


def test_settings_from_the_file(dialer: Dialer, tmp_path: Path) -> None:
    (tmp_path / "wombat-agi.conf").write_text(f"; mine\n[dialer]\nurl = {dialer.url}/\ntoken = wba_%x;y\n")
    assert Pbx().run("callstatus.py", "1", env={"AST_CONFIG_DIR": str(tmp_path)}).result == "OK"
    assert dialer.tokens == ["Bearer wba_%x;y"]
    (tmp_path / "wombat-agi.conf").write_text("url = x\n")
    assert "cannot be read" in Pbx().run("callstatus.py", "1", env={"AST_CONFIG_DIR": str(tmp_path)}).result
    (tmp_path / "wombat-agi.conf").write_text("[dialer]\nurl = dialer:8080\n")
    told = Pbx().run("callstatus.py", "1", env={"AST_CONFIG_DIR": str(tmp_path)}).result
    assert told == "ERROR: the address of the dialer is 'dialer:8080': it must begin with http:// or https://"


@pytest.mark.parametrize("how", ["signal", "line", "pipes"])
def test_hang_up_loses_nothing(dialer: Dialer, how: str) -> None:
    """The caller is gone when the script asks its first question (an agent's leg, which reads WOMBATID)."""
    pbx = Pbx(
        {"WOMBATID": "99"}, uniqueid="1.1", hang_up_at="GET FULL VARIABLE", sighup=how != "line", line=how == "line"
    )
    pbx.run("callstatus.py", "1", env=dialer.env)
    assert (pbx.result, pbx.status) == ("OK", 0)
    assert [asked["wombatid"] for asked in dialer.asked] == ["99"]


def test_hang_up_while_the_dialer_is_asked(dialer: Dialer) -> None:
    dialer.delay_s = 0.5

    def hang_up(process: subprocess.Popen[bytes]) -> None:
        while not dialer.asked:
            time.sleep(0.01)
        process.send_signal(signal.SIGHUP)

    pbx = Pbx().run("callstatus.py", "1", env=dialer.env, started=hang_up)
    assert (pbx.result, pbx.status) == ("OK", 0)


def test_pipes_closed_at_the_hang_up(dialer: Dialer) -> None:
    """AGIEXITONHANGUP: the answer to SET VARIABLE never comes; the dialer has been told."""
    pbx = Pbx(hang_up_at="SET VARIABLE", exits=True).run("callstatus.py", "1", env=dialer.env)
    assert pbx.status == 0
    assert len(dialer.asked) == 1


@pytest.mark.parametrize("closed", ["stdin", "stdout"])
@pytest.mark.parametrize(("uniqueid", "told"), [("wbt-0000000000004711", True), ("1.1", False)])
def test_half_closed_pipes(dialer: Dialer, closed: str, uniqueid: str, told: bool) -> None:
    """One direction is gone: what can be told without asking the channel is told, and the script ends at once."""
    process = subprocess.Popen(
        [sys.executable, str(SCRIPTS / "callstatus.py"), "1"], env=dialer.env,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    if closed == "stdout":
        process.stdout.close()
    process.stdin.write(environment(uniqueid, ("1",)).encode())
    process.stdin.flush()
    if closed == "stdin":
        process.stdin.close()
    status = process.wait(timeout=5)
    said = process.stderr.read().decode()
    assert (len(dialer.asked), status) == ((1, 0) if told else (0, 1))
    assert said == ("" if told else "callstatus.py: ERROR: Asterisk has closed the pipe\n")
    for pipe in (process.stdin, process.stdout, process.stderr):
        pipe.close()
