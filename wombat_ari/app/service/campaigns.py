"""Campaigns and what they use. Who sees a campaign sees all it uses; what is newly chosen must be seen by itself.

Links and rules are set as wholes. Who changes one of them reads, changes and writes in ``changing``, one at a time in
this process, so that two who add at once lose nothing of each other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any

from wombat_ari.app.service import end_points, lists, opening_hours, trunks
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.rights import (
    FORBIDDEN,
    Infos,
    Right,
    demand,
    require_key_kept,
    require_seen,
    sees,
    visible,
)
from wombat_ari.core.urls import masked, unmasked
from wombat_ari.model.admin import EntityInfo
from wombat_ari.model.calls import RunList
from wombat_ari.model.entities import Campaign, CampaignList, DispositionRule, RescheduleRule
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import DispositionVerb
from wombat_ari.store import campaigns, entities, runs
from wombat_ari.store import opening_hours as opening_hours_store
from wombat_ari.store.database import Database

_one_at_a_time = Lock()


def list_campaigns(caller: Caller, db: Database) -> list[Campaign]:
    """Those the caller sees, by name, the hidden ones too."""
    demand(caller, Right.SEE_CAMPAIGNS)
    return [_masked(one) for one in visible(caller, campaigns.list_campaigns(db), infos_of(db))]


def find_campaign(caller: Caller, db: Database, which: int | str) -> Campaign:
    demand(caller, Right.SEE_CAMPAIGNS)
    return seen_campaign(caller, db, which)


def seen_campaign(caller: Caller, db: Database, which: int | str) -> Campaign:
    """For who has a right of another kind to it; its own key is asked here too."""
    return _masked(_seen(caller, db, which))


def name_of(caller: Caller, db: Database, campaign: str) -> str:
    """The name of a campaign that the caller sees. At the machine all are seen: there the database is not asked, so
    that a run is paused also while it is away; the dialer says whether there is such a run."""
    return campaign if caller.at_machine else seen_campaign(caller, db, campaign).name


def campaign_infos(caller: Caller, db: Database) -> dict[int, EntityInfo]:
    """Who made and changed each."""
    demand(caller, Right.SEE_CAMPAIGNS)
    return entities.infos(db, entities.CAMPAIGN)


def used_by(caller: Caller, db: Database, campaign_id: int, kind: str) -> tuple[list[Any], Mapping[int, EntityInfo]]:
    """Its ``trunks``, ``end points``, ``lists`` or ``opening hours``, in full, with a key of their own or not; and who
    made and changed them."""
    campaign = find_campaign(caller, db, campaign_id)
    uses: dict[str, tuple[Callable[[Database], Any], Infos, Sequence[int]]] = {
        "trunks": (entities.list_trunks, trunks.infos_of(db), campaign.trunk_ids),
        "end points": (entities.list_end_points, end_points.infos_of(db), campaign.end_point_ids),
        "lists": (entities.list_lists, lists.infos_of(db), tuple(entry.list_id for entry in campaign.lists)),
        "opening hours": (
            opening_hours_store.list_opening_hours, opening_hours.infos_of(db), campaign.opening_hours_ids
        ),
    }  # fmt: skip
    everything, infos, ids = uses[kind]
    return [thing for thing in everything(db) if thing.id in frozenset(ids)], infos()


def list_progress(caller: Caller, db: Database, campaign_id: int) -> dict[int, RunList]:
    """How far its live run is with each list, or its last one was; nothing when it has not run."""
    found = find_campaign(caller, db, campaign_id)
    last = runs.page_of_runs(db, [found.id or 0], limit=1)
    return {each.list_id: each for each in (runs.run_lists(db, last[0].id) if last else [])}


def save_campaign(caller: Caller, db: Database, campaign: Campaign) -> Campaign:
    """A new one with its links, or the own fields of one that exists."""
    demand(caller, Right.CHANGE_CAMPAIGNS)
    old = None if campaign.id is None else _seen(caller, db, campaign.id)
    campaign = _unmasked(old, campaign)
    require_key_kept(caller, old, campaign, infos_of(db))
    if old is None:
        _require_choices(caller, db, Campaign(None, ""), campaign)
    saved = campaigns.save_campaign(db, campaign, by=caller.login, now=caller.at)
    note(caller, db, "campaign changed" if old else "campaign made", about=saved.name)
    return _masked(saved)


def replace_campaign(
    caller: Caller, db: Database, campaign_id: int, changing: Callable[[Campaign], Campaign], *,
    version: int | None = None, clear: tuple[str, ...] = (),
) -> Campaign:  # fmt: skip
    """All of it, own fields and links, in one transaction. ``version``: see ``store/saving``; ``clear``: secrets that
    are emptied, an empty one stays as it is otherwise. A live run keeps its own lists."""
    demand(caller, Right.CHANGE_CAMPAIGNS)
    with _one_at_a_time:
        old = _seen(caller, db, campaign_id)
        new = _unmasked(old, changing(_masked(old)))
        require_key_kept(caller, old, new, infos_of(db))
        _require_choices(caller, db, old, new)
        saved = campaigns.replace_campaign(db, new, by=caller.login, now=caller.at, version=version, clear=clear)
    note(caller, db, "campaign changed", about=saved.name)
    return _masked(saved)


def clone_campaign(caller: Caller, db: Database, which: int | str, *, name: str) -> Campaign:
    """The definition under a new name; no runs."""
    demand(caller, Right.CLONE_CAMPAIGNS)
    source = seen_campaign(caller, db, which)
    saved = campaigns.clone_campaign(db, source.id or 0, name=name, by=caller.login, now=caller.at)
    note(caller, db, "campaign made", about=saved.name, detail=f"cloned from {source.name}")
    return _masked(saved)


def delete_campaign(caller: Caller, db: Database, campaign_id: int, *, version: int | None = None) -> Campaign:
    """What was deleted; refused once it has run."""
    demand(caller, Right.CHANGE_CAMPAIGNS)
    old = seen_campaign(caller, db, campaign_id)
    campaigns.delete_campaign(db, campaign_id, by=caller.login, now=caller.at, version=version)
    note(caller, db, "campaign deleted", about=old.name)
    return old


def set_trunks(
    caller: Caller, db: Database, campaign_id: int, changing: Callable[[tuple[int, ...]], Sequence[int]], *,
    version: int | None = None,
) -> Campaign:  # fmt: skip
    """``changing`` is given the ids that are linked, in order, and answers those that are to be. ``version``: see
    ``store/saving``; without one, what others have linked meanwhile stays."""

    def write(old: Campaign, common: dict[str, Any]) -> Campaign:
        ids = changing(old.trunk_ids)
        for one in set(ids) - set(old.trunk_ids):
            trunks.seen_trunk(caller, db, one)
        return campaigns.set_campaign_trunks(db, campaign_id, trunk_ids=ids, **common)

    return _relink(caller, db, campaign_id, "trunks", write, version=version)


def set_end_points(
    caller: Caller, db: Database, campaign_id: int, changing: Callable[[tuple[int, ...]], Sequence[int]], *,
    version: int | None = None,
) -> Campaign:  # fmt: skip
    """As ``set_trunks``."""

    def write(old: Campaign, common: dict[str, Any]) -> Campaign:
        ids = changing(old.end_point_ids)
        for one in set(ids) - set(old.end_point_ids):
            end_points.seen_end_point(caller, db, one)
        return campaigns.set_campaign_end_points(db, campaign_id, end_point_ids=ids, **common)

    return _relink(caller, db, campaign_id, "end points", write, version=version)


def set_lists(
    caller: Caller, db: Database, campaign_id: int,
    changing: Callable[[tuple[CampaignList, ...]], Sequence[CampaignList]], *, right: Right = Right.CHANGE_CAMPAIGNS,
    version: int | None = None,
) -> Campaign:  # fmt: skip
    """As ``set_trunks``. A live run keeps its own lists, but black lists count from its next claim on."""

    def write(old: Campaign, common: dict[str, Any]) -> Campaign:
        wanted = changing(old.lists)
        for one in {entry.list_id for entry in wanted} - {entry.list_id for entry in old.lists}:
            lists.seen_list(caller, db, one)
        return campaigns.set_campaign_lists(db, campaign_id, lists=wanted, **common)

    return _relink(caller, db, campaign_id, "lists", write, right=right, version=version)


def set_rules(
    caller: Caller, db: Database, campaign_id: int,
    changing: Callable[[tuple[RescheduleRule, ...]], Sequence[RescheduleRule]], *, version: int | None = None,
) -> Campaign:  # fmt: skip
    """As ``set_trunks``. A rule keeps its id."""

    def write(old: Campaign, common: dict[str, Any]) -> Campaign:
        return campaigns.set_campaign_rules(db, campaign_id, rules=changing(old.rules), **common)

    return _relink(caller, db, campaign_id, "reschedule rules", write, version=version)


def set_opening_hours(
    caller: Caller, db: Database, campaign_id: int, changing: Callable[[tuple[int, ...]], Sequence[int]], *,
    version: int | None = None,
) -> Campaign:  # fmt: skip
    """As ``set_trunks``. The campaign dials only while all of them are open."""

    def write(old: Campaign, common: dict[str, Any]) -> Campaign:
        ids = changing(old.opening_hours_ids)
        for one in set(ids) - set(old.opening_hours_ids):
            opening_hours.seen_opening_hours(caller, db, one)
        return campaigns.set_campaign_opening_hours(db, campaign_id, opening_hours_ids=ids, **common)

    return _relink(caller, db, campaign_id, "opening hours", write, version=version)


def set_dispositions(
    caller: Caller, db: Database, campaign_id: int,
    changing: Callable[[tuple[DispositionRule, ...]], Sequence[DispositionRule]], *, version: int | None = None,
) -> Campaign:  # fmt: skip
    """As ``set_trunks``. A list or campaign that a new one names must be seen, if there is one of that name."""

    def write(old: Campaign, common: dict[str, Any]) -> Campaign:
        shown = changing(_masked(old).dispositions)
        wanted = _unmasked(old, replace(old, dispositions=tuple(shown))).dispositions
        for rule in set(wanted) - set(old.dispositions):
            _require_destination(caller, db, rule)
        return campaigns.set_campaign_dispositions(db, campaign_id, dispositions=wanted, **common)

    return _relink(caller, db, campaign_id, "dispositions", write, version=version)


def infos_of(db: Database) -> Infos:
    return lambda: entities.infos(db, entities.CAMPAIGN)


def _relink(
    caller: Caller, db: Database, campaign_id: int, what: str,
    write: Callable[[Campaign, dict[str, Any]], Campaign], *, right: Right = Right.CHANGE_CAMPAIGNS,
    version: int | None = None,
) -> Campaign:  # fmt: skip
    demand(caller, right)
    with _one_at_a_time:
        old = _seen(caller, db, campaign_id)
        saved = write(old, {"by": caller.login, "now": caller.at, "version": version})
    if saved != old:
        note(caller, db, "campaign changed", about=saved.name, detail=what)
    return _masked(saved)


def _seen(caller: Caller, db: Database, which: int | str) -> Campaign:
    """With the passwords of its URLs."""
    found = campaigns.load_campaign(db, which)
    return require_seen(caller, found, "campaign", which=which, infos=infos_of(db))


def _masked(campaign: Campaign) -> Campaign:
    """As it is shown to everybody."""
    rules = tuple(replace(rule, destination=masked(rule.destination)) for rule in campaign.dispositions)
    return replace(campaign, http_notify_url=masked(campaign.http_notify_url), dispositions=rules)


def _unmasked(old: Campaign | None, new: Campaign) -> Campaign:
    """As it is stored: who sends back what they were shown changes no password."""
    known = [] if old is None else [old.http_notify_url, *(rule.destination for rule in old.dispositions)]
    rules = tuple(replace(rule, destination=unmasked(rule.destination, known)) for rule in new.dispositions)
    return replace(new, http_notify_url=unmasked(new.http_notify_url, known), dispositions=rules)


def _require_destination(caller: Caller, db: Database, rule: DispositionRule) -> None:
    things: list[Any]
    if rule.verb in (DispositionVerb.ADD_LIST, DispositionVerb.BLACK_LIST):
        things, infos = list(entities.list_lists(db)), lists.infos_of(db)
    elif rule.verb is DispositionVerb.RESCHEDULE:
        things, infos = list(campaigns.list_campaign_heads(db)), infos_of(db)
    else:
        return
    named = [thing for thing in things if thing.name == rule.destination]
    if named and not sees(caller, named[0], infos):
        raise UserError(f"destination {rule.destination}: you may not choose it", code=FORBIDDEN)


def _require_choices(caller: Caller, db: Database, old: Campaign, new: Campaign) -> None:
    for one in set(new.trunk_ids) - set(old.trunk_ids):
        trunks.seen_trunk(caller, db, one)
    for one in set(new.end_point_ids) - set(old.end_point_ids):
        end_points.seen_end_point(caller, db, one)
    for one in set(new.opening_hours_ids) - set(old.opening_hours_ids):
        opening_hours.seen_opening_hours(caller, db, one)
    for entry in set(new.lists) - set(old.lists):
        lists.seen_list(caller, db, entry.list_id)
    for rule in set(new.dispositions) - set(old.dispositions):
        _require_destination(caller, db, rule)
