"""0007: the column of an end point's type says all of them."""

from wombat_ari.store.database import Transaction

_COMMENT = "PHONE, QUEUE or FLOW"


def apply(tx: Transaction, *, now: float) -> None:
    """May run again over what an interrupted one left. Only a comment: no row is touched, and SQLite keeps none."""
    if tx.kind == "mysql":
        tx.run(f"ALTER TABLE end_point MODIFY COLUMN type VARCHAR(16) NOT NULL COMMENT '{_COMMENT}'")
