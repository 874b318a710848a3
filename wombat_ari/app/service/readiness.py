"""What a campaign still lacks before it can start, in words; and what is likely to be forgotten."""

from dataclasses import dataclass

from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.campaigns import find_campaign
from wombat_ari.core.validate import check_campaign
from wombat_ari.model.entities import Campaign
from wombat_ari.model.states import CampaignStatus, ListUse, Outcome
from wombat_ari.store import entities, lists
from wombat_ari.store.database import Database


@dataclass(frozen=True, slots=True)
class Readiness:
    """``missing``: it cannot start before; ``advice``: it can, but look at this."""

    missing: tuple[str, ...]
    advice: tuple[str, ...]


def readiness(caller: Caller, db: Database, campaign_id: int) -> Readiness:
    """Of one that the caller sees."""
    campaign = find_campaign(caller, db, campaign_id)
    return Readiness(tuple(_missing(db, campaign)), tuple(_advice(db, campaign)))


def _missing(db: Database, campaign: Campaign) -> list[str]:
    found = []
    if campaign.status is not CampaignStatus.RUNNABLE:
        found.append(f"it is {campaign.status}: only a RUNNABLE one can be started")
    trunks = [trunk for trunk in entities.list_trunks(db) if trunk.id in campaign.trunk_ids]
    points = [point for point in entities.list_end_points(db) if point.id in campaign.end_point_ids]
    if not trunks:
        found.append("it has no trunk to dial out on")
    if not points:
        found.append("it has no end point to connect calls to")
    if trunks and points:
        shared = {trunk.server_id for trunk in trunks} & {point.server_id for point in points}
        if not shared:
            found.append("its trunks and end points are on different servers: a call must stay on one")
        elif not any(server.enabled for server in entities.list_servers(db) if server.id in shared):
            found.append("the server of its trunks and end points is not in use")
    return found


def _advice(db: Database, campaign: Campaign) -> list[str]:
    found = list(check_campaign(campaign)[1])
    dialled = [entry for entry in campaign.lists if entry.use is ListUse.NORMAL]
    if not dialled:
        idle = ", it will wait for numbers" if campaign.idles_on_termination else ", so it completes at once"
        found.append(f"it has no list to dial{idle}")
    elif not any(lists.count_records(db, entry.list_id) for entry in dialled):
        found.append("its lists are empty")
    if dialled and not campaign.rules:
        found.append("it has no reschedule rule: who does not answer is not tried again")
    elif dialled and not any(rule.status == Outcome.RS_LOST for rule in campaign.rules):
        found.append("no rule for RS_LOST: calls that a crash cuts off are not tried again")
    return found
