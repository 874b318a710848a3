"""Each page of the console is shown in docs/console.md; the pictures stay small."""

from __future__ import annotations

import re

from tools.docs.__main__ import ROOT
from tools.screenshots.__main__ import FOLDER, MOST_BYTES
from tools.screenshots.shots import SHOTS
from webui.console.menu import MENU


def test_each_page_of_the_menu_is_shown() -> None:
    shown = set(re.findall(r"\(screenshots/([\w-]+)\.png\)", (ROOT / "docs" / "console.md").read_text()))
    assert {entry.endpoint for _, entries in MENU for entry in entries} <= shown
    assert shown == {shot.name for shot in SHOTS} == {file.stem for file in FOLDER.glob("*.png")}


def test_they_are_small() -> None:
    assert sum(file.stat().st_size for file in FOLDER.glob("*.png")) < MOST_BYTES
