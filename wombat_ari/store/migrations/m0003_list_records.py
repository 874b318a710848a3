"""0003: how many records each list has is kept with the list."""

from wombat_ari.store.database import Transaction

_COMMENT = "records on it, kept by who appends them"


def apply(tx: Transaction, *, now: float) -> None:
    """May run again over what an interrupted one left: the records are counted last."""
    if tx.kind == "sqlite":
        tx.run("ALTER TABLE call_list ADD COLUMN records INTEGER NOT NULL DEFAULT 0")
    else:
        tx.run(
            f"ALTER TABLE call_list ADD COLUMN IF NOT EXISTS records INTEGER NOT NULL DEFAULT 0 COMMENT '{_COMMENT}'"
        )
        tx.run(f"ALTER TABLE call_list MODIFY COLUMN records INTEGER NOT NULL COMMENT '{_COMMENT}'")
    tx.run("UPDATE call_list SET records = (SELECT COUNT(*) FROM record WHERE record.list_id = call_list.id)")
