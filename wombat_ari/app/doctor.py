"""The doctor: asks database, dialer and every PBX, and says what is wrong and what to do about it (spec 08).

Each question answers findings; a question that fails is itself a finding, so one sick PBX does not hide the others.
It runs on the reactor of whoever asks; what blocks (database, mail server) is asked in a thread.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from wombat_ari.app.config import Settings
from wombat_ari.app.control import ControlClient
from wombat_ari.app.doctor_database import examine_database
from wombat_ari.app.doctor_flows import examine_flows
from wombat_ari.app.doctor_pbx import examine_pbx
from wombat_ari.app.doctor_words import Finding, Findings, Grade, bad, good, warning
from wombat_ari.app.outside import complaint, mail_server_of
from wombat_ari.app.service.allow_list import allow_list_for
from wombat_ari.model.entities import Server
from wombat_ari.model.errors import WombatError
from wombat_ari.notify.mail import probe
from wombat_ari.store import outbox
from wombat_ari.store.database import Database
from wombat_ari.store.entities import Plan, load_plan

__all__ = ["Finding", "Findings", "Grade", "examine"]

Result = TypeVar("Result")


async def examine(
    settings: Settings, database: Database, reactor: Any, *, load: Callable[[Database], Plan] = load_plan
) -> Findings:
    """All findings, as they come. ``load`` tells which servers, trunks and end points are looked at."""
    for finding in await _in_thread(examine_database, settings, database):
        yield finding
    async for finding in _dialer(settings, reactor):
        yield finding
    try:
        for finding in await _in_thread(_mail, settings, database):
            yield finding
        plan = await _in_thread(load, database)
    except WombatError as error:
        if not getattr(error, "transient", False):  # else the database is away, which was said
            yield bad("configuration", str(error), "no PBX can be used before that")
        return
    if not plan.servers:
        yield warning("servers", "no server is configured", "set one up in the console, or: wombat-ari apply FILE")
    for finding in await _in_thread(_strangers, settings, plan.servers):
        yield finding
    for finding in await _in_thread(examine_flows, settings, plan.end_points):
        yield finding
    for server in plan.servers:
        if not server.enabled:
            yield warning(f"server {server.description}", "is not enabled")
            continue
        trunks = [trunk for trunk in plan.trunks if trunk.server_id == server.id]
        end_points = [end_point for end_point in plan.end_points if end_point.server_id == server.id]
        async for finding in examine_pbx(settings, server, trunks=trunks, end_points=end_points, reactor=reactor):
            yield finding


def _in_thread(work: Callable[..., Result], *arguments: Any) -> Deferred[Result]:
    return deferToThread(work, *arguments)


def _strangers(settings: Settings, servers: Sequence[Server]) -> list[Finding]:
    """PBXs whose dialplans cannot call the control API as those of the original do, without a log-on."""
    wanted = allow_list_for(servers, settings)
    names = {server.address: f"server {server.description}" for server in servers}
    return [
        warning(
            "api.open_to",
            f"{address} ({names.get(address, 'a PBX')}) is not in it: CURL in its dialplan needs a log-on",
            f"if its dialplan calls the API, write into [api] of {settings.source}: {wanted.line}",
        )
        for address in wanted.missing
    ]


def _mail(settings: Settings, database: Database) -> list[Finding]:
    server = mail_server_of(settings)
    if server is None:
        trouble = complaint(settings, outbox.campaigns_with_mail(database))
        return [bad("e-mail", trouble, "see mail.server in docs/configuration.md")] if trouble else []
    about = f"mail server {server.where}"
    if trouble := probe(server):
        return [bad(about, trouble, "see the section mail in " + settings.source)]
    return [good(about, "takes our e-mails" if not server.user else f"lets {server.user} log on")]


async def _dialer(settings: Settings, reactor: Any) -> Findings:
    client = ControlClient(reactor, settings.control_socket)
    try:
        snapshot = await client.snapshot(calls=False)
    except WombatError as error:
        yield warning("dialer", str(error), "no calls are placed before it is started")
        return
    finally:
        client.close()
    yield good("dialer", f"is {snapshot['state']}, {snapshot['channels_in_use']} channels in use")
    for receiver in snapshot["outbox"]["receivers"]:
        if receiver["failing_since"] is not None or receiver["parked"]:
            waiting = f"{receiver['waiting']:,} wait, {receiver['parked']:,} are parked"
            text = f"{receiver['error'] or 'could not be told'}; {waiting}"
            yield warning(f"receiver {receiver['name']}", text, "see wombat-ari outbox list")
    if snapshot["database_trouble"]:
        yield bad("dialer", snapshot["database_trouble"], "no calls are placed until it is mended")
