"""The guided set-up of a new system: server, trunk, end point, list, campaign, start; one form a step.

How far it is follows from what there is (``service/setting_up``). What is suggested fits the shipped ``asterisk_conf``:
the simulated network, so that a first try rings nobody's phone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import abort, current_app, request
from wtforms import BooleanField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from webui.console.editor import version_sent
from webui.console.forms import EntityForm, SecretField, choices
from webui.console.pages import BAD, GOOD, STATUS, Answer, Pages, Visit
from wombat_ari.app.doctor_words import Finding, Grade
from wombat_ari.app.service import allow_list, connection, end_points, records, runs, servers, setting_up, trunks
from wombat_ari.app.service import dialer as dialer_service
from wombat_ari.app.service.rights import Right
from wombat_ari.app.service.setting_up import NEEDED, STEPS, SetUp
from wombat_ari.model.entities import CallList, EndPoint, Server, Trunk
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import EndPointType

GOLD = "gold"
SIMULATED = "Local/${num}@simulated-network/n"
NUMBERS = "55510030\n55511050\n55512040\n55520000\n55540000\n"
TITLES = {
    "server": "Server", "trunk": "Trunk", "end-point": "End point", "list": "List", "campaign": "Campaign",
    "start": "Start",
}  # fmt: skip
WORDS = {
    "server": "The Asterisk that is to dial. The dialer talks to it by AMI, with a login of its manager.conf.",
    "trunk": "The way out: what is dialled for each number, and how many calls may be on it at a time.",
    "end-point": "Where people are connected to who answer: an extension, such as a message, or a queue of agents.",
    "list": "The numbers to call, one a line.",
    "campaign": "It ties them together: whom to call, over which trunk, where to connect them, when to try again.",
    "start": "All is there. A run of the campaign dials the list from its first number to its last.",
}


class ServerStep(EntityForm):
    description = StringField("Name", [DataRequired(), Length(max=80)], description="What you call this Asterisk.")
    address = StringField("Address", [DataRequired(), Length(max=255)], description="127.0.0.1 is this machine.")
    port = IntegerField("AMI port", [InputRequired(), NumberRange(1, 65535)], description="5038, by TLS 5039.")
    login = StringField("AMI login", [DataRequired(), Length(max=80)], description="The section of manager.conf.")
    password = SecretField("AMI password", description="Its secret; change-me in the shipped sample.")
    tls = BooleanField("AMI over TLS")

    secrets = ("password",)


class TrunkStep(EntityForm):
    name = StringField("Name", [DataRequired(), Length(max=80)])
    dial_string = StringField(
        "Dial string", [DataRequired(), Length(max=255)],
        description="The simulated network rings nobody: good for a first try. For real calls PJSIP/${num}@carrier.",
    )  # fmt: skip
    capacity = IntegerField("Capacity", [InputRequired(), NumberRange(1, 1_000_000)], description="Calls at a time.")


class EndPointStep(EntityForm):
    type = SelectField("Type", choices=choices([EndPointType.PHONE, EndPointType.QUEUE], {
        EndPointType.PHONE: "PHONE: an extension", EndPointType.QUEUE: "QUEUE: agents",
    }))  # fmt: skip
    name = StringField("Name", [DataRequired(), Length(max=80)], description="Of a QUEUE exactly the Asterisk queue.")
    extension = StringField("Extension", [DataRequired(), Length(max=80)], description="100 is a sample message.")
    context = StringField("Context", [DataRequired(), Length(max=80)])
    max_channels = IntegerField("Most channels", [InputRequired(), NumberRange(1, 1_000_000)])

    def value(self, old: Any) -> Any:
        new = super().value(old)
        return replace(new, type=EndPointType(new.type))


class ListStep(EntityForm):
    name = StringField("Name", [DataRequired(), Length(max=80)])
    numbers = TextAreaField(
        "Numbers", [DataRequired()], render_kw={"rows": 8},
        description="number,NAME:value,NAME:value; on the simulated network 5551 answers, 5552 is busy, 5553 rings.",
    )  # fmt: skip


class CampaignStep(EntityForm):
    name = StringField("Name", [DataRequired(), Length(max=80)])
    again = BooleanField("Try again who was busy, did not answer or was rejected, twice")


FORMS: dict[str, type[EntityForm]] = {
    "server": ServerStep, "trunk": TrunkStep, "end-point": EndPointStep, "list": ListStep, "campaign": CampaignStep,
}  # fmt: skip


def add_to(pages: Pages) -> None:
    @pages.get("/setup", *NEEDED)
    def setup(visit: Visit) -> Answer:
        return visit.go("setup_step", step=setting_up.progress(visit.caller, visit.db).current)

    @pages.get("/setup/<step>", *NEEDED)
    def setup_step(visit: Visit, step: str) -> Answer:
        found = _at(visit, step)
        if not found.may_go_to(step):
            return visit.go("setup_step", step=found.current)
        return _page(visit, found, step, _form(found, step))

    @pages.post("/setup/<step>", *NEEDED)
    def setup_save(visit: Visit, step: str) -> Answer:
        found = _at(visit, step)
        if not found.may_go_to(step):
            return visit.go("setup_step", step=found.current)
        form = FORMS[step](request.form) if step in FORMS else None
        if form is not None and not form.validate():
            return _page(visit, found, step, form, 400)
        try:
            _require_same(visit, found, step)
            return SAVE[step](visit, found, form)
        except UserError as refusal:
            if form is None:
                visit.say(str(refusal), BAD)
                return visit.go("setup_step", step=step)
            form.complain(refusal)
            return _page(visit, found, step, form, STATUS.get(refusal.code, 400))


def _at(visit: Visit, step: str) -> SetUp:
    if step not in STEPS:
        abort(404)
    return setting_up.progress(visit.caller, visit.db)


def _page(visit: Visit, found: SetUp, step: str, form: EntityForm | None, status: int = 200) -> Answer:
    known: dict[str, Any] = {}
    if step == "start":
        state, _ = dialer_service.state_now(visit.ask, visit.tools.engine)
        assert found.campaign is not None
        of_trunks, of_end_points, of_lists = setting_up.summary(visit.caller, visit.db, found.campaign)
        known = {
            "trunks": of_trunks,
            "end_points": of_end_points,
            "lists": [(each, _count(visit, each)) for each in of_lists],
            "state": str(state or "STARTING"),
            "switch": visit.tools.engine is not None and visit.may(Right.CONTROL_DIALER),
            "allow": allow_list.suggested_open_to(visit.caller, visit.db, visit.settings),
        }
    return visit.page(
        "setup.html", status, found=found, step=step, form=form, titles=TITLES, words=WORDS,
        value=found.server if step == "server" else None,
        version=_version(visit, found, step) if status == 200 else request.form.get("version", ""), **known,
    )  # fmt: skip


def _version(visit: Visit, found: SetUp, step: str) -> int:
    """Of what the step changes; 0: it makes one."""
    of: dict[str, tuple[Any, Callable[..., Any]]] = {
        "server": (found.server, servers.server_infos), "trunk": (found.trunk, trunks.trunk_infos),
        "end-point": (found.end_point, end_points.end_point_infos),
    }  # fmt: skip
    thing, infos = of.get(step, (None, dict))
    return 0 if thing is None else infos(visit.caller, visit.db)[thing.id].version


def _require_same(visit: Visit, found: SetUp, step: str) -> None:
    """Two people may set up a system at once: what one has saved, the other does not overwrite unseen."""
    sent = version_sent()
    if sent is not None and sent != _version(visit, found, step):
        raise UserError(
            f"the {step.replace('-', ' ')} was saved by somebody else in the meantime; load the page again",
            code="conflict",
        )


def _count(visit: Visit, call_list: CallList) -> int | None:
    """None: the campaign may use it, but this visitor does not see what is on it."""
    try:
        return records.count_records(visit.caller, visit.db, call_list.id or 0)
    except UserError:
        return None


def _form(found: SetUp, step: str) -> EntityForm | None:
    """With what there is, else with what is suggested."""
    if step == "start":
        return None
    suggested: dict[str, Callable[[], EntityForm]] = {
        "server": lambda: ServerStep.of(found.server or Server(None, "PBX", login="wombat")),
        "trunk": lambda: TrunkStep.of(found.trunk or Trunk(None, 0, "Trunk", SIMULATED, 10)),
        "end-point": lambda: EndPointStep.of(
            found.end_point
            or EndPoint(None, 0, EndPointType.PHONE, "Message", "100", "simulated-endpoints", max_channels=10)
        ),
        "list": lambda: ListStep(
            data={"name": found.call_list.name if found.call_list else "First list", "numbers": _numbers(found)}
        ),
        "campaign": lambda: CampaignStep(data={"name": "First campaign", "again": True}),
    }
    return suggested[step]()


def _numbers(found: SetUp) -> str:
    """For the simulated network some of its own; real numbers are not suggested."""
    simulated = found.trunk is not None and "simulated-network" in found.trunk.dial_string
    return NUMBERS if simulated and not found.records else ""


def _save_server(visit: Visit, found: SetUp, form: Any) -> Answer:
    server: Server = form.value(found.server or Server(None, ""))
    saved = servers.save_server(visit.caller, visit.db, server, version=version_sent() or None)
    findings = _asked(lambda: connection.test_connection(visit.caller, visit.db, saved))
    return _onward(visit, findings, stay="server")


def _save_trunk(visit: Visit, found: SetUp, form: Any) -> Answer:
    assert found.server is not None
    base = found.trunk or Trunk(None, found.server.id or 0, "", "")
    saved = trunks.save_trunk(visit.caller, visit.db, form.value(base), version=version_sent() or None)
    return _onward(visit, _asked(lambda: connection.test_dialplan(visit.caller, visit.db, saved)), stay="trunk")


def _save_end_point(visit: Visit, found: SetUp, form: Any) -> Answer:
    assert found.server is not None
    base = found.end_point or EndPoint(None, found.server.id or 0, EndPointType.PHONE, "", "", "")
    saved = end_points.save_end_point(visit.caller, visit.db, form.value(base), version=version_sent() or None)
    return _onward(visit, _asked(lambda: connection.test_dialplan(visit.caller, visit.db, saved)), stay="end-point")


def _save_list(visit: Visit, found: SetUp, form: Any) -> Answer:
    setting_up.fill_list(visit.caller, visit.db, name=form.name.data, numbers=form.numbers.data)
    return visit.go("setup")


def _save_campaign(visit: Visit, found: SetUp, form: Any) -> Answer:
    setting_up.make_campaign(visit.caller, visit.db, name=form.name.data, again=form.again.data)
    return visit.go("setup")


def _start(visit: Visit, found: SetUp, form: None) -> Answer:
    assert found.campaign is not None
    runs.start(visit.caller, visit.db, visit.ask, campaign=found.campaign.name)
    visit.say(f"Campaign {found.campaign.name} is running.")
    return visit.go("live" if "console.live" in current_app.view_functions else "home")


SAVE: dict[str, Callable[[Visit, SetUp, Any], Answer]] = {
    "server": _save_server, "trunk": _save_trunk, "end-point": _save_end_point, "list": _save_list,
    "campaign": _save_campaign, "start": _start,
}  # fmt: skip


def _asked(ask: Callable[[], list[Finding]]) -> list[Finding]:
    """Nothing where this process cannot ask."""
    try:
        return ask()
    except UserError:
        return []


def _onward(visit: Visit, findings: list[Finding], *, stay: str) -> Answer:
    """To the next step, with what was found said; back to this one when it cannot work so."""
    for finding in findings:
        if finding.grade is not Grade.GOOD:
            kind = BAD if finding.grade is Grade.BAD else GOLD
            visit.say(f"{finding.text}. What to do: {finding.advice}." if finding.advice else finding.text, kind)
    if any(finding.grade is Grade.BAD for finding in findings):
        return visit.go("setup_step", step=stay)
    if findings:
        visit.say(findings[0].text, GOOD)
    return visit.go("setup")
