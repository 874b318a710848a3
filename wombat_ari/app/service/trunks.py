"""Trunks: lines of a server to dial out on."""

from wombat_ari.app.service import servers
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.in_use import told_as_seen
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.rights import Infos, Right, demand, require_key_kept, require_seen, visible
from wombat_ari.model.admin import EntityInfo
from wombat_ari.model.entities import Trunk
from wombat_ari.store import entities
from wombat_ari.store.database import Database


def list_trunks(caller: Caller, db: Database) -> list[Trunk]:
    """Those the caller sees, by name."""
    demand(caller, Right.SEE_PBX)
    return visible(caller, entities.list_trunks(db), infos_of(db))


def find_trunk(caller: Caller, db: Database, which: int | str) -> Trunk:
    demand(caller, Right.SEE_PBX)
    return seen_trunk(caller, db, which)


def seen_trunk(caller: Caller, db: Database, which: int | str) -> Trunk:
    """For who has a right of another kind to it; its own key is asked here too."""
    found = entities.load_trunk(db, which)
    return require_seen(caller, found, "trunk", which=which, infos=infos_of(db))


def trunk_infos(caller: Caller, db: Database) -> dict[int, EntityInfo]:
    """Who made and changed each."""
    demand(caller, Right.SEE_PBX)
    return entities.infos(db, entities.TRUNK)


def save_trunk(caller: Caller, db: Database, trunk: Trunk, *, version: int | None = None) -> Trunk:
    """New, or changed. Only a server that the caller sees can be chosen."""
    demand(caller, Right.CHANGE_PBX)
    old = None if trunk.id is None else seen_trunk(caller, db, trunk.id)
    if old is None or old.server_id != trunk.server_id:
        servers.seen_server(caller, db, trunk.server_id)
    require_key_kept(caller, old, trunk, infos_of(db))
    saved = entities.save_trunk(db, trunk, by=caller.login, now=caller.at, version=version)
    note(caller, db, "trunk changed" if old else "trunk made", about=saved.name)
    return saved


def delete_trunk(caller: Caller, db: Database, trunk_id: int, *, version: int | None = None) -> Trunk:
    """What was deleted; refused while a campaign, an open call or the call log refers to it."""
    demand(caller, Right.CHANGE_PBX)
    old = seen_trunk(caller, db, trunk_id)
    with told_as_seen(caller, db):
        entities.delete_trunk(db, trunk_id, by=caller.login, now=caller.at, version=version)
    note(caller, db, "trunk deleted", about=old.name)
    return old


def infos_of(db: Database) -> Infos:
    return lambda: entities.infos(db, entities.TRUNK)
