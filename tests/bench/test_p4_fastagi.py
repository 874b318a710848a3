"""P4 asks all three servers for a moment, finds every request noted, and tells what it promises."""

import json
import subprocess
import sys
from pathlib import Path

from tools.bench import p4_fastagi

ROOT = Path(__file__).parents[2]


def test_all_sides_are_asked() -> None:
    sizes = ("--seconds", "0.3", "--rounds", "1", "--callers", "8", "--json")
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench.p4_fastagi", *sizes],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert set(result["sides"]) == {"ours", "panoramisk", "pystrix"}
    assert all(found["per_s"] > 0 for found in result["sides"].values())
    text = p4_fastagi.shown(result)
    for promised in ("ours", "panoramisk", "pystrix", "8 callers", "processor", "fastest of all"):
        assert promised in text


def test_nobody_calls_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench.p4_fastagi", "--callers", "0"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "at least one caller" in done.stderr
