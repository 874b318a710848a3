"""Opening hours with their rules: save, load, list, delete. Audited; kept while a campaign refers to them."""

from collections.abc import Sequence
from dataclasses import replace

from wombat_ari.core import validate
from wombat_ari.model.entities import OpeningHours, OpeningRule
from wombat_ari.store import saving, tables
from wombat_ari.store.database import Database, Transaction, chunks, marks
from wombat_ari.store.saving import Kind

_OWN = ("id", "name", "comment", "default_open", "hidden", "security_key")
_RULE = "is_open, from_date, to_date, days, start_s, end_s, comment"

OPENING_HOURS: Kind[OpeningHours] = Kind(
    label="opening hours",
    table=tables.OpeningHours,
    name="name",
    encode=lambda hours: {name: getattr(hours, name) for name in _OWN},
    decode=lambda row: OpeningHours(**{name: row[name] for name in _OWN}),
    referrers=(
        (
            "campaign",
            "SELECT c.name FROM campaign c JOIN campaign_opening_hours x ON x.campaign_id = c.id "
            "WHERE x.opening_hours_id = %s ORDER BY c.name LIMIT 5",
        ),
    ),
)


def load_opening_hours(db: Database, which: int | str) -> OpeningHours:
    """Complete, by id or exact name. UserError when there are none."""
    with db.transaction(write=False) as tx:
        return _complete(tx, [saving.load(db, tx, OPENING_HOURS, which)])[0]


def list_opening_hours(db: Database) -> list[OpeningHours]:
    """All, complete, by name; the hidden ones too."""
    with db.transaction(write=False) as tx:
        return _complete(tx, saving.load_all(db, tx, OPENING_HOURS))


def hours_of_campaign(db: Database, campaign_id: int) -> tuple[OpeningHours, ...]:
    """Those that a campaign keeps to, in its order."""
    with db.transaction(write=False) as tx:
        ids = tx.rows(
            "SELECT opening_hours_id FROM campaign_opening_hours WHERE campaign_id = %s ORDER BY position",
            (campaign_id,),
        )
        return tuple(_complete(tx, [saving.load(db, tx, OPENING_HOURS, row[0]) for row in ids]))


def save_opening_hours(
    db: Database, hours: OpeningHours, *, by: str, now: float, version: int | None = None
) -> OpeningHours:
    """With all its rules, in their order. A live run takes them at its next reload."""
    hours, _ = validate.check_opening_hours(hours)
    with db.transaction() as tx:
        before = _rules(tx, [hours.id]).get(hours.id, ()) if hours.id is not None else ()
        hours_id = saving.save(db, tx, OPENING_HOURS, hours, by=by, now=now, version=version)
        if before != hours.rules:
            _write_rules(tx, hours_id, hours.rules)
            _note(tx, hours_id, before, hours.rules, made=hours.id is None, by=by, now=now)
        return _complete(tx, [saving.load(db, tx, OPENING_HOURS, hours_id)])[0]


def delete_opening_hours(db: Database, hours_id: int, *, by: str, now: float, version: int | None = None) -> None:
    """Refused while a campaign keeps to them."""
    with db.transaction() as tx:
        if not any(tx.rows(sql, (hours_id,)) for _, sql in OPENING_HOURS.referrers):
            tx.run("DELETE FROM opening_rule WHERE opening_hours_id = %s", (hours_id,))
        saving.delete(tx, OPENING_HOURS, hours_id, by=by, now=now, version=version)


def _write_rules(tx: Transaction, hours_id: int, rules: Sequence[OpeningRule]) -> None:
    tx.run("DELETE FROM opening_rule WHERE opening_hours_id = %s", (hours_id,))
    tx.many(
        f"INSERT INTO opening_rule (opening_hours_id, position, {_RULE}) VALUES ({marks(9)})",
        [
            (hours_id, n, int(r.open), r.from_date, r.to_date, r.days, r.start_s, r.end_s, r.comment)
            for n, r in enumerate(rules)
        ],
    )


def _note(
    tx: Transaction, hours_id: int, before: Sequence[OpeningRule], after: Sequence[OpeningRule], *, made: bool,
    by: str, now: float,
) -> None:  # fmt: skip
    """In the audit trail: rules are a part of the hours. The version grows, so that a second editor is told."""
    old, new = {"rules": [_shown(rule) for rule in before]}, {"rules": [_shown(rule) for rule in after]}
    saving.audit(tx, tables.OpeningHours, hours_id, action="CHANGED", old=old, new=new, by=by, now=now)
    if not made:
        mark = "UPDATE opening_hours SET changed_at = %s, changed_by = %s, version = version + 1 WHERE id = %s"
        tx.run(mark, (now, by, hours_id))


def _shown(rule: OpeningRule) -> str:
    return (
        f"{'open' if rule.open else 'closed'} {rule.from_date or '*'} to {rule.to_date or '*'} days {rule.days} "
        f"{rule.start_s} to {rule.end_s} s {rule.comment}".rstrip()
    )


def _complete(tx: Transaction, found: Sequence[OpeningHours]) -> list[OpeningHours]:
    rules = _rules(tx, [hours.id for hours in found])
    return [replace(hours, rules=rules.get(hours.id, ())) for hours in found]


def _rules(tx: Transaction, ids: Sequence[int | None]) -> dict[int | None, tuple[OpeningRule, ...]]:
    rules: dict[int | None, tuple[OpeningRule, ...]] = {}
    for part in chunks(ids, 500):
        where = f"opening_hours_id IN ({marks(len(part))})"
        sql = f"SELECT opening_hours_id, {_RULE} FROM opening_rule WHERE {where} ORDER BY position, id"
        for hours_id, is_open, *rest in tx.rows(sql, part):
            rules[hours_id] = (*rules.get(hours_id, ()), OpeningRule(bool(is_open), *rest))
    return rules
