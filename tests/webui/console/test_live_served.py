"""The live page from the real processes: ``serve`` with its dialer, asked over the control socket, and a PBX."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.system.site import Site, until
from tools.bench.live_page import Watcher, live_site


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with live_site(10, 2) as site:
        yield site


def test_calls_are_shown_paged_hung_up_and_runs_are_paused(site: Site) -> None:
    one = Watcher(site.console_port)

    def calls(query: str = "") -> list[int]:
        return [int(found) for found in re.findall(r'<tr data-key="call-(\d+)"', one.get(f"/live/part{query}"))]

    assert len(calls()) == 10
    run = next(run["id"] for run in site.snapshot()["runs"] if run["campaign"] == "Campaign of branch 1")
    of_run = calls(f"?of={run}&by=number&down=1")
    assert len(of_run) == 5
    assert "Carrier 1" in one.get(f"/live?call={of_run[0]}")
    one.post(f"/live/runs/{run}/pause", at="/live")
    assert "PAUSED" in one.get(f"/live?run={run}")
    one.post(f"/live/calls/{of_run[0]}/hang-up", at="/live")
    until(lambda: of_run[0] not in calls(), 10, "the call has ended")
    assert set(calls(f"?of={run}")) == set(of_run[1:])
    told = "Campaign of branch 1"
    until(lambda: told in {entry[1] for entry in site.system_log() if entry[0] == "hang up"}, 10, "it is noted")
    assert "list" in one.get(f"/live/lists?run={run}")
    assert "READY" in one.get("/status")
