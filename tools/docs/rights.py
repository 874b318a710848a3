"""What each key opens, from ``app/service/rights.Right``."""

from tools.docs.page import table
from wombat_ari.app.service.rights import Right


def rights() -> str:
    """A table of all rights."""
    rows = [("may", "one of the keys", "scope of a token", "trusted addresses")]
    for right in Right:
        rows.append((right.meaning, " ".join(right.keys), str(right.scope), "yes" if right.open else ""))
    return table(*rows)
