"""Lists, by name and key; what stands on them is in ``records``."""

from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.in_use import told_as_seen
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.rights import Infos, Right, demand, require_key_kept, require_seen, visible
from wombat_ari.model.admin import EntityInfo
from wombat_ari.model.entities import CallList
from wombat_ari.store import entities, lists
from wombat_ari.store.database import Database


def list_lists(caller: Caller, db: Database) -> list[CallList]:
    """Those the caller sees, by name, the hidden ones too."""
    demand(caller, Right.SEE_LISTS)
    return visible(caller, entities.list_lists(db), infos_of(db))


def find_list(caller: Caller, db: Database, which: int | str) -> CallList:
    demand(caller, Right.SEE_LISTS)
    return seen_list(caller, db, which)


def seen_list(caller: Caller, db: Database, which: int | str) -> CallList:
    """For who has a right of another kind to it; its own key is asked here too."""
    found = entities.load_list(db, which)
    return require_seen(caller, found, "list", which=which, infos=infos_of(db))


def list_infos(caller: Caller, db: Database) -> dict[int, EntityInfo]:
    """Who made and changed each."""
    demand(caller, Right.SEE_LISTS)
    return entities.infos(db, entities.LIST)


def save_list(caller: Caller, db: Database, call_list: CallList, *, version: int | None = None) -> CallList:
    """New, or changed."""
    demand(caller, Right.CHANGE_LISTS)
    old = None if call_list.id is None else seen_list(caller, db, call_list.id)
    require_key_kept(caller, old, call_list, infos_of(db))
    saved = entities.save_list(db, call_list, by=caller.login, now=caller.at, version=version)
    note(caller, db, "list changed" if old else "list made", about=saved.name)
    return saved


def list_for_numbers(caller: Caller, db: Database, name: str) -> CallList:
    """The list of that name, made when there is none: where numbers are added to."""
    demand(caller, Right.ADD_NUMBERS)
    found = lists.list_named(db, name, by=caller.login, now=caller.at)
    return require_seen(caller, found, "list", which=name, infos=infos_of(db))


def delete_list(caller: Caller, db: Database, list_id: int, *, version: int | None = None) -> CallList:
    """What was deleted, with its records; refused once a campaign or a run has it."""
    demand(caller, Right.CHANGE_LISTS)
    old = seen_list(caller, db, list_id)
    with told_as_seen(caller, db):
        entities.delete_list(db, list_id, by=caller.login, now=caller.at, version=version)
    note(caller, db, "list deleted", about=old.name)
    return old


def infos_of(db: Database) -> Infos:
    return lambda: entities.infos(db, entities.LIST)
