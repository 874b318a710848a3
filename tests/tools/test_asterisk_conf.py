"""The shipped Asterisk configuration: each file loads in a real Asterisk without a word, and does what it says."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import started
from tests.pbx.test_tls import certificate
from tools.provision.asterisk import AsteriskInstance
from tools.provision.config import SHIPPED
from tools.provision.ports import HOST, free_port
from tools.provision.root import AsteriskRoot, ensure_asterisk

#: Samples, and as what they are loaded here.
SAMPLES = {
    "manager.d/tls.conf.sample": "manager.d/tls.conf",
    "manager.d/wombat-16.conf.sample": "manager.d/older.conf",
    "pjsip.d/carrier.conf.sample": "pjsip.d/carrier.conf",
    "pjsip.d/phone.conf.sample": "pjsip.d/phone.conf",
    "queues.d/agents.conf.sample": "queues.d/agents.conf",
    "freepbx/manager_custom.conf": "manager.d/freepbx.conf",
    "freepbx/extensions_custom.conf": "extensions.d/freepbx.conf",
}
RENAMED = {"manager.d/wombat-16.conf.sample": "older", "freepbx/manager_custom.conf": "freepbx"}
#: Who reads a file, or those in a folder, besides Asterisk's core, which reads all others.
MODULES = {
    "ari": "res_ari", "cdr": "cdr_csv", "musiconhold": "res_musiconhold", "pjsip": "res_pjsip", "queues": "app_queue",
    "rtp": "res_rtp_asterisk", "extensions": "pbx_config",
}  # fmt: skip
OTHERS = ("res_pjsip_endpoint_identifier_ip", "res_pjsip_outbound_registration")
#: Read by programs of ours.
OURS = ("wombat-agi.conf",)


def files() -> list[Path]:
    return [path for path in sorted(SHIPPED.rglob("*.conf*")) if path.name not in OURS]


def options(path: Path) -> set[str]:
    """The names of the options in a file, also of those that are commented out (``;name = value``)."""
    found, section = set(), ""
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = line[1:].partition("]")[0]
        elif section not in ("globals", "logfiles", "modules") and not path.match("extensions.d/*"):
            name = re.match(r";?([a-z_-]+)(\(.*\))? *=", line)
            found |= {name[1]} if name else set()
    return found


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"), HOST)


@pytest.fixture(scope="module")
def tls_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory, tls: tuple[Path, Path], tls_port: int) -> Iterator[AsteriskInstance]:
    """One Asterisk with all files and all samples."""
    extra = {}
    for sample, name in SAMPLES.items():
        text = (SHIPPED / sample).read_text()
        for old, new in {
            "/etc/asterisk/keys/": "/mnt/keys/", ":5039": f":{tls_port}", "192.0.2.10": HOST,
            "[wombat]": f"[{RENAMED.get(sample, 'wombat')}]",
        }.items():  # fmt: skip
            text = text.replace(old, new)
        extra[name] = text
    directory = tmp_path_factory.mktemp("shipped")
    with ExitStack() as stack:
        instance = AsteriskInstance(directory, extra_conf=extra)
        (directory / "keys").mkdir()
        shutil.copy(tls[0], directory / "keys/ami.pem")
        shutil.copy(tls[1], directory / "keys/ami.key")
        yield started(stack, lambda: instance)


def complaints(log: str) -> list[str]:
    return [line for line in log.splitlines() if re.search(r"\] (WARNING|ERROR)\[", line)]


def test_not_a_word_at_the_start(pbx: AsteriskInstance) -> None:
    """Neither a warning nor an error of anything."""
    log = (pbx.directory / "log/messages.log").read_text()
    assert "modules will be loaded" in log
    assert complaints(log) == []


def test_a_reload_says_nothing_either(pbx: AsteriskInstance) -> None:
    log = pbx.directory / "log/messages.log"
    before = len(log.read_text())
    for what in ("manager reload", "dialplan reload", "queue reload all", "module reload res_pjsip.so"):
        pbx.cli(what)
    assert complaints(log.read_text()[before:]) == []


def test_a_wrong_line_is_told_by_the_log(pbx: AsteriskInstance) -> None:
    """So that silence means something: an application that is none, a queue's option that is none."""
    log, etc = pbx.directory / "log/messages.log", pbx.directory / "etc"
    before = len(log.read_text())
    (etc / "queues.d/wrong.conf").write_text("[wrong]\nnosuchoption = yes\n")
    (etc / "extensions.d/wrong.conf").write_text("[wrong]\nexten => 1,1,NoOp()\nexten => 1,3,NoOp(\nnonsense\n")
    try:
        pbx.cli("queue reload all")
        pbx.cli("dialplan reload")
        said = complaints(log.read_text()[before:])
        assert any("nosuchoption" in line for line in said)
        assert any("wrong.conf" in line for line in said)
    finally:
        (etc / "queues.d/wrong.conf").unlink()
        (etc / "extensions.d/wrong.conf").unlink()
        pbx.cli("queue reload all")
        pbx.cli("dialplan reload")


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(SHIPPED)))
def test_is_read(pbx: AsteriskInstance, path: Path) -> None:
    name = str(path.relative_to(SHIPPED))
    read = {line.split()[-1] for line in pbx.cli("config list").splitlines() if line.strip()}
    assert f"/mnt/etc/{SAMPLES.get(name, name)}" in read


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(SHIPPED)))
def test_every_option_is_one(path: Path) -> None:
    """Asterisk passes over most options that it does not know: their names are to be among its texts."""
    root = ensure_asterisk()
    stem = str(path.relative_to(SHIPPED)).partition(".")[0]
    programs = [root.inside(root.program)]
    if stem in MODULES:
        programs += [module_of(root, name) for name in (MODULES[stem], *OTHERS)]
    texts = b"".join(program.read_bytes() for program in programs)
    assert [name for name in options(path) if name.encode() + b"\0" not in texts] == []


def test_no_option_would_be_found() -> None:
    root = ensure_asterisk()
    assert b"enablestatik\0" not in root.inside(root.program).read_bytes()
    assert {"timeout", "member", "wrapuptime"} < options(SHIPPED / "queues.d/agents.conf.sample")


def module_of(root: AsteriskRoot, name: str) -> Path:
    return root.inside(f"{root.modules()}/{name}.so")


# What the lines do

EFFECTS = {
    "manager show settings": [r"TLS Enable: +Yes", r"Allow multiple login: +Yes", r"Display connects: +No",
                              r"Web Manager \(AMI/HTTP\): +No", r"TCP Bindaddress: +127\.0\.0\.1:"],
    "manager show user wombat": [r"deny - 0\.0\.0\.0/0\.0\.0\.0\s+1: allow - 127\.0\.0\.1/255\.255\.255\.255"],
    "http show status": [r"Bound to 127\.0\.0\.1:", r"/ari/"],
    "ari show user wombat": [r"Read only\?: No"],
    "queue show 999": [r"'rrmemory' strategy"],
    "queue show 400": [r"'rrmemory' strategy"],
    "cdr show status": [r"Logging: +Enabled", r"Log unanswered calls: +No", r"csv"],
    "cel show status": [r"CEL Logging: Disabled"],
    "logger show channels": [r"messages\.log +File +default +Enabled +- NOTICE WARNING ERROR"],
    "rtp show settings": [r"Port start: +10000"],
    "moh show classes": [r"Class: default"],
    "pjsip show settings": [r"user_agent +: wombat-pbx"],
    "pjsip show endpoint wombat-carrier": [r"send_pai +: true", r"rtp_timeout +: 60", r"context +: from-carrier"],
    "pjsip show endpoint 201": [r"device_state_busy_at +: 1"],
    "pjsip show registrations": [r"wombat-carrier"],
    "pjsip show identifies": [r"wombat-carrier"],
    "dialplan show s@wombat-track": [r"hangup_handler_push"],
    "dialplan show wombat-freepbx": [r"Goto\(from-internal"],
    "dialplan show globals": [r"WOMBAT_TRACK=yes", r"WOMBAT_AGI_PORT=4573"],
}  # fmt: skip


@pytest.mark.parametrize("command", EFFECTS)
def test_effect(pbx: AsteriskInstance, command: str) -> None:
    shown = pbx.cli(command)
    for wanted in EFFECTS[command]:
        assert re.search(wanted, shown), shown


#: Actions that the dialer sends (docs/asterisk.md), and one of the doctor.
ACTIONS = ("Originate", "Hangup", "AbsoluteTimeout", "Status", "CoreShowChannels", "CoreSettings", "DBGet", "DBGetTree",
           "DBDel", "DBDelTree", "QueueLog", "QueueStatus", "Setvar", "Command", "ListCommands", "Ping", "Challenge",
           "Login", "Logoff")  # fmt: skip


@pytest.mark.parametrize("user", ["wombat", "older", "freepbx"])
def test_rights_are_those_needed_and_no_more(pbx: AsteriskInstance, user: str) -> None:
    shown = pbx.cli(f"manager show user {user}")
    write = re.search(r"write perm: (\S+)", shown)
    assert write is not None
    given, used = set(write[1].split(",")), set()
    for action in ACTIONS:
        about = re.sub(r"\x1b\[[\d;]*m", "", pbx.cli(f"manager show command {action}"))
        told = re.search(r"\[Privilege\]\n(\S+)", about)
        needs = set(told[1].split(",")) - {"all", "<none>"} if told else set()
        assert not needs or needs & given, (action, needs)
        used |= needs
    assert given <= used
    read = re.search(r"read perm: (\S+)", shown)
    assert read is not None
    assert set(read[1].split(",")) == {"system", "call", "agent", "user"}


def test_ami_over_tls(pbx: AsteriskInstance, tls: tuple[Path, Path], tls_port: int) -> None:
    context = ssl.create_default_context(cafile=str(tls[0]))
    with (
        socket.create_connection((HOST, tls_port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as link,
    ):
        assert link.recv(100).startswith(b"Asterisk Call Manager/")
        login = f"Action: Login\r\nUsername: {pbx.ami_user}\r\nSecret: {pbx.ami_secret}\r\n\r\n"
        link.sendall(login.encode())
        assert b"Authentication accepted" in link.recv(1000)


def test_readme_names_every_file() -> None:
    text = (SHIPPED / "README.md").read_text()
    missing = [
        str(path.relative_to(SHIPPED))
        for path in [*files(), *(SHIPPED / name for name in OURS)]
        if f"`{path.relative_to(SHIPPED)}`" not in text and not path.name.startswith("recipe-")  # one line for all
    ]
    assert missing == []
