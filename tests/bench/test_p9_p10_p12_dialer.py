"""P9, P10 and P12 run at a small size and print what they promise. Not the reaches: other tests run beside."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.bench import p9_memory, p10_agent_free, p12_scheduler

ROOT = Path(__file__).parents[2]


def result_of(module: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", f"tools.bench.{module}", *arguments, "--json"],
        cwd=ROOT, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_a_pass_beside_one_with_a_tenth() -> None:
    result = result_of("p12_scheduler", "--size", "20", "--rounds", "3")
    shapes = {row["shape"] for row in result["passes"]}
    assert shapes == set(p12_scheduler.SHAPES)
    for row in result["passes"]:
        assert 0 < row["ms"] < 1000
        assert row["worst_ms"] > 0
        # What was to be placed was placed, and what was not was not.
        assert (row["placed"] > 0) == (row["pass"] in ("one", "many")), row
    text = p12_scheduler.shown(result)
    for promised in ("P12", "a tenth", "ratio", "worst ms", "reach"):
        assert promised in text


@pytest.mark.slow
def test_memory_of_calls() -> None:
    result = result_of("p9_memory", "--calls", "200")
    assert result["wrong"] == []
    assert result["calls"] == 200
    assert result["readings"][0]["calls"] == 0
    assert result["readings"][-1]["rss_kb"] >= result["readings"][0]["rss_kb"] > 1000
    assert "KB" in p9_memory.shown(result)


@pytest.mark.slow
def test_times_from_a_free_agent_to_the_originate() -> None:
    result = result_of("p10_agent_free", "--agents", "40", "--seconds", "5", "--load", "0.05", "--database", "sqlite")
    assert result["answers"] > 3
    assert 0 < result["ms"]["median"] <= result["ms"]["99"] <= result["ms"]["worst"]
    assert set(result["inside"]) == {
        "until granted",
        "until marked",
        "until begun",
        "commit",
        "until told",
        "until written",
    }
    text = p10_agent_free.shown(result)
    for promised in ("P10", "median", "99 %", "processors used", "inside the dialer", "reach"):
        assert promised in text


def test_percentiles() -> None:
    ordered = [float(n) for n in range(1, 101)]
    assert [p10_agent_free.percentile(ordered, part) for part in (0, 50, 99, 100)] == [1.0, 51.0, 100.0, 100.0]
    assert p10_agent_free.percentile([], 99) == 0.0
