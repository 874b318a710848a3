"""Servers, trunks and end points: three editors on one page. With a server selected, what is on it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import abort, g, request
from wtforms import BooleanField, FloatField, IntegerField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from webui.console.editor import VIEW, Column, Editor, short, state
from webui.console.forms import EntityForm, SecretField, choices, things
from webui.console.pages import Answer, Pages, Visit
from wombat_ari.app.service import end_points, servers, trunks
from wombat_ari.app.service.rights import Right
from wombat_ari.core.validate import check_server, check_trunk
from wombat_ari.model.entities import EndPoint, Server, Trunk
from wombat_ari.model.states import EndPointType

SEE, CHANGE = (Right.CHANGE_PBX,), (Right.CHANGE_PBX,)
SHOWN = 12  #: rows of a table
KEEPS = ("on", *(f"{table}-{word}" for table in ("servers", "trunks", "end-points") for word in VIEW))
KEY_ADVICE = "Who sees it must hold this key; empty: everybody."
#: the page that all three are on
PAGE: dict[str, Any] = {"title": "Servers and lines", "template": "pbx.html", "size": SHOWN, "keeps": KEEPS}
TYPES = {
    EndPointType.PHONE: "PHONE: an extension",
    EndPointType.QUEUE: "QUEUE: agents",
    EndPointType.FLOW: "FLOW: a flow in Python",
}


class ServerForm(EntityForm):
    description = StringField("Name", [DataRequired(), Length(max=80)], description="What you call this Asterisk.")
    address = StringField("Address", [DataRequired(), Length(max=255)], description="Name or IP address.")
    port = IntegerField("AMI port", [InputRequired(), NumberRange(1, 65535)])
    login = StringField("AMI login", [Length(max=80)], description="The section of manager.conf.")
    password = SecretField("AMI password")
    tls = BooleanField("AMI over TLS")
    enabled = BooleanField("In use")
    unit_length_ms = IntegerField("Unit length, ms", [InputRequired(), NumberRange(1, 60000)])
    max_messages_per_unit = IntegerField(
        "Most messages in a unit", [InputRequired(), NumberRange(1, 10000)],
        description="The brake: so many actions are written in a unit. 5 in 50 ms is 100 a second.",
    )  # fmt: skip
    ari_url = StringField("ARI address", [Length(max=255)], description="Such as http://pbx:8088/ari; empty: no ARI.")
    ari_user = StringField("ARI user", [Length(max=80)])
    ari_password = SecretField("ARI password")
    security_key = StringField("Security key", [Length(max=80)], description=KEY_ADVICE)

    secrets = ("password", "ari_password")
    groups = (
        ("Server", ("description", "address", "port", "login", "password", "tls", "enabled")),
        ("Congestion control", ("unit_length_ms", "max_messages_per_unit")),
        ("ARI (optional)", ("ari_url", "ari_user", "ari_password")),
        ("Who sees it", ("security_key",)),
    )


class TrunkForm(EntityForm):
    server_id = SelectField("Server", coerce=int)
    name = StringField("Name", [DataRequired(), Length(max=80)])
    dial_string = StringField(
        "Dial string", [DataRequired(), Length(max=255)],
        description="As PJSIP/${num}@carrier, or Local/${num}@from-internal/n. ${num} is the number.",
    )  # fmt: skip
    capacity = IntegerField("Capacity", [InputRequired(), NumberRange(1, 1_000_000)], description="Calls at a time.")
    security_key = StringField("Security key", [Length(max=80)], description=KEY_ADVICE)


class EndPointForm(EntityForm):
    server_id = SelectField("Server", coerce=int)
    type = SelectField("Type", choices=choices(EndPointType, TYPES))
    name = StringField("Name", [DataRequired(), Length(max=80)], description="Of a QUEUE exactly the Asterisk queue.")
    extension = StringField("Extension", [DataRequired(), Length(max=80)], description="Of a FLOW its name.")
    context = StringField("Context", [Length(max=80)])
    max_channels = IntegerField("Most channels", [InputRequired(), NumberRange(1, 1_000_000)])
    boost_factor = FloatField("Boost factor", [InputRequired(), NumberRange(0.01, 100)], description="Calls per agent.")
    max_waiting = IntegerField(
        "Most callers waiting", [InputRequired(), NumberRange(0, 1_000_000)], description="With more, nobody is called."
    )
    wrap_up_s = IntegerField(
        "Wrap-up time, s", [InputRequired(), NumberRange(0, 86400)], description="As in queues.conf."
    )
    reverse = BooleanField("Reverse dialling: the agent first")
    manual_preview = BooleanField("Manual preview: the agent decides")
    dial_find = StringField("Find in the agent's interface", [Length(max=255)], description="A regular expression.")
    dial_replace = StringField("and dial this in its place", [Length(max=255)])
    description = StringField("Remark", [Length(max=255)])
    security_key = StringField("Security key", [Length(max=80)], description=KEY_ADVICE)

    groups = (
        ("End point", ("server_id", "type", "name", "extension", "context", "max_channels")),
        ("Queue", ("boost_factor", "max_waiting", "wrap_up_s")),
        ("Reverse dialling", ("reverse", "manual_preview", "dial_find", "dial_replace")),
        ("Remark, who sees it", ("description", "security_key")),
    )

    def value(self, old: Any) -> Any:
        new = super().value(old)
        return replace(new, type=EndPointType(new.type))


def add_to(pages: Pages) -> None:
    @pages.get("/pbx", *SEE)
    def pbx(visit: Visit) -> Answer:
        return SERVERS.show(visit)

    for editor in (SERVERS, TRUNKS, END_POINTS):
        editor.add_to(pages)


def _tables(visit: Visit, value: Any) -> Mapping[str, Any]:
    """All three tables; with a server selected, the trunks and end points that are on it."""
    names = {server.id: server.description for server in servers.list_servers(visit.caller, visit.db)}
    warnings: list[str] = []
    if isinstance(value, Server):
        warnings = check_server(value)[1]
    if isinstance(value, Trunk):
        warnings = check_trunk(value)[1]
    if isinstance(value, EndPoint) and value.id is not None:
        warnings = end_points.warnings_of(visit.settings, value)
    return {
        "editors": (SERVERS, TRUNKS, END_POINTS),
        "tables": {
            editor.name: editor.table(visit, value.id if isinstance(value, kind) else _on() if kind is Server else None)
            for editor, kind in ((SERVERS, Server), (TRUNKS, Trunk), (END_POINTS, EndPoint))
        },
        "on": names.get(_on() or 0),
        "on_id": _on(),
        "selected": value.id if value is not None else None,
        "here": {"endpoint": request.endpoint, "extra": dict(request.view_args or {})},
        "warnings": warnings,
    }


def _on() -> int | None:
    """The server that is selected, or that was when something on it was: ``on`` in the address."""
    given = request.view_args or {}
    if str(request.endpoint).startswith("console.servers_") and "which" in given:
        return int(given["which"])
    text = request.args.get("on", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _server_of(row: Trunk | EndPoint) -> str:
    """Its name, of all that the visitor sees, which are asked for once a page."""
    if "server_names" not in g:
        known = servers.list_servers(g.visit.caller, g.visit.db)
        g.server_names = {server.id: server.description for server in known}
    return str(g.server_names.get(row.server_id, "–"))


def _place_of(row: EndPoint) -> str:
    return f"{row.extension}@{row.context}"


def _is_on(row: Trunk | EndPoint) -> bool:
    return _on() in (None, row.server_id)


def _with_servers(visit: Visit, form: Any) -> None:
    names = [(server.id, server.description) for server in servers.list_servers(visit.caller, visit.db)]
    if not names:
        visit.say("First add a server: trunks and end points are on one.", "gold")
        abort(visit.go("servers_new"))
    form.server_id.choices = things(names)


def _server_chosen(visit: Visit) -> int:
    """That of the table it was made from, else the first."""
    wanted, known = _on(), [server.id or 0 for server in servers.list_servers(visit.caller, visit.db)]
    return wanted if wanted in known else (known or [0])[0]


SERVERS: Editor[Server] = Editor(
    name="servers", prefix="servers-", label="server", form=ServerForm, **PAGE,
    columns=(
        Column("Server", lambda row: row.description),
        Column("Address", lambda row: f"{row.address}:{row.port}"),
        Column("In use", lambda row: state(row.enabled, "yes", "no"), key=lambda row: row.enabled),
    ),
    see=SEE, change=CHANGE, everything=servers.list_servers, find=servers.find_server,
    save=lambda visit, value, **options: servers.save_server(visit.caller, visit.db, value, **options),
    delete=servers.delete_server, blank=lambda visit: Server(None, "", login="wombat"), infos=servers.server_infos,
    label_of=lambda server: server.description, known=_tables,
    text_of=lambda server: f"{server.description} {server.address}",
    advice="There is no server yet: first of all add the Asterisk that is to dial.",
)  # fmt: skip
TRUNKS: Editor[Trunk] = Editor(
    name="trunks", prefix="trunks-", label="trunk", form=TrunkForm, **PAGE,
    columns=(
        Column("Trunk", lambda row: row.name),
        Column("Server", lambda row: short(_server_of(row)), _server_of),
        Column("Dial string", lambda row: row.dial_string),
        Column("Capacity", lambda row: row.capacity, number=True),
    ),
    see=SEE, change=CHANGE, everything=trunks.list_trunks, find=trunks.find_trunk,
    save=lambda visit, value, clear, **options: trunks.save_trunk(visit.caller, visit.db, value, **options),
    delete=trunks.delete_trunk, blank=lambda visit: Trunk(None, _server_chosen(visit), "", ""),
    infos=trunks.trunk_infos, prepare=_with_servers, known=_tables, is_shown=_is_on,
    text_of=lambda trunk: f"{trunk.name} {trunk.dial_string}",
    advice="No trunk yet. A trunk is a way out: what Asterisk dials, and how many calls it can take at a time.",
)  # fmt: skip
END_POINTS: Editor[EndPoint] = Editor(
    name="end-points", prefix="end-points-", label="end point", form=EndPointForm, **PAGE,
    columns=(
        Column("End point", lambda row: row.name),
        Column("Server", lambda row: short(_server_of(row)), _server_of),
        Column("Type", lambda row: row.type.value),
        Column("Goes to", lambda row: short(_place_of(row)), _place_of),
        Column("Channels", lambda row: row.max_channels, number=True),
    ),
    see=SEE, change=CHANGE, everything=end_points.list_end_points, find=end_points.find_end_point,
    save=lambda visit, value, clear, **options: end_points.save_end_point(visit.caller, visit.db, value, **options),
    delete=end_points.delete_end_point,
    blank=lambda visit: EndPoint(None, _server_chosen(visit), EndPointType.PHONE, "", "", ""),
    infos=end_points.end_point_infos, prepare=_with_servers, known=_tables, is_shown=_is_on,
    text_of=lambda row: f"{row.name} {row.extension} {row.context}",
    advice="No end point yet. An end point is where people who answer are connected to: an extension or a queue.",
)  # fmt: skip
