"""P6 and P7 run on both databases at a small size and tell what they promise; sizes that cannot be are refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.bench import p6_refill, p7_black_list

ROOT = Path(__file__).parents[2]


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"tools.bench.{module}", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def result_of(module: str, *arguments: str) -> dict[str, Any]:
    done = run(module, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert "2,000 of 2,000" in done.stderr  # progress
    assert set(result["databases"]) == {"mariadb", "sqlite"}
    assert all(found["disk_mb"] > 0 for found in result["databases"].values())
    assert result["worst_ratio"] > 0
    return result


def test_refills_at_the_ends_of_two_lists() -> None:
    sizes = ("--records", "2000", "--beside", "1000", "--rounds", "1", "--refills", "2", "--pool", "64")
    result = result_of("p6_refill", *sizes)
    for found in result["databases"].values():
        assert list(found["refill"]) == ["100"]  # two of a thousand are more than the small list
        for row in (*found["refill"].values(), *found["others"].values()):
            assert row["small_ms"] > 0
            assert row["large_ms"] > 0
    text = p6_refill.shown(result)
    for promised in ("mariadb", "sqlite", "MB of disk", "at 1,000", "at 2,000", "how much remains", "reach 1.5 x"):
        assert promised in text


def test_black_lists_of_two_sizes() -> None:
    sizes = ("--records", "2000", "--beside", "20", "--numbers", "1000", "--rounds", "1", "--pool", "64")
    result = result_of("p7_black_list", *sizes)
    for found in result["databases"].values():
        for part in ("warm", "cold", "refills"):
            assert found[part]["small_ms"] > 0
            assert found[part]["large_ms"] > 0
    text = p7_black_list.shown(result)
    for promised in (
        "mariadb",
        "sqlite",
        "MB of disk",
        "nothing in memory",
        "whole refills",
        "buffer pool 64",
        "reach 2 x",
    ):
        assert promised in text


@pytest.mark.parametrize(
    ("module", "arguments"),
    [("p6_refill", ("--records", "100")), ("p7_black_list", ("--numbers", "1000000000"))],
)
def test_sizes_that_cannot_be_are_refused(module: str, arguments: tuple[str, ...]) -> None:
    done = run(module, *arguments)
    assert done.returncode == 2
    assert "at least" in done.stderr or "times --beside" in done.stderr
    assert "Traceback" not in done.stderr
