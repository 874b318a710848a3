"""Campaigns, as whole documents with their links and rules, and opening hours."""

from typing import Any

from webui.api import shapes_config as shapes
from webui.api.frame import Answer, Call, Reply, Route
from webui.api.things import Thing
from wombat_ari.app.service import campaigns, opening_hours
from wombat_ari.app.service.rights import Right
from wombat_ari.model.entities import Campaign, OpeningHours
from wombat_ari.model.states import CampaignStatus

SEE, CHANGE = (Right.SEE_CAMPAIGNS,), (Right.CHANGE_CAMPAIGNS,)
common: dict[str, Any] = {"tag": "Campaigns", "see": SEE, "change": CHANGE}


def _save_campaign(call: Call, value: Campaign, *, version: int | None, clear: tuple[str, ...]) -> Campaign:
    if value.id is None:
        return campaigns.save_campaign(call.caller, call.db, value)
    return campaigns.replace_campaign(call.caller, call.db, value.id, lambda old: value, version=version, clear=clear)


def _save_hours(call: Call, value: OpeningHours, *, version: int | None, clear: tuple[str, ...]) -> OpeningHours:
    return opening_hours.save_opening_hours(call.caller, call.db, value, version=version)


CAMPAIGNS: Thing[Campaign] = Thing(
    path="/campaigns", label="campaign", sent=shapes.CampaignSent, told=shapes.CampaignTold,
    everything=campaigns.list_campaigns, infos=campaigns.campaign_infos, find=campaigns.find_campaign,
    save=_save_campaign, delete=campaigns.delete_campaign, blank=lambda body: Campaign(None, ""),
    secrets=("notify_secret",), hidden=lambda campaign: campaign.status is CampaignStatus.HIDDEN, **common,
)  # fmt: skip

HOURS: Thing[OpeningHours] = Thing(
    path="/opening-hours", label="opening hours", sent=shapes.OpeningHours, told=shapes.OpeningHoursTold,
    everything=opening_hours.list_opening_hours, infos=opening_hours.opening_hours_infos,
    find=opening_hours.find_opening_hours, save=_save_hours, delete=opening_hours.delete_opening_hours,
    blank=lambda body: OpeningHours(None, ""), **common,
)  # fmt: skip


def clone(call: Call) -> Answer:
    """Clone a campaign under a new name: the definition only, no runs."""
    saved = campaigns.clone_campaign(call.caller, call.db, call.ids["campaign_id"], name=call.body.name)
    info = campaigns.campaign_infos(call.caller, call.db)[saved.id or 0]
    return Reply(CAMPAIGNS.tell(saved, info), info.version, location=f"/campaigns/{saved.id}")


ROUTES = (
    *CAMPAIGNS.routes(),
    Route(
        "POST", "/campaigns/{campaign_id}/clone", clone, CHANGE, "Campaigns", shapes.CampaignTold, 201, shapes.NewName,
        acts=True,
    ),
    *HOURS.routes(),
)  # fmt: skip
