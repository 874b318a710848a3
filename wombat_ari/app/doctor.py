"""The doctor: asks database, dialer and every PBX, and says what is wrong and what to do about it (spec 08).

Each question answers findings; a question that fails is itself a finding, so one sick PBX does not hide the others.
"""

import re
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Any

from wombat_ari.app.config import Settings
from wombat_ari.app.control import ControlClient
from wombat_ari.app.outside import complaint, mail_server_of
from wombat_ari.core.placeholders import expand
from wombat_ari.core.request import REVERSE_CONTEXT
from wombat_ari.core.validate import check_trunk
from wombat_ari.model.entities import EndPoint, Server, Trunk
from wombat_ari.model.errors import PbxError, WombatError
from wombat_ari.model.states import EndPointType
from wombat_ari.notify.mail import probe
from wombat_ari.pbx.ami import AMIFactory
from wombat_ari.pbx.reach import in_words
from wombat_ari.store import entities, outbox
from wombat_ari.store.database import Database

LOW_DISK_MB = 500
FILES_A_CALL = 10  #: descriptors that Asterisk needs for a trunk call
OLDEST_ASTERISK = 16
MODULES = {"res_agi": "FastAGI verbs and flows", "app_queue": "QUEUE end points", "app_amd": "answering machines"}
SAMPLE_NUMBER = "5550000000"


class Grade(StrEnum):
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do."""

    about: str
    grade: Grade
    text: str
    advice: str = ""


Findings = AsyncIterator[Finding]


async def examine(settings: Settings, database: Database, reactor: Any) -> Findings:
    """All findings, as they come."""
    for finding in _database(settings, database):
        yield finding
    async for finding in _dialer(settings, reactor):
        yield finding
    for finding in _mail(settings, database):
        yield finding
    plan = entities.load_plan(database)
    if not plan.servers:
        yield Finding("servers", Grade.WARNING, "no server is configured", "apply a plan file: wombat-ari apply FILE")
    for finding in _strangers(settings, plan.servers):
        yield finding
    for server in plan.servers:
        about = f"server {server.description}"
        if not server.enabled:
            yield Finding(about, Grade.WARNING, "is not enabled", "")
            continue
        trunks = [trunk for trunk in plan.trunks if trunk.server_id == server.id]
        end_points = [end_point for end_point in plan.end_points if end_point.server_id == server.id]
        async for finding in _server(server, trunks, end_points):
            yield finding


def _database(settings: Settings, database: Database) -> list[Finding]:
    about = f"database {database.name}"
    try:
        access = database.is_alive()
    except WombatError as error:
        return [Finding(about, Grade.BAD, str(error), "see database.url in " + settings.source)]
    found = [Finding(about, Grade.GOOD, f"answers in {access:.1f} ms")]
    free = shutil.disk_usage(settings.state_folder).free // 2**20
    low = free < LOW_DISK_MB
    found.append(
        Finding(
            f"disk of {settings.state_folder}",
            Grade.WARNING if low else Grade.GOOD,
            f"{free} MB free",
            "free some space: a full disk stops all calls" if low else "",
        )
    )
    return found


def _strangers(settings: Settings, servers: Sequence[Server]) -> list[Finding]:
    """PBXs whose dialplans cannot call the control API as those of the original do, without a log-on."""
    trusted = [ip_network(text, strict=False) for text in settings["api.open_to"]]
    found = []
    for server in servers:
        try:
            address = ip_address(server.address)
        except ValueError:  # a name: of which address it will call us is not known here
            continue
        if server.enabled and not any(address in network for network in trusted):
            text = f"{address} (server {server.description}) is not in it: CURL in its dialplan needs a log-on"
            advice = f"add {address} to api.open_to in {settings.source} if its dialplan calls the API"
            found.append(Finding("api.open_to", Grade.WARNING, text, advice))
    return found


def _mail(settings: Settings, database: Database) -> list[Finding]:
    server = mail_server_of(settings)
    if server is None:
        trouble = complaint(settings, outbox.campaigns_with_mail(database))
        return [Finding("e-mail", Grade.BAD, trouble, "see mail.server in docs/configuration.md")] if trouble else []
    about = f"mail server {server.where}"
    if trouble := probe(server):
        return [Finding(about, Grade.BAD, trouble, "see the section mail in " + settings.source)]
    return [Finding(about, Grade.GOOD, "takes our e-mails" if not server.user else f"lets {server.user} log on")]


async def _dialer(settings: Settings, reactor: Any) -> Findings:
    client = ControlClient(reactor, settings.control_socket)
    try:
        snapshot = await client.snapshot(calls=False)
    except WombatError as error:
        yield Finding("dialer", Grade.WARNING, str(error))
        return
    finally:
        client.close()
    yield Finding("dialer", Grade.GOOD, f"is {snapshot['state']}, {snapshot['channels_in_use']} channels in use")
    for receiver in snapshot["outbox"]["receivers"]:
        if receiver["failing_since"] is not None or receiver["parked"]:
            waiting = f"{receiver['waiting']:,} wait, {receiver['parked']:,} are parked"
            text = f"{receiver['error'] or 'could not be told'}; {waiting}"
            yield Finding(f"receiver {receiver['name']}", Grade.WARNING, text, "see wombat-ari outbox list")
    if snapshot["database_trouble"]:
        yield Finding("dialer", Grade.BAD, snapshot["database_trouble"], "no calls are placed until it is mended")


async def _server(server: Server, trunks: list[Trunk], end_points: list[EndPoint]) -> Findings:
    about = f"server {server.description}"
    try:
        ami = await AMIFactory(server.login, server.password).login(server.address, server.port, timeout=5)
    except (WombatError, Exception) as error:  # noqa: BLE001 - fence: one server; whatever it is, it is the finding
        where = f"{server.address}:{server.port}"
        text = f"{where}: {error}" if isinstance(error, WombatError) else in_words(error, where)
        yield Finding(about, Grade.BAD, text, "look at manager.conf: enabled, port, bindaddr, and the user's secret")
        return
    try:
        for question in (_version, _classes, _modules, _files):
            async for finding in question(ami, about, trunks):
                yield finding
        for trunk in trunks:
            async for finding in _trunk(ami, trunk):
                yield finding
        for end_point in end_points:
            async for finding in _end_point(ami, end_point):
                yield finding
    finally:
        ami.transport.loseConnection()


async def _version(ami: Any, about: str, trunks: list[Trunk]) -> Findings:
    version = (await ami.coreSettings()).get("AsteriskVersion")
    major = int(re.match(r"\d*", version)[0] or 0)  # type: ignore[index]
    if major >= OLDEST_ASTERISK:
        yield Finding(about, Grade.GOOD, f"Asterisk {version}, logged in")
    else:
        yield Finding(about, Grade.WARNING, f"Asterisk {version}", f"tested from {OLDEST_ASTERISK} on: upgrade")


async def _classes(ami: Any, about: str, trunks: list[Trunk]) -> Findings:
    """An action that a login may not use is not in its ListCommands."""
    allowed = {action.lower() for action in (await ami.listCommands()).headers()}
    needed = {"originate": "originate", "hangup": "call", "queuestatus": "agent", "dbgettree": "system"}
    missing = sorted({kind for action, kind in needed.items() if action not in allowed})
    if missing:
        text = f"the login {ami.factory.username} may not write {', '.join(missing)}"
        yield Finding(about, Grade.BAD, text, "add these classes to write= of the user in manager.conf")


async def _modules(ami: Any, about: str, trunks: list[Trunk]) -> Findings:
    for module, use in MODULES.items():
        answer = await ami.sendDeferred({"action": "ModuleCheck", "module": module})
        if answer.name != "Success":
            yield Finding(about, Grade.WARNING, f"{module} is not loaded", f"needed for {use}")


async def _files(ami: Any, about: str, trunks: list[Trunk]) -> Findings:
    wanted = sum(trunk.capacity for trunk in trunks) * FILES_A_CALL
    lines = await _cli(ami, "core show settings")
    limit = next((int(word) for line in lines if "file handles" in line for word in line.split() if word.isdigit()), 0)
    if limit and limit < wanted:
        text = f"{limit} file descriptors, {wanted} wanted for all lines of its trunks"
        yield Finding(about, Grade.WARNING, text, "raise LimitNOFILE (systemd) or ulimit -n of Asterisk")


async def _trunk(ami: Any, trunk: Trunk) -> Findings:
    about = f"trunk {trunk.name}"
    for warning in check_trunk(trunk)[1]:
        yield Finding(about, Grade.WARNING, warning)
    technology, _, rest = expand(trunk.dial_string, {"num": SAMPLE_NUMBER}).partition("/")
    types = await _cli(ami, "core show channeltypes")
    if types and not any(line.split()[:1] == [technology] for line in types if line.strip()):
        yield Finding(about, Grade.BAD, f"the PBX knows no channels of the technology {technology}", "load its module")
        return
    if technology != "Local":
        yield Finding(about, Grade.GOOD, f"{trunk.dial_string}, {trunk.capacity} lines")
        return
    extension, _, context = rest.partition("/")[0].partition("@")
    yield await _in_dialplan(ami, about, extension, context)


async def _end_point(ami: Any, end_point: EndPoint) -> Findings:
    """In reverse dialling the agent's channel goes to the shipped context; the end point's own is not used."""
    about = f"end point {end_point.name}"
    where = ("s", REVERSE_CONTEXT) if end_point.reverse else (end_point.extension, end_point.context)
    yield await _in_dialplan(ami, about, *where)
    if end_point.type is EndPointType.QUEUE:
        yield await _queue(ami, about, end_point.name)


async def _queue(ami: Any, about: str, name: str) -> Finding:
    lines = await _cli(ami, f"queue show {name}")
    if any(line.startswith("No such queue") for line in lines):
        return Finding(about, Grade.BAD, f"the PBX has no queue {name}", "an end point has exactly the queue's name")
    return Finding(about, Grade.GOOD, f"the queue {name} is there")


async def _in_dialplan(ami: Any, about: str, extension: str, context: str) -> Finding:
    where = f"{extension}@{context}"
    lines = await _cli(ami, f"dialplan show {where}")
    if not lines:
        return Finding(about, Grade.WARNING, f"{where} could not be looked up: the login may not write `command`")
    if any("There is no existence of" in line for line in lines):
        return Finding(about, Grade.BAD, f"the dialplan has no {where}", "add it, or correct extension and context")
    return Finding(about, Grade.GOOD, f"{where} is in the dialplan")


async def _cli(ami: Any, command: str) -> list[str]:
    try:
        return list(await ami.command(command))
    except PbxError:
        return []
