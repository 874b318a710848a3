"""Flows at the command line, and what the doctor finds of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from wombat_ari.app.cli import cli
from wombat_ari.app.config import Settings, load_settings
from wombat_ari.app.doctor_flows import examine_flows
from wombat_ari.app.flow_files import flow_files
from wombat_ari.model.entities import EndPoint
from wombat_ari.model.states import EndPointType

SURVEY = '''
print("said while it is read")

async def survey(call):
    """Asks one thing."""
    await call.say_text(f"Hello {call.attributes['NAME']}")
    await call.attribute("KEY", await call.menu("press", "12"))
    await call.queue("sales")
'''
FLOW = EndPoint(1, 1, EndPointType.FLOW, "f", "survey", "wombat-flow")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "survey.py").write_text(SURVEY)
    monkeypatch.setenv("WOMBAT_ARI_STATE_FOLDER", str(tmp_path))
    return load_settings()


def test_the_list(settings: Settings) -> None:
    done = CliRunner().invoke(cli, ["flow", "list"])
    assert done.exit_code == 0
    assert done.output.split() == ["survey", "survey.py", "Asks", "one", "thing."]


def test_a_mistake_is_told_with_its_line(settings: Settings) -> None:
    (settings.flows_folder / "other.py").write_text("x = 1\ny = z\n")
    done = CliRunner().invoke(cli, ["flow", "list"])
    assert done.exit_code == 1
    assert "survey" in done.output
    assert "mistake in other.py:2: NameError" in done.output
    (found,) = [each for each in examine_flows(settings, [FLOW]) if each.grade == "bad"]
    assert "other.py:2: NameError" in found.text


@pytest.mark.parametrize("code", ["import os\nos._exit(0)\n", "import sys\nsys.exit(3)\n", "raise SystemExit\n"])
def test_a_file_that_ends_the_process(settings: Settings, code: str) -> None:
    (settings.flows_folder / "other.py").write_text(code)
    assert flow_files(settings).mistakes


def test_going_through_a_flow_at_the_terminal(settings: Settings) -> None:
    done = CliRunner().invoke(cli, ["flow", "try", "survey", "-a", "NAME=Ann"], input="9\n2\n")
    assert done.exit_code == 0, done.output
    for line in ("♪ “Hello Ann”", "♪ press", "attribute KEY = 2", "→ queue sales"):
        assert line in done.output
    done = CliRunner().invoke(cli, ["flow", "try", "survey", "-a", "NAME=Ann"], input="h\n")
    assert "the caller has hung up" in done.output


def test_a_flow_that_is_not_there(settings: Settings) -> None:
    done = CliRunner().invoke(cli, ["flow", "try", "nosuch"])
    assert done.exit_code != 0
    assert "there is no flow 'nosuch'" in str(done.exception)


def test_the_doctor_knows_what_is_missing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [each.grade for each in examine_flows(settings, [FLOW])] == ["good"]
    (settings.flows_folder / "survey.py").unlink()
    (found,) = examine_flows(settings, [FLOW])
    assert found.grade == "warning"
    assert "there is no flow survey" in found.text
    monkeypatch.setenv("WOMBAT_ARI_FLOWS_SPEECH_COMMAND", "no-such-program -o {file}")
    (found,) = [each for each in examine_flows(load_settings(), []) if each.grade == "bad"]
    assert "no-such-program is not there" in found.text


def test_the_doctor_knows_a_folder_that_the_pbx_cannot_read(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WOMBAT_ARI_FLOWS_SPEECH_COMMAND", "cat")
    settings.speech_folder.mkdir()
    settings.state_folder.chmod(0o700)
    (found,) = [each for each in examine_flows(load_settings(), []) if each.grade == "warning"]
    assert "lets no other users in" in found.text


def test_without_flows_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOMBAT_ARI_STATE_FOLDER", str(tmp_path))
    assert examine_flows(load_settings(), []) == []
