"""The settings, from ``app/config.SETTINGS``: what each means, and a file that holds all with their defaults."""

import json
from itertools import groupby
from typing import Any

from tools.docs.page import table
from wombat_ari.app.config import SETTINGS


def settings() -> str:
    """A table of all settings."""
    rows = [("key", "default", "what it is", "environment variable")]
    for setting in SETTINGS:
        rows.append((f"`{setting.name}`", f"`{spelled(setting.default)}`", setting.meaning, f"`{setting.environment}`"))
    return table(*rows)


def example() -> str:
    """A configuration file with every default written out."""
    lines = []
    for section, members in groupby(SETTINGS, key=lambda setting: setting.section):
        lines += ["", f"[{section}]", *(f"{setting.key} = {spelled(setting.default)}" for setting in members)]
    return "\n".join(["```toml", *lines[1:], "```"])


def spelled(value: Any) -> str:
    """A default as TOML spells it (for texts, numbers, booleans and lists of texts JSON spells them alike)."""
    return json.dumps(value)
