"""End points: where answered calls go."""

from wombat_ari.app.config import Settings
from wombat_ari.app.flow_files import flow_files
from wombat_ari.app.service import servers
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.in_use import told_as_seen
from wombat_ari.app.service.logbook import note
from wombat_ari.app.service.rights import Infos, Right, demand, require_key_kept, require_seen, visible
from wombat_ari.core.validate import check_end_point
from wombat_ari.model.admin import EntityInfo
from wombat_ari.model.entities import EndPoint
from wombat_ari.model.states import EndPointType
from wombat_ari.store import entities
from wombat_ari.store.database import Database


def list_end_points(caller: Caller, db: Database) -> list[EndPoint]:
    """Those the caller sees, by name."""
    demand(caller, Right.SEE_PBX)
    return visible(caller, entities.list_end_points(db), infos_of(db))


def find_end_point(caller: Caller, db: Database, which: int) -> EndPoint:
    demand(caller, Right.SEE_PBX)
    return seen_end_point(caller, db, which)


def seen_end_point(caller: Caller, db: Database, which: int) -> EndPoint:
    """For who has a right of another kind to it; its own key is asked here too."""
    found = entities.load_end_point(db, which)
    return require_seen(caller, found, "end point", which=which, infos=infos_of(db))


def end_point_infos(caller: Caller, db: Database) -> dict[int, EntityInfo]:
    """Who made and changed each."""
    demand(caller, Right.SEE_PBX)
    return entities.infos(db, entities.END_POINT)


def save_end_point(caller: Caller, db: Database, end_point: EndPoint, *, version: int | None = None) -> EndPoint:
    """New, or changed. Only a server that the caller sees can be chosen."""
    demand(caller, Right.CHANGE_PBX)
    old = None if end_point.id is None else seen_end_point(caller, db, end_point.id)
    if old is None or old.server_id != end_point.server_id:
        servers.seen_server(caller, db, end_point.server_id)
    require_key_kept(caller, old, end_point, infos_of(db))
    saved = entities.save_end_point(db, end_point, by=caller.login, now=caller.at, version=version)
    note(caller, db, "end point changed" if old else "end point made", about=saved.name)
    return saved


def delete_end_point(caller: Caller, db: Database, end_point_id: int, *, version: int | None = None) -> EndPoint:
    """What was deleted; refused while a campaign, an open call or the call log refers to it."""
    demand(caller, Right.CHANGE_PBX)
    old = seen_end_point(caller, db, end_point_id)
    with told_as_seen(caller, db):
        entities.delete_end_point(db, end_point_id, by=caller.login, now=caller.at, version=version)
    note(caller, db, "end point deleted", about=old.name)
    return old


def warnings_of(settings: Settings, end_point: EndPoint) -> list[str]:
    """What is odd about one that can be stored. Of a FLOW the site's files are read, which blocks for a moment."""
    warnings = check_end_point(end_point)[1]
    if end_point.type is EndPointType.FLOW:
        files = flow_files(settings)
        if end_point.extension not in {each["name"] for each in files.flows}:
            there = f"there is no flow {end_point.extension} in {settings.flows_folder}"
            warnings = [*warnings, f"{there}: its calls will end with RS_ERROR", *files.mistakes]
    return warnings


def infos_of(db: Database) -> Infos:
    return lambda: entities.infos(db, entities.END_POINT)
