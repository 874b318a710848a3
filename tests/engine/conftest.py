"""No power cuts here; and the scheduler looks at nobody without need: who is not told that something opened waits."""

import pytest

from wombat_ari.engine import schedule
from wombat_ari.store import engines


@pytest.fixture(autouse=True)
def _nobody_is_looked_at_without_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "LOOK_AT", 0)


@pytest.fixture(autouse=True)
def _no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engines._PRAGMAS, "synchronous", "off")
