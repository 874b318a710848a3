"""Servers, trunks, end points, lists: save, load, list, delete. Campaigns are in ``campaigns``, taken along from here.

Saves check the value (``core/validate``), write the audit trail, and give back what is stored. Where an id or a name is
taken, names match exactly.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any

from wombat_ari.core import validate
from wombat_ari.model.admin import EntityInfo
from wombat_ari.model.entities import CallList, EndPoint, Server, Trunk
from wombat_ari.model.states import EndPointType
from wombat_ari.store import saving, tables
from wombat_ari.store.campaigns import (
    CAMPAIGN,
    clone_campaign,
    delete_campaign,
    list_campaigns,
    load_campaign,
    save_campaign,
    set_campaign_dispositions,
    set_campaign_end_points,
    set_campaign_lists,
    set_campaign_opening_hours,
    set_campaign_rules,
    set_campaign_trunks,
)
from wombat_ari.store.database import Database
from wombat_ari.store.saving import Columns, Kind, history


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything configured that dialling needs besides campaigns."""

    servers: tuple[Server, ...]
    trunks: tuple[Trunk, ...]
    end_points: tuple[EndPoint, ...]


def _plain(cls: type[Any], row: Columns) -> Any:
    return cls(**{field.name: row[field.name] for field in fields(cls)})


SERVER: Kind[Server] = Kind(
    label="server",
    table=tables.AsteriskServer,
    name="description",
    encode=lambda server: {field.name: getattr(server, field.name) for field in fields(server)},
    decode=lambda row: _plain(Server, row),
    secrets=("password", "ari_password"),
    referrers=(
        ("trunk", "SELECT name FROM trunk WHERE server_id = %s ORDER BY name LIMIT 5"),
        ("end point", "SELECT name FROM end_point WHERE server_id = %s ORDER BY name LIMIT 5"),
    ),
)

TRUNK: Kind[Trunk] = Kind(
    label="trunk",
    table=tables.Trunk,
    name="name",
    encode=asdict,
    decode=lambda row: _plain(Trunk, row),
    parents=(("server_id", "server", tables.AsteriskServer),),
    referrers=(
        (
            "campaign",
            "SELECT c.name FROM campaign c JOIN campaign_trunk x ON x.campaign_id = c.id "
            "WHERE x.trunk_id = %s ORDER BY c.name LIMIT 5",
        ),
        (
            "an open call of run",
            "SELECT r.name FROM run r JOIN attempt a ON a.run_id = r.id WHERE a.trunk_id = %s LIMIT 1",
        ),
        ("the call log, as in run", "SELECT run_name FROM call_log WHERE trunk_id = %s LIMIT 1"),
    ),
)

END_POINT: Kind[EndPoint] = Kind(
    label="end point",
    table=tables.EndPoint,
    name="name",
    encode=lambda end_point: {**asdict(end_point), "type": end_point.type.value},
    decode=lambda row: _plain(EndPoint, {**row, "type": EndPointType(row["type"])}),
    parents=(("server_id", "server", tables.AsteriskServer),),
    unique_in=("server_id",),
    referrers=(
        (
            "campaign",
            "SELECT c.name FROM campaign c JOIN campaign_end_point x ON x.campaign_id = c.id "
            "WHERE x.end_point_id = %s ORDER BY c.name LIMIT 5",
        ),
        (
            "an open call of run",
            "SELECT r.name FROM run r JOIN attempt a ON a.run_id = r.id WHERE a.end_point_id = %s LIMIT 1",
        ),
        ("the call log, as in run", "SELECT run_name FROM call_log WHERE end_point_id = %s LIMIT 1"),
    ),
)

LIST: Kind[CallList] = Kind(
    label="list",
    table=tables.CallList,
    name="name",
    encode=asdict,
    at_first=(("records", 0),),
    decode=lambda row: _plain(CallList, row),
    referrers=(
        (
            "campaign",
            "SELECT c.name FROM campaign c JOIN campaign_list x ON x.campaign_id = c.id "
            "WHERE x.list_id = %s ORDER BY c.name LIMIT 5",
        ),
        ("run", "SELECT r.name FROM run r JOIN run_list x ON x.run_id = r.id WHERE x.list_id = %s LIMIT 5"),
    ),
)


def load_plan(db: Database) -> Plan:
    """All servers, trunks and end points, in one transaction. The disabled ones too."""
    with db.transaction(write=False) as tx:
        servers, trunks, end_points = (saving.load_all(db, tx, kind) for kind in (SERVER, TRUNK, END_POINT))
    return Plan(tuple(servers), tuple(trunks), tuple(end_points))


def save_server(
    db: Database, server: Server, *, by: str, now: float, version: int | None = None, clear: tuple[str, ...] = ()
) -> Server:
    """An empty password stays as it is; ``clear=("ari_password",)`` empties one."""
    server, _ = validate.check_server(server)
    with db.transaction() as tx:
        entity_id = saving.save(db, tx, SERVER, server, by=by, now=now, version=version, clear=clear)
        return saving.load(db, tx, SERVER, entity_id)


def save_trunk(db: Database, trunk: Trunk, *, by: str, now: float, version: int | None = None) -> Trunk:
    trunk, _ = validate.check_trunk(trunk)
    return _save(db, TRUNK, trunk, by=by, now=now, version=version)


def save_end_point(db: Database, end_point: EndPoint, *, by: str, now: float, version: int | None = None) -> EndPoint:
    end_point, _ = validate.check_end_point(end_point)
    return _save(db, END_POINT, end_point, by=by, now=now, version=version)


def save_list(db: Database, call_list: CallList, *, by: str, now: float, version: int | None = None) -> CallList:
    call_list, _ = validate.check_list(call_list)
    return _save(db, LIST, call_list, by=by, now=now, version=version)


def load_server(db: Database, which: int | str) -> Server:
    """By id or description."""
    return _load(db, SERVER, which)


def load_trunk(db: Database, which: int | str) -> Trunk:
    return _load(db, TRUNK, which)


def load_end_point(db: Database, which: int) -> EndPoint:
    return _load(db, END_POINT, which)


def load_list(db: Database, which: int | str) -> CallList:
    return _load(db, LIST, which)


def list_servers(db: Database) -> list[Server]:
    """By name, as the other three."""
    return _all(db, SERVER)


def server_addresses(db: Database) -> list[str]:
    """Of the enabled ones: asked often, so nothing else is read."""
    with db.transaction(write=False) as tx:
        return [str(row[0]) for row in tx.rows("SELECT DISTINCT address FROM asterisk_server WHERE enabled = 1")]


def list_trunks(db: Database) -> list[Trunk]:
    return _all(db, TRUNK)


def list_end_points(db: Database) -> list[EndPoint]:
    return _all(db, END_POINT)


def list_lists(db: Database) -> list[CallList]:
    """The hidden ones too."""
    return _all(db, LIST)


def delete_server(db: Database, server_id: int, *, by: str, now: float, version: int | None = None) -> None:
    _delete(db, SERVER, server_id, by=by, now=now, version=version)


def delete_trunk(db: Database, trunk_id: int, *, by: str, now: float, version: int | None = None) -> None:
    _delete(db, TRUNK, trunk_id, by=by, now=now, version=version)


def delete_end_point(db: Database, end_point_id: int, *, by: str, now: float, version: int | None = None) -> None:
    _delete(db, END_POINT, end_point_id, by=by, now=now, version=version)


def delete_list(db: Database, list_id: int, *, by: str, now: float, version: int | None = None) -> None:
    """With its records; refused once a campaign or a run, live or ended, has it."""
    with db.transaction() as tx:
        if not any(tx.rows(sql, (list_id,)) for _, sql in LIST.referrers):
            tx.run("DELETE FROM record WHERE list_id = %s", (list_id,))
        saving.delete(tx, LIST, list_id, by=by, now=now, version=version)


def infos(db: Database, kind: Kind[Any]) -> dict[int, EntityInfo]:
    """Who made and changed each thing of a kind (``SERVER``, ``TRUNK``, ``END_POINT``, ``LIST``, ``CAMPAIGN``)."""
    with db.transaction(write=False) as tx:
        return saving.infos(tx, kind)


def _save(db: Database, kind: Kind[saving.T], value: saving.T, *, by: str, now: float, version: int | None) -> saving.T:
    with db.transaction() as tx:
        return saving.load(db, tx, kind, saving.save(db, tx, kind, value, by=by, now=now, version=version))


def _load(db: Database, kind: Kind[saving.T], which: int | str) -> saving.T:
    with db.transaction(write=False) as tx:
        return saving.load(db, tx, kind, which)


def _all(db: Database, kind: Kind[saving.T]) -> list[saving.T]:
    with db.transaction(write=False) as tx:
        return saving.load_all(db, tx, kind)


def _delete(db: Database, kind: Kind[Any], entity_id: int, *, by: str, now: float, version: int | None = None) -> None:
    with db.transaction() as tx:
        saving.delete(tx, kind, entity_id, by=by, now=now, version=version)


__all__ = [
    "CAMPAIGN", "END_POINT", "LIST", "SERVER", "TRUNK", "Plan", "clone_campaign", "delete_campaign", "delete_end_point",
    "delete_list", "delete_server", "delete_trunk", "history", "infos", "list_campaigns", "list_end_points",
    "list_lists", "list_servers", "list_trunks", "load_campaign", "load_end_point", "load_list", "load_plan",
    "load_server", "load_trunk", "save_campaign", "save_end_point", "save_list", "save_server", "save_trunk",
    "set_campaign_dispositions", "set_campaign_end_points", "set_campaign_lists", "set_campaign_opening_hours",
    "set_campaign_rules", "set_campaign_trunks",
]  # fmt: skip
