"""docs/cookbook/broadcast.md: everybody hears the recording, and who did not come to hear it is called again."""

from __future__ import annotations

import pytest

from tests.recipes.conftest import Cook
from tests.recipes.kitchen import Kitchen, numbers

HEARD, LEFT = ("TERMINATED", "1"), ("TERMINATED", "0")
BUSY, AWAY, REFUSED = ("RS_BUSY", ""), ("RS_NOANSWER", ""), ("RS_REJECTED", "")
ENDS = (
    [HEARD], [LEFT], [HEARD], [BUSY] * 4, [BUSY, HEARD], [AWAY, HEARD], [AWAY] * 3, [("RS_NUMBER", "")], [REFUSED] * 3,
    [REFUSED] * 3,
)  # fmt: skip


@pytest.fixture(scope="module")
def kitchen(cook: Cook) -> Kitchen:
    """Run to its end."""
    kitchen = cook("broadcast")
    kitchen.hurry(answer_timeout_ms=1000)
    assert "broadcast is COMPLETED" in kitchen.follow()
    return kitchen


def test_who_is_called_again_and_how_it_ends(kitchen: Kitchen) -> None:
    assert kitchen.results() == dict(zip(numbers("broadcast"), ENDS, strict=True))


def test_the_recording_is_heard_twice(kitchen: Kitchen) -> None:
    """hello-world takes longer than a second."""
    heard = [row for row in kitchen.site.attempts("broadcast") if row["extended_status"] == "1"]
    assert {row["talk_ms"] > 3000 for row in heard} == {True}
    assert {row["end_point_name"] for row in heard} == {"broadcast"}


def test_each_number_was_taken_once_and_the_campaign_is_through(kitchen: Kitchen) -> None:
    assert kitchen.site.rows("SELECT taken, closed, state FROM run") == [(10, 10, "COMPLETED")]
