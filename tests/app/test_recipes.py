"""Recipes: each can be made on an empty database, says what to do next, and is what its page says.

What they do on a real Asterisk is in tests/recipes.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tools.docs.__main__ import ROOT
from wombat_ari.app.cli import cli
from wombat_ari.app.recipes import every_recipe, parse_address
from wombat_ari.model.errors import UserError
from wombat_ari.store import campaigns, entities, lists
from wombat_ari.store.database import Database, open_database

NAMES = sorted(path.stem for path in (ROOT / "wombat_ari" / "recipes").glob("*.toml"))
PAGES = ROOT / "docs" / "cookbook"
SHIPPED = ROOT / "asterisk_conf"
_RULE = re.compile(r"^\| ((?:RS_|TERM)\w+) \|([^|\n]*)\| (\d+) \| (\d+) \| (\w+) \|$", re.MULTILINE)


@pytest.fixture
def wombat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``wombat(*arguments)``: the command line with a state folder of its own; a mistake of the user is raised."""
    monkeypatch.setenv("WOMBAT_ARI_STATE_FOLDER", str(tmp_path / "state"))

    def wombat(*arguments: str) -> Result:
        return CliRunner().invoke(cli, arguments, catch_exceptions=False)

    return wombat


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """What the commands made."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700, exist_ok=True)
    database = open_database(f"sqlite:///{state / 'wombat.db'}", key_file=state / "secret.key")
    yield database
    database.close()


def _tree(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / "wombat_ari" / "recipes" / f"{name}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_makes_what_its_file_says_and_names_three_commands(wombat: Any, database: Database, name: str) -> None:
    made, tree = wombat("init", "--recipe", name), _tree(name)
    assert made.exit_code == 0
    then = made.output.partition("Next:\n")[2].splitlines()
    assert [line.strip() for line in then] == tree["recipe"]["then"]
    assert len(then) == 3
    assert "wombat-ari serve" in tree["recipe"]["then"]
    campaign = campaigns.load_campaign(database, name)
    assert campaign.trunk_ids
    assert campaign.end_point_ids
    (trunk,) = entities.list_trunks(database)
    assert (trunk.name, trunk.dial_string) == (name, "Local/${num}@simulated-network/n")
    for list_name, text in tree["recipe"].get("numbers", {}).items():
        (made_list,) = [each for each in entities.list_lists(database) if each.name == list_name]
        count = len(text.split("\n")) - 1
        assert lists.count_records(database, made_list.id or 0) == count
        assert f"list {list_name} with {count} simulated numbers: made" in made.output


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_has_its_page_its_context_and_its_test(name: str) -> None:
    context = (SHIPPED / "extensions.d" / f"recipe-{name}.conf").read_text(encoding="utf-8")
    assert context.startswith("; Read by: Asterisk.")
    named = re.findall(r"^\[([\w-]+)\]", context, re.MULTILINE)
    assert named
    assert all(each == f"wombat-{name}" or each.startswith(f"wombat-{name}-") for each in named)
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert f"`wombat-ari init --recipe {name}`" in page
    assert f"](../../asterisk_conf/extensions.d/recipe-{name}.conf)" in page
    assert f"]({name}.md)" in (PAGES / "README.md").read_text(encoding="utf-8")
    assert (ROOT / "tests" / "recipes" / f"test_{name.replace('-', '_')}.py").exists()


@pytest.mark.parametrize("name", NAMES)
def test_the_rules_of_its_page_are_those_of_its_campaign(name: str) -> None:
    told = _RULE.findall((PAGES / f"{name}.md").read_text(encoding="utf-8"))
    rules = [
        (
            rule["status"],
            rule.get("extended_status", ""),
            str(rule.get("max_attempts", 1)),
            str(rule["retry_after_s"]),
            rule.get("mode", "FIXED"),
        )
        for rule in _tree(name)["campaign"][0].get("rule", [])
    ]
    assert [(status, code.strip("` "), *more) for status, code, *more in told] == rules


@pytest.mark.parametrize("name", NAMES)
def test_the_dialplan_of_its_page_is_the_one_that_ships(name: str) -> None:
    """Line by line; the page may leave lines out."""
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    shipped = (SHIPPED / "extensions.d" / f"recipe-{name}.conf").read_text(encoding="utf-8").splitlines()
    told = re.findall(r"^    ( same => .*|exten => .*|\[wombat-.*\])$", page, re.MULTILINE)
    assert len(told) > 3
    assert [line for line in told if line not in shipped] == []


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_pages_are_plain_and_their_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []
    assert [line for line in text.splitlines() if len(line) > 150 and not line.startswith("|")] == []
    assert "—" not in text


def test_the_list_names_each_with_one_line(wombat: Any, tmp_path: Path) -> None:
    said = wombat("init", "--recipe", "list").output.splitlines()
    assert [line.split()[0] for line in said] == NAMES
    assert all(len(line) <= 110 for line in said)
    assert not (tmp_path / "state").exists(), "it only tells"


def test_an_unknown_name_makes_nothing(wombat: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no recipe 'brodcast'; did you mean 'broadcast'\?; there are .*broadcast"):
        wombat("init", "--recipe", "brodcast")
    assert not (tmp_path / "state").exists()


def test_what_is_there_is_never_changed(wombat: Any, database: Database) -> None:
    wombat("init", "--recipe", "broadcast")
    before = entities.list_trunks(database)
    with pytest.raises(
        UserError, match="'broadcast' was not made: there is already trunk 'broadcast', end point 'broa"
    ):
        wombat("init", "--recipe", "broadcast", "--dial-string", "PJSIP/${num}@carrier")
    assert entities.list_trunks(database) == before
    with pytest.raises(UserError, match="there is already server 'pbx'"):
        wombat("init", "--recipe", "broadcast", "--ami-address", "192.0.2.1")


def test_two_recipes_share_the_server_of_one_address(wombat: Any, database: Database) -> None:
    wombat("init", "--recipe", "broadcast", "--ami-address", "192.0.2.1:5039", "--ami-secret", "first")
    said = wombat("init", "--recipe", "social", "--ami-address", "192.0.2.1:5039", "--ami-secret", "second").output
    assert "server pbx at 192.0.2.1:5039 was there, and is used as it is" in said
    (server,) = entities.list_servers(database)
    assert server.password.reveal() == "first"
    assert {trunk.server_id for trunk in entities.list_trunks(database)} == {server.id}


def test_where_the_pbx_is_comes_from_options_or_the_environment(
    wombat: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WOMBAT_ARI_AMI_ADDRESS", "pbx.example.com")
    monkeypatch.setenv("WOMBAT_ARI_AMI_SECRET", "of the environment")
    said = wombat("init", "--recipe", "broadcast", "--ami-login", "dialer").output
    (server,) = entities.list_servers(database)
    assert (server.address, server.port, server.login) == ("pbx.example.com", 5038, "dialer")
    assert server.password.reveal() == "of the environment"
    assert "of the environment" not in said


def test_the_secret_of_the_sample_is_warned_of(wombat: Any) -> None:
    assert "the secret is that of the sample" in wombat("init", "--recipe", "broadcast").output


def test_simulated_numbers_are_for_the_simulated_network_only(wombat: Any, database: Database) -> None:
    said = wombat("init", "--recipe", "broadcast", "--dial-string", "PJSIP/${num}@carrier").output
    assert "list broadcast, empty: import numbers" in said
    (call_list,) = entities.list_lists(database)
    assert lists.count_records(database, call_list.id or 0) == 0
    assert entities.list_trunks(database)[0].dial_string == "PJSIP/${num}@carrier"


def test_all_of_it_or_nothing(wombat: Any, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise UserError("no room")

    monkeypatch.setattr("wombat_ari.app.recipes.records.add_numbers", fails)
    with pytest.raises(UserError, match="no room"):
        wombat("init", "--recipe", "broadcast")
    assert (entities.list_servers(database), campaigns.list_campaigns(database)) == ([], [])


def test_the_flow_of_a_recipe_comes_into_the_flows_folder(wombat: Any, tmp_path: Path) -> None:
    said = wombat("init", "--recipe", "survey").output
    file = tmp_path / "state" / "flows" / "survey.py"
    assert f"flow {file}: made" in said
    assert file.read_bytes() == (ROOT / "wombat_ari" / "recipes" / "survey.py").read_bytes()
    assert wombat("flow", "list").output.split()[:2] == ["survey", "survey.py"]


def test_a_flow_that_is_there_is_never_changed(wombat: Any, database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "flows"
    folder.mkdir()
    (folder / "survey.py").write_text("mine = 1\n")
    with pytest.raises(UserError, match=r"'survey' was not made: there is already file .*/flows/survey.py"):
        wombat("init", "--recipe", "survey")
    assert (folder / "survey.py").read_text() == "mine = 1\n"
    assert campaigns.list_campaigns(database) == []


def test_a_folder_that_cannot_be_written_makes_nothing(wombat: Any, database: Database, tmp_path: Path) -> None:
    (tmp_path / "state" / "flows").write_text("")
    with pytest.raises(UserError, match=r"the flows cannot be written into .*/flows: "):
        wombat("init", "--recipe", "survey")
    assert campaigns.list_campaigns(database) == []


def test_no_flow_is_left_of_a_recipe_that_failed(
    wombat: Any, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise UserError("no room")

    monkeypatch.setattr("wombat_ari.app.recipes.records.add_numbers", fails)
    with pytest.raises(UserError, match="no room"):
        wombat("init", "--recipe", "survey")
    assert list((tmp_path / "state" / "flows").iterdir()) == []
    assert campaigns.list_campaigns(database) == []


def test_recipes_may_live_side_by_side() -> None:
    """No two have a thing of one name, but for the server."""
    for kind in ("trunk", "end_point", "list", "campaign"):
        names = [item["name"] for recipe in every_recipe() for item in recipe.plan[kind]]
        assert len(names) == len(set(names)), kind


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("pbx", "pbx", 5038), ("10.0.0.1:5039", "10.0.0.1", 5039), ("::1", "::1", 5038), ("[::1]:5039", "::1", 5039)],
)
def test_addresses(text: str, host: str, port: int) -> None:
    assert parse_address(text) == (host, port)


@pytest.mark.parametrize("text", ["", "pbx:0", "pbx:x", ":5038", "pbx:70000"])
def test_no_addresses(text: str) -> None:
    with pytest.raises(UserError, match="HOST or HOST:PORT"):
        parse_address(text)
