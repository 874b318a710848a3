"""P5 and P8 run at a small size and tell what they promise; sizes that cannot be are refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.bench import p5_import, p8_report

ROOT = Path(__file__).parents[2]


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"tools.bench.{module}", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def result_of(module: str, *arguments: str) -> dict[str, Any]:
    done = run(module, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    assert "2,000 of 2,000" in done.stderr  # progress
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_an_import_beside_load_data() -> None:
    result = result_of("p5_import", "--records", "2000", "--rounds", "1", "--pool", "64")
    assert result["ours_s"] > 0
    assert 10 < result["memory_mb"] < 150
    for promised in ("2,000 CSV records", "LOAD DATA", "MB of memory", "reach 4 x"):
        assert promised in p5_import.shown(result)


def test_a_report_beside_one_aggregate() -> None:
    result = result_of("p8_report", "--attempts", "2000", "--rounds", "1", "--pool", "64")
    assert set(result["databases"]) == {"mariadb", "sqlite"}
    assert all(found["ours_ms"] > 0 and found["peer_ms"] > 0 for found in result["databases"].values())
    for promised in ("2,000 attempts", "mariadb", "sqlite", "reach 2 x"):
        assert promised in p8_report.shown(result)


@pytest.mark.parametrize(("module", "size"), [("p5_import", "--records"), ("p8_report", "--attempts")])
def test_sizes_that_cannot_be_are_refused(module: str, size: str) -> None:
    done = run(module, size, "0")
    assert done.returncode == 2
    assert "at least one" in done.stderr
