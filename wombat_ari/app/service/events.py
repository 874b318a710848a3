"""Which events somebody may be told of: the same as may be seen otherwise."""

from dataclasses import dataclass

from wombat_ari.app.service import campaigns as campaign_service
from wombat_ari.app.service import lists as list_service
from wombat_ari.app.service import servers as server_service
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.rights import Right, demand_any, may, visible
from wombat_ari.store import campaigns, entities
from wombat_ari.store.database import Database


@dataclass(frozen=True, slots=True)
class View:
    """What a caller sees, as it is now."""

    campaigns: frozenset[str]  #: names, whose runs and calls are told
    lists: frozenset[str]
    pbxs: frozenset[str]

    def shows(self, kind: str, about: str) -> bool:
        """``kind`` and ``about`` as in ``engine/announce``."""
        subject = kind.partition(".")[0]
        if subject in ("run", "call"):
            return about in self.campaigns
        return about in self.lists if subject == "list" else subject == "pbx" and about in self.pbxs


def view(caller: Caller, db: Database) -> View:
    """UserError when there is nothing that the caller may hear of."""
    demand_any(caller, Right.SEE_LIVE, Right.SEE_STATUS, Right.SEE_LISTS)
    seen, lists, pbxs = frozenset[str](), frozenset[str](), frozenset[str]()
    if may(caller, Right.SEE_LIVE):
        heads = visible(caller, campaigns.list_campaign_heads(db), campaign_service.infos_of(db))
        seen = frozenset(head.name for head in heads)
    if may(caller, Right.SEE_LISTS):
        lists = frozenset(each.name for each in visible(caller, entities.list_lists(db), list_service.infos_of(db)))
    if may(caller, Right.SEE_STATUS):
        servers = visible(caller, entities.list_servers(db), server_service.infos_of(db))
        pbxs = frozenset(server.description for server in servers)
    return View(seen, lists, pbxs)
