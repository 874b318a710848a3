"""docs/api.md: every example is run, in order, on a real new installation, and prints what the page says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.system.site import Site
from tests.webui.test_doc_examples import BLOCK, MARK
from webui.api import ROUTES

PAGE = Path(__file__).parents[3] / "docs" / "api.md"
PASSWORD = "correct-horse-battery"


def examples() -> tuple[str, list[tuple[str, str]]]:
    """How they begin; and each block of commands with what it prints."""
    (_, begin), *blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert [kind for kind, _ in blocks] == ["sh", "text"] * (len(blocks) // 2)
    return begin, [(blocks[n][1], blocks[n + 1][1]) for n in range(0, len(blocks), 2)]


def test_every_example(tmp_path: Path) -> None:
    site = Site(tmp_path / "site", settings={"WOMBAT_ARI_ADMIN_PASSWORD": PASSWORD})
    site.wombat("init")
    begin, found = examples()
    begin = begin.replace("127.0.0.1:8080", f"127.0.0.1:{site.console_port}")
    parts = [f"{commands}echo '{MARK.format(n)}'\n" for n, (commands, _) in enumerate(found)]
    try:
        site.serve()
        done = subprocess.run(
            ["bash", "-u"], input=begin + "".join(parts), cwd=tmp_path, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
    finally:
        site.close()
    rest, wrong = done.stdout, []
    for n, (commands, expected) in enumerate(found):
        printed, _, rest = rest.partition(MARK.format(n) + "\n")
        if printed != expected:
            wrong.append(f"{commands}printed\n{printed}and not\n{expected}")
    assert not wrong, "\n".join(wrong) + done.stderr
    assert done.returncode == 0


def test_every_resource_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for path in {route.path for route in ROUTES}:
        first, last = path.split("/")[1], re.sub(r"/{\w+}$", "", path).rpartition("/")[2]
        assert first in text, path
        assert last in text, path
