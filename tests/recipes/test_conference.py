"""docs/cookbook/conference.md: who presses 1 is in the room, all at the same time, until the leader leaves."""

from __future__ import annotations

import pytest

from tests.recipes.conftest import Cook
from tests.recipes.kitchen import Kitchen
from tests.system.agents import Floor
from tests.system.site import until

IN = ("555002101", "555004151", "555000121")  #: they press 1
SILENT, LEAVES, AWAY, DECLINES = "5551010004", "5557030905", "5553000006", "555002122"
LEAVER = "555000121"  #: of those, who hangs up before it is over


@pytest.fixture(scope="module")
def kitchen(cook: Cook) -> Kitchen:
    """Everybody is called, and the leader came."""
    kitchen = cook("conference")
    kitchen.hurry(answer_timeout_ms=1000, variables="ROOM:wombat,MESSAGE:beep,SECONDS:1")
    kitchen.follow()
    return kitchen


def people(kitchen: Kitchen) -> int:
    """How many are in the room."""
    said = kitchen.pbx.cli("confbridge list").split()
    return int(said[said.index("wombat") + 1]) if "wombat" in said else 0


def test_all_are_in_it_at_the_same_time(kitchen: Kitchen) -> None:
    until(lambda: people(kitchen) == len(IN) + 1, 20, "three and the leader")
    talking = {call["number"] for call in kitchen.site.snapshot()["calls"] if call["state"] == "CONNECTED"}
    assert set(IN) <= talking


def test_it_is_over_when_the_leader_leaves(kitchen: Kitchen, floor: Floor) -> None:
    others = {SILENT: 2, LEAVES: 2, AWAY: 4, DECLINES: 2}
    until(lambda: {n: len(ends) for n, ends in kitchen.results().items()} == others, 40, "the others were tried")
    (leaver,) = [call for call in kitchen.site.snapshot()["calls"] if call["number"] == LEAVER]
    floor.hang_up(f"wbt-{leaver['id']:016}")
    until(lambda: people(kitchen) == len(IN), 10, "one has left")
    for line in kitchen.pbx.cli("core show channels concise").splitlines():
        if "wombat-conference-lead!" in line:
            floor.hang_up(line.partition("!")[0])
            break
    kitchen.site.finish(20)
    assert kitchen.results() == {
        **{number: [("TERMINATED", "2")] for number in IN if number != LEAVER},
        LEAVER: [("TERMINATED", "1")],
        SILENT: [("TERMINATED", "0")] * 2,
        DECLINES: [("TERMINATED", "0")] * 2,
        LEAVES: [("RS_BUSY", ""), ("TERMINATED", "0")],
        AWAY: [("RS_NOANSWER", "")] * 4,
    }
