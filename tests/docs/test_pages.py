"""Every page: its links lead somewhere, its mentions of our files are true, decisions have their form."""

import re
from pathlib import Path

import pytest

from tools.docs.__main__ import ROOT

DOCS = ROOT / "docs"
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
OURS = [
    ROOT / "README.md",
    *(DOCS / f"{name}.md" for name in ("architecture", "commands", "configuration", "contributing", "deployment")),
    *(DOCS / f"{name}.md" for name in ("guide", "queues", "reverse")),
    *DECISIONS,
]


def names(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", OURS, ids=names)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("page", OURS, ids=names)
def test_files_that_are_mentioned_are_there(page: Path) -> None:
    """``core/turns``, ``tests/core/test_run.py``, ``tools/check``: in backquotes, a path of the project."""
    text = page.read_text(encoding="utf-8")
    folders = "model|core|wire|pbx|store|bridge|engine|app"
    mentioned = re.findall(rf"`((?:{folders}|tests|tools|docs|sql|wombat_ari|webui)/[\w/.-]+)`", text)
    missing = []
    for path in mentioned:
        # core/turns.why_not is something in core/turns.py.
        module = re.sub(r"\.(?!py$|md$)\w+$", "", path)
        places = [ROOT / "wombat_ari" / f"{module}.py", ROOT / path, ROOT / "wombat_ari" / module, ROOT / module]
        if not any(place.exists() for place in places):
            missing.append(path)
    assert not missing


@pytest.mark.parametrize("page", OURS, ids=names)
def test_names_in_modules_that_are_mentioned_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for module, name in re.findall(r"`((?:model|core|bridge|engine|app|store|pbx|wire)/\w+)\.([A-Za-z_]\w+)", text):
        if name in ("py", "md"):
            continue
        source = (ROOT / "wombat_ari" / f"{module}.py").read_text(encoding="utf-8")
        assert re.search(rf"^(?:class |def |){name}\b", source, re.MULTILINE), f"{module}.{name}"


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [path.name[:4] for path in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("page", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_its_form_and_is_short(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {page.name[:4]} ")
    found = re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE)
    assert found == ["Context", "Decision", "Consequences"]
    assert len(text.split()) < 400


@pytest.mark.parametrize("page", OURS, ids=names)
def test_lines_are_short_and_plain(page: Path) -> None:
    text = re.sub(r"<!-- generated.*?<!-- end -->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    long = [line for line in text.splitlines() if len(line) > 150 and not line.startswith("|")]
    assert not long
    assert "—" not in text
