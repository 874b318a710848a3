"""A disk that is full: said in words, nobody is called, nothing is half done; and it goes on when there is room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.site import Site, server_of, until
from tests.system.small_disk import fill_up, make_room, on_small_disk
from tests.system.witness import Witness

PEOPLE = [f"5551{ring:02}04{serial:03}" for serial in range(60) for ring in (0, 2)]
FULL = "the disk of the database is full: make room, nothing is lost meanwhile"

OnDisk = Callable[[Callable[[Site, Path], None]], None]


@pytest.fixture
def on_disk(tmp_path: Path, witness: Witness) -> OnDisk:
    """Runs a test with a site that serves, its database on a small disk; all is ended when the test is."""

    def run(test: Callable[[Site, Path], None]) -> None:
        disk = tmp_path / "disk"

        def inside() -> None:
            site = Site(tmp_path / "site", url=f"sqlite:///{disk / 'wombat.db'}")
            try:
                _set_up(site, witness)
                test(site, disk)
            finally:
                site.close()

        on_small_disk(disk, 12, inside)

    return run


def _set_up(site: Site, witness: Witness) -> None:
    site.apply({
        "server": [server_of(witness.pbx)],
        "trunk": [{"name": "network", "dial_string": "Local/${num}@watched/n", "capacity": 10}],
        "end_point": [{"name": "waits", "extension": "101", "context": "watched-ends", "max_channels": 10}],
        "list": [{"name": "people"}],
        "campaign": [{"name": "Sales", "trunks": ["network"], "end_points": ["waits"], "lists": ["people"]}],
    })  # fmt: skip
    site.fill("people", PEOPLE)
    site.serve()
    site.await_pbx()


def test_a_full_disk_stops_new_calls_until_there_is_room(on_disk: OnDisk, witness: Witness) -> None:
    def story(site: Site, disk: Path) -> None:
        site.run("Sales")
        until(lambda: len(site.attempts()) >= 20, 30, "it is in full swing")
        fill_up(disk)
        assert FULL in until(lambda: site.snapshot()["database_trouble"], 20, "it is said")
        status, text = site.get("/healthz")
        assert (status, "disk of the database is full" in text) == (503, True)
        assert FULL in site.wombat("status", "--json").stdout
        until(lambda: not site.snapshot()["calls"], 20, "the calls in progress end")
        placed = site.snapshot()["placed"]
        assert placed < len(PEOPLE)
        assert site.snapshot()["journal"]["waiting"] > 0
        site.check_ledger()

        make_room(disk)
        site.finish(60)
        site.check_ledger()
        assert site.outcomes() == {number: ["TERMINATED"] for number in PEOPLE}
        seen = witness.seen()
        assert all(len(seen[row["wombatid"]].began) == 1 for row in site.attempts())
        assert site.get("/healthz")[0] == 200
        assert "Traceback" not in site.log()
        assert site.stop(limit=10) == 0

    on_disk(story)


def test_nothing_is_half_done_by_a_command(on_disk: OnDisk) -> None:
    def story(site: Site, disk: Path) -> None:
        many = "".join(f"{number}\n" for number in range(10_000, 13_000))
        fill_up(disk)
        assert FULL in site.wombat("import", "people", "-", text=many, status=2).stderr
        assert site.rows("SELECT COUNT(*) FROM record") == [(len(PEOPLE),)]
        make_room(disk)
        assert "3,000 added" in site.wombat("import", "people", "-", text=many).stdout

    on_disk(story)


def test_a_stop_on_a_full_disk_takes_no_longer_and_loses_nothing(on_disk: OnDisk) -> None:
    """What could not be written is found out by the next start, from the PBX's notes."""

    def story(site: Site, disk: Path) -> None:
        site.run("Sales")
        until(lambda: len(site.attempts()) >= 20, 30, "it is in full swing")
        fill_up(disk)
        until(lambda: site.snapshot()["database_trouble"], 20, "it is said")
        until(lambda: not site.snapshot()["calls"], 20, "the calls in progress end")
        assert site.stop(limit=11) == 0
        assert "stopped without the database" in site.log()
        assert "Traceback" not in site.log()
        make_room(disk)
        site.serve()
        site.finish(60)
        site.check_ledger()
        assert site.outcomes() == {number: ["TERMINATED"] for number in PEOPLE}

    on_disk(story)
