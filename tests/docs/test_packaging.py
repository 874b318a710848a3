"""An installed copy has all that it needs, and the unit for systemd fits the program. Nothing is built here."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.docs.__main__ import ROOT
from wombat_ari.app import dialer, serve, watchdog
from wombat_ari.app.cli import COMMANDS
from wombat_ari.app.shipped import shipped
from wombat_ari.app.systemd import tell_systemd

UNIT = ROOT / "tools" / "systemd" / "wombat-ari.service"


def _section(name: str) -> dict[str, list[str]]:
    """A section of setup.cfg: key -> patterns."""
    parser = configparser.ConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(ROOT / "setup.cfg")
    return {key: [part.strip() for part in text.split(",")] for key, text in parser[name].items()}


def _files(folder: Path) -> set[Path]:
    return {file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts}


@pytest.mark.parametrize("folder", ["asterisk_conf", "sql", "docs", "tools/systemd"])
def test_what_comes_beside_the_modules_is_installed(folder: str) -> None:
    installed = {
        (target, file)
        for target, patterns in _section("options.data_files").items()
        for pattern in patterns
        for file in ROOT.glob(pattern)
    }
    assert all(file.is_file() for _, file in installed), "setuptools takes no folders"
    wanted = {file for file in _files(ROOT / folder) if file.suffix != ".png"}
    assert wanted <= {file for _, file in installed}
    for target, file in ((target, file) for target, file in installed if file in wanted):
        inside = file.parent.relative_to(ROOT / "tools" if folder.startswith("tools") else ROOT)
        assert target == f"share/wombat-ari/{inside}", file


@pytest.mark.parametrize("package", ["wombat_ari", "webui"])
def test_files_of_packages_are_installed(package: str) -> None:
    patterns = _section("options.package_data")[package]
    installed = {file for pattern in patterns for file in (ROOT / package).glob(pattern)}
    missing = {file for file in _files(ROOT / package) - installed if file.suffix != ".py"}
    assert not missing
    folders = {file.parent for file in _files(ROOT / package) if file.suffix == ".py"}
    assert not [folder for folder in folders if not (folder / "__init__.py").exists() and folder.name != "recipes"]


def test_what_is_shipped_is_found() -> None:
    assert shipped("asterisk_conf") == ROOT / "asterisk_conf"
    assert shipped("nothing") == Path(sys.prefix) / "share" / "wombat-ari" / "nothing"


class TestUnit:
    def lines(self) -> dict[str, str]:
        parser = configparser.ConfigParser(strict=False)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read(UNIT)
        return dict(parser["Service"])

    def test_it_fits_the_program(self) -> None:
        unit = self.lines()
        program, command = unit["ExecStart"].split()
        assert (Path(program).name, command in COMMANDS) == ("wombat-ari", True)
        assert int(unit["RestartPreventExitStatus"]) == dialer.EXIT_REFUSED
        assert float(unit["TimeoutStopSec"]) > watchdog.STOP_S + serve.WEB_STOP_S
        assert unit["Type"] == "notify"

    @pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="a machine without systemd")
    def test_systemd_takes_it(self, tmp_path: Path) -> None:
        program = self.lines()["ExecStart"].split()[0]
        copy = tmp_path / UNIT.name
        copy.write_text(UNIT.read_text("utf-8").replace(program, sys.executable), "utf-8")
        done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
        assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []

    def test_systemd_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import socket

        tell_systemd("READY=1")  # nobody to tell
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(tmp_path / "notify"))
            monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
            tell_systemd("READY=1")
            assert manager.recv(100) == b"READY=1"
