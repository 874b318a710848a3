"""A queue at the limits of agents, lines and congestion budget for a short while; see ``queue_load`` for a long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system import queue_load


@pytest.mark.slow
def test_nothing_is_exceeded_and_nothing_leaks(tmp_path: Path) -> None:
    story = queue_load.play(tmp_path, seconds=20, scale=0.1)
    print(story)
    assert not story.faults
    assert {"no agent is free for one more call", "all lines of its trunks are in use"} <= set(story.reasons)
    assert story.meter.most == queue_load.LINES
    assert story.joins >= 30
    assert story.samples >= 200
