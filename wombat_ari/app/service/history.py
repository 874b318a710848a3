"""Who changed a configured thing, from what to what."""

from wombat_ari.app.service import campaigns, end_points, lists, opening_hours, servers, trunks, users
from wombat_ari.app.service.caller import Caller
from wombat_ari.model.admin import AuditEntry
from wombat_ari.store import saving
from wombat_ari.store.database import Database

#: What a kind is called: its table in the audit trail, and who finds one, refusing it to who may not see it.
_KINDS = {
    "server": ("asterisk_server", servers.find_server),
    "trunk": ("trunk", trunks.find_trunk),
    "end point": ("end_point", end_points.find_end_point),
    "list": ("call_list", lists.find_list),
    "opening hours": ("opening_hours", opening_hours.find_opening_hours),
    "campaign": ("campaign", campaigns.find_campaign),
    "user": ("user", users.find_user),
    "class": ("user_class", users.find_class),
}


def changes_of(caller: Caller, db: Database, kind: str, entity_id: int, *, limit: int = 100) -> list[AuditEntry]:
    """The latest first; only for who may see the thing. Secrets are ``***``."""
    table, find = _KINDS[kind]
    find(caller, db, entity_id)
    return saving.history(db, table, entity_id, limit=limit)
