"""Which dialer works on this database: one row with an end. A second dialer is refused while the first lives.

The holder renews it well before ``LEASE_S`` is over; after a crash the next one waits that long at most. The moments
are those of the machines that run dialers, so their clocks have to agree within some seconds (the doctor looks).
"""

from dataclasses import dataclass

from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.store.database import Database, Transaction

LEASE_S = 15.0  #: how long a dialer that says nothing is believed to live
_NAME = "dialer"


@dataclass(frozen=True, slots=True)
class Lease:
    node: str
    pid: int
    acquired_at: float
    expires_at: float


def acquire(db: Database, node: str, *, pid: int, now: float) -> Lease:
    """Become the dialer of this database. UserError naming the other one while its lease lasts.

    A lease of the same node and process is taken up again.
    """
    try:
        return _acquire(db, node, pid=pid, now=now)
    except StoreError as error:
        if error.code != "store_duplicate":
            raise
        return _acquire(db, node, pid=pid, now=now)  # another one was first by a hair: it is named


def renew(db: Database, node: str, *, pid: int, now: float) -> None:
    """UserError when another holds it by now: then this process must stop placing calls."""
    with db.transaction() as tx:
        held = _read(tx)
        if held is None or (held.node, held.pid) != (node, pid):
            raise UserError("the lease was lost: " + (_refusal(held, now) if held else "nobody holds it"), code="lease")
        tx.run("UPDATE dialer_lease SET expires_at = %s WHERE name = %s", (now + LEASE_S, _NAME))


def release(db: Database, node: str, *, pid: int) -> None:
    """Give it back, so that another may start at once. Nothing happens when it is not held by this process."""
    with db.transaction() as tx:
        tx.run("DELETE FROM dialer_lease WHERE name = %s AND node = %s AND pid = %s", (_NAME, node, pid))


def holder(db: Database) -> Lease | None:
    """Who holds it, also when it has run out; None when nobody does."""
    with db.transaction(write=False) as tx:
        return _read(tx, lock=False)


def _acquire(db: Database, node: str, *, pid: int, now: float) -> Lease:
    with db.transaction() as tx:
        held = _read(tx)
        if held is not None and (held.node, held.pid) != (node, pid) and held.expires_at > now:
            raise UserError(_refusal(held, now), code="lease")
        lease = Lease(node, pid, now, now + LEASE_S)
        values = (node, pid, lease.acquired_at, lease.expires_at, _NAME)
        if held is None:  # no DELETE first: it could hit the row of one who came a moment earlier
            sql = "INSERT INTO dialer_lease (node, pid, acquired_at, expires_at, name) VALUES (%s, %s, %s, %s, %s)"
        else:
            sql = "UPDATE dialer_lease SET node = %s, pid = %s, acquired_at = %s, expires_at = %s WHERE name = %s"
        tx.run(sql, values)
        return lease


def _read(tx: Transaction, *, lock: bool = True) -> Lease | None:
    """The row is locked, so that of two dialers that start at once one waits and then sees the other."""
    row = tx.row(
        "SELECT node, pid, acquired_at, expires_at FROM dialer_lease WHERE name = %s" + (tx.for_update if lock else ""),
        (_NAME,),
    )
    return Lease(*row) if row else None


def _refusal(held: Lease, now: float) -> str:
    return (
        f"another dialer works on this database: process {held.pid} on {held.node}, heard of"
        f" {max(0.0, now - held.expires_at + LEASE_S):.0f} s ago; stop that one first"
        f" (or, if it has died, wait {max(0.0, held.expires_at - now):.0f} s)"
    )
