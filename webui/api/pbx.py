"""Servers, trunks, end points."""

from typing import Any

from webui.api import shapes_config as shapes
from webui.api.frame import Call
from webui.api.things import Thing
from wombat_ari.app.service import end_points, servers, trunks
from wombat_ari.app.service.rights import Right
from wombat_ari.model.entities import EndPoint, Server, Trunk

SEE, CHANGE = (Right.SEE_PBX,), (Right.CHANGE_PBX,)


def _save_server(call: Call, value: Server, *, version: int | None, clear: tuple[str, ...]) -> Server:
    return servers.save_server(call.caller, call.db, value, version=version, clear=clear)


def _save_trunk(call: Call, value: Trunk, *, version: int | None, clear: tuple[str, ...]) -> Trunk:
    return trunks.save_trunk(call.caller, call.db, value, version=version)


def _save_end_point(call: Call, value: EndPoint, *, version: int | None, clear: tuple[str, ...]) -> EndPoint:
    return end_points.save_end_point(call.caller, call.db, value, version=version)


common: dict[str, Any] = {"tag": "PBX", "see": SEE, "change": CHANGE}

SERVERS: Thing[Server] = Thing(
    path="/servers", label="server", sent=shapes.ServerSent, told=shapes.ServerTold, everything=servers.list_servers,
    infos=servers.server_infos, find=servers.find_server, save=_save_server, delete=servers.delete_server,
    blank=lambda body: Server(None, ""), name=lambda server: server.description, secrets=("password", "ari_password"),
    **common,
)  # fmt: skip

TRUNKS: Thing[Trunk] = Thing(
    path="/trunks", label="trunk", sent=shapes.Trunk, told=shapes.TrunkTold, everything=trunks.list_trunks,
    infos=trunks.trunk_infos, find=trunks.find_trunk, save=_save_trunk, delete=trunks.delete_trunk,
    blank=lambda body: Trunk(None, 0, "", ""), **common,
)  # fmt: skip

END_POINTS: Thing[EndPoint] = Thing(
    path="/end-points", label="end point", sent=shapes.EndPoint, told=shapes.EndPointTold,
    everything=end_points.list_end_points, infos=end_points.end_point_infos, find=end_points.find_end_point,
    save=_save_end_point, delete=end_points.delete_end_point,
    blank=lambda body: EndPoint(None, 0, body.type, "", "", ""), **common,
)  # fmt: skip

ROUTES = (*SERVERS.routes(), *TRUNKS.routes(), *END_POINTS.routes())
