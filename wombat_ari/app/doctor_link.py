"""The doctor at the door of one PBX: is it reached, may the login in, may it do what a dialer does, is its clock right?

``log_in`` and ``about_login`` are also what "test connection" asks of a server that is being edited.
"""

import re
import time
from typing import Any

from twisted.internet.defer import TimeoutError

from wombat_ari.app.doctor_words import Finding, Findings, bad, good, warning
from wombat_ari.model.entities import Server
from wombat_ari.model.errors import PbxError, WombatError
from wombat_ari.pbx.ami import AMICommandFailure, AMIConnectionLost, AMIFactory, AMIProtocol, AMITimeout
from wombat_ari.pbx.reach import endpoint_of, in_words
from wombat_ari.wire.ami import ProtocolError

PATIENCE_S = 5.0  #: for the connection, and for each answer during the log-in
OLDEST_ASTERISK = 16
SKEW_S = 2.0  #: clocks that differ by more

#: write class -> an action that a login without it may not use (not in its ListCommands), and whether all depends on it
WRITE = {
    "originate": ("originate", True),
    "call": ("hangup", True),
    "reporting": ("coreshowchannels", True),
    "system": ("dbdel", True),
    "agent": ("queuelog", False),
    "command": ("command", False),
}
#: read class -> what is missed without it, and whether all depends on it
READ = {
    "call": ("what becomes of calls", True),
    "system": ("that the PBX restarts", False),
    "user": ("statuses and attributes that a dialplan sets by UserEvent", False),
    "agent": ("queues and their agents", False),
}


class Refused(PbxError):
    """The log-in did not come about; ``advice``: what to do."""

    def __init__(self, text: str, advice: str) -> None:
        super().__init__(text)
        self.advice = advice


async def log_in(server: Server, clock: Any) -> AMIProtocol:
    """A logged-in connection, to be closed by the caller. ``Refused`` with what is wrong, in any case soon."""
    where = f"{server.address}:{server.port}"
    factory = AMIFactory(
        server.login, server.password, plaintextLogin=server.tls, clock=clock, actionTimeout=PATIENCE_S
    )
    try:
        ami: AMIProtocol = await endpoint_of(server, clock, timeout=PATIENCE_S).connect(factory)
    except WombatError as error:
        raise Refused(f"{where}: {error}", "install what it names, or switch TLS off") from None
    except Exception as error:  # noqa: BLE001 - fence: whatever it is, it is the finding
        raise Refused(
            in_words(error, where), "look at address and port here, at enabled, bindaddr and port in manager.conf"
        ) from None
    try:
        await ami.whenGreeted().addTimeout(PATIENCE_S, clock)
        await ami.login(events="user")
    except (PbxError, TimeoutError) as error:
        ami.drop(AMIConnectionLost("given up"))
        raise _refusal(error, server, where) from None
    return ami


def _refusal(error: Exception, server: Server, where: str) -> Refused:
    if isinstance(error, AMICommandFailure):
        return Refused(
            f"{where} refused the login {server.login} or its secret ({error})",
            "compare login and password with manager.conf: user, secret, and permit = this machine's address",
        )
    if isinstance(error, ProtocolError):
        return Refused(f"what answers at {where} is no AMI: {error}", "AMI is usually at port 5038, by TLS at 5039")
    if isinstance(error, (TimeoutError, AMITimeout)):
        advice = "if this is the port for TLS (tlsbindaddr, usually 5039), switch TLS on; else Asterisk may hang"
        return Refused(f"{where} accepts the connection and says nothing", advice)
    if server.tls:
        advice = "TLS: does this port speak it (tlsenable, tlsbindaddr in manager.conf), and is the certificate known?"
        return Refused(f"{where}: {error}", advice)
    return Refused(
        f"{where}: {error}", "if this is the port for TLS (usually 5039), switch TLS on; else see Asterisk's log"
    )


async def about_login(ami: AMIProtocol, about: str) -> Findings:
    """Version, rights and clock, of one that is logged in."""
    async for finding in _version(ami, about):
        yield finding
    async for finding in _write_classes(ami, about):
        yield finding
    async for finding in _read_classes(ami, about):
        yield finding
    yield await _clock(ami, about)


async def _version(ami: AMIProtocol, about: str) -> Findings:
    try:
        version = (await ami.coreSettings()).get("AsteriskVersion")
    except AMICommandFailure as refusal:
        yield bad(about, f"logged in, but it does not tell its version: {refusal}", "add reporting to write=")
        return
    plain = version.partition("+")[0].partition("~")[0]
    major = int(re.match(r"\d*", plain)[0] or 0)  # type: ignore[index]
    if major >= OLDEST_ASTERISK:
        yield good(about, f"Asterisk {plain}, logged in as {ami.factory.username}")
    else:
        yield warning(about, f"Asterisk {plain}", f"the dialer is tested from {OLDEST_ASTERISK} on: upgrade")


async def _write_classes(ami: AMIProtocol, about: str) -> Findings:
    allowed = {action.lower() for action in (await ami.listCommands()).headers()}
    missing = {kind: vital for kind, (action, vital) in WRITE.items() if action not in allowed}
    vital = [kind for kind, needed in missing.items() if needed]
    user = f"of [{ami.factory.username}] in manager.conf"
    if vital:
        text = f"the login {ami.factory.username} may not write {', '.join(vital)}"
        yield bad(about, text, f"add {','.join(vital)} to write = {user}")
    if "agent" in missing:
        yield warning(about, "the login may not write agent: queue_log is not written", f"add agent to write = {user}")
    if "command" in missing:
        text = "the login may not write command: dialplan, channels and files could not be looked at"
        yield warning(about, text, f"add command to write = {user}, at least for the doctor")
    if not missing:
        yield good(about, "the login has all write classes it needs")


async def _read_classes(ami: AMIProtocol, about: str) -> Findings:
    """As the CLI tells them, so with write class ``command`` only; a login from elsewhere is not told."""
    lines = await cli(ami, f"manager show user {ami.factory.username}")
    told = next((line.partition(":")[2] for line in lines if line.strip().startswith("read perm:")), None)
    if told is None:
        return
    has = {word.strip() for word in told.split(",")}
    missing = [] if "all" in has else [kind for kind in READ if kind not in has]
    for kind in missing:
        lost, vital = READ[kind]
        advice = f"add {kind} to read = of [{ami.factory.username}] in manager.conf"
        text = f"the login may not read {kind}: the dialer is not told {lost}"
        yield bad(about, text, advice) if vital else warning(about, text, advice)
    if not missing:
        yield good(about, "the login has all read classes it needs")


async def _clock(ami: AMIProtocol, about: str) -> Finding:
    before = time.time()
    told = (await ami.ping()).get("Timestamp")
    after = time.time()
    try:
        skew = float(told) - (before + after) / 2
    except ValueError:
        return warning(about, f"does not tell its time ({told!r})")
    if abs(skew) - (after - before) > SKEW_S:
        text = f"its clock is {abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} this machine's"
        return warning(about, text, "have both follow the same time servers (NTP): hours and reports depend on it")
    return good(about, f"its clock agrees with this machine's ({abs(skew):.1f} s)")


async def cli(ami: AMIProtocol, command: str) -> list[str]:
    """The lines that a CLI command prints; none when the login may not ask."""
    try:
        return list(await ami.command(command))
    except PbxError:
        return []
