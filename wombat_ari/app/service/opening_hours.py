"""Opening hours, shared by campaigns."""

from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.in_use import told_as_seen
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.rights import Infos, Right, demand, require_key_kept, require_seen, visible
from wombat_ari.model.admin import EntityInfo
from wombat_ari.model.entities import OpeningHours
from wombat_ari.store import entities, opening_hours
from wombat_ari.store.database import Database


def list_opening_hours(caller: Caller, db: Database) -> list[OpeningHours]:
    """Those the caller sees, by name, the hidden ones too."""
    demand(caller, Right.SEE_CAMPAIGNS)
    return visible(caller, opening_hours.list_opening_hours(db), infos_of(db))


def find_opening_hours(caller: Caller, db: Database, which: int | str) -> OpeningHours:
    demand(caller, Right.SEE_CAMPAIGNS)
    return seen_opening_hours(caller, db, which)


def seen_opening_hours(caller: Caller, db: Database, which: int | str) -> OpeningHours:
    """For who has a right of another kind to it; its own key is asked here too."""
    found = opening_hours.load_opening_hours(db, which)
    return require_seen(caller, found, "opening hours", which=which, infos=infos_of(db))


def opening_hours_infos(caller: Caller, db: Database) -> dict[int, EntityInfo]:
    """Who made and changed each."""
    demand(caller, Right.SEE_CAMPAIGNS)
    return entities.infos(db, opening_hours.OPENING_HOURS)


def save_opening_hours(
    caller: Caller, db: Database, hours: OpeningHours, *, version: int | None = None
) -> OpeningHours:
    """New, or changed, with all rules."""
    demand(caller, Right.CHANGE_CAMPAIGNS)
    old = None if hours.id is None else seen_opening_hours(caller, db, hours.id)
    require_key_kept(caller, old, hours, infos_of(db))
    saved = opening_hours.save_opening_hours(db, hours, by=caller.login, now=caller.at, version=version)
    note(caller, db, "opening hours changed" if old else "opening hours made", about=saved.name)
    return saved


def delete_opening_hours(caller: Caller, db: Database, hours_id: int, *, version: int | None = None) -> OpeningHours:
    """What was deleted; refused while a campaign keeps to it."""
    demand(caller, Right.CHANGE_CAMPAIGNS)
    old = seen_opening_hours(caller, db, hours_id)
    with told_as_seen(caller, db):
        opening_hours.delete_opening_hours(db, hours_id, by=caller.login, now=caller.at, version=version)
    note(caller, db, "opening hours deleted", about=old.name)
    return old


def infos_of(db: Database) -> Infos:
    return lambda: entities.infos(db, opening_hours.OPENING_HOURS)
