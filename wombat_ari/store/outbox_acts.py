"""What errands that change our own database do: in the transaction that deletes their row, so once."""

from wombat_ari.model.errands import OutboxRow
from wombat_ari.model.errors import UserError
from wombat_ari.store.database import Transaction


def perform(tx: Transaction, row: OutboxRow) -> None:
    """UserError says why it cannot be done now; it is tried again later."""
    raise UserError(f"{row.errand.kind}: nothing is known of how to do that")
