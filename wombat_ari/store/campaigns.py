"""Campaigns with their trunks, end points, lists, opening hours and rules.

``save_campaign`` stores the campaign's own fields, and the links of a new one; later the links are set by their own
functions, each the whole of them in order, each audited as a change of the campaign.
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from wombat_ari.core import validate
from wombat_ari.core.urls import masked
from wombat_ari.model.entities import ActivePeriod, Campaign, CampaignList, DispositionRule, RescheduleRule
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import (
    CallLogging,
    CampaignStatus,
    DispositionVerb,
    EmailEvents,
    ListUse,
    RetryMode,
    SentAttributes,
)
from wombat_ari.store import saving, tables, urls
from wombat_ari.store.database import Database, Row, Transaction, marks
from wombat_ari.store.saving import Columns, Kind

_PERIOD = ("start_s", "end_s", "days", "zone")
_LINKS = ("trunk_ids", "end_point_ids", "lists", "rules", "opening_hours_ids", "dispositions")
_LINK_TABLES = (
    "campaign_trunk", "campaign_end_point", "campaign_list", "campaign_opening_hours", "reschedule_rule",
    "disposition_rule",
)  # fmt: skip
_DISPOSITION = (
    "status, extended_status, with_retries, verb, destination, body, delay_s, attributes, extra"  #: ``body``: its text
)
_ENUMS = {"status": CampaignStatus, "logging": CallLogging, "email_events": EmailEvents}
_OWN = [field.name for field in fields(Campaign) if field.name not in (*_LINKS, "active_period")]


def _encode(campaign: Campaign) -> Columns:
    own = {name: getattr(campaign, name) for name in _OWN}
    own.update({name: own[name].value for name in _ENUMS})
    return {**own, **{name: getattr(campaign.active_period, name) for name in _PERIOD}}


def _decode(row: Columns) -> Campaign:
    own: dict[str, Any] = {name: row[name] for name in _OWN}
    own.update({name: enum(row[name]) for name, enum in _ENUMS.items()})
    return Campaign(**own, active_period=ActivePeriod(**{name: row[name] for name in _PERIOD}))


CAMPAIGN: Kind[Campaign] = Kind(
    label="campaign",
    table=tables.Campaign,
    name="name",
    encode=_encode,
    decode=_decode,
    secrets=("notify_secret",),
    urls=("http_notify_url",),
    referrers=(("run", "SELECT name FROM run WHERE campaign_id = %s ORDER BY id DESC LIMIT 5"),),
)


def load_campaign(db: Database, which: int | str) -> Campaign:
    """Complete, by id or exact name. UserError when there is none."""
    with db.transaction(write=False) as tx:
        return _linked(tx, saving.load(db, tx, CAMPAIGN, which))


def list_campaigns(db: Database) -> list[Campaign]:
    """All, complete, by name; the hidden ones too."""
    with db.transaction(write=False) as tx:
        return [_linked(tx, campaign) for campaign in saving.load_all(db, tx, CAMPAIGN)]


def list_campaign_heads(db: Database) -> list[Campaign]:
    """All, by name, without links and rules: one question, however many there are."""
    with db.transaction(write=False) as tx:
        return saving.load_all(db, tx, CAMPAIGN)


def save_campaign(
    db: Database, campaign: Campaign, *, by: str, now: float, version: int | None = None, clear: tuple[str, ...] = ()
) -> Campaign:
    """The links given are stored when the campaign is new, else they stay as they are."""
    campaign, _ = validate.check_campaign(campaign)
    with db.transaction() as tx:
        campaign_id = saving.save(db, tx, CAMPAIGN, campaign, by=by, now=now, version=version, clear=clear)
        if campaign.id is None:
            _write_links(tx, campaign_id, campaign)
        return _linked(tx, saving.load(db, tx, CAMPAIGN, campaign_id))


def replace_campaign(
    db: Database, campaign: Campaign, *, by: str, now: float, version: int | None = None, clear: tuple[str, ...] = ()
) -> Campaign:
    """One that exists, its own fields and its links, in one transaction."""
    campaign, _ = validate.check_campaign(campaign)
    links = {name: getattr(campaign, name) for name in _LINKS}
    with db.transaction() as tx:
        campaign_id = saving.save(db, tx, CAMPAIGN, campaign, by=by, now=now, version=version, clear=clear)
        _relink(db, tx, campaign_id, by=by, now=now, **links)
        return _linked(tx, saving.load(db, tx, CAMPAIGN, campaign_id))


def clone_campaign(db: Database, campaign_id: int, *, name: str, by: str, now: float) -> Campaign:
    """The definition only: fields, secret, links and rules; no runs."""
    source = load_campaign(db, campaign_id)
    return save_campaign(db, replace(source, id=None, name=name), by=by, now=now)


def delete_campaign(db: Database, campaign_id: int, *, by: str, now: float, version: int | None = None) -> None:
    """Refused once it has run."""
    with db.transaction() as tx:
        if not any(tx.rows(sql, (campaign_id,)) for _, sql in CAMPAIGN.referrers):
            for table in _LINK_TABLES:
                tx.run(f"DELETE FROM {table} WHERE campaign_id = %s", (campaign_id,))
        saving.delete(tx, CAMPAIGN, campaign_id, by=by, now=now, version=version)


def set_campaign_trunks(
    db: Database, campaign_id: int, *, trunk_ids: Sequence[int], by: str, now: float, version: int | None = None
) -> Campaign:
    """``version``, here and below: see ``saving``."""
    with db.transaction() as tx:
        return _relink(db, tx, campaign_id, trunk_ids=tuple(trunk_ids), by=by, now=now, version=version)


def set_campaign_end_points(
    db: Database, campaign_id: int, *, end_point_ids: Sequence[int], by: str, now: float,
    version: int | None = None,
) -> Campaign:  # fmt: skip
    with db.transaction() as tx:
        return _relink(db, tx, campaign_id, end_point_ids=tuple(end_point_ids), by=by, now=now, version=version)


def set_campaign_lists(
    db: Database, campaign_id: int, *, lists: Sequence[CampaignList], by: str, now: float,
    version: int | None = None,
) -> Campaign:  # fmt: skip
    """In the order given; ``name`` and ``position`` of the entries are not looked at. A live run keeps its own lists,
    but black lists count from its next claim on."""
    with db.transaction() as tx:
        return _relink(db, tx, campaign_id, lists=tuple(lists), by=by, now=now, version=version)


def set_campaign_rules(
    db: Database, campaign_id: int, *, rules: Sequence[RescheduleRule], by: str, now: float,
    version: int | None = None,
) -> Campaign:  # fmt: skip
    with db.transaction() as tx:
        return _relink(db, tx, campaign_id, rules=tuple(rules), by=by, now=now, version=version)


def set_campaign_opening_hours(
    db: Database, campaign_id: int, *, opening_hours_ids: Sequence[int], by: str, now: float,
    version: int | None = None,
) -> Campaign:  # fmt: skip
    """The campaign dials only while all of them are open."""
    with db.transaction() as tx:
        return _relink(db, tx, campaign_id, opening_hours_ids=tuple(opening_hours_ids), by=by, now=now, version=version)


def set_campaign_dispositions(
    db: Database, campaign_id: int, *, dispositions: Sequence[DispositionRule], by: str, now: float,
    version: int | None = None,
) -> Campaign:  # fmt: skip
    with db.transaction() as tx:
        return _relink(db, tx, campaign_id, dispositions=tuple(dispositions), by=by, now=now, version=version)


def _relink(
    db: Database, tx: Transaction, campaign_id: int, *, by: str, now: float, version: int | None = None, **links: Any
) -> Campaign:
    saving.require_version(tx, CAMPAIGN, campaign_id, version=version)
    old = _linked(tx, saving.load(db, tx, CAMPAIGN, campaign_id))
    new = replace(old, **links)
    _write_links(tx, campaign_id, new)
    stored = _linked(tx, replace(new))
    before, after = _shown(old), _shown(stored)
    changed = [name for name in before if before[name] != after[name]]
    if changed:
        mark = "UPDATE campaign SET changed_at = %s, changed_by = %s, version = version + 1 WHERE id = %s"
        tx.run(mark, (now, by, campaign_id))
        saving.audit(
            tx, tables.Campaign, campaign_id, action="CHANGED", by=by, now=now,
            old={name: before[name] for name in changed}, new={name: after[name] for name in changed},
        )  # fmt: skip
    return stored


def _write_links(tx: Transaction, campaign_id: int, campaign: Campaign) -> None:
    _write_ids(tx, campaign_id, "trunk", ids=campaign.trunk_ids, table=tables.Trunk)
    _write_ids(tx, campaign_id, "end point", ids=campaign.end_point_ids, table=tables.EndPoint)
    _write_ids(tx, campaign_id, "opening hours", ids=campaign.opening_hours_ids, table=tables.OpeningHours)
    list_ids = [entry.list_id for entry in campaign.lists]
    _once("list", list_ids)
    saving.require(tx, tables.CallList, "list", list_ids)
    tx.run("DELETE FROM campaign_list WHERE campaign_id = %s", (campaign_id,))
    tx.many(
        "INSERT INTO campaign_list (campaign_id, list_id, position, list_use) VALUES (%s, %s, %s, %s)",
        [(campaign_id, entry.list_id, n, entry.use.value) for n, entry in enumerate(campaign.lists)],
    )
    _write_rules(tx, campaign_id, campaign.rules)
    _write_dispositions(tx, campaign_id, campaign.dispositions)


def _write_rules(tx: Transaction, campaign_id: int, rules: Sequence[RescheduleRule]) -> None:
    """A rule that the campaign has already keeps its id: clients name rules by it."""
    rules = [validate.check_rule(rule) for rule in rules]
    _write_kept(
        tx, campaign_id, "reschedule_rule", "status, extended_status, max_attempts, retry_after_s, mode",
        rows=[
            (r.id, r.status, r.extended_status, r.max_attempts, r.retry_after_s, r.mode.value)
            for r in rules
        ],
    )  # fmt: skip


def _write_dispositions(tx: Transaction, campaign_id: int, rules: Sequence[DispositionRule]) -> None:
    rules = [validate.check_disposition(rule) for rule in rules]
    rows = [
        (rule.id, *_disposition_row(replace(rule, destination=urls.sealed(tx, rule.destination)))) for rule in rules
    ]
    _write_kept(tx, campaign_id, "disposition_rule", _DISPOSITION, rows=rows)


def _write_kept(tx: Transaction, campaign_id: int, table: str, columns: str, *, rows: list[Row]) -> None:
    """The first of each row is its id; one that the campaign has already is kept, any other is made anew."""
    known = {row[0] for row in tx.rows(f"SELECT id FROM {table} WHERE campaign_id = %s", (campaign_id,))}
    tx.run(f"DELETE FROM {table} WHERE campaign_id = %s", (campaign_id,))
    tx.many(
        f"INSERT INTO {table} (id, campaign_id, position, {columns}) VALUES ({marks(columns.count(',') + 4)})",
        [(row[0] if row[0] in known else None, campaign_id, n, *row[1:]) for n, row in enumerate(rows)],
    )


def _disposition_row(rule: DispositionRule) -> Row:
    return (
        rule.status, rule.extended_status, int(rule.with_retries), rule.verb.value, rule.destination, rule.text,
        rule.delay_s, rule.attributes.value, rule.extra,
    )  # fmt: skip


def _disposition_of(row: Row) -> DispositionRule:
    status, code, with_retries, verb, destination, text, delay_s, attributes, extra, rule_id = row
    return DispositionRule(
        status, code, bool(with_retries), DispositionVerb(verb), destination, text, delay_s,
        SentAttributes(attributes), extra, rule_id,
    )  # fmt: skip


def _write_ids(tx: Transaction, campaign_id: int, label: str, *, ids: Sequence[int], table: type[Any]) -> None:
    _once(label, ids)
    saving.require(tx, table, label, ids)
    name = table._meta.table_name
    tx.run(f"DELETE FROM campaign_{name} WHERE campaign_id = %s", (campaign_id,))
    sql = f"INSERT INTO campaign_{name} (campaign_id, {name}_id, position) VALUES (%s, %s, %s)"
    tx.many(sql, [(campaign_id, one, n) for n, one in enumerate(ids)])


def _once(label: str, ids: Sequence[int]) -> None:
    twice = [one for one in ids if list(ids).count(one) > 1]
    if twice:
        raise UserError(f"{label} {twice[0]} is given twice; a campaign has each once")


def _linked(tx: Transaction, campaign: Campaign) -> Campaign:
    key = (campaign.id,)
    trunks = tx.rows("SELECT trunk_id FROM campaign_trunk WHERE campaign_id = %s ORDER BY position", key)
    end_points = tx.rows("SELECT end_point_id FROM campaign_end_point WHERE campaign_id = %s ORDER BY position", key)
    lists = tx.rows(
        "SELECT x.list_id, l.name, x.list_use, x.position FROM campaign_list x JOIN call_list l ON l.id = x.list_id "
        "WHERE x.campaign_id = %s ORDER BY x.position",
        key,
    )
    rules = tx.rows(
        "SELECT status, extended_status, max_attempts, retry_after_s, mode, id FROM reschedule_rule "
        "WHERE campaign_id = %s ORDER BY position, id",
        key,
    )
    hours = tx.rows("SELECT opening_hours_id FROM campaign_opening_hours WHERE campaign_id = %s ORDER BY position", key)
    dispositions = tx.rows(
        f"SELECT {_DISPOSITION}, id FROM disposition_rule WHERE campaign_id = %s ORDER BY position, id", key
    )
    return replace(
        campaign,
        trunk_ids=tuple(row[0] for row in trunks),
        end_point_ids=tuple(row[0] for row in end_points),
        lists=tuple(CampaignList(row[0], row[1], ListUse(row[2]), row[3]) for row in lists),
        rules=tuple(RescheduleRule(row[0], row[1], row[2], row[3], RetryMode(row[4]), row[5]) for row in rules),
        opening_hours_ids=tuple(row[0] for row in hours),
        dispositions=tuple(_opened(tx, _disposition_of(row)) for row in dispositions),
    )


def _opened(tx: Transaction, rule: DispositionRule) -> DispositionRule:
    return replace(rule, destination=urls.opened(tx.secrets, rule.destination))


def _shown(campaign: Campaign) -> Columns:
    """Links as the audit trail shows them."""
    return {
        "trunk_ids": list(campaign.trunk_ids),
        "end_point_ids": list(campaign.end_point_ids),
        "lists": [f"{entry.name} {entry.use.value}" for entry in campaign.lists],
        "rules": [
            f"{r.status} {r.extended_status or '-'} {r.max_attempts} {r.retry_after_s} {r.mode.value}"
            for r in campaign.rules
        ],
        "opening_hours_ids": list(campaign.opening_hours_ids),
        "dispositions": [
            " ".join(str(value) for value in _disposition_row(replace(rule, destination=masked(rule.destination))))
            for rule in campaign.dispositions
        ],
    }
