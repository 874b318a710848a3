"""One dialer a database."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from tests.store.conftest import NOW
from wombat_ari.model.errors import UserError
from wombat_ari.store import lease
from wombat_ari.store.database import Database, open_database
from wombat_ari.store.lease import LEASE_S, Lease
from wombat_ari.store.migrations import migrate


def test_a_second_dialer_is_refused_while_the_first_lives(database: Database) -> None:
    assert lease.holder(database) is None
    assert lease.acquire(database, "node1", pid=17, now=NOW) == Lease("node1", 17, NOW, NOW + LEASE_S)
    with pytest.raises(UserError, match="process 17 on node1, heard of 3 s ago") as caught:
        lease.acquire(database, "node2", pid=99, now=NOW + 3)
    assert caught.value.code == "lease"
    lease.renew(database, "node1", pid=17, now=NOW + 10)
    with pytest.raises(UserError, match="process 17 on node1"):
        lease.acquire(database, "node1", pid=18, now=NOW + LEASE_S + 9)
    assert lease.holder(database) == Lease("node1", 17, NOW, NOW + LEASE_S + 10)


def test_a_dead_dialer_is_followed(database: Database) -> None:
    lease.acquire(database, "node1", pid=17, now=NOW)
    lease.acquire(database, "node2", pid=99, now=NOW + LEASE_S)
    with pytest.raises(UserError, match=r"the lease was lost: .* process 99 on node2"):
        lease.renew(database, "node1", pid=17, now=NOW + LEASE_S + 1)
    lease.release(database, "node1", pid=17)
    assert lease.holder(database) == Lease("node2", 99, NOW + LEASE_S, NOW + 2 * LEASE_S)


def test_a_released_lease_is_free_at_once(database: Database) -> None:
    lease.acquire(database, "node1", pid=17, now=NOW)
    lease.release(database, "node1", pid=17)
    with pytest.raises(UserError, match="nobody holds it"):
        lease.renew(database, "node1", pid=17, now=NOW)
    lease.acquire(database, "node2", pid=99, now=NOW)


def test_its_own_lease_is_taken_up_again(database: Database) -> None:
    lease.acquire(database, "node1", pid=17, now=NOW)
    assert lease.acquire(database, "node1", pid=17, now=NOW + 2).expires_at == NOW + 2 + LEASE_S


@pytest.mark.parametrize("attempt", range(5))
def test_of_two_that_start_at_once_one_wins(new_url: Callable[[], str], attempt: int) -> None:
    url = new_url()
    migrate(open_database(url), now=NOW)
    barrier, found = threading.Barrier(4, timeout=30), []

    def start(pid: int) -> None:
        db = open_database(url)
        db.is_alive()
        barrier.wait()
        try:
            found.append(lease.acquire(db, "node", pid=pid, now=NOW).pid)
        except UserError:
            found.append(0)
        db.close()

    threads = [threading.Thread(target=start, args=(pid,)) for pid in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found)[:3] == [0, 0, 0]
    assert len(found) == 4
    assert max(found) > 0
