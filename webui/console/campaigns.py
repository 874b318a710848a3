"""Campaigns: their own fields; what belongs to them is in ``campaign_parts``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import request

from webui.console import campaign_parts
from webui.console.campaign_forms import VERBS, CampaignForm
from webui.console.campaign_parts import CHANGE, PARTS
from webui.console.editor import Column, Editor
from webui.console.forms import zones
from webui.console.pages import STATUS, Answer, Pages, Visit
from wombat_ari.app.service import campaigns, readiness, runs
from wombat_ari.app.service.rights import MISSING, Right
from wombat_ari.model.entities import Campaign
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import CampaignStatus

SEE = (Right.SEE_CAMPAIGNS,)


def add_to(pages: Pages) -> None:
    EDITOR.add_to(pages)

    @pages.post("/campaigns/<int:which>/clone", Right.CLONE_CAMPAIGNS)
    def campaigns_clone(visit: Visit, which: int) -> Answer:
        name = request.form.get("name", "")
        try:
            made = campaigns.clone_campaign(visit.caller, visit.db, which, name=name)
        except UserError as refusal:
            if refusal.code == MISSING:
                raise
            status = STATUS.get(refusal.code, 400)
            return EDITOR.show_one(visit, which, status, clone_name=name, clone_refused=str(refusal))
        visit.say(f"Campaign {made.name} is made, with all that belongs to it.")
        return visit.go("campaigns_one", which=made.id)

    @pages.post("/campaigns/<int:which>/start", Right.CONTROL_RUNS)
    def campaigns_start(visit: Visit, which: int) -> Answer:
        name = campaigns.find_campaign(visit.caller, visit.db, which).name
        try:
            runs.start(visit.caller, visit.db, visit.ask, campaign=name)
        except UserError as refusal:
            visit.say(str(refusal), "bad")
            return visit.go("campaigns_one", which=which, **EDITOR.kept())
        visit.say(f"Campaign {name} is started.")
        return visit.go("live") if visit.may(Right.SEE_LIVE) else visit.go("campaigns_one", which=which)

    campaign_parts.add_to(pages, EDITOR)


def _known(visit: Visit, value: Campaign | None) -> Mapping[str, Any]:
    if value is None or value.id is None:
        return {"zones": zones()}
    return campaign_parts.known(visit, value.id) | {
        "zones": zones(), "ready": readiness.readiness(visit.caller, visit.db, value.id), "verbs": VERBS,
        "may_see_lists": visit.may(Right.SEE_RECORDS),
    }  # fmt: skip


def _save(visit: Visit, value: Campaign, *, version: int | None, clear: tuple[str, ...]) -> Campaign:
    if value.id is None:
        return campaigns.save_campaign(visit.caller, visit.db, value)
    own = {name: getattr(value, name) for name in CampaignForm._names() if hasattr(value, name)}
    own["active_period"] = value.active_period
    return campaigns.replace_campaign(
        visit.caller, visit.db, value.id, lambda old: replace(old, **own), version=version, clear=clear
    )


EDITOR: Editor[Campaign] = Editor(
    name="campaigns", label="campaign", title="Campaigns", form=CampaignForm, template="campaigns.html",
    columns=(
        Column("Campaign", lambda row: row.name),
        Column("Status", lambda row: row.status.value),
        Column("Priority", lambda row: row.priority, number=True),
        Column("Lists", lambda row: len(row.lists), number=True),
    ),
    see=SEE, change=CHANGE, everything=campaigns.list_campaigns, find=campaigns.find_campaign, save=_save,
    delete=campaigns.delete_campaign, blank=lambda visit: Campaign(None, ""), infos=campaigns.campaign_infos,
    is_hidden=lambda campaign: campaign.status is CampaignStatus.HIDDEN, known=_known,
    clones=False,
    advice="There is no campaign yet. It ties a list, a trunk and an end point together: whom to call, over which line,"
    " where to connect who answers.",
    extra={"parts": PARTS, "has_hidden": True},
)  # fmt: skip
