"""P11 runs on both databases for a moment, finds a row for each answer, and tells what it promises."""

import json
import subprocess
import sys
from pathlib import Path

from tools.bench import p11_addcall

ROOT = Path(__file__).parents[2]


def test_both_sides_are_asked() -> None:
    sizes = ("--seconds", "0.5", "--rounds", "1", "--clients", "8", "--json")
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench.p11_addcall", *sizes],
        cwd=ROOT, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert set(result["databases"]) == {"mariadb", "sqlite"}
    for found in result["databases"].values():
        assert found["ours_per_s"] > 0
        assert found["peer_per_s"] > 0
    text = p11_addcall.shown(result)
    for promised in ("mariadb", "sqlite", "8 clients", "trusted", "reach 3 x", "processor ms"):
        assert promised in text


def test_no_clients_are_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench.p11_addcall", "--clients", "0"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "at least one client" in done.stderr
