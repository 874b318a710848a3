"""docs/configuration.md: every setting is there, and the file it shows is one that can be read."""

import tomllib

from tools.docs.__main__ import ROOT
from tools.docs.settings import example
from wombat_ari.app.config import SETTINGS, load_settings

PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def test_every_setting_with_its_variable() -> None:
    for setting in SETTINGS:
        assert f"| `{setting.name}` |" in PAGE
        assert f"`{setting.environment}`" in PAGE


def test_the_example_is_a_file_that_changes_nothing(tmp_path) -> None:
    text = example().removeprefix("```toml\n").removesuffix("```")
    tree = tomllib.loads(text)
    assert {f"{section}.{key}" for section, keys in tree.items() for key in keys} == {one.name for one in SETTINGS}
    file = tmp_path / "wombat-ari.toml"
    file.write_text(text, encoding="utf-8")
    settings = load_settings(file, environ={})
    assert all(settings[one.name] == one.default for one in SETTINGS)
