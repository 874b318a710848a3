"""Every number once: the counters of a run, counted again from the rows, and the check that they agree."""

from wombat_ari.model.calls import RunCounters
from wombat_ari.model.errors import StoreError
from wombat_ari.store.database import Database, Transaction
from wombat_ari.store.rows import ANSWERED


def ledger(db: Database, run_id: int) -> RunCounters:
    """Counted from the rows (slow on a large run): taken from the lists' progress, the rest from log and open rows."""
    with db.transaction(write=False) as tx:
        return _counted(tx, run_id)


def check_ledger(db: Database, run_id: int) -> RunCounters:
    """The counted ledger. StoreError saying what differs when it is not what the run's row says, or does not add up."""
    with db.transaction(write=False) as tx:
        counted = _counted(tx, run_id)
        stored = tx.row(
            "SELECT taken, closed, attempts, answered, rescheduled, taken - closed - open_retries, open_retries "
            "FROM run WHERE id = %s",
            (run_id,),
        )
    if stored is None:
        raise StoreError(f"there is no run {run_id}")
    row = RunCounters(*stored)
    if row != counted:
        raise StoreError(f"run {run_id}: its row says {row}, its rows are {counted}", code="store_ledger")
    if counted.taken != counted.closed + counted.open_attempts + counted.open_retries:
        raise StoreError(f"run {run_id}: it does not add up: {counted}", code="store_ledger")
    return counted


def _counted(tx: Transaction, run_id: int) -> RunCounters:
    log = tx.row(
        f"SELECT COUNT(*), COALESCE(SUM({ANSWERED}), 0), COALESCE(SUM(retry_in_s > 0), 0) "
        "FROM call_log WHERE run_id = %s",
        (run_id,),
    )
    attempts, answered, rescheduled = (int(n) for n in log or (0, 0, 0))
    taken = int(tx.value("SELECT COALESCE(SUM(taken), 0) FROM run_list WHERE run_id = %s", (run_id,)))
    dropped = int(tx.value("SELECT COALESCE(MAX(dropped), 0) FROM run WHERE id = %s", (run_id,)))
    open_attempts = int(tx.value("SELECT COUNT(*) FROM attempt WHERE run_id = %s", (run_id,)))
    open_retries = int(tx.value("SELECT COUNT(*) FROM open_retry WHERE run_id = %s", (run_id,)))
    closed = attempts - rescheduled + dropped
    return RunCounters(taken, closed, attempts, answered, rescheduled, open_attempts, open_retries)
