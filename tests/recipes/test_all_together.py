"""All recipes on one database and one Asterisk: they live side by side, and the doctor finds all that they need."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.recipes.kitchen import RECIPES
from tests.system.site import Site
from tools.docs.__main__ import ROOT
from tools.provision.asterisk import AsteriskInstance

NAMES = sorted(path.stem for path in RECIPES.glob("*.toml"))
CONTEXTS = re.compile(r"^\[([\w-]+)\]", re.MULTILINE)


def test_the_doctor_finds_what_every_recipe_needs(tmp_path: Path, recipes_pbx: AsteriskInstance) -> None:
    where = {"WOMBAT_ARI_AMI_ADDRESS": f"{recipes_pbx.host}:{recipes_pbx.ami_port}"}
    site = Site(tmp_path, settings={**where, "WOMBAT_ARI_AMI_SECRET": recipes_pbx.ami_secret})
    try:
        for name in NAMES:
            assert "Next:\n" in site.wombat("init", "--recipe", name).stdout
        found = json.loads(site.wombat("check", "--json").stdout)
        wanted = [about for (about,) in site.rows("SELECT name FROM trunk UNION ALL SELECT name FROM end_point")]
    finally:
        site.close()
    looked_at = [one for one in found if one["about"].startswith(("trunk ", "end point "))]
    assert [one for one in looked_at if one["grade"] != "good"] == []
    assert {one["about"].partition(" ")[2].removeprefix("point ") for one in looked_at} == set(wanted)


@pytest.mark.parametrize(
    "file", sorted((ROOT / "asterisk_conf" / "extensions.d").glob("recipe-*.conf")), ids=lambda file: file.stem
)
def test_every_context_is_loaded(file: Path, recipes_pbx: AsteriskInstance) -> None:
    for context in CONTEXTS.findall(file.read_text(encoding="utf-8")):
        assert f"[ Context '{context}' created by 'pbx_config' ]" in recipes_pbx.cli(f"dialplan show {context}")
