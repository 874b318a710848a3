"""The system log, read."""

from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.rights import Right, demand
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.store import syslog
from wombat_ari.store.database import Database


def page(
    caller: Caller, db: Database, *, after: int = 0, limit: int = 100, user: str = "", action: str = ""
) -> list[tuple[int, SystemLogEntry]]:
    """Lines with their ids, the latest first, behind the one with the id ``after`` (0: from the latest on)."""
    demand(caller, Right.SEE_SYSTEM_LOG)
    return syslog.page(db, user=user, action=action, after=after, limit=limit)
