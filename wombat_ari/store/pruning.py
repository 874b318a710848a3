"""Logs are kept by policy: old rows go, some thousand a transaction, so that nobody waits.

Of the call log only attempts of runs that have ended may go: the ledger of a live run is counted from it.
"""

from wombat_ari.store.database import Database, marks

_STEP = 2000


def prune_call_log(db: Database, *, before: float) -> int:
    """Delete one step of attempts made before the moment; returns how many, 0 when there are no more."""
    with db.transaction() as tx:
        rows = tx.rows(
            "SELECT c.wombatid FROM call_log c JOIN run r ON r.id = c.run_id "
            "WHERE c.attempted_at < %s AND r.live_campaign_id IS NULL ORDER BY c.attempted_at LIMIT %s",
            (before, _STEP),
        )
        ids = [row[0] for row in rows]
        return tx.run(f"DELETE FROM call_log WHERE wombatid IN ({marks(len(ids))})", ids) if ids else 0


def prune_system_log(db: Database, *, before: float) -> int:
    """Delete one step of lines from before the moment."""
    with db.transaction() as tx:
        ids = [
            row[0] for row in tx.rows("SELECT id FROM system_log WHERE at < %s ORDER BY at LIMIT %s", (before, _STEP))
        ]
        return tx.run(f"DELETE FROM system_log WHERE id IN ({marks(len(ids))})", ids) if ids else 0
