"""What pages that refresh every two seconds need of what is configured: a column or two, in one question each."""

from collections.abc import Collection
from typing import Any

from wombat_ari.model.live import CampaignGlance, Locked
from wombat_ari.model.states import CampaignStatus
from wombat_ari.store.database import Database, marks
from wombat_ari.store.saving import Kind

_HAS = "EXISTS (SELECT 1 FROM {table} x WHERE x.campaign_id = c.id)"


def campaigns(db: Database) -> list[CampaignGlance]:
    """All, by name."""
    trunk, end_point = (_HAS.format(table=table) for table in ("campaign_trunk", "campaign_end_point"))
    sql = (
        "SELECT c.id, c.name, c.security_key, c.status, c.priority, c.created_at, "
        f"{trunk} AND {end_point} FROM campaign c ORDER BY c.name"
    )
    with db.transaction(write=False) as tx:
        rows = tx.rows(sql)
    return [
        CampaignGlance(id, name, key, CampaignStatus(status), priority, created_at, bool(has_lines))
        for id, name, key, status, priority, created_at, has_lines in rows
    ]


def locked(db: Database, kind: Kind[Any]) -> list[Locked]:
    """The things of a kind that only holders of a key see."""
    table = kind.table._meta.table_name
    with db.transaction(write=False) as tx:
        rows = tx.rows(f"SELECT id, security_key FROM {table} WHERE security_key <> ''")
    return [Locked(*row) for row in rows]


def runs_named(db: Database, names: Collection[str], *, campaigns: Collection[int]) -> list[str]:
    """Those of the names that are of runs of these campaigns, and of no others."""
    sql = f"SELECT name, campaign_id FROM run WHERE name IN ({marks(len(names))})"
    with db.transaction(write=False) as tx:
        found = tx.rows(sql, tuple(names))
    others = {name for name, campaign in found if campaign not in campaigns}
    return [name for name, _ in found if name not in others]
