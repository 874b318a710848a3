"""docs/architecture.md: its generated parts are those of the code now, and it names everything there is."""

import re
from pathlib import Path

import pytest

import wombat_ari
from tools.docs import machines, tables
from tools.docs.__main__ import PAGES, ROOT, made, main
from tools.docs.page import fill, parts
from wombat_ari.core.call_table import TABLE as CALL
from wombat_ari.core.outcome import RULES
from wombat_ari.core.routes import WhyNot
from wombat_ari.core.run import TABLE as RUN
from wombat_ari.model.states import CallState, Outcome, RunState

DOCS = ROOT / "docs"
ARCHITECTURE = (DOCS / "architecture.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_generated_parts_are_those_of_the_code(name: str) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    assert page == made(name), f"{name} is old: run python3 -m tools.docs"
    assert sorted(parts(page)) == sorted(PAGES[name]), "each part stands in the page once"


def test_the_picture_is_the_first_thing_a_reader_of_the_package_sees() -> None:
    lines = [line for line in tables.picture().splitlines() if line.strip("`")]
    assert len(lines) == 11
    assert all(line in (wombat_ari.__doc__ or "") for line in lines)


def test_every_state_outcome_and_reason_is_on_the_page() -> None:
    words = [*CallState, *RunState, *(reason.name for reason in WhyNot), *(reason.value for reason in WhyNot)]
    words += [outcome for outcome in Outcome if outcome in tables.outcome_rules()]
    words += [event.__name__ for cells in CALL.values() for event in cells]
    missing = [word for word in words if word not in ARCHITECTURE and not word.startswith("RD_")]
    assert not missing
    assert "`RD_...`" in ARCHITECTURE


def test_every_folder_and_every_verb_is_on_the_page() -> None:
    package = Path(wombat_ari.__file__).parent
    folders = [folder.name for folder in package.iterdir() if (folder / "__init__.py").exists()]
    assert not [name for name in folders if f"`wombat_ari/{name}`" not in ARCHITECTURE]
    verbs = [module.stem for module in (package / "engine").glob("[a-z]*.py")]
    assert not [name for name in verbs if f"`{name}`" not in ARCHITECTURE]


class TestDiagrams:
    def test_every_arrow_of_a_call(self) -> None:
        drawn = set(re.findall(r"^ +(\w+) --> (\w+):", machines.call_diagram(), re.MULTILINE))
        there = {(state, to) for state, cells in CALL.items() for step in cells.values() for to in step.to - {state}}
        assert drawn == there

    def test_every_arrow_of_a_run(self) -> None:
        drawn = set(re.findall(r"^ +(\w+) --> (\w+): (\w+)$", machines.run_diagram(), re.MULTILINE))
        there = {(state, to, event) for state, cells in RUN.items() for event, (to, _) in cells.items()}
        assert drawn == there

    def test_the_ends(self) -> None:
        assert "ENDED --> [*]" in machines.call_diagram()
        for state in ("COMPLETED", "REMOVED"):
            assert f"{state} --> [*]" in machines.run_diagram()


class TestTables:
    def test_a_row_for_each_event_and_a_cell_for_each_state(self) -> None:
        head, _, *rows = machines.call_table().splitlines()
        assert [cell.strip() for cell in head.strip("|").split("|")][2:] == [
            "hopper", "scheduled", "requested", "dialling", "connected", "rd_reserved", "rd_scheduled", "rd_agentreq",
            "rd_requested", "closing", "ended",
        ]  # fmt: skip
        told = {row.split("`")[1]: [cell.strip() for cell in row.strip("|").split("|")] for row in rows}
        assert set(told) == {event.__name__ for cells in CALL.values() for event in cells}
        direct, reverse, ends = told["HungUp"][2:7], told["HungUp"][7:11], told["HungUp"][11:]
        assert direct == ["", "", "closing", "closing", "closing or ended"]
        assert reverse == ["", "", "closing", "closing or ended"]
        assert ends == ["= or ended", "="]
        assert all(cells[1] for cells in told.values()), "each event says what happened"

    def test_a_row_for_each_rule_in_their_order(self) -> None:
        rows = tables.outcome_rules().splitlines()[2:]
        assert [row.split("|")[2].strip() for row in rows] == [words for words, _ in RULES]
        assert rows[0].endswith("| RS_TIMEOUT |")

    def test_the_words_of_the_network(self) -> None:
        rows = tables.outcome_words()
        assert "| RS_BUSY | 17 | BUSY | 5 |" in rows
        assert "| RS_NOANSWER | 18, 19 | NOANSWER | 3 |" in rows


class TestMaking:
    PAGE = "a\n<!-- generated: x -->\nold\n<!-- end -->\nb\n"

    def test_only_the_marked_part_changes(self) -> None:
        new = fill(self.PAGE, {"x": lambda: "new\n"})
        assert new == "a\n<!-- generated: x -->\n\nnew\n\n<!-- end -->\nb\n"
        assert fill(new, {"x": lambda: "new"}) == new
        assert parts(new) == ["x"]

    def test_a_part_that_nobody_makes_is_named(self) -> None:
        with pytest.raises(KeyError, match="x"):
            fill(self.PAGE, {})

    def test_the_command(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--check"]) == 0
        assert main(["--what"]) == 2
        assert "python3 -m tools.docs" in capsys.readouterr().out
