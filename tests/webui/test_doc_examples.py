"""docs/http-compat.md: every example is run, in order, on a real new installation, and prints what the page says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.system.site import Site
from webui.compat import MODULES

PAGE = Path(__file__).parents[2] / "docs" / "http-compat.md"
PASSWORD = "correct-horse-battery"
BLOCK = re.compile(r"```(sh|text)\n(.*?)```\n", re.DOTALL)
MARK = "-- example {} --"


def examples() -> list[tuple[str, str]]:
    """Each block of commands after the first (which says where and who), with what it prints."""
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))[1:]
    assert [kind for kind, _ in blocks] == ["sh", "text"] * (len(blocks) // 2)
    return [(blocks[n][1], blocks[n + 1][1]) for n in range(0, len(blocks), 2)]


def test_every_example(tmp_path: Path) -> None:
    site = Site(tmp_path / "site", settings={"WOMBAT_ARI_ADMIN_PASSWORD": PASSWORD})
    site.wombat("init")
    found = examples()
    begin = f"API=http://127.0.0.1:{site.console_port}/wombat/api\nUSER=admin:{PASSWORD}\n"
    parts = [f"{commands}echo '{MARK.format(n)}'\n" for n, (commands, _) in enumerate(found)]
    try:
        site.serve()
        done = subprocess.run(
            ["bash", "-u"], input=begin + "".join(parts), cwd=tmp_path, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
    finally:
        site.close()
    rest = done.stdout
    for n, (commands, expected) in enumerate(found):
        printed, _, rest = rest.partition(MARK.format(n) + "\n")
        assert printed == expected, f"{commands}\n{done.stderr}"
    assert done.returncode == 0


def test_every_address_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    commands = "".join(commands for commands, _ in examples())
    for module in MODULES:
        for address in module.ADDRESSES:
            last = address.path.rpartition("/")[2]
            assert address.path in text or f"/{last}" in text, address.path
            spelled = address.path in commands or f"{last}:" in commands
            assert spelled, f"{address.path} has no example"
