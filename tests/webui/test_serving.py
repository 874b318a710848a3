"""The real ``wombat-ari serve`` over real HTTP: scripts with curl and jq, users and tokens by the command line, TLS."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.site import Site, until

SCRIPTS = Path(__file__).parent / "scripts"
PASSWORD = "correct-horse-battery"
MADE = """\
server OK
trunk OK
end point OK
list OK
list OK
number OK
5551234 SURNAME:Doe
campaign OK
rule OK
rule OK
rule OK
disposition OK
trunk linked OK
end point linked OK
list linked OK
list linked OK
hours OK
hours linked OK
RS_NOAGENT
RS_NOANSWER
RS_BUSY
1,1,"Spring-numbers","CALL_LIST"
1,2,"Spring-black","BLACK_LIST"
OK Spring-numbers
OK
trunk 1
ep 1
list 1
reschedule 3
disposition 1
oh 1
OK
"""


HABITS = """\
OK
OK
OK: 2 of 2 added to list habits
OK: 1 were there already, 1 of 2 added to list habits
[3,1,2,"5551235","5551236"]
NAME:Ann
OK
0
OK: list habits is a list of campaign habits
HTTP/1.1 405 METHOD NOT ALLOWED
OK
0
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("serving"), settings={"WOMBAT_ARI_ADMIN_PASSWORD": PASSWORD})
    site.wombat("init")
    try:
        site.serve()
        yield site
    finally:
        site.close()


def api(site: Site, path: str, *, header: str = "", body: bytes | None = None) -> tuple[int, Any]:
    """Status and JSON."""
    header = header or "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
    address = f"http://127.0.0.1:{site.console_port}/wombat/api/{path}"
    request = urllib.request.Request(address, data=body, headers={"Authorization": header})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_a_script_makes_all_that_a_campaign_needs(site: Site) -> None:
    command = [str(SCRIPTS / "create_campaign.sh"), f"http://127.0.0.1:{site.console_port}/wombat"]
    done = subprocess.run(
        [*command, f"admin:{PASSWORD}", "Spring"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == MADE
    assert site.wombat("export", "Spring-numbers").stdout == "5551234,SURNAME:Doe\n"


def test_a_script_with_old_habits(site: Site) -> None:
    address = f"http://admin:{PASSWORD}@127.0.0.1:{site.console_port}/wombat/api/"
    command = [str(SCRIPTS / "old_habits.sh"), address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, HABITS), done.stdout + done.stderr
    assert PASSWORD not in site.log()


def test_addresses_of_all_alphabets_and_long_ones(site: Site) -> None:
    """curl escapes nothing of an address; the number of numbers in one is bounded, and that is said."""
    address = f"http://127.0.0.1:{site.console_port}/wombat/api/lists/?op=addToList&list=Città&numbers="

    def curl(numbers: str) -> str:
        command = ["curl", "-sS", "-w", "%{http_code}", address + numbers]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    assert curl("5551%7C5552") == "OK: 2 of 2 added to list Città\n200"
    assert curl("|".join(str(5550000 + n) for n in range(6000))) == "OK: 6000 of 6000 added to list Città\n200"
    assert curl("|".join(str(5550000 + n) for n in range(9000))) == "414"
    assert api(site, "edit/list")[0] == 200


def test_users_and_tokens_by_the_command_line(site: Site) -> None:
    site.wombat("user", "add", "robot", "--class", "ROBOT", "--password", PASSWORD)
    assert "robot  enabled  ROBOT" in site.wombat("user", "list").stdout
    token = site.wombat("token", "add", "robot", "crm", "--scope", "READ", "--days", "1").stdout.strip()
    header = f"Bearer {token}"
    assert api(site, "edit/list", header=header)[0] == 200
    assert api(site, "edit/list?mode=E&data=%7B%22name%22:%22x%22%7D", header=header)[0] == 403
    listed = site.wombat("token", "list").stdout
    assert "good    robot  crm  READ" in listed
    assert token not in listed
    site.wombat("token", "revoke", listed.split()[0])
    assert api(site, "edit/list", header=header)[0] == 401
    site.wombat("user", "change", "robot", "--disable")
    robot = "Basic " + base64.b64encode(f"robot:{PASSWORD}".encode()).decode()
    assert api(site, "edit/list", header=robot)[0] == 401
    assert "there is no class 'X'" in site.wombat("user", "add", "y", "--class", "X", status=2).stderr
    assert "8 to 1000" in site.wombat("user", "add", "y", "--password", "short", status=2).stderr
    assert "y " not in site.wombat("user", "list").stdout


def test_the_dialer_is_stopped_and_started(site: Site) -> None:
    first = site.dialer_pid()
    assert api(site, "engine/?op=STATE")[1]["state"] == "READY"
    assert api(site, "engine/", body=b"op=STOP") == (200, {"state": "DOWN", "uptimeMs": 0})
    assert site.dialer_pid() is None
    assert api(site, "live/runs")[0] == 503
    assert api(site, "sysup")[1]["status"] == "WBTUP", "the console and the database are up"
    assert api(site, "engine/?op=START")[1]["state"] == "READY", "it is waited for"
    assert site.dialer_pid() not in (None, first)
    actions = {action for action, _, _ in site.system_log()}
    assert {"start dialer", "stop dialer", "log-on"} <= actions


def test_a_large_body_is_refused_and_the_next_is_answered(site: Site) -> None:
    assert api(site, "edit/list?mode=E", body=b"data=" + b"x" * (6 << 20))[0] == 413
    assert api(site, "edit/list")[0] == 200


def test_a_body_without_end_is_cut_off(site: Site) -> None:
    """Said to be larger than a disk: refused before it is read."""
    head = "POST /wombat/api/lists/?op=addToList&list=x HTTP/1.1\r\nHost: x\r\n"
    with socket.create_connection(("127.0.0.1", site.console_port), timeout=20) as connection:
        connection.sendall(f"{head}Content-Length: {1 << 40}\r\n\r\nnumbers=1".encode())
        said = b""
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(4096):  # to its end: the connection is closed
                said += piece
        assert said.startswith(b"HTTP/1.1 413")
    assert api(site, "edit/list")[0] == 200


def own_address() -> str:
    """An address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


def test_other_addresses_need_tls_or_a_word(tmp_path: Path) -> None:
    address = own_address()
    site = Site(tmp_path, settings={"WOMBAT_ARI_CONSOLE_ADDRESS": address, "WOMBAT_ARI_ADMIN_PASSWORD": PASSWORD})
    site.wombat("init")
    said = site.wombat("web", status=2)
    assert f"console.address is {address}: passwords and tokens would go there unencrypted" in said.stderr + said.stdout
    certificate = tmp_path / "wombat.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=wombat", "-addext",
         f"subjectAltName=IP:{address}", "-keyout", str(tmp_path / "key.pem"), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    site.environment |= {
        "WOMBAT_ARI_CONSOLE_CERTIFICATE": str(certificate), "WOMBAT_ARI_CONSOLE_PRIVATE_KEY": str(tmp_path / "key.pem")
    }  # fmt: skip
    trust = ssl.create_default_context(cafile=str(certificate))
    credentials = {"Authorization": "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()}
    base = f"https://{address}:{site.console_port}"

    def status(path: str, headers: dict[str, str]) -> int:
        try:
            with urllib.request.urlopen(
                urllib.request.Request(base + path, headers=headers), timeout=20, context=trust
            ) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    try:
        site.serve(ready=False)
        until(lambda: answers(lambda: status("/wombat/api/sysup", {})), 30, "the API answers")
        assert status("/wombat/api/sysup", {}) == 401, "it is not loopback, so it is not trusted"
        assert status("/wombat/api/edit/list", credentials) == 200
        assert status("/account", credentials) == 200, "led to the form: the console has sessions of its own"
    finally:
        site.close()


def answers(question: Any) -> bool:
    try:
        return bool(question())
    except OSError:
        return False


def test_a_certificate_that_cannot_be_used(tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"WOMBAT_ARI_CONSOLE_CERTIFICATE": os.devnull})
    site.wombat("init")
    said = site.wombat("web", status=2)
    assert "console.certificate /dev/null" in said.stderr + said.stdout
