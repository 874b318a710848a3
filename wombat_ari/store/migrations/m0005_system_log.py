"""0005: the system log is read by user and by action as fast as by time."""

from wombat_ari.store.database import Transaction


def apply(tx: Transaction, *, now: float) -> None:
    """May run again over what an interrupted one left."""
    tx.run("CREATE INDEX IF NOT EXISTS system_log_by_login_at ON system_log (login, at)")
    tx.run("CREATE INDEX IF NOT EXISTS system_log_by_action_at ON system_log (action, at)")
