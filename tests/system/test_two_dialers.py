"""Two dialers with databases of their own on one real Asterisk: neither harms what the other still needs."""

from __future__ import annotations

from tests.engine.several import set_series_apart
from tests.system.conftest import NewSite
from tests.system.site import Site, server_of, until
from tests.system.witness import Witness
from wombat_ari.model.ids import channel_id

LINES = 6
NUMBERS = [f"55510240{serial:02}" for serial in range(LINES)]  #: answered, and hung up after four seconds


def _ready(site: Site, witness: Witness) -> None:
    site.apply({
        "server": [server_of(witness.pbx)],
        "trunk": [{"name": "network", "dial_string": "Local/${num}@watched/n", "capacity": LINES}],
        "end_point": [{"name": "waits", "extension": "101", "context": "watched-ends", "max_channels": LINES}],
        "list": [{"name": "everybody"}],
        "campaign": [{
            "name": "c", "trunks": ["network"], "end_points": ["waits"], "lists": ["everybody"],
            "rule": [{"status": "RS_LOST", "max_attempts": 3, "retry_after_s": 1}],
        }],
    })  # fmt: skip
    site.fill("everybody", NUMBERS)


def _up(site: Site) -> int:
    return sum(call["state"] == "CONNECTED" for call in site.snapshot()["calls"])


def _notes(witness: Witness, ids: list[int]) -> int:
    """How many of these have a note in the AstDB."""
    shown = witness.pbx.cli("database show wombat-gone")
    return sum(channel_id(wombatid) in shown for wombatid in ids)


def test_what_ended_while_one_was_away_is_known_to_it_whatever_the_other_did(
    witness: Witness, new_site: NewSite
) -> None:
    first, second = new_site(), new_site()
    for site in (first, second):
        _ready(site, witness)
    set_series_apart(first.database, second.database)
    for site in (first, second):
        site.serve()
        site.await_pbx()
    for site in (second, first):
        site.run("c")
    until(lambda: _up(first) == LINES, 20, "all calls of the first are up")
    assert first.stop() == 0
    mine = [wombatid for (wombatid,) in first.rows("SELECT wombatid FROM attempt")]
    assert len(mine) == LINES
    second.finish()
    theirs = [row["wombatid"] for row in second.attempts()]
    until(lambda: _notes(witness, mine) == LINES, 20, "the calls of the first have ended")

    # The second comes back: it reads what is there, and deletes what was its own.
    assert second.stop() == 0
    assert _notes(witness, theirs) == LINES
    second.serve()
    second.await_pbx()
    until(lambda: _notes(witness, theirs) == 0, 20, "the second has deleted its notes")
    assert _notes(witness, mine) == LINES

    first.serve()
    first.finish()
    for site, ids in ((first, mine), (second, theirs)):
        assert site.outcomes() == {number: ["TERMINATED"] for number in NUMBERS}
        assert sorted(row["wombatid"] for row in site.attempts()) == sorted(ids)
        site.check_ledger()
        assert "mistake of ours" not in site.log()
    until(lambda: _notes(witness, mine) == 0, 20, "the first has deleted its own")
    began = [len(witness.seen()[wombatid].began) for wombatid in (*mine, *theirs)]
    assert began == [1] * (2 * LINES)
