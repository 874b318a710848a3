"""Is a PBX reached as it is described, saved or not? Has it what a trunk or an end point names?

A stored secret is used for the very address, port and login that it is stored with, and for no other: else whoever may
edit servers could have it sent to a machine of their own.
"""

from dataclasses import replace
from threading import BoundedSemaphore
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError

from wombat_ari.app.doctor_link import Refused, about_login, log_in
from wombat_ari.app.doctor_pbx import about_end_point, about_trunk
from wombat_ari.app.doctor_words import Finding, bad
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.rights import Right, demand
from wombat_ari.app.service.servers import seen_server
from wombat_ari.app.threads import Work, on_reactor
from wombat_ari.core.validate import check_server
from wombat_ari.model.entities import EndPoint, Server, Trunk
from wombat_ari.model.errors import UserError, WombatError
from wombat_ari.store.database import Database

LIMIT_S = 20.0
AT_ONCE = 3  #: threads of the console that may wait for PBXs

_asking = BoundedSemaphore(AT_ONCE)


def test_connection(caller: Caller, db: Database, server: Server) -> list[Finding]:
    """What the doctor finds at the door of this PBX; within 20 s or so. UserError when a field cannot be."""
    demand(caller, Right.CHANGE_PBX)
    server = with_stored_secret(caller, db, check_server(server)[0])
    return _asked(lambda reactor: examine_door(server, reactor))


def test_dialplan(caller: Caller, db: Database, thing: Trunk | EndPoint) -> list[Finding]:
    """What the doctor finds about a saved trunk or end point. UserError: its server is not seen."""
    demand(caller, Right.CHANGE_PBX)
    server = seen_server(caller, db, thing.server_id)
    return _asked(lambda reactor: examine_thing(server, thing, reactor))


async def examine_thing(server: Server, thing: Trunk | EndPoint, reactor: Any) -> list[Finding]:
    about = f"server {server.description}"
    try:
        ami = await log_in(server, reactor)
    except Refused as refusal:
        return [bad(about, str(refusal), refusal.advice)]
    try:
        asked = about_trunk(ami, thing) if isinstance(thing, Trunk) else about_end_point(ami, thing)
        return [finding async for finding in asked]
    except WombatError as error:
        return [bad(about, f"it went away: {error}", "see Asterisk's log")]
    finally:
        ami.transport.loseConnection()


async def examine_door(server: Server, reactor: Any) -> list[Finding]:
    about = f"{server.address}:{server.port}"
    try:
        ami = await log_in(server, reactor)
    except Refused as refusal:
        return [bad(about, str(refusal), refusal.advice)]
    found = []
    try:
        async for finding in about_login(ami, about):
            found.append(finding)
    except WombatError as error:
        found.append(bad(about, f"it went away: {error}", "see Asterisk's log"))
    finally:
        ami.transport.loseConnection()
    return found


def _asked(work: Work[list[Finding]]) -> list[Finding]:
    """A thread of the console waits for it: not for long, and not all of them."""

    async def soon(reactor: Any) -> list[Finding]:
        try:
            return await Deferred.fromCoroutine(work(reactor)).addTimeout(LIMIT_S, reactor)
        except TimeoutError:
            return [bad("PBX", f"it did not answer within {LIMIT_S:g} s", "is it overloaded, or the way to it slow?")]

    if not _asking.acquire(blocking=False):
        raise UserError("others test connections now: try again in a moment", code="too-many-tries")
    try:
        return on_reactor(soon)
    finally:
        _asking.release()


def with_stored_secret(caller: Caller, db: Database, server: Server) -> Server:
    """A password that was left empty is the stored one, for the same place."""
    if server.password or server.id is None:
        return server
    stored = seen_server(caller, db, server.id)
    if _place(stored) != _place(server):
        raise UserError(
            "server password: type it to test another address, port or login; the stored one is not sent there"
        )
    return replace(server, password=stored.password)


def _place(server: Server) -> tuple[str, int, str, bool]:
    return server.address, server.port, server.login, server.tls
