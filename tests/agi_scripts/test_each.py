"""What is true of every script: it stands alone, on an old Python, helps, and never shows a traceback."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.agi_scripts.pipes import NAMES, SCRIPTS, Pbx
from tools.agi_scripts.__main__ import made, programs


def oldest() -> str:
    """The oldest Python here that the scripts promise to run on, else the tests' own."""
    found = [str(path) for path in sorted(Path.home().glob(".pyenv/versions/3.[789].*/bin/python"))]
    for python in [*found, *(f"python3.{minor}" for minor in (7, 8, 9))]:
        if (
            shutil.which(python)
            and subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode == 0
        ):
            return python
    return sys.executable


OLD = oldest()


def test_they_are_what_their_sources_make() -> None:
    assert [program.name for program in programs()] == NAMES
    for program in programs():
        assert (SCRIPTS / program.name).read_text(encoding="utf-8") == made(program), "python -m tools.agi_scripts"


def test_each_says_of_what_it_is_made() -> None:
    """So nobody changes a copy: what is named is there."""
    for name in NAMES:
        text = (SCRIPTS / name).read_text(encoding="utf-8")
        named = set(re.findall(r"tools/agi_scripts/\S+\.py", text))
        assert f"# Made by `python -m tools.agi_scripts` of tools/agi_scripts/programs/{name} " in text
        assert {"tools/agi_scripts/parts/agi.py", f"tools/agi_scripts/programs/{name}"} <= named
        assert all((SCRIPTS.parent / each).exists() for each in named)


def test_two_parts_may_not_give_the_same_name(tmp_path: Path) -> None:
    program = tmp_path / "mine.py"
    program.write_text('"""Mine."""\n\nfrom tools.agi_scripts.parts.agi import run\n\n\ndef whole():\n    run(whole)\n')
    with pytest.raises(ValueError, match=r"mine.py gives whole, as another part does"):
        made(program)


@pytest.mark.parametrize("name", NAMES)
def test_stands_alone(name: str) -> None:
    tree = ast.parse((SCRIPTS / name).read_text(), feature_version=(3, 7))
    modules = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    assert modules <= sys.stdlib_module_names
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert modules.isdisjoint({"audioop", "cgi", "imp", "asyncore", "telnetlib", "pipes"}), "gone from newer Pythons"
    assert (SCRIPTS / name).stat().st_mode & 0o111 == 0o111


@pytest.mark.parametrize("name", NAMES)
def test_helps_with_an_example_of_dialplan(name: str) -> None:
    done = subprocess.run([OLD, str(SCRIPTS / name), "--help"], capture_output=True, text=True, check=True, timeout=20)
    assert f"AGI({name}" in done.stdout
    assert "usage:" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 120


@pytest.mark.parametrize("name", NAMES)
def test_wrong_use_is_told_to_the_dialplan(name: str) -> None:
    pbx = Pbx().run(name, "--nonsense", python=OLD)
    assert (pbx.result, pbx.status) == ("ERROR: there is no option --nonsense, see --help", 1)
    assert pbx.commands[-1].startswith('VERBOSE "' + name)
    assert pbx.said == f"{name}: {pbx.result}\n"


@pytest.mark.parametrize("name", NAMES)
def test_nobody_at_the_other_end(name: str) -> None:
    """Asterisk is gone before it has sent anything, or in the middle of it: no waiting, no traceback."""
    for sent in ("", "agi_channel: SIP/1\nagi_uniq"):
        done = subprocess.run(
            [sys.executable, str(SCRIPTS / name)], input=sent, capture_output=True, text=True, timeout=20, check=False
        )
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert done.stderr.startswith(f"{name}: ERROR: ")
