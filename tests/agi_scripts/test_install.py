"""How the scripts come to a PBX: by the command, and with the package."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from tests.agi_scripts.pipes import NAMES, ROOT, SCRIPTS
from wombat_ari.app.cli import cli
from wombat_ari.model.errors import UserError


def test_installed(tmp_path: Path) -> None:
    first = CliRunner().invoke(cli, ["agi-scripts", "--to", str(tmp_path)])
    assert (first.exit_code, first.output.count("new: ")) == (0, len(NAMES))
    assert sorted(os.listdir(tmp_path)) == NAMES
    (tmp_path / "clear.py").write_text("old")
    (tmp_path / "append.py").chmod(0o644)
    second = CliRunner().invoke(cli, ["agi-scripts", "--to", str(tmp_path)])
    assert (second.output.count("same: "), second.output.count("replaced: ")) == (len(NAMES) - 2, 2)
    for name in NAMES:
        assert (tmp_path / name).read_bytes() == (SCRIPTS / name).read_bytes()
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o755
    done = subprocess.run([tmp_path / "clear.py", "--help"], capture_output=True, text=True, check=True)
    assert "AGI(clear.py" in done.stdout


def test_listed() -> None:
    said = CliRunner().invoke(cli, ["agi-scripts"]).output
    assert [line.split()[0] for line in said.splitlines()] == NAMES


def test_no_such_folder(tmp_path: Path) -> None:
    said = CliRunner().invoke(cli, ["agi-scripts", "--to", str(tmp_path / "none")])
    assert isinstance(said.exception, UserError)
    assert "addcall.py cannot be written: No such file or directory" in str(said.exception)


def test_they_are_in_the_package(tmp_path: Path) -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert "agi_scripts*" in setup["options.packages.find"]["include"].split()
    command = [sys.executable, "-c", "import setuptools; setuptools.setup()", "-q", "build_py", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    assert sorted(path.name for path in (tmp_path / "agi_scripts").glob("[a-z]*.py")) == NAMES
