"""The command line: whatever goes wrong is one line and an exit status, never a traceback. Called in this process.

Beside a running dialer: tests/system/test_commands.py.
"""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from wombat_ari.app import cli
from wombat_ari.app.commands.opened import operator
from wombat_ari.app.service import records
from wombat_ari.app.signals import stop_on_signals
from wombat_ari.store.database import open_database

GROUPS = {"flow": ["list", "try"], "outbox": ["list", "replay", "drop"],
          "user": ["add", "list", "password", "change", "remove"], "token": ["add", "list", "revoke"]}  # fmt: skip
EVERY = [[name] for name in cli.COMMANDS] + [[group, name] for group, names in GROUPS.items() for name in names]


class Outcome:
    """What a command said, and its exit status."""

    def __init__(self, status: object, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def wombat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv("WOMBAT_ARI_STATE_FOLDER", str(tmp_path / "state"))

    def wombat(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["wombat-ari", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return Outcome(end.value.code, *capsys.readouterr())

    return wombat


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_each_command_has_help_that_names_each_option(wombat: Any, words: list[str]) -> None:
    done = wombat(*words, "--help")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"Usage: wombat-ari {' '.join(words)}")
    assert not re.search(r"^  \S.*\.\.\.$", done.out, re.MULTILINE), "a sentence is cut off"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["imprt"], "there is no command 'imprt'; did you mean import?"),
        (["zzz"], "there is no command 'zzz'; see wombat-ari --help"),
        (["--what"], "No such option '--what'; see wombat-ari --help"),
        (["boost", "x", "y"], "Invalid value for 'FACTOR': 'y' is not a valid float; see wombat-ari boost --help"),
        (["addcall", "x"], "Missing argument 'NUMBER'; see wombat-ari addcall --help"),
        (["token", "revoke", "x"],
         "Invalid value for 'ID': 'x' is not a valid integer; see wombat-ari token revoke --help"),
        (["apply", "a", "b"], "Got unexpected extra argument (b); see wombat-ari apply --help"),
        (["report", "Nobody"], "there is no campaign Nobody"),
        (["-c", "/nowhere", "campaigns"], "cannot read the configuration file /nowhere: No such file or directory"),
        (["export", "\udcdcm"], "\\udcdcm: no text in this locale; take one with UTF-8, as LC_ALL=C.UTF-8"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(wombat: Any, arguments: list[str], said: str) -> None:
    done = wombat(*arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err == f"wombat-ari: {said}\n"


@pytest.mark.parametrize("group", ["", *GROUPS])
def test_without_arguments_the_help_is_shown(wombat: Any, group: str) -> None:
    done = wombat(*group.split())
    assert done.status == 2
    assert "Commands:" in done.err


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (KeyboardInterrupt(), 130, "wombat-ari: interrupted\n"),
        (BrokenPipeError(), 0, ""),
        (OSError(28, "No space left on device"), 1, "wombat-ari: cannot write the output: No space left on device\n"),
        (OSError(28, "No space left", "a.csv"), 1, "wombat-ari: cannot write a.csv: No space left\n"),
    ],
)  # fmt: skip
def test_what_befalls_a_command(
    wombat: Any, monkeypatch: pytest.MonkeyPatch, raised: BaseException, status: int, said: str
) -> None:
    @click.command()
    def campaigns() -> None:
        raise raised

    monkeypatch.setattr("wombat_ari.app.commands.campaigns.campaigns", campaigns)
    monkeypatch.setattr(cli, "_forget_output", lambda: None)
    done = wombat("campaigns")
    assert (done.status, done.err.lstrip("\n")) == (status, said)


def test_output_that_cannot_be_written_at_the_end(wombat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is buffered is written when the command is through: that counts too."""

    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    monkeypatch.setattr(cli, "_forget_output", lambda: None)
    done = wombat("--version")
    assert done.status == 1
    assert "cannot write the output: No space left on device" in done.err


@pytest.mark.parametrize("is_screen", [False, True], ids=["file", "screen"])
def test_in_a_locale_without_utf_8(
    wombat: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_screen: bool
) -> None:
    wombat("init")
    database = open_database(f"sqlite:///{tmp_path / 'state' / 'wombat.db'}", key_file=tmp_path / "key")
    records.add_numbers(operator(), database, "People", source="5551000,NAME:Zoë 漢")
    database.close()
    written = io.BytesIO()
    latin = io.TextIOWrapper(written, encoding="iso-8859-1", write_through=True)
    monkeypatch.setattr(latin, "isatty", lambda: is_screen, raising=False)
    monkeypatch.setattr(sys, "stdout", latin)
    assert wombat("export", "People").status == 0
    wanted = "5551000,NAME:Zoë ?" if is_screen else "5551000,NAME:Zoë 漢"
    assert written.getvalue().decode("iso-8859-1" if is_screen else "utf-8").strip() == wanted


class TestInit:
    def test_it_says_what_comes_next(self, wombat: Any) -> None:
        done = wombat("init", "--password", "correct horse")
        assert done.status == 0
        assert "wombat-ari serve" in done.out
        assert "log on at http://127.0.0.1:8080/" in done.out

    def test_it_migrates_though_others_are_not_to(self, wombat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WOMBAT_ARI_DATABASE_MIGRATE", "no")
        before = wombat("campaigns")
        assert (before.status, "run 'wombat-ari init'" in before.err) == (2, True)
        assert wombat("init").status == 0
        assert wombat("campaigns").status == 0

    def test_a_database_of_a_newer_program_is_left_alone(self, wombat: Any, tmp_path: Path) -> None:
        assert wombat("init").status == 0
        database = open_database(f"sqlite:///{tmp_path / 'state' / 'wombat.db'}", key_file=tmp_path / "key")
        with database.transaction() as tx:
            tx.run("INSERT INTO schema_version (version, name, applied_at) VALUES (9999, 'of tomorrow', 0)")
        database.close()
        done = wombat("init")
        assert done.status == 2
        assert "its schema has version 9999" in done.err


def test_an_empty_place_is_said_to_be_empty(wombat: Any) -> None:
    done = wombat("campaigns")
    assert (done.status, done.out) == (0, "")
    assert re.search(r"no campaigns in .*wombat\.db yet", done.err)


def test_a_table_in_a_pipe_is_not_cut_off(wombat: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = "A campaign with a name that is nearly as long as a name may be, which is eighty"
    plan = tmp_path / "plan.toml"
    plan.write_text(f'[[campaign]]\nname = "{name}"\n')
    monkeypatch.delenv("COLUMNS", raising=False)
    wombat("apply", str(plan))
    line = wombat("campaigns").out.splitlines()[1]
    assert name in line
    assert "no trunk and no end point" in line


def test_a_signal_to_who_stops_already_is_no_trouble() -> None:
    from signal import SIGINT, SIGTERM, getsignal, signal

    from twisted.internet.error import ReactorNotRunning

    class Stopping:
        def stop(self) -> None:
            raise ReactorNotRunning

        def callFromThread(self, work: Any) -> None:
            work()

    before = {number: getsignal(number) for number in (SIGINT, SIGTERM)}
    try:
        stop_on_signals(Stopping())
        os.kill(os.getpid(), SIGTERM)
    finally:
        for number, handler in before.items():
            signal(number, handler)
