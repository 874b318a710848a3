"""The doctor inside one PBX: modules, files, FastAGI, trunks, end points, ARI."""

import secrets
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError
from twisted.web.client import Agent, readBody
from twisted.web.http_headers import Headers

from wombat_ari.app.config import Settings
from wombat_ari.app.doctor_dialplan import DOCTOR_CONTEXT, about_shipped, copying, in_dialplan, is_in_dialplan
from wombat_ari.app.doctor_link import Refused, about_login, cli, log_in
from wombat_ari.app.doctor_queues import about_queue
from wombat_ari.app.doctor_words import Finding, Findings, bad, good, warning
from wombat_ari.core.placeholders import expand
from wombat_ari.core.request import reverse_context
from wombat_ari.core.validate import check_trunk
from wombat_ari.model.entities import EndPoint, Server, Trunk
from wombat_ari.model.errors import WombatError
from wombat_ari.model.states import EndPointType
from wombat_ari.pbx.ami import AMIProtocol
from wombat_ari.pbx.fastagi_verbs import HELLO
from wombat_ari.pbx.reach import in_words
from wombat_ari.wire.ami import Message

FILES_A_CALL = 10  #: descriptors that Asterisk needs for a trunk call
MODULES = {
    "res_agi": "FastAGI verbs and flows",
    "app_queue": "QUEUE end points",
    "app_amd": "answering machines",
    "func_strings": "attributes longer than a line of AMI",
}
SAMPLE_NUMBER = "5550000000"
EVENT = "WombatDoctor"
AGI_S = 8.0
ARI_S = 5.0


async def examine_pbx(
    settings: Settings, server: Server, *, trunks: Sequence[Trunk], end_points: Sequence[EndPoint], reactor: Any
) -> Findings:
    about = f"server {server.description}"
    try:
        ami = await log_in(server, reactor)
    except Refused as refusal:
        yield bad(about, str(refusal), refusal.advice)
        return
    try:
        async for finding in about_login(ami, about):
            yield finding
        async for finding in _modules(ami, about, server):
            yield finding
        async for finding in _files(ami, about, trunks):
            yield finding
        yield await _fastagi(ami, about, settings=settings, reactor=reactor)
        async for finding in about_shipped(ami, about, end_points):
            yield finding
        for trunk in trunks:
            async for finding in about_trunk(ami, trunk):
                yield finding
        for end_point in end_points:
            async for finding in about_end_point(ami, end_point):
                yield finding
    except WombatError as error:
        yield bad(about, f"the examination broke off: {error}", "see Asterisk's log, and ask again")
    finally:
        ami.transport.loseConnection()
    if server.ari_url:
        yield await _ari(server, about, reactor)


async def _modules(ami: AMIProtocol, about: str, server: Server) -> Findings:
    wanted = {**MODULES, **({"res_ari": "the ARI of this server"} if server.ari_url else {})}
    missing = []
    for module, use in wanted.items():
        answer = await ami.sendDeferred({"action": "ModuleCheck", "module": module})
        if answer.get("Message") == "Permission denied":
            return  # that the class is missing was said already
        if answer.name != "Success":
            missing.append(module)
            yield warning(about, f"{module} is not loaded", f"needed for {use}: load it in modules.conf")
    if not missing:
        yield good(about, f"{', '.join(wanted)} are loaded")


async def _files(ami: AMIProtocol, about: str, trunks: Sequence[Trunk]) -> Findings:
    wanted = sum(trunk.capacity for trunk in trunks) * FILES_A_CALL
    lines = await cli(ami, "core show settings")
    limit = next((int(word) for line in lines if "file handles" in line for word in line.split() if word.isdigit()), 0)
    if limit and limit < wanted:
        text = f"{limit} file descriptors, {wanted} wanted for all lines of its trunks"
        yield warning(about, text, "raise LimitNOFILE (systemd) or ulimit -n of Asterisk")
    elif limit:
        yield good(about, f"{limit} file descriptors, {wanted} wanted for all lines of its trunks")


async def about_trunk(ami: AMIProtocol, trunk: Trunk) -> Findings:
    about = f"trunk {trunk.name}"
    for text in check_trunk(trunk)[1]:
        yield warning(about, text, "correct its dial string")
    technology, _, rest = expand(trunk.dial_string, {"num": SAMPLE_NUMBER}).partition("/")
    types = await cli(ami, "core show channeltypes")
    if types and not any(line.split()[:1] == [technology] for line in types if line.strip()):
        yield bad(about, f"the PBX knows no channels of the technology {technology}", "load its module")
        return
    if technology == "Local":
        extension, _, context = rest.partition("/")[0].partition("@")
        yield await in_dialplan(ami, about, extension, context)
    elif technology == "PJSIP" and "@" in rest:
        yield await _pjsip(ami, about, trunk, rest.rpartition("@")[2].partition("/")[0])
    else:
        yield good(about, f"{trunk.dial_string}, {trunk.capacity} lines")


async def _pjsip(ami: AMIProtocol, about: str, trunk: Trunk, carrier: str) -> Finding:
    lines = await cli(ami, f"pjsip show endpoint {carrier}")
    if any("Unable to find object" in line for line in lines):
        return bad(about, f"PJSIP has no end point {carrier}", "add it to pjsip.conf, or correct the dial string")
    return good(about, f"{trunk.dial_string}, {trunk.capacity} lines")


async def about_end_point(ami: AMIProtocol, end_point: EndPoint) -> Findings:
    """In reverse dialling the agent's channel goes to the shipped context; the end point's own is not used."""
    about = f"end point {end_point.name}"
    where = ("s", reverse_context(end_point)) if end_point.reverse else (end_point.extension, end_point.context)
    yield await in_dialplan(ami, about, *where)
    if end_point.type is EndPointType.QUEUE:
        async for finding in about_queue(ami, about, end_point):
            yield finding


# FastAGI: the PBX is asked to call the dialer


async def _fastagi(ami: AMIProtocol, about: str, *, settings: Settings, reactor: Any) -> Finding:
    """A Local channel that nobody hears runs AGI() in the shipped context and tells by UserEvent how it went."""
    port, listens = settings["fastagi.port"], settings["fastagi.address"]
    host = ami.transport.getHost().host  # as the PBX sees us
    there = f"FastAGI at {host}:{port}"
    shipped = await is_in_dialplan(ami, f"s@{DOCTOR_CONTEXT}")
    if shipped is None:
        return warning(about, f"whether it reaches {there} could not be tried", "add command to write=")
    if not shipped:
        text = f"whether it reaches {there} could not be tried: its dialplan has no {DOCTOR_CONTEXT}"
        return warning(about, text, copying(DOCTOR_CONTEXT))
    told = await _agi_status(ami, f"agi://{_bracketed(host)}:{port}/{HELLO}", reactor)
    if told is None:
        advice = "the login needs read = user, and UserEvent in its event filters"
        return warning(about, f"{there}: the PBX did not tell whether it reaches it", advice)
    if told.get("RESULT") == "OK":
        return good(about, f"reaches {there}")
    advice = f"is the dialer running? it listens on {listens} (fastagi.address): the PBX must reach that"
    return warning(about, f"does not reach {there} ({told.get('STATUS') or 'no AGI application'})", advice)


async def _agi_status(ami: AMIProtocol, url: str, reactor: Any) -> dict[str, str] | None:
    """STATUS (Asterisk's AGISTATUS) and RESULT (OK: the dialer's server); None when nothing was told in time."""
    token = secrets.token_hex(8)
    told: Deferred[dict[str, str]] = Deferred()

    def heard(_: Any, message: Message) -> None:
        said = dict(message.user())
        if message.get("UserEvent") == EVENT and said.get("TOKEN") == token and not told.called:
            told.callback(said)

    ami.registerEvent("UserEvent", heard)
    try:
        call = {"WOMBAT_AGI": url, "WOMBAT_TOKEN": token}
        variables = {f"_{name}": value for name, value in call.items()}
        await ami.originate(
            f"Local/s@{DOCTOR_CONTEXT}/n", application="Wait", data="1", timeout=AGI_S, variable=variables
        )
        return await told.addTimeout(AGI_S, reactor)
    except (WombatError, TimeoutError):
        return None
    finally:
        ami.deregisterEvent("UserEvent", heard)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


# ARI


async def _ari(server: Server, about: str, reactor: Any) -> Finding:
    url = f"{server.ari_url.rstrip('/')}/asterisk/info?only=system"
    credentials = b64encode(f"{server.ari_user}:{server.ari_password.reveal()}".encode()).decode()
    headers = Headers({"Authorization": [f"Basic {credentials}"], "User-Agent": ["wombat-ari doctor"]})
    advice = "ari_url is like http://PBX:8088/ari: see http.conf (enabled, bindaddr) and ari.conf"
    try:
        asked = Agent(reactor, connectTimeout=ARI_S).request(b"GET", url.encode(), headers)
        answer = await asked.addTimeout(ARI_S, reactor)
        await readBody(answer).addTimeout(ARI_S, reactor)
    except Exception as error:  # noqa: BLE001 - fence: whatever it is, it is the finding
        return bad(about, f"ARI: {in_words(error, server.ari_url)}".replace("manager.conf", "http.conf"), advice)
    if answer.code == 200:
        return good(about, f"ARI at {server.ari_url}: logged in as {server.ari_user}")
    if answer.code in (401, 403):
        return bad(
            about,
            f"ARI at {server.ari_url} refuses the user {server.ari_user}",
            "compare user and password with ari.conf",
        )
    return bad(about, f"ARI at {server.ari_url} answers {answer.code}", advice)
