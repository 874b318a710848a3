"""A database server that goes, or does not answer, at moments that the campaign of ``test_crashes`` does not reach."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import threading

import pytest

from tests.conftest import NewMariaDB
from tests.system.conftest import NewSite
from tests.system.site import Site, server_of, until
from tests.system.witness import Witness
from tools.provision.mariadb import MariaDBInstance


@pytest.fixture
def mariadb(new_mariadb: NewMariaDB) -> MariaDBInstance:
    """One of the test's own."""
    server = new_mariadb()
    server.create_database("wombat")
    return server


@pytest.fixture
def site(mariadb: MariaDBInstance, new_site: NewSite) -> Site:
    return new_site(url=mariadb.url("wombat"))


def test_a_dialer_that_finds_no_database_is_tried_again(site: Site, mariadb: MariaDBInstance) -> None:
    site.serve()
    old = site.dialer_pid()
    assert old is not None
    mariadb.kill()
    os.kill(old, signal.SIGKILL)
    until(lambda: "the dialer cannot start: database wombat at" in site.log(), 20, "the reason is said")
    status, text = site.get("/healthz")
    assert status == 503
    assert "the dialer is not running" in text
    mariadb.start()
    site.await_ready(limit=40)
    until(lambda: site.get("/healthz")[0] == 200, 10, "all is well again")
    assert "Traceback" not in site.log()
    assert mariadb.password not in site.log()


def test_a_stop_while_it_does_not_answer_takes_no_longer(
    site: Site, mariadb: MariaDBInstance, witness: Witness
) -> None:
    site.apply({
        "server": [server_of(witness.pbx)],
        "trunk": [{"name": "network", "dial_string": "Local/${num}@watched/n", "capacity": 4}],
        "end_point": [{"name": "waits", "extension": "101", "context": "watched-ends", "max_channels": 4}],
        "list": [{"name": "people"}],
        "campaign": [{"name": "Sales", "trunks": ["network"], "end_points": ["waits"], "lists": ["people"]}],
    })  # fmt: skip
    people = [f"55510103{serial:03}" for serial in range(12)]
    site.fill("people", people)
    site.serve()
    site.await_pbx()
    site.run("Sales")
    until(lambda: len(site.snapshot()["calls"]) == 4, 20, "it calls")
    assert site.get("/healthz")[0] == 200
    mariadb.freeze()
    # A person looks at the page just then: the console's thread waits for the database as well.
    looks = threading.Thread(target=_look, args=(site,))
    looks.start()
    try:
        until(lambda: site.snapshot()["journal"]["waiting"], 10, "something is to be written")
        assert site.stop(limit=11) == 0
    finally:
        mariadb.thaw()
        looks.join()
    assert "stopped without the database" in site.log()
    assert "killed" not in site.log()
    site.serve()
    site.finish()
    site.check_ledger()
    assert site.outcomes() == {number: ["TERMINATED"] for number in people}
    seen = witness.seen()
    assert all(len(seen[row["wombatid"]].began) == 1 for row in site.attempts())


def _look(site: Site) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        site.get("/healthz")


def test_a_stop_while_the_dialer_waits_for_it_at_its_start(site: Site, mariadb: MariaDBInstance) -> None:
    site.serve()
    old = site.dialer_pid()
    assert old is not None
    mariadb.freeze()
    try:
        os.kill(old, signal.SIGKILL)
        until(lambda: site.dialer_pid() not in (None, old), 20, "another dialer, which cannot get ready")
        assert site.stop(limit=11) == 0
    finally:
        mariadb.thaw()
