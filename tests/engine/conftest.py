"""In these tests the scheduler looks at nobody without need: who is not told that something opened waits for ever."""

import pytest

from wombat_ari.engine import schedule


@pytest.fixture(autouse=True)
def _nobody_is_looked_at_without_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "LOOK_AT", 0)
