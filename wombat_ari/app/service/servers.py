"""Asterisk servers."""

from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.in_use import told_as_seen
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.rights import Infos, Right, demand, require_key_kept, require_seen, visible
from wombat_ari.model.admin import EntityInfo
from wombat_ari.model.entities import Server
from wombat_ari.store import entities
from wombat_ari.store.database import Database


def list_servers(caller: Caller, db: Database) -> list[Server]:
    """Those the caller sees, by name. Passwords stay secrets."""
    demand(caller, Right.SEE_PBX)
    return visible(caller, entities.list_servers(db), infos_of(db))


def find_server(caller: Caller, db: Database, which: int | str) -> Server:
    demand(caller, Right.SEE_PBX)
    return seen_server(caller, db, which)


def seen_server(caller: Caller, db: Database, which: int | str) -> Server:
    """For who has a right of another kind to it; its own key is asked here too."""
    found = entities.load_server(db, which)
    return require_seen(caller, found, "server", which=which, infos=infos_of(db))


def server_infos(caller: Caller, db: Database) -> dict[int, EntityInfo]:
    """Who made and changed each."""
    demand(caller, Right.SEE_PBX)
    return entities.infos(db, entities.SERVER)


def save_server(
    caller: Caller, db: Database, server: Server, *, version: int | None = None, clear: tuple[str, ...] = ()
) -> Server:
    """New, or changed; an empty password stays as it is, unless ``clear`` names it; ``version``: see ``saving``."""
    demand(caller, Right.CHANGE_PBX)
    old = None if server.id is None else seen_server(caller, db, server.id)
    require_key_kept(caller, old, server, infos_of(db))
    saved = entities.save_server(db, server, by=caller.login, now=caller.at, version=version, clear=clear)
    note(caller, db, "server changed" if old else "server made", about=saved.description)
    return saved


def delete_server(caller: Caller, db: Database, server_id: int, *, version: int | None = None) -> Server:
    """What was deleted; refused while trunks or end points are on it."""
    demand(caller, Right.CHANGE_PBX)
    old = seen_server(caller, db, server_id)
    with told_as_seen(caller, db):
        entities.delete_server(db, server_id, by=caller.login, now=caller.at, version=version)
    note(caller, db, "server deleted", about=old.description)
    return old


def infos_of(db: Database) -> Infos:
    return lambda: entities.infos(db, entities.SERVER)
