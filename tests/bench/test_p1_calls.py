"""The benchmark runs and prints what it promises: a few seconds of real load, the figures as JSON and as text."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.bench import p1_calls

ROOT = Path(__file__).parents[2]
#: The best window is not looked for, and no round is taken again: either takes half a minute of all processors.
SHORT = ("--seconds", "2", "--rounds", "1", "--window", "16", "--noisy", "99")


@pytest.mark.slow
@pytest.mark.parametrize("kind", [pytest.param("busy", marks=pytest.mark.floor), "answered"])
def test_a_few_seconds_of_load(kind: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench.p1_calls", *SHORT, "--kind", kind, "--json"],
        cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["wrong"] == []
    for side in ("bare", "dialer"):
        assert result[side]["calls_per_s"] > 20
        assert result[side]["cpu_ms_per_call"]["asterisk"] > 0
    assert result["dialer"]["cpu_ms_per_call"]["dialer"] > 0
    # Not the reach: other tests run beside. Only that it is a sane fraction.
    assert 0.02 < result["P1"]["ratio"] < 1.5
    assert 0.02 < result["P2"]["ratio"] < 5
    text = p1_calls._text(result)
    for promised in ("bare loop", "dialer", "P1 ", "P2 ", "reach", "noise", "others used"):
        assert promised in text


def test_spread_and_median() -> None:
    assert p1_calls.median([3.0, 1.0, 2.0]) == 2.0
    assert p1_calls.median([4.0, 1.0, 2.0, 3.0]) == 2.5
    assert p1_calls.spread([90.0, 100.0, 110.0]) == pytest.approx(0.1)
