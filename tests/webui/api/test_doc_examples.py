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
    begin = f'curl() {{ printf \'%s\\t\' "$@" >>asked; echo >>asked; command curl "$@"; }}\n{begin}'
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
    asked = [each for line in (tmp_path / "asked").read_text().splitlines() if (each := asked_by(line.split("\t")))]
    without = [
        f"{route.method} {route.path}" for route in ROUTES
        if not any(method == route.method and route_pattern(route.path).fullmatch(path) for method, path in asked)
    ]  # fmt: skip
    assert not without, "these have no example"


def asked_by(arguments: list[str]) -> tuple[str, str] | None:
    """Method and path of what curl was told; None: not of the API."""
    address = next((each for each in arguments if "/api/v1" in each), "")
    sends = {"-d", "--data-binary"} & set(arguments)
    method = arguments[arguments.index("-X") + 1] if "-X" in arguments else "POST" if sends else "GET"
    return (method, address.partition("/api/v1")[2].partition("?")[0]) if address else None


def route_pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"{\w+}", "[0-9a-f]+", path))
