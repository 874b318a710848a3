"""docs/cookbook/survey.md: people answer by keys and by voice, and who is not content talks to an agent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.recipes.conftest import Cook
from tests.recipes.kitchen import RECIPES, Kitchen, numbers
from tests.system.agency import ari_of
from tests.system.agents import Agent, Floor
from tests.system.site import until

FRED = Agent(6, ring=2, talk=20)
ADA, BEA, CARL, DORA, EMIL, FAY = numbers("survey")
LATE = "555002102030012"  #: as Bea, when no agent is there any more
TALKS = "555002102030"  #: as Bea, but hangs up while they tell us why


@pytest.fixture(scope="module")
def kitchen(cook: Cook, floor: Floor) -> Iterator[Kitchen]:
    """Everybody was asked, and Fred was there."""
    kitchen = cook("survey")
    kitchen.hurry(answer_timeout_ms=1000, variables="SECONDS:4,PATIENCE:2", idles_on_termination=True)
    kitchen.follow()
    until(lambda: len(kitchen.site.attempts()) == 1 + 1 + 1 + 2 + 4 + 3, 60, "everybody was called")
    yield kitchen
    floor.log_off(FRED, "403")


def test_what_they_answered(kitchen: Kitchen) -> None:
    assert kitchen.results() == {
        ADA: [("TERMINATED", "1")],
        BEA: [("TERMINATED", "2")],
        CARL: [("TERMINATED", "1")],
        DORA: [("TERMINATED", "0")] * 2,
        EMIL: [("RS_BUSY", "")] * 4,
        FAY: [("RS_NOANSWER", "")] * 3,
    }
    answers = {row["number"]: row["output_attributes"] for row in kitchen.site.attempts()}
    reason = answers[BEA].pop("REASON")
    assert answers[ADA] == {"RATING": "4", "VISITS": "12"}
    assert answers[BEA] == {"RATING": "2", "VISITS": "3"}
    assert answers[CARL] == {"RATING": "5", "VISITS": "7"}, "9 was no answer, and is asked again"
    assert answers[DORA] == {}
    assert (kitchen.pbx.directory / f"{reason}.wav".removeprefix("/mnt/")).stat().st_size > 0
    (bea,) = [row for row in kitchen.site.attempts() if row["number"] == BEA]
    assert (bea["agent"], bea["talk_ms"] > 2000) == ("Fred", True)


def test_no_agent_in_time_and_the_file_as_it_is_now(kitchen: Kitchen, floor: Floor) -> None:
    """A call goes through the flow that is there when it begins."""
    floor.log_off(FRED, "403")
    file = kitchen.site.state / "flows" / "survey.py"
    assert file.read_text() == (RECIPES / "survey.py").read_text()
    file.write_text(file.read_text().replace('"RATING"', '"STARS"'))
    late = kitchen.addcall(LATE, "PRODUCT:the new menu")
    content = kitchen.ended(kitchen.addcall(ADA + "2", "PRODUCT:the new menu"))
    assert content["output_attributes"] == {"STARS": "4", "VISITS": "12"}
    row = kitchen.ended(late)
    assert (row["outcome"], row["extended_status"], row["agent"]) == ("TERMINATED", "3", "")


def test_the_same_by_ari(kitchen: Kitchen, floor: Floor) -> None:
    """A flow does not see what carries it; who hangs up in the midst of their reason has told us."""
    site, pbx = kitchen.site, kitchen.pbx
    (site.state / "flows" / "survey.py").write_text((RECIPES / "survey.py").read_text())
    site.apply({"server": [{"name": "pbx", **ari_of(pbx)}]})
    kitchen.do("wombat-ari reload survey")
    until(lambda: site.snapshot()["pbxs"][0]["ari"]["connected"], 20, "ARI is connected")
    floor.log_on(FRED, "403")
    about = "PRODUCT:the new menu"
    asked = {number: kitchen.addcall(number, about) for number in (ADA, BEA, CARL, TALKS)}
    until(lambda: site.snapshot()["pbxs"][0]["ari"]["calls"], 10, "they are in Stasis")
    recording = pbx.directory / "spool" / "recording" / f"survey-{asked[TALKS]}.wav"
    until(recording.exists, 20, "they tell us why")
    floor.hang_up(f"wbt-{asked[TALKS]:016}")
    ends = {number: kitchen.ended(call) for number, call in asked.items()}
    ends[TALKS] = until(lambda: reason_of(kitchen, asked[TALKS]), 10, "what they said is told")
    statuses = {number: row["extended_status"] for number, row in ends.items()}
    assert statuses == {ADA: "1", BEA: "2", CARL: "1", TALKS: "1"}
    answers = {number: row["output_attributes"] for number, row in ends.items()}
    for number in (BEA, TALKS):
        assert answers[number].pop("REASON") == f"/mnt/spool/recording/survey-{asked[number]}"
    assert answers == {
        ADA: {"RATING": "4", "VISITS": "12"},
        BEA: {"RATING": "2", "VISITS": "3"},
        CARL: {"RATING": "5", "VISITS": "7"},
        TALKS: {"RATING": "2", "VISITS": "3"},
    }
    assert ends[BEA]["agent"] == FRED.name
    assert recording.stat().st_size > 0


def reason_of(kitchen: Kitchen, wombatid: int) -> dict[str, Any] | None:
    (row,) = [row for row in kitchen.site.attempts() if row["wombatid"] == wombatid]
    return row if "REASON" in row["output_attributes"] else None


def test_its_own_test_on_the_page(tmp_path: Path) -> None:
    """As the page has it, with the flow as it ships."""
    page = (RECIPES.parents[1] / "docs" / "cookbook" / "survey.md").read_text(encoding="utf-8")
    (tmp_path / "survey.py").write_text((RECIPES / "survey.py").read_text())
    (tmp_path / "test_survey.py").write_text(page.partition("```python\n")[2].partition("```")[0])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path],
        cwd=tmp_path, env={"PYTHONPATH": str(RECIPES.parents[1]), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, "3 passed" in done.stdout) == (0, True), done.stdout + done.stderr
