"""``edit/asterisk``, ``edit/trunk``, ``edit/ep``: servers, trunks, end points."""

from dataclasses import replace
from typing import Any

from webui.compat.edit import address_of
from webui.compat.frame import Call
from webui.compat.things import Thing
from webui.compat.values import (
    Field,
    Object,
    flag,
    number,
    one_of,
    reference,
    spell,
    text,
    whole,
    word_of,
    words_of,
)
from wombat_ari.app.service import end_points, servers, trunks
from wombat_ari.model.entities import EndPoint, Server, Trunk
from wombat_ari.model.errors import UserError
from wombat_ari.model.secret import Secret
from wombat_ari.model.states import EndPointType

SERVER_TYPE = "ASTERISKAMI"
STATES = {"UP": True, "DOWN": False}
TYPES = words_of(EndPointType)


def _secret(data: Object, name: str) -> Secret | None:
    given = text(data, name)
    return None if given is None else Secret(given)


def _server_read(server: Server, data: Object) -> Server:
    one_of({SERVER_TYPE: SERVER_TYPE})(data, "serverType")
    return server


SERVER: Thing[Server] = Thing(
    path="asterisk",
    label="server",
    id_name="id",
    name=lambda server: server.description,
    fields=(
        Field("description", "description", text),
        Field("ipAddress", "address", text),
        Field("login", "login", text),
        Field("password", "password", _secret, lambda secret: ""),
        Field("port", "port", whole),
        Field("unit_len", "unit_length_ms", whole),
        Field("msg_per_unit", "max_messages_per_unit", whole),
        Field("securityKey", "security_key", text),
        Field("state", "enabled", one_of(STATES), word_of(STATES)),
    ),
    everything=servers.list_servers,
    infos=servers.server_infos,
    find=servers.find_server,
    save=servers.save_server,
    delete=servers.delete_server,
    blank=lambda call, data: Server(None, ""),
    read=_server_read,
    references=lambda call, server: {"serverType": SERVER_TYPE},
)


def _trunk_read(trunk: Trunk, data: Object) -> Trunk:
    return replace(trunk, server_id=reference(data, "astId", "id") or trunk.server_id)


def _on(call: Call, value: Trunk | EndPoint) -> dict[str, Any]:
    """The server in full for who sees it, else its id."""
    try:
        server = servers.find_server(call.caller, call.db, value.server_id)
    except UserError:
        return {"astId": {"id": value.server_id}}
    return {"astId": {"id": server.id, **spell(server, SERVER.fields), "serverType": SERVER_TYPE}}


def server_needed(call: Call, data: Object) -> int:
    found = reference(data, "astId", "id")
    if found is None:
        raise UserError('astId is missing: say on which server it is, as {"astId": {"id": 1}}')
    return found


TRUNK: Thing[Trunk] = Thing(
    path="trunk",
    label="trunk",
    id_name="trunkId",
    name=lambda trunk: trunk.name,
    fields=(
        Field("name", "name", text),
        Field("dialstring", "dial_string", text),
        Field("capacity", "capacity", whole),
        Field("securityKey", "security_key", text),
    ),
    everything=trunks.list_trunks,
    infos=trunks.trunk_infos,
    find=trunks.find_trunk,
    save=trunks.save_trunk,
    delete=trunks.delete_trunk,
    blank=lambda call, data: Trunk(None, server_needed(call, data), "", ""),
    read=_trunk_read,
    references=_on,
)


def _end_point_read(end_point: EndPoint, data: Object) -> EndPoint:
    """The queue's name came in ``queueName``, the name of others in ``name``; ours is one."""
    read = replace(end_point, server_id=reference(data, "astId", "id") or end_point.server_id)
    queue = (text(data, "queueName") or "").strip()
    named = (text(data, "name") or "").strip()
    if read.type is EndPointType.QUEUE and queue and (queue != end_point.name or not named):
        return replace(read, name=queue)
    return replace(read, name=named or read.name)


def _end_point_references(call: Call, end_point: EndPoint) -> dict[str, Any]:
    queue = end_point.name if end_point.type is EndPointType.QUEUE else ""
    return {"name": end_point.name, "queueName": queue, **_on(call, end_point), "idx": "", "campaignId": ""}


END_POINT: Thing[EndPoint] = Thing(
    path="ep",
    label="end point",
    id_name="epId",
    name=lambda end_point: end_point.name,
    fields=(
        Field("type", "type", one_of(TYPES), str),
        Field("maxChannels", "max_channels", whole),
        Field("extension", "extension", text),
        Field("context", "context", text),
        Field("boostFactor", "boost_factor", number),
        Field("maxWaitingCalls", "max_waiting", whole),
        Field("reverseDialing", "reverse", flag),
        Field("stepwiseReverse", "manual_preview", flag),
        Field("securityKey", "security_key", text),
        Field("description", "description", text),
        Field("dialFind", "dial_find", text),
        Field("dialReplace", "dial_replace", text),
    ),
    everything=end_points.list_end_points,
    infos=end_points.end_point_infos,
    find=end_points.find_end_point,
    save=end_points.save_end_point,
    delete=end_points.delete_end_point,
    blank=lambda call, data: EndPoint(None, server_needed(call, data), EndPointType.PHONE, "", "", ""),
    read=_end_point_read,
    references=_end_point_references,
)

ADDRESSES = tuple(address_of(thing.subject()) for thing in (SERVER, TRUNK, END_POINT))
